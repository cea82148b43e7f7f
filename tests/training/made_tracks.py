"""Tracks in memory, and recipes for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.training.recipe import Clips, Model, Optimizer, Recipe
from asdbench.types import SAMPLE_RATE, Int16Array, Track, UInt8Array

SIDE = 24


@dataclass
class Arrays:
    """Media in memory, which remember how often they were read."""

    sound: Int16Array
    pictures: list[UInt8Array]
    heard: int = field(default=0)
    seen: int = field(default=0)

    def audio(self) -> Int16Array:
        self.heard += 1
        return self.sound

    def audio_window(self, start: int, stop: int) -> Int16Array:
        return self.sound[start:stop]

    def faces(self) -> list[UInt8Array]:
        self.seen += 1
        return self.pictures

    def stamp(self) -> str:
        return ""


def made_track(
    number: int, frames: int = 40, speaking: tuple[int, int] = (10, 25), fps: float = 25.0, **changes: Any
) -> Track:
    """A track of noise whose pictures all differ; its sound is one frame short, as that of most data sets is."""
    rng = np.random.default_rng(number)
    samples = round((frames - 1) / fps * SAMPLE_RATE)
    pictures = list(rng.integers(0, 256, (frames, SIDE, SIDE)).astype(np.uint8))
    media = Arrays(rng.integers(-3000, 3000, samples).astype(np.int16), pictures)
    labels: NDArray[np.int8] = np.zeros(frames, np.int8)
    labels[slice(*speaking)] = 1
    times = np.rint(np.arange(frames) * 1000 / fps).astype(np.int64)
    given: dict[str, Any] = {"video_id": f"v{number}", "entity_id": "0", "source_id": f"s{number}", **changes}
    return Track(
        **{"timestamps_ms": times, "labels": labels, "fps": fps, "num_samples": samples, "media": media} | given
    )


def made_recipe(**changes: Any) -> Recipe:
    """A recipe for faces of the made tracks; what is not named is as plain as may be."""
    plain: dict[str, Any] = {
        "name": "made",
        "version": 1,
        "summary": "For tests.",
        "source": "none",
        "model": Model(architecture="talknet", face_size=SIDE),
        "clips": Clips(batch_frames=64, clip_frames=16, epoch_batches=6),
        "optimizer": Optimizer(rate=1e-3),
        "epochs": 2,
    }
    return Recipe(**plain | changes)
