"""Fixtures of tests of perturbations."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asdbench.config import DEMO_DATA
from asdbench.data import open_dataset
from asdbench.types import UInt8Array

_DEMO = Path(__file__).resolve().parents[2] / "baselines" / "demo" / DEMO_DATA


@pytest.fixture(scope="session")
def demo_faces() -> list[list[UInt8Array]]:
    """The crops of three tracks of the shipped demo data; not to be changed."""
    if not _DEMO.is_dir() and not os.environ.get("ASDBENCH_REQUIRE_SHARED"):
        pytest.skip("the demo data are not shipped yet")
    return [track.media.faces() for track in open_dataset(_DEMO).tracks[:5:2]]
