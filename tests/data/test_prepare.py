"""What is prepared reads like its source, bit for bit; what was stopped is continued; nothing else is overwritten."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import asdbench
import asdbench.data.prepare
import asdbench.data.prepare_clip
import asdbench.data.video
from asdbench.data import open_dataset
from asdbench.data.media import read_wav
from asdbench.data.prepare import PrepareOptions, prepare
from asdbench.data.prepare_clip import Clip, prepare_clip
from asdbench.errors import DataError, NotComparableError, ResourceError, UsageError
from asdbench.perturb.plan import plan
from asdbench.suites import load_suite
from asdbench.types import SAMPLE_RATE, Dataset
from tests.data.ego4d_films import write_small
from tests.data.films import Film, Sound
from tests.data.good import (
    FRAMES,
    LEFT,
    files_of,
    film,
    opened,
    prepared,
    read_csv,
    rows_of,
    textured,
    voice,
    write_csv,
    write_good,
)

_PLAIN = (
    "video_id",
    "entity_id",
    "source_id",
    "fps",
    "num_samples",
    "audio_margin",
    "person_id",
    "sentence_id",
    "categories",
)
_ARRAYS = ("timestamps_ms", "labels", "dubbed", "scored", "boxes", "face_in_crop")


@pytest.fixture(scope="module")
def good_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_good(tmp_path_factory.mktemp("good") / "good")


@pytest.fixture
def good(good_root: Path, tmp_path: Path) -> Path:
    """A copy that the test may spoil."""
    return Path(shutil.copytree(good_root, tmp_path / "good"))


@pytest.fixture(scope="module")
def done(good_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set, prepared; read only."""
    out = tmp_path_factory.mktemp("prepared") / "out"
    prepared(good_root, out)
    return out


def same(source: Dataset, out: Dataset) -> None:
    """Check that two data sets hold the same annotation and the same media."""
    assert [track.key for track in out.tracks] == [track.key for track in source.tracks]
    for before, after in zip(source.tracks, out.tracks, strict=True):
        for name in _PLAIN:
            assert getattr(after, name) == getattr(before, name), (name, before.key)
        for name in _ARRAYS:
            left, right = getattr(before, name), getattr(after, name)
            assert (left is None) == (right is None), (name, before.key)
            assert left is None or np.array_equal(left, right), (name, before.key)
        np.testing.assert_array_equal(after.media.audio(), before.media.audio())
        for left, right in zip(before.media.faces(), after.media.faces(), strict=True):
            np.testing.assert_array_equal(left, right)
        start, stop = -before.audio_margin[0], before.num_samples + before.audio_margin[1]
        np.testing.assert_array_equal(after.media.audio_window(start, stop), before.media.audio_window(start, stop))
    suite = load_suite("unsync")
    assert plan(out.tracks, suite).sha256 == plan(source.tracks, suite).sha256


# --- the same as its source --------------------------------------------------------------------------------------


def test_the_same_annotation_media_and_plan(good_root: Path, done: Path) -> None:
    same(open_dataset(good_root), opened(done))
    assert open_dataset(done).format == "ava", "recognised"


def test_what_only_tracks_can_tell(done: Path) -> None:
    tracks = {track.key: track for track in opened(done).tracks}
    assert tracks["one", "one:a"].source_id == "film 1"
    assert tracks["one", "one:b"].person_id == "P2"
    dubbed = tracks["dub", "dub:a"].dubbed
    assert dubbed is not None
    assert dubbed.tolist() == [False] * 5 + [True] * 20 + [False] * 5
    assert tracks["one", "one:a"].frame_size == (64, 48), "known once the video was decoded"


def test_scores_are_the_same_to_the_bit(good_root: Path, done: Path, tmp_path: Path) -> None:
    first = asdbench.run("additive", "unsync", good_root, out=tmp_path / "direct", progress=False)
    second = asdbench.run("additive", "unsync", done, out=tmp_path / "prepared", format="ava", progress=False)
    for path in sorted((first.path / "predictions").iterdir()):
        assert path.read_bytes() == (second.path / "predictions" / path.name).read_bytes(), path.name


def test_a_sound_that_sets_in_late_and_ends_early(good: Path, tmp_path: Path) -> None:
    """Within the 80 ms that a run forgives, margins and samples stay those of the direct reading."""
    rows = rows_of([("two", "two:a", 0, LEFT, "-" * 10 + "+" * 60)])
    write_csv(good / "labels.csv", rows)
    (good / "tracks.csv").unlink()
    for late, early in ((800, 0), (0, 1_200), (640, 640)):
        samples = voice(5, 69 * 640 - late - early)
        film(2, sound=Sound(samples, codec="flac", start=late)).write(good / "videos/two.mkv")
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        prepared(good, tmp_path / "out")
        same(open_dataset(good), opened(tmp_path / "out"))


def test_a_film_that_starts_late_is_not_moved(good: Path, tmp_path: Path) -> None:
    """The whole film's sound starts at time 0, whenever the file's own sound does."""
    film(2, sound=Sound(voice(5, 60 * 640), codec="flac", start=8_000)).write(good / "videos/two.mkv")
    write_csv(good / "labels.csv", rows_of([("two", "two:a", 20, LEFT, "+" * 40)]))
    (good / "tracks.csv").unlink()
    prepared(good, tmp_path / "out")
    samples, _ = soundfile.read(tmp_path / "out/orig_audios/trainval/two.wav", dtype="int16")
    assert not samples[:8_000].any()
    np.testing.assert_array_equal(samples[8_000:], voice(5, 60 * 640))
    same(open_dataset(good), opened(tmp_path / "out"))
    assert opened(tmp_path / "out").tracks[0].audio_margin[0] == 20 * 640 - 8_000, "and its silence is nobody's"


def test_ids_that_repeat_in_other_videos(good: Path, tmp_path: Path) -> None:
    """Then there is no loader file, which other code would misread, and frame rates survive all the same."""
    rows = rows_of([("one", "a", 10, LEFT, "-" * 5 + "+" * 25), ("two", "a", 3, LEFT, "+" * 12 + "-" * 9)])
    for row in rows:
        if row["video_id"] == "two":
            row["frame_timestamp"] = f"{0.08 * round(float(row['frame_timestamp']) / 0.04 - 3) + 0.08:.3f}"
    write_csv(good / "labels.csv", rows)
    (good / "tracks.csv").unlink()
    prepared(good, tmp_path / "out")
    assert not (tmp_path / "out/csv/val_loader.csv").exists()
    assert [track.fps for track in opened(tmp_path / "out").tracks] == [25.0, 12.5]
    same(open_dataset(good), opened(tmp_path / "out"))


def test_the_community_layout_itself(fixture_dataset: Dataset, fixture_root: Path, tmp_path: Path) -> None:
    prepare(fixture_dataset, tmp_path / "out", options=PrepareOptions(workers=1, progress=False))
    same(fixture_dataset, opened(tmp_path / "out"))


def test_a_clock_that_starts_with_the_first_picture(good_root: Path, tmp_path: Path) -> None:
    """As Ego4D counts: frame 0 is the first picture, which a file may show later than at 0."""
    source = open_dataset(good_root)
    moved = tuple(
        replace(
            track,
            timestamps_ms=track.timestamps_ms - 80,
            audio_margin=(track.audio_margin[0] - 80 * 16, track.audio_margin[1]),
        )
        for track in source.tracks
        if track.timestamps_ms[0] > 200
    )
    dataset = replace(source, tracks=moved)
    prepare(dataset, tmp_path / "out", options=PrepareOptions(workers=1, progress=False))
    same(dataset, opened(tmp_path / "out"))


@pytest.mark.parametrize("crop", ["box", "square"])
def test_ego4d(tmp_path: Path, crop: str) -> None:
    source = open_dataset(write_small(tmp_path / "ego4d"), data_format="ego4d", options={"crop": crop})
    options = PrepareOptions(workers=1, progress=False, on_error="skip", data_options={"crop": crop})
    skipped = {row[:2] for row in prepare(source, tmp_path / "out", options=options).skipped}
    assert len(skipped) == 2, "a clip that is not there, and one without sound"
    rest = tuple(track for track in source.tracks if tuple(track.key) not in skipped)
    same(replace(source, tracks=rest), opened(tmp_path / "out"))
    assert (rest[0].face_in_crop is not None) == (crop == "square")


def test_jpg_is_lossy_and_says_so(good_root: Path, done: Path, tmp_path: Path) -> None:
    prepared(good_root, tmp_path / "out", faces="jpg")
    kinds = [json.loads((folder / "prepared.json").read_text())["splits"]["val"] for folder in (done, tmp_path / "out")]
    assert [kind["lossless"] for kind in kinds] == [True, False]
    before, after = (opened(folder).tracks[0].media.faces() for folder in (done, tmp_path / "out"))
    assert [face.shape for face in after] == [face.shape for face in before]
    assert any(not np.array_equal(left, right) for left, right in zip(before, after, strict=True))
    assert {path.suffix for path in (tmp_path / "out/clips_videos").rglob("*.*") if path.is_file()} == {".jpg"}


def test_the_manifest_says_out_of_what(good_root: Path, done: Path) -> None:
    said = json.loads((done / "prepared.json").read_text())["splits"]["val"]
    assert said["state"] == "complete"
    assert said["source_fingerprint"] == open_dataset(good_root).fingerprint
    assert said["identity"] == {
        "source": "good", "format": "folder", "data_options": {}, "faces": "png", "limit": None,
    }  # fmt: skip
    assert {"av", "opencv-python-headless"} <= set(said["versions"])
    assert said["counts"]["tracks"] == 4
    assert not (done / ".prepare/work").exists()
    assert not list(done.rglob("*.tmp"))


# --- one pass, several processes, little memory ------------------------------------------------------------------


def test_each_video_is_decoded_once(good_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    original = asdbench.data.video._time

    def counted(path: Path, *rest: Any) -> Any:
        shown.append(path.name)
        return original(path, *rest)

    monkeypatch.setattr(asdbench.data.video, "_time", counted)
    prepared(good_root, tmp_path / "out")
    assert shown.count("one.mp4") <= FRAMES, "two faces, one pass"


def test_processes_give_the_same_bytes(good_root: Path, done: Path, tmp_path: Path) -> None:
    prepared(good_root, tmp_path / "out", workers=2)
    assert files_of(tmp_path / "out") == files_of(done)


def test_a_reader_of_ones_own(good_root: Path, tmp_path: Path) -> None:
    """Other processes could not import it, so it stays in this one; its media need no video."""
    (tmp_path / "mine.py").write_text(
        "from dataclasses import replace\n"
        "from asdbench.data.folder import open_folder\n"
        "class Mine:\n"
        "    def __init__(self, media): self.media = media\n"
        "    def __getattr__(self, name): return getattr(self.media, name)\n"
        "    def __reduce__(self): raise TypeError('cannot be sent')\n"
        "def open_mine(root, split='val', name=None):\n"
        "    found = open_folder(root, split, name)\n"
        "    return replace(found, tracks=tuple(replace(t, media=Mine(t.media)) for t in found.tracks))\n"
    )
    dataset = open_dataset(good_root, data_format=f"{tmp_path / 'mine.py'}:open_mine")
    prepare(dataset, tmp_path / "out", options=PrepareOptions(workers=2, progress=False))
    same(dataset, opened(tmp_path / "out"))


def _peak(root: Path, out: Path) -> int:
    tracemalloc.start()
    try:
        prepared(root, out)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_clips(tmp_path: Path) -> None:
    def large(number: int) -> np.ndarray:
        return np.tile(textured(number), (5, 5))

    video = Film(frames=20, luma=large).write(tmp_path / "a.mp4")
    soundfile.write(tmp_path / "a.flac", voice(1, 10 * 16_000), 16_000)
    peaks = []
    for clips in (1, 2, 6):  # the first is to load what is imported late
        root = tmp_path / f"{clips}"
        names = [f"clip{number}" for number in range(clips)]
        write_csv(root / "labels.csv", rows_of([(name, f"{name}:a", 0, LEFT, "+" * 20) for name in names]))
        for name in names:
            (root / "videos").mkdir(exist_ok=True)
            (root / "audio").mkdir(exist_ok=True)
            shutil.copy(video, root / f"videos/{name}.mp4")
            shutil.copy(tmp_path / "a.flac", root / f"audio/{name}.flac")
        peaks.append(_peak(root, tmp_path / f"out{clips}"))
    # A clip's crops and sound are 1.1 MB; kept, four more clips would add four.
    assert peaks[2] - peaks[1] < 1_000_000, peaks


# --- stopped and continued ---------------------------------------------------------------------------------------


def test_a_stopped_job_is_continued_and_nothing_done_twice(
    good: Path, done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def counted(clip: Clip, *rest: Any, **more: Any) -> Any:
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(clip.video_id)
        return prepare_clip(clip, *rest, **more)

    monkeypatch.setattr(asdbench.data.prepare, "prepare_clip", counted)
    with pytest.raises(KeyboardInterrupt):
        prepared(good, tmp_path / "out")
    assert calls == ["dub", "one"]
    assert not (tmp_path / "out/csv").exists(), "tables come last"
    calls[:] = ["stopped before"]
    told: list[str] = []
    prepare(open_dataset(good), tmp_path / "out", options=PrepareOptions(workers=1, progress=False), notify=told.append)
    assert calls == ["stopped before", "two"]
    assert told == ["2 of 3 clips were prepared before"]
    assert without_stamps(tmp_path / "out") == without_stamps(done)


def without_stamps(folder: Path) -> dict[str, bytes]:
    """Return all files but the records, which hold stamps of the media."""
    return {name: data for name, data in files_of(folder).items() if not name.startswith(".prepare")}


def test_a_killed_job_is_continued(good: Path, done: Path, tmp_path: Path) -> None:
    for name in ("three", "four", "five"):
        film(ord(name[0])).write(good / f"videos/{name}.mp4")
        soundfile.write(good / f"audio/{name}.flac", voice(9), 16_000)
    faces = [(name, f"{name}:a", 0, LEFT, "+" * 30 + "-" * 30) for name in ("three", "four", "five")]
    write_csv(good / "labels.csv", [*rows_of(), *rows_of(faces)])
    whole = tmp_path / "whole"
    prepared(good, whole)
    out = tmp_path / "out"
    script = "import sys; from asdbench.cli.main import main; main()"
    command = [sys.executable, "-c", script, "data", "prepare", str(good), "--out", str(out), "--workers", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    records = out / ".prepare/val"
    while process.poll() is None and not (records.is_dir() and any(records.glob("*.json"))):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    process.wait()
    time.sleep(0.5)  # its workers end by themselves
    prepared(good, out)
    assert files_of(out) == files_of(whole)


def test_a_second_call_does_nothing(done: Path, good_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(asdbench.data.prepare, "prepare_clip", never)
    before = files_of(done)
    prepared(good_root, done)
    assert files_of(done) == before


def test_changed_inputs_are_done_again_and_said(good: Path, tmp_path: Path) -> None:
    out, told = tmp_path / "out", list[str]()
    options = PrepareOptions(workers=1, progress=False)
    prepared(good, out)
    film(8).write(good / "videos/one.mp4")
    prepare(open_dataset(good), out, options=options, notify=told.append)
    assert told == [
        "1 clips have changed since they were prepared: done again (one)",
        "2 of 3 clips were prepared before",
    ]
    same(open_dataset(good), opened(out))
    rows = read_csv(good / "labels.csv")
    write_csv(good / "labels.csv", [{**row, "label": LABELS[row["label"]]} for row in rows if row["video_id"] != "two"])
    (good / "tracks.csv").unlink()
    told.clear()
    prepare(open_dataset(good), out, options=options, notify=told.append)
    assert "the annotation of good has changed" in told[0]
    assert told[1:] == ["1 clips are no longer annotated and were removed (two)", "2 of 2 clips were prepared before"]
    same(open_dataset(good), opened(out))
    assert not (out / "clips_videos/val/two").exists()


LABELS = {
    "SPEAKING_AUDIBLE": "NOT_SPEAKING",
    "NOT_SPEAKING": "SPEAKING_AUDIBLE",
    "SPEAKING_NOT_AUDIBLE": "NOT_SPEAKING",
}


@pytest.mark.parametrize("what", ["crop", "empty crop", "wav", "film", "record"])
def test_what_got_lost_is_done_again(good_root: Path, done: Path, tmp_path: Path, what: str) -> None:
    out = Path(shutil.copytree(done, tmp_path / "out"))
    lost = {
        "crop": out / "clips_videos/val/one/one:a/0.40.png",
        "empty crop": out / "clips_videos/val/one/one:a/0.40.png",
        "wav": out / "clips_audios/val/one/one:b.wav",
        "film": out / "orig_audios/trainval/one.wav",
        "record": out / ".prepare/val/one.json",
    }[what]
    if what == "empty crop":
        lost.write_bytes(b"")
    else:
        lost.unlink()
    prepared(good_root, out)
    assert files_of(out) == files_of(done)


# --- whose folder ------------------------------------------------------------------------------------------------


def test_a_folder_with_something_else_is_refused(good_root: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="was not written by data prepare; choose another --out"):
        prepared(good_root, tmp_path)
    with pytest.raises(UsageError):
        prepared(good_root, good_root)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_another_data_set_or_choice_is_refused(good_root: Path, done: Path) -> None:
    before = files_of(done)
    with pytest.raises(NotComparableError, match=r"faces \('png' there, 'jpg' now\)"):
        prepared(good_root, done, faces="jpg")
    with pytest.raises(NotComparableError, match=r"limit \(None there, 2 now\)"):
        prepared(good_root, done, limit=2)
    with pytest.raises(NotComparableError, match=r"source \('good' there, 'other' now\)"):
        prepare(replace(open_dataset(good_root), name="other"), done)
    assert files_of(done) == before


def test_a_damaged_manifest_is_refused(good_root: Path, done: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(done, tmp_path / "out"))
    for content in ("{", "[]", '{"schema": 1}', '{"schema": 99, "splits": {}}', '{"schema": 1, "splits": {"val": 3}}'):
        (out / "prepared.json").write_text(content)
        with pytest.raises(DataError, match=r"prepared\.json: not "):
            prepared(good_root, out)


def test_two_splits_share_a_folder(good_root: Path, tmp_path: Path) -> None:
    dataset, options = open_dataset(good_root), PrepareOptions(workers=1, progress=False)
    for split in ("val", "test"):
        prepare(dataset, tmp_path / "out", split, options)
    assert set(json.loads((tmp_path / "out/prepared.json").read_text())["splits"]) == {"val", "test"}
    for split in ("val", "test"):
        same(dataset, open_dataset(tmp_path / "out", split))


def test_only_one_may_write(good_root: Path, tmp_path: Path) -> None:
    from filelock import FileLock

    (tmp_path / "out/.prepare").mkdir(parents=True)
    with FileLock(tmp_path / "out/.prepare/.lock"), pytest.raises(ResourceError, match="another process is writing"):
        prepared(good_root, tmp_path / "out")


def test_ids_that_would_leave_the_folder(good_root: Path, tmp_path: Path) -> None:
    dataset = open_dataset(good_root)
    hostile = replace(dataset, tracks=(replace(dataset.tracks[0], entity_id="../../x"),))
    with pytest.raises(DataError, match="cannot name files"):
        prepare(hostile, tmp_path / "out")
    for split in ("../x", "", "a/b"):
        with pytest.raises(UsageError, match="cannot name a folder"):
            prepare(dataset, tmp_path / "out", split)
    assert not (tmp_path / "out").exists()


# --- broken media ------------------------------------------------------------------------------------------------


def break_box(root: Path) -> None:
    rows = read_csv(root / "labels.csv")
    row = next(row for row in rows if row["entity_id"] == "one:b")
    row |= {"entity_box_x1": "0.5", "entity_box_x2": "0.502"}
    write_csv(root / "labels.csv", rows)


def break_video(root: Path) -> None:
    path = root / "videos/two.mkv"
    path.write_bytes(path.read_bytes()[:200])


def break_sound(root: Path) -> None:
    soundfile.write(root / "audio/one.flac", voice(1)[: 30 * 640], 16_000)


BROKEN: dict[str, tuple[Callable[[Path], None], list[tuple[str, str]], str]] = {
    "box": (break_box, [("one", "one:b")], "labels.csv, line 37: the box holds no pixel"),
    "video": (break_video, [("two", "two:a")], "cannot be read"),
    "sound": (break_sound, [("one", "one:a"), ("one", "one:b")], "needs sound from"),
}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("what", BROKEN)
def test_broken_media_stop_or_are_skipped_and_counted(good: Path, tmp_path: Path, what: str, workers: int) -> None:
    spoil, keys, message = BROKEN[what]
    spoil(good)
    out = tmp_path / "out"
    with pytest.raises(DataError, match=message):
        prepared(good, out, workers=workers)
    result = prepared(good, out, workers=workers, on_error="skip")
    assert [row[:2] for row in result.skipped] == keys
    assert all(message in row[2] for row in result.skipped)
    assert result.counts["skipped_tracks"] == len(keys)
    assert [tuple(row.values())[:3] for row in read_csv(out / "csv/val_skipped.csv")] == [
        (*key, "track") for key in keys
    ]
    source = open_dataset(good)
    rest = tuple(track for track in source.tracks if track.key not in keys)
    assert [track.key for track in opened(out).tracks] == [track.key for track in rest]
    for before, after in zip(rest, opened(out).tracks, strict=True):
        np.testing.assert_array_equal(before.media.faces()[0], after.media.faces()[0])
    for video, entity in keys:
        assert not (out / "clips_videos/val" / video / entity).exists(), "no half track is left"
        assert not (out / "clips_audios/val" / video / f"{entity}.wav").exists()
    with pytest.raises(DataError, match=message):
        prepared(good, out, workers=workers)


def test_a_mended_file_is_no_longer_skipped(good: Path, good_root: Path, tmp_path: Path) -> None:
    break_sound(good)
    prepared(good, tmp_path / "out", on_error="skip")
    shutil.copy(good_root / "audio/one.flac", good / "audio/one.flac")
    result = prepared(good, tmp_path / "out", on_error="skip")
    assert result.skipped == ()
    assert not (tmp_path / "out/csv/val_skipped.csv").exists()
    same(open_dataset(good), opened(tmp_path / "out"))


def test_a_film_whose_sound_has_a_gap_elsewhere(good: Path, tmp_path: Path) -> None:
    """The track is whole, so it is kept; what shifts would need of the film is not, which is counted."""
    film(2, sound=Sound(voice(2, FRAMES * 640), codec="flac", gap=(60 * 640, 4_000))).write(good / "videos/two.mkv")
    with pytest.raises(DataError, match="the sound jumps"):
        prepared(good, tmp_path / "out")
    result = prepared(good, tmp_path / "out", on_error="skip")
    assert [row[:2] for row in result.skipped] == [("two", "")]
    assert result.counts["skipped_films"] == 1
    track = opened(tmp_path / "out").tracks[-1]
    assert track.key == ("two", "two:a")
    assert track.audio_margin == (0, 0)


def test_nothing_that_can_be_prepared(good: Path, tmp_path: Path) -> None:
    shutil.rmtree(good / "videos")
    with pytest.raises(DataError, match=r"none of the 4 tracks could be prepared: .*missing"):
        prepared(good, tmp_path / "out", on_error="skip")


@pytest.mark.parametrize(("name", "value"), [("faces", "gif"), ("workers", 0), ("limit", 0)])
def test_odd_options(good_root: Path, tmp_path: Path, name: str, value: object) -> None:
    with pytest.raises(UsageError):
        prepared(good_root, tmp_path / "out", **{name: value})


@pytest.mark.slow
def test_the_shipped_data_prepared(tmp_path: Path) -> None:
    source = open_dataset("demo-val")
    prepare(source, tmp_path / "out", options=PrepareOptions(progress=False))
    same(source, opened(tmp_path / "out"))


def test_sound_that_no_wav_could_hold_is_refused_before_it_fills_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "film.wav"
    with pytest.raises(DataError, match=r"film\.wav: its tracks start 9,000,000 s into the video"):
        asdbench.data.prepare_clip._write_pieces(path, iter([(9_000_000 * SAMPLE_RATE, np.ones(10, np.int16))]))


def test_zeros_before_the_sound_are_written_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asdbench.data.prepare_clip, "_ZEROS", 7)
    path = tmp_path / "film.wav"
    asdbench.data.prepare_clip._write_pieces(path, iter([(30, np.ones(5, np.int16)), (35, np.full(3, 2, np.int16))]))
    assert read_wav(path).tolist() == [0] * 30 + [1] * 5 + [2] * 3
