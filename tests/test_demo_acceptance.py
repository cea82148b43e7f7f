"""The official Light-ASD weights must take the faces of demo-val for faces that speak (docs/demo_data.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import asdbench
from asdbench.resources import resource_folder
from tools.measure_demo import BANDS_MS, FIGURES, measure, table

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    weights = shared / "weights" / "light-asd" / "pretrain_AVA_CVPR.model"
    model = asdbench.load_model(checkpoint=weights).scorer
    return measure(model, resource_folder("baselines") / "demo" / "demo-val", tmp_path_factory.mktemp("measured"))


def test_speaking_faces_are_found_by_sound_and_lips(found: dict[str, Any]):
    assert found["ap"] >= 0.95
    assert found["ap"] - found["ap_silence"] >= 0.08
    assert found["ap_with_dubs"] - found["ap_visual_head_with_dubs"] >= 0.05
    assert found["ap_with_dubs"] >= found["base_rate_with_dubs"] + 0.30
    assert found["p_silenced"] < 0.1
    assert found["p_lip_mask"] <= 0.4


def test_sound_and_lips_belong_together(found: dict[str, Any]):
    assert found["mismatch@1.00"]["sync_auroc"] >= 0.52
    assert found["misalign(500-800)"]["sync_auroc"] >= 0.57
    kept = [found[f"misalign({low}-{high})"]["retention"] for low, high in BANDS_MS]
    assert kept == sorted(kept, reverse=True)


def test_the_synchrony_curve_has_one_peak_near_zero(found: dict[str, Any]):
    curve = found["curve"]
    assert curve["rows"] >= 500
    assert curve["peaks"] == 1
    assert -40 <= curve["peak_ms"] <= 160
    for offset in (-400, 400):
        assert max(curve["means"].values()) - curve["means"][offset] >= 0.4


def test_the_table_of_figures_holds_them_all(found: dict[str, Any]):
    stored = found | {"curve": found["curve"] | {"means": {str(k): v for k, v in found["curve"]["means"].items()}}}
    lines = table({"a": stored, "b": stored, "real": stored}, "real").splitlines()
    assert len(lines) == len(FIGURES) + 2
    assert f"| {found['ap']:.3f} [{found['ap']:.3f}, {found['ap']:.3f}] | {found['ap']:.3g} |" in lines[2]
