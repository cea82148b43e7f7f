"""Baselines: what is copied, what is refused, and that there is always a whole one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from asdbench.errors import DataError, NotComparableError, ResourceError, UsageError
from asdbench.gate import baseline as module
from asdbench.gate import gate, update_baseline
from asdbench.records.folder import RunFolder
from asdbench.report.run import Run, open_run
from tests.analysis.test_comparison import scored
from tests.report.test_comparison import folder as run_folder

RULES = ["clean.ap:-1pt", "mismatch@1.00.fa_changed:+2pt", "noise_3.ap_drop:+2pt"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    root = tmp_path_factory.mktemp("runs")
    return run_folder(root / "old", "old", scored(0.4)), run_folder(root / "new", "new", scored(0.9))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_baseline_stands_for_its_run(runs: tuple[Run, Run], tmp_path: Path) -> None:
    old, new = runs
    update = update_baseline(old.path, tmp_path / "deep" / "base")
    assert update.conditions == ("clean", "mismatch@1.00", "noise_3")  # no diagnostic
    found = contents(update.baseline)
    assert set(found) == {
        "run.json", "metrics.json", "baseline.json",
        *(f"predictions/{name}.parquet" for name in ("clean", "mismatch@1.00", "noise_3")),
    }  # fmt: skip
    assert update.size == sum(map(len, found.values()))
    assert [path.name for path in update.baseline.parent.iterdir()] == ["base"]
    direct, through = gate(new, old, RULES), gate(new, update.baseline, RULES)
    assert direct.rulings == through.rulings
    assert direct.state == "regression"
    assert gate(old, update.baseline).state == "pass"


def test_the_table_of_an_update(runs: tuple[Run, Run], tmp_path: Path) -> None:
    first = update_baseline(runs[0], tmp_path / "base")
    assert {row["old"] for row in first.table.rows} == {None}
    second = update_baseline(runs[1], tmp_path / "base")
    assert second.differing == ()
    rows = {(row["condition"], row["figure"]): row for row in second.table.rows}
    fooled = rows["mismatch@1.00", "fa_changed"]
    assert fooled["new"] - fooled["old"] == fooled["difference"] > 0.3
    assert "silence" not in {condition for condition, _ in rows}
    assert gate(runs[1], tmp_path / "base").state == "pass"
    again = update_baseline(runs[1], tmp_path / "base")
    assert {row["difference"] for row in again.table.rows} == {0.0}


def test_another_plan_may_replace_a_baseline_and_is_told(runs: tuple[Run, Run], tmp_path: Path) -> None:
    update_baseline(runs[0], tmp_path / "base")
    shutil.copytree(runs[1].path, tmp_path / "other")
    record = RunFolder(tmp_path / "other").read_record()
    record["identity"]["plan_sha256"] = "q"
    (tmp_path / "other" / "run.json").write_text(json.dumps(record))
    update = update_baseline(tmp_path / "other", tmp_path / "base")
    assert update.differing == ("plan",)
    assert {row["old"] for row in update.table.rows} == {None}


def test_what_is_refused(runs: tuple[Run, Run], tmp_path: Path) -> None:
    before = contents(runs[0].path)
    for run in runs:
        with pytest.raises(UsageError, match="holds a run, which an update would replace"):
            update_baseline(run, runs[0].path)
    assert contents(runs[0].path) == before
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is no baseline"):
        update_baseline(runs[0], tmp_path / "notes")
    with pytest.raises(DataError, match="not a run folder"):
        update_baseline(tmp_path / "nothing", tmp_path / "base")


def test_what_else_lies_in_a_baseline_is_not_removed(runs: tuple[Run, Run], tmp_path: Path) -> None:
    update_baseline(runs[0], tmp_path / "base")
    (tmp_path / "base" / "NOTES.md").write_text("mine")
    with pytest.raises(UsageError, match=r"NOTES\.md is no part of the baseline"):
        update_baseline(runs[1], tmp_path / "base")
    assert (tmp_path / "base" / "NOTES.md").read_text() == "mine"
    assert open_run(tmp_path / "base").record["fingerprint"] == runs[0].record["fingerprint"]


def test_a_link_and_the_current_folder(runs: tuple[Run, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    update_baseline(runs[0], tmp_path / "base")
    (tmp_path / "link").symlink_to("base")
    assert update_baseline(runs[1], tmp_path / "link").baseline == tmp_path / "link"
    assert (tmp_path / "link").is_symlink()
    assert open_run(tmp_path / "base").record["fingerprint"] == runs[1].record["fingerprint"]
    assert {path.name for path in tmp_path.iterdir()} == {"base", "link"}
    monkeypatch.chdir(tmp_path / "base")
    update_baseline(runs[0], ".")
    assert open_run(tmp_path / "base").record["fingerprint"] == runs[0].record["fingerprint"]


@pytest.mark.parametrize(
    ("changes", "allow", "said"),
    [
        ({"custom": True}, "custom", "since it is custom"),
        ({"identity": {"model": {"dtype": "bfloat16"}}}, "dtype", "scored in bfloat16"),
    ],
)
def test_no_baseline_that_nothing_could_be_held_against(
    runs: tuple[Run, Run], tmp_path: Path, changes: dict[str, object], allow: str, said: str
) -> None:
    run = Run(runs[0].path, {**runs[0].record, **changes}, runs[0].metrics)
    with pytest.raises(NotComparableError, match=said):
        update_baseline(run, tmp_path / "base")
    assert not (tmp_path / "base").exists()
    update_baseline(run, tmp_path / "base", allow=[allow])


def test_a_failed_update_leaves_the_baseline(
    runs: tuple[Run, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    update_baseline(runs[0], tmp_path / "base")
    before = contents(tmp_path / "base")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_json", full)
    with pytest.raises(ResourceError, match="No space left"):
        update_baseline(runs[1], tmp_path / "base")
    assert contents(tmp_path) == {f"base/{name}": content for name, content in before.items()}


def test_an_update_killed_between_two_renames_is_mended(runs: tuple[Run, Run], tmp_path: Path) -> None:
    update_baseline(runs[0], tmp_path / "base")
    (tmp_path / "base").replace(tmp_path / ".base.old.tmp")
    update = update_baseline(runs[1], tmp_path / "base")
    assert update.table.rows[0]["old"] is not None
    assert [path.name for path in tmp_path.iterdir()] == ["base"]
    assert open_run(tmp_path / "base").model == "new"
