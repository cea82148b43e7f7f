"""Do the lips of the demo data meet on p, b, m? Measured on decoded pixels, without any model.

    python tools/measure_visemes.py baselines/demo/demo-val

Lip opening is what one can see of it: the area of the dark blob between the lips, in a crop of fixed size. A blob is
what remains of the dark pixels of the mouth's region after what is thinner than an open mouth (the line between closed
lips) is taken away. Blurred, shaken tracks are left out: there, nobody sees a lip line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from asdbench.data import open_dataset
from asdbench.types import Track

CLOSED = ("p", "b", "m")
OPEN = ("a", "ɑ", "æ", "ɒ")
_SIDE = 112
_MOUTH = slice(round(0.66 * _SIDE), round(0.96 * _SIDE)), slice(round(0.22 * _SIDE), round(0.78 * _SIDE))
_FACE = slice(round(0.35 * _SIDE), round(0.9 * _SIDE)), slice(round(0.25 * _SIDE), round(0.75 * _SIDE))
_DARK = 0.62
_LINE = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


@dataclass(frozen=True)
class Openings:
    """Lip openings, as shares of the crop's area, at the centres of phonemes."""

    closed: NDArray[np.float64]
    open: NDArray[np.float64]

    @property
    def ratio(self) -> float:
        """Mean opening on p, b, m over mean opening on open vowels."""
        return float(self.closed.mean() / self.open.mean())


def lip_opening(face: NDArray[np.uint8]) -> float:
    """Return the area of the largest dark blob in the mouth's region of a gray crop, as a share of the crop."""
    crop = cv2.resize(face, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    dark = (crop < _DARK * np.median(crop[_FACE])).astype(np.uint8)
    blobs = cv2.morphologyEx(dark, cv2.MORPH_OPEN, _LINE)[_MOUTH]
    _, _, statistics, _ = cv2.connectedComponentsWithStats(blobs)
    height, width = blobs.shape
    # What touches the sides of the region is the shadow beside the face, or the collar below it.
    inside = [int(area) for x, y, w, h, area in statistics[1:] if x > 0 and x + w < width and y + h < height]
    return max(inside, default=0) / _SIDE**2


def openings(folder: Path) -> Openings:
    """Measure all speaking faces of a demo split, dubbed ones too: their lips speak as well."""
    spoken = _phonemes(folder)
    steady = {row["entity_id"] for row in _rows(folder / "tracks.csv") if row.get("egocentric") == "0"}
    closed, opened = [], []
    for track in open_dataset(folder).tracks:
        if track.entity_id in steady and track.entity_id in spoken:
            faces = track.media.faces()
            closed += [lip_opening(faces[i]) for i in _frames(track, spoken[track.entity_id], CLOSED)]
            opened += [lip_opening(faces[i]) for i in _frames(track, spoken[track.entity_id], OPEN)]
    return Openings(np.array(closed), np.array(opened))


def _frames(track: Track, phonemes: list[tuple[float, str]], wanted: tuple[str, ...]) -> Iterator[int]:
    for centre, ipa in phonemes:
        frame = int((centre - track.timestamps_ms[0] / 1000) * track.fps)
        if ipa in wanted and 0 <= frame < len(track):
            yield frame


def _phonemes(folder: Path) -> dict[str, list[tuple[float, str]]]:
    found: dict[str, list[tuple[float, str]]] = {}
    for row in _rows(folder / "phonemes.csv"):
        if row["channel"] != "voice":
            centre = (float(row["start"]) + float(row["end"])) / 2
            found.setdefault(row["entity_id"], []).append((centre, row["ipa"].strip("ˈˌː")))
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
def main(folders: tuple[Path, ...]) -> None:
    """Print the lip openings of each split."""
    for folder in folders:
        found = openings(folder)
        click.echo(
            f"{folder.name}: p b m {100 * found.closed.mean():.3f} % of the crop ({len(found.closed)}), "
            f"open vowels {100 * found.open.mean():.3f} % ({len(found.open)}): ratio {found.ratio:.3f}"
        )


if __name__ == "__main__":
    main()
