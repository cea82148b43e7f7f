"""``asdbench claims``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asdbench.claims.cell import Cell
from asdbench.claims.grid import load_grid
from asdbench.claims.result import Claims, gather
from asdbench.jobs.claims import Request
from tests.cli.conftest import Cli

IDS = ["a1", "a2", "a3", "a4", "b1", "b2", "c1", "c2", "d", "e1", "e2", "f"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What was asked for, instead of hours of training; the cell of talknce.demo fails."""
    requests: list[Request] = []

    def nothing(request: Request, *_: Any) -> Claims:
        requests.append(request)
        missing = {cell.words: "diverged" if cell.recipe == "talknce.demo" else "" for cell in request.all_cells}
        return gather(request.folder, request.grid, request.seeds, [], missing)

    monkeypatch.setattr("asdbench.api.run_claims", nothing)
    return requests


def test_flags_reach_the_grid(cli: Cli, asked: list[Request]) -> None:
    result = cli(
        "claims", "--out", "here", "--seeds", "4, 2", "--only", "b,d", "--only", "f", "--jobs", 3, "--threads", 2,
        "--cell", "talknet.demo:2", "--cell", "lip.demo:4", "--device", "cpu", "--table-only",
    )  # fmt: skip
    assert result.exit_code == 1, "a cell failed"
    request = asked[0]
    assert [claim.id for claim in request.grid.claims] == ["b1", "b2", "d", "f"]
    assert (request.folder, request.seeds, request.jobs, request.threads) == (Path("here"), (4, 2), 3, 2)
    assert request.cells == (Cell(2, "talknet.demo"), Cell(4, "lip.demo"))
    assert (request.device, request.table_only, request.markdown) == ("cpu", True, None)


def test_everything_is_the_default(cli: Cli, asked: list[Request]) -> None:
    result = cli("claims")
    assert result.exit_code == 1
    request = asked[0]
    assert request.grid == load_grid("demo")
    assert (request.folder, request.seeds, request.cells, request.table_only) == (
        Path("claims"),
        (1, 2, 3, 4, 5),
        (),
        False,
    )
    assert "FAILED: talknce.demo, seed 1: diverged" in result.err
    assert "not measured: 50 cells" in result.err
    assert all(claim in result.out for claim in IDS)
    assert "a1: NOT SEPARABLE: A plain TalkNet is fooled by another voice." in result.out


def test_without_a_failure_the_exit_code_is_0(cli: Cli, asked: list[Request]) -> None:
    assert cli("claims", "--only", "a").exit_code == 0


def test_json(cli: Cli, asked: list[Request]) -> None:
    content = cli("claims", "--json", "--only", "d").json
    assert [claim["id"] for claim in content["claims"]] == ["d"]
    assert content["claims"][0]["verdict"] == "not separable"
    assert content["grid"]["sha256"] == load_grid("demo").only(["d"]).sha256


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--seeds", "1,x"], "expected numbers"),
        (["--only", "q"], "claim"),
        (["--cell", "talknet.demo"], "expected RECIPE:SEED"),
        (["--grid", "nothing"], "grid"),
        (["--grid", "nothing.toml"], "cannot be read"),
        (["--markdown", "nothing.md"], "cannot be read"),
    ],
)
def test_what_is_refused(cli: Cli, asked: list[Request], flags: list[str], said: str) -> None:
    result = cli("claims", *flags)
    assert result.exit_code == 2
    assert said in result.err
    assert not asked


def test_the_table_of_nothing(cli: Cli, tmp_path: Path) -> None:
    result = cli("claims", "--table-only", "--device", "cpu", "--only", "a1")
    assert result.exit_code == 0
    content = json.loads((tmp_path / "claims" / "claims.json").read_text(encoding="utf-8"))
    assert content["claims"][0]["reason"].startswith("0 paired seeds where 3 are the least")
    assert not any((tmp_path / "claims").glob("trained"))
