"""A grid from cells to verdicts: what is done once, what a kill or a failure leaves, what is written."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from asdbench import api
from asdbench.claims.grid import Grid, load_grid
from asdbench.claims.result import Claims
from asdbench.errors import AsdbenchError, ResourceError, UnknownNameError, UsageError
from asdbench.jobs.cells import CellWork
from asdbench.jobs.claims import request_for, run_claims
from asdbench.jobs.grid import Ended, Task
from tests import claims_standin

RECIPE = """
name = "{name}"
version = 1
summary = "x"
source = "x"
epochs = 1
model = {{ architecture = "talknet" }}
clips = {{ batch_frames = 8 }}
optimizer = {{ rate = 1.0 }}
{start}
"""
GRID = """
name = "small"
version = 1
summary = "Small."
train = "{data}"
train_split = "val"
val = "{data}"
suite = "unsync"
seeds = [1, 2, 3]
minutes = 0.3
recipes = ["plain", "other"]
shown = ["clean.ap"]
[[claim]]
id = "a"
text = "It is fooled."
source = "Somebody"
kind = "level"
arm = "plain"
quantity = "mismatch@1.00.retention"
bound = {{ at_least = 0.7 }}
[[claim]]
id = "b"
text = "The other one less."
source = "Somebody"
kind = "drop"
arm = "other"
against = "plain"
quantity = "mismatch@1.00.retention"
bound = {{ at_least = 0.1 }}
"""


class Here:
    """A launcher that does tasks in this process."""

    def __init__(self, work: Callable[..., Any], *_: object) -> None:
        self.work, self.begun = work, list[Task]()

    def start(self, task: Task) -> None:
        self.begun.append(task)

    def wait(self) -> Iterable[Ended]:
        task = self.begun.pop(0)
        try:
            return [Ended(task, self.work(task, lambda _: None))]
        except AsdbenchError as error:
            return [Ended(task, reason=str(error))]

    def stop(self) -> None:
        self.begun.clear()


@pytest.fixture
def grid(tmp_path: Path, fixture_root: Path) -> Grid:
    for name, start in (("front", ""), ("plain", "front"), ("other", "front")):
        parts = f'[[start]]\nrecipe = "{start}.toml"\nparts = {{ "" = "" }}' if start else ""
        (tmp_path / f"{name}.toml").write_text(RECIPE.format(name=name, start=parts), encoding="utf-8")
    (tmp_path / "small.toml").write_text(GRID.format(data=fixture_root.as_posix()), encoding="utf-8")
    return load_grid(tmp_path / "small.toml")


Do = Callable[..., Claims]


@pytest.fixture
def do(grid: Grid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Do:
    (tmp_path / "out").mkdir()

    def call(launch: Any = Here, drawn: bool = False, **more: Any) -> Claims:
        if not drawn:
            monkeypatch.setattr("asdbench.claims.write.write_plot", lambda *_: None)  # takes most of the time
        asked = {"seeds": (), "only": (), "cells": (), "jobs": 1, "device": "cpu", "recipes": tmp_path, **more}
        request = request_for(asked.pop("grid", grid), tmp_path / "out", **asked)
        return run_claims(request, claims_standin.train, claims_standin.run, launch=launch)

    return call


def calls(folder: Path) -> list[str]:
    path = folder / "out" / "calls.txt"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def everything(seeds: Iterable[int] = (1, 2, 3)) -> list[str]:
    each = ("train front", "train plain", "run plain", "train other", "run other")
    return [f"{what}-seed{seed}" for seed in seeds for what in each]


def verdicts(found: Claims) -> dict[str, str]:
    return {each.claim.id: each.verdict for each in found.findings.findings}


def test_every_cell_is_done_once_and_judged(do: Do, tmp_path: Path) -> None:
    found = do()
    assert calls(tmp_path) == everything()
    assert verdicts(found) == {"a": "reproduced", "b": "reproduced"}
    assert found.findings.findings[1].found.by_seed == pytest.approx({1: 0.5, 2: 0.5, 3: 0.5})
    assert not found.missing
    again = do()
    assert calls(tmp_path) == everything()
    assert again.to_dict() == found.to_dict()


def test_what_is_written(do: Do, tmp_path: Path) -> None:
    found = do(drawn=True)
    out = tmp_path / "out"
    content = json.loads((out / "claims.json").read_text(encoding="utf-8"))
    assert content == json.loads(json.dumps(found.to_dict()))
    assert content["claims"][0]["by_seed"] == pytest.approx({"1": 0.91, "2": 0.92, "3": 0.93})
    assert content["claims"][0]["arms"]["plain"]["mean"] == pytest.approx(0.92)
    assert len(content["cells"]) == 9
    assert {cell["machine"]["cores"] for cell in content["cells"]} >= {1} or os.cpu_count() != 1
    page = (out / "claims.md").read_text(encoding="utf-8")
    for said in (
        "It is fooled.",
        "Somebody",
        "reproduced",
        "0.920",
        "≥ 0.7",
        "seeds 1, 2, 3",
        "torch",
        "h of cell time",
    ):
        assert said in page
    assert (out / "claims.png").stat().st_size > 10_000
    # Cells of seed 2 and 3 take more than 0.3 minutes: 20 and 30 s of training.
    assert {record.cell.name for record in found.slow} == {
        f"{name}-seed{seed}" for seed in (2, 3) for name in ("front", "plain", "other")
    }
    assert "plain,3" in (out / "cells.csv").read_text(encoding="utf-8").replace('"', "")


def test_a_failed_cell_is_reported_and_done_by_the_next_start(do: Do, tmp_path: Path) -> None:
    (tmp_path / "out" / "fail plain-seed2").touch()
    found = do()
    assert found.failed == {"plain, seed 2": "the loss is no number any more."}
    assert verdicts(found) == {"a": "not separable", "b": "not separable"}
    assert "2 paired seeds where 3 are the least (plain is not measured)" in found.findings.findings[0].reason
    assert "the loss is no number" in (tmp_path / "out" / "claims.md").read_text(encoding="utf-8")
    before = calls(tmp_path)
    assert not do().missing
    assert calls(tmp_path)[len(before) :] == ["train plain-seed2", "run plain-seed2"]


def test_what_starts_from_a_failed_training_is_not_begun(do: Do, tmp_path: Path) -> None:
    (tmp_path / "out" / "fail front-seed1").touch()
    found = do()
    assert set(found.failed) == {"front, seed 1", "plain, seed 1", "other, seed 1"}
    assert found.failed["plain, seed 1"] == "it starts from front, seed 1, which failed"
    assert calls(tmp_path) == ["train front-seed1", *everything((2, 3))]


def test_a_kill_between_training_and_measuring_costs_no_training(do: Do, tmp_path: Path) -> None:
    do(cells=["plain:1"])
    record = tmp_path / "out" / "cells" / "plain-seed1.json"
    kept = json.loads(record.read_text(encoding="utf-8"))
    for left in ({**kept, "state": "trained", "run": None, "evaluation_seconds": 0.0}, None):
        before = calls(tmp_path)
        for run in (tmp_path / "out" / "runs").iterdir():
            for file in run.iterdir():
                file.unlink()
            run.rmdir()
        record.unlink() if left is None else record.write_text(json.dumps(left), encoding="utf-8")
        do(cells=["plain:1"])
        assert calls(tmp_path)[len(before) :] == ["run plain-seed1"]
        assert json.loads(record.read_text(encoding="utf-8"))["state"] == "complete"


def test_a_kill_after_measuring_costs_nothing_but_its_time(do: Do, tmp_path: Path) -> None:
    do(cells=["plain:1"])
    (tmp_path / "out" / "cells" / "plain-seed1.json").unlink()
    before = calls(tmp_path)
    found = do(cells=["plain:1"])
    assert calls(tmp_path) == before
    assert [record.evaluation_seconds for record in found.cells if record.run] == [3.0]


@pytest.mark.parametrize("what", ["recipe", "start", "suite", "weights", "run", "record"])
def test_what_is_not_its_own_any_more_is_done_again(
    do: Do, grid: Grid, tmp_path: Path, fixture_root: Path, what: str
) -> None:
    do(seeds=[1])
    before, out = calls(tmp_path), tmp_path / "out"
    more: dict[str, Any] = {}
    if what in ("recipe", "start"):
        path = tmp_path / f"{'plain' if what == 'recipe' else 'front'}.toml"
        path.write_text(path.read_text(encoding="utf-8").replace("epochs = 1", "epochs = 2"), encoding="utf-8")
        shutil.rmtree(out / "trained" / "plain-seed1")  # as another folder would have its name
    if what == "suite":
        path = tmp_path / "small.toml"
        path.write_text(path.read_text(encoding="utf-8").replace('"unsync"', '"claims"'), encoding="utf-8")
        more = {"grid": load_grid(path)}
    if what == "weights":
        shutil.rmtree(out / "trained" / "plain-seed1")
    if what == "run":
        (out / "runs" / next(p.name for p in (out / "runs").iterdir() if "plain" in p.name) / "metrics.json").unlink()
    if what == "record":
        (out / "cells" / "plain-seed1.json").write_text("{", encoding="utf-8")
    found = do(seeds=[1], **more)
    done = calls(tmp_path)[len(before) :]
    expected = {
        "recipe": ["train plain-seed1", "run plain-seed1"],
        "start": ["train plain-seed1", "run plain-seed1", "run other-seed1"],
        "suite": ["run plain-seed1", "run other-seed1"],
        "weights": ["train plain-seed1"],
        "run": ["run plain-seed1"],
        "record": [],
    }[what]
    assert done == expected
    assert not found.missing


def test_a_table_of_what_is_finished_does_nothing(do: Do, tmp_path: Path) -> None:
    do(cells=["plain:1", "plain:2", "plain:3"])
    before = calls(tmp_path)
    found = do(table_only=True)
    assert calls(tmp_path) == before
    assert verdicts(found) == {"a": "reproduced", "b": "not separable"}
    assert list(found.missing) == ["other, seed 1", "other, seed 2", "other, seed 3"]
    assert not found.failed


def test_a_table_takes_what_other_machines_made_and_a_start_does_not(do: Do, tmp_path: Path) -> None:
    do(seeds=[1])
    for path in (tmp_path / "out" / "cells").iterdir():
        content = json.loads(path.read_text(encoding="utf-8"))
        content["identity"]["torch"] = "9.9"
        path.write_text(json.dumps(content), encoding="utf-8")
    shown = do(seeds=[1], table_only=True)
    assert not shown.missing
    assert "torch 9.9" in (tmp_path / "out" / "claims.md").read_text(encoding="utf-8")
    assert not do(seeds=[1]).missing
    assert "torch 9.9" not in (tmp_path / "out" / "claims.md").read_text(encoding="utf-8")


def test_only_what_a_claim_needs_is_done(do: Do, tmp_path: Path) -> None:
    found = do(only=["a"], seeds=[2])
    assert calls(tmp_path) == ["train front-seed2", "train plain-seed2", "run plain-seed2"]
    assert list(verdicts(found)) == ["a"]


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"cells": ["front:1"]}, UsageError, "expected RECIPE:SEED with one of plain, other"),
        ({"cells": ["plain:9"]}, UsageError, "one of the seeds 1, 2, 3"),
        ({"cells": ["plain"]}, UsageError, "expected RECIPE:SEED"),
        ({"only": ["x"]}, UnknownNameError, "claim"),
        ({"jobs": 0}, UsageError, "expected at least 1"),
        ({"threads": 0}, UsageError, "expected at least 1"),
        ({"markdown": Path("nowhere.md")}, UsageError, "cannot be read"),
    ],
)
def test_what_cannot_be_asked_for(
    do: Do, tmp_path: Path, asked: dict[str, Any], error: type[AsdbenchError], said: str
) -> None:
    with pytest.raises(error, match=said):
        do(**asked)
    assert calls(tmp_path) == []


def test_a_page_gets_its_tables_between_the_markers(do: Do, tmp_path: Path) -> None:
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    page.write_text(
        "# Mine\n\nBefore.\n\n<!-- claims:begin -->\nthe former table\n<!-- claims:end -->\n\nAfter.\n",
        encoding="utf-8",
    )
    do(seeds=[1], markdown=page, drawn=True)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Mine\n\nBefore.\n\n<!-- claims:begin -->\n\n|")
    assert text.endswith("<!-- claims:end -->\n\nAfter.\n")
    assert "the former table" not in text
    assert "(images/claims.png)" in text
    assert (page.parent / "images" / "claims.png").is_file()
    do(seeds=[1], markdown=page)
    assert page.read_text(encoding="utf-8") == text
    page.write_text("no markers", encoding="utf-8")
    with pytest.raises(UsageError, match="has no lines <!-- claims:begin -->"):
        do(seeds=[1], markdown=page)


def test_two_starts_do_not_share_a_folder(do: Do, tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / "out" / ".lock"),
        pytest.raises(ResourceError, match="another process works off this grid"),
    ):
        do()
    assert calls(tmp_path) == []


def test_work_can_be_sent_to_a_process(grid: Grid, tmp_path: Path) -> None:
    work = CellWork(api.train, api.run_exactly, grid, tmp_path, "cpu", 1)
    assert pickle.loads(pickle.dumps(work)) == work
