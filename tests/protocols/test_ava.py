"""The AVA rule against hand-computed rows and against what the official scorer printed for the golden files."""

from __future__ import annotations

import dataclasses
import doctest
import json

import numpy as np
import pandas as pd
import pytest

from asdbench.errors import DataError, UndefinedMetricError, UnknownNameError
from asdbench.protocols import PROTOCOLS, ava
from asdbench.protocols.ava import ApResult, score_rows

COLUMNS = ["video", "seconds", "x1", "y1", "x2", "y2", "label", "entity"]
KEY = ["video", "entity", "ms"]

# The official join is on the text of the timestamp and drops the rows that differ in it; a join on ms keeps them all.
ROWS_DROPPED_BY_THE_OFFICIAL_JOIN = {
    "case_26_timestamp_off_1e-6",
    "case_27_half_timestamps_off",
    "case_28_integer_vs_float_timestamps",
}
WITH_INFINITE_SCORES = "case_18_inf_scores"


def read(case, name, columns):
    path = next(case.glob(f"{name}.csv*"))
    table = pd.read_csv(path, header=None, names=columns, dtype={"video": str, "entity": str, "label": str})
    table["ms"] = (table["seconds"] * 1000).round().astype("int64")
    return table


def joined(case):
    """Labels and scores of a golden case, in the order of its ground truth."""
    truth = read(case, "groundtruth", COLUMNS)
    predictions = read(case, "predictions", [*COLUMNS, "score"])
    rows = truth.merge(predictions[[*KEY, "score"]], on=KEY, how="inner", validate="one_to_one")
    return (rows["label"] == "SPEAKING_AUDIBLE").to_numpy(int), rows["score"].to_numpy(float)


@pytest.fixture(scope="module")
def golden(shared):
    return shared / "protocols" / "golden" / "ava_official"


@pytest.fixture(scope="module")
def scored_cases(golden):
    """Name -> (labels, scores, expected) of every case the official scorer gives a number other than NaN."""
    cases = {}
    for case in sorted(golden.iterdir()):
        expected = json.loads((case / "expected.json").read_text())
        if isinstance(expected["official_ap"], float):
            cases[case.name] = (*joined(case), expected)
    return cases


def result_of(name, labels, scores):
    # infinities rank first and last; any finite numbers beyond the others do the same
    return score_rows(labels, np.clip(scores, -1e9, 1e9) if name == WITH_INFINITE_SCORES else scores)


def test_the_golden_cases_are_all_there(golden, scored_cases):
    assert len(list(golden.iterdir())) == 45
    assert len(scored_cases) == 28


def test_official_ap_where_it_is_deterministic(scored_cases):
    seen = 0
    for name, (labels, scores, expected) in scored_cases.items():
        if expected["deterministic_across_environments"] and name not in ROWS_DROPPED_BY_THE_OFFICIAL_JOIN:
            result = result_of(name, labels, scores)
            assert result.ap == pytest.approx(expected["official_ap"], abs=1e-12), name
            assert result.ap_tie_safe == result.ap == result.ap_best, name
            seen += 1
    assert seen == 15


def test_recorded_conventions_for_ties(scored_cases):
    for name, (labels, scores, expected) in scored_cases.items():
        if name in ROWS_DROPPED_BY_THE_OFFICIAL_JOIN:
            continue
        result, recorded = result_of(name, labels, scores), expected["scored"]
        assert result.ap == pytest.approx(recorded["ap_stable_groundtruth_order"], abs=1e-12), name
        assert result.ap_tie_safe == pytest.approx(recorded["ap_ties_worst_case"], abs=1e-12), name
        assert result.ap_tie_safe == pytest.approx(recorded["ap_ties_grouped_with_envelope"], abs=1e-12), name
        assert result.ap_best == pytest.approx(recorded["ap_ties_best_case"], abs=1e-12), name
        assert (result.rows, result.positives) == (recorded["n_rows"], recorded["n_positive"]), name
        assert result.tied_share == recorded["rows_in_ties"] / recorded["n_rows"], name


def test_every_machine_of_the_official_scorer_lies_within_the_bounds(scored_cases):
    seen = 0
    for name, (labels, scores, expected) in scored_cases.items():
        if expected.get("scored", {}).get("rows_in_ties"):
            result = score_rows(labels, scores)
            for official in (expected["official_ap"], *expected["by_environment"].values()):
                assert result.ap_tie_safe - 1e-12 <= official <= result.ap_best + 1e-12, name
            assert result.ap_tie_safe <= result.ap <= result.ap_best, name
            seen += 1
    assert seen == 9


def test_rows_that_the_official_join_drops_are_scored(scored_cases):
    for name in ROWS_DROPPED_BY_THE_OFFICIAL_JOIN:
        labels, scores, expected = scored_cases[name]
        assert score_rows(labels, scores).rows == 60 > expected.get("scored", {"n_rows": 0})["n_rows"], name


def test_cases_without_a_value_raise(golden):
    for name in ("case_08_no_positives", "case_09_no_positives_one_row", "case_41_label_case"):
        with pytest.raises(UndefinedMetricError, match="no positive rows remain"):
            score_rows(*joined(golden / name))
    for name in ("case_16_nan_score", "case_17_empty_score"):
        with pytest.raises(DataError, match="hold 1 NaN and 0 infinite values"):
            score_rows(*joined(golden / name))
    with pytest.raises(DataError, match="hold 0 NaN and 2 infinite values"):
        score_rows(*joined(golden / WITH_INFINITE_SCORES))


def test_by_hand():
    # ranked: + | (- +) | -   worst order + - + -, best + + - -
    result = score_rows([1, 0, 1, 0], [2.0, 1.0, 1.0, 0.0])
    assert result == ApResult(
        ap=pytest.approx(5 / 6), ap_tie_safe=pytest.approx(5 / 6), ap_best=1.0, tied_share=0.5, rows=4, positives=2
    )
    assert all(type(value) in (float, int) for value in dataclasses.asdict(result).values())


@pytest.mark.parametrize(
    ("labels", "scores", "error", "message"),
    [
        ([1, 0], [np.nan, 0.0], DataError, "1 NaN"),
        ([1, 0], [np.inf, 0.0], DataError, "1 infinite"),
        ([1, 0], [0.0], DataError, "2 labels but 1 scores"),
        ([1, 2], [0.0, 1.0], DataError, "labels must be 0 or 1"),
        ([], [], UndefinedMetricError, "no rows remain"),
        ([0], [0.0], UndefinedMetricError, "no positive rows remain"),
    ],
)
def test_input_without_a_value_raises(labels, scores, error, message):
    with pytest.raises(error, match=message):
        score_rows(labels, scores)


def test_the_result_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        score_rows([1], [0.0]).ap = 1.0


def test_registry():
    assert PROTOCOLS.names() == ["ava"]
    assert PROTOCOLS.load("ava") is score_rows
    with pytest.raises(UnknownNameError, match="no protocol 'avaa'; did you mean ava"):
        PROTOCOLS.load("avaa")


def test_example():
    results = doctest.testmod(ava)
    assert results.attempted
    assert not results.failed
