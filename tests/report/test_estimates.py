"""Cells with intervals: what people and what machines are shown."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from asdbench.report.table import Column, Estimate, Table, estimate, format_value
from asdbench.report.tables import build_tables
from asdbench.report.terminal import print_table
from asdbench.report.writers import to_csv, to_latex, to_markdown
from tests.report.crafted import MISSING, changed, ends, metrics, units, with_ends


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
    found = {"ava": ends(0.4, 0.6, "no BCa interval.")}
    assert estimate({"ava": 0.5}, found, "ava") == Estimate(0.5, 0.4, 0.6, "no BCa interval.")
    assert estimate({"ava": 0.5}, {}, "ava") == 0.5
    assert estimate({"ava": MISSING}, found, "ava") == MISSING
    assert estimate({}, found, "ava") is None


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


def measured(count: int = 33, **more: Any) -> dict[str, Table]:
    """The tables of a run in which AP and fa_changed have intervals, if there are enough sources."""
    one = changed("mismatch@1.00", fa_changed_voiced=0.5)
    at, pooled = {"fa_changed": ends(0.4, 0.6)}, {"ava": ends(0.97, 0.99)}
    one = with_ends(one, at, **pooled) if count >= 5 else one
    found = metrics(one) | {"units": units(count, **more)}
    return {table.name: table for table in build_tables(found, {})}


def test_the_tables_of_a_run_show_its_intervals() -> None:
    found = measured()
    robustness, thresholds, precision = (to_markdown(found[n]) for n in ("robustness", "thresholds", "precision"))
    assert r"98.75 \[97.0, 99.0\]" in robustness
    assert r"50.0 \[40.0, 60.0\]" in robustness
    assert thresholds.count(r"50.0 \[40.0, 60.0\]") == 3
    assert r"98.75 \[97.0, 99.0\]" in precision


def test_captions_say_what_the_brackets_are() -> None:
    note = "In brackets: 95 % intervals, 33 sources resampled 1,000 times."
    assert measured()["robustness"].legend.endswith(f" {note}")
    assert note in to_markdown(measured()["thresholds"])
    assert note in to_latex(measured()["thresholds"]).replace(r"\%", "%")
    uneven = measured(effective=21)["robustness"].legend
    assert "33 sources (of uneven length, as good as 21 equal ones) resampled" in uneven
    few = measured(7)["robustness"].legend
    assert few.endswith("7 sources resampled 1,000 times. Fewer than 20 of them: the intervals are indicative only.")
    blocks = measured(kind="block")["robustness"].legend
    assert "33 blocks of 60 s of a single source resampled" in blocks


def test_captions_say_why_there_is_no_interval() -> None:
    legend = measured(3)["robustness"].legend
    assert legend.endswith("No intervals: an interval needs at least 5 units, and there are 3.")
    assert "brackets" not in legend
    old = {table.name: table for table in build_tables(metrics(changed("mismatch@1.00")), {})}
    assert "nterval" not in old["robustness"].legend


@pytest.mark.parametrize(("width", "shown"), [(80, False), (130, True)])
def test_a_terminal_shows_intervals_where_they_fit(width: int, shown: bool) -> None:
    stream = io.StringIO()
    print_table(Console(file=stream, width=width, color_system=None), measured()["robustness"])
    text = " ".join(stream.getvalue().split())
    assert ("98.75 [97.0, 99.0]" in text) is shown
    assert ("In brackets: 95 % intervals" in text) is shown
    assert ("With intervals in report.md" in text) is not shown
    assert max(map(len, stream.getvalue().splitlines())) <= width
