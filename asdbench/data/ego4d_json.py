"""The annotation of Ego4D's audio-visual benchmark, ``av_<split>.json``: one clip in memory at a time.

Fields as in the schema of the documentation (https://github.com/EGO4D/docs, ``docs/benchmarks/av-diarization.md``);
those that no reader needs are skipped. The file may be gigabytes, so it is mapped, not read.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec

from asdbench.data.ids import is_safe
from asdbench.errors import DataError

# Frames and pixels beyond are damage: a clip has 9,000 frames.
_Frame = Annotated[int, msgspec.Meta(ge=-(10**7), le=10**7)]
_Pixels = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]

_BOM = b"\xef\xbb\xbf"


class Box(msgspec.Struct, gc=False):
    """One face box: ``frame`` counts from 0 in the clip, the rest is in pixels of its picture."""

    frame: _Frame
    x: _Pixels
    y: _Pixels
    width: _Pixels
    height: _Pixels


class FaceTrack(msgspec.Struct):
    """The boxes of one face, in the order of the file."""

    track_id: str | int
    track: list[Box] | None = None


class Voice(msgspec.Struct, gc=False):
    """Frames in which a person speaks, both ends included."""

    start_frame: _Frame
    end_frame: _Frame


class Person(msgspec.Struct):
    """One person of a clip."""

    person_id: str | int
    camera_wearer: bool | None = None
    voice_segments: list[Voice] | None = None
    tracking_paths: list[FaceTrack] | None = None


class Clip(msgspec.Struct):
    """One clip of five minutes."""

    clip_uid: str
    video_uid: str | None = None
    persons: list[Person] | None = None


class _Video(msgspec.Struct):
    video_uid: str | None = None
    clips: list[msgspec.Raw] | None = None


class _Annotation(msgspec.Struct):
    videos: list[_Video]


def read_clips(path: Path) -> Iterator[tuple[str, Clip]]:
    """Yield each clip with the id of the video it is cut from, in the order of the file.

    Args:
        path: ``av_train.json`` or ``av_val.json``.

    Raises:
        DataError: The file cannot be read, is no such annotation, or has an id that cannot name a file or a clip that
            stands there twice; the message says where.
    """
    seen: set[str] = set()
    for at_video, video in enumerate(_decode(path)):
        for at_clip, raw in enumerate(video.clips or ()):
            where = f"$.videos[{at_video}].clips[{at_clip}]"
            try:
                clip = msgspec.json.decode(raw, type=Clip)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
                raise _refused(path, error, where) from error
            source = video.video_uid or clip.video_uid or clip.clip_uid
            _require_safe(path, f"{where}.clip_uid", clip.clip_uid)
            _require_safe(path, f"{where}.video_uid", source)
            _check_persons(path, clip)
            if clip.clip_uid in seen:
                raise DataError(f"{path}, {where}: the clip {clip.clip_uid!r} stands there twice; remove one.")
            seen.add(clip.clip_uid)
            yield source, clip


def _decode(path: Path) -> list[_Video]:
    try:
        with path.open("rb") as file:
            if not file.seek(0, 2):
                raise DataError(f"{path}: the file is empty; download it again.")
            # The clips refer to the mapped file, which is given back with the last of them.
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error.strerror}).") from error
    try:
        start = len(_BOM) if content[: len(_BOM)] == _BOM else 0
        return msgspec.json.decode(content[start:], type=_Annotation).videos
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _refused(path, error, "$") from error


def _refused(path: Path, error: Exception, where: str) -> DataError:
    # What is wrong with a value ends with its place; of broken JSON the decoder knows the byte alone.
    problem, _, place = str(error).partition(" - at `$")
    return DataError(
        f"{path}, {where}{place.rstrip('`')}: not what av_train.json and av_val.json of Ego4D hold there ({problem}); "
        "download the file again."
    )


def _check_persons(path: Path, clip: Clip) -> None:
    where = f"clip {clip.clip_uid!r}"
    for person in clip.persons or ():
        _require_safe(path, f"{where}, person_id", str(person.person_id))
        for track in person.tracking_paths or ():
            _require_safe(path, f"{where}, person {str(person.person_id)!r}, track_id", str(track.track_id))


def _require_safe(path: Path, where: str, identifier: str) -> None:
    if not is_safe(identifier):
        raise DataError(
            f"{path}, {where}: the id {identifier[:80]!r} cannot name a file; expected printable signs without slashes."
        )
