"""The official files of AVA, the flat layout, and tracks that are cut out of films."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.data import open_dataset
from asdbench.data.ava import open_ava
from asdbench.data.formats import recognise
from asdbench.errors import DataError, UsageError
from asdbench.types import Dataset, Track
from tests.data.films import HEIGHT, WIDTH, Film, Sound, number_of

NOISE = np.random.default_rng(5).integers(-9_000, 9_000, 3 * 16_000).astype(np.int16)
OFFICIAL_FIELDS = 8


def same_tracks(one: Dataset, other: Dataset) -> None:
    assert one.fingerprint == other.fingerprint
    for a, b in zip(one.tracks, other.tracks, strict=True):
        np.testing.assert_array_equal(a.media.audio(), b.media.audio())
        for face, known in zip(a.media.faces(), b.media.faces(), strict=True):
            np.testing.assert_array_equal(face, known)


def split_up(root: Path, folder: Path, *, header: bool, name: str = "{}-activespeaker.csv") -> None:
    """Replace the annotation of all videos by one official file per video, in shuffled order of rows."""
    merged = root / "csv/val_orig.csv"
    with merged.open(encoding="utf-8", newline="") as file:
        columns, *rows = list(csv.reader(file))
    folder.mkdir(parents=True, exist_ok=True)
    for video in {row[0] for row in rows}:
        lines = [row[:OFFICIAL_FIELDS] for row in rows if row[0] == video][::-1]
        with (folder / name.format(video)).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([columns[:OFFICIAL_FIELDS], *lines] if header else lines)
    merged.unlink()


@pytest.mark.parametrize(
    ("place", "header", "name"),
    [
        ("csv/val", False, "{}-activespeaker.csv"),
        ("csv/val", True, "{}.csv"),
        ("val", False, "{}-activespeaker.csv"),
        ("ava_activespeaker_val_v1.0", False, "{}-activespeaker.csv"),
        ("csv", False, "{}-activespeaker.csv"),
        (".", False, "{}-activespeaker.csv"),
    ],
)
def test_one_file_per_video_means_the_same(
    fixture_copy: Path, fixture_dataset: Dataset, place: str, header: bool, name: str
) -> None:
    split_up(fixture_copy, fixture_copy / place, header=header, name=name)
    assert recognise(fixture_copy) == "ava"
    same_tracks(open_dataset(fixture_copy), fixture_dataset)


def test_a_merged_file_without_header(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    path = fixture_copy / "csv/val_orig.csv"
    path.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[1:]) + "\n", encoding="utf-8")
    same_tracks(open_dataset(fixture_copy), fixture_dataset)


def test_two_files_with_rows_of_one_track(fixture_copy: Path) -> None:
    split_up(fixture_copy, fixture_copy / "csv/val", header=False)
    one = fixture_copy / "csv/val/aa-activespeaker.csv"
    (fixture_copy / "csv/val/again-activespeaker.csv").write_bytes(one.read_bytes())
    with pytest.raises(DataError, match=r"again-activespeaker\.csv, line \d+: .* has rows in .*aa-activespeaker\.csv"):
        open_dataset(fixture_copy)


def test_a_broken_official_file_is_named_with_its_line(fixture_copy: Path) -> None:
    split_up(fixture_copy, fixture_copy / "csv/val", header=False)
    path = fixture_copy / "csv/val/aa-activespeaker.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[4] = lines[4].replace("SPEAKING", "TALKING")
    path.write_text("\n".join([*lines[:2], "", *lines[2:]]) + "\n", encoding="utf-8")  # a blank line is no row
    with pytest.raises(DataError, match=r"aa-activespeaker\.csv, line 6: the label '.*TALKING"):
        open_dataset(fixture_copy)


def test_more_fields_than_the_header_has_shift_no_column(fixture_copy: Path) -> None:
    path = fixture_copy / "csv/val_orig.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([header, *(f"0,{row}" for row in rows)]), encoding="utf-8")
    with pytest.raises(DataError, match=r"val_orig\.csv, line 2: more fields than in the header"):
        open_dataset(fixture_copy)


def flatten(root: Path) -> None:
    for kind in ("clips_videos", "clips_audios"):
        for video in list((root / kind / "val").iterdir()):
            for entity in list(video.iterdir()):
                entity.rename(root / kind / "val" / entity.name)
            video.rmdir()


def test_the_flat_layout(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    flatten(fixture_copy)
    same_tracks(open_dataset(fixture_copy), fixture_dataset)


def repeat_entity(root: Path) -> tuple[str, str]:
    """Give the only track of one video the entity id of another video's."""
    videos = [path for path in sorted((root / "clips_audios/val").iterdir()) if len(list(path.iterdir())) == 1]
    (one,), (two,) = (list(path.iterdir()) for path in videos[:2])
    for file in ("csv/val_orig.csv", "csv/val_loader.csv"):
        path = root / file
        path.write_text(path.read_text(encoding="utf-8").replace(two.stem, one.stem), encoding="utf-8")
    two.rename(two.with_name(one.name))
    crops = root / "clips_videos/val" / videos[1].name / two.stem
    crops.rename(crops.with_name(one.stem))
    return videos[0].name, videos[1].name


def test_entity_ids_may_repeat_across_videos(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    videos = repeat_entity(fixture_copy)
    dataset = open_dataset(fixture_copy)
    known = {track.video_id: track for track in fixture_dataset.tracks}
    for track in dataset.tracks:
        if track.video_id in videos:
            np.testing.assert_array_equal(track.media.audio(), known[track.video_id].media.audio())
            assert track.fps == known[track.video_id].fps
    assert len({track.entity_id for track in dataset.tracks if track.video_id in videos}) == 1


def test_repeated_entity_ids_are_no_folder_names(fixture_copy: Path) -> None:
    repeat_entity(fixture_copy)
    for kind in ("clips_videos", "clips_audios"):
        for video in list((fixture_copy / kind / "val").iterdir()):
            shutil.copytree(video, fixture_copy / kind / "val", dirs_exist_ok=True)
            shutil.rmtree(video)
    with pytest.raises(DataError, match=r"occurs in 2 videos .* unclear whose file this is"):
        open_dataset(fixture_copy)


def test_whole_seconds_are_times(fixture_copy: Path) -> None:
    path = fixture_copy / "csv/val_orig.csv"
    header, *rows = (line.split(",") for line in path.read_text(encoding="utf-8").splitlines())
    whole = [[row[0], str(round(float(row[1]) * 25)), *row[2:]] for row in rows if row[0] == "aa"]
    path.write_text("\n".join(",".join(row) for row in [header, *whole]), encoding="utf-8")
    (fixture_copy / "csv/val_loader.csv").unlink()
    assert [track.fps for track in open_dataset(fixture_copy).tracks] == [1.0] * len({row[7] for row in whole})


@given(order=st.randoms(use_true_random=False))
def test_the_order_of_rows_and_loader_lines_means_nothing(
    tmp_path_factory: pytest.TempPathFactory, fixture_root: Path, fixture_dataset: Dataset, order
) -> None:
    root = tmp_path_factory.mktemp("shuffled")
    (root / "csv").mkdir()
    for name, kept in (("val_orig.csv", 1), ("val_loader.csv", 0)):
        lines = (fixture_root / "csv" / name).read_text(encoding="utf-8").splitlines()
        rest = lines[kept:]
        order.shuffle(rest)
        (root / "csv" / name).write_text("\n".join([*lines[:kept], *rest]), encoding="utf-8")
    assert open_ava(root).fingerprint == fixture_dataset.fingerprint


# --- films -------------------------------------------------------------------------------------------------------

START = 900
"""AVA annotates its films from here."""


def halves(number: int) -> np.ndarray:
    picture = np.full((HEIGHT, WIDTH), 16 + 2 * number, dtype=np.uint8)
    picture[:, WIDTH // 2 :] += 40
    return picture


@pytest.fixture
def film_root(tmp_path: Path) -> Path:
    """A film whose pictures and sound lie at 900 s, as AVA's annotation does, and one face in its right half."""
    root = tmp_path / "ava"
    sound = Sound(NOISE, codec="flac", start=START * 16_000)
    ticks = range(START * 25, START * 25 + 60)
    Film(frames=60, ticks=ticks, luma=halves, sound=sound).write(root / "videos/vid00000001.mkv")
    (root / "csv/val").mkdir(parents=True)
    write_film_rows(root)
    return root


def write_film_rows(root: Path, box: str = "0.5,0.25,1.0,0.75", frames: range = range(10, 40)) -> None:
    rows = (f"vid00000001,{START + i * 0.04:.2f},{box},NOT_SPEAKING,vid00000001_0900_0960:1" for i in frames)
    (root / "csv/val/vid00000001-activespeaker.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def test_films_at_900_seconds(film_root: Path) -> None:
    (track,) = (dataset := open_dataset(film_root)).tracks
    assert any("1 tracks have no crops and are cut out of the films (box)" in note for note in dataset.notes)
    faces = track.media.faces()
    assert [number_of(face) - 20 for face in faces] == list(range(10, 40))
    assert {face.shape for face in faces} == {(HEIGHT // 2, WIDTH // 2)}
    np.testing.assert_array_equal(track.media.audio(), NOISE[10 * 640 : 39 * 640])
    np.testing.assert_array_equal(track.media.audio_window(-640, 640), NOISE[9 * 640 : 11 * 640])
    assert track.audio_margin == (10 * 640, len(NOISE) - 39 * 640)
    assert track.frame_size == (WIDTH, HEIGHT)
    assert track.face_in_crop is None


def test_crop_styles_of_films(film_root: Path) -> None:
    prints = set()
    for style, shape in (("box", (24, 32)), ("padded_box", (24, 32)), ("square", (None, None))):
        dataset = open_dataset(film_root, options={"crop": style})
        prints.add(dataset.fingerprint)
        face = dataset.tracks[0].media.faces()[0]
        if style == "square":
            assert abs(face.shape[0] - face.shape[1]) <= 1 < 32 < min(face.shape)
            left, top, right, bottom = dataset.tracks[0].face_in_crop[0]
            assert 0 < left < right < 1
            assert 0 < top < bottom < 1
        else:
            assert face.shape == shape
    assert len(prints) == 3
    with pytest.raises(UsageError, match="crop=round is none of box, padded_box, square, centre"):
        open_dataset(film_root, options={"crop": "round"})


def test_a_picture_that_the_film_does_not_have_is_named_with_file_and_line(film_root: Path) -> None:
    write_film_rows(film_root, frames=range(50, 70))
    (track,) = open_dataset(film_root).tracks
    with pytest.raises(DataError, match=r"vid00000001-activespeaker\.csv, line 11: .* shows no picture at 902\.400 s"):
        track.media.faces()


def test_boxes_in_pixels_are_not_used(film_root: Path, fixture_copy: Path) -> None:
    write_film_rows(film_root, box="32,12,64,36")
    (track,) = open_dataset(film_root).tracks
    with pytest.raises(DataError, match="crops cannot be read"):
        track.media.faces()
    path = fixture_copy / "csv/val_orig.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",0.300000,", ",300,", 1), encoding="utf-8")
    dataset = open_dataset(fixture_copy)
    assert dataset.notes == ("1 tracks have boxes that are no shares of the picture, which are not used",)
    assert sum(track.boxes is None for track in dataset.tracks) == 1


def test_crops_count_before_films(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    Film(frames=5).write(fixture_copy / "videos/aa.mp4")
    same_tracks(open_dataset(fixture_copy), fixture_dataset)


def test_a_test_set_without_labels_says_so(fixture_copy: Path) -> None:
    for path in sorted(fixture_copy.rglob("val*")):
        path.rename(path.with_name(path.name.replace("val", "test", 1)))
    path = fixture_copy / "csv/test_orig.csv"
    text = path.read_text(encoding="utf-8").replace("SPEAKING_AUDIBLE", "NOT_SPEAKING")
    path.write_text(text, encoding="utf-8")
    assert any("not public" in note for note in open_dataset(fixture_copy, "test").notes)


def test_films_and_crops_of_recorded_faces_agree(shared: Path, tmp_path: Path) -> None:
    layout, wanted = shared / "clips/ava_layout", ("realclip_01", "realclip_07")
    (tmp_path / "val").mkdir()
    (tmp_path / "videos").mkdir()
    with (layout / "csv/val_orig.csv").open(encoding="utf-8", newline="") as file:
        rows = [row[:OFFICIAL_FIELDS] for row in csv.reader(file) if row[0] in wanted]
    for video in wanted:
        shutil.copy(shared / f"clips/source/clip_{video[-2:]}.mp4", tmp_path / f"videos/{video}.mp4")
        with (tmp_path / f"val/{video}-activespeaker.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(row for row in rows if row[0] == video)
    known = {track.key: track for track in open_dataset(layout).tracks}
    for track in open_dataset(tmp_path).tracks:
        assert_same_medium(track, known[track.key])


def assert_same_medium(track: Track, known: Track) -> None:
    assert track.labels.tolist() == known.labels.tolist()
    sound, expected = track.media.audio().astype(float), known.media.audio().astype(float)
    assert np.corrcoef(sound[: len(expected)], expected[: len(sound)])[0, 1] > 0.95  # the film holds AAC
    for face, crop in list(zip(track.media.faces(), known.media.faces(), strict=True))[::20]:
        small = cv2.resize(face, crop.shape[::-1], interpolation=cv2.INTER_AREA)
        assert np.abs(small.astype(int) - crop).mean() < 4
