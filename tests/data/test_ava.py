"""The reader of the community AVA layout: what it joins, and what it refuses."""

from __future__ import annotations

import csv
import json
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile

from asdbench.data import open_dataset
from asdbench.data.ids import find_child, is_safe
from asdbench.errors import DataError, UnknownNameError
from asdbench.types import Dataset, Track, TrackKey
from tools.make_fixture import VIDEOS, write_fixture

ANNOTATION = "csv/val_orig.csv"
LOADER = "csv/val_loader.csv"
KEY = TrackKey("Cfilm", "Cfilm_0003_0005:1")
WAV = f"clips_audios/val/{KEY.video_id}/{KEY.entity_id}.wav"
CROPS = f"clips_videos/val/{KEY.video_id}/{KEY.entity_id}"
CROP = f"{CROPS}/3.40.jpg"


def by_key(dataset: Dataset, key: TrackKey = KEY) -> Track:
    return next(track for track in dataset.tracks if track.key == key)


def rows_of(root: Path) -> list[dict[str, str]]:
    with (root / ANNOTATION).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def edit_text(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(change(lines)) + "\n", encoding="utf-8")


def edit_line(path: Path, number: int, change: Callable[[str], str]) -> None:
    edit_text(path, lambda lines: [change(line) if n == number else line for n, line in enumerate(lines, start=1)])


def edit_field(root: Path, number: int, column: str, value: str) -> None:
    """Set one field of one line (counted from 1) of the annotation."""
    index = (root / ANNOTATION).read_text(encoding="utf-8").splitlines()[0].split(",").index(column)

    def change(line: str) -> str:
        fields = line.split(",")
        fields[index] = value
        return ",".join(fields)

    edit_line(root / ANNOTATION, number, change)


def rename_entity(root: Path, old: str, new: str) -> None:
    for file in (ANNOTATION, LOADER):
        edit_text(root / file, lambda lines: [line.replace(old, new) for line in lines])


def load_all(root: Path) -> None:
    for track in open_dataset(root).tracks:
        track.media.audio()
        track.media.faces()


# --- the fixture itself ------------------------------------------------------------------------------------------


def test_fixture_is_reproducible_and_small(fixture_root: Path, tmp_path: Path) -> None:
    again = write_fixture(tmp_path / "again")
    files = sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(fixture_root) for path in fixture_root.rglob("*") if path.is_file())
    assert all((again / file).read_bytes() == (fixture_root / file).read_bytes() for file in files)
    assert sum((again / file).stat().st_size for file in files) < 1_500_000


def test_another_seed_gives_other_media_and_the_same_annotation(fixture_root: Path, tmp_path: Path) -> None:
    other = write_fixture(tmp_path / "other", seed=1)
    assert (other / WAV).read_bytes() != (fixture_root / WAV).read_bytes()
    assert (other / CROP).read_bytes() != (fixture_root / CROP).read_bytes()
    assert (other / ANNOTATION).read_bytes() == (fixture_root / ANNOTATION).read_bytes()


def test_fixture_is_never_digitally_silent(fixture_dataset: Dataset) -> None:
    for track in fixture_dataset.tracks:
        audio = track.media.audio()
        assert np.abs(audio[: len(audio) // 320 * 320].reshape(-1, 320)).max(axis=1).min() > 0


# --- what is read ------------------------------------------------------------------------------------------------


def test_tracks_are_sorted_by_key_and_complete(fixture_dataset: Dataset) -> None:
    keys = [track.key for track in fixture_dataset.tracks]
    assert keys == sorted(keys)
    assert set(keys) == {(v.video_id, v.entity_id(i)) for v in VIDEOS for i in range(len(v.faces))}
    assert fixture_dataset.format == "ava"
    assert fixture_dataset.protocol == "ava"
    assert fixture_dataset.notes == ()


def test_joins_by_key_though_the_loader_is_in_another_order(fixture_root: Path, fixture_dataset: Dataset) -> None:
    loader = [line.split("\t") for line in (fixture_root / LOADER).read_text(encoding="utf-8").splitlines()]
    order = list(dict.fromkeys(row["entity_id"] for row in rows_of(fixture_root)))
    assert [fields[0] for fields in loader] != order, "the fixture must shuffle, or this test shows nothing"
    tracks = {track.entity_id: track for track in fixture_dataset.tracks}
    for entity, frames, fps, labels, _ in loader:
        assert len(tracks[entity]) == int(frames)
        assert tracks[entity].fps == float(fps)
        assert tracks[entity].labels.tolist() == json.loads(labels)


def test_order_of_annotation_rows_means_nothing(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    edit_text(fixture_copy / ANNOTATION, lambda lines: [lines[0], *lines[:0:-1]])
    assert open_dataset(fixture_copy).fingerprint == fixture_dataset.fingerprint


def test_frame_rates(fixture_dataset: Dataset) -> None:
    slow = {track.video_id: track.fps for track in fixture_dataset.tracks if track.fps != 25}
    assert slow == {"E5mTqLw": 30.0, "f0000006": 30.0}


def test_labels_and_times_follow_the_text(fixture_root: Path, fixture_dataset: Dataset) -> None:
    rows = rows_of(fixture_root)
    assert {row["label"] for row in rows} == {"SPEAKING_AUDIBLE", "NOT_SPEAKING", "SPEAKING_NOT_AUDIBLE"}
    for track in fixture_dataset.tracks:
        own = [row for row in rows if (row["video_id"], row["entity_id"]) == track.key]
        assert track.labels.tolist() == [int(row["label"] == "SPEAKING_AUDIBLE") for row in own]
        assert track.timestamps_ms.tolist() == [round(float(row["frame_timestamp"]) * 1000) for row in own]
        assert track.labels.dtype == np.int8
        assert track.timestamps_ms.dtype == np.int64


def test_runs(fixture_dataset: Dataset) -> None:
    faces = {(v.video_id, v.entity_id(i)): face for v in VIDEOS for i, face in enumerate(v.faces)}
    for track in fixture_dataset.tracks:
        assert [(run.first, run.stop) for run in track.speaking_runs] == list(faces[track.key].speaks)
    short, long = by_key(fixture_dataset).speaking_runs
    assert (short.start_ms, short.end_ms, short.long_enough) == (3_120, 3_440, False)
    assert (short.start_sample, short.end_sample) == (120 * 16, 440 * 16)
    assert (long.duration_ms, long.long_enough) == (1_280, True)
    assert short.run_id == "Cfilm|Cfilm_0003_0005:1|3120"


def test_a_gap_in_time_ends_a_run(fixture_copy: Path) -> None:
    edit_text(
        fixture_copy / ANNOTATION, lambda lines: [x for x in lines if f",{KEY.entity_id}," not in x or ",4." in x]
    )
    drop = {f"{KEY.video_id},4.{hundredths:02d}," for hundredths in (40, 44)}
    edit_text(fixture_copy / ANNOTATION, lambda lines: [x for x in lines if not x.startswith(tuple(drop))])
    (fixture_copy / LOADER).unlink()
    track = by_key(open_dataset(fixture_copy))
    assert [(run.start_ms, run.end_ms) for run in track.speaking_runs] == [(4_000, 4_400), (4_480, 4_960)]


def test_num_samples_agrees_with_the_wavs(fixture_root: Path, fixture_dataset: Dataset) -> None:
    for track in fixture_dataset.tracks:
        wav = fixture_root / f"clips_audios/val/{track.video_id}/{track.entity_id}.wav"
        assert track.num_samples == soundfile.info(wav).frames


def test_audio_and_faces_are_those_on_disk(fixture_root: Path, fixture_dataset: Dataset) -> None:
    for track in (by_key(fixture_dataset), fixture_dataset.tracks[1], fixture_dataset.tracks[-1]):
        wav = fixture_root / f"clips_audios/val/{track.video_id}/{track.entity_id}.wav"
        samples, _ = soundfile.read(wav, dtype="int16")
        np.testing.assert_array_equal(track.media.audio(), samples)
        crops = sorted((fixture_root / f"clips_videos/val/{track.video_id}/{track.entity_id}").iterdir(), key=seconds)
        for face, path in zip(track.media.faces(), crops, strict=True):
            np.testing.assert_array_equal(face, cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2GRAY))
            assert face.dtype == np.uint8


def seconds(path: Path) -> float:
    return float(path.stem)


def test_faces_that_nobody_annotated_are_left_out(fixture_copy: Path) -> None:
    shutil.copy(fixture_copy / CROP, fixture_copy / CROPS / "99.00.jpg")
    (fixture_copy / CROPS / "Thumbs.db").write_text("x", encoding="utf-8")
    assert len(by_key(open_dataset(fixture_copy)).media.faces()) == 51


def test_wav_up_to_80_ms_short_is_accepted(fixture_copy: Path) -> None:
    samples, _ = soundfile.read(fixture_copy / WAV, dtype="int16")
    soundfile.write(fixture_copy / WAV, samples[:-1280], 16_000)
    assert len(by_key(open_dataset(fixture_copy)).media.audio()) == len(samples) - 1280


def test_percent_encoded_names_still_load(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    (fixture_copy / WAV).rename((fixture_copy / WAV).with_name("Cfilm_0003_0005%3A1.wav"))
    (fixture_copy / CROPS).rename((fixture_copy / CROPS).with_name("Cfilm_0003_0005%3A1"))
    track, original = by_key(open_dataset(fixture_copy)), by_key(fixture_dataset)
    np.testing.assert_array_equal(track.media.audio(), original.media.audio())
    assert len(track.media.faces()) == len(original)
    assert open_dataset(fixture_copy).fingerprint == fixture_dataset.fingerprint


def test_find_child_names_the_verbatim_path_when_neither_exists(tmp_path: Path) -> None:
    assert find_child(tmp_path, "a:1") == tmp_path / "a:1"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "../../etc", "a\0b", "/abs"])
def test_unsafe_ids(name: str) -> None:
    assert not is_safe(name)


@pytest.mark.parametrize("name", ["a", "a:1", "a b", "..a", "-x", "ä"])
def test_safe_ids(name: str) -> None:
    assert is_safe(name)


def test_wasd_pieces_share_their_source(fixture_copy: Path) -> None:
    pieces = {"aa": "Q9f-XyZ_012_0-30", "b-7": "Q9f-XyZ_012_30-60", "Cfilm": "Q9f-XyZ_013_0-30"}
    for old, new in pieces.items():
        edit_text(
            fixture_copy / ANNOTATION,
            lambda lines, old=old, new=new: [
                x.replace(f"{old},", f"{new},", 1) if x.startswith(old) else x for x in lines
            ],
        )
    sources = {track.video_id: track.source_id for track in open_dataset(fixture_copy).tracks}
    assert sources["Q9f-XyZ_012_0-30"] == sources["Q9f-XyZ_012_30-60"] == "Q9f-XyZ_012"
    assert sources["Q9f-XyZ_013_0-30"] == "Q9f-XyZ_013"
    assert sources["h123456789"] == "h123456789"


def test_without_loader_frame_rates_are_measured_and_noted(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    (fixture_copy / LOADER).unlink()
    dataset = open_dataset(fixture_copy)
    assert any("val_loader.csv" in note and "measured" in note for note in dataset.notes)
    for track, known in zip(dataset.tracks, fixture_dataset.tracks, strict=True):
        assert track.fps == pytest.approx(known.fps, abs=0.2)
        assert track.fps == 25.0 or known.fps != 25.0


def test_loader_labels_that_contradict_the_text_are_noted_and_do_not_count(
    fixture_copy: Path, fixture_dataset: Dataset
) -> None:
    edit_line(fixture_copy / LOADER, 1, _flip_labels)
    dataset = open_dataset(fixture_copy)
    assert any("1 tracks: labels" in note for note in dataset.notes)
    assert dataset.fingerprint == fixture_dataset.fingerprint


def _flip_labels(line: str) -> str:
    fields = line.split("\t")
    fields[3] = json.dumps([1 - label for label in json.loads(fields[3])])
    return "\t".join(fields)


def test_loader_with_a_byte_order_mark(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    for file in (ANNOTATION, LOADER):
        text = (fixture_copy / file).read_text(encoding="utf-8")
        (fixture_copy / file).write_text(text, encoding="utf-8-sig")
    assert open_dataset(fixture_copy).fingerprint == fixture_dataset.fingerprint


def test_without_film_the_window_is_cut_at_both_ends(fixture_dataset: Dataset) -> None:
    track = by_key(fixture_dataset)
    audio = track.media.audio()
    assert track.audio_margin == (0, 0)
    np.testing.assert_array_equal(track.media.audio_window(-500, 700), audio[:700])
    np.testing.assert_array_equal(track.media.audio_window(len(audio) - 100, len(audio) + 900), audio[-100:])
    assert len(track.media.audio_window(-500, -100)) == 0
    assert len(track.media.audio_window(len(audio) + 100, len(audio) + 900)) == 0


@pytest.mark.parametrize(("split", "films"), [("val", "trainval"), ("test", "test")])
def test_film_audio_gives_margin_and_window(fixture_copy: Path, split: str, films: str) -> None:
    if split != "val":
        for path in sorted(fixture_copy.rglob("val*")):
            path.rename(path.with_name(path.name.replace("val", split, 1)))
    film = np.random.default_rng(0).integers(-900, 900, 6 * 16_000).astype(np.int16)
    (fixture_copy / "orig_audios" / films).mkdir(parents=True)
    soundfile.write(fixture_copy / "orig_audios" / films / "Cfilm.wav", film, 16_000)
    dataset = open_dataset(fixture_copy, split)
    track = by_key(dataset)
    assert track.audio_margin == (48_000, 16_000)
    np.testing.assert_array_equal(track.media.audio_window(-1_600, 1_600), film[46_400:49_600])
    np.testing.assert_array_equal(track.media.audio_window(31_000, 99_000), film[79_000:])
    np.testing.assert_array_equal(track.media.audio_window(-99_000, 10), film[:48_010])
    assert all(other.audio_margin == (0, 0) for other in dataset.tracks if other.video_id != "Cfilm")


def test_fingerprint_changes_with_one_label(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    assert open_dataset(fixture_copy).fingerprint == fixture_dataset.fingerprint, "not with the place on disk"
    labels = [row["label"] for row in rows_of(fixture_copy)]
    edit_field(fixture_copy, 2 + labels.index("NOT_SPEAKING"), "label", "SPEAKING_AUDIBLE")
    assert open_dataset(fixture_copy).fingerprint != fixture_dataset.fingerprint


def test_fingerprint_changes_with_a_frame_rate(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    edit_line(fixture_copy / LOADER, 1, lambda line: line.replace("\t25.0\t", "\t24.0\t"))
    assert open_dataset(fixture_copy).fingerprint != fixture_dataset.fingerprint


def test_annotation_and_names_do_not_need_media(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    shutil.rmtree(fixture_copy / "clips_audios")
    shutil.rmtree(fixture_copy / "clips_videos")
    assert open_dataset(fixture_copy).fingerprint == fixture_dataset.fingerprint


def test_name_is_from_folder_and_split_or_as_given(fixture_copy: Path) -> None:
    assert open_dataset(fixture_copy).name == "copy-val"
    assert open_dataset(fixture_copy, name="mine").name == "mine"


# --- faults ------------------------------------------------------------------------------------------------------

Fault = Callable[[Path], object]


def cut(path: str, keep: float) -> Fault:
    def fault(root: Path) -> None:
        data = (root / path).read_bytes()
        (root / path).write_bytes(data[: int(len(data) * keep)])

    return fault


def wav(samples: int, channels: int = 1, rate: int = 16_000) -> Fault:
    return lambda root: soundfile.write(root / WAV, np.ones((samples, channels), dtype=np.int16), rate)


def write(path: str, text: str) -> Fault:
    return lambda root: (root / path).write_text(text, encoding="utf-8")


def set_field(column: str, value: str) -> Fault:
    return lambda root: edit_field(root, 7, column, value)


def loader_field(index: int, value: str) -> Fault:
    def change(line: str) -> str:
        fields = line.split("\t")
        fields[index] = value
        return "\t".join(fields)

    return lambda root: edit_line(root / LOADER, 3, change)


def unlink(path: str) -> Fault:
    return lambda root: (root / path).unlink()


def fewer_crops(root: Path) -> None:
    for path in sorted((root / CROPS).iterdir(), key=seconds)[40:]:
        path.unlink()


def vast_png(root: Path) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 200_000, 200_000, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", len(header) - 4) + header + struct.pack(">I", zlib.crc32(header))
    (root / CROP).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)


MEDIA_FAULTS: dict[str, tuple[Fault, str, str]] = {
    "missing jpg": (unlink(CROP), CROP, "missing.* 1 of 51 labelled frames"),
    "fewer crops than labels": (fewer_crops, f"{CROPS}/4.60.jpg", "missing.* 11 of 51 labelled frames"),
    "missing folder of crops": (lambda root: shutil.rmtree(root / CROPS), CROPS, "folder of face crops cannot be read"),
    "truncated jpg": (cut(CROP, 0.8), CROP, "truncated JPEG"),
    "jpg without its last byte": (cut(CROP, 0.999), CROP, "truncated JPEG"),
    "empty jpg": (cut(CROP, 0), CROP, "not a readable image"),
    "text saved as jpg": (write(CROP, "<html>404</html>"), CROP, "not a readable image"),
    "png that claims 40 billion pixels": (vast_png, CROP, "not a readable image"),
    "crop not named by time": (write(f"{CROPS}/face.jpg", ""), f"{CROPS}/face.jpg", "not a time in seconds"),
    "truncated wav": (cut(WAV, 0.98), WAV, "truncated"),
    "wav header only in part": (cut(WAV, 0.0003), WAV, "truncated"),
    "empty wav": (cut(WAV, 0), WAV, "not a readable wav"),
    "text saved as wav": (write(WAV, "<html>404</html>"), WAV, "not a readable wav"),
    "missing wav": (unlink(WAV), WAV, "audio file is missing"),
    "stereo wav": (wav(32_000, channels=2), WAV, r"2 channel\(s\) at 16000 Hz, expected mono"),
    "44.1 kHz wav": (wav(88_200, rate=44_100), WAV, r"1 channel\(s\) at 44100 Hz, expected mono at 16000"),
    "wav much shorter than the labels": (wav(30_000), WAV, r"1\.88 s of audio for 51 labelled frames that span 2\.00"),
    "wav without samples": (wav(0), WAV, r"0\.00 s of audio"),
}

ANNOTATION_FAULTS: dict[str, tuple[Fault, str, str]] = {
    "missing csv": (unlink(ANNOTATION), ".", "no known data format"),
    "no column": (
        lambda root: edit_line(root / ANNOTATION, 1, lambda line: line.replace("entity_id", "face", 1)),
        f"{ANNOTATION}, line 1",
        "no column entity_id",
    ),
    "empty csv": (write(ANNOTATION, ""), ANNOTATION, "not a readable csv"),
    "csv of a header": (lambda root: edit_text(root / ANNOTATION, lambda x: x[:1]), ANNOTATION, "no rows"),
    "not text": (lambda root: (root / ANNOTATION).write_bytes(b"\xff\xfe\x00,\x80"), ANNOTATION, "not a readable csv"),
    "row too long": (
        lambda root: edit_line(root / ANNOTATION, 7, lambda line: line + ",1,2"),
        ANNOTATION,
        "not a readable csv.*line 7",
    ),
    "first row too long": (
        lambda root: edit_line(root / ANNOTATION, 2, lambda line: line + ",1"),
        ANNOTATION,
        "not a readable csv|line 2",
    ),
    "row too short": (
        lambda root: edit_line(root / ANNOTATION, 7, lambda line: line.rsplit(",", 4)[0]),
        f"{ANNOTATION}, line 7",
        "label",
    ),
    "row without its entity": (
        lambda root: edit_line(root / ANNOTATION, 7, lambda line: line.rsplit(",", 3)[0]),
        f"{ANNOTATION}, line 7",
        "entity_id",
    ),
    "duplicate key": (
        lambda root: edit_text(root / ANNOTATION, lambda x: [*x[:20], x[6], *x[20:]]),
        f"{ANNOTATION}, line 21",
        "same video, entity and time as line 7",
    ),
    "unknown label": (set_field("label", "SPEAKING"), f"{ANNOTATION}, line 7", "label 'SPEAKING' is none of"),
    "empty label": (set_field("label", ""), f"{ANNOTATION}, line 7", "label '' is none of"),
    "time in words": (set_field("frame_timestamp", "noon"), f"{ANNOTATION}, line 7", "'noon' is not a time"),
    "empty time": (set_field("frame_timestamp", ""), f"{ANNOTATION}, line 7", "is not a time"),
    "nan time": (set_field("frame_timestamp", "nan"), f"{ANNOTATION}, line 7", "is not a time"),
    "infinite time": (set_field("frame_timestamp", "inf"), f"{ANNOTATION}, line 7", "is not a time"),
    "negative time": (set_field("frame_timestamp", "-0.2"), f"{ANNOTATION}, line 7", "is not a time"),
    "absurd time": (set_field("frame_timestamp", "1e300"), f"{ANNOTATION}, line 7", "is not a time"),
    "entity leaves its folder": (set_field("entity_id", "../../etc"), f"{ANNOTATION}, line 7", "cannot name a file"),
    "video leaves its folder": (set_field("video_id", ".."), f"{ANNOTATION}, line 7", "cannot name a file"),
    "absolute video": (set_field("video_id", "/etc"), f"{ANNOTATION}, line 7", "cannot name a file"),
    "empty entity": (set_field("entity_id", ""), f"{ANNOTATION}, line 7", "entity_id '' cannot name"),
    "empty video": (set_field("video_id", ""), f"{ANNOTATION}, line 7", "video_id '' cannot name"),
    "loader: wrong count": (loader_field(1, "50"), f"{LOADER}, line 3", "50 frames for the entity"),
    "loader: count in words": (loader_field(1, "many"), f"{LOADER}, line 3", "expected entity_id, frames, fps"),
    "loader: frame rate": (loader_field(2, "0"), f"{LOADER}, line 3", "frame rate of 0 is not credible"),
    "loader: nan frame rate": (loader_field(2, "nan"), f"{LOADER}, line 3", "frame rate of nan is not credible"),
    "loader: labels cut off": (loader_field(3, "[0, 1, 1"), f"{LOADER}, line 3", "expected entity_id, frames, fps"),
    "loader: labels no list": (loader_field(3, "7"), f"{LOADER}, line 3", "expected entity_id, frames, fps"),
    "loader: infinite label": (loader_field(3, "[Infinity]"), f"{LOADER}, line 3", "expected entity_id, frames, fps"),
    "loader: commas": (
        lambda root: edit_line(root / LOADER, 3, lambda line: line.replace("\t", ",")),
        f"{LOADER}, line 3",
        "expected entity_id, frames, fps",
    ),
    "loader: not text": (lambda root: (root / LOADER).write_bytes(b"\xff\xfe\x80\n"), LOADER, r"loader\.csv"),
    "loader: entity twice": (
        lambda root: edit_text(root / LOADER, lambda lines: [*lines, lines[2]]),
        f"{LOADER}, line 14",
        "stands on line 3 too",
    ),
    "loader: no line for an entity": (
        lambda root: edit_text(root / LOADER, lambda lines: lines[1:]),
        LOADER,
        "no line for the entity",
    ),
}


@pytest.mark.parametrize("fault", MEDIA_FAULTS)
def test_broken_media_is_refused_with_its_path(fixture_copy: Path, fault: str) -> None:
    spoil, where, what = MEDIA_FAULTS[fault]
    load_all(fixture_copy)
    spoil(fixture_copy)
    open_dataset(fixture_copy)
    assert_refused(fixture_copy, where, what)


@pytest.mark.parametrize("fault", ANNOTATION_FAULTS)
def test_broken_annotation_is_refused_with_path_and_line(fixture_copy: Path, fault: str) -> None:
    spoil, where, what = ANNOTATION_FAULTS[fault]
    spoil(fixture_copy)
    assert_refused(fixture_copy, where, what)


def assert_refused(root: Path, where: str, what: str) -> None:
    with pytest.raises(DataError, match=what) as caught:
        load_all(root)
    message = str(caught.value)
    assert str(root / where) in message
    assert "\n" not in message
    assert len(message.removeprefix(str(root / where))) > 20


def test_one_frame_without_loader_names_the_file(fixture_copy: Path) -> None:
    (fixture_copy / LOADER).unlink()
    edit_text(fixture_copy / ANNOTATION, lambda lines: lines[:2])
    with pytest.raises(DataError, match=r"one frame.*frame rate is unknown") as caught:
        open_dataset(fixture_copy)
    assert str(fixture_copy / ANNOTATION) in str(caught.value)


def test_a_measured_rate_that_is_not_credible(fixture_copy: Path) -> None:
    (fixture_copy / LOADER).unlink()
    rows = [line.split(",") for line in (fixture_copy / ANNOTATION).read_text().splitlines()]
    column = rows[0].index("frame_timestamp")
    for row in rows[1:]:
        row[column] = str(1000 * float(row[column]))
    (fixture_copy / ANNOTATION).write_text("\n".join(map(",".join, rows)))
    with pytest.raises(DataError, match=r"a frame rate of 0\.0\d is not credible; expected .* 1 to 240") as caught:
        open_dataset(fixture_copy)
    assert str(fixture_copy / ANNOTATION) in str(caught.value)


def test_missing_split_names_those_that_exist(fixture_root: Path) -> None:
    with pytest.raises(DataError, match=r"test_orig\.csv: the annotation file is missing; splits found there: val"):
        open_dataset(fixture_root, split="test")


def test_not_a_data_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no known data format"):
        open_dataset(tmp_path)
    with pytest.raises(DataError, match="no such folder") as caught:
        open_dataset(tmp_path / "nowhere")
    assert str(tmp_path / "nowhere") in str(caught.value)


def test_unknown_format(fixture_root: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean ava"):
        open_dataset(fixture_root, data_format="avaa")
