"""A small data set of real video files in which nothing is wrong, in the format ``folder``."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from asdbench.data import open_dataset
from asdbench.data.prepare import Prepared, PrepareOptions, prepare
from asdbench.types import Dataset
from tests.data.films import HEIGHT, LOSSLESS, WIDTH, Film, Sound

FRAMES = 70
COLUMNS = (
    "video_id", "frame_timestamp", "entity_box_x1", "entity_box_y1", "entity_box_x2", "entity_box_y2", "label",
    "entity_id",
)  # fmt: skip
LABEL = {"+": "SPEAKING_AUDIBLE", "-": "NOT_SPEAKING", "o": "SPEAKING_NOT_AUDIBLE"}
LEFT, RIGHT, MIDDLE = ("0", "0", "0.5", "1"), ("0.5", "0.25", "1.1", "0.75"), ("0.2", "0.2", "0.7", "0.9")
# video, entity, first frame, box, labels
FACES = (
    ("one", "one:a", 10, LEFT, "-----" + "+" * 25 + "-----"),
    ("one", "one:b", 14, RIGHT, "+" * 15 + "-" * 12),
    ("two", "two:a", 2, MIDDLE, "-" * 8 + "+" * 40),
    ("dub", "dub:a", 5, LEFT, "-----" + "o" * 20 + "-----"),
)
TRACKS = (
    {"video_id": "one", "entity_id": "one:a", "source_id": "film 1", "person_id": "P1", "sentence_id": "7"},
    {"video_id": "one", "entity_id": "one:b", "source_id": "film 1", "person_id": "P2", "sentence_id": "8"},
    {"video_id": "dub", "entity_id": "dub:a", "source_id": "", "person_id": "P1", "kind": "dubbed"},
)

Row = dict[str, str]


def textured(number: int, seed: int = 0) -> NDArray[np.uint8]:
    """Return luma that is different everywhere and in every picture."""
    return np.random.default_rng((seed, number)).integers(20, 230, (HEIGHT, WIDTH), dtype=np.uint8)


def voice(seed: int, samples: int = FRAMES * 640) -> NDArray[np.int16]:
    return np.random.default_rng(seed).integers(-9_000, 9_000, samples).astype(np.int16)


def film(seed: int, **fields: object) -> Film:
    return Film(frames=FRAMES, luma=lambda number: textured(number, seed), options=LOSSLESS, **fields)  # type: ignore[arg-type]


def rows_of(faces: Sequence[tuple[str, str, int, Sequence[str], str]] = FACES) -> list[Row]:
    return [
        dict(zip(COLUMNS, (video, f"{(first + index) * 0.04:.3f}", *box, LABEL[label], entity), strict=True))
        for video, entity, first, box, labels in faces
        for index, label in enumerate(labels)
    ]


def write_csv(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list({name: None for row in rows for name in row}), restval="")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_good(root: Path) -> Path:
    """Write the data set: FLAC beside the video, sound within it, and sound that is neither 16 kHz nor mono."""
    (root / "audio").mkdir(parents=True)
    film(1).write(root / "videos/one.mp4")
    soundfile.write(root / "audio/one.flac", voice(1), 16_000)
    film(2, sound=Sound(voice(2), codec="flac")).write(root / "videos/two.mkv")
    stereo = np.stack([voice(3, FRAMES * 1764), voice(4, FRAMES * 1764)])
    film(3, sound=Sound(stereo, rate=44_100, codec="aac")).write(root / "videos/dub.mp4")
    write_csv(root / "labels.csv", rows_of())
    write_csv(root / "tracks.csv", TRACKS)
    return root


def prepared(root: Path, out: Path, **options: object) -> Prepared:
    """Prepare a folder in this process."""
    chosen: dict[str, object] = {"workers": 1, "progress": False, **options}
    return prepare(open_dataset(root), out, options=PrepareOptions(**chosen))  # type: ignore[arg-type]


def opened(out: Path) -> Dataset:
    return open_dataset(out, data_format="ava")


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the content of every file."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
