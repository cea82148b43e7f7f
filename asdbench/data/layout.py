"""Writes the community layout that `asdbench.data.ava` reads, so that other code bases find what they expect.

Beside the columns of the TalkNet preprocessing, ``csv/<split>_orig.csv`` has ``counted`` (0 where no metric may count
the row), ``face_x1`` to ``face_y2`` (the annotated face within its crop) and ``voiced`` (1 where the annotation says
that somebody is heard) where a track needs them; other code picks columns by name. ``csv/<split>_tracks.csv`` says what
the community's files cannot: sources, persons, sizes of pictures.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asdbench.atomic import replacing, write_text
from asdbench.data.ids import new_child
from asdbench.types import IGNORE, SAMPLE_RATE, BoolArray, Int16Array, Track, UInt8Array

ORIG_COLUMNS = (
    "video_id", "frame_timestamp", "entity_box_x1", "entity_box_y1", "entity_box_x2", "entity_box_y2",
    "label", "entity_id", "label_id", "instance_id",
)  # fmt: skip
"""Columns of ``<split>_orig.csv`` as the TalkNet preprocessing writes them."""

COUNTED = "counted"
VOICED = "voiced"
FACE = ("face_x1", "face_y1", "face_x2", "face_y2")

TRACK_COLUMNS = (
    "video_id", "entity_id", "source_id", "person_id", "sentence_id", "kind", "categories", "frame_width",
    "frame_height", "fps", "audio_before", "audio_after",
)  # fmt: skip
"""Columns of ``<split>_tracks.csv``; what is not known is empty, categories are joined by a vertical bar.

``kind`` is ``dubbed`` or empty, ``fps`` the frame rate in full, ``audio_before`` and ``audio_after`` the samples of the
film's sound that a shift may use before and after the track (``Track.audio_margin``).
"""

_LABELS = {1: ("SPEAKING_AUDIBLE", 1), 0: ("NOT_SPEAKING", 0)}
_INAUDIBLE = ("SPEAKING_NOT_AUDIBLE", 2)


@dataclass(frozen=True, eq=False)
class TrackRows:
    """What the tables say of one track.

    Attributes:
        track: The track.
        labels: ``[T]`` in {0, 1, IGNORE}; those to be ignored are written as not speaking, with ``counted`` 0.
    """

    track: Track
    labels: NDArray[np.int8]

    @property
    def counted(self) -> BoolArray:
        """``[T]``, whether a metric may count the row."""
        mask: BoolArray = self.labels != IGNORE
        return mask if self.track.scored is None else mask & self.track.scored


class CommunityLayout:
    """Paths and files of one split of the community layout."""

    def __init__(self, root: Path, split: str) -> None:
        self.root = root
        self.split = split

    def wav(self, track: Track) -> Path:
        """Return the path of a track's audio."""
        return new_child(self.video_audio(track.video_id), f"{track.entity_id}.wav")

    def faces(self, track: Track) -> Path:
        """Return the folder of a track's face crops."""
        return new_child(self.video_faces(track.video_id), track.entity_id)

    def video_audio(self, video_id: str) -> Path:
        """Return the folder of the audio of all tracks of a video."""
        return new_child(self.root / "clips_audios" / self.split, video_id)

    def video_faces(self, video_id: str) -> Path:
        """Return the folder of the face crops of all tracks of a video."""
        return new_child(self.root / "clips_videos" / self.split, video_id)

    def film(self, video_id: str) -> Path:
        """Return the path of a whole video's audio."""
        return new_child(
            self.root / "orig_audios" / ("test" if self.split == "test" else "trainval"), f"{video_id}.wav"
        )

    def write_tables(self, rows: Iterable[TrackRows]) -> None:
        """Write the csv files; rows come out sorted by key.

        There is no loader file where an entity id stands in two videos: it could not tell them apart, and code that
        goes by it would take the one for the other. The frame rates are in ``<split>_tracks.csv``, too.

        Args:
            rows: One item per track.
        """
        ordered = sorted(rows, key=lambda each: each.track.key)
        extra = [COUNTED] if any(not each.counted.all() for each in ordered) else []
        extra += list(FACE) if any(each.track.face_in_crop is not None for each in ordered) else []
        extra += [VOICED] if ordered and all(each.track.voiced is not None for each in ordered) else []
        tables = self.root / "csv"
        lines = (line for each in ordered for line in _orig_lines(each, extra))
        _write_csv(tables / f"{self.split}_orig.csv", [*ORIG_COLUMNS, *extra], lines)
        loader = tables / f"{self.split}_loader.csv"
        if len({each.track.entity_id for each in ordered}) == len(ordered):
            write_text(loader, "".join(_loader_line(number, each) for number, each in enumerate(ordered)))
        else:
            loader.unlink(missing_ok=True)
        _write_csv(tables / f"{self.split}_tracks.csv", TRACK_COLUMNS, (_track_line(each.track) for each in ordered))


def face_name(timestamp_ms: int, suffix: str = ".jpg") -> str:
    """Return the name of a crop's file: its time in seconds, with a third decimal where two would not do."""
    return f"{timestamp_ms / 1000:.{3 if timestamp_ms % 10 else 2}f}{suffix}"


def encode_wav(samples: Int16Array) -> bytes:
    """Return the content of a wav file, 16 kHz mono int16; equal samples give equal bytes."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE, subtype="PCM_16", format="WAV")
    return buffer.getvalue()


def encode_face(face: UInt8Array, suffix: str, quality: int = 95) -> bytes:
    """Return a crop as PNG, which keeps every pixel, or JPEG, which does not."""
    import cv2

    settings = [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix == ".jpg" else []
    _, data = cv2.imencode(suffix, face, settings)
    return bytes(data)


def _orig_lines(rows: TrackRows, extra: list[str]) -> Iterator[list[object]]:
    track, counted = rows.track, rows.counted
    boxes = None if track.boxes is None else track.boxes.tolist()
    within = [[0, 0, 1, 1]] * len(track) if track.face_in_crop is None else track.face_in_crop.tolist()
    instance = np.concatenate([[0], np.cumsum(np.diff(rows.labels) != 0)])
    for i, time in enumerate(track.timestamps_ms.tolist()):
        label, number = _LABELS.get(int(rows.labels[i]), _LABELS[0])
        if track.dubbed is not None and track.dubbed[i]:
            label, number = _INAUDIBLE
        box = ["", "", "", ""] if boxes is None else [f"{side:.9g}" for side in boxes[i]]
        line: list[object] = [
            track.video_id, face_name(time, ""), *box, label, track.entity_id, number,
            f"{track.entity_id}:{instance[i]}",
        ]  # fmt: skip
        line += [int(counted[i])] if COUNTED in extra else []
        line += [f"{side:.9g}" for side in within[i]] if FACE[0] in extra else []
        line += [int(track.voiced[i])] if VOICED in extra and track.voiced is not None else []
        yield line


def _loader_line(number: int, rows: TrackRows) -> str:
    labels = ", ".join(str(max(int(label), 0)) for label in rows.labels)
    return f"{rows.track.entity_id}\t{len(rows.track)}\t{float(rows.track.fps)!r}\t[{labels}]\t{number}\n"


def _track_line(track: Track) -> list[object]:
    width, height = track.frame_size or ("", "")
    kind = "" if track.dubbed is None else "dubbed"
    names = (track.source_id, track.person_id or "", track.sentence_id or "", kind, "|".join(track.categories))
    return [track.video_id, track.entity_id, *names, width, height, repr(float(track.fps)), *track.audio_margin]


def _write_csv(path: Path, columns: Iterable[str], lines: Iterable[list[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(lines)
