"""``asdbench submit`` and ``asdbench leaderboard``."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli
from tests.leaderboard.crafted import made_run


def test_from_a_run_to_the_page(cli: Cli, tmp_path: Path) -> None:
    made_run(tmp_path / "run", "plain")
    submitted = cli("submit", tmp_path / "run", "--out", tmp_path / "results", "--note", "ours")
    assert submitted.exit_code == 0, submitted.err
    (entry,) = (tmp_path / "results").iterdir()
    assert str(entry) in submitted.err
    checked = cli("submit", "--check", entry)
    assert (checked.exit_code, checked.err) == (0, "1 entry is in order.\n")
    found = cli("leaderboard", "--results", tmp_path / "results")
    assert found.exit_code == 0, found.err
    assert "light-asd.plain" in found.out
    assert "ours" in (tmp_path / "runs" / "leaderboard" / "leaderboard.html").read_text(encoding="utf-8")
    as_json = cli("leaderboard", "--results", tmp_path / "results", "--out", "again", "--json")
    assert [len(board["entries"]) for board in as_json.json["boards"]] == [1]


def test_what_is_refused_says_so_with_its_exit_code(cli: Cli, tmp_path: Path) -> None:
    made_run(tmp_path / "part", "part", identity__limit=3)
    refused = cli("submit", tmp_path / "part")
    assert refused.exit_code == 3
    assert "--limit" in refused.err
    assert not list(tmp_path.glob("*.json"))
    (tmp_path / "bad.json").write_text("{}")
    assert cli("submit", "--check", tmp_path / "bad.json").exit_code == 5
    assert cli("leaderboard", "--results", tmp_path).exit_code == 5
    assert cli("submit", tmp_path / "a", tmp_path / "b").exit_code == 2


def test_a_spoiled_entry_is_found(cli: Cli, tmp_path: Path) -> None:
    made_run(tmp_path / "run", "plain")
    cli("submit", tmp_path / "run", "--out", tmp_path / "results")
    (entry,) = (tmp_path / "results").iterdir()
    entry.write_text(entry.read_text(encoding="utf-8").replace('"note": null', '"note": "better"'), encoding="utf-8")
    checked = cli("submit", "--check", entry)
    assert checked.exit_code == 5
    assert "not what its hash says" in checked.err
