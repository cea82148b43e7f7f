"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from asdbench.checkpoints.cards import model_cards
from asdbench.config import DEMO_DATA
from asdbench.data import open_dataset
from asdbench.types import Dataset
from tests.standin import write_resources
from tools.make_fixture import write_fixture

ROOT = Path(__file__).resolve().parent.parent

# No test is timed: a busy machine is no fault of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of reference material (official weights, real clips, golden cases) that is not part of the project.

    Without it a test skips, unless ``ASDBENCH_REQUIRE_SHARED`` is set, as it is in CI.
    """
    folder = Path(os.environ.get("ASDBENCH_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        message = f"reference material not found at {folder}; set ASDBENCH_SHARED"
        if os.environ.get("ASDBENCH_REQUIRE_SHARED"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def fixture_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated data set of ``tools/make_fixture.py``; read only, shared by all tests."""
    return write_fixture(tmp_path_factory.mktemp("data") / "fixture")


@pytest.fixture(scope="session")
def fixture_dataset(fixture_root: Path) -> Dataset:
    """The generated data set, opened."""
    return open_dataset(fixture_root)


@pytest.fixture
def fixture_copy(fixture_root: Path, tmp_path: Path) -> Path:
    """A copy of the generated data set that the test may spoil."""
    return Path(shutil.copytree(fixture_root, tmp_path / "copy"))


@pytest.fixture(scope="session")
def _resources(tmp_path_factory: pytest.TempPathFactory, fixture_root: Path) -> Path:
    package = write_resources(tmp_path_factory.mktemp("resources"))
    shutil.copytree(fixture_root, package.parent / "baselines" / "demo" / DEMO_DATA)
    return package


@pytest.fixture
def standin(_resources: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stand-ins for the shipped checkpoints and data; gives the folder that stands for ``baselines/``."""
    monkeypatch.setattr("asdbench.resources._PACKAGE", _resources)
    model_cards.cache_clear()
    yield _resources.parent / "baselines"
    model_cards.cache_clear()
