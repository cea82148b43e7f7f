"""ASW: five samples a second become rows at 25 fps, of which only the samples are scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdbench.data import open_dataset
from asdbench.data.asw_json import read_samples
from asdbench.data.formats import recognise
from asdbench.errors import DataError, UsageError
from asdbench.types import Dataset, Track
from tests.data.films import HEIGHT, WIDTH, Film, Sound, number_of

NOISE = np.random.default_rng(3).integers(-9_000, 9_000, 4 * 16_000).astype(np.int16)
Sample = dict[str, Any]


def sample(time: float, label: int = 0, counted: int = 1, box: tuple[float, ...] = (0.25, 0.25, 0.75, 0.75)) -> Sample:
    return {"time": time, "bbox": list(box), "label": label, "eval": counted}


def moving(index: int) -> tuple[float, ...]:
    """A box that moves right by 1/16 per sample, from outside the picture."""
    return (-0.25 + index / 16, 0.25, 0.25 + index / 16, 0.75)


LABELS = (0, 0, 1, 1, 0)
EVAL = (0, 1, 0, 1, 0)
TRACK = [sample(round(0.4 + 0.2 * i, 3), LABELS[i], EVAL[i], moving(i)) for i in range(5)]


@pytest.fixture
def asw(tmp_path: Path) -> Path:
    root = tmp_path / "asw"
    (root / "json").mkdir(parents=True)
    (root / "split").mkdir()
    write(root, "vid_a", {"track_000001": TRACK, "track_000000": [sample(0.2), sample(0.4, 1)], "track_000002": []})
    write(root, "vid_b", {"track_000000": [sample(1.0)], "track_000001": [sample(1.0), sample(1.2, 1, 1)]})
    write(root, "gone", {"track_000000": [sample(1.0), sample(1.2)]})
    (root / "split/valset.list").write_text("vid_b.json\nvid_a.json\ngone.json", encoding="utf-8")
    (root / "split/testset.list").write_text("vid_b.json\n", encoding="utf-8")
    Film(frames=60, sound=Sound(NOISE, codec="flac")).write(root / "videos/vid_a.mkv")
    Film(frames=60, options={"bf": "0"}).write(root / "pyavi/vid_b/video.avi")
    return root


def write(root: Path, video: str, tracks: object) -> None:
    (root / f"json/{video}.json").write_text(json.dumps(tracks), encoding="utf-8")


def track_of(dataset: Dataset, video: str, entity: str) -> Track:
    return next(track for track in dataset.tracks if track.key == (video, entity))


def test_samples_become_rows(asw: Path) -> None:
    assert recognise(asw) == "asw"
    track = track_of(open_dataset(asw), "vid_a", "track_000001")
    assert track.fps == 25
    assert track.timestamps_ms.tolist() == list(range(400, 1201, 40))
    labels = "".join(map(str, track.labels))
    assert labels == "000" + "00000" + "11111" + "11111" + "000"  # each sample and two pictures on both sides
    scored = np.flatnonzero(track.scored).tolist()
    assert scored == [5, 15]  # the samples with eval 1
    assert track.scored_labels.tolist() == [0, 1]
    np.testing.assert_allclose(track.boxes[:, 0], -0.25 + np.arange(21) / 5 / 16, atol=1e-6)


def test_faces_that_leave_the_picture_are_padded(asw: Path) -> None:
    track = track_of(open_dataset(asw), "vid_a", "track_000001")
    faces = track.media.faces()
    assert {face.shape for face in faces} == {(HEIGHT // 2, WIDTH // 2)}
    for index, face in enumerate(faces):
        outside = -int(np.floor(track.media.boxes[index, 0] * WIDTH)) if track.boxes[index, 0] < 0 else 0
        assert (face[:, :outside] == 0).all()
        assert number_of(face[:, outside:]) == 10 + index
    np.testing.assert_array_equal(track.media.audio(), NOISE[6400 : 6400 + track.num_samples])
    cut = track_of(open_dataset(asw, options={"crop": "box"}), "vid_a", "track_000001").media.faces()
    assert cut[0].shape == (HEIGHT // 2, WIDTH // 4)


def test_a_converted_video(asw: Path) -> None:
    faces = track_of(open_dataset(asw), "vid_b", "track_000001").media.faces()
    assert [number_of(face) for face in faces] == list(range(25, 31))


def test_what_is_left_out_is_told(asw: Path) -> None:
    dataset = open_dataset(asw)
    assert {track.video_id for track in dataset.tracks} == {"vid_a", "vid_b"}
    notes = " / ".join(dataset.notes)
    assert "1 of 3 videos are not there: left out (gone)" in notes
    assert "1 tracks of fewer than two samples are left out" in notes
    kept = open_dataset(asw, options={"missing": "keep"})
    assert {track.video_id for track in kept.tracks} == {"vid_a", "vid_b", "gone"}
    assert any("their tracks are kept (gone)" in note for note in kept.notes)


def test_samples_after_20_minutes(asw: Path) -> None:
    late = [sample(1199.6), sample(1199.8), sample(1200.0, 1), sample(1200.2, 1)]
    write(asw, "vid_a", {"track_000000": late, "track_000001": TRACK})
    dataset = open_dataset(asw)
    assert track_of(dataset, "vid_a", "track_000000").timestamps_ms[-1] == 1_199_800
    assert any("2 samples after 1200 s" in note for note in dataset.notes)


def test_a_gap_stays_a_gap(asw: Path) -> None:
    write(asw, "vid_a", {"track_000000": [sample(0.0), sample(0.2), sample(1.0, 1), sample(1.2, 1)]})
    track = track_of(open_dataset(asw), "vid_a", "track_000000")
    frames = (track.timestamps_ms // 40).tolist()
    assert frames == [*range(8), *range(23, 31)]
    assert track.gapless == 8


def test_splits(asw: Path, tmp_path: Path) -> None:
    assert {track.video_id for track in open_dataset(asw, "test").tracks} == {"vid_b"}
    assert {track.video_id for track in open_dataset(asw, "all").tracks} == {"vid_a", "vid_b"}
    with pytest.raises(DataError, match=r"devset\.list: the list of videos is missing; .* --split all"):
        open_dataset(asw, "train")
    with pytest.raises(UsageError, match="no split 'dve'"):
        open_dataset(asw, "dve")
    mine = tmp_path / "mine.list"
    mine.write_text("vid_a.json", encoding="utf-8")
    assert {track.video_id for track in open_dataset(asw, options={"lists": str(mine)}).tracks} == {"vid_a"}
    (asw / "split").rename(tmp_path / "lists")
    found = open_dataset(asw, data_format="asw", options={"lists": str(tmp_path / "lists")})
    assert {track.video_id for track in found.tracks} == {"vid_a", "vid_b"}


def test_golden_files(shared: Path) -> None:
    files = sorted((shared / "protocols/golden/asw").glob("*/json/*.json"))
    assert len(files) > 5
    for path in files:
        content = json.loads(path.read_text(encoding="utf-8"))
        for samples in read_samples(path):
            assert np.diff(samples.frames).tolist() == [5] * (len(samples.frames) - 1)
            assert samples.frames.tolist() == [round(each["time"] * 25) for each in content[samples.track]]
            assert samples.scored.tolist() == [each["eval"] == 1 for each in content[samples.track]]


FAULTS = {
    "no json": ("{", r"vid_a\.json: .*expected track names"),
    "a list": ([], r"vid_a\.json: .*expected track names"),
    "no time": ({"t": [{"bbox": [0, 0, 1, 1], "label": 0, "eval": 0}]}, r"vid_a\.json: .*`time`"),
    "three sides": ({"t": [{**sample(0.2), "bbox": [0, 0, 1]}]}, r"vid_a\.json: .*bbox"),
    "label 2": ({"t": [sample(0.2, 2)]}, r"vid_a\.json: .*label"),
    "time in words": ({"t": [{**sample(0.2), "time": "x"}]}, r"vid_a\.json: .*time"),
    "negative time": ({"t": [sample(0.2), sample(-3.0)]}, r"vid_a\.json, track 't', sample 2: it has no time"),
    "nan time": ('{"t": [{"time": NaN, "bbox": [0,0,1,1], "label": 0, "eval": 0}]}', r"sample 1: it has no time"),
    "same time": ({"t": [sample(0.2), sample(0.4), sample(0.4)]}, r"track 't', sample 3: it is not later"),
    "pixels": ({"t": [sample(0.2, box=(10, 10, 60, 60))]}, r"sample 1: it has a box that is no share"),
    "inverted": ({"t": [sample(0.2, box=(0.5, 0, 0.5, 1))]}, r"sample 1: it has a box that is empty"),
    "unsafe": ({"../t": [sample(0.2), sample(0.4)]}, r"vid_a\.json: the track '\.\./t' cannot name a file"),
    "twice": ('{"t": [], "t": []}', r"vid_a\.json: 't' stands there twice"),
    "deep": ("[" * 100_000, r"vid_a\.json"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_broken_files_are_refused_with_file_track_and_sample(asw: Path, fault: str) -> None:
    content, words = FAULTS[fault]
    if isinstance(content, str):
        (asw / "json/vid_a.json").write_text(content, encoding="utf-8")
    else:
        write(asw, "vid_a", content)
    with pytest.raises(DataError, match=words):
        open_dataset(asw)


def test_nothing_to_read(asw: Path) -> None:
    (asw / "split/valset.list").write_text("gone.json\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"none of 1 videos is in videos/, original/ or pyavi/"):
        open_dataset(asw)
    (asw / "split/valset.list").write_text("../x.json\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"valset\.list: '\.\./x' cannot name a video"):
        open_dataset(asw)
    (asw / "split/valset.list").write_text("vid_a\nnothing\n", encoding="utf-8")
    (asw / "json/vid_a.json").unlink()
    with pytest.raises(DataError, match=r"vid_a\.json: the file cannot be read"):
        open_dataset(asw)
    with pytest.raises(UsageError, match="missing=ask is none of drop, keep"):
        open_dataset(asw, options={"missing": "ask"})
