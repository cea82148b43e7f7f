"""A run as an entry, and what cannot become one."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from asdbench.cli.run import command as run_command
from asdbench.errors import AsdbenchError, CheckpointError, DataError, NotComparableError, UsageError
from asdbench.leaderboard.check import check_entry
from asdbench.leaderboard.command import commands_of
from asdbench.leaderboard.entry import Entry, read_entry
from asdbench.leaderboard.submit import entry_of, submit
from asdbench.report.run import Run, open_run
from tests.analysis.test_comparison import scored
from tests.leaderboard.crafted import made_run, record_of


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return made_run(tmp_path_factory.mktemp("submitted") / "run", "plain")


def test_the_figures_are_those_of_the_run(run: Run) -> None:
    entry = entry_of(run)
    assert check_entry(entry) == ()
    clean, *tests = run.metrics["conditions"]
    wanted = {
        "clean.ava": (clean["metrics"]["ava"], clean["intervals"]["ava"]),
        "clean.fpr": (clean["metrics"]["at"]["tpr:0.9"]["fpr"], clean["intervals"]["at"]["tpr:0.9"]["fpr"]),
    }
    for test in tests:
        metrics, ends = test["metrics"], test["intervals"]
        found = metrics["at"]["tpr:0.9"]["retention"], ends["at"]["tpr:0.9"]["retention"]
        wanted |= {
            f"{test['name']}.retention": found,
            f"{test['name']}.sync_auroc": (metrics["sync_auroc"], ends["sync_auroc"]),
        }
    assert {figure.name for figure in entry.figures} == set(wanted)
    for figure in entry.figures:
        value, ends = wanted[figure.name]
        assert (figure.value, figure.low, figure.high) == (value, ends["low"], ends["high"])
    assert {figure.name: figure.better for figure in entry.figures} == {
        "clean.ava": "higher", "clean.fpr": "lower", "mismatch@1.00.retention": "lower",
        "mismatch@1.00.sync_auroc": "higher", "misalign@1.00.retention": "lower", "misalign@1.00.sync_auroc": "higher",
    }  # fmt: skip
    assert len(entry.sources) == 25
    assert entry.sources[0].figures["clean.ava"] is not None


@pytest.mark.parametrize(
    ("changes", "error", "named"),
    [
        ({"identity__limit": 3}, NotComparableError, "first 3 tracks"),
        ({"counts__skipped_tracks": 2}, NotComparableError, "2 of 25 tracks were skipped"),
        ({"counts__incomplete_tracks": 1}, NotComparableError, "1 of 25 tracks were skipped"),
        ({"custom": True}, NotComparableError, "--seed"),
        ({"model__dtype": "bfloat16"}, NotComparableError, "bfloat16"),
        ({"suite__sha256": "0" * 64}, NotComparableError, "another one than that of this release"),
        ({"suite__name": "mine"}, NotComparableError, "no suite of this release"),
        ({"suite__version": 9}, NotComparableError, "no suite of this release"),
        ({"model__checkpoint_sha256": None}, CheckpointError, "nobody can know what weights"),
        ({"model__adapter": "mine"}, UsageError, "--code https"),
    ],
)
def test_what_cannot_stand_beside_others(
    run: Run, changes: dict[str, Any], error: type[AsdbenchError], named: str
) -> None:
    spoiled = Run(run.path, record_of("plain", **changes), run.metrics)
    with pytest.raises(error, match=named) as caught:
        entry_of(spoiled)
    assert str(caught.value).count("\n") == 0
    assert caught.value.exit_code in (2, 3, 6)


def test_another_number_of_resamples(run: Run) -> None:
    units = run.metrics["units"] | {"resamples": 200}
    with pytest.raises(NotComparableError, match="--resamples 1000"):
        entry_of(Run(run.path, run.record, {**run.metrics, "units": units}))


def test_numbers_that_are_not_those_of_the_predictions(run: Run) -> None:
    metrics = json.loads(json.dumps(run.metrics))
    metrics["conditions"][0]["metrics"]["ava"] = 0.999
    with pytest.raises(DataError, match="disagree on ava under clean"):
        entry_of(Run(run.path, run.record, metrics))


def test_an_unfinished_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a run folder"):
        submit(tmp_path)


def test_code_of_ones_own_needs_an_address(run: Run) -> None:
    own = Run(run.path, record_of("plain", model__adapter="mine", model__name="mine.plain"), run.metrics)
    entry = entry_of(own, code="https://example.org/mine", note="<b>ours</b>")
    assert (entry.model.code, entry.note) == ("https://example.org/mine", "<b>ours</b>")
    assert check_entry(entry) == ()
    with pytest.raises(UsageError, match="--code"):
        entry_of(own, code="javascript:alert(1)")


def test_systems_without_weights_are_references(run: Run) -> None:
    changes = {
        "model__adapter": "deaf",
        "model__name": "deaf",
        "model__checkpoint_sha256": None,
        "model__checkpoint": None,
    }
    entry = entry_of(Run(run.path, record_of("plain", **changes), run.metrics))
    assert entry.kind == "reference"
    assert check_entry(entry) == ()


def test_few_sources_make_an_entry_without_ranks(tmp_path: Path) -> None:
    entry = entry_of(made_run(tmp_path / "few", "plain", scored(0.9, sources=3)))
    assert check_entry(entry) == ()
    assert {figure.replicates for figure in entry.figures} == {None}


def test_names_from_anywhere_make_a_file_name(run: Run) -> None:
    changes = {"model__name": 'light-asd.<script>"\n/../x', "data__name": "a b\\c=1"}
    entry = entry_of(Run(run.path, record_of("plain", **changes), run.metrics))
    assert entry.name.startswith("light-asd.-script-")
    assert set(entry.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.@=")
    assert entry.model.name == 'light-asd.<script>"\n/../x'


def test_the_file_bears_the_entry_s_name(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, entry, warnings = submit(run.path, tmp_path / "results")
    assert path == tmp_path / "results" / f"{entry.name}.json"
    assert read_entry(path) == entry
    assert any("--weights" in warning for warning in warnings)
    with pytest.raises(UsageError, match="must be called"):
        submit(run.path, tmp_path / "mine.json")
    assert submit(run.path, path)[0] == path
    monkeypatch.chdir(tmp_path)
    assert submit(run.path)[0] == Path(f"{entry.name}.json")


def test_what_a_submitter_should_know(tmp_path: Path) -> None:
    made_run(tmp_path / "run", "plain", git={"commit": "c", "modified": True}, audit=None)
    _, _, warnings = submit(tmp_path / "run", tmp_path / "out")
    assert any("changes of its own" in warning for warning in warnings)
    assert any("not audited" in warning for warning in warnings)


def test_commands_name_no_folder_and_fetch_what_is_public() -> None:
    (command,) = commands_of(record_of("plain"))
    assert command == "asdbench run --suite unsync@1 --checkpoint plain.pt --data films"
    public = "d44bc3ea7baa8e0946fa3921311714a630ed8b90a1928fab0dbe30d918909317"
    found = commands_of(record_of("plain", model__checkpoint_sha256=public, model__checkpoint="C:\\anna\\w.model"))
    assert found[0] == "asdbench fetch light-asd.ava"
    assert "--checkpoint light-asd.ava" in found[1]


def test_options_that_move_numbers_are_in_the_command() -> None:
    config = {
        "model": {"value": "/home/anna/own.py:Mine", "source": "flag"},
        "option": {"value": ["a=1", "b=two words"], "source": "flag"},
        "data": {"value": "C:\\films\\val", "source": "asdbench.toml"},
        "split": {"value": "test", "source": "ASDBENCH_SPLIT"},
        "compile": {"value": True, "source": "flag"},
    }
    record = record_of("plain", model__checkpoint=None)
    (command,) = commands_of(record | {"config": config})
    assert shlex.split(command)[2:] == [
        "--suite", "unsync@1", "--model", "own.py:Mine", "--option", "a=1", "--option", "b=two words", "--data", "val",
        "--split", "test", "--compile",
    ]  # fmt: skip


def test_the_shipped_entries_can_be_made_again_by_their_commands(shipped: tuple[Entry, ...]) -> None:
    for entry in shipped:
        words = shlex.split(entry.commands[-1])
        assert words[:2] == ["asdbench", "run"]
        given = run_command.make_context("run", words[2:]).params
        assert given["suite"] == f"{entry.suite.name}@{entry.suite.version}"
        assert str(given["data"]) == entry.data.name
        assert entry.model.adapter in (str(given["model"]), "oracle") or given["checkpoint"] is not None


def test_open_run_and_path_are_the_same(run: Run) -> None:
    assert entry_of(open_run(run.path)) == entry_of(run)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"weights": "http://example.org/w"}, "--weights 'http://example.org/w': no address"),
        ({"code": "https://example.org/my code"}, "begins with https://"),
        ({"weights": "https://" + "a" * 300}, "at most 300 long"),
        ({"note": "a" * 501}, "--note: at most 500 signs, and this one has 501"),
    ],
)
def test_words_that_an_entry_cannot_hold(run: Run, words: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        entry_of(run, **words)


def test_the_longest_words_are_held(run: Run) -> None:
    address = "https://" + "a" * 292
    entry = entry_of(run, code=address, weights=address, note="a" * 500)
    assert (entry.model.code, entry.model.weights, entry.note) == (address, address, "a" * 500)
