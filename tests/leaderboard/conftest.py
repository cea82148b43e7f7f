"""Entries that several tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.leaderboard.boards import Board, boards_of
from asdbench.leaderboard.check import entries_in
from asdbench.leaderboard.entry import Entry
from tests.leaderboard.crafted import models

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def entries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Entry]:
    return models(tmp_path_factory.mktemp("entries"))


@pytest.fixture(scope="session")
def board(entries: dict[str, Entry]) -> Board:
    (found,) = boards_of(entries.values())
    return found


@pytest.fixture(scope="session")
def shipped() -> tuple[Entry, ...]:
    return entries_in([ROOT / "baselines" / "results"])
