"""Cells with intervals: what people and what machines are shown."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.report.table import Column, Estimate, Table, estimate, format_value
from asdbench.report.writers import to_csv, to_latex, to_markdown
from tests.report.crafted import MISSING


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (Estimate(0.98754, 0.97931, 0.99349), "percent", "98.75 [97.9, 99.4]"),
        (Estimate(0.9, 0.881, 0.9), "share", "90.0 [88.1, 90.0]"),
        (Estimate(0.5, 0.29, 0.571), "ratio", "0.500 [0.29, 0.58]"),
        (Estimate(0.0, -0.0, 0.0), "ratio", "0.000 [0.00, 0.00]"),
        (Estimate(-0.5, -0.671, -0.001), "log-odds", "-0.500 [-0.68, 0.00]"),
        (Estimate(1.0), "percent", "100.00"),
    ],
)
def test_a_number_is_followed_by_its_interval(value: Any, kind: Any, text: str) -> None:
    assert format_value(value, kind) == text
    assert format_value(value, kind, intervals=False) == text.partition(" ")[0]


@given(st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 0.5), st.sampled_from(["percent", "share", "ratio"]))
def test_rounding_never_leaves_a_number_outside_its_interval(value: float, less: float, more: float, kind: Any) -> None:
    shown, _, ends = format_value(Estimate(value, value - less, value + more), kind).partition(" ")
    low, high = (float(end) for end in ends.strip("[]").split(","))
    half_digit = {"percent": 0.005, "share": 0.05, "ratio": 0.0005}[kind]
    assert low - half_digit <= float(shown) <= high + half_digit


def test_a_cell_is_what_the_condition_says() -> None:
    ends = {"low": 0.4, "high": 0.6, "bca_low": None, "bca_high": None, "reason": "no BCa interval."}
    assert estimate({"ava": 0.5}, {"ava": ends}, "ava") == Estimate(0.5, 0.4, 0.6, "no BCa interval.")
    assert estimate({"ava": 0.5}, {}, "ava") == 0.5
    assert estimate({"ava": MISSING}, {"ava": ends}, "ava") == MISSING
    assert estimate({}, {"ava": ends}, "ava") is None


def crafted(*rows: Any) -> Table:
    columns = Column("name", "Name"), Column("x", "X %", "percent"), Column("y", "Y", "ratio")
    return Table("t", "Caption.", columns, tuple({"name": name, "x": x, "y": y} for name, x, y in rows))


ROWS = ("a", Estimate(0.5, 0.25, 0.75), 0.125), ("b", MISSING, None), ("c", Estimate(0.1, reason="too rare."), 1.0)


def test_machines_get_three_columns() -> None:
    rows = list(csv.reader(io.StringIO(to_csv(crafted(*ROWS)))))
    assert rows == [
        ["name", "x", "x_low", "x_high", "y", "undefined"],
        ["a", "0.5", "0.25", "0.75", "0.125", ""],
        ["b", "", "", "", "", MISSING["undefined"]],
        ["c", "0.1", "", "", "1.0", ""],
    ]
    frame = crafted(*ROWS).to_frame()
    assert list(frame.columns) == ["name", "x", "x_low", "x_high", "y"]
    assert frame["x_high"][0] == 0.75
    assert frame["x_low"].isna().tolist() == [False, True, True]


def test_people_get_one_column() -> None:
    assert "| a | 50.00 \\[25.0, 75.0\\] | 0.125 |" in to_markdown(crafted(*ROWS))
    assert r"a & 50.00 [25.0, 75.0] & 0.125 \\" in to_latex(crafted(*ROWS))
    assert next(iter(crafted(*ROWS).cells(intervals=False))) == ["a", "50.00", "0.125"]


def test_a_missing_interval_among_others_is_explained() -> None:
    assert "c: no interval of X %, since too rare" in crafted(*ROWS).reasons()
    assert not crafted(("c", Estimate(0.1, reason="an interval needs at least 5 units."), 1.0)).reasons()
