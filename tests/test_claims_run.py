"""A tiny grid from start to end: real trainings, real runs, real processes, by the verb."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from asdbench.report.run import open_run

pytest.importorskip("lightning_fabric", reason="needs the extra train")
pytestmark = pytest.mark.slow

RECIPE = """
name = "{name}"
version = 1
summary = "Tiny."
source = "none"
epochs = 1
keep = true
model = {{ architecture = "{architecture}", face_size = 24, sizes = {{ stem = 4, depth = [1, 1, 1, 1] }} }}
clips = {{ batch_frames = 64, clip_frames = 16, epoch_batches = 3 }}
optimizer = {{ kind = "adamw", rate = 1e-3, schedule = "cosine", settle = 2 }}
{more}
"""
START = """
[[start]]
recipe = "small-lip.toml"
parts = { "visualFrontend." = "model.visualFrontend." }
"""
SUITE = """
name = "two"
version = 1
seed = 5
summary = "Two conditions."
[[condition]]
name = "clean"
role = "reference"
[[condition]]
name = "misalign@1.00"
perturbation = "misalign"
labels = "negative"
"""
GRID = """
name = "tiny"
version = 1
summary = "Tiny."
train = "{data}"
train_split = "val"
val = "{data}"
suite = "{suite}"
seeds = [1, 2, 3]
minutes = 8
recipes = ["small-talknet"]
[[claim]]
id = "a"
text = "It is fooled."
source = "Nobody"
kind = "level"
arm = "small-talknet"
quantity = "misalign@1.00.retention>=400ms"
bound = {{ at_least = 0.7 }}
"""


def test_a_tiny_grid_by_the_verb(fixture_root: Path, tmp_path: Path) -> None:
    lip = RECIPE.format(name="small-lip", architecture="talknet-lip", more="")
    (tmp_path / "small-lip.toml").write_text(lip, encoding="utf-8")
    talknet = RECIPE.format(name="small-talknet", architecture="talknet", more=START)
    (tmp_path / "small-talknet.toml").write_text(talknet, encoding="utf-8")
    (tmp_path / "two.toml").write_text(SUITE, encoding="utf-8")
    grid = GRID.format(data=fixture_root.as_posix(), suite=(tmp_path / "two.toml").as_posix())
    (tmp_path / "tiny.toml").write_text(grid, encoding="utf-8")

    def claims() -> str:
        code = "import sys; from asdbench.cli.main import main; sys.argv = ['asdbench', *sys.argv[1:]]; main()"
        flags = ["--grid", str(tmp_path / "tiny.toml"), "--out", "out", "--jobs", "2", "--device", "cpu"]
        # Settings of a folder or of the environment have no say.
        (tmp_path / "asdbench.toml").write_text("[run]\nlimit = 1\n", encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", code, "claims", *flags], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    said = claims()
    assert said.count("measured in") == 3
    content = json.loads((tmp_path / "out" / "claims.json").read_text(encoding="utf-8"))
    found = content["claims"][0]
    assert set(found["by_seed"]) | set(found["undefined"]) == {"1", "2", "3"}
    cells = {(cell["recipe"], cell["seed"]): cell for cell in content["cells"]}
    assert len(cells) == 6
    assert all(cell["threads"] == 1 and cell["training_seconds"] > 0 for cell in cells.values())
    run = open_run(tmp_path / "out" / cells["small-talknet", 2]["run"])
    assert run.record["model"]["checkpoint_sha256"] == cells["small-talknet", 2]["checkpoint_sha256"]
    assert run.record["identity"]["limit"] is None
    assert run.record["model"]["adapter"] == "talknet"

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "runs").rglob("*")}
    assert "measured in" not in claims()
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "runs").rglob("*")} == before
