"""Talkies: what AVA's reader reads, under its own name."""

from __future__ import annotations

from pathlib import Path

from asdbench.data import open_dataset
from asdbench.data.formats import recognise
from asdbench.types import Dataset
from tests.data.test_ava_official import flatten, same_tracks


def test_it_is_recognised_by_name_and_read_flat(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    assert recognise(fixture_copy) == "ava"
    (fixture_copy / "csv/talkies.txt").touch()
    assert recognise(fixture_copy) == "talkies"
    flatten(fixture_copy)
    dataset = open_dataset(fixture_copy)
    assert dataset.format == "talkies"
    same_tracks(dataset, fixture_dataset)
