"""Scores find their frames by key."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asdbench.errors import DataError
from asdbench.predictions.join import join_scores
from asdbench.predictions.table import log_odds, read_table_of
from asdbench.types import BoolArray, Float32Array
from tests.predictions.crafted import crafted_rows, lines_of, write

ROWS = crafted_rows()
EVERY = np.ones(len(ROWS), np.bool_)


def joined(path: Path, wanted: BoolArray = EVERY) -> Float32Array:
    table = read_table_of(path)
    return join_scores(table, log_odds(table, "logit")[0], ROWS, wanted, "clean")


def test_the_order_of_the_file_means_nothing(tmp_path: Path):
    lines = lines_of(ROWS)
    expected = joined(write(tmp_path / "a.csv", lines))
    for seed in range(5):
        shuffled = [lines[i] for i in np.random.default_rng(seed).permutation(len(lines))]
        np.testing.assert_array_equal(joined(write(tmp_path / "b.csv", shuffled)), expected)
    np.testing.assert_allclose(expected, np.arange(6) / 10, rtol=1e-6)


def test_the_label_means_nothing(tmp_path: Path):
    lines = [line.replace("SPEAKING_AUDIBLE", "whatever") for line in lines_of(ROWS)]
    np.testing.assert_allclose(joined(write(tmp_path / "a.csv", lines)), np.arange(6) / 10, rtol=1e-6)


def test_the_same_entity_in_another_video_is_another(tmp_path: Path):
    lines = lines_of(ROWS)
    lines[2] = lines[2].replace("film,", "other,")
    with pytest.raises(DataError, match=r"line 4: .*no frame at 0\.080 s of 'film_0:1' in video 'other' \(1 of 6"):
        joined(write(tmp_path / "a.csv", lines))


def test_missing_frames_are_counted(tmp_path: Path):
    with pytest.raises(DataError, match=r"a\.csv: no score for 2 of the 6 frames.*first at 0\.040 s of 'film_0:1'"):
        joined(write(tmp_path / "a.csv", [line for i, line in enumerate(lines_of(ROWS)) if i not in (1, 4)]))


def test_frames_that_were_left_out_need_none(tmp_path: Path):
    wanted = ROWS.entity_id == "film_0:1"
    scores = joined(write(tmp_path / "a.csv", lines_of(ROWS)[:3]), wanted)
    assert np.isnan(scores[~wanted]).all()
    assert np.isfinite(scores[wanted]).all()


def test_unknown_frames_are_counted(tmp_path: Path):
    more = ["film,0.12,0,0,1,1,X,film_0:1,1", "film,9,0,0,1,1,X,film_0:1,1"]
    with pytest.raises(DataError, match=r"line 8: .*no frame at 0\.120 s.*\(2 of 8 predictions belong to no frame\)"):
        joined(write(tmp_path / "a.csv", lines_of(ROWS) + more))


def test_repeated_frames_are_counted(tmp_path: Path):
    lines = lines_of(ROWS)
    with pytest.raises(DataError, match=r"line 8: a second score for the frame at 0\.040 s .* line 3 \(2 repeated"):
        joined(write(tmp_path / "a.csv", [*lines, lines[1], lines[1]]))
