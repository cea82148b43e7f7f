"""Models whose answer is known, through the whole pipeline: what they owe to sound and faces, and their curves."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import asdbench
from asdbench.testing import Oracle

SHIFTS = """
name = "shifts"
version = 1
seed = 1
summary = "A coarse synchrony curve."

[[condition]]
name = "clean"
role = "reference"

[[condition]]
name = "shift@{ms:+}"
perturbation = "shift"
role = "diagnostic"
each = { ms = [-1000, -600, -200, -80, -40, 40, 80, 200, 600, 1000] }
"""


@pytest.fixture(scope="module")
def coalitions(fixture_root: Path, tmp_path_factory: pytest.TempPathFactory):
    """What sound and faces contribute to a model on the fixture."""
    folder = tmp_path_factory.mktemp("runs")

    def of(model: str) -> tuple[dict[str, Any], str]:
        run = asdbench.run(model, "modality", fixture_root, out=folder / model, audit="off", progress=False)
        return run.metrics["reliance"], run.conclusion

    return of


def test_a_deaf_model_uses_no_sound(coalitions) -> None:
    found, _ = coalitions("deaf")
    for variant in ("replaced", "zeroed"):
        for figure in found[variant]["figures"].values():
            assert figure["values"]["phi_audio"] == figure["values"]["interaction"] == 0
            assert figure["values"]["phi_video"] == figure["values"]["total"] > 0.1
            assert figure["values"]["both"] == figure["values"]["video"]


def test_a_blind_model_uses_no_faces(coalitions) -> None:
    found, _ = coalitions("blind")
    for variant in ("replaced", "zeroed"):
        for figure in found[variant]["figures"].values():
            assert figure["values"]["phi_video"] == figure["values"]["interaction"] == 0
            assert figure["values"]["phi_audio"] == figure["values"]["total"] > 0.1


def test_a_constant_model_has_nothing_to_share(coalitions) -> None:
    found, conclusion = coalitions("constant")
    for variant in ("replaced", "zeroed"):
        for figure in found[variant]["figures"].values():
            assert figure["values"]["phi_audio"] == figure["values"]["phi_video"] == 0
            assert "undefined" in figure["values"]["share_audio"]
    assert "cannot be told" in conclusion


@pytest.mark.slow
def test_the_oracle_peaks_at_0_and_the_activity_floor_is_broad(tmp_path: Path) -> None:
    if find_spec("silero_vad") is None:
        pytest.skip("silero-vad is not installed: no activity floor")
    suite = tmp_path / "shifts.toml"
    suite.write_text(SHIFTS, encoding="utf-8")
    run = asdbench.run(Oracle(), suite, "demo-val", limit=16, out=tmp_path / "run", audit="off", progress=False)
    found = {(curve["of"], curve["on"]): curve for curve in run.metrics["curve"]["curves"]}
    for rows in ("all rows", "voiced rows"):
        oracle = found["model", rows]
        assert oracle["peak_interval"]["is_peak"]
        assert abs(oracle["peak"]["offset_ms"]) < 5
        assert 0 < oracle["peak"]["half_width_early_ms"] < 80  # two frames
        assert 0 < oracle["peak"]["half_width_late_ms"] < 80
        assert oracle["peak"]["height"] > 7  # from one end of its scores to the other
    floor = found["activity floor", "all rows"]["peak"]
    assert abs(floor["offset_ms"]) < 200
    assert min(floor["half_width_early_ms"], floor["half_width_late_ms"]) > 150
    assert "its scores peak at 0" in run.conclusion
