"""What ``asdbench leaderboard`` writes."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from asdbench.leaderboard.boards import boards_of
from asdbench.leaderboard.entry import Entry, sealed
from asdbench.leaderboard.published import read_published
from asdbench.leaderboard.write import Leaderboard, default_folder, leaderboard, plain_files, write_leaderboard
from tests.leaderboard.conftest import ROOT
from tests.report.crafted import HOSTILE

REPORTS = ROOT / "reports" / "leaderboard"


def test_the_committed_leaderboard_is_up_to_date() -> None:
    """If this fails: ``asdbench leaderboard``, and commit what it writes."""
    files = plain_files(leaderboard([ROOT / "baselines" / "results"]))
    assert {path.name for path in REPORTS.iterdir()} - set(files) <= {
        ".gitignore",
        "leaderboard.html",
        "leaderboard.json",
    }
    for name, text in files.items():
        assert (REPORTS / name).read_text(encoding="utf-8") == text, name


def test_equal_entries_give_equal_bytes(entries: dict[str, Entry], tmp_path: Path) -> None:
    found = Leaderboard(boards_of(entries.values()), read_published())
    for name in ("once", "again"):
        files = write_leaderboard(found, tmp_path / name)
        assert files[0].name == "leaderboard.html"
        assert {path.name for path in files} == {path.name for path in (tmp_path / name).iterdir()}
    for path in (tmp_path / "once").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_the_json_has_ranks_and_no_resamples(entries: dict[str, Entry], tmp_path: Path) -> None:
    write_leaderboard(Leaderboard(boards_of(entries.values()), read_published()), tmp_path)
    text = (tmp_path / "leaderboard.json").read_text(encoding="utf-8")
    (board,) = json.loads(text)["boards"]
    plain = next(entry for entry in board["entries"] if entry["model"]["name"] == "light-asd.plain")
    assert plain["figures"]["clean.ava"]["rank"] == [1, 2]
    assert "replicates" not in text
    assert {pair["separable"] for pair in board["pairs"]} == {True, False}


@pytest.mark.parametrize("name", [text for text in HOSTILE if text])
def test_hostile_names_are_text_in_every_file(entries: dict[str, Entry], name: str) -> None:
    entry = entries["plain"]
    model = msgspec.structs.replace(entry.model, name=name, trained_on=name)
    hostile = sealed(msgspec.structs.replace(entry, model=model, note=name, warnings=(name,)))
    files = plain_files(Leaderboard(boards_of([hostile, entries["sync"]]), read_published()))
    page = files["leaderboard.md"]
    assert "<script>" not in page
    assert len([line for line in page.splitlines() if line.startswith("| light-asd.sync")]) >= 2
    table = next(text for file, text in files.items() if file.startswith("measured-"))
    for line in table.splitlines()[1:]:
        assert not line.startswith(('"=', '"+', '"-', '"@'))


def test_where_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_folder() == Path("runs/leaderboard")
    monkeypatch.chdir(ROOT)
    assert default_folder() == Path("reports/leaderboard")


def test_without_entries(tmp_path: Path) -> None:
    found = Leaderboard((), read_published())
    write_leaderboard(found, tmp_path / "out")
    for name in ("leaderboard.md", "leaderboard.html"):
        assert "Nothing was measured yet" in (tmp_path / "out" / name).read_text(encoding="utf-8")
