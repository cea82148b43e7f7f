"""Perturbations of faces."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.errors import UsageError
from asdbench.perturb import lip_mask
from asdbench.perturb.visual import face_mask, lip_blur, upper_mask


def face(height: int = 60, width: int = 40) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 256, (height, width)).astype(np.uint8)


def test_bottom_30_percent_is_black_and_the_rest_as_it_was() -> None:
    original = face()
    before = original.copy()
    masked = lip_mask(original)
    assert (masked[42:] == 0).all()
    np.testing.assert_array_equal(masked[:42], before[:42])
    np.testing.assert_array_equal(original, before)
    assert masked.dtype == np.uint8


@given(st.integers(1, 200), st.integers(1, 200), st.floats(0.01, 1))
def test_every_row_that_the_fraction_touches_is_masked_and_no_other(height: int, width: int, fraction: float) -> None:
    masked = lip_mask(face(height, width), fraction)
    black = (masked == 0).all(axis=1)
    assert masked.shape == (height, width)
    assert -1e-6 <= int(black.sum()) - fraction * height < 1 + 1e-6
    assert black[height - int(black.sum()) :].all()


def test_the_whole_face_may_be_masked() -> None:
    assert not lip_mask(face(), 1.0).any()


def test_mask_stays_in_the_face_box() -> None:
    original = face(100, 100)
    masked = lip_mask(original, 0.5, (0.2, 0.1, 0.7, 0.9))
    expected = original.copy()
    expected[50:90, 20:70] = 0
    np.testing.assert_array_equal(masked, expected)


@pytest.mark.parametrize("fraction", [0, -0.1, 1.1, float("nan")])
def test_bad_fraction(fraction: float) -> None:
    with pytest.raises(UsageError, match="expected"):
        lip_mask(face(), fraction)


@pytest.mark.parametrize("box", [(0.5, 0, 0.5, 1), (0, 0.9, 1, 0.1), (0, 0, float("nan"), 1), (0, 0, 1, float("inf"))])
def test_bad_box(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(UsageError, match="box"):
        lip_mask(face(), 0.3, box)


def test_upper_mask_hides_as_much_as_lip_mask_but_at_the_top() -> None:
    original = face(57, 41)
    np.testing.assert_array_equal(upper_mask(original)[::-1], lip_mask(original[::-1]))
    expected = face(100, 100)
    masked = upper_mask(expected, 0.5, (0.2, 0.1, 0.7, 0.9))
    expected[10:50, 20:70] = 0
    np.testing.assert_array_equal(masked, expected)


def test_face_mask_hides_the_box_and_nothing_else() -> None:
    expected = face(100, 100)
    masked = face_mask(expected, (0.2, 0.1, 0.7, 0.9))
    expected[10:90, 20:70] = 0
    np.testing.assert_array_equal(masked, expected)
    assert not face_mask(expected).any()


def test_lip_blur_takes_the_detail_of_the_bottom_only() -> None:
    original = face(100, 80)
    before = original.copy()
    blurred = lip_blur(original)
    np.testing.assert_array_equal(original, before)
    np.testing.assert_array_equal(blurred[:70], original[:70])
    assert blurred[70:].std() < 0.15 * original[70:].std()
    assert blurred[70:].mean() == pytest.approx(original[70:].mean(), abs=3)
    boxed = lip_blur(original, 0.5, box=(0.25, 0.1, 0.75, 0.9))
    outside = np.ones_like(original, dtype=bool)
    outside[50:90, 20:60] = False
    np.testing.assert_array_equal(boxed[outside], original[outside])
    assert (boxed[~outside] != original[~outside]).mean() > 0.9


@pytest.mark.parametrize("mask", [upper_mask, lip_blur])
def test_other_masks_refuse_the_same(mask: Callable[..., np.ndarray]) -> None:
    with pytest.raises(UsageError, match="expected"):
        mask(face(), 1.5)
    with pytest.raises(UsageError, match="box"):
        mask(face(), box=(0.5, 0, 0.5, 1))


def test_a_face_larger_than_its_crop_is_masked_where_it_shows() -> None:
    box = (-0.5, -0.5, 1.5, 0.9)
    original = face()
    height = original.shape[0]
    masked = lip_mask(original, 0.3, box)
    rows = slice(math.floor(height * 0.48 + 1e-6), math.ceil(height * 0.9 - 1e-6))
    assert not masked[rows].any()
    masked[rows] = original[rows]
    np.testing.assert_array_equal(masked, original)
    np.testing.assert_array_equal(upper_mask(original, 0.3, box), original)
