"""Ego4D from real mp4 files: every crop is of its frame, every sound at its time, under both conventions."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import asdbench.data.ego4d
import asdbench.data.sound
import asdbench.data.video
from asdbench.data import open_dataset
from asdbench.data.crops import window
from asdbench.data.ego4d import _shares
from asdbench.data.formats import recognise
from asdbench.data.prepare import PrepareOptions, prepare
from asdbench.errors import DataError, UsageError
from asdbench.types import Dataset, Track, TrackKey
from tests.data.ego4d_films import (
    BEEPS,
    DELAY_MS,
    FRACTIONS,
    FRAMES,
    GONE,
    GROUND,
    HEARD,
    HEIGHT,
    LATE,
    LEFT,
    OTHER,
    SILENT,
    WIDTH,
    Drawn,
    aac,
    annotation,
    beep_lag,
    box,
    film,
    pattern,
    person,
    sized,
    some,
    track,
    write_annotation,
    write_small,
)
from tests.data.films import Film

FPS = 30


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small data set; read only."""
    return write_small(tmp_path_factory.mktemp("ego4d") / "small")


@pytest.fixture
def copy(small: Path, tmp_path: Path) -> Path:
    """A copy that the test may spoil."""
    return Path(shutil.copytree(small, tmp_path / "copy"))


def opened(root: Path, convention: str = "official") -> tuple[Dataset, dict[tuple[str, str], Track]]:
    dataset = open_dataset(root, options={"convention": convention})
    tracks = {(each.video_id, each.entity_id.removeprefix(f"{each.video_id}:")): each for each in dataset.tracks}
    return dataset, tracks


def frames_of(each: Track) -> list[int]:
    return [round(time * FPS / 1000) for time in each.timestamps_ms.tolist()]


# --- tracks ------------------------------------------------------------------------------------------------------


def test_official_tracks(small: Path) -> None:
    dataset, tracks = opened(small)
    assert (dataset.name, dataset.format, dataset.protocol) == ("small-val", "ego4d", "ego4d-ava")
    found = {key: (frames_of(each)[0], len(each), int(each.labels.sum())) for key, each in tracks.items()}
    assert found == {
        (HEARD, "track_0"): (0, 120, 41 + 30),
        (HEARD, "visual_anchor_1"): (5, 3, 0),
        (HEARD, "track_1@10"): (10, 30, 1),
        (HEARD, "track_1@45"): (45, 25, 0),
        (HEARD, "track_9"): (30, 20, 0),
        (LATE, "track_0"): (15, 90, 51),
        (SILENT, "track_0"): (0, 120, 72),
        (GONE, "track_0"): (0, 120, 72),
        (OTHER, "track_0"): (0, 120, 72),
    }
    for key, each in tracks.items():
        assert each.timestamps_ms.tolist() == [round(frame * 1000 / FPS) for frame in frames_of(each)]
        assert each.fps == 30.0
        assert (each.labels.dtype, each.timestamps_ms.dtype) == (np.int8, np.int64)
        assert each.frame_size == (None if key[0] == GONE else (WIDTH, HEIGHT))


def test_talknet_tracks(small: Path) -> None:
    dataset, tracks = opened(small, "talknet")
    found = {key: (frames_of(each)[0], len(each), int(each.labels.sum())) for key, each in tracks.items()}
    assert found == {
        (HEARD, "track_0:0"): (0, 120, 71),
        (HEARD, "track_1:0"): (10, 55, 1),
        (LATE, "track_0:0"): (15, 90, 51),
        (SILENT, "track_0:0"): (0, 120, 72),
        (GONE, "track_0:0"): (0, 120, 72),
        (OTHER, "track_0:0"): (0, 120, 72),
    }
    assert tracks[HEARD, "track_1:0"].gapless == 30
    assert dataset.tracks[0].key == TrackKey(HEARD, f"{HEARD}:track_0:0"), "named as in the baseline's lists"


def test_clips_of_one_video_are_one_source_and_persons_are_known_within_it(small: Path) -> None:
    _, tracks = opened(small)
    heard, late, other = tracks[HEARD, "track_0"], tracks[LATE, "track_0"], tracks[OTHER, "track_0"]
    assert heard.source_id == late.source_id == "video-a"
    assert other.source_id == "video-d"
    assert heard.person_id == late.person_id == "video-a:1"
    assert tracks[HEARD, "track_9"].person_id == "video-a:0"
    assert other.person_id == "video-d:1"


def test_notes_say_what_is_not_as_in_the_file(small: Path) -> None:
    assert opened(small)[0].notes == (
        "convention official",
        f"1 clip(s) not on disk, whose tracks cannot be scored ({GONE})",
        f"1 clip(s) without sound, whose tracks cannot be scored ({SILENT})",
        "1 tracks cut at gaps in time",
    )
    assert opened(small, "talknet")[0].notes[3:] == (
        "1 tracks of camera wearers left out",
        "1 tracks of visual anchors left out",
        "1 tracks have gaps in time; behind one, models look at the wrong sound: unchanged",
    )


@pytest.mark.parametrize(
    ("convention", "message"), [("Official", "the format ego4d has official and talknet"), ("", "no convention ''")]
)
def test_conventions_that_there_are_not(small: Path, convention: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_dataset(small, options={"convention": convention})


# --- pictures ----------------------------------------------------------------------------------------------------


def drawn(frame: int, corners: tuple[int, int, int, int]) -> np.ndarray:
    """Return what a crop of a face must show: the pattern of its frame, cut off at the picture's sides."""
    left, top, right, bottom = corners
    return pattern(frame, right - left, bottom - top)[max(-top, 0) :, max(-left, 0) :]


@pytest.mark.parametrize("convention", ["official", "talknet"])
@pytest.mark.parametrize("clip", [HEARD, LATE])
def test_every_crop_is_the_face_of_its_frame_to_the_pixel(small: Path, convention: str, clip: str) -> None:
    each = opened(small, convention)[1][clip, "track_0" if convention == "official" else "track_0:0"]
    faces = each.media.faces()
    assert len(faces) == len(each) > 0
    for frame, face in zip(frames_of(each), faces, strict=True):
        np.testing.assert_array_equal(face, drawn(frame, LEFT[frame]))


def test_patterns_differ_from_frame_to_frame() -> None:
    assert len({pattern(frame, 50, 60).tobytes() for frame in range(FRAMES)}) == FRAMES


def test_faces_partly_outside_the_picture_with_fractions_of_pixels(small: Path) -> None:
    """Both cut off what is outside; the official extraction adds the width to the whole left corner."""
    _, official = opened(small)
    for name in ("track_1@10", "track_1@45"):
        each = official[HEARD, name]
        for frame, face in zip(frames_of(each), each.media.faces(), strict=True):
            np.testing.assert_array_equal(face, drawn(frame, (-10, 120, 64, 182)))
    each = opened(small, "talknet")[1][HEARD, "track_1:0"]
    assert frames_of(each) == list(FRACTIONS)
    for frame, face in zip(frames_of(each), each.media.faces(), strict=True):
        # -10.75 + 74.5 = 63.75 and 120.25 + 62.5 = 182.75: one column less, and the same rows
        np.testing.assert_array_equal(face, drawn(frame, (-10, 120, 64, 182))[:, :-1])


def test_boxes_are_shares_of_the_picture(small: Path) -> None:
    _, tracks = opened(small)
    boxes = tracks[HEARD, "track_0"].boxes
    assert boxes is not None
    assert boxes.dtype == np.float32
    np.testing.assert_allclose(boxes * [WIDTH, HEIGHT, WIDTH, HEIGHT], [LEFT[f] for f in range(FRAMES)], atol=1e-4)
    outside = tracks[HEARD, "track_1@10"].boxes
    assert outside is not None
    np.testing.assert_allclose(outside[0], [-10 / WIDTH, 0.5, 0.2, 182 / HEIGHT], atol=1e-6)


def test_a_crop_never_loses_a_pixel_to_rounding() -> None:
    """A share of the picture may, times its size, fall below the whole pixel that it is from."""
    for width, height in ((1440, 1080), (1920, 1080), (2560, 1920), (319, 241)):
        sides = np.arange(min(width, height))
        pixels = np.stack([sides, sides, sides + 1, sides + 1], axis=1).astype(np.float64)
        wanted = [tuple(row) for row in pixels.astype(int).tolist()]
        divided = (pixels / [width, height, width, height]).tolist()
        assert [window("box", share, width, height) for share in divided] != wanted, "the trap is there"
        assert [window("box", each, width, height) for each in _shares(pixels, (width, height)).tolist()] == wanted


def test_the_square_crop_is_an_option(small: Path) -> None:
    dataset = open_dataset(small, options={"crop": "square"})
    each = dataset.tracks[0]
    assert each.face_in_crop is not None
    assert {face.shape for face in each.media.faces()[:3]} == {(84, 84)}
    assert dataset.fingerprint != open_dataset(small).fingerprint


def test_frames_are_counted_from_the_first_picture(tmp_path: Path) -> None:
    """Where the first picture is shown late, frame n is still the n-th picture, and its sound that of its time."""
    late = film([Drawn(LEFT)], 100, aac(48_000, 4.0), ticks=range(20, 120))
    late.write(tmp_path / "clips/c.mp4")
    with av.open(str(tmp_path / "clips/c.mp4")) as container:
        assert round(container.streams.video[0].start_time * container.streams.video[0].time_base * FPS) >= 20
    faces = [person("1", [(0, 9)], [track("t", sized(some(LEFT, 10, 60)))])]
    write_annotation(tmp_path / "av_val.json", annotation({"v": {"c": faces}}))
    (each,) = open_dataset(tmp_path).tracks
    for frame, face in zip(frames_of(each), each.media.faces(), strict=True):
        np.testing.assert_array_equal(face, drawn(frame, LEFT[frame]))
    start = 10 * 16_000 // FPS
    assert abs(beep_lag(each.media.audio(), (45 - 20) * 16_000 // FPS - start)) <= 16
    before, after = each.audio_margin
    assert abs(before - start) <= 16, "sound from before the first picture is not used"
    prepare(open_dataset(tmp_path), tmp_path / "prepared", options=PrepareOptions(workers=1))
    (stored,) = open_dataset(tmp_path / "prepared").tracks
    assert stored.audio_margin == each.audio_margin
    span = -before, each.num_samples + after
    np.testing.assert_array_equal(stored.media.audio_window(*span), each.media.audio_window(*span))


# --- sound -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("convention", ["official", "talknet"])
@pytest.mark.parametrize("clip", [HEARD, LATE, OTHER])
def test_every_beep_is_at_its_frame(small: Path, convention: str, clip: str) -> None:
    """Chirps begin at known frames, also in the clip whose sound sets in 400 ms after its pictures."""
    each = opened(small, convention)[1][clip, "track_0" if convention == "official" else "track_0:0"]
    audio, frames = each.media.audio(), frames_of(each)
    assert abs(len(audio) - each.num_samples) <= 1
    heard = [beep for beep in BEEPS if frames[0] < beep and beep + 3 < frames[-1]]
    assert len(heard) >= 4
    for beep in heard:
        at = round(beep * 16_000 / FPS) - int(each.timestamps_ms[0]) * 16
        assert abs(beep_lag(audio, at)) <= 16, "1 ms, in which mp4 keeps delays; a frame is 533 samples"


def test_the_late_sound_is_late_in_the_file(small: Path) -> None:
    with av.open(str(small / "clips" / f"{LATE}.mp4")) as container:
        audio = container.streams.audio[0]
        assert float(audio.start_time * audio.time_base) == pytest.approx(DELAY_MS / 1000, abs=0.03)


def test_the_margin_is_the_sound_around_the_track(small: Path) -> None:
    _, tracks = opened(small)
    late = tracks[LATE, "track_0"]
    before, after = late.audio_margin
    assert abs(before - (500 - DELAY_MS) * 16) <= 16 * 24
    assert abs(after - (4000 - int(late.timestamps_ms[-1])) * 16) <= 16 * 50
    window = late.media.audio_window(-before, late.num_samples + after)
    assert abs(len(window) - (before + late.num_samples + after)) <= 1
    np.testing.assert_array_equal(window[before:][: late.num_samples], late.media.audio())
    assert tracks[SILENT, "track_0"].audio_margin == tracks[GONE, "track_0"].audio_margin == (0, 0)


def test_a_track_that_begins_before_the_sound_is_refused_and_not_filled_with_zeros(copy: Path) -> None:
    faces = [person("1", [(0, 9)], [track("t", sized(some(LEFT, 0, 60)))])]
    write_annotation(copy / "av_val.json", annotation({"v": {LATE: faces}}))
    (each,) = open_dataset(copy).tracks
    with pytest.raises(DataError, match=rf"av_val\.json, clip '{LATE}', person '1', track 't', frame 0: .*needs sound"):
        each.media.audio()


def test_a_clip_without_sound_has_no_zeros(small: Path) -> None:
    each = opened(small)[1][SILENT, "track_0"]
    with pytest.raises(DataError, match=rf"{SILENT}\.mp4: no audio stream"):
        each.media.audio()
    with pytest.raises(DataError, match=rf"{SILENT}\.mp4: no audio stream"):
        each.media.audio_window(0, 100)
    assert len(each.media.faces()) == FRAMES, "its pictures are there"


# --- clips that are missing or not as they should be -------------------------------------------------------------


def test_tracks_of_a_missing_clip_say_so_when_scored(small: Path) -> None:
    each = opened(small)[1][GONE, "track_0"]
    assert each.boxes is None
    for load in (each.media.audio, each.media.faces, lambda: each.media.audio_window(0, 1)):
        with pytest.raises(DataError, match=rf"av_val\.json, clip '{GONE}': there is no .*clips.{GONE}\.mp4"):
            load()
    assert each.media.stamp() == "missing"


@pytest.mark.parametrize("folder", ["", "clips", "av_clips", "videos", "v2/clips", "v2/av_clips"])
@pytest.mark.parametrize("annotations", ["", "annotations", "v2/annotations", "json"])
def test_where_downloads_leave_the_files(copy: Path, tmp_path: Path, folder: str, annotations: str) -> None:
    root = tmp_path / "root"
    (root / folder).mkdir(parents=True)
    (root / annotations).mkdir(parents=True, exist_ok=True)
    for path in (copy / "clips").iterdir():
        path.rename(root / folder / path.name)
    (copy / "av_val.json").rename(root / annotations / "av_val.json")
    assert recognise(root) == "ego4d"
    assert sum(each.boxes is not None for each in open_dataset(root).tracks) == 8


def test_splits_by_name(copy: Path) -> None:
    (copy / "av_val.json").rename(copy / "av_train.json")
    assert len(open_dataset(copy, split="train").tracks) == 9
    with pytest.raises(DataError, match=r"av_val\.json: the annotation file is missing; splits found: train"):
        open_dataset(copy)
    with pytest.raises(DataError, match="annotation file is missing"):
        open_dataset(copy, split="../av", data_format="ego4d")


@pytest.mark.parametrize(
    "tracks", [{"a": [0, 1], "a~2": [0, 1]}, {"a": [0, 1, 10, 11], "a@10": [0, 1]}], ids=["~", "@"]
)
def test_ids_that_look_like_those_made_here(copy: Path, tracks: dict[str, list[int]]) -> None:
    last = max(tracks)
    given = [track(name, [box(frame, (8, 8, 16, 16)) for frame in frames]) for name, frames in tracks.items()]
    twice = given if "@" in last else [given[0], *given]
    write_annotation(
        copy / "av_val.json", {"videos": [{"clips": [{"clip_uid": "c", "persons": [person("1", [], twice)]}]}]}
    )
    with pytest.raises(DataError, match=rf"av_val\.json, clip 'c', track '{last}': another track .* as '{last}' too"):
        open_dataset(copy)


def test_an_annotation_without_faces(copy: Path) -> None:
    write_annotation(copy / "av_val.json", {"videos": [{"video_uid": "v", "clips": [{"clip_uid": "c"}]}]})
    with pytest.raises(DataError, match=r"av_val\.json: no face track .* expected av_train\.json or av_val\.json"):
        open_dataset(copy)


def test_damaged_clips_are_noted_and_named(copy: Path) -> None:
    path = copy / "clips" / f"{HEARD}.mp4"
    path.write_bytes(b"no film" * 100)
    dataset, tracks = opened(copy)
    assert f"1 clip(s) damaged or not the official ones, whose tracks cannot be scored ({HEARD})" in (dataset.notes)
    with pytest.raises(DataError, match=rf"{HEARD}\.mp4: the video cannot be read"):
        tracks[HEARD, "track_0"].media.faces()


def test_another_frame_rate_is_refused(copy: Path) -> None:
    path = copy / "clips" / f"{HEARD}.mp4"
    Film(frames=60, rate=Fraction(30_000, 1001)).write(path)
    _, tracks = opened(copy)
    with pytest.raises(DataError, match=rf"{HEARD}\.mp4: 29\.97 frames per second; .* have 30"):
        tracks[HEARD, "track_0"].media.faces()


def test_frames_beyond_the_end_of_a_clip_are_named(copy: Path) -> None:
    faces = [person("1", [(0, 9)], [track("t", [box(f, (200, 100, 50, 60)) for f in range(100, 125)])])]
    write_annotation(copy / "av_val.json", annotation({"v": {OTHER: faces}}))
    (each,) = open_dataset(copy).tracks
    with pytest.raises(DataError, match=rf"clip '{OTHER}', person '1', track 't', frame 120: .*no picture at 4\.000 s"):
        each.media.faces()


# --- cost and identity -------------------------------------------------------------------------------------------


def test_nothing_is_decoded_at_open(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asdbench.data.video, "_decode", lambda *_: pytest.fail("a picture was decoded"))
    monkeypatch.setattr(asdbench.data.sound, "_decode", lambda *_: pytest.fail("sound was decoded"))
    assert len(open_dataset(small).tracks) == 9


def test_each_clip_is_looked_at_once(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    read = asdbench.data.ego4d.read_header
    monkeypatch.setattr(asdbench.data.ego4d, "read_header", lambda path: seen.append(path.stem) or read(path))
    open_dataset(small)
    assert sorted(seen) == sorted([HEARD, LATE, SILENT, OTHER])


def test_fingerprints_tell_conventions_and_boxes_apart_and_places_not(small: Path, copy: Path) -> None:
    first = open_dataset(small).fingerprint
    assert open_dataset(copy).fingerprint == first
    assert open_dataset(copy, options={"convention": "talknet"}).fingerprint != first
    text = (copy / "av_val.json").read_text()
    (copy / "av_val.json").write_text(text.replace('"y": 30, "width": 50', '"y": 31, "width": 50', 1))
    assert open_dataset(copy).fingerprint != first


def test_ground_is_no_level_of_a_face() -> None:
    """A crop that reaches too far shows it."""
    assert GROUND not in set(np.unique(pattern(1365, 50, 60)).tolist())
