"""Facts of rows on disk are exactly those in memory."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from asdbench.errors import DataError
from asdbench.records.facts import FACTS_FILE, RowFacts, read_facts, write_facts

NAMES = [field.name for field in fields(RowFacts)]


def some_facts() -> RowFacts:
    return RowFacts(
        faces=np.array([1, 2, 3], np.int16),
        speakers=np.array([0, 1, 1], np.int16),
        face_width_px=np.array([np.nan, 64.5, 200], np.float32),
        sharpness=np.array([1, np.nan, 3], np.float32),
        sound_from_ms=np.array([0, -1000.0625, 5]),
        sound_to_ms=np.array([1, 2, 3.5]),
        categories=np.array(["", "far|night", "hard|ly"], dtype=object),
    )


@pytest.mark.parametrize("name", NAMES)
def test_round_trip(tmp_path: Path, name: str) -> None:
    write_facts(tmp_path, some_facts())
    found = read_facts(tmp_path)
    assert found is not None
    before, after = getattr(some_facts(), name), getattr(found, name)
    assert after.dtype == before.dtype
    np.testing.assert_array_equal(after, before)


def test_facts_that_nobody_knows_survive(tmp_path: Path) -> None:
    facts = RowFacts(**{**vars(some_facts()), "face_width_px": np.full(3, np.nan, np.float32)})
    write_facts(tmp_path, facts)
    found = read_facts(tmp_path)
    assert found is not None
    assert found.face_width_px.dtype == np.float32
    assert np.isnan(found.face_width_px).all()


def test_runs_of_earlier_releases_have_none(tmp_path: Path) -> None:
    assert read_facts(tmp_path) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_column_is_named_with_the_file(tmp_path: Path, name: str) -> None:
    write_facts(tmp_path, some_facts())
    path = tmp_path / FACTS_FILE
    pq.write_table(pq.read_table(path).drop_columns([name]), path)
    with pytest.raises(DataError, match=name) as caught:
        read_facts(tmp_path)
    assert str(path) in str(caught.value)


def test_text_where_numbers_belong_and_broken_files_are_named(tmp_path: Path) -> None:
    write_facts(tmp_path, some_facts())
    path = tmp_path / FACTS_FILE
    table = pq.read_table(path)
    pq.write_table(table.set_column(0, "faces", pa.array(["many", "few", "no"])), path)
    with pytest.raises(DataError, match="not a readable file of row facts"):
        read_facts(tmp_path)
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match="not a readable file of row facts"):
        read_facts(tmp_path)
