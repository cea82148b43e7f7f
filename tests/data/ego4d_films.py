"""Writes a small Ego4D: real clips whose faces show the number of their frame, with beeps at known frames."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.data.films import LOSSLESS, Film, Sound

WIDTH, HEIGHT, FPS = 320, 240, 30
BEEPS = (3, 24, 45, 67, 88, 110)
"""Frames at whose times a chirp begins."""

CHIRP_S = 0.06
BITS = 12
GROUND, EDGE, ZERO, ONE = 100, 255, 30, 220

Pixels = tuple[int, int, int, int]


@dataclass(frozen=True)
class Drawn:
    """A face in the film: left, top, right, bottom in whole pixels by frame."""

    boxes: Mapping[int, Pixels]


def draw(faces: Sequence[Drawn], number: int) -> NDArray[np.uint8]:
    """Return the luma of a picture: each face is a white line around blocks that are the bits of the frame's number."""
    picture = np.full((HEIGHT, WIDTH), GROUND, np.uint8)
    for face in faces:
        if number in face.boxes:
            left, top, right, bottom = face.boxes[number]
            part = picture[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
            whole = pattern(number, right - left, bottom - top)
            part[:] = whole[max(-top, 0) :, max(-left, 0) :][: part.shape[0], : part.shape[1]]
    return picture


def pattern(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """Return the face of one frame: the bits from left to right in stripes, and a white line of one pixel around."""
    stripes = np.arange(width - 2) * BITS // (width - 2)
    levels = np.where((number >> stripes) & 1, ONE, ZERO)
    face = np.full((height, width), EDGE, np.uint8)
    face[1:-1, 1:-1] = levels
    return face


def chirps(rate: int, seconds: float, level: float = 9000.0) -> NDArray[np.int16]:
    """Return a room's noise with a rising chirp at the time of each of `BEEPS`."""
    times = np.arange(int(seconds * rate)) / rate
    sound = np.random.default_rng(rate).normal(0, 0.1, len(times))
    for frame in BEEPS:
        t = times - frame / FPS
        sound += np.where((t >= 0) & (t < CHIRP_S), chirp(np.clip(t, 0, CHIRP_S)), 0)
    return (level * sound).astype(np.int16)


def chirp(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a chirp from 400 to 3400 Hz that fades in and out, at times from its start."""
    return np.asarray(np.sin(2 * np.pi * (400 * t + 25_000 * t**2)) * np.sin(np.pi * t / CHIRP_S) ** 2)


def beep_lag(audio: NDArray[np.int16], at: int) -> int:
    """Return by how many samples a chirp that should begin at a sample begins later, looking 400 samples around."""
    wanted = chirp(np.arange(int(CHIRP_S * 16_000)) / 16_000)
    lags = [lag for lag in range(-400, 401) if at + lag >= 0 and at + lag + len(wanted) <= len(audio)]
    heard = audio.astype(np.float64)
    return max(lags, key=lambda lag: float(heard[at + lag : at + lag + len(wanted)] @ wanted))


def film(faces: Sequence[Drawn], frames: int, sound: Sound | None = None, **more: Any) -> Film:
    """Return a lossless film at 30 fps in whose crops every pixel is as drawn."""
    return Film(
        frames=frames, rate=Fraction(FPS), luma=lambda number: draw(faces, number), sound=sound, full_range=True,
        options=LOSSLESS | {"g": "15"}, **more,
    )  # fmt: skip


def aac(rate: int, seconds: float, *, delay_ms: int = 0) -> Sound:
    """Return the chirps as AAC in stereo; what would lie before a delay is not there, the rest stays in its place."""
    start = delay_ms * rate // 1000
    samples = chirps(rate, seconds)[start:]
    return Sound(np.stack([samples, samples]), rate=rate, codec="aac", start=start)


def box(frame: int, pixels: Sequence[float]) -> dict[str, float]:
    """Return one item of a track from left, top, width and height."""
    x, y, width, height = pixels
    return {"frame": frame, "x": x, "y": y, "width": width, "height": height}


def track(identifier: str, items: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Return one track with the fields of the published files."""
    extra = {"suspect": False, "unmapped_frames_count": 0, "unmapped_frames": []}
    return {
        "track_id": identifier,
        "track": [item | {"video_frame": item["frame"] + 900, "clip_frame": None} for item in items],
        **extra,
    }


def person(
    identifier: str, voices: Sequence[tuple[int, int]], tracks: Sequence[dict[str, Any]] = (), *, wearer: bool = False
) -> dict[str, Any]:
    """Return one person with the fields of the published files."""
    segments = [
        {"start_time": start / FPS, "end_time": end / FPS, "start_frame": start, "end_frame": end, "person": identifier}
        for start, end in voices
    ]
    return {
        "person_id": identifier, "camera_wearer": wearer, "voice_segments": segments, "tracking_paths": list(tracks),
    }  # fmt: skip


def annotation(videos: Mapping[str, Mapping[str, Sequence[dict[str, Any]]]]) -> dict[str, Any]:
    """Return an annotation in the official form: video to clip to persons."""
    return {
        "date": "200101", "version": "2.1", "description": "invented",
        "videos": [
            {
                "video_uid": video, "split": "val",
                "clips": [
                    {"clip_uid": clip, "video_uid": video, "valid": True, "persons": list(persons)}
                    for clip, persons in clips.items()
                ],
            }
            for video, clips in videos.items()
        ],
    }  # fmt: skip


def write_annotation(path: Path, content: Any) -> Path:
    """Write an annotation as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


# --- a small data set --------------------------------------------------------------------------------------------

HEARD, LATE, SILENT, GONE, OTHER = (
    f"{name:0<8}-0000-4000-8000-000000000000" for name in ("a1", "a2", "b1", "c1", "d1")
)
"""Clips: the first two are of one video; with sound, with sound 400 ms late, without sound, not on disk, with sound."""

PARENTS = {HEARD: "video-a", LATE: "video-a", SILENT: "video-b", GONE: "video-c", OTHER: "video-d"}
DELAY_MS = 400
FRAMES = 120

LEFT = {frame: (20 + frame % 5, 30, 70 + frame % 5, 90) for frame in range(FRAMES)}
"""Whole pixels, moving."""

FRACTIONS = {frame: (-10.75, 120.25, 74.5, 62.5) for frame in range(10, 70) if not 40 <= frame < 45}
"""Left, top, width, height: partly outside the picture, with a gap."""

FRACTIONS_DRAWN = dict.fromkeys(range(10, 70), (-10, 120, 64, 182))
RIGHT = dict.fromkeys(range(FRAMES), (200, 100, 250, 160))


def sized(boxes: Mapping[int, Pixels]) -> list[dict[str, float]]:
    """Return the items of a track from its corners."""
    return [box(frame, (x1, y1, x2 - x1, y2 - y1)) for frame, (x1, y1, x2, y2) in boxes.items()]


def some(boxes: Mapping[int, Pixels], first: int, stop: int) -> dict[int, Pixels]:
    """Return the boxes of some frames."""
    return {frame: pixels for frame, pixels in boxes.items() if first <= frame < stop}


def small_annotation(clips: Sequence[str] = tuple(PARENTS)) -> dict[str, Any]:
    """Return the annotation of the small data set, or of some of its clips."""
    heard = [
        person("0", [(61, 89)], [track("track_9", sized(some(RIGHT, 30, 50)))], wearer=True),
        person(
            "1", [(20, 60), (90, 200)],
            [track("track_0", sized(LEFT)), track("visual_anchor_1", sized(some(LEFT, 5, 8)))],
        ),
        person("2", [(0, 9), (15, 15)], [track("track_1", [box(f, pixels) for f, pixels in FRACTIONS.items()])]),
    ]  # fmt: skip
    late = [person("1", [(30, 80)], [track("track_0", sized(some(LEFT, 15, 105)))])]
    plain = [person("1", [(10, 50), (70, 100)], [track("track_0", sized(RIGHT))])]
    persons = {HEARD: heard, LATE: late, SILENT: plain, GONE: plain, OTHER: plain}
    videos: dict[str, dict[str, Any]] = {}
    for clip in clips:
        videos.setdefault(PARENTS[clip], {})[clip] = persons[clip]
    return annotation(videos)


def write_small(root: Path, clips: Sequence[str] = tuple(PARENTS)) -> Path:
    """Write the small data set, or some of its clips: the annotation, and the films that there are."""
    seconds = FRAMES / FPS
    left, right = Drawn(LEFT), Drawn(RIGHT)
    films = {
        HEARD: film([left, Drawn(FRACTIONS_DRAWN), right], FRAMES, aac(48_000, seconds)),
        LATE: film([left], FRAMES, aac(44_100, seconds, delay_ms=DELAY_MS)),
        SILENT: film([right], FRAMES),
        OTHER: film([right], FRAMES, aac(16_000, seconds)),
    }
    for clip in clips:
        if clip in films:
            films[clip].write(root / "clips" / f"{clip}.mp4")
    write_annotation(root / "av_val.json", small_annotation(clips))
    return root
