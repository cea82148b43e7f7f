"""Formats by name, by what lies in a folder, and with options."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.data import open_dataset
from asdbench.data.formats import DATA_FORMATS, FORMATS, recognise
from asdbench.errors import DataError, UsageError

READER = """
from dataclasses import replace
from asdbench.data.ava import open_ava

def open_mine(root, split="val", name=None, *, speed="1"):
    data = open_ava(root, split, name)
    return replace(data, notes=(*data.notes, f"speed {speed}"))

def open_scored(root, split="val", name=None):
    data = open_ava(root, split, name)
    first, *rest = data.tracks
    return replace(data, tracks=(replace(first, scored=first.labels[:-1] == 1), *rest))
"""


@pytest.fixture
def reader(tmp_path: Path) -> str:
    path = tmp_path / "mine.py"
    path.write_text(READER, encoding="utf-8")
    return str(path)


def test_every_format_has_a_reader_that_can_be_imported() -> None:
    assert all(callable(DATA_FORMATS.load(each.name)) for each in FORMATS)
    assert len({each.name for each in FORMATS}) == len(FORMATS)


def test_a_folder_of_no_format_is_told_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        recognise(tmp_path)
    assert all(each.name in str(caught.value) for each in FORMATS)


def test_options_reach_the_reader(fixture_root: Path, reader: str) -> None:
    assert open_dataset(fixture_root, data_format=f"{reader}:open_mine").notes[-1] == "speed 1"
    assert open_dataset(fixture_root, data_format=f"{reader}:open_mine", options={"speed": "2"}).notes[-1] == "speed 2"


def test_an_option_that_the_format_lacks_is_refused(fixture_root: Path, reader: str) -> None:
    with pytest.raises(UsageError, match=r"has no option 'sped'; it offers speed\."):
        open_dataset(fixture_root, data_format=f"{reader}:open_mine", options={"sped": "2"})


def test_masks_of_another_length_than_the_times_are_refused(fixture_root: Path, reader: str) -> None:
    with pytest.raises(UsageError, match="do not have one row per frame"):
        open_dataset(fixture_root, data_format=f"{reader}:open_scored")
