"""What the audit measures of each perturbation of faces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from asdbench.perturb import audit_measures as measures
from asdbench.perturb.audit_applied import Applied, Check, Measure
from asdbench.perturb.exposure import SIGMA
from asdbench.perturb.frames import DROPPED, HELD
from asdbench.perturb.resolution import BLOCKS, PIXELS
from asdbench.types import UInt8Array

DIFFERENCE = "difference of the faces"
"""A measure that must not fall as severity rises."""

_SIGMAS = 4.0
_ENOUGH_PIXELS = 2000
_ODD = 1 / 3
"""Share of the tracks whose own pictures may make a measure meaningless; a fault shows on all of them."""
_Box = tuple[float, float, float, float]


def same_shapes(applied: Applied, options: Any) -> Iterator[Measure]:
    """Crops keep their sizes, where none is put in another's place."""
    pairs = list(zip(applied.faces, applied.new_faces, strict=False))
    odd = sum(a.shape != b.shape or b.dtype != np.uint8 for a, b in pairs)
    yield Measure("crops of another size", "crops", odd, 0, 0)


def _masked(place: str) -> Check:
    def check(applied: Applied, options: Any) -> Iterator[Measure]:
        asked = getattr(options, "fraction", 1.0)
        outside, black = 0, []
        for before, after, whole in zip(applied.faces, applied.new_faces, applied.within.tolist(), strict=True):
            box = _region(place, whole, asked)
            outside += measures.changed_outside(before, after, box)
            black.append(measures.black_share(after, box) * asked)
        yield Measure("black share of the face", "share", min(black), asked - 1e-6, asked + 1e-6)
        yield Measure("pixels changed outside", "pixels", outside, 0, 0)

    return check


def _region(place: str, box: Sequence[float], fraction: float) -> _Box:
    left, top, right, bottom = box
    height = fraction * (bottom - top)
    return (left, bottom - height, right, bottom) if place == "bottom" else (left, top, right, top + height)


def _blurred_within(applied: Applied, options: Any) -> Iterator[Measure]:
    boxes = [_region("bottom", whole, options.fraction) for whole in applied.within.tolist()]
    triples = list(zip(applied.faces, applied.new_faces, boxes, strict=True))
    yield Measure("pixels changed outside", "pixels", sum(measures.changed_outside(*each) for each in triples), 0, 0)
    yield from _differs(applied, options)


def _still(applied: Applied, options: Any) -> Iterator[Measure]:
    moved = sum(not np.array_equal(applied.new_faces[0], face) for face in applied.new_faces[1:])
    yield Measure("crops that move", "crops", moved, 0, 0)


def _not_own(applied: Applied, options: Any) -> Iterator[Measure]:
    own = sum(np.array_equal(a, b) for a, b in zip(applied.faces, applied.new_faces, strict=True) if a.any())
    yield Measure("own crops left", "crops", own, 0, 0)


def _held(faces: Sequence[UInt8Array]) -> list[bool]:
    return [np.array_equal(*pair) for pair in pairwise(faces)]


def _dropped(applied: Applied, options: Any) -> Iterator[Measure]:
    held = _held(applied.new_faces)
    if held:
        asked = options.amount(options.share, DROPPED)
        slack = _SIGMAS * float(np.sqrt(asked * (1 - asked) / len(held)))
        # Pictures that stand still by themselves only add to it.
        own = float(np.mean(_held(applied.faces)))
        yield Measure("held pictures", "share", float(np.mean(held)), asked - slack, asked + slack + own, _ODD)


def _slower(applied: Applied, options: Any) -> Iterator[Measure]:
    every = options.amount(options.every, HELD)
    fresh = [index + 1 for index, held in enumerate(_held(applied.new_faces)) if not held]
    yield Measure("pictures out of turn", "pictures", sum(index % every > 0 for index in fresh), 0, 0)


def _grainy(applied: Applied, options: Any) -> Iterator[Measure]:
    """The deviation of what was added, where it cannot have been clipped."""
    sigma = options.amount(options.sigma, SIGMA)
    added = []
    for before, after in zip(applied.faces, applied.new_faces, strict=True):
        free = (before >= 2.5 * sigma) & (before <= 255 - 2.5 * sigma)
        added.append(after[free].astype(np.float64) - before[free])
    values = np.concatenate(added) if added else np.zeros(0)
    if len(values) >= _ENOUGH_PIXELS:
        yield Measure("noise above the asked", "ratio", float(values.std()) / sigma, 0.9, 1.1, _ODD)
    yield from _differs(applied, options)


def _less_sharp(applied: Applied, options: Any) -> Iterator[Measure]:
    before = measures.sharpness(applied.faces)
    if before > 1:
        yield Measure("detail left", "share", measures.sharpness(applied.new_faces) / before, 0, 1, _ODD)
    yield from _differs(applied, options)


def _coarser(check: Check, name: str, by_severity: tuple[float, ...]) -> Check:
    """Faces with hardly more pixels than are to be left stay as they are."""

    def only_large(applied: Applied, options: Any) -> Iterator[Measure]:
        if min(min(face.shape) for face in applied.faces) > 2 * options.amount(getattr(options, name), by_severity):
            yield from check(applied, options)

    return only_large


def _differs(applied: Applied, options: Any) -> Iterator[Measure]:
    if any(face.min() < face.max() for face in applied.faces):
        found = measures.mean_difference(applied.faces, applied.new_faces)
        yield Measure(DIFFERENCE, "gray levels", found, 1e-3, 255)


FACES: Mapping[str, tuple[Check, ...]] = {
    "lip_mask": (same_shapes, _masked("bottom")),
    "upper_mask": (same_shapes, _masked("top")),
    "face_mask": (same_shapes, _masked("bottom")),
    "lip_blur": (same_shapes, _blurred_within),
    "freeze": (_still,),
    "replace_faces": (_not_own,),
    "frame_drop": (_dropped,),
    "frame_rate": (_slower,),
    "gaussian_noise": (same_shapes, _grainy),
    **dict.fromkeys(("motion_blur", "defocus"), (same_shapes, _less_sharp)),
    "low_resolution": (same_shapes, _coarser(_less_sharp, "pixels", PIXELS)),
    "pixelate": (same_shapes, _coarser(_differs, "blocks", BLOCKS)),
    **dict.fromkeys(
        ("exposure", "jpeg", "h264", "occlusion", "hand", "crop_jitter", "off_centre"),
        (same_shapes, _differs),
    ),
}
"""Perturbations of faces, with what is measured of each."""
