"""The oracle: a calibration model that knows when each phoneme of the demo data is spoken, and by which face.

It cheats by design. It is told the answer (``phonemes.csv``) and holds every recording, so its results say nothing
about models, but much about the benchmark: whoever notices each change of sound must get the numbers it gets
(docs/method.md, section 6). It works on a data set in the format ``folder`` that ships phoneme times, and on no other.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asdbench.data import DEMO_DATA, dataset_folder, open_dataset
from asdbench.data.video_media import VideoMedia
from asdbench.errors import DataError
from asdbench.types import SAMPLE_RATE, BoolArray, Float32Array, Int16Array, Track, TrackKey, UInt8Array

BRIDGED_GAP = 0.25
"""Pauses between two phonemes of a face that are shorter than this, in seconds, count as speech."""

_REACH = round(0.1 * SAMPLE_RATE)
_SAME_SOUND = 0.6
_SPEAKS, _DOUBTFUL, _SILENT = 4.0, -1.0, -4.0
_MIDDLE = (0.35, 0.65)
_BOTH = "both"
_CHANNELS = (_BOTH, "lips", "voice")


class Phoneme(NamedTuple):
    """A row of ``phonemes.csv``; times in seconds from the start of the video, a pause has no ``ipa``.

    ``channel`` is ``lips`` for what the face articulates, ``voice`` for what is heard as its voice, ``both`` where the
    two agree, which they do for every face that is not dubbed.
    """

    video_id: str
    entity_id: str
    channel: str
    start: float
    end: float
    ipa: str


class PhonemeOracle:
    """Scores a track by what is known of it: ``4`` where its face speaks and its own recording is heard, else below 0.

    A track is known by the middle of its first face crop (rows 35 % to 65 %), so that it is known with lips or forehead
    masked too. A frame *speaks* if a phoneme of channel ``both`` is spoken at its centre, or a pause shorter than
    0.25 s lies between two of them. A frame is *in sync* if the audio given correlates by more than 0.6, at lag 0, with
    the recorded audio within 100 ms of the frame's centre: a change of level, a crossfade or some noise is forgiven,
    digital silence never. A speaking frame out of sync scores -1 to -4, the lower the less the two correlate; a frame
    that does not speak scores -4, and so does every frame of an unknown face.

    Args:
        tracks: Tracks with their media.
        phonemes: What is spoken when, in any order.
    """

    name = "oracle"
    version = 1

    def __init__(self, tracks: Sequence[Track], phonemes: Iterable[Phoneme]) -> None:
        self._tracks = tuple(tracks)
        self._phonemes = sorted(phonemes)
        self._recordings: dict[TrackKey, Int16Array] = {}

    @cached_property
    def fingerprint(self) -> str:
        """Text that changes with what the oracle knows: the tracks' times and the phonemes."""
        sha256 = hashlib.sha256()
        for track in sorted(self._tracks, key=lambda track: track.key):
            sha256.update(repr((*track.key, track.fps, track.timestamps_ms.tolist())).encode())
        sha256.update(repr([tuple(phoneme) for phoneme in self._phonemes]).encode())
        return sha256.hexdigest()

    def score_track(self, audio: Int16Array, faces: Sequence[UInt8Array], fps: float) -> Float32Array:
        """Score one face track; see ``asdbench.types.Scorer``.

        Raises:
            DataError: The media of a known track are missing or broken, or two tracks start with the same face.
        """
        scores = np.full(len(faces), _SILENT, np.float32)
        track = self._by_face.get(_face_digest(faces[0])) if faces else None
        if track is None or len(track) != len(faces):
            return scores
        correlation = self._correlation(track, audio)
        graded = np.interp(correlation, (0.0, _SAME_SOUND), (_SILENT, _DOUBTFUL))
        # One score for all frames in sync: a threshold frozen on clean sound must not fall for a little noise.
        heard = np.where(correlation > _SAME_SOUND, _SPEAKS, graded)
        scores[:] = np.where(self._speaking(track), heard, _SILENT)
        return scores

    @cached_property
    def _by_face(self) -> dict[bytes, Track]:
        known: dict[bytes, Track] = {}
        for track in self._tracks:
            digest = _face_digest(_first_face(track))
            other = known.setdefault(digest, track)
            if other is not track:
                raise DataError(
                    f"the tracks {other.entity_id!r} and {track.entity_id!r} (videos {other.video_id!r} and "
                    f"{track.video_id!r}) start with the same face, so the oracle cannot tell them apart."
                )
        return known

    @cached_property
    def _spoken(self) -> dict[TrackKey, list[tuple[float, float]]]:
        """Intervals of speech of each face whose own voice is heard, short pauses bridged."""
        spoken: dict[TrackKey, list[tuple[float, float]]] = {}
        for phoneme in sorted(self._phonemes, key=lambda phoneme: phoneme.start):
            if phoneme.channel == _BOTH and phoneme.ipa:
                intervals = spoken.setdefault(TrackKey(phoneme.video_id, phoneme.entity_id), [])
                if intervals and phoneme.start - intervals[-1][1] < BRIDGED_GAP:
                    intervals[-1] = (intervals[-1][0], max(intervals[-1][1], phoneme.end))
                else:
                    intervals.append((phoneme.start, phoneme.end))
        return spoken

    def _speaking(self, track: Track) -> BoolArray:
        centres = track.timestamps_ms / 1000 + 0.5 / track.fps
        speaking = np.zeros(len(track), dtype=np.bool_)
        for start, end in self._spoken.get(track.key, ()):
            speaking |= (start <= centres) & (centres <= end)
        return speaking

    def _correlation(self, track: Track, audio: Int16Array) -> NDArray[np.float64]:
        if track.key not in self._recordings:
            self._recordings[track.key] = track.media.audio()
        centres_ms = track.timestamps_ms - track.timestamps_ms[0] + 500 / track.fps
        centres = np.rint(centres_ms * SAMPLE_RATE / 1000).astype(np.int64)
        return correlation_near(audio, self._recordings[track.key], centres)


class Oracle(PhonemeOracle):
    """The oracle of a data set on disk: ``asdbench run --model asdbench.data.oracle:Oracle --data demo-val``.

    Args:
        folder: Folder of a data set in the format ``folder`` with ``phonemes.csv``, or ``demo-val``.

    Raises:
        DataError: There is no such data set, or it has no phoneme times.
    """

    def __init__(self, folder: str | Path = DEMO_DATA) -> None:
        path = dataset_folder(folder)
        super().__init__(open_dataset(path).tracks, read_phonemes(path / "phonemes.csv"))


def read_phonemes(path: Path) -> list[Phoneme]:
    """Read a table of phonemes.

    Raises:
        DataError: The file is missing, or a row of it cannot be; the message names its line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            return [_phoneme(path, reader.line_num, row) for row in reader]
    except OSError as error:
        raise DataError(
            f"{path}: the phoneme times cannot be read ({error.strerror}); the oracle needs data that ship them."
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a readable table ({error}).") from error


def _phoneme(path: Path, line: int, row: dict[str, str]) -> Phoneme:
    try:
        times = float(row["start"]), float(row["end"])
        phoneme = Phoneme(row["video_id"], row["entity_id"], row["channel"], *times, row["ipa"].strip())
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path}, line {line}: not the times of a phoneme ({error!r}); expected the columns video_id, entity_id, "
            "channel, start, end (both in s), ipa."
        ) from error
    if phoneme.channel not in _CHANNELS or not 0 <= phoneme.start <= phoneme.end:
        raise DataError(
            f"{path}, line {line}: the channel {phoneme.channel!r} from {phoneme.start} to {phoneme.end} s; expected "
            f"{', '.join(_CHANNELS)}, and an end after the start."
        )
    return phoneme


def correlation_near(first: Int16Array, second: Int16Array, centres: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the normalised correlation at lag 0 of two sounds around some samples.

    Args:
        first: ``[N]``.
        second: ``[M]``; what one of them has beyond the end of the other is not compared.
        centres: ``[T]`` samples; each is compared within 100 ms before and after it.

    Returns:
        ``[T]`` in [-1, 1], 0 where one of the two is digital silence or has ended.
    """
    length = min(len(first), len(second))
    one, two = first[:length].astype(np.int64), second[:length].astype(np.int64)
    # Sums of whole numbers are exact, whatever is outside of the window.
    starts, stops = np.clip(centres - _REACH, 0, length), np.clip(centres + _REACH, 0, length)
    sums = (np.concatenate([[0], np.cumsum(product)]) for product in (one * two, one**2, two**2))
    common, energy, other = (total[stops] - total[starts] for total in sums)
    norm = np.sqrt(energy.astype(np.float64)) * np.sqrt(other.astype(np.float64))
    correlation = np.zeros(len(centres))
    np.divide(common, norm, out=correlation, where=norm > 0)
    return correlation


def _first_face(track: Track) -> UInt8Array:
    media = track.media
    return media.first_face() if isinstance(media, VideoMedia) else media.faces()[0]


def _face_digest(face: UInt8Array) -> bytes:
    height = len(face)
    band = face[round(_MIDDLE[0] * height) : round(_MIDDLE[1] * height)]
    return hashlib.blake2b(repr(face.shape).encode() + band.tobytes(), digest_size=16).digest()
