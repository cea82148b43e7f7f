"""What a data set's own protocol adds to the numbers of a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asdbench.analysis.named import section
from asdbench.analysis.run import run_metrics
from asdbench.protocols.asw import score_asw
from asdbench.protocols.frame_ap import frame_ap
from asdbench.report.named import tables
from asdbench.types import Condition
from tests.analysis.rows import CLEAN, clean_rows, facts_of, run_rows


def categories(rows, names):
    """Facts of rows whose videos belong to categories, one text per video."""
    return facts_of(rows, categories=np.repeat(np.array(names, dtype=object), len(rows) // len(names)))


def line_of(found, part):
    return next(line for line in found["lines"] if line["part"] == part)


def test_wasd_gives_each_category_and_the_pooled_rows():
    clean = clean_rows(videos=6)
    facts = categories(clean, ["OC|easy", "OC|easy", "SI|easy", "FO|hard", "HVN|OC|easy|hard", ""])
    (found,) = section(run_rows(clean, facts, protocol="wasd"), [])
    assert [line["part"] for line in found["lines"]] == ["OC", "SI", "FO", "HVN", "SS", "all rows"]
    of_oc = np.isin(clean.video_id, ["v00", "v01", "v04"])
    wanted = frame_ap(clean.label[of_oc], clean.score[of_oc])
    assert line_of(found, "OC")["metrics"]["ava"] == wanted.ava
    assert line_of(found, "OC")["rows"] == 180
    assert line_of(found, "SS")["metrics"]["ava"] == {"undefined": "no rows remain."}
    everything = line_of(found, "all rows")
    assert everything["metrics"]["ava"] == frame_ap(clean.label, clean.score).ava  # pooled, not the mean
    interval = everything["intervals"]["ava"]
    assert interval["low"] <= everything["metrics"]["ava"] <= interval["high"]
    assert line_of(found, "OC")["intervals"]["ava"]["low"] is None  # three recordings are no sample
    assert found["notes"] == ["60 rows are in none of the categories; they count in the whole alone."]


def test_unitalk_gives_its_lists():
    clean = clean_rows(videos=4)
    facts = categories(clean, ["language", "mixed", "noise", "visual"])
    (found,) = section(run_rows(clean, facts, protocol="unitalk"), [])
    assert [line["rows"] for line in found["lines"]] == [60, 60, 60, 60, 240]
    assert section(run_rows(clean, facts_of(clean), protocol="unitalk"), []) is None  # no lists, no numbers
    assert section(run_rows(clean, None, protocol="unitalk"), []) is None


def test_asw_counts_the_samples_that_are_scored():
    clean = clean_rows(videos=6)
    after = clean.label.copy()
    after[::3] = -1
    rows = replace(clean, label_after=after)
    (found,) = section(run_rows(rows, protocol="asw"), [])
    kept = after >= 0
    want = score_asw(clean.label[kept], clean.score[kept], np.ones(kept.sum()))
    line = found["lines"][0]
    assert (line["metrics"]["ap"], line["metrics"]["auroc"]) == (want.ap, want.auroc)
    assert line["metrics"]["eer"] == want.eer["root"]
    for figure in ("ap", "auroc", "eer"):
        assert line["intervals"][figure]["low"] < line["metrics"][figure] < line["intervals"][figure]["high"]


def test_ap_goes_by_its_own_rule_where_the_protocol_is_another():
    clean = clean_rows(videos=6)
    assert run_metrics(run_rows(clean, protocol="asw"))["protocol"] == "ava"
    assert run_metrics(run_rows(clean, protocol="ego4d-ava"))["protocol"] == "ego4d-ava"
    (table,) = tables(run_metrics(run_rows(clean, protocol="asw")))
    assert table.name == "asw"
    assert "AP (asw)" in [column.header for column in table.columns]


def test_columbia_gives_f1_per_person():
    clean = clean_rows(videos=6)
    names = ("bell", "boll", "lieb", "long", "sick", "abbas")
    entity = np.repeat([f"{name}:000000" for name in names], 60).astype(object)
    film = np.full(len(clean), "film", dtype=object)
    sure = np.where(clean.label == 1, 3.0, -3.0).astype(np.float32)
    rows = replace(clean, video_id=film, entity_id=entity, source_id=film, score=sure)
    (found,) = section(run_rows(rows, protocol="columbia-f1"), [])
    assert [line["part"] for line in found["lines"]] == [*sorted(names), "mean of five"]
    # the mean over two frames on each side moves no border of a run
    assert line_of(found, "bell")["metrics"]["f1"] == 1.0
    assert line_of(found, "mean of five")["metrics"]["f1"] == 1.0
    silent = replace(rows, score=np.where(entity == "bell:000000", np.float32(-3), sure))
    (found,) = section(run_rows(silent, protocol="columbia-f1"), [])
    assert line_of(found, "bell")["metrics"]["f1"] == 0.0
    assert line_of(found, "mean of five")["metrics"]["f1"] == pytest.approx(4 / 5)
    few = replace(rows, entity_id=np.where(entity == "sick:000000", "abbas:000100", entity))
    (found,) = section(run_rows(few, protocol="columbia-f1"), [])
    assert "mean of five" not in [line["part"] for line in found["lines"]]


def test_a_laser_shift_is_shown_beside_the_clean_recall():
    clean = clean_rows(videos=6)
    shift = Condition("laser_shift@0.2", "laser_shift@1", labels="negative")
    speaking = clean.label == 1
    shifted = replace(
        clean,
        label_after=np.zeros_like(clean.label),
        changed=speaking,
        score=np.where(speaking, 1.0, -1.0).astype(np.float32),
    )
    read = {CLEAN.name: clean, shift.name: shifted}
    rows = replace(run_rows(clean), conditions={CLEAN.name: CLEAN, shift.name: shift}, read=read.__getitem__)
    (found,) = section(rows, [])
    assert found["protocol"] == "tnr"
    everything, spoken = found["lines"]
    assert everything["metrics"]["tnr"] == pytest.approx(1 - speaking.mean())
    assert spoken["metrics"]["tnr"] == 0.0  # no speaking row was called silent
    assert everything["metrics"]["clean_recall"] == np.mean(clean.score[speaking] >= 0)
    assert section(run_rows(clean), []) is None
