"""Corruptions by things in front of the face: an object that moves over it, a hand before the mouth.

Both are drawn with whole numbers, sums, products and square roots, which all machines compute alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from asdbench.perturb.edits import Lender
from asdbench.perturb.image import OURS, WHOLE_CROP, Box, CorruptionOptions, SeededEdit, box_size, framed
from asdbench.perturb.stream import uniform
from asdbench.perturb.targets import Outcome, Perturbation, PlanContext, Planner, Target
from asdbench.types import Float32Array, UInt8Array

OBJECT = (0.20, 0.30, 0.40, 0.50, 0.60)
"""Diameter of the object as a share of the face's width and height, by severity."""

HAND = (0.60, 0.70, 0.80, 0.95, 1.10)
"""Width of the hand, wrist left out, as a share of the face's width, by severity."""

MOUTH = (0.5, 0.79)
"""Where mouths are in annotated boxes: shares of their width and height."""

Template = tuple[UInt8Array, UInt8Array]
"""Opacity and shade of a drawn thing, ``[height, width]`` each."""

_FINE = 160  # pixels of the templates per unit
_SWAY = 0.04
_DARKEST = 48

# x right, y down, in half widths of the hand, its fingers' middle at (0, 0): start, end, radius of round-ended strokes.
_WRIST = ((0.85, 0.40), (2.30, 1.35), 0.40)
_PALM = ((0.45, -0.02), (0.72, 0.18), 0.47)
_FINGERS = (
    ((0.45, 0.42), (-0.52, 0.40), 0.115),
    ((0.40, 0.20), (-0.80, 0.17), 0.130),
    ((0.40, -0.06), (-0.87, -0.09), 0.135),
    ((0.40, -0.32), (-0.70, -0.36), 0.130),
)
_THUMB = ((0.70, -0.28), (0.28, -0.80), 0.145)
_LEFT, _TOP, _RIGHT, _BOTTOM = -1.0, -1.0, 2.75, 1.8


def put_before(
    face: UInt8Array,
    template: Template,
    at: tuple[float, float],
    unit: tuple[float, float],
    tone: int,
    origin: tuple[float, float] = (0.0, 0.0),
) -> UInt8Array:
    """Draw a template over a crop.

    Args:
        face: ``[height, width]`` crop.
        template: What is drawn; shades are multiples of ``tone`` in 128ths.
        at: Where its origin comes to lie, (right, down) in pixels.
        unit: Pixels per unit of the template, across and down.
        tone: Gray level of a shade of 128.
        origin: The template's origin from its left top corner, in units.
    """
    opacity, shade = template
    result = face.astype(np.int32)
    rows, y = _sampled(face.shape[0], opacity.shape[0], at[1], unit[1], origin[1])
    columns, x = _sampled(face.shape[1], opacity.shape[1], at[0], unit[0], origin[0])
    cover = opacity[y][:, x].astype(np.int32)
    drawn = np.minimum(shade[y][:, x].astype(np.int32) * tone >> 7, 255)
    under = result[rows, columns]
    result[rows, columns] = (under * (255 - cover) + drawn * cover + 127) // 255
    return result.astype(np.uint8)


def _sampled(size: int, fine: int, at: float, unit: float, origin: float) -> tuple[slice, NDArray[np.intp]]:
    """Return the pixels of a crop that a template covers, and which of its pixels each of them shows."""
    places = np.floor(((np.arange(size) + 0.5 - at) / unit + origin) * _FINE).astype(np.intp)
    start, stop = np.searchsorted(places, [0, fine]).tolist()
    return slice(start, stop), places[start:stop]


@lru_cache(1)
def _ball() -> Template:
    """Return a disc of diameter 1 unit, lit from the upper left."""
    grid = (np.arange(_FINE) + 0.5) / _FINE - 0.5
    distance = np.sqrt(grid[:, None] ** 2 + grid**2)
    lit = np.sqrt((grid[:, None] + 0.15) ** 2 + (grid + 0.15) ** 2)
    opacity = np.clip((0.5 - distance) * _FINE, 0, 1)
    return (opacity * 255).astype(np.uint8), (160 - 120 * np.clip(lit, 0, 1)).astype(np.uint8)


@lru_cache(2)
def _hand(mirrored: bool) -> Template:
    """Return a hand whose fingers lie across the mouth, the thumb up, the wrist leaving at the lower right."""
    x = _LEFT + (np.arange(int((_RIGHT - _LEFT) * _FINE)) + 0.5) / _FINE
    y = _TOP + (np.arange(int((_BOTTOM - _TOP) * _FINE)) + 0.5) / _FINE
    opacity = np.zeros((len(y), len(x)))
    shade = np.zeros_like(opacity)
    for start, end, radius in (_WRIST, _PALM, *_FINGERS, _THUMB):
        depth = 1 - _distance(x, y, start, end) / radius
        cover = np.clip(depth * radius * _FINE / 2, 0, 1)
        # Round strokes: dark at the rim, so that fingers stand out from one another.
        round_ = np.clip(depth / 0.55, 0, 1) if radius < 0.2 else np.clip(depth / 0.3, 0, 1)
        shade = shade * (1 - cover) + cover * (84 + 48 * np.sqrt(round_))
        opacity = np.maximum(opacity, cover)
    made = (opacity * 255).astype(np.uint8), shade.astype(np.uint8)
    return (made[0][:, ::-1], made[1][:, ::-1]) if mirrored else made


def _distance(
    x: NDArray[np.float64], y: NDArray[np.float64], start: tuple[float, float], end: tuple[float, float]
) -> NDArray[np.float64]:
    """Return how far each point of a grid is from a line segment."""
    across, down = end[0] - start[0], end[1] - start[1]
    right, below = x - start[0], (y - start[1])[:, None]
    along = np.clip((right * across + below * down) / (across**2 + down**2), 0, 1)
    return np.sqrt((right - along * across) ** 2 + (below - along * down) ** 2)


def occlude(
    face: UInt8Array, size: float, tone: int, at: tuple[float, float] = (0.5, 0.5), box: Box = WHOLE_CROP
) -> UInt8Array:
    """Put a ball before the face, an oval where the face's box is not square.

    Args:
        face: ``[height, width]`` crop.
        size: Diameter as a share of the face's width and height.
        tone: Gray level of its lit side, about.
        at: Its middle, as shares of the face's width and height from the left and the top.
        box: The face within the crop.
    """
    wide, high = box_size(face, box)
    unit = size * wide, size * high
    return put_before(face, _ball(), _place(face, at, box), unit, tone, (0.5, 0.5))


def put_hand(
    face: UInt8Array,
    size: float,
    tone: int,
    at: tuple[float, float] = MOUTH,
    mirrored: bool = False,
    box: Box = WHOLE_CROP,
) -> UInt8Array:
    """Put a hand before the mouth, its fingers across it.

    Args:
        face: ``[height, width]`` crop.
        size: Width of the hand, wrist left out, as a share of the face's width.
        tone: Gray level of its skin.
        at: The middle of its fingers, as shares of the face's width and height from the left and the top.
        mirrored: Whether the arm comes from the left of the picture.
        box: The face within the crop.
    """
    half = size * box_size(face, box)[0] / 2
    origin = (_RIGHT if mirrored else -_LEFT), -_TOP
    return put_before(face, _hand(mirrored), _place(face, at, box), (half, half), tone, origin)


def _place(face: UInt8Array, at: tuple[float, float], box: Box) -> tuple[float, float]:
    height, width = face.shape
    left, top, right, bottom = box
    return (left + at[0] * (right - left)) * width, (top + at[1] * (bottom - top)) * height


def skin_tone(face: UInt8Array, box: Box = WHOLE_CROP) -> int:
    """Return the mean gray level of the middle of a face, but no less than a hand needs to be seen."""
    height, width = face.shape
    left, top, right, bottom = box
    x, y = (left + right) / 2, (top + bottom) / 2
    rows = slice(int((y + top) / 2 * height), int((y + bottom) / 2 * height) + 1)
    columns = slice(int((x + left) / 2 * width), int((x + right) / 2 * width) + 1)
    middle = face[rows, columns]
    return max(int(middle.sum()) // max(middle.size, 1), _DARKEST)


class OcclusionEdit(SeededEdit, frozen=True, kw_only=True, tag="occlusion"):
    """A ball on its way to and fro over the face, once in ``period`` frames."""

    size: float
    period: float

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """See `occlude`."""
        tone, *phases = uniform(self.seed, 3).tolist()
        ways = [
            0.15 + 0.7 * _to_and_fro(len(faces), period, phase)
            for period, phase in zip((self.period, 1.6 * self.period), phases, strict=True)
        ]
        return [
            occlude(face, self.size, 40 + int(140 * tone), at, box)
            for at, (face, box) in zip(np.stack(ways, axis=1).tolist(), framed(faces, boxes), strict=True)
        ]


class HandEdit(SeededEdit, frozen=True, kw_only=True, tag="hand"):
    """A hand before the mouth, all the time; it sways a little, once in ``period`` frames."""

    size: float
    period: float

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """See `put_hand`; the skin is as light as the middle of the track's middle face."""
        side, *phases = uniform(self.seed, 3).tolist()
        middle = len(faces) // 2
        tone = skin_tone(*list(framed(faces, boxes))[middle])
        ways = [
            place + _SWAY * (2 * _to_and_fro(len(faces), self.period, phase) - 1)
            for place, phase in zip(MOUTH, phases, strict=True)
        ]
        return [
            put_hand(face, self.size, tone, at, side < 0.5, box)
            for at, (face, box) in zip(np.stack(ways, axis=1).tolist(), framed(faces, boxes), strict=True)
        ]


def _to_and_fro(count: int, period: float, phase: float) -> NDArray[np.float64]:
    """Return ``count`` numbers that go from 0 to 1 and back once in a period, slower at the turns."""
    turn = (np.arange(count) / period + phase) % 1.0
    ramp = 1 - np.abs(2 * turn - 1)
    # The smooth step, since cosines are not the same on all machines.
    smooth: NDArray[np.float64] = ramp * ramp * (3 - 2 * ramp)
    return smooth


class OcclusionOptions(CorruptionOptions, frozen=True, forbid_unknown_fields=True):
    """``size``: diameter as a share of the face's width and height; it crosses the face in half of ``period_s``."""

    size: Annotated[float, msgspec.Meta(gt=0, le=4)] | None = None
    period_s: Annotated[float, msgspec.Meta(ge=0.1, le=1000)] = 3.0


class HandOptions(CorruptionOptions, frozen=True, forbid_unknown_fields=True):
    """``size``: width of the hand as a share of the face's width; it sways once in ``period_s``."""

    size: Annotated[float, msgspec.Meta(gt=0, le=4)] | None = None
    period_s: Annotated[float, msgspec.Meta(ge=0.1, le=1000)] = 4.0


def plan_occlusion(context: PlanContext, options: OcclusionOptions, me: Perturbation) -> Planner:
    """A moving object."""
    return _planner(OcclusionEdit, context, options, me, options.amount(options.size, OBJECT))


def plan_hand(context: PlanContext, options: HandOptions, me: Perturbation) -> Planner:
    """A hand before the mouth."""
    return _planner(HandEdit, context, options, me, options.amount(options.size, HAND))


def _planner(
    kind: type[OcclusionEdit] | type[HandEdit],
    context: PlanContext,
    options: OcclusionOptions | HandOptions,
    me: Perturbation,
    size: float,
) -> Planner:
    chooser = context.chooser(me)

    def planner(target: Target) -> Outcome:
        edit = kind(
            version=me.version,
            scene=options.scope == "scene",
            seed=chooser.seed(target.target_id),
            size=size,
            period=round(options.period_s * target.track.fps, 3),
        )
        return Outcome((edit,))

    return planner


OCCLUSION = (
    Perturbation(
        "occlusion", 1, "an object moves over the face", "track", OcclusionOptions, plan_occlusion, source=OURS
    ),
    Perturbation("hand", 1, "a hand before the mouth", "track", HandOptions, plan_hand, source=OURS),
)
"""What this module adds to the catalogue."""
