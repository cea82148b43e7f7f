"""Reading and joining: whatever the order of rows, every row gets its own score, or the files are refused."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.errors import DataError
from asdbench.protocols.ava_files import read_labels, read_predictions
from asdbench.protocols.ava_rows import AvaRows, join_rows

HEAD = "video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,label,entity_id"
TRUTH = [
    "a,0.04,0.1,0.1,0.2,0.2,SPEAKING_AUDIBLE,a:1",
    "a,0.08,0.1,0.1,0.2,0.2,NOT_SPEAKING,a:1",
    "b,0.04,0.1,0.1,0.2,0.2,SPEAKING_NOT_AUDIBLE,b:1",
]
FOUND = [f"{row.rsplit(',', 2)[0]},SPEAKING_AUDIBLE,{row.rsplit(',', 1)[1]},{n}" for n, row in enumerate(TRUTH)]


@pytest.fixture
def write(tmp_path):
    def save(name, lines):
        path = tmp_path / name
        text = "".join(f"{line}\n" for line in lines)
        if name.endswith("gz"):
            path.write_bytes(gzip.compress(text.encode()))
        else:
            path.write_text(text, encoding="utf-8")
        return path

    return save


def score(write, truth, found, name="predictions.csv"):
    return join_rows(read_labels(write("labels.csv", truth)), read_predictions(write(name, found)))


def test_any_order_any_header_any_packing(write):
    for found in (FOUND, FOUND[::-1], [f"{HEAD},score", *FOUND[1:], FOUND[0]]):
        for name in ("predictions.csv", "predictions.csv.gz"):
            rows = score(write, TRUTH, found, name)
            assert rows.score.tolist() == [0, 1, 2]
            assert rows.label.tolist() == [1, 0, 2]
            assert rows.positive.tolist() == [True, False, False]


def test_a_header_may_leave_out_what_is_not_needed(write):
    found = ["score,entity_id,video_id,frame_timestamp,more", "2,b:1,b,0.04,x", "0,a:1,a,0.04,x", "1,a:1,a,0.08,x"]
    assert score(write, TRUTH, found).score.tolist() == [0, 1, 2]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("12"), st.integers(0, 4)), unique=True, min_size=1),
       st.randoms(use_true_random=False))  # fmt: skip
def test_joined_by_key(keys, random):
    def table(rows, scores):
        videos, entities = tuple(dict.fromkeys(key[0] for key in rows)), tuple(dict.fromkeys(key[1] for key in rows))
        return AvaRows(
            "table", videos, entities,
            np.array([videos.index(key[0]) for key in rows], np.int32),
            np.array([entities.index(key[1]) for key in rows], np.int32),
            np.array([key[2] * 0.04 for key in rows]), (), np.ones(len(rows), np.int8), scores,
        )  # fmt: skip

    value = {key: float(number) for number, key in enumerate(keys)}
    other = list(keys)
    random.shuffle(other)
    rows = join_rows(table(keys, None), table(other, np.array([value[key] for key in other])))
    assert rows.score.tolist() == [value[key] for key in keys]
    if len(keys) > 1:
        with pytest.raises(DataError, match="1 labelled rows have no prediction"):
            join_rows(table(keys, None), table(other[1:], np.array([value[key] for key in other[1:]])))
        with pytest.raises(DataError, match="1 predictions have no label"):
            join_rows(table(keys[1:], None), table(other, np.array([value[key] for key in other])))
        twice = [*other, other[0]]
        with pytest.raises(DataError, match="1 rows repeat"):
            join_rows(table(keys, None), table(twice, np.array([value[key] for key in twice])))


def test_counts_and_the_first_five(write):
    truth = [f"a,{n / 25:.2f},0,0,1,1,NOT_SPEAKING,a:1" for n in range(9)]
    found = [f"{row.replace('NOT_SPEAKING', 'SPEAKING_AUDIBLE')},0.5" for row in truth[:1]]
    with pytest.raises(
        DataError, match=r"8 labelled rows have no prediction, the first a:1 of a at 0\.040 s"
    ) as caught:
        score(write, truth, found)
    assert str(caught.value).count(" of a at ") == 5


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a,x,0,0,1,1,NOT_SPEAKING,a:1", "not a readable csv file"),
        ("a,,0,0,1,1,NOT_SPEAKING,a:1", "line 4: its time is missing"),
        ("a,-1,0,0,1,1,NOT_SPEAKING,a:1", "line 4: its time is missing"),
        ("a,1e9,0,0,1,1,NOT_SPEAKING,a:1", "line 4: its time is missing"),
        (",1,0,0,1,1,NOT_SPEAKING,a:1", "line 4: its video_id is empty"),
        ("a,1,nan,0,1,1,NOT_SPEAKING,a:1", "line 4: a coordinate"),
        ("a,1,0,0,1,1,SPEAKING,a:1", "line 4: its label 'SPEAKING' is none of"),
        ("a,1,0,0,1,1,NOT_SPEAKING", "not a readable csv file"),
    ],
)
def test_broken_labels(write, line, message):
    with pytest.raises(DataError, match=message) as caught:
        read_labels(write("labels.csv", [*TRUTH, line]))
    assert "\n" not in str(caught.value)


def test_files_that_are_none(write, tmp_path):
    for lines, message in (
        ([], "0 fields|1 fields"),
        (["a,b,c"], "3 fields and no header; expected 8 or 10"),
        ([HEAD], "no rows"),
        (["video_id,frame_timestamp,label", "a,1,NOT_SPEAKING"], "no column entity_id"),
    ):
        with pytest.raises(DataError, match=message):
            read_labels(write("labels.csv", lines))
    with pytest.raises(DataError, match="8 fields and no header; expected 9"):
        read_predictions(write("labels.csv", TRUTH))
    with pytest.raises(DataError, match="cannot be read"):
        read_labels(tmp_path / "nowhere.csv")
    (tmp_path / "broken.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(DataError, match="cannot be read"):
        read_labels(tmp_path / "broken.csv.gz")
    with pytest.raises(DataError, match="no column score"):
        join_rows(*[read_labels(write("labels.csv", TRUTH))] * 2)
