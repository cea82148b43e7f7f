"""The synchrony curve: tables, figure, words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asdbench.report import synchrony
from asdbench.report.figures import write_figure
from tests.report.crafted import MISSING, diagnostic, ends, metrics, units

OFFSETS = [-400.0, 0.0, 400.0]


def one(
    of: str, on: str, place: float = 60.0, peak: bool | None = True, reach: float = 20.0, spread: float = 4.0
) -> dict[str, Any]:
    """A curve that peaks, or does not, ``reach`` ms around a place."""
    found = {
        "of": of,
        "on": on,
        "spread": spread,
        "rows": [800, 900, 850],
        "mean": [1.0, 3.0, 1.0],
        "above": [0.0, 2.0, 0.0],
        "mean_intervals": [ends(value - 0.5, value + 0.5) for value in (1.0, 3.0, 1.0)],
        "above_intervals": [ends(value - 0.5, value + 0.5) for value in (0.0, 2.0, 0.0)],
        "peak": {
            "offset_ms": place,
            "value": 3.0,
            "floor": 1.0,
            "half_width_early_ms": 200.0,
            "half_width_late_ms": MISSING,
            "grid_offset_ms": 0.0,
            "height": 2.0,
        },
        "peak_interval": {"height": 2.0, "low": 1.0 if peak else -1.0, "high": 3.0, "is_peak": peak},
    }
    return found | ({"offset_interval": ends(place - reach, place + reach)} if peak else {})


def section(*curves: dict[str, Any], **more: Any) -> dict[str, Any]:
    found = {
        "reach_ms": 400,
        "cut": None,
        "rows": 900,
        "speaking": 1000,
        "sound_known": True,
        "offsets_ms": OFFSETS,
        "marks": {"late_ms": 125, "early_ms": -45, "source": "ITU-R BT.1359-1, thresholds of detectability"},
        "missing": {},
        "curves": list(curves),
    }
    points = [diagnostic(f"shift@{offset:+g}", offset_ms=offset) for offset in OFFSETS if offset]
    for point in points:
        point["perturbation"] = "shift"
    return metrics(*points) | {"units": units(), "curve": found | more}


_HIGH = "2.00 log-odds above their floor"
FOUR = [(of, on) for on in ("all rows", "voiced rows") for of in ("model", "activity floor")]


@pytest.mark.parametrize(
    ("place", "peak", "reach", "spread", "words"),
    [
        (60.0, True, 20.0, 4.0, "peak with the sound 60 ms late, 2.00 log-odds above their floor."),
        (-60.0, True, 20.0, 4.0, "peak with the sound 60 ms early, 2.00 log-odds above their floor."),
        (0.2, True, 20.0, 4.0, "peak at 0, 2.00 log-odds above their floor."),
        (60.0, False, 0.0, 40.0, "have no peak near 0: it does not notice when sound and lips are apart."),
        (60.0, False, 0.0, 4.0, "have no peak near 0, but too few rows to tell whether it notices"),
        (
            340.0,
            True,
            20.0,
            40.0,
            f"have no peak near 0 (they are highest with the sound 340 ms late, {_HIGH}): it does",
        ),
        (340.0, True, 20.0, 4.0, f"have no peak near 0 (they are highest with the sound 340 ms late, {_HIGH})."),
        (200.0, True, 500.0, 4.0, "have no peak near 0 (they are highest with the sound 200 ms late"),  # or anywhere
    ],
)
def test_the_sentence_names_the_peak_or_says_that_there_is_none(
    place: float, peak: bool, reach: float, spread: float, words: str
) -> None:
    said = synchrony.sentence(section(one("model", "all rows", place, peak, reach, spread)))
    assert said.startswith(f"With all sound shifted its scores {words}")


@pytest.mark.parametrize(
    ("model", "floor", "words"),
    [
        (True, False, "where voice activity times lip motion has none near 0."),
        (True, True, "and so do those of voice activity times lip motion"),
        (False, False, "the pauses make the peak."),
        (None, None, "above their floor."),
    ],
)
def test_the_sentence_sets_a_peak_against_the_activity_floor(model: Any, floor: Any, words: str) -> None:
    voiced = one("model", "voiced rows", peak=model), one("activity floor", "voiced rows", peak=floor)
    assert words in synchrony.sentence(section(one("model", "all rows"), *voiced))


def test_no_sentence_without_an_interval() -> None:
    assert synchrony.sentence(section(one("model", "all rows", peak=None))) == ""
    assert synchrony.sentence(metrics()) == ""
    undefined = {"of": "model", "on": "all rows", "spread": 1.0, "undefined": "no rows remain."}
    assert synchrony.sentence(section(undefined)) == ""


def test_the_table_has_every_offset_and_the_own_time() -> None:
    points, peaks = synchrony.tables(section(*(one(*which) for which in FOUR)))
    assert [row["offset"] for row in points.rows] == ["-400", "0", "+400"]
    assert [row["model"].value for row in points.rows] == [1.0, 3.0, 1.0]
    assert [row["voiced"] for row in points.rows] == [800, 900, 850]
    assert "n = 900 of 1,000" in points.caption
    assert len(peaks.rows) == 4
    assert peaks.rows[0]["offset_ms"].low == 40.0


def test_a_cut_grid_and_what_is_missing_are_said() -> None:
    cut = {"from_ms": 1000, "rows": 321}
    found = section(one("model", "all rows"), cut=cut, missing={"activity floor": "no silero"})
    points, peaks = synchrony.tables(found)
    assert "cut to ±400 ms, since only 321 rows have real sound up to ±1,000 ms" in points.caption
    assert "Absent: activity floor, for no silero." in peaks.caption


def test_where_there_is_no_peak_it_has_no_place() -> None:
    _, peaks = synchrony.tables(section(one("model", "all rows", peak=False)))
    assert peaks.rows[0]["verdict"] == "no peak"
    assert peaks.reasons() == ["model, all rows: without a peak there is neither a place nor a width"]


def test_offsets_of_runs_without_the_section_are_still_listed() -> None:
    found = section()
    del found["curve"]
    (points,) = synchrony.tables(found)
    assert [row["offset"] for row in points.rows] == ["-400", "+400"]
    assert [row["retention"] for row in points.rows] == [0.5556, 0.5556]
    assert list(synchrony.figures("m", found)) == []


@pytest.mark.parametrize("peak", [True, False, None])
@pytest.mark.parametrize("which", [FOUR[:1], FOUR])
def test_the_figure_is_drawn_with_and_without_a_floor(tmp_path: Path, peak: Any, which: Any) -> None:
    (plot,) = synchrony.figures("m<b>", section(*(one(*each, peak=peak) for each in which)))
    write_figure(tmp_path / plot.name, plot.draw, size=plot.size)
    drawn = (tmp_path / "curve.svg").read_text(encoding="utf-8")
    assert ("activity floor" in drawn) == (len(which) == 4)
    assert ("+60 ms" in drawn) == bool(peak)
    assert "n = 800" in drawn
