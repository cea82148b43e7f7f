"""What workers are sent, and which device is meant."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from asdbench.adapters.calibration import Additive
from asdbench.config import Settings
from asdbench.errors import ResourceError
from asdbench.jobs.engines import BuildEvaluator, NamedModel, job_devices
from asdbench.networks.seeded import seeded_state
from asdbench.perturb import plan
from asdbench.suites import load_suite
from asdbench.types import Dataset


@pytest.mark.parametrize("model", [Additive(), NamedModel("additive", None, "cpu", ())])
def test_what_is_sent_scores_as_here(fixture_dataset: Dataset, model: object):
    resolved = plan(fixture_dataset.tracks, load_suite("unsync"))
    build = BuildEvaluator(model, "additive", resolved, fixture_dataset.tracks, False, False)  # type: ignore[arg-type]
    here, there = (each().evaluate(fixture_dataset.tracks[0]) for each in (build, pickle.loads(pickle.dumps(build))))
    assert here.medium == there.medium
    assert here.columns.keys() == there.columns.keys()
    for name, scores in here.scores.items():
        np.testing.assert_array_equal(scores, there.scores[name])


def test_named_models_bring_weights_and_options(tmp_path: Path):
    pytest.importorskip("ray", reason="Ray is not installed")
    import torch

    from asdbench.networks.light_asd import LightASD

    torch.save(seeded_state(LightASD()), tmp_path / "seeded.model")
    model = NamedModel("light-asd", str(tmp_path / "seeded.model"), "cpu", ("scoring=demo",)).load()
    assert model.options.scoring == "demo"  # type: ignore[attr-defined]


def test_workers_may_have_the_gpus_that_this_machine_lacks(monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("ray", reason="Ray is not installed")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert job_devices(Settings(engine="ray", device="cuda:1")) == ("cuda", "cpu")
    assert job_devices(Settings(engine="ray", gpus_per_worker=0.5)) == ("cuda", "cpu")
    assert job_devices(Settings(engine="ray", device="cpu")) == ("cpu", "cpu")
    assert job_devices(Settings()) == ("cpu", "cpu")
    with pytest.raises(ResourceError, match="0 cuda device"):
        job_devices(Settings(device="cuda"))
