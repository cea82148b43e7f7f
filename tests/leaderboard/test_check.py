"""What the leaderboard's own checks find wrong with an entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from asdbench.errors import DataError
from asdbench.leaderboard.check import check_entry, check_file, entries_in
from asdbench.leaderboard.entry import Entry, Figure, encoded, sealed, write_entry
from asdbench.leaderboard.figures import figures_of
from asdbench.suites import load_suite

CARD = "d44bc3ea7baa8e0946fa3921311714a630ed8b90a1928fab0dbe30d918909317"


def changed(entry: Entry, **changes: Any) -> Entry:
    """The entry with changes by dotted names, sealed again."""
    for name, value in changes.items():
        part, _, key = name.partition("__")
        if key:
            value = msgspec.structs.replace(getattr(entry, part), **{key: value})
        entry = msgspec.structs.replace(entry, **{part: value})
    return sealed(entry)


def first_figure(entry: Entry, **changes: Any) -> Entry:
    figure: Figure = msgspec.structs.replace(entry.figures[0], **changes)
    return changed(entry, figures=(figure, *entry.figures[1:]))


def test_an_entry_in_order(entries: dict[str, Entry], tmp_path: Path) -> None:
    entry = entries["plain"]
    write_entry(entry, tmp_path / f"{entry.name}.json")
    assert check_file(tmp_path / f"{entry.name}.json") == ()
    assert entries_in([tmp_path]) == (entry,)


def test_a_number_changed_by_hand(entries: dict[str, Entry]) -> None:
    entry = entries["plain"]
    figure = msgspec.structs.replace(entry.figures[0], value=0.97)
    problem, beyond = check_entry(msgspec.structs.replace(entry, figures=(figure, *entry.figures[1:])))
    assert "not what its hash says" in problem
    assert "0.97 lies beyond all of its resampled values" in beyond


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"name": "other-12345678"}, "must end with"),
        ({"dtype": "bfloat16"}, "not in float32"),
        ({"data__protocol": "mine"}, "no protocol"),
        ({"suite__sha256": "0" * 64}, "another one"),
        ({"suite__version": 7}, "no suite"),
        ({"suite__seed": 7}, "its seed"),
        ({"kind": "reference"}, "another kind"),
        ({"model__adapter": "deaf"}, "another kind"),
        ({"model__checkpoint_sha256": None}, "what weights"),
        ({"model__checkpoint_sha256": CARD}, "its weights are those of light-asd.ava"),
        ({"data__rows": {"total": 1}}, "must be counted"),
        ({"data__rows": {"total": 9, "positive": 4, "negative": 4, "ignored": 0}}, "do not add up"),
        ({"units__effective": 99}, "more effective"),
        ({"units__resamples": 10}, "1,000 resamples"),
        ({"sources": ()}, "0 sources are listed"),
        ({"threshold": "eer"}, "must be at tpr:0.9"),
        ({"units__level": 0.5}, "those of 95 %"),
        ({"data__name": "other"}, "its name must be light-asd.plain-unsync@1-other-"),
        ({"model__name": "lr-asd.ava"}, "its name must be lr-asd.ava-unsync@1-films-"),
        ({"model__adapter": "mine"}, "no code of 'mine'"),
    ],
)
def test_what_cannot_be_right(entries: dict[str, Entry], changes: dict[str, Any], named: str) -> None:
    problems = check_entry(changed(entries["plain"], **changes))
    assert any(named in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"value": 1.2}, "outside of 0 to 1"),
        ({"value": None}, "needs a reason"),
        ({"low": 0.9, "high": 0.1}, "no two ends"),
        ({"low": 0.1}, "not that of its resampled values"),
        ({"replicates": None}, "are missing"),
        ({"replicates": encoded([0.5] * 10)}, "1,000 resampled"),
        ({"replicates": encoded([0.5] * 999 + [7.0])}, "resampled value lies outside"),
        ({"replicates": encoded([0.5] * 999 + [float("inf")])}, "1,000 resampled"),
        ({"replicates": "?"}, "base64"),
        ({"condition": "nothing"}, "no condition 'nothing'"),
        ({"value": 0.5}, "beyond all of its resampled values"),
        ({"better": "lower"}, "clean.ava: higher is better"),
        ({"condition": "resplice@1.00"}, "has no figure 'resplice@1.00.ava'"),
        ({"figure": "<script>"}, "has no figure 'clean.<script>'"),
        ({"condition": "<b>", "mean_of": ("clean",)}, "has no figure '<b>.ava'"),
        ({"mean_of": ("clean",)}, "clean.ava: higher is better"),
        ({"figure": "fpr"}, "clean.ava is missing"),
    ],
)
def test_figures_that_cannot_be_right(entries: dict[str, Entry], changes: dict[str, Any], named: str) -> None:
    problems = check_entry(first_figure(entries["plain"], **changes))
    assert any(named in problem for problem in problems), problems


def test_a_figure_twice_and_a_source_out_of_range(entries: dict[str, Entry]) -> None:
    entry = entries["plain"]
    assert any("twice" in problem for problem in check_entry(changed(entry, figures=entry.figures * 2)))
    problems = check_entry(changed(entry, sources=(entry.sources[0], *entry.sources[:-1])))
    assert "a source stands there twice." in problems
    source = msgspec.structs.replace(entry.sources[0], figures={"clean.ava": 3.0})
    problems = check_entry(changed(entry, sources=(source, *entry.sources[1:])))
    assert any("source 'v00', clean.ava" in problem for problem in problems)


def test_no_entry_leaves_out_a_figure(entries: dict[str, Entry]) -> None:
    entry = entries["plain"]
    for figure in entry.figures:
        left = tuple(each for each in entry.figures if each != figure)
        assert any(f"{figure.name} is missing" in problem for problem in check_entry(changed(entry, figures=left)))


def test_more_units_than_memory_holds(entries: dict[str, Entry], tmp_path: Path) -> None:
    entry = changed(entries["plain"], units__kind="block", units__count=10**15)
    write_entry(entry, tmp_path / f"{entry.name}.json")
    with pytest.raises(DataError, match=r"units\.count"):
        check_file(tmp_path / f"{entry.name}.json")


@pytest.mark.parametrize("suite", ["unsync", "corruptions", "egocentric", "full", "published-laser"])
def test_the_figures_of_a_suite(suite: str) -> None:
    found = figures_of(load_suite(suite))
    assert found["clean.ava"] == ("higher", ())
    names = {condition.name: condition.role for condition in load_suite(suite).conditions} | {"dubbed": "test"}
    for name, (better, mean_of) in found.items():
        assert better == ("higher" if name.endswith((".ava", ".sync_auroc")) else "lower")
        conditions = mean_of or (name.rpartition(".")[0],)
        assert {names[each] for each in conditions} <= {"reference", "test"}


def test_another_file_name_and_the_same_run_twice(entries: dict[str, Entry], tmp_path: Path) -> None:
    entry = entries["plain"]
    write_entry(entry, tmp_path / "mine.json")
    assert check_file(tmp_path / "mine.json") == (f"the file must be called {entry.name}.json.",)
    with pytest.raises(DataError, match="must be called"):
        entries_in([tmp_path])
    for name in ("a", "b"):
        write_entry(entry, tmp_path / name / f"{entry.name}.json")
    assert len(entries_in([tmp_path / "a", tmp_path / "b"])) == 1
    with pytest.raises(DataError, match="no such folder"):
        entries_in([tmp_path / "none"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no entries; asdbench submit RUN writes one"):
        entries_in([tmp_path / "empty"])


def test_the_shipped_entries_are_in_order(shipped: tuple[Entry, ...]) -> None:
    assert {"light-asd.demo", "light-asd.demo-sync"} <= {entry.model.name for entry in shipped}
    for entry in shipped:
        assert check_entry(entry) == ()
        assert not entry.modified
        assert entry.audited
        assert not any("/" in text for text in entry.commands)
