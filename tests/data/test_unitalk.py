"""UniTalk: lists of sub-categories, csv files per video or merged, no loader file."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.data import open_dataset
from asdbench.data.formats import recognise
from asdbench.errors import DataError
from asdbench.types import Dataset
from tests.data.kin import categories_of, load_all, videos_of
from tests.data.test_ava_official import split_up


@pytest.fixture
def unitalk(fixture_copy: Path, fixture_dataset: Dataset) -> Path:
    (fixture_copy / "csv/val_loader.csv").unlink()
    lists = fixture_copy / "sub_categories"
    lists.mkdir()
    first, second, third, *_ = videos_of(fixture_dataset)
    (lists / "test_noise.csv").write_text(f"{first}\n{second}", encoding="utf-8")  # no newline at the end, as published
    (lists / "test_mixed.csv").write_text(f"{second} \r\n{third[:-1]}\nelsewhere\n", encoding="utf-8")
    return fixture_copy


def test_categories_by_exact_id(unitalk: Path, fixture_dataset: Dataset) -> None:
    assert recognise(unitalk) == "unitalk"
    dataset = open_dataset(unitalk)
    first, second, *others = videos_of(fixture_dataset)
    assert categories_of(dataset) == {first: ("noise",), second: ("mixed", "noise"), **dict.fromkeys(others, ())}
    assert any("test set" in note for note in dataset.notes)
    load_all(dataset)


@pytest.mark.parametrize("header", [True, False])
def test_files_that_are_not_merged_yet(unitalk: Path, header: bool) -> None:
    merged = open_dataset(unitalk)
    split_up(unitalk, unitalk / "csv/val", header=header, name="{}.csv")
    assert recognise(unitalk) == "unitalk"
    assert open_dataset(unitalk).fingerprint == merged.fingerprint


def test_lists_elsewhere(unitalk: Path, tmp_path: Path) -> None:
    known = categories_of(open_dataset(unitalk))
    (unitalk / "sub_categories").rename(tmp_path / "lists")
    assert any("no sub_categories" in note for note in open_dataset(unitalk, data_format="unitalk").notes)
    given = open_dataset(unitalk, data_format="unitalk", options={"lists": str(tmp_path / "lists")})
    assert categories_of(given) == known
    with pytest.raises(DataError, match=r"no test_<category>\.csv lies there"):
        open_dataset(unitalk, data_format="unitalk", options={"lists": str(tmp_path)})


def test_a_list_that_is_no_text(unitalk: Path) -> None:
    (unitalk / "sub_categories/test_noise.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"test_noise\.csv: not a readable list of videos"):
        open_dataset(unitalk)
