"""Corruptions of light: noise of a sensor, too little or too much of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from asdbench.perturb.edits import FaceEdit, Lender
from asdbench.perturb.image import IMAGENET_C, OURS, Box, CorruptionOptions, SeededEdit, face_size, framed
from asdbench.perturb.stream import normal, uniform
from asdbench.perturb.targets import Outcome, Perturbation, PlanContext, Planner, Target
from asdbench.types import Float32Array, UInt8Array

SIGMA = (8.0, 16.0, 28.0, 45.0, 70.0)
"""Standard deviation of the noise in gray levels, by severity."""

DARK = (1.0, 2.0, 3.0, 4.0, 5.0)
BRIGHT = (0.5, 1.0, 1.5, 2.0, 2.5)
"""Stops by which a picture is too dark or too bright, by severity; light that exceeds the range is lost at once."""

_GAMMA = 2.2
_GRAINS = 112
_TABLE = 1 << 18


def gaussian_noise(face: UInt8Array, sigma: float, noise: Float32Array, box: Box) -> UInt8Array:
    """Add noise whose grain is a pixel, or 1/112 of the face where that is more.

    Models shrink crops to about 112 pixels, so that finer grain would harm large crops less.

    Args:
        face: ``[height, width]`` crop.
        sigma: Standard deviation in gray levels.
        noise: ``[N]`` of mean 0 and variance 1, used from its start, again and again if need be.
        box: The face within the crop.
    """
    rows, columns = (_grains(size, face_size(face, box)) for size in face.shape)
    height, width = int(rows[-1]) + 1, int(columns[-1]) + 1
    needed = height * width
    grid = (noise[:needed] if needed <= len(noise) else np.resize(noise, needed)).reshape(height, width)
    if grid.shape != face.shape:
        grid = grid[rows][:, columns]
    result: UInt8Array = np.clip(np.rint(face + grid * np.float32(sigma)), 0, 255).astype(np.uint8)
    return result


def _grains(size: int, face: float) -> NDArray[np.intp]:
    """Return for each pixel which grain it belongs to."""
    return (np.arange(size) / max(face / _GRAINS, 1.0)).astype(np.intp)


def exposure(face: UInt8Array, gain: float) -> UInt8Array:
    """Multiply gray levels, which cuts off what gets brighter than white."""
    levels = np.clip(np.rint(np.arange(256) * gain), 0, 255).astype(np.uint8)
    result: UInt8Array = levels[face]
    return result


class GaussianNoiseEdit(SeededEdit, frozen=True, kw_only=True, tag="gaussian_noise"):
    """Noise of standard deviation ``sigma`` gray levels, another in each frame."""

    sigma: float

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """See `gaussian_noise`; every frame reads the track's noise from a place of its own."""
        wanted = min(_TABLE, sum(face.size for face in faces))
        noise = normal(self.seed, wanted).astype(np.float32)
        noise = np.concatenate([noise, noise])
        places = (uniform(self.seed + "|place", len(faces)) * wanted).astype(np.intp).tolist()
        return [
            gaussian_noise(face, self.sigma, noise[place : place + wanted], box)
            for place, (face, box) in zip(places, framed(faces, boxes), strict=True)
        ]


class ExposureEdit(FaceEdit, frozen=True, kw_only=True, tag="exposure"):
    """Gray levels times ``gain``."""

    gain: float

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """See `exposure`."""
        return [exposure(face, self.gain) for face in faces]


class GaussianNoiseOptions(CorruptionOptions, frozen=True, forbid_unknown_fields=True):
    """``sigma``: standard deviation in gray levels."""

    sigma: Annotated[float, msgspec.Meta(gt=0, le=255)] | None = None


class ExposureOptions(CorruptionOptions, frozen=True, forbid_unknown_fields=True):
    """``stops``: below 0 too dark, above 0 too bright; without it the hash says which."""

    stops: Annotated[float, msgspec.Meta(ge=-8, le=8)] | None = None


def plan_gaussian_noise(context: PlanContext, options: GaussianNoiseOptions, me: Perturbation) -> Planner:
    """Noise in every frame."""
    chooser, sigma = context.chooser(me), options.amount(options.sigma, SIGMA)

    def planner(target: Target) -> Outcome:
        seed = chooser.seed(target.target_id)
        return Outcome((GaussianNoiseEdit(version=me.version, scene=options.scope == "scene", sigma=sigma, seed=seed),))

    return planner


def plan_exposure(context: PlanContext, options: ExposureOptions, me: Perturbation) -> Planner:
    """Too dark in half of the tracks, too bright in the others."""
    chooser = context.chooser(me)

    def planner(target: Target) -> Outcome:
        dark = chooser.fraction(target.target_id, "sign") < 0.5
        drawn = -options.amount(None, DARK) if dark else options.amount(None, BRIGHT)
        stops = drawn if options.stops is None else options.stops
        # A stop doubles the light, of which gray levels are the root of order 2.2.
        gain = round(2.0 ** (stops / _GAMMA), 4)
        return Outcome((ExposureEdit(version=me.version, scene=options.scope == "scene", gain=gain),))

    return planner


EXPOSURE = (
    Perturbation(
        "gaussian_noise",
        1,
        "noise of a sensor, fresh in every frame",
        "track",
        GaussianNoiseOptions,
        plan_gaussian_noise,
        source=IMAGENET_C,
    ),
    Perturbation("exposure", 1, "too dark or too bright", "track", ExposureOptions, plan_exposure, source=OURS),
)
"""What this module adds to the catalogue."""
