"""Predictions on disk are exactly those in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from asdbench.errors import DataError, NotComparableError
from asdbench.records.predictions import Predictions, predictions_path, read_predictions, write_predictions

COLUMNS = [field.name for field in fields(Predictions)]
OPTIONAL = ["voiced", "activity", "lips"]
ODD_NAMES = [
    "clean",
    "mismatch@0.50",
    "mismatch(track)",
    "../../run",
    "..",
    "a/b",
    "a%2Fb",
    "a\\b",
    "a b",
    "a+b",
    "schräg",
    "x:y|z*?",
    "line\nbreak",
]


def text(*values: str) -> np.ndarray[Any, np.dtype[np.object_]]:
    return np.array(values, dtype=object)


def some_rows() -> Predictions:
    return Predictions(
        video_id=text("v1", "v1", "v1", "v2", "v2"),
        entity_id=text("v1:a", "v1:a", "v1:b", "é|\n", "é|\n"),
        source_id=text("s", "s", "s", "t", "t"),
        timestamp_ms=np.array([0, 40, 3_000_000_000, 5, 45], dtype=np.int64),
        run=np.array([-1, 0, 0, 0, 1], dtype=np.int32),
        label=np.array([0, 1, 1, 1, 1], dtype=np.int8),
        label_after=np.array([0, 0, -1, 1, -1], dtype=np.int8),
        changed=np.array([False, True, True, False, False]),
        eligible=np.array([True, True, True, True, False]),
        shift_ms=np.array([np.nan, 165, -999.5, np.nan, np.nan], dtype=np.float32),
        score=np.array([0.1, -30, 1e-38, np.pi, -0.0], dtype=np.float32),
        voiced=np.array([0, 1, -1, -1, 1], dtype=np.int8),
        activity=np.array([-3.5, np.nan, 2, np.nan, np.nan], dtype=np.float32),
        lips=np.array([1, 2, np.nan, -0.0, -5], dtype=np.float32),
    )


def many_rows(count: int, videos: int) -> Predictions:
    names = np.repeat(text(*(f"v{i}" for i in range(videos))), count // videos)
    zeros = np.zeros(count, dtype=np.int8)
    return Predictions(
        video_id=names,
        entity_id=names,
        source_id=names,
        timestamp_ms=np.arange(count),
        run=np.full(count, -1, dtype=np.int32),
        label=zeros,
        label_after=zeros,
        changed=zeros == 1,
        eligible=zeros == 0,
        shift_ms=np.full(count, np.nan, dtype=np.float32),
        score=np.arange(count, dtype=np.float32),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "predictions" / "clean.parquet"


@pytest.fixture
def table(path: Path) -> pa.Table:
    write_predictions(path, some_rows())
    return pq.read_table(path)


@pytest.mark.parametrize("column", COLUMNS)
def test_round_trip(path: Path, column: str) -> None:
    write_predictions(path, some_rows())
    before, after = getattr(some_rows(), column), getattr(read_predictions(path), column)
    assert after.dtype == before.dtype
    if before.dtype == object:
        assert after.tolist() == before.tolist()
    else:
        assert after.tobytes() == before.tobytes()  # to the last bit, NaN and -0.0 included


def test_rows_beyond_one_row_group_keep_their_names(path: Path) -> None:
    rows = many_rows(1_100_000, 4)  # pyarrow starts a new row group, with a new dictionary, after 1,048,576
    write_predictions(path, rows)
    again = read_predictions(path)
    assert np.array_equal(again.video_id, rows.video_id)
    assert np.array_equal(again.score, rows.score)


def test_no_rows_survive_too(path: Path) -> None:
    write_predictions(path, many_rows(0, 1))
    again = read_predictions(path)
    assert len(again) == 0
    assert again.video_id.dtype == object


def test_folder_names_never_become_columns(tmp_path: Path) -> None:
    path = tmp_path / "video_id=evil" / "predictions" / "clean.parquet"
    write_predictions(path, some_rows())
    assert read_predictions(path).video_id.tolist() == some_rows().video_id.tolist()


def test_equal_predictions_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_predictions(tmp_path / name, some_rows())
    write_predictions(tmp_path / "c", read_predictions(tmp_path / "a"))
    write_predictions(tmp_path / "other", replace(some_rows(), score=some_rows().score + 1))
    contents = [(tmp_path / name).read_bytes() for name in ("a", "b", "c", "other")]
    assert contents[0] == contents[1] == contents[2] != contents[3]


@pytest.mark.parametrize("column", OPTIONAL)
def test_a_column_that_nobody_measured_stays_away(path: Path, column: str) -> None:
    rows = replace(some_rows(), **{column: None})
    write_predictions(path, rows)
    again = read_predictions(path)
    assert getattr(again, column) is None
    assert column not in again.optional
    assert column not in pq.read_schema(path).names
    assert sorted(again.to_frame().columns) == sorted(set(COLUMNS) - {column})


def test_nothing_known_of_any_row_survives_too(path: Path) -> None:
    rows = replace(some_rows(), activity=np.full(5, np.nan, np.float32), voiced=np.full(5, -1, np.int8))
    write_predictions(path, rows)
    again = read_predictions(path)
    assert again.activity is not None
    assert again.activity.dtype == np.float32
    assert np.isnan(again.activity).all()
    assert again.voiced is not None
    assert again.voiced.tolist() == [-1] * 5


@pytest.mark.parametrize("column", sorted(set(COLUMNS) - set(OPTIONAL)))
def test_a_missing_column_is_named_with_the_file(path: Path, table: pa.Table, column: str) -> None:
    pq.write_table(table.drop_columns([column]), path)
    with pytest.raises(DataError) as caught:
        read_predictions(path)
    assert str(path) in str(caught.value)
    assert column in str(caught.value)


@pytest.mark.parametrize(
    "spoil",
    [
        Path.unlink,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"video_id,score\n"),
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        lambda path: path.write_bytes(path.read_bytes()[:4] + bytes(200) + path.read_bytes()[204:]),
    ],
    ids=["missing", "empty", "csv", "cut", "overwritten"],
)
def test_a_broken_file_is_named(path: Path, table: pa.Table, spoil: Callable[[Path], object]) -> None:
    spoil(path)
    with pytest.raises(DataError) as caught:
        read_predictions(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("column", ["label", "score", "changed"])
def test_text_where_numbers_belong_is_named(path: Path, table: pa.Table, column: str) -> None:
    words = pa.array(["many", "words", "and", "no", "number"])
    pq.write_table(table.set_column(table.schema.get_field_index(column), column, words), path)
    with pytest.raises(DataError) as caught:
        read_predictions(path)
    assert str(path) in str(caught.value)


def test_what_pandas_wrote_is_read_or_refused(path: Path, table: pa.Table) -> None:
    pd.DataFrame(some_rows().to_frame()).to_parquet(path)
    try:
        again = read_predictions(path)
    except DataError as error:
        assert str(path) in str(error)
    else:
        assert again.video_id.tolist() == some_rows().video_id.tolist()


def keyed(video: str, entity: str, run: list[int]) -> Predictions:
    rows = many_rows(len(run), 1)
    return replace(rows, video_id=text(*video), entity_id=text(*entity), run=np.array(run, dtype=np.int32))


@pytest.mark.parametrize(
    ("video", "entity", "run", "starts"),
    [
        ("", "", [], []),
        ("v", "a", [-1], [0]),
        ("vvvv", "aaaa", [0, 0, 0, 0], [0]),
        ("vvvvvv", "aaaaaa", [-1, 0, 0, 1, -1, -1], [0, 1, 3, 4]),
        ("vvvv", "aabb", [0, 0, 0, 0], [0, 2]),  # another face, same index of the run
        ("vvww", "aaaa", [0, 0, 0, 0], [0, 2]),  # another film, same name of the face
        ("vvww", "abbc", [-1, -1, -1, -1], [0, 1, 2, 3]),
    ],
)
def test_run_starts(video: str, entity: str, run: list[int], starts: list[int]) -> None:
    found = keyed(video, entity, run).run_starts
    assert found.tolist() == starts
    assert found.dtype == np.int64


def test_the_same_rows_may_differ_in_everything_else() -> None:
    rows = some_rows()
    other = replace(rows, score=rows.score + 1, label_after=rows.label, changed=~rows.changed, run=rows.run + 1)
    other.require_same_rows(rows, "x")


@pytest.mark.parametrize(
    "column, value",
    [("video_id", "other"), ("entity_id", "other"), ("timestamp_ms", 1), ("label", 1)],
)
def test_other_rows_are_refused(column: str, value: object) -> None:
    values = getattr(some_rows(), column).copy()
    values[0] = value
    with pytest.raises(NotComparableError, match="rows of condition 'x@1'"):
        replace(some_rows(), **{column: values}).require_same_rows(some_rows(), "x@1")


def test_fewer_rows_are_refused() -> None:
    rows = some_rows()
    fewer = Predictions(**{name: getattr(rows, name)[:-1] for name in COLUMNS})
    with pytest.raises(NotComparableError):
        fewer.require_same_rows(rows, "x")


def test_to_frame_has_the_attributes_as_columns() -> None:
    rows = some_rows()
    frame = rows.to_frame()
    assert sorted(frame.columns) == sorted(COLUMNS)
    for column in COLUMNS:
        gaps = column in ("shift_ms", "activity", "lips")
        assert np.array_equal(frame[column].to_numpy(), getattr(rows, column), equal_nan=gaps)


def test_condition_names_become_distinct_files_within_predictions(tmp_path: Path) -> None:
    paths = [predictions_path(tmp_path, name) for name in ODD_NAMES]
    assert {path.resolve().parent for path in paths} == {tmp_path.resolve() / "predictions"}
    assert len({path.name.lower() for path in paths}) == len(ODD_NAMES)
    for path in paths:
        assert path.suffix == ".parquet"
        assert path.name.isascii()
        assert not set(path.name) & set('/\\:*?"<>|\n ')


@pytest.mark.parametrize("name", ODD_NAMES)
def test_files_of_odd_conditions_can_be_written_and_read(tmp_path: Path, name: str) -> None:
    path = predictions_path(tmp_path, name)
    write_predictions(path, some_rows())
    assert len(read_predictions(path)) == 5
