"""The community layout as it is written: columns, names, and what other code bases find."""

from __future__ import annotations

import ast
import csv
import io
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile

from asdbench.data.layout import (
    ORIG_COLUMNS,
    TRACK_COLUMNS,
    CommunityLayout,
    TrackRows,
    encode_face,
    encode_wav,
    face_name,
)
from asdbench.types import IGNORE, Dataset
from tests.data.good import read_csv
from tests.data.test_info import track


def test_names_of_crops() -> None:
    assert [face_name(time) for time in (0, 40, 902_000, 33, 1_005)] == [
        "0.00.jpg", "0.04.jpg", "902.00.jpg", "0.033.jpg", "1.005.jpg",
    ]  # fmt: skip
    assert face_name(40, ".png") == "0.04.png"
    assert face_name(40, "") == "0.04"


def test_times_come_back() -> None:
    times = [*range(0, 5_000, 7), 1_799_993, 7_200_001]
    assert [round(float(face_name(time, "")) * 1000) for time in times] == times


def test_paths(tmp_path: Path) -> None:
    first = track("v", "v:0", 0, "--")
    layout = CommunityLayout(tmp_path, "val")
    assert layout.wav(first) == tmp_path / "clips_audios/val/v/v:0.wav"
    assert layout.faces(first) == tmp_path / "clips_videos/val/v/v:0"
    assert layout.film("v") == tmp_path / "orig_audios/trainval/v.wav"
    assert CommunityLayout(tmp_path, "test").film("v") == tmp_path / "orig_audios/test/v.wav"


def test_tables_as_other_code_reads_them(fixture_dataset: Dataset, tmp_path: Path) -> None:
    """The loader file stands in the order of the annotation, on which the official evaluations rely."""
    tracks = fixture_dataset.tracks
    CommunityLayout(tmp_path, "val").write_tables(TrackRows(each, each.labels) for each in reversed(tracks))
    rows = read_csv(tmp_path / "csv/val_orig.csv")
    assert tuple(rows[0]) == ORIG_COLUMNS
    lines = [line.split("\t") for line in (tmp_path / "csv/val_loader.csv").read_text().splitlines()]
    assert [line[0] for line in lines] == [each.entity_id for each in tracks]
    assert [row["entity_id"] for row in rows] == [each.entity_id for each in tracks for _ in range(len(each))]
    flat = [label for line in lines for label in ast.literal_eval(line[3])]
    assert flat == [int(row["label_id"] == "1") for row in rows]
    assert [int(line[1]) for line in lines] == [len(each) for each in tracks]
    assert [float(line[2]) for line in lines] == [each.fps for each in tracks]
    assert all(row["frame_timestamp"].partition(".")[2] for row in rows), "times without a point would match nothing"


def test_optional_columns_only_where_they_are_needed(tmp_path: Path) -> None:
    plain = track("v", "a", 0, "+-+-")
    within = np.tile(np.array([0.1, 0.2, 0.9, 0.8], dtype=np.float32), (4, 1))
    cropped = replace(plain, entity_id="b", face_in_crop=within)
    labels = np.array([1, 0, IGNORE, 0], dtype=np.int8)
    layout = CommunityLayout(tmp_path, "val")
    layout.write_tables([TrackRows(plain, labels), TrackRows(cropped, plain.labels)])
    rows = read_csv(tmp_path / "csv/val_orig.csv")
    assert [row["counted"] for row in rows] == ["1", "1", "0", "1"] + ["1"] * 4
    assert [row["label"] for row in rows[:4]] == ["SPEAKING_AUDIBLE", *["NOT_SPEAKING"] * 3]
    assert [float(rows[index]["face_x1"]) for index in (0, 4)] == pytest.approx([0, 0.1])
    assert rows[0]["entity_box_x1"] == "", "what is not known stays empty"
    layout.write_tables([TrackRows(plain, plain.labels)])
    assert tuple(read_csv(tmp_path / "csv/val_orig.csv")[0]) == ORIG_COLUMNS


def test_voices_are_written_where_every_track_has_them(tmp_path: Path) -> None:
    known = replace(track("v", "a", 0, "+-+-"), voiced=np.array([True, True, False, False]))
    unknown = track("v", "b", 0, "+-+-")
    layout = CommunityLayout(tmp_path, "val")
    layout.write_tables([TrackRows(known, known.labels)])
    assert [row["voiced"] for row in read_csv(tmp_path / "csv/val_orig.csv")] == ["1", "1", "0", "0"]
    layout.write_tables([TrackRows(each, each.labels) for each in (known, unknown)])
    assert "voiced" not in read_csv(tmp_path / "csv/val_orig.csv")[0]


def test_facts_of_tracks(tmp_path: Path) -> None:
    known = track(
        "v", "a", 0, "--", person_id="P", sentence_id="7", categories=("far", "noisy"), frame_size=(640, 480),
        fps=30_000 / 1001, audio_margin=(16, 32), dubbed=np.array([True, False]),
    )  # fmt: skip
    CommunityLayout(tmp_path, "val").write_tables([TrackRows(known, known.labels)])
    (row,) = read_csv(tmp_path / "csv/val_tracks.csv")
    assert tuple(row) == TRACK_COLUMNS
    assert row["categories"] == "far|noisy"
    assert (row["frame_width"], row["frame_height"], row["audio_before"], row["audio_after"]) == (
        "640",
        "480",
        "16",
        "32",
    )
    assert float(row["fps"]) == 30_000 / 1001
    assert row["kind"] == "dubbed"
    labels = [row["label"] for row in read_csv(tmp_path / "csv/val_orig.csv")]
    assert labels == ["SPEAKING_NOT_AUDIBLE", "NOT_SPEAKING"]


def test_ids_with_commas_and_quotes(tmp_path: Path) -> None:
    odd = track('v,"1"', "a;\N{SNOWMAN}", 0, "--")
    CommunityLayout(tmp_path, "val").write_tables([TrackRows(odd, odd.labels)])
    with (tmp_path / "csv/val_orig.csv").open(newline="", encoding="utf-8") as file:
        assert {(row["video_id"], row["entity_id"]) for row in csv.DictReader(file)} == {odd.key}


def test_sound_and_crops_come_back() -> None:
    samples = np.array([-32768, -1, 0, 1, 32767], dtype=np.int16)
    back, rate = soundfile.read(io.BytesIO(encode_wav(samples)), dtype="int16")
    np.testing.assert_array_equal(back, samples)
    assert rate == 16_000
    face = np.random.default_rng(0).integers(0, 256, (20, 31), dtype=np.uint8)
    png, jpg = (np.frombuffer(encode_face(face, suffix), np.uint8) for suffix in (".png", ".jpg"))
    np.testing.assert_array_equal(cv2.imdecode(png, cv2.IMREAD_GRAYSCALE), face)
    assert cv2.imdecode(jpg, cv2.IMREAD_GRAYSCALE).shape == face.shape
