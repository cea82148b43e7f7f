from __future__ import annotations

import numpy as np
import pytest

from asdbench.errors import DataError
from asdbench.metrics import average_precision_tie_safe
from asdbench.metrics.cells import cell, face_count_band, face_width_band, offscreen_speech, run_length_band, tercile
from asdbench.metrics.measured import is_number, measure


def test_a_cell_by_hand():
    found = cell([1, 0, 1, 0], [4.0, 3.0, 2.0, 1.0], 2.5)
    assert (found.positives, found.negatives, found.base_rate) == (2, 2, 0.5)
    assert found.ava == average_precision_tie_safe([1, 0, 1, 0], [4.0, 3.0, 2.0, 1.0])
    assert (found.tpr, found.fpr, found.auroc) == (0.5, 0.5, 0.75)


def test_what_has_no_value_says_why():
    found = cell([0, 0], [1.0, 2.0], 1.5)
    assert (found.base_rate, found.fpr) == (0.0, 0.5)
    assert all(
        found_value == {"undefined": "no positive rows remain."} for found_value in (found.ava, found.ap, found.tpr)
    )
    alone = cell([1], [1.0], 0.0)
    assert alone.tpr == 1
    assert alone.fpr == alone.ava == alone.ap == alone.auroc == {"undefined": "no negative rows remain."}
    assert not is_number(cell([], [], 0.0).base_rate)
    for arguments in (([1, 0], [1.0, np.nan], 0.0), ([1, 0], [1.0, 2.0], np.nan), ([1, 0], [1.0], 0.0)):
        with pytest.raises(DataError):
            cell(*arguments)
    with pytest.raises(DataError):
        measure(lambda: average_precision_tie_safe([1], [np.inf]))


def test_bands_of_face_width():
    assert face_width_band([0.1, 63.99, 64, 100, 128, 128.01]).tolist() == [0, 0, 1, 1, 1, 2]
    for wrong in ([0.0], [-1.0], [np.nan]):
        with pytest.raises(DataError):
            face_width_band(wrong)


def test_bands_of_face_counts():
    assert face_count_band([1, 2, 3, 12]).tolist() == [0, 1, 2, 2]
    for wrong in ([0], [1.5], [[1]]):
        with pytest.raises(DataError, match="whole numbers from 1"):
            face_count_band(wrong)


def test_bands_of_run_length():
    assert run_length_band([40, 999.9, 1000, 3000, 3000.1]).tolist() == [0, 0, 1, 1, 2]
    with pytest.raises(DataError, match="1 lengths of runs are not above 0"):
        run_length_band([0, 40])


def test_terciles():
    assert tercile(np.arange(9)).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert len(set(tercile([5.0] * 7).tolist())) == 1
    assert tercile([]).tolist() == []


def test_offscreen_speech():
    labels = [1, 0, 0, 0, 0]
    voiced = [True, True, True, False, True]
    # row 1: somebody on screen speaks; row 2: nobody does; row 3: silence
    assert offscreen_speech(labels, voiced, [1, 1, 0, 0, 0]).tolist() == [False, False, True, False, True]
    with pytest.raises(DataError, match="5 rows but 4 numbers of speakers"):
        offscreen_speech(labels, voiced, [1, 1, 0, 0])
