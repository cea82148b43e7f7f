"""Which part of a picture becomes a face crop: the ways in which preprocessing code of the field cuts faces out.

``box``: the annotated box, cut off where it leaves the picture; models squash it to a square (AVA preprocessing of
TalkNet and its kin, ``utils/tools.py``; Ego4D).
``padded_box``: the annotated box, black where it leaves the picture (ASW).
``square``: a square around the box with 40 % more on the sides and below, gray 110 where it leaves the picture: what
the demo of TalkNet (``demoTalkNet.py``) and Columbia evaluations built on it store.
``centre``: the middle half of that square, which the same code shows its network (the middle 112 of 224 pixels).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from asdbench.types import Float32Array

CropStyle = Literal["box", "padded_box", "square", "centre"]

FILL: dict[CropStyle, int | None] = {"box": None, "padded_box": 0, "square": 110, "centre": 110}
"""Gray value of what lies outside the picture; ``None`` cuts it off."""

_SCALE = 0.4


def window(style: CropStyle, box: Sequence[float], width: int, height: int) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a crop in pixels, half-open; it may leave the picture unless cut off.

    Args:
        style: How to cut.
        box: x1, y1, x2, y2 as shares of the picture.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
    """
    x1, y1, x2, y2 = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    if style in ("square", "centre"):
        half = max(x2 - x1, y2 - y1) / 2
        pad = int(half * (1 + 2 * _SCALE))
        x, y = (x1 + x2) / 2 + pad, (y1 + y2) / 2 + pad  # the official code truncates in the padded picture
        sides = (x - half * (1 + _SCALE), y - half, x + half * (1 + _SCALE), y + half * (1 + 2 * _SCALE))
        left, top, right, bottom = (int(side) - pad for side in sides)
        if style == "square":
            return left, top, right, bottom
        across, down = max(right - left, 2), max(bottom - top, 2)
        return left + across // 4, top + down // 4, left + across // 4 + across // 2, top + down // 4 + down // 2
    if style == "padded_box":
        # Floor, since truncation would move a corner outside the picture towards it.
        return int(np.floor(x1)), int(np.floor(y1)), int(np.floor(x2)), int(np.floor(y2))
    left, right = (min(max(int(x), 0), width) for x in (x1, x2))
    top, bottom = (min(max(int(y), 0), height) for y in (y1, y2))
    return left, top, right, bottom


def face_in_crop(style: CropStyle, boxes: NDArray[np.float64], width: int, height: int) -> Float32Array | None:
    """Return where faces lie in their crops, ``[T, 4]`` shares of the crop; ``None`` where the crop is the box.

    A face may be larger than its crop (``centre``): its sides then lie below 0 or above 1.

    Args:
        style: How the crops are cut.
        boxes: ``[T, 4]`` shares of the picture.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
    """
    if style not in ("square", "centre"):
        return None
    windows = np.array([window(style, box, width, height) for box in boxes.tolist()], dtype=np.float64)
    origin, size = windows[:, [0, 1, 0, 1]], np.maximum(windows[:, 2:] - windows[:, :2], 1)[:, [0, 1, 0, 1]]
    return ((boxes * [width, height, width, height] - origin) / size).astype(np.float32)
