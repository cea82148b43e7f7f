"""Write a tiny generated data set in the community AVA layout: ``python tools/make_fixture.py OUT [--seed N]``.

It shows the mechanics (files, keys, runs, edits) in the tests. It is not a benchmark: drawn ovals with an ellipse for a
mouth, and buzzing harmonics for a voice, say nothing about how good a model is.

Ten videos, thirteen tracks of about 2 s, most at 25 fps and two at 30 fps. Among them are two videos with two faces, a
face that listens, lips that move without sound, and a voice from off screen. The same seed gives the same bytes, as
long as numpy and OpenCV stay the same.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import numpy as np
import soundfile
from numpy.typing import NDArray

SPLIT = "val"
SPEAKING, SILENT, INAUDIBLE = "SPEAKING_AUDIBLE", "NOT_SPEAKING", "SPEAKING_NOT_AUDIBLE"
LABEL_IDS = {SILENT: 0, SPEAKING: 1, INAUDIBLE: 2}
COLUMNS = (
    "video_id",
    "frame_timestamp",
    "entity_box_x1",
    "entity_box_y1",
    "entity_box_x2",
    "entity_box_y2",
    "label",
    "entity_id",
    "label_id",
    "instance_id",
)

_RATE = 16_000
_HEIGHT, _WIDTH = 56, 48
_DRAWN_LARGER = 4
_JPEG_QUALITY = 92
_BLUR = 5.0  # soft edges keep the crops small
_SPEECH_PEAK, _NOISE_LEVEL = 9000.0, 30.0
_FORMANTS_HZ = np.array([550.0, 1500.0, 2600.0])

_Float = NDArray[np.float64]
_Image = NDArray[np.uint8]
Span = tuple[int, int]


@dataclass(frozen=True)
class Face:
    """One track to write: ``speaks``, ``mouths`` (lips without sound) and ``inaudible`` are spans of its frames."""

    person: int
    start_ms: int
    frames: int
    speaks: tuple[Span, ...] = ()
    mouths: tuple[Span, ...] = ()
    inaudible: tuple[Span, ...] = ()
    fps: int = 25

    @property
    def times_ms(self) -> list[int]:
        """Timestamps with two decimals, in ms, as the layout has them."""
        return [self.start_ms + 10 * round(100 * frame / self.fps) for frame in range(self.frames)]

    @property
    def labels(self) -> list[str]:
        """The text label of every frame."""
        return [
            SPEAKING if _within(frame, self.speaks) else INAUDIBLE if _within(frame, self.inaudible) else SILENT
            for frame in range(self.frames)
        ]


@dataclass(frozen=True)
class Video:
    """One video to write; ``offscreen`` are spans of ms in which somebody unseen speaks."""

    video_id: str
    faces: tuple[Face, ...]
    offscreen: tuple[Span, ...] = ()

    def entity_id(self, number: int) -> str:
        """Entity id as in AVA: video, first and last second, and a number after a colon."""
        times = self.faces[number].times_ms
        return f"{self.video_id}_{times[0] // 1000:04d}_{-(-times[-1] // 1000):04d}:{number + 1}"


VIDEOS = (
    Video("aa", (Face(0, 0, 51, speaks=((0, 20), (27, 49))),)),
    Video("b-7", (Face(1, 902_080, 52, speaks=((5, 22), (28, 52))),)),
    # The first phrase of this track is shorter than the 0.4 s from which a run may be changed.
    Video("Cfilm", (Face(2, 3_000, 51, speaks=((3, 11), (17, 49))),)),
    Video("d_09x", (Face(3, 0, 60, speaks=((6, 54),)),)),
    Video("E5mTqLw", (Face(4, 1_000, 62, speaks=((6, 30), (36, 60)), fps=30),)),
    Video("f0000006", (Face(5, 500, 61, speaks=((0, 25), (33, 61)), fps=30),)),
    # One speaks, the other listens.
    Video("gQ2_pLx-R", (Face(6, 10_000, 51, speaks=((4, 22), (28, 48))), Face(7, 10_000, 51))),
    # Taking turns.
    Video("h123456789", (Face(8, 200, 52, speaks=((1, 17), (34, 51))), Face(9, 200, 52, speaks=((18, 33),)))),
    # First audible, then lips that move without a sound, which is annotated for some of the frames.
    Video(
        "interview_9",
        (
            Face(10, 4_000, 51, speaks=((8, 26), (32, 51))),
            Face(10, 8_000, 51, mouths=((6, 44),), inaudible=((6, 18),)),
        ),
    ),
    # Chewing while somebody unseen speaks.
    Video("Zk3Yt9_aB-4x", (Face(11, 0, 51, mouths=((10, 48),)),), offscreen=((200, 1_000), (1_240, 1_960))),
)


def write_fixture(folder: Path, seed: int = 0) -> Path:
    """Write the data set.

    Args:
        folder: Where to; made if missing.
        seed: Changes voices and faces, not the annotation.

    Returns:
        The folder.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    rows: list[list[str]] = []
    loader: list[str] = []
    for video in VIDEOS:
        first = min(face.start_ms for face in video.faces)
        voices = [_voice(rng, face.person, _phrases_ms(face, first), _length(video)) for face in video.faces]
        unseen = [(start - first, stop - first) for start, stop in video.offscreen]
        film = _film(rng, [*(sound for sound, _ in voices), _voice(rng, 99, unseen, _length(video))[0]])
        for number, (face, (_, envelope)) in enumerate(zip(video.faces, voices, strict=True)):
            entity = video.entity_id(number)
            times = face.times_ms
            begin, end = ((times[i] - first) * _RATE // 1000 for i in (0, -1))
            _write_wav(folder / "clips_audios" / SPLIT / video.video_id / f"{entity}.wav", film[begin:end])
            if face.mouths:
                _, envelope = _voice(rng, face.person, _spans_ms(face, face.mouths, first), _length(video))
            opening = [float(envelope[begin + (t - times[0]) * _RATE // 1000 :][:640].mean()) for t in times]
            crops = folder / "clips_videos" / SPLIT / video.video_id / entity
            _write_crops(crops, times, _draw(rng, face.person, opening, face.fps))
            rows += _rows(video.video_id, entity, face)
            speaking = json.dumps([int(label == SPEAKING) for label in face.labels])
            loader.append(f"{entity}\t{face.frames}\t{face.fps:.1f}\t{speaking}\t{len(loader)}")
    _write_csv(folder / "csv", rows, loader)
    return folder


def _within(frame: int, spans: Sequence[Span]) -> bool:
    return any(start <= frame < stop for start, stop in spans)


def _spans_ms(face: Face, spans: Sequence[Span], origin_ms: int) -> list[Span]:
    offset = face.start_ms - origin_ms
    return [(offset + start * 1000 // face.fps, offset + stop * 1000 // face.fps) for start, stop in spans]


def _phrases_ms(face: Face, origin_ms: int) -> list[Span]:
    return _spans_ms(face, face.speaks, origin_ms)


def _length(video: Video) -> int:
    first, last = min(f.start_ms for f in video.faces), max(f.times_ms[-1] for f in video.faces)
    return (last - first + 100) * _RATE // 1000


def _voice(rng: np.random.Generator, person: int, phrases_ms: Sequence[Span], length: int) -> tuple[_Float, _Float]:
    """Return a person's sound and its envelope in [0, 1], each ``[length]``."""
    envelope = np.zeros(length)
    for start_ms, stop_ms in phrases_ms:
        start, stop = start_ms * _RATE // 1000, min(stop_ms * _RATE // 1000, length)
        while start < stop:
            syllable = min(int(_RATE / rng.uniform(3, 5)), stop - start)
            bump = np.sin(np.pi * (np.arange(syllable) + 0.5) / syllable)
            envelope[start : start + syllable] = rng.uniform(0.55, 1.0) * bump
            start += syllable
    pitch = 95 + 37 * (person * 7 % 5) * rng.uniform(0.97, 1.03)
    time = np.arange(length) / _RATE
    phase = 2 * np.pi * pitch * time + 0.4 * np.sin(2 * np.pi * rng.uniform(1.5, 2.5) * time)
    formants = _FORMANTS_HZ * rng.uniform(0.85, 1.15, 3)
    sound = np.zeros(length)
    for harmonic in range(1, int(3500 / pitch)):
        near = np.exp(-(((harmonic * pitch - formants) / 250) ** 2)).sum() + 0.05
        sound += near / harmonic**0.5 * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
    return _SPEECH_PEAK * envelope * sound / np.abs(sound).max(), envelope


def _film(rng: np.random.Generator, sounds: Sequence[_Float]) -> NDArray[np.int16]:
    total = rng.normal(0, _NOISE_LEVEL, len(sounds[0])) + np.sum(sounds, axis=0)
    result: NDArray[np.int16] = np.clip(np.rint(total), -32768, 32767).astype(np.int16)
    return result


def _draw(rng: np.random.Generator, person: int, opening: Sequence[float], fps: int) -> list[_Image]:
    """Return one BGR crop per frame; the mouth is as open as the envelope says."""
    scale = _DRAWN_LARGER
    size = (_WIDTH * scale, _HEIGHT * scale)
    texture = cv2.resize(rng.normal(0, 6, (7, 6)), size, interpolation=cv2.INTER_CUBIC)
    skin = rng.uniform(130, 170)
    wall = skin - rng.uniform(35, 50)
    sway, phase = rng.uniform(0.3, 0.7), rng.uniform(0, 2 * np.pi)
    wide, high = rng.uniform(0.42, 0.46), rng.uniform(0.47, 0.50)
    frames = []
    for index, amount in enumerate(opening):
        angle = 2 * np.pi * sway * index / fps + phase
        x, y = size[0] * (0.5 + 0.02 * np.sin(angle)), size[1] * (0.5 + 0.01 * np.cos(angle))
        canvas = np.full(size[::-1], wall)
        _oval(canvas, (x, y), (wide * size[0], high * size[1]), skin)
        canvas += texture * (canvas > wall)
        for side in (-1, 1):
            _oval(canvas, (x + side * 0.16 * size[0], y - 0.10 * size[1]), (0.06 * size[0], 0.03 * size[1]), wall - 40)
        _oval(canvas, (x, y + 0.24 * size[1]), (0.14 * size[0], (0.012 + 0.09 * amount) * size[1]), wall - 50)
        gray = cv2.resize(cv2.GaussianBlur(canvas, (0, 0), _BLUR), (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
        frames.append(np.dstack([np.clip(np.rint(gray), 0, 255).astype(np.uint8)] * 3))
    return frames


def _oval(canvas: _Float, centre: tuple[float, float], axes: tuple[float, float], value: float) -> None:
    cv2.ellipse(canvas, tuple(map(round, centre)), tuple(map(round, axes)), 0, 0, 360, value, cv2.FILLED)


def _write_wav(path: Path, samples: NDArray[np.int16]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, _RATE, subtype="PCM_16")


def _write_crops(folder: Path, times_ms: Sequence[int], frames: Sequence[_Image]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    flags = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    for time, frame in zip(times_ms, frames, strict=True):
        (folder / f"{time / 1000:.2f}.jpg").write_bytes(cv2.imencode(".jpg", frame, flags)[1].tobytes())


def _rows(video_id: str, entity_id: str, face: Face) -> list[list[str]]:
    rows, instance, before = [], -1, None
    for time, label in zip(face.times_ms, face.labels, strict=True):
        instance += label != before
        before = label
        box = ("0.300000", "0.200000", "0.420000", "0.450000")
        times = f"{time / 1000:.2f}"
        rows.append([video_id, times, *box, label, entity_id, str(LABEL_IDS[label]), f"{entity_id}:{instance}"])
    return rows


def _write_csv(folder: Path, rows: Sequence[Sequence[str]], loader: Sequence[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{SPLIT}_orig.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    # On purpose not the order of the annotation: readers must join by key.
    shuffled = [*loader[1::2][::-1], *loader[::2]]
    (folder / f"{SPLIT}_loader.csv").write_text("\n".join(shuffled) + "\n", encoding="utf-8", newline="\n")


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of voices and faces.")
def main(out: Path, seed: int) -> None:
    """Write the generated data set to the folder OUT."""
    write_fixture(out, seed)
    tracks = sum(len(video.faces) for video in VIDEOS)
    click.echo(f"{out}: {len(VIDEOS)} videos, {tracks} tracks (generated; shows the mechanics, is not a benchmark)")


if __name__ == "__main__":
    main()
