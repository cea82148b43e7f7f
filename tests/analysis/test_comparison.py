"""Two runs on the same rows: differences, intervals, verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asdbench.analysis.comparison import better_direction, compare_runs, find_figure
from asdbench.analysis.conditions import HEADLINE
from asdbench.analysis.rows import RunRows
from asdbench.errors import NotComparableError
from asdbench.records.predictions import Predictions
from asdbench.types import Condition

CLEAN = Condition("clean", role="reference")
MISMATCH = Condition("mismatch@1.00", "mismatch", 1.0, "negative")
SILENCE = Condition("silence", "silence", 1.0, "keep", "diagnostic")
NOISE = Condition("noise_3", "noise", 1.0, "keep")
CONDITIONS = {each.name: each for each in (CLEAN, MISMATCH, SILENCE, NOISE)}
RUN, SOURCES = 10, 25


def scored(fooled: float, quality: float = 2.0, sources: int = SOURCES, seed: int = 1, **more: Any) -> RunRows:
    """A model of a quality, with a share of changed frames that it still calls speaking; each source one run of 10."""
    random = np.random.default_rng(seed)
    count = sources * 2 * RUN
    videos = np.array([f"v{row // (2 * RUN):02d}" for row in range(count)], dtype=object)
    label = (np.arange(count) % (2 * RUN) < RUN).astype(np.int8)
    base = Predictions(
        video_id=videos,
        entity_id=videos,
        source_id=videos,
        timestamp_ms=(np.arange(count) % (2 * RUN) * 40).astype(np.int64),
        run=np.where(label == 1, 0, -1).astype(np.int32),
        label=label,
        label_after=label,
        changed=np.zeros(count, dtype=np.bool_),
        eligible=np.ones(count, dtype=np.bool_),
        shift_ms=np.full(count, np.nan, dtype=np.float32),
        score=(quality * (2 * label - 1) + random.normal(size=count)).astype(np.float32),
    )
    speaking = label == 1
    unmoved = random.random(count) < fooled
    fallen = np.where(speaking & ~unmoved, base.score - 2 * quality, base.score).astype(np.float32)
    noisy = (base.score + random.normal(size=count)).astype(np.float32)
    loaded = {
        "clean": base,
        "mismatch@1.00": replace(base, changed=speaking, label_after=np.zeros_like(label), score=fallen),
        "silence": replace(base, changed=np.ones_like(speaking), score=fallen),
        "noise_3": replace(base, changed=np.ones_like(speaking), score=noisy),
    }
    return RunRows(CONDITIONS, loaded.__getitem__, resamples=200, **more)


def figures(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All records of a condition."""
    for name, found in tree.items():
        if name == "at":
            for rates in found.values():
                yield from rates.values()
        else:
            yield found


def record(comparison: dict[str, Any], condition: str, figure: str) -> dict[str, Any]:
    found = find_figure(comparison, condition, figure)
    assert found is not None
    return found


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(0, 1), st.floats(0, 3), st.integers(1, 30), st.integers(0, 99))
def test_a_run_and_itself(fooled: float, quality: float, sources: int, seed: int) -> None:
    comparison = compare_runs(scored(fooled, quality, sources, seed), scored(fooled, quality, sources, seed))
    for condition in comparison["conditions"]:
        for found in figures(condition["figures"]):
            assert isinstance(found["difference"], dict) or found["difference"] == 0
            assert found["verdict"] in (None, "not separable")
            assert found["separable"] in (None, False)
            if found["interval"] is not None and found["interval"]["low"] is not None:
                ends = {found["interval"][end] for end in ("low", "high", "bca_low", "bca_high")}
                assert ends <= {0, None}
            if found["sources"] is not None:
                assert found["sources"]["wins"] == found["sources"]["losses"] == 0


def test_which_is_better_depends_on_the_condition() -> None:
    comparison = compare_runs(scored(0.9), scored(0.1))
    assert record(comparison, "mismatch@1.00", "retention")["verdict"] == "better"
    assert record(comparison, "mismatch@1.00", "retention")["better"] == "lower"
    assert record(comparison, "mismatch@1.00", "sync_auroc")["verdict"] == "better"
    # The same numbers: an answer to silence is neither good nor bad.
    silence = record(comparison, "silence", "retention")
    assert silence["difference"] == record(comparison, "mismatch@1.00", "retention")["difference"]
    assert silence["separable"] is True
    assert (silence["verdict"], silence["better"], silence["sources"]) == (None, None, None)
    back = compare_runs(scored(0.1), scored(0.9))
    assert record(back, "mismatch@1.00", "retention")["verdict"] == "worse"
    assert record(back, "mismatch@1.00", "sync_auroc")["verdict"] == "worse"


def test_a_comparison_is_its_own_mirror() -> None:
    there, back = compare_runs(scored(0.9), scored(0.4, 1.5)), compare_runs(scored(0.4, 1.5), scored(0.9))
    for figure in ("ava", "ap", "fpr"):
        one, other = record(there, "clean", figure), record(back, "clean", figure)
        assert one["difference"] == -other["difference"]
        # Whole numbers of resamples, so the ends swap up to rounding.
        assert one["interval"]["low"] == pytest.approx(-other["interval"]["high"], abs=1e-12)
        assert one["sources"] == {
            "wins": other["sources"]["losses"], "ties": other["sources"]["ties"], "losses": other["sources"]["wins"]
        }  # fmt: skip


def test_a_better_model_of_clean_data() -> None:
    comparison = compare_runs(scored(0.5, 0.7), scored(0.5, 2.5, seed=2))
    clean = record(comparison, "clean", "ava")
    assert clean["new"] - clean["old"] == clean["difference"] > 0
    assert clean["interval"]["low"] > 0
    assert clean["verdict"] == "better"
    assert clean["sources"]["wins"] > 20 > clean["sources"]["losses"]
    assert record(comparison, "noise_3", "ap_drop")["better"] == "lower"
    assert record(comparison, "clean", "fpr")["verdict"] == "better"


def test_sources_are_judged_at_the_threshold_of_the_whole_run() -> None:
    a, b = scored(0.5), scored(0.5, seed=2)
    found = record(compare_runs(a, b), "mismatch@1.00", "fa_changed")
    wins = losses = 0
    for video in np.unique(a.clean.video_id.astype(str)):
        rates = []
        for rows in (a, b):
            changed = rows.read("mismatch@1.00")
            mask = (changed.video_id == video) & changed.paired
            rates.append(float(np.mean(changed.score[mask] >= rows.thresholds[HEADLINE])))
        wins, losses = wins + (rates[1] < rates[0]), losses + (rates[1] > rates[0])
    assert (found["sources"]["wins"], found["sources"]["losses"]) == (wins, losses)


def test_few_sources_have_values_but_no_verdict() -> None:
    comparison = compare_runs(scored(0.9, sources=3), scored(0.1, sources=3))
    found = record(comparison, "mismatch@1.00", "fa_changed")
    assert found["difference"] < 0
    assert (found["interval"], found["separable"], found["verdict"]) == (None, None, None)
    assert found["sources"]["wins"] == 3
    assert comparison["units"]["status"] == "none"


def test_both_runs_draw_as_the_first_does() -> None:
    plain = compare_runs(scored(0.9), scored(0.1))
    assert compare_runs(scored(0.9), replace(scored(0.1), resamples=50, seed="other")) == plain


def test_undefined_figures_keep_their_reason() -> None:
    found = record(compare_runs(scored(0.9), scored(0.1)), "mismatch@1.00", "ava")
    assert found["difference"] == {"undefined": "no positive rows remain."}
    assert found["interval"] is None


@pytest.mark.parametrize("column", ["label", "timestamp_ms", "source_id", "changed", "label_after"])
def test_other_rows_are_refused(column: str) -> None:
    a, b = scored(0.5), scored(0.5)

    def read(name: str) -> Predictions:
        rows = b.read(name)
        values = getattr(rows, column).copy()
        values[-1] = "else" if column == "source_id" else (1 if column != "timestamp_ms" else 10**6)
        return replace(rows, **{column: values})

    with pytest.raises(NotComparableError, match=rf"differ in .* under 'clean' \(column {column}\)"):
        compare_runs(a, replace(b, read=read))


def test_other_numbers_of_rows_and_other_protocols_are_refused() -> None:
    with pytest.raises(NotComparableError, match="500 and 480 under 'clean'"):
        compare_runs(scored(0.5), scored(0.5, sources=24))
    with pytest.raises(NotComparableError, match="protocol"):
        compare_runs(scored(0.5), scored(0.5, protocol="wasd"))


def test_conditions_of_one_run_alone_are_named() -> None:
    a = scored(0.5)
    b = replace(a, conditions={name: each for name, each in CONDITIONS.items() if name != "silence"})
    comparison = compare_runs(a, b)
    assert comparison["left_out"] == ["silence"]
    assert [each["name"] for each in comparison["conditions"]] == ["clean", "mismatch@1.00", "noise_3"]
    assert find_figure(comparison, "silence", "ava") is None


@pytest.mark.parametrize(
    ("condition", "figure", "direction"),
    [
        (CLEAN, "ava", 1),
        (MISMATCH, "fpr", -1),
        (NOISE, "tpr_drop", -1),
        (NOISE, "retention", 0),
        (SILENCE, "ap", 0),
        (replace(NOISE, role="control"), "ap_drop", 0),
    ],
)
def test_directions(condition: Condition, figure: str, direction: int) -> None:
    assert better_direction(condition, figure) == direction
