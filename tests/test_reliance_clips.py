"""Official weights on real talking faces: what they owe to sound and faces, and whether they notice a shift."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import asdbench
from asdbench.report.run import Run

pytestmark = pytest.mark.slow

WEIGHTS = {"ava": "light-asd/pretrain_AVA_CVPR.model", "talkset": "light-asd/finetuning_TalkSet.model"}
SUITE = """
name = "reliance-and-curve"
version = 1
seed = 20261120
summary = "The suites modality and sync-curve in one run."
include = ["modality@1", "sync-curve@1"]

[[condition]]
name = "clean"
role = "reference"
"""


@pytest.fixture(scope="module", params=list(WEIGHTS))
def run(request: pytest.FixtureRequest, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Run]:
    """The name of the weights and their run; a quarter of an hour each."""
    folder = tmp_path_factory.mktemp("reliance")
    suite = folder / "suite.toml"
    suite.write_text(SUITE, encoding="utf-8")
    checkpoint, data = shared / "weights" / WEIGHTS[request.param], shared / "clips" / "ava_layout"
    return request.param, asdbench.run("auto", suite, data, checkpoint=checkpoint, out=folder / "run", device="cpu")


def curve(found: Run, of: str = "model", on: str = "all rows") -> dict[str, Any]:
    (each,) = (each for each in found.metrics["curve"]["curves"] if (each["of"], each["on"]) == (of, on))
    return each


def test_what_sound_and_faces_contribute(run: tuple[str, Run]) -> None:
    name, found = run
    figure = found.metrics["reliance"]["replaced"]["figures"]["ava_rescaled"]
    sound, faces = figure["values"]["phi_audio"], figure["values"]["phi_video"]
    assert figure["intervals"]["phi_audio"]["low"] <= sound <= figure["intervals"]["phi_audio"]["high"]
    if name == "ava":
        assert 0.60 <= faces <= 0.82
        assert 0.12 <= sound <= 0.34
        assert "uses both the sound and the faces" in found.conclusion
    else:
        assert abs(sound) < 0.12
        assert "does not use the sound" in found.conclusion


def test_where_scores_peak(run: tuple[str, Run]) -> None:
    name, found = run
    each = curve(found)
    assert len(set(each["rows"])) == 1  # the same rows at every offset
    if name == "ava":
        assert each["peak_interval"]["is_peak"]
        assert 40 <= each["peak"]["offset_ms"] <= 200
        assert each["peak"]["height"] >= 0.8
        assert "with the sound" in found.conclusion
    else:
        assert "no peak near 0" in found.conclusion
        assert "does not notice when sound and lips are apart" in found.conclusion


def test_what_is_new_is_in_tables_and_figures(run: tuple[str, Run]) -> None:
    _, found = run
    assert {"reliance", "reliance_zeroed", "curve", "peaks"} <= set(found.tables)
    drawn = {path.stem for path in (found.path / "plots").glob("*.png")}
    assert {"reliance", "curve"} <= drawn
