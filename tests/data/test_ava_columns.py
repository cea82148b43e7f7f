"""What data/layout.py writes beside the community's columns is read back: nothing that a plan needs is lost."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asdbench.data import open_dataset
from asdbench.data.fingerprint import fingerprint
from asdbench.data.layout import CommunityLayout, TrackRows
from asdbench.errors import DataError
from asdbench.types import Dataset, Track

TRACKS = "csv/val_tracks.csv"


def told(dataset: Dataset) -> list[Track]:
    """Return the tracks with something in every optional field of at least one."""
    first, second, *rest = dataset.tracks
    third = next(track for track in rest if track.labels.any())
    length = len(first)
    scored = np.arange(length) % 3 > 0
    face = np.linspace([0.1, 0.2, 0.7, 0.8], [0.25, 0.25, 0.9, 1.0], length).astype(np.float32)
    boxes = np.linspace([-0.1, 0.2, 0.3, 0.4], [0.6, 0.5, 0.7, 1.2], length).astype(np.float32)
    first = replace(first, source_id="film", person_id="p,1", sentence_id="s", scored=scored, face_in_crop=face)
    first = replace(first, boxes=boxes, frame_size=(640, 360), categories=("OC", "easy"), fps=25.0)
    changed = [first, replace(second, person_id="p2", boxes=None)]
    if first.video_id == second.video_id:
        changed[1] = replace(changed[1], source_id="film")
    quiet = np.zeros_like(third.labels)
    dub = replace(third, labels=quiet, dubbed=third.labels == 1)
    every = [*changed, *(dub if track is third else track for track in rest)]
    return [replace(track, voiced=np.arange(len(track)) % 4 > i % 3) for i, track in enumerate(every)]


@pytest.fixture
def prepared(fixture_copy: Path, fixture_dataset: Dataset) -> tuple[Path, list[Track]]:
    shutil.rmtree(fixture_copy / "csv")
    tracks = told(fixture_dataset)
    CommunityLayout(fixture_copy, "val").write_tables(TrackRows(track, track.labels) for track in tracks)
    return fixture_copy, tracks


def edit(root: Path, old: str, new: str, file: str = TRACKS) -> None:
    text = (root / file).read_text(encoding="utf-8")
    assert old in text
    (root / file).write_text(text.replace(old, new, 1), encoding="utf-8")


def test_everything_comes_back(prepared: tuple[Path, list[Track]]) -> None:
    root, tracks = prepared
    dataset = open_dataset(root)
    assert dataset.fingerprint == fingerprint(tracks)
    for found, written in zip(dataset.tracks, tracks, strict=True):
        for name in ("key", "source_id", "person_id", "sentence_id", "fps", "frame_size", "categories"):
            assert getattr(found, name) == getattr(written, name), name
        for name in ("timestamps_ms", "labels", "dubbed", "scored", "boxes", "face_in_crop", "voiced"):
            np.testing.assert_array_equal(getattr(found, name), getattr(written, name), name)
    assert any(track.dubbed is not None for track in dataset.tracks)
    assert dataset.notes == ()


def test_frame_rates_come_from_the_table_where_there_is_no_loader_file(prepared: tuple[Path, list[Track]]) -> None:
    root, tracks = prepared
    (root / "csv/val_loader.csv").unlink()
    dataset = open_dataset(root)
    assert [track.fps for track in dataset.tracks] == [track.fps for track in tracks]
    assert dataset.notes == ()


def test_margins_are_no_larger_than_told_nor_than_the_film(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    import soundfile

    track = fixture_dataset.tracks[0]
    start = int(track.timestamps_ms[0]) * 16
    film = fixture_copy / f"orig_audios/trainval/{track.video_id}.wav"
    film.parent.mkdir(parents=True)
    soundfile.write(film, np.zeros(start + track.num_samples + 1_000, np.int16), 16_000)
    shutil.rmtree(fixture_copy / "csv")
    for told, wanted in (((10**6, 700), (start, 700)), ((0, 10**6), (0, 1_000))):
        tracks = [replace(track, audio_margin=told), *fixture_dataset.tracks[1:]]
        CommunityLayout(fixture_copy, "val").write_tables(TrackRows(each, each.labels) for each in tracks)
        assert open_dataset(fixture_copy).tracks[0].audio_margin == wanted


def test_a_folder_without_these_files_keeps_its_fingerprint(fixture_dataset: Dataset, shared: Path) -> None:
    known = "6654552b0182a948aad4544a0f0b9cfac29deb466ea4a9235376f2ccb57dd132"  # before there were these columns
    assert open_dataset(shared / "clips/ava_layout").fingerprint == known
    assert fixture_dataset.tracks[0].boxes is not None


FAULTS = {
    "unknown track": ("Cfilm,", "Cfoam,", rf"{TRACKS}, line 2: the track .* has no row in val_orig\.csv"),
    "half a size": (",640,360,", ",640,,", rf"{TRACKS}, line 2: only one of frame_width and frame_height"),
    "size in words": (",640,", ",wide,", rf"{TRACKS}, line 2: the frame_width 'wide' is not a number"),
    "size with a fraction": (",640,", ",640.5,", rf"{TRACKS}, line 2: the frame_width"),
    "absurd rate": (",25.0,", ",1e9,", rf"{TRACKS}, line 2: the fps '1e9' is not a number from 1 to 240"),
    "another rate": (",25.0,", ",50.0,", rf"{TRACKS}, line 2: 50 frames per second .* 40 ms apart"),
    "column nearly there": ("source_id", "Source_id", rf"{TRACKS}, line 1: the column 'Source_id'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_broken_tables_are_refused_with_file_and_line(prepared: tuple[Path, list[Track]], fault: str) -> None:
    old, new, words = FAULTS[fault]
    edit(prepared[0], old, new)
    with pytest.raises(DataError, match=words):
        open_dataset(prepared[0])


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("counted", "2", "line 2: the counted '2' is neither 0 nor 1"),
        ("counted", "", "line 2: the counted '' is neither 0 nor 1"),
        ("voiced", "maybe", "line 2: the voiced 'maybe' is neither 0 nor 1"),
        ("face_x1", "nan", "line 2: the face_x1 'nan' is not a share of the crop"),
        ("face_x2", "0", "line 2: the face_x2 '0' is not larger than face_x1"),
    ],
)
def test_broken_columns_are_refused_with_file_and_line(
    prepared: tuple[Path, list[Track]], column: str, value: str, words: str
) -> None:
    path = prepared[0] / "csv/val_orig.csv"
    header, first, *rest = path.read_text(encoding="utf-8").splitlines()
    fields = first.split(",")
    fields[header.split(",").index(column)] = value
    path.write_text("\n".join([header, ",".join(fields), *rest]), encoding="utf-8")
    with pytest.raises(DataError, match=words):
        open_dataset(prepared[0])


def test_a_dubbed_track_that_speaks(prepared: tuple[Path, list[Track]]) -> None:
    edit(prepared[0], "SPEAKING_NOT_AUDIBLE", "SPEAKING_AUDIBLE", "csv/val_orig.csv")
    dubbed = next(track for track in prepared[1] if track.dubbed is not None)
    words = rf"SPEAKING_AUDIBLE in a track that is dubbed|{dubbed.entity_id}"
    with pytest.raises(DataError, match=words):
        (prepared[0] / "csv/val_loader.csv").unlink()
        open_dataset(prepared[0])
