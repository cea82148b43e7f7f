from __future__ import annotations

from pathlib import Path

import pytest

import asdbench
from asdbench.report.run import Run, open_run
from tests.cli.conftest import Cli, cli

__all__ = ["Cli", "cli"]

FIXTURES = Path(__file__).parent.parent / "records" / "fixtures"

SUITE = """
name = "much"
version = 1
seed = 5
summary = "A little of every section"

[[condition]]
name = "clean"
role = "reference"

[[condition]]
name = "mismatch@1.00"
perturbation = "mismatch"
labels = "negative"

[[condition]]
name = "misalign@1.00"
perturbation = "misalign"
labels = "negative"

[[condition]]
name = "white_noise@s{severity}"
perturbation = "white_noise"
each = { severity = [1, 2] }

[[condition]]
name = "silence"
perturbation = "silence"
role = "diagnostic"

[[condition]]
name = "face_mask"
perturbation = "face_mask"
role = "diagnostic"

[[condition]]
name = "silence+face_mask"
perturbation = "joint"
role = "diagnostic"
options.parts = [{ perturbation = "silence" }, { perturbation = "face_mask" }]

[[condition]]
name = "shift@{ms:+}"
perturbation = "shift"
role = "diagnostic"
each = { ms = [-200, -100, 100, 200] }
"""
"""What the shipped suites have one by one: tests, corruptions, a modality taken away, a curve."""


@pytest.fixture(scope="session")
def much(fixture_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with nearly every section that metrics.json may have."""
    folder = tmp_path_factory.mktemp("much")
    (folder / "much.toml").write_text(SUITE)
    return asdbench.run(
        "additive", folder / "much.toml", fixture_root, out=folder / "run", resamples=100, plan_seeds=2, audit=1,
        progress=False,
    )  # fmt: skip


@pytest.fixture
def finished() -> Run:
    """A small finished run; read only."""
    return open_run(FIXTURES / "schema-2")
