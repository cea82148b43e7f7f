"""Video file -> gray face crops, found by time, decoded from the key frame before the first of them."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from asdbench.data.container import open_stream, seconds, seek_before
from asdbench.data.crops import FILL, CropStyle, window
from asdbench.errors import DataError
from asdbench.types import UInt8Array

# Formats whose first plane is luma in 8 bits. The names with a j, and frames that say so, use all of 0..255.
_LUMA_FIRST = frozenset({"yuv420p", "yuvj420p", "nv12", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"})
_FULL_RANGE = 2
_EXPAND = np.clip(((np.arange(256) - 16) * 255 + 109) // 219, 0, 255).astype(np.uint8)
"""Luma 16..235 to gray 0..255, rounded."""

# Seeking goes by the times of decoding, which may lie a little before those of showing.
_SEEK_EARLIER_S = 1
_SEEK_OVER_MS = 10_000  # what lies between two faces is decoded up to this length, and skipped beyond it


class Picture(NamedTuple):
    """A decoded frame, when it is shown, in seconds from time 0 of the file, and the frame period of the video."""

    time: Fraction
    period: Fraction
    frame: Any


class Rows(Protocol):
    """Says where each row of a track stands, to begin messages with."""

    def __getitem__(self, row: int, /) -> str:
        """Return the place of one row."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face to be cut out of a video, in ``T`` pictures.

    Attributes:
        timestamps_ms: ``T`` increasing times; the picture nearest to each is taken.
        boxes: ``[T, 4]`` x1, y1, x2, y2 as shares of width and height.
        rows: Where each time and box stand.
        style: How a face is cut out, and what becomes of a box that leaves the picture.
    """

    timestamps_ms: Sequence[int]
    boxes: NDArray[np.float64]
    rows: Rows
    style: CropStyle = "box"


class Crop(NamedTuple):
    """The crop of one row of one of several faces: gray ``[height, width]``; width and height of its picture."""

    face: int
    row: int
    gray: UInt8Array
    picture: tuple[int, int]


class Failed(NamedTuple):
    """One of several faces that cannot be cut out, and why; no crop of it follows."""

    face: int
    error: DataError


def read_crops(
    path: Path, timestamps_ms: Sequence[int], boxes: NDArray[np.float64], rows: Rows, style: CropStyle = "box"
) -> list[UInt8Array]:
    """Cut one face out of a video, holding no more than two pictures at a time.

    Args:
        path: The video.
        timestamps_ms: As in `Face`.
        boxes: As in `Face`.
        rows: As in `Face`.
        style: As in `Face`.

    Returns:
        ``T`` gray crops ``[height, width]``, uint8.

    Raises:
        DataError: The video cannot be read, shows no picture within half a frame period of a time, shows the same
            picture for two of them, or a box holds no pixel.
    """
    crops: list[UInt8Array] = []
    with closing(cut_faces(path, [Face(timestamps_ms, boxes, rows, style)])) as found:
        for each in found:
            if isinstance(each, Failed):
                raise each.error
            crops.append(each.gray)
    return crops


def cut_faces(path: Path, faces: Sequence[Face]) -> Generator[Crop | Failed, None, None]:
    """Cut several faces out of a video in one pass, holding no more than two pictures at a time.

    Where no face is wanted for a while, the video is sought instead of decoded. Each face gets the crops, or the error,
    that it would get alone: behind a damaged place, decoding starts anew.

    Args:
        path: The video.
        faces: The faces, each with one time at least.

    Yields:
        Crops by time, those of one face in the order of its rows; for each face that fails, one `Failed` in place of
        the crops still missing.
    """
    for together in _clusters(faces):
        waiting = together
        while waiting:
            cutter = _Cutter(path, faces, waiting)
            try:
                yield from cutter.crops()
            except DataError as error:
                broken = cutter.begun or ([] if cutter.moved else waiting[:1])
                for face in broken:
                    yield Failed(face, error)
                waiting = [face for face in cutter.untouched if face not in broken]
            else:
                break


def _clusters(faces: Sequence[Face]) -> Iterator[list[int]]:
    """Yield the faces in order of their first times, those together between which seeking would not pay."""
    order = sorted(range(len(faces)), key=lambda face: faces[face].timestamps_ms[0])
    together: list[int] = []
    end = 0
    for face in order:
        times = faces[face].timestamps_ms
        if together and times[0] > end + _SEEK_OVER_MS:
            yield together
            together = []
        together.append(face)
        end = max(end, times[-1])
    if together:
        yield together


class _Cutter:
    """One pass over a video for several faces."""

    def __init__(self, path: Path, faces: Sequence[Face], wanted: Sequence[int]) -> None:
        self.path = path
        self.faces = faces
        self.moved = False
        self._ahead = [(faces[face].timestamps_ms[0], face, 0) for face in wanted]
        heapq.heapify(self._ahead)
        self._last: dict[int, Fraction] = {}

    @property
    def begun(self) -> list[int]:
        """Faces some but not all of whose crops were cut."""
        return sorted(face for _, face, row in self._ahead if row)

    @property
    def untouched(self) -> list[int]:
        """Faces of which no crop was cut, in order of their first times."""
        return [face for _, face, row in sorted(self._ahead) if not row]

    def crops(self) -> Generator[Crop | Failed, None, None]:
        """Yield crops and failures as in `cut_faces`; an error of the video itself is raised."""
        with closing(_nearest(self.path, self._times())) as pictures:
            for picture in pictures:
                self.moved = True
                milliseconds = self._ahead[0][0]
                while self._ahead and self._ahead[0][0] == milliseconds:
                    _, face, row = heapq.heappop(self._ahead)
                    try:
                        crop = self._crop(picture, face, row)
                    except DataError as error:
                        yield Failed(face, error)
                        continue
                    times = self.faces[face].timestamps_ms
                    if row + 1 < len(times):
                        heapq.heappush(self._ahead, (times[row + 1], face, row + 1))
                    yield crop

    def _times(self) -> Iterator[int]:
        while self._ahead:
            yield self._ahead[0][0]

    def _crop(self, picture: Picture | None, index: int, row: int) -> Crop:
        face = self.faces[index]
        time = Fraction(face.timestamps_ms[row], 1000)
        # Times in annotations are rounded to milliseconds.
        if picture is None or abs(picture.time - time) > picture.period / 2 + Fraction(1, 1000):
            nearest = f"the nearest is at {float(picture.time):.3f} s" if picture else "it ends before"
            raise DataError(f"{face.rows[row]}: {self.path} shows no picture at {float(time):.3f} s ({nearest}).")
        if picture.time == self._last.get(index):
            raise DataError(
                f"{face.rows[row]}: {self.path} shows the same picture at {float(time):.3f} s as for the row before; "
                "annotate no more frames per second than the video has."
            )
        self._last[index] = picture.time
        gray = cut(self.path, picture.frame, face.boxes[row].tolist(), face.rows[row], face.style)
        return Crop(index, row, gray, (picture.frame.width, picture.frame.height))


def _nearest(path: Path, timestamps_ms: Iterator[int]) -> Generator[Picture | None, None, None]:
    """Yield for each time the nearest picture, the earlier of two; ``None`` if there is none at all."""
    first = next(timestamps_ms)
    with closing(_pictures(path, Fraction(first, 1000))) as pictures:
        before: Picture | None = None
        current = next(pictures, None)
        for milliseconds in itertools.chain([first], timestamps_ms):
            time = Fraction(milliseconds, 1000)
            while current is not None and current.time < time:
                before, current = current, next(pictures, None)
            either = [picture for picture in (before, current) if picture is not None]
            yield min(either, key=lambda picture: abs(picture.time - time), default=None)


def _pictures(path: Path, start: Fraction) -> Generator[Picture, None, None]:
    """Yield pictures in order of time, from one at or before ``start`` where the video has it."""
    last: Fraction | None = None
    if start > _SEEK_EARLIER_S:
        try:
            with closing(_decode(path, start - _SEEK_EARLIER_S)) as pictures:
                for picture in pictures:
                    if last is None and picture.time > start:
                        break
                    last = picture.time
                    yield picture
                else:
                    return
        except DataError:
            # Not every file can be sought, and pictures after a key frame may build on some before it ("open GOP"):
            # whether this one is damaged is only known from its start.
            pass
    with closing(_decode(path, None)) as pictures:
        yield from (picture for picture in pictures if last is None or picture.time > last)


def _decode(path: Path, start: Fraction | None) -> Generator[Picture, None, None]:
    """Yield the pictures from the key frame before ``start``, or all."""
    with open_stream(path, "video") as (container, stream):
        if start is not None and not seek_before(container, stream, start):
            raise DataError(f"{path}: the video cannot be sought.")
        period = _frame_period(path, stream)
        previous: Fraction | None = None
        for frame in container.decode(stream):
            time = _time(path, container, stream, frame)
            if previous is not None and time <= previous:
                raise DataError(
                    f"{path}: the picture after {float(previous):.3f} s is not later than it; "
                    "convert the video (ffmpeg -i IN OUT.mp4)."
                )
            previous = time
            yield Picture(time, period, frame)


def _frame_period(path: Path, stream: Any) -> Fraction:
    rate = stream.average_rate or stream.guessed_rate
    if not rate or rate <= 0:
        raise DataError(f"{path}: the video does not say how many frames per second it has; convert it.")
    return 1 / Fraction(rate)


def _time(path: Path, container: Any, stream: Any, frame: Any) -> Fraction:
    # AVI stores no times of showing. Without B-frames, those of decoding are the same; what FFmpeg guesses is not.
    avi = container.format.name == "avi"
    if avi and stream.codec_context.has_b_frames:
        raise DataError(
            f"{path}: an AVI file does not say when pictures out of order (B-frames) are shown; "
            "convert it (ffmpeg -i IN OUT.mp4)."
        )
    time = seconds(frame.dts if avi or frame.pts is None else frame.pts, stream)
    if time is None:
        raise DataError(f"{path}: the video does not say when its pictures are shown; convert it.")
    if frame.is_corrupt:  # decoders paint over what is damaged
        raise DataError(f"{path}: the picture at {float(time):.3f} s is damaged; copy the file again.")
    if frame.rotation:
        raise DataError(
            f"{path}: the video is stored turned by {frame.rotation} degrees, so it is unclear what the boxes refer "
            "to; convert it (ffmpeg -i IN OUT.mp4 turns it upright)."
        )
    return time


def cut(path: Path, frame: Any, box: Sequence[float], row: str, style: CropStyle = "box") -> UInt8Array:
    """Return one gray crop of a decoded frame; see `read_crops`."""
    width, height = frame.width, frame.height
    left, top, right, bottom = window(style, box, width, height)
    inside = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        raise DataError(f"{row}: the box holds no pixel of the {width} x {height} picture of {path}.")
    crop = _gray(frame, *inside)
    fill = FILL[style]
    if fill is None or inside == (left, top, right, bottom):
        return crop
    filled = np.full((bottom - top, right - left), fill, np.uint8)
    filled[inside[1] - top : inside[3] - top, inside[0] - left : inside[2] - left] = crop
    return filled


def _gray(frame: Any, left: int, top: int, right: int, bottom: int) -> UInt8Array:
    name = frame.format.name
    if name not in _LUMA_FIRST:
        return np.array(frame.reformat(format="gray").to_ndarray()[top:bottom, left:right])
    plane = frame.planes[0]
    luma = np.frombuffer(plane, dtype=np.uint8).reshape(-1, plane.line_size)[top:bottom, left:right]
    full = name.startswith("yuvj") or int(frame.color_range) == _FULL_RANGE
    return np.array(luma) if full else np.asarray(_EXPAND[luma], dtype=np.uint8)
