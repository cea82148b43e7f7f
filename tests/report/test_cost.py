"""What a run cost, as it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asdbench.report import cost
from asdbench.report.drawing import write_plot

RECORD: dict[str, Any] = {
    "model": {"parameters": 1_021_636},
    "device": {"kind": "cpu", "name": "cpu", "threads": 2},
    "engine": {"kind": "local"},
    "memory": {"peak_rss_bytes": 512 * 2**20},
    "counts": {"frames": 1_500},
    "suite": {"conditions": [{}, {}, {}]},
    "timings": {
        "wall_seconds": 20.0,
        "tracks_from_earlier_starts": 3,
        "frames_from_earlier_starts": 500,
        "audit_seconds": 0.0,
        "decode_seconds": 0.25,
        "clean_inference_seconds": 4.0,
        "perturbed_inference_seconds": 1.0,
    },
}


def told(record: dict[str, Any]) -> dict[str, tuple[str, str]]:
    (table,) = cost.tables(record)
    return {row["what"]: (row["value"], row["unit"]) for row in table.rows}


def test_rates_are_of_the_frames_that_this_start_scored() -> None:
    found = told(RECORD)
    assert found["frames"] == ("1,000", "")
    assert found["clean inference"] == ("250.0", "frames / s")
    assert found["inference of all 3 conditions"] == ("200.0", "frames / s")
    assert found["whole run"] == ("50.0", "frames / s")


def test_memory_parameters_and_stages_are_told() -> None:
    found = told(RECORD)
    assert found["peak memory"] == ("512", "MiB")
    assert found["parameters"] == ("1.02", "million")
    assert found["read media"] == ("0.250", "s")
    assert "audit" not in found, "nothing was spent on it"
    (table,) = cost.tables(RECORD)
    assert "3 tracks had been scored before" in table.caption


def test_what_is_not_known_is_not_told() -> None:
    bare = {**RECORD, "model": {"parameters": None}, "memory": {}, "device": {}, "engine": None}
    assert {"peak memory", "parameters"} & set(told(bare)) == set()
    assert list(cost.tables({})) == list(cost.figures("m", {})) == []


def test_workers_are_summed_in_time_and_not_in_memory() -> None:
    (table,) = cost.tables(RECORD | {"engine": {"kind": "ray", "workers": 4}})
    assert "sums over 4 workers; memory: of the one that took most" in table.caption


@pytest.mark.parametrize("name", ["m", "<b>$x_1$ & a very long name that nobody would ever give to any model"])
def test_time_by_stage_is_drawn(tmp_path: Path, name: str) -> None:
    (plot,) = cost.figures(name, RECORD)
    write_plot(tmp_path, plot)
    text = (tmp_path / "cost.svg").read_text(encoding="utf-8")
    assert "inference, perturbed" in text
    assert "n = 1,000 frames, 3 conditions" in text
