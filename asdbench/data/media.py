"""Media files on disk -> the canonical medium: 16 kHz mono int16 audio, gray uint8 face crops.

Broken files are errors with their path. A file that ends early is refused: decoders fill the rest with silence or gray.
"""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from asdbench.errors import DataError
from asdbench.types import SAMPLE_RATE, Int16Array, UInt8Array

_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_RIFF_HEADER_BYTES = 8
_SMALL_BYTES = 4_000_000  # up to which reading a file whole is worth more than trusting its time of change


def read_wav(path: Path, start: int = 0, stop: int | None = None) -> Int16Array:
    """Read samples ``start`` to ``stop`` of a wav file.

    Args:
        path: A mono file at 16 kHz.
        start: First sample, at least 0.
        stop: One past the last sample; ``None`` or a value beyond the end reads to the end.

    Returns:
        ``[N]`` int16.

    Raises:
        DataError: The file is missing, truncated, not decodable, not mono or not at 16 kHz.
    """
    import soundfile

    wav_length(path)
    try:
        # libsndfile scales whole-number formats to int16, but cuts floats, which lie within +-1, down to 0, and lets
        # what an OGG file decodes to beyond full scale change its sign.
        exact = soundfile.info(path).subtype not in ("FLOAT", "DOUBLE", "VORBIS", "OPUS")
        samples, _ = soundfile.read(path, start=start, stop=stop, dtype="int16" if exact else "float64")
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise DataError(f"{path}: the audio cannot be decoded ({error}); extract it again.") from error
    if not exact:
        samples = np.clip(np.rint(samples * 32768), -32768, 32767)
    return np.asarray(samples, dtype=np.int16)


def wav_length(path: Path) -> int:
    """Return the number of samples of a wav file after checking that it is whole, mono and at 16 kHz.

    Raises:
        DataError: As for :func:`read_wav`.
    """
    import soundfile

    if not path.is_file():
        raise DataError(f"{path}: the audio file is missing.")
    _refuse_truncated_riff(path)
    try:
        info: Any = soundfile.info(path)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise DataError(f"{path}: not a readable wav file ({error}); extract it again.") from error
    if info.samplerate != SAMPLE_RATE or info.channels != 1:
        raise DataError(
            f"{path}: {info.channels} channel(s) at {info.samplerate} Hz, expected mono at {SAMPLE_RATE} Hz; "
            f"convert it with: ffmpeg -i IN -ac 1 -ar {SAMPLE_RATE} OUT.wav"
        )
    return int(info.frames)


def _refuse_truncated_riff(path: Path) -> None:
    # libsndfile shortens a truncated file without a word, so the size in the header is compared here. Streams written
    # to a pipe carry 0 or 0xFFFFFFFF there and say nothing.
    with path.open("rb") as file:
        header = file.read(_RIFF_HEADER_BYTES)
    if header[:4] != b"RIFF" or len(header) < _RIFF_HEADER_BYTES:
        return
    declared = int.from_bytes(header[4:], "little")
    actual = path.stat().st_size - _RIFF_HEADER_BYTES
    if declared not in (0, 0xFFFFFFFF) and actual < declared:
        raise DataError(f"{path}: truncated, {actual} of {declared} bytes are there; extract it again.")


def read_gray(path: Path) -> UInt8Array:
    """Read a face crop as the official evaluations do: decoded to colour, then BGR to gray.

    Returns:
        ``[height, width]`` uint8.

    Raises:
        DataError: The file is missing, truncated or not an image.
    """
    return decode_gray(read_image(path), path)


def read_image(path: Path) -> bytes:
    """Return the content of an image file, not decoded.

    Raises:
        DataError: The file is missing, empty or a truncated JPEG.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: the face crop cannot be read ({error.strerror}).") from error
    if data.startswith(_JPEG_START) and _JPEG_END not in data:
        raise DataError(f"{path}: truncated JPEG ({len(data)} bytes); extract the crop again.")
    if not data:
        raise DataError(f"{path}: not a readable image (0 bytes); extract the crop again.")
    return data


def decode_gray(data: bytes, path: Path) -> UInt8Array:
    """Return the face crop that `read_image` gave, decoded as by `read_gray`; ``path`` is for messages."""
    import cv2

    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:  # e.g. a header that claims more pixels than OpenCV ever makes room for
        raise DataError(f"{path}: not a readable image ({error.err}); extract the crop again.") from error
    if image is None:
        raise DataError(f"{path}: not a readable image ({len(data)} bytes); extract the crop again.")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def add_face(state: blake2b, face: UInt8Array | None) -> None:
    """Add the shape and the pixels of a face crop to a digest of crops; one that is absent counts as such."""
    state.update(repr(None if face is None else face.shape).encode())
    if face is not None:
        state.update(np.ascontiguousarray(face).data)


def content_stamp(path: Path) -> str:
    """Return the hash of a small file's content, which a copy shares; for others what `file_stamp` returns."""
    try:
        if path.is_file() and path.stat().st_size < _SMALL_BYTES:  # a device has no size, and no end either
            return blake2b(path.read_bytes(), digest_size=16).hexdigest()
    except OSError:
        pass
    return file_stamp(path)


def file_stamp(path: Path) -> str:
    """Return the size and the time of change of a file or folder, or "missing"."""
    try:
        status = path.stat()
    except OSError:
        return "missing"
    return f"{status.st_size}:{status.st_mtime_ns}"
