"""What tests of perturbed faces share: planned edits, generated crops, how much a crop has lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from asdbench.perturb.catalogue import PERTURBATIONS, read_options
from asdbench.perturb.edits import FaceEdit
from asdbench.perturb.targets import Outcome, PlanContext, Target
from asdbench.types import Track, UInt8Array
from tests.lenders import Lending

NOBODY = Lending()

CORRUPTIONS = (
    "gaussian_noise", "motion_blur", "defocus", "low_resolution", "pixelate", "exposure", "jpeg", "h264", "occlusion",
    "hand", "crop_jitter", "off_centre", "frame_drop", "frame_rate",
)  # fmt: skip
MASKS = ("lip_mask", "upper_mask", "face_mask", "lip_blur")
HOLDING = ("freeze", "frame_drop", "frame_rate")


class NoMedia:
    """Planning opens no medium."""


def track(length: int = 30, name: str = "v:0", source: str = "v", fps: float = 25.0, **more: Any) -> Track:
    times = np.rint(np.arange(length) * 1000 / fps).astype(np.int64)
    labels = np.zeros(length, np.int8)
    samples = int(times[-1]) * 16
    return Track(source, name, source, times, labels, fps, samples, NoMedia(), **more)  # type: ignore[arg-type]


def outcome(name: str, target: Track, others: Sequence[Track] = (), seed: int = 1, **options: Any) -> Outcome:
    found = PERTURBATIONS[name]
    planner = found.plan(PlanContext([target, *others], seed), read_options(found, options), found)
    return planner(Target(target, "|".join(target.key), -1, 0, len(target), 0, target.num_samples))


def edit(name: str, target: Track, seed: int = 1, **options: Any) -> FaceEdit:
    (made,) = outcome(name, target, seed=seed, **options).edits
    assert isinstance(made, FaceEdit)
    return made


def pattern(height: int, width: int, number: int = 0) -> UInt8Array:
    """A smooth picture with some detail, another for each number."""
    y, x = np.mgrid[:height, :width].astype(float)
    waves = np.sin((x / width * 5 + number * 0.3) * 2) + np.cos((y / height * 7 - number * 0.2) * 2)
    return np.clip(120 + 45 * waves + (x * 7 + y * 13) % 11, 1, 254).astype(np.uint8)


def loss(faces: Sequence[UInt8Array], clean: Sequence[UInt8Array]) -> float:
    """Mean squared difference of crops of the same sizes."""
    pairs = zip(faces, clean, strict=True)
    return float(np.mean([np.mean((a.astype(float) - b) ** 2) for a, b in pairs]))
