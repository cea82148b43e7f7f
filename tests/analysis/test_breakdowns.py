from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.analysis.breakdowns import category_masks, run_lengths_ms, section
from asdbench.analysis.intervals import condition_intervals
from asdbench.analysis.rows import RunRows
from asdbench.metrics import auroc, average_precision_step, average_precision_tie_safe
from asdbench.metrics.measured import is_number
from asdbench.types import IGNORE
from tests.analysis.rows import CLEAN, clean_rows, facts_of, run_rows

ROWS = clean_rows()


def found(rows: RunRows) -> dict[str, Any]:
    result = section(rows, [])
    assert result is not None
    json.dumps(result, allow_nan=False)
    return result


def factor(result: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    [one] = [each for each in result["factors"] if each["name"] == name]
    return {part["name"]: part for part in one["cells"]}


def test_each_part_has_the_figures_of_its_rows_at_the_threshold_of_all_rows():
    widths = np.where(np.arange(len(ROWS)) % 3 == 0, 63.0, 128.0).astype(np.float32)
    widths[:7] = np.nan
    rows = run_rows(ROWS, facts_of(ROWS, face_width_px=widths))
    result = found(rows)
    parts = factor(result, "face width")
    assert list(parts) == ["< 64 px", "64-128 px", "> 128 px"]
    small, threshold = widths == 63, rows.thresholds["tpr:0.9"]
    labels, scores = ROWS.label[small], ROWS.score[small]
    part = parts["< 64 px"]
    assert part["rows"] == {"total": len(labels), "positive": labels.sum(), "negative": (labels == 0).sum()}
    assert part["metrics"] == {
        "ava": pytest.approx(average_precision_tie_safe(labels, scores), abs=1e-12),
        "ap": pytest.approx(average_precision_step(labels, scores), abs=1e-12),
        "auroc": pytest.approx(auroc(labels, scores), abs=1e-12),
        "tpr": pytest.approx(float(np.mean(scores[labels == 1] >= threshold))),
        "fpr": pytest.approx(float(np.mean(scores[labels == 0] >= threshold))),
    }
    for name, ends in part["intervals"].items():
        assert ends["low"] <= part["metrics"][name] <= ends["high"]
    assert parts["> 128 px"]["metrics"]["ava"] == {"undefined": "no rows remain."}
    assert parts["> 128 px"]["intervals"] == {}
    assert [each["left_out"] for each in result["factors"] if each["name"] == "face width"] == [7]


def test_what_is_not_known_is_absent_with_a_reason():
    old = found(run_rows(ROWS))
    assert [each["name"] for each in old["factors"]] == ["run length"]
    assert set(old["unknown"]) == {
        "face width",
        "faces at the moment",
        "off-screen speech",
        "blur",
        "overlap",
        "category",
    }
    assert all("earlier release" in reason for reason in old["unknown"].values())
    new = found(run_rows(ROWS, facts_of(ROWS)))
    assert new["unknown"] == {
        "face width": "the data set does not say how wide its pictures or its faces are",
        "off-screen speech": "voice activity was not looked for",
        "blur": "the sharpness of the faces was not measured",
        "category": "the data set has no categories",
    }


def test_offscreen_speech_by_hand():
    voiced = np.ones(len(ROWS), dtype=np.int8)
    voiced[:60] = 0
    voiced[60:65] = -1  # silent rows of which nobody knows
    speakers = ROWS.label.astype(np.int16)
    speakers[-15:] = 1  # somebody else speaks while these rows are silent
    clean = replace(ROWS, voiced=voiced)
    rows = run_rows(clean, facts_of(ROWS, speakers=speakers))
    parts = factor(found(rows), "off-screen speech")
    silent = ROWS.label == 0
    expected = {
        "voice of nobody visible": silent & (voiced == 1) & (speakers == 0),
        "voice of another visible face": silent & (voiced == 1) & (speakers == 1),
        "no voice": silent & (voiced == 0),
    }
    for name, mask in expected.items():
        assert parts[name]["rows"]["total"] == mask.sum() > 0
        share = float(np.mean(ROWS.score[mask] >= rows.thresholds["tpr:0.9"]))
        assert parts[name]["metrics"] == {"fpr": pytest.approx(share)}
    flags = {annotated: found(replace(rows, voice_annotated=annotated))["factors"] for annotated in (True, False)}
    assert [[each["estimated"] for each in factors].count(True) for factors in flags.values()] == [0, 1]
    assert [each["left_out"] for each in flags[True] if each["name"] == "off-screen speech"] == [5]


def test_blur_has_thirds_of_the_rows_that_count():
    sharpness = np.arange(len(ROWS), dtype=np.float32)
    ignored = replace(ROWS, label_after=np.where(np.arange(len(ROWS)) < 60, IGNORE, ROWS.label).astype(np.int8))
    parts = factor(found(run_rows(ignored, facts_of(ROWS, sharpness=sharpness))), "blur")
    assert {name: part["rows"]["total"] for name, part in parts.items()} == {
        "most blurred third": 100, "middle third": 100, "sharpest third": 100
    }  # fmt: skip


def test_overlap_and_run_length_count_speaking_rows_only():
    speakers = ROWS.label.astype(np.int16)
    speakers[:60] += 1
    result = found(run_rows(ROWS, facts_of(ROWS, speakers=speakers)))
    overlap = factor(result, "overlap")
    assert {name: part["rows"]["total"] for name, part in overlap.items()} == {
        "speaks alone": 150,
        "another visible face speaks too": 30,
    }
    assert list(overlap["speaks alone"]["metrics"]) == ["tpr"]
    lengths = factor(result, "run length")
    assert lengths["1-3 s"]["rows"] == {"total": 180, "positive": 180, "negative": 0}  # runs of 30 frames: 1.2 s


def test_lengths_of_runs_hold_the_period_of_the_last_frame():
    lengths = run_lengths_ms(clean_rows(2, 30, (5, 30)))
    assert np.array_equal(lengths, np.tile([0.0] * 5 + [1000.0] * 25, 2))


def test_a_part_of_few_recordings_has_no_interval_although_the_run_has():
    categories = np.where(np.arange(len(ROWS)) < 4 * 60, "rare|all", "all").astype(object)
    result = found(run_rows(ROWS, facts_of(ROWS, categories=categories)))
    parts = factor(result, "category")
    assert {name: part["units"] for name, part in parts.items()} == {"all": 6, "rare": 4}
    assert parts["all"]["metrics"] == result["all"]["metrics"]
    assert parts["all"]["intervals"] == result["all"]["intervals"]
    assert {ends["low"] for ends in parts["rare"]["intervals"].values()} == {None}
    assert "at least 5 units, and there are 4" in parts["rare"]["intervals"]["ava"]["reason"]
    assert category_masks(facts_of(ROWS, categories=categories))["rare"].sum() == 240


def test_all_rows_have_the_intervals_of_the_clean_condition():
    rows = run_rows(ROWS)
    whole, clean = found(rows)["all"], condition_intervals(rows, CLEAN, ROWS)
    rates = clean["at"]["tpr:0.9"]
    assert whole["intervals"]["ava"] == clean["ava"]
    assert whole["intervals"]["ap"] == clean["ap"]
    assert [whole["intervals"][rate] for rate in ("tpr", "fpr")] == [rates["tpr"], rates["fpr"]]


def test_resamples_without_negatives_have_no_ap():
    """All negatives of a part are in one of six recordings, which a third of the resamples do not draw."""
    part = (ROWS.label == 1) | (ROWS.video_id == "v00")
    categories = np.where(part, "a", "").astype(object)
    [cell] = factor(found(run_rows(ROWS, facts_of(ROWS, categories=categories))), "category").values()
    assert is_number(cell["metrics"]["ava"])
    for figure in ("ava", "ap", "auroc"):
        assert cell["intervals"][figure]["low"] is None
        assert "has no value in" in cell["intervals"][figure]["reason"]
    assert cell["intervals"]["tpr"]["low"] is not None


def test_without_resamples_there_are_figures_and_no_intervals():
    result = found(run_rows(ROWS, facts_of(ROWS), resamples=0))
    assert is_number(result["all"]["metrics"]["ava"])
    assert result["all"]["intervals"] == {}


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["a", "b", "a|b", ""]), min_size=6, max_size=6), st.integers(0, 5))
def test_no_part_of_any_shape_breaks(names: list[str], seed: int):
    clean = clean_rows(6, 12, (0, 6 if seed else 12), seed)
    if not seed:  # one video of silence, so that there are both classes, in different parts
        label = np.where(clean.video_id == "v00", 0, 1).astype(np.int8)
        clean = replace(clean, label=label, label_after=label)
    categories = np.repeat(np.array(names, dtype=object), 12)
    result = found(run_rows(clean, facts_of(clean, categories=categories), resamples=20))
    if any(names):
        for name, part in factor(result, "category").items():
            mask = category_masks(facts_of(clean, categories=categories))[name]
            assert part["rows"]["total"] == mask.sum()
            one_class = len(set(clean.label[mask])) == 1
            assert is_number(part["metrics"]["auroc"]) != one_class
            assert is_number(part["metrics"]["ava"]) != one_class
