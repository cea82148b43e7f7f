"""Prediction files in the forms that people have."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.errors import AsdbenchError, DataError, UnknownNameError
from asdbench.predictions.table import log_odds, read_scale, read_table_of
from asdbench.records.predictions import write_predictions
from tests.predictions.crafted import HEADER, crafted_rows, lines_of, write

ROWS = crafted_rows()


def test_the_official_form_without_header(tmp_path: Path):
    table = read_table_of(write(tmp_path / "a.csv", lines_of(ROWS), header=None))
    assert table.entity_id.tolist() == ROWS.entity_id.tolist()
    assert table.timestamp_ms.tolist() == [0, 40, 80, 0, 40, 80]
    np.testing.assert_allclose(table.values, np.arange(6) / 10)
    assert table.place(0).endswith("a.csv, line 1")


def test_the_community_form_with_header(tmp_path: Path):
    table = read_table_of(write(tmp_path / "a.csv", lines_of(ROWS)))
    np.testing.assert_allclose(table.values, np.arange(6) / 10)
    assert table.place(0).endswith("a.csv, line 2")


def test_columns_are_found_by_name(tmp_path: Path):
    """As LASER writes them, with the index of the data frame, or the 10 and 11 columns of val_orig.csv and a score."""
    frame = pd.DataFrame([line.split(",") for line in lines_of(ROWS)], columns=HEADER.split(","))
    frame["label_id"], frame["instance_id"], frame["counted"] = 1, "film_0:1:0", 1
    frame = frame[["score", *[name for name in frame if name != "score"]]]
    frame.to_csv(tmp_path / "a.csv")
    np.testing.assert_allclose(read_table_of(tmp_path / "a.csv").values, np.arange(6) / 10)


def test_the_parquet_of_a_run(tmp_path: Path):
    from dataclasses import replace

    scores = np.linspace(-3, 3, len(ROWS)).astype(np.float32)
    write_predictions(tmp_path / "a.parquet", replace(ROWS, score=scores))
    table = read_table_of(tmp_path / "a.parquet")
    np.testing.assert_array_equal(table.values.astype(np.float32), scores)
    assert table.entity_id.tolist() == ROWS.entity_id.tolist()
    assert table.place(1).endswith("a.parquet, row 2")


@pytest.mark.parametrize("text", ["0.04", "0.040", "0.0400000001", "4e-2", "0.03999999999999999"])
def test_times_are_compared_in_milliseconds(text: str, tmp_path: Path):
    table = read_table_of(write(tmp_path / "a.csv", [f"film,{text},0,0,1,1,X,film_0:1,1"]))
    assert table.timestamp_ms.tolist() == [40]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("film,now,0,0,1,1,X,film_0:1,1", r"line 2: the frame_timestamp 'now' is not a time in seconds"),
        ("film,-1,0,0,1,1,X,film_0:1,1", r"line 2: the frame_timestamp '-1'"),
    ],
)
def test_times_that_are_none(line: str, problem: str, tmp_path: Path):
    with pytest.raises(DataError, match=problem):
        read_table_of(write(tmp_path / "a.csv", [line]))


@pytest.mark.parametrize("header", ["video_id,frame_timestamp,entity_id,label", "a,b", "score"])
def test_a_missing_column_is_named(header: str, tmp_path: Path):
    with pytest.raises(DataError, match=r"a\.csv, line 1"):
        read_table_of(write(tmp_path / "a.csv", [",".join("1" for _ in header.split(","))], header))


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00", b'"', b"PAR1"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_files_that_are_none(content: bytes, suffix: str, tmp_path: Path):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError, match="a" + suffix.replace(".", r"\.")):
        read_table_of(path)


def test_a_parquet_file_of_something_else(tmp_path: Path):
    pd.DataFrame({"video_id": ["film"], "score": ["high"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="timestamp_ms"):
        read_table_of(tmp_path / "a.parquet")
    pd.DataFrame({"video_id": ["f"], "entity_id": ["f"], "timestamp_ms": [1.5], "score": ["high"]}).to_parquet(
        tmp_path / "b.parquet"
    )
    with pytest.raises(DataError, match="not a readable Parquet file of predictions"):
        read_table_of(tmp_path / "b.parquet")


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf", "", "high", "1e39"])
@pytest.mark.parametrize("scale", ["logit", "probability"])
def test_scores_that_are_no_numbers(bad: str, scale: str, tmp_path: Path):
    scores: list[object] = [0.5, 0.5, bad, 0.5, bad, 0.5]
    table = read_table_of(write(tmp_path / "a.csv", lines_of(ROWS, scores)))
    with pytest.raises(DataError, match=rf"line 4: the score '{bad}' is not a finite number \(2 such rows\)"):
        log_odds(table, read_scale(scale))


def test_probabilities_become_log_odds(tmp_path: Path):
    values = [0.5, 0.9, 1.0, 0.0, 1e-20, 0.25]
    table = read_table_of(write(tmp_path / "a.csv", lines_of(ROWS, list(values))))
    odds, clipped = log_odds(table, "probability")
    expected = [0.0, math.log(9), 30.0, -30.0, -30.0, math.log(1 / 3)]
    np.testing.assert_allclose(odds, expected, rtol=1e-6, atol=1e-7)
    assert odds.dtype == np.float32
    assert clipped == 3


@pytest.mark.parametrize("bad", ["1.0001", "-0.1", "37"])
def test_what_is_no_probability_is_refused(bad: str, tmp_path: Path):
    table = read_table_of(write(tmp_path / "a.csv", lines_of(ROWS, [0, 1, 0.5, 0.5, bad, 0.5])))
    with pytest.raises(DataError, match=rf"line 6: the score '{bad}' is no probability.*--scores logit"):
        log_odds(table, "probability")
    assert log_odds(table, "logit")[1] == 0


def test_a_scale_is_one_of_two():
    with pytest.raises(UnknownNameError, match="logits"):
        read_scale("logits")


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str):
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    for head in ("", HEADER + "\n"):
        path.write_bytes((head + text).encode("utf-8", "surrogatepass"))
        _read_or_refuse(path)


_FIELD = st.one_of(st.sampled_from(["film", "0.04", "1e400", "", '"', "nan", "film_0:1", "\r"]), st.text(max_size=6))


@given(st.lists(st.lists(_FIELD, min_size=7, max_size=11), max_size=4))
def test_any_fields_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]):
    path = tmp_path_factory.getbasetemp() / "fields.csv"
    text = "\n".join(",".join(row) for row in rows)
    for head in ("", HEADER + "\n"):
        path.write_bytes((head + text).encode("utf-8", "surrogatepass"))
        _read_or_refuse(path)


def _read_or_refuse(path: Path) -> None:
    try:
        log_odds(read_table_of(path), "logit")
    except AsdbenchError as error:
        assert str(path) in str(error)


def test_a_foreign_parquet_file_is_refused_in_one_short_sentence(tmp_path: Path):
    path = tmp_path / "rows.parquet"
    pd.DataFrame({f"column_{number}": [number] for number in range(300)}).to_parquet(path)
    with pytest.raises(DataError, match="not a readable Parquet file") as caught:
        read_table_of(path)
    assert len(str(caught.value)) < 500 + len(str(path))
