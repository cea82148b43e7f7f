"""A set of the generated data, made once for the tests that only look at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.materialize import MaterializedSet, materialize


@pytest.fixture(scope="session")
def unsync_set(fixture_root: Path, tmp_path_factory: pytest.TempPathFactory) -> MaterializedSet:
    """The suite unsync on the generated data; read only."""
    return materialize(fixture_root, "unsync", out=tmp_path_factory.mktemp("sets") / "unsync", workers=1)
