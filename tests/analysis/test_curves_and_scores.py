"""The sections of curves and distributions: which conditions, which rows, how much of ``metrics.json``."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from asdbench.analysis.pr_curves import MOST_POINTS, defined_curves
from asdbench.analysis.run import run_metrics
from asdbench.analysis.score_histograms import BINS
from asdbench.types import IGNORE, Condition
from tests.analysis.test_intervals import DUBBED, MISMATCH, SILENCE, example, run_of, under

WHOLE = Condition("mismatch@1.00", "mismatch", 1.0, "negative")
CONTROL = Condition("resplice@1.00", "resplice", 1.0, "keep", "control")


@pytest.fixture(scope="module")
def parts() -> tuple[Any, dict[str, Any]]:
    clean = example(sources=6, dubs=20)
    whole = replace(under(clean, MISMATCH), label_after=np.where(clean.label == 1, 0, clean.label_after))
    rows = run_of(
        clean,
        (MISMATCH, under(clean, MISMATCH)),
        (WHOLE, replace(whole, changed=clean.label == 1)),
        (CONTROL, under(clean, SILENCE)),
        (SILENCE, under(clean, SILENCE)),
        (DUBBED, under(clean, DUBBED)),
        resamples=0,
    )
    return rows, run_metrics(rows)


def test_curves_are_of_clean_tests_and_controls_that_have_ap(parts: tuple[Any, dict[str, Any]]):
    names = [curve["condition"] for curve in parts[1]["pr_curves"]["curves"]]
    assert names == ["clean", "mismatch@0.50", "resplice@1.00", "dubbed"]


def test_the_area_of_a_kept_curve_is_the_ap_of_its_condition(parts: tuple[Any, dict[str, Any]]):
    ap = {each["name"]: each["metrics"]["ava"] for each in parts[1]["conditions"]}
    for curve in parts[1]["pr_curves"]["curves"]:
        x, y = np.array(curve["recall"]), np.array(curve["precision"])
        assert len(x) == len(y) <= MOST_POINTS
        area = float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))
        assert area == pytest.approx(ap[curve["condition"]], abs=curve["error"] + 1e-5)


def test_every_point_of_every_condition_is_there_on_demand(parts: tuple[Any, dict[str, Any]]):
    rows, metrics = parts
    curves = dict(defined_curves(rows, metrics["conditions"]))
    assert list(curves) == ["clean", "mismatch@0.50", "resplice@1.00", "silence", "dubbed"]
    counted = rows.clean.label_after != IGNORE
    assert curves["clean"].score.tolist() == sorted(set(rows.clean.score[counted].tolist()), reverse=True)


def test_distributions_count_each_changed_row_once_before_and_after(parts: tuple[Any, dict[str, Any]]):
    _, metrics = parts
    found = metrics["score_histograms"]
    by_name = {each["name"]: each["rows"] for each in metrics["conditions"]}
    assert [each["condition"] for each in found["changed"]] == ["mismatch@1.00", "resplice@1.00", "dubbed"]
    for each in found["changed"]:
        assert len(each["after"]) == BINS
        if each["condition"] == "dubbed":
            assert "before" not in each
            assert sum(each["after"]) == by_name["dubbed"]["changed"]
        else:
            assert sum(each["before"]) == sum(each["after"]) == by_name[each["condition"]]["paired"]
    clean = {name: sum(counts) for name, counts in found["clean"].items()}
    assert clean == {name: by_name["clean"][name] for name in ("negative", "positive")}


def test_counts_are_those_of_the_scores(parts: tuple[Any, dict[str, Any]]):
    rows, metrics = parts
    found = metrics["score_histograms"]
    edges = np.linspace(found["from"], found["to"], BINS + 1)
    scores = rows.clean.score[rows.clean.label_after == 1]
    inside = (scores > edges[1]) & (scores < edges[-2])
    expected = np.histogram(scores[inside], bins=edges)[0]
    assert found["clean"]["positive"][1:-1] == expected[1:-1].tolist()
    assert sum(found["clean"]["positive"]) == len(scores)  # the outermost bins hold the others


def test_a_clean_run_has_a_curve_and_distributions_of_its_own():
    metrics = run_metrics(run_of(example(), resamples=0))
    assert [curve["condition"] for curve in metrics["pr_curves"]["curves"]] == ["clean"]
    assert metrics["score_histograms"]["changed"] == []


def test_a_long_suite_stays_small():
    clean = example(sources=4, ties=6)
    tests = [Condition(f"p{n}@{s}", f"p{n}", s, "negative") for n in range(12) for s in (0.25, 0.5, 0.75)]
    metrics = run_metrics(run_of(clean, *((each, under(clean, each)) for each in tests), resamples=0))
    assert len(metrics["pr_curves"]["curves"]) == 1 + 6 * 3
    size = len(json.dumps(metrics["pr_curves"])) + len(json.dumps(metrics["score_histograms"]))
    assert size < 80_000
