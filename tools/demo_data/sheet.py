"""``python -m tools.demo_data.sheet SPLIT OUT.jpg``: a contact sheet of a split, to be judged by eye.

One row per face track, two tracks side by side; eight crops a second apart, exactly as a model sees them but in colour;
green below a crop means labelled as speaking, red a dub that articulates, gray silent.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import av
import click
import cv2
import numpy as np
from numpy.typing import NDArray

from tools.demo_data.script import FPS

_SIDE, _BAR, _STEPS = 72, 4, range(25, 200, 25)
_COLOURS = {"SPEAKING_AUDIBLE": (60, 180, 60), "SPEAKING_NOT_AUDIBLE": (60, 60, 220), "NOT_SPEAKING": (150, 150, 150)}


@click.command()
@click.argument("split", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
def main(split: Path, out: Path) -> None:
    """Draw a contact sheet of SPLIT into OUT."""
    labels = defaultdict(dict)
    for row in _read(split / "labels.csv"):
        labels[row["entity_id"]][round(float(row["frame_timestamp"]) * FPS)] = row
    kinds = {row["entity_id"]: row["kind"] for row in _read(split / "tracks.csv")}
    strips = []
    for video in sorted((split / "videos").glob("*.mp4")):
        with av.open(video) as container:
            frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
        seen = sorted(name for name in labels if name.startswith(f"{video.stem}:"))
        strips += [_strip(frames, labels[entity], f"{entity} {kinds[entity]}") for entity in seen]
    strips += [np.full_like(strips[0], 255)] * (len(strips) % 2)
    half = len(strips) // 2
    sheet = np.hstack([np.vstack(strips[:half]), np.vstack(strips[half:])])
    cv2.imwrite(str(out), sheet, [cv2.IMWRITE_JPEG_QUALITY, 80])


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def _strip(frames: list[NDArray[np.uint8]], rows: dict[int, dict[str, str]], title: str) -> NDArray[np.uint8]:
    caption = np.full((_SIDE + _BAR, 120, 3), 255, np.uint8)
    for line, text in enumerate(title.split(" ")):
        cv2.putText(caption, text, (4, 30 + 18 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.hstack([caption, *(_crop(frames[step], rows.get(step)) for step in _STEPS)])


def _crop(frame: NDArray[np.uint8], row: dict[str, str] | None) -> NDArray[np.uint8]:
    cell = np.full((_SIDE + _BAR, _SIDE, 3), 255, np.uint8)
    if row:
        height, width = frame.shape[:2]
        left, right = (int(float(row[f"entity_box_x{side}"]) * width) for side in (1, 2))
        top, bottom = (int(float(row[f"entity_box_y{side}"]) * height) for side in (1, 2))
        cell[:_SIDE] = cv2.resize(frame[top:bottom, left:right], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        cell[_SIDE:] = _COLOURS[row["label"]]
    return cell


if __name__ == "__main__":
    main()
