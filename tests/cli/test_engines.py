"""``--engine``: where tracks are scored makes no difference to a run."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Cli


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Ray warns in its own code
def test_a_run_on_two_workers_is_the_run_in_one_process(cli: Cli, fixture_root: Path, tmp_path: Path):
    pytest.importorskip("ray", reason="Ray is not installed")
    shared = ["run", "--model", "additive", "--suite", "unsync", "--data", fixture_root, "--audit", "off", "--quiet"]
    assert cli(*shared, "--out", "here").exit_code == 0
    assert cli(*shared, "--out", "there", "--engine", "ray", "--workers", 2).exit_code == 0
    here, there = tmp_path / "here", tmp_path / "there"
    names = sorted(path.name for path in (here / "predictions").iterdir())
    assert names == sorted(path.name for path in (there / "predictions").iterdir())
    for name in names:
        assert pq.read_table(here / "predictions" / name).equals(pq.read_table(there / "predictions" / name))
    assert (here / "metrics.json").read_bytes() == (there / "metrics.json").read_bytes()
    one, two = (json.loads((folder / "run.json").read_text()) for folder in (here, there))
    assert one["fingerprint"] == two["fingerprint"]
    assert one["engine"]["kind"] == "local"
    assert two["engine"] == {"kind": "ray", "workers": 2, "cpus_per_worker": 1, "gpus_per_worker": 0}
    assert two["device"]["threads"] == 1
    assert two["timings"]["decode_seconds"] > 0
    # Who scored it is no part of what it is: the local command finds the run that the workers made.
    again = cli(*[word for word in shared if word != "--quiet"], "--out", "there")
    assert again.exit_code == 0
    assert "this run is complete" in again.err


def test_settings_of_a_cluster_without_one_are_refused(cli: Cli):
    result = cli("run", "--workers", 2)
    assert result.exit_code == 2
    assert "--workers is for the engine ray; add --engine ray" in result.err


def test_without_ray_nothing_is_written(cli: Cli, fixture_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    result = cli("run", "--model", "additive", "--data", fixture_root, "--engine", "ray")
    assert result.exit_code == 7
    assert "pip install 'asdbench[ray]'" in result.err
    assert not list(tmp_path.iterdir())
