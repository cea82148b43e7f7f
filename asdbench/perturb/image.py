"""What the perturbations of faces share: sizes relative to the face, severities, seeds, filters.

Five severities per kind follow ImageNet-C (Hendrycks and Dietterich 2019, arXiv 1903.12261, section 3), and so do
several kinds. The amounts are ours: theirs are pixels of 224 x 224 colour photographs, ours shares of a gray face crop
of any size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np

from asdbench.perturb.edits import FaceEdit
from asdbench.perturb.severity import SeverityOptions
from asdbench.types import Float32Array, UInt8Array

IMAGENET_C = "ImageNet-C, arXiv 1903.12261; the amounts are asdbench's"
OURS = "docs/perturbations.md"

FaceScope = Literal["track", "scene"]
"""Whether the target's faces alone are changed, or also those that are seen beside it."""

Box: TypeAlias = "tuple[float, float, float, float]"
"""The annotated face in a crop: left, top, right, bottom, as shares of the crop."""

WHOLE_CROP: Box = (0.0, 0.0, 1.0, 1.0)

_FINEST = 4.0


class FaceOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose faces are changed."""

    scope: FaceScope = "track"


class CorruptionOptions(SeverityOptions, frozen=True, forbid_unknown_fields=True):
    """How strongly, from 1 to 5, and whose faces are; an option with the physical amount replaces the severity."""

    scope: FaceScope = "track"


class SeededEdit(FaceEdit, frozen=True, kw_only=True):
    """An edit with noise, which each face seen beside the target's has of its own."""

    seed: str

    def beside(self, name: str) -> FaceEdit:
        """Return the edit with another seed."""
        return msgspec.structs.replace(self, seed=f"{self.seed}|{name}")


def framed(faces: Sequence[UInt8Array], boxes: Float32Array) -> Iterator[tuple[UInt8Array, Box]]:
    """Yield each crop with its face box as plain numbers."""
    within: list[Box] = [(box[0], box[1], box[2], box[3]) for box in boxes.tolist()]
    return zip(faces, within, strict=True)


def box_size(face: UInt8Array, box: Box) -> tuple[float, float]:
    """Return width and height of the face in pixels, at least 1 each."""
    height, width = face.shape
    return max((box[2] - box[0]) * width, 1.0), max((box[3] - box[1]) * height, 1.0)


def face_size(face: UInt8Array, box: Box) -> float:
    """Return the side in pixels of the square with the area of the face box; amounts are shares of it."""
    return math.sqrt(math.prod(box_size(face, box)))


def direction(fraction: float) -> tuple[float, float]:
    """Return a direction (right, down) of length 1, given a number in [0, 1).

    Rounded, so that it is the same on machines whose cosines differ in the last digit.
    """
    angle = 2 * math.pi * fraction
    return round(math.cos(angle), 4), round(math.sin(angle), 4)


def coarsely(
    face: UInt8Array, size: float, smooth: Callable[[UInt8Array, float], UInt8Array], finest: float = _FINEST
) -> UInt8Array:
    """Return ``smooth(face, size)`` of a filter with a size in pixels.

    A large filter is applied to a smaller picture: what it leaves has no detail that this could lose, and the time
    that it takes does not grow with its size.
    """
    import cv2

    if size <= finest:
        return smooth(face, size)
    height, width = face.shape
    factor = size / finest
    small = (max(round(width / factor), 1), max(round(height / factor), 1))
    shrunk = smooth(as_face(cv2.resize(face, small, interpolation=cv2.INTER_AREA)), finest)
    return as_face(cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR))


def as_face(result: Any) -> UInt8Array:
    """Return what cv2 made of a crop; its own types say that it may be anything."""
    return np.asarray(result, dtype=np.uint8)


def made_with_cv2() -> str:
    """Return the version of the library that a filter is computed with, for edits that are not exact."""
    import cv2

    return f"cv2 {cv2.__version__}"
