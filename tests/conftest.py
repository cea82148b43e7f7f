"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from asdbench.data import open_dataset
from asdbench.types import Dataset
from tools.make_fixture import write_fixture

ROOT = Path(__file__).resolve().parent.parent


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
