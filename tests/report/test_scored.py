"""Tables of protocols: each number under its protocol's name, what ties could do, flags."""

from __future__ import annotations

import numpy as np

from asdbench.analysis.scored import Sample, negative_line, precision_line, scored
from asdbench.metrics.units import Units
from asdbench.report.scored import scored_table
from asdbench.report.table import Estimate
from asdbench.report.writers import to_markdown

LABELS = np.tile([1, 0, 0, 1], 30)
UNIT = np.repeat(np.arange(6), 20).astype(np.int32)
SAMPLE = Sample(Units("source", tuple("abcdef"), UNIT), 100)


def table_of(scores, name="ava"):
    line = precision_line("all rows", LABELS, scores, UNIT, SAMPLE)
    return scored_table(scored(name, [line], ["a note with | in it."], SAMPLE))


def test_two_rules_are_never_in_one_column():
    table = table_of(LABELS + np.random.default_rng(1).normal(size=120), "wasd")
    headers = [column.header for column in table.shown]
    assert {"AP (wasd)", "AP (ap)"} <= set(headers)
    assert "constant score" not in headers
    assert "ties at best" not in headers
    (row,) = table.rows
    assert isinstance(row["ava"], Estimate)
    assert row["ava"].low < row["ava"].value < row["ava"].high
    assert row["base_rate"] == 0.5
    assert "6 sources" in table.legend
    assert "indicative" in table.legend


def test_ties_and_constant_scores_show():
    table = table_of(np.zeros(120))
    assert {"ties at best", "constant score", "rows in ties %"} <= {column.header for column in table.shown}
    assert table.rows[0]["constant"] == "yes"
    assert "between AP (ava) and the one under ties at best" in table.caption
    assert "a note with | in it." in to_markdown(table)


def test_a_share_of_silence_has_no_base_rate():
    scores = np.linspace(-1, 1, 120)
    line = negative_line("late", (scores, UNIT), (LABELS, scores, UNIT), 0.0, SAMPLE)
    table = scored_table(scored("tnr", [line], (), SAMPLE))
    assert [column.key for column in table.columns] == ["part", "rows", "positives", "tnr", "clean_recall"]
    assert table.rows[0]["positives"] == 60
