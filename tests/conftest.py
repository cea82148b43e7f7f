"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
