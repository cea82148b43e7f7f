"""Edits of faces seen beside the target's: ``scope = "scene"``, as if the camera were to blame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asdbench.perturb.edits import FaceEdit, Lender, edit_faces
from asdbench.types import Float32Array, UInt8Array


def edit_beside(
    faces: Sequence[UInt8Array | None],
    edits: Sequence[FaceEdit],
    lender: Lender,
    boxes: Float32Array | None,
    name: str,
) -> Sequence[UInt8Array | None]:
    """Apply those of the target's edits that change the scene to a face seen beside it.

    Whatever depends on time happens when it happens to the target, also where the face is not seen throughout; an edit
    then takes it to look as it did when last seen (before it is first seen, as then).

    Args:
        faces: One crop per frame of the target, ``None`` where the face is not seen.
        edits: The target's edits of faces.
        lender: Gives donors' faces.
        boxes: ``[T, 4]`` this face's box within each crop, as shares of it; ``None`` where the crop is the box.
        name: Says which face, so that it gets noise of its own.
    """
    wide = [edit.beside(name) for edit in edits if edit.scene]
    seen = np.array([face is not None for face in faces], dtype=np.bool_)
    if not wide or not seen.any():
        return faces
    shown = np.maximum.accumulate(np.where(seen, np.arange(len(faces)), int(seen.argmax())))
    filled = [face for index in shown.tolist() if (face := faces[index]) is not None]
    edited = edit_faces(filled, wide, lender, None if boxes is None else boxes[shown])
    return [face if there else None for face, there in zip(edited, seen.tolist(), strict=True)]
