"""The reader of users' own videos: what it joins, and what it refuses."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import asdbench
import asdbench.data
import asdbench.data.video_media
from asdbench.data import open_dataset
from asdbench.data.check_tables import check_tables
from asdbench.data.fingerprint import fingerprint
from asdbench.data.oracle import Oracle
from asdbench.data.video_media import VideoMedia
from asdbench.errors import DataError
from asdbench.types import Dataset, Track
from tests.cli.conftest import Cli, cli  # noqa: F401
from tests.data.films import HEIGHT, WIDTH, Film, Sound, number_of

AVA_COLUMNS = (
    "video_id", "frame_timestamp", "entity_box_x1", "entity_box_y1", "entity_box_x2", "entity_box_y2", "label",
    "entity_id",
)  # fmt: skip
LABEL = {"+": "SPEAKING_AUDIBLE", "-": "NOT_SPEAKING", "o": "SPEAKING_NOT_AUDIBLE"}
NOISE = np.random.default_rng(0).integers(-9_000, 9_000, 4 * 16_000).astype(np.int16)
LEFT, RIGHT = ("0", "0", "0.5", "1"), ("0.5", "0.25", "1.0", "0.75")
# video, entity, first frame, box, labels. The rows are written in this order, which is not that of the keys.
FACES = (
    ("clip", "b", 10, RIGHT, "----++++----oo--++"),
    ("clip", "a:1", 4, LEFT, "++--" * 10),
    ("aloud", "x", 0, LEFT, "-" * 20 + "+" * 20),
    ("dub", "left", 5, LEFT, "ooooo---oo--"),
)

Row = dict[str, str]


def rows_of(root: Path, name: str = "labels.csv") -> list[Row]:
    with (root / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(root: Path, rows: list[Row], name: str = "labels.csv", *, header: bool = True) -> None:
    with (root / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        if header:
            writer.writeheader()
        writer.writerows(rows)


def labels_of() -> list[Row]:
    return [
        dict(
            zip(
                AVA_COLUMNS,
                (video, f"{(first + index) * 0.04:.3f}", *box, LABEL[label], entity),
                strict=True,
            )
        )
        for video, entity, first, box, labels in FACES
        for index, label in enumerate(labels)
    ]


TRACKS = (
    {"video_id": "clip", "entity_id": "a:1", "source_id": "s1", "person_id": "P1", "sentence_id": "7", "kind": "plain"},
    {"video_id": "dub", "entity_id": "left", "source_id": "", "person_id": "", "sentence_id": "", "kind": "dubbed"},
)


@pytest.fixture(scope="session")
def folder_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set in the folder format; read only."""
    root = tmp_path_factory.mktemp("folder") / "mine"
    Film(frames=60, luma=halves).write(root / "videos/clip.mp4")
    Film(frames=60, sound=Sound(NOISE[::-1].copy(), codec="flac", start=800)).write(root / "videos/aloud.mkv")
    Film(frames=30, options={"bf": "0"}).write(root / "videos/dub.avi")
    (root / "audio").mkdir()
    soundfile.write(root / "audio/clip.flac", NOISE, 16_000)
    soundfile.write(root / "audio/dub.wav", NOISE[:20_000], 16_000)
    write_rows(root, labels_of())
    write_rows(root, [dict(row) for row in TRACKS], "tracks.csv")
    return root


@pytest.fixture
def folder(folder_root: Path, tmp_path: Path) -> Path:
    """A copy of the data set that the test may spoil."""
    return Path(shutil.copytree(folder_root, tmp_path / "mine"))


def halves(number: int) -> np.ndarray:
    picture = np.full((HEIGHT, WIDTH), 16 + 2 * number, dtype=np.uint8)
    picture[:, WIDTH // 2 :] += 40
    return picture


def tracks_of(dataset: Dataset) -> dict[tuple[str, str], Track]:
    return {tuple(track.key): track for track in dataset.tracks}


def load_all(root: Path) -> None:
    for track in open_dataset(root).tracks:
        track.media.audio()
        track.media.faces()


# --- what is read ------------------------------------------------------------------------------------------------


def test_tracks_are_sorted_and_complete(folder_root: Path) -> None:
    dataset = open_dataset(folder_root)
    assert (dataset.name, dataset.format, dataset.protocol, dataset.notes) == ("mine", "folder", "ava", ())
    tracks = tracks_of(dataset)
    assert list(tracks) == [("aloud", "x"), ("clip", "a:1"), ("clip", "b"), ("dub", "left")]
    for video, entity, first, _, labels in FACES:
        track = tracks[video, entity]
        assert track.labels.tolist() == [int(label == "+") for label in labels]
        assert track.timestamps_ms.tolist() == [40 * (first + index) for index in range(len(labels))]
        assert track.fps == 25
        assert track.num_samples == (len(labels) - 1) * 640
        assert (track.labels.dtype, track.timestamps_ms.dtype) == (np.int8, np.int64)


def test_facts_of_tracks_and_their_defaults(folder_root: Path) -> None:
    tracks = tracks_of(open_dataset(folder_root))
    known, other = tracks["clip", "a:1"], tracks["clip", "b"]
    assert (known.source_id, known.person_id, known.sentence_id, known.dubbed) == ("s1", "P1", "7", None)
    assert (other.source_id, other.person_id, other.sentence_id, other.dubbed) == ("s1", None, None, None)
    assert tracks["aloud", "x"].source_id == "aloud"
    assert tracks["dub", "left"].source_id == "dub"


def test_a_dubbed_track_says_where_its_lips_move(folder_root: Path) -> None:
    dubbed = tracks_of(open_dataset(folder_root))["dub", "left"].dubbed
    assert dubbed is not None
    assert dubbed.dtype == np.bool_
    assert dubbed.tolist() == [label == "o" for label in "ooooo---oo--"]


def test_faces_are_those_of_the_rows(folder_root: Path) -> None:
    tracks = tracks_of(open_dataset(folder_root))
    left, right = tracks["clip", "a:1"].media.faces(), tracks["clip", "b"].media.faces()
    assert {face.shape for face in left} == {(48, 32)}
    assert {face.shape for face in right} == {(24, 32)}
    assert [number_of(face) for face in left] == list(range(4, 44))
    assert [number_of(face) - 20 for face in right] == list(range(10, 28))
    assert [number_of(face) for face in tracks["dub", "left"].media.faces()] == list(range(5, 17))


def test_audio_is_that_of_the_file_beside_the_video(folder_root: Path) -> None:
    track = tracks_of(open_dataset(folder_root))["clip", "b"]
    start, end = 400 * 16, (400 + 17 * 40) * 16
    np.testing.assert_array_equal(track.media.audio(), NOISE[start:end])
    assert track.audio_margin == (start, len(NOISE) - end)
    np.testing.assert_array_equal(track.media.audio_window(-100, 50), NOISE[start - 100 : start + 50])
    np.testing.assert_array_equal(track.media.audio_window(-9_999, 0), NOISE[:start])
    np.testing.assert_array_equal(track.media.audio_window(end - start, 99_999), NOISE[end:])


def test_audio_of_the_video_itself_is_where_the_video_says(folder_root: Path) -> None:
    track = tracks_of(open_dataset(folder_root))["aloud", "x"]
    samples, end = NOISE[::-1], 39 * 640
    audio = track.media.audio()
    assert len(audio) == track.num_samples == end
    assert not audio[:800].any(), "50 ms late, and what follows stays where it belongs"
    np.testing.assert_array_equal(audio[800:], samples[: end - 800])
    assert track.audio_margin == (0, 800 + len(samples) - end)
    np.testing.assert_array_equal(track.media.audio_window(end, end + 500), samples[end - 800 : end - 300])


@pytest.mark.parametrize(("milliseconds", "accepted"), [(80, True), (81, False)])
def test_sound_may_set_in_or_end_80_ms_away_from_the_track(folder: Path, milliseconds: int, accepted: bool) -> None:
    def spoil(late: int, early: int) -> None:
        sound = Sound(NOISE[: 39 * 640 - late - early], codec="flac", start=late)
        Film(frames=60, sound=sound).write(folder / "videos/aloud.mkv")

    for late, early in ((milliseconds * 16, 0), (0, milliseconds * 16)):
        spoil(late, early)
        media = tracks_of(open_dataset(folder))["aloud", "x"].media
        if accepted:
            audio = media.audio()
            assert len(audio) == 39 * 640 - early
            np.testing.assert_array_equal(audio[late:], NOISE[: len(audio) - late])
        else:
            with pytest.raises(DataError, match=r"needs sound from 0\.000 to 1\.560 s"):
                media.audio()


@pytest.mark.parametrize("header", [True, False])
def test_labels_with_and_without_header(folder: Path, header: bool) -> None:
    before = open_dataset(folder).fingerprint
    write_rows(folder, rows_of(folder), header=header)
    assert open_dataset(folder).fingerprint == before
    if header:
        rows = [{"note": "new", **dict(reversed(row.items()))} for row in rows_of(folder)]
        write_rows(folder, rows[::-1])
        assert open_dataset(folder).fingerprint == before, "neither order nor more columns mean anything"


def test_a_byte_order_mark(folder: Path) -> None:
    before = open_dataset(folder).fingerprint
    for name in ("labels.csv", "tracks.csv"):
        (folder / name).write_text((folder / name).read_text(), encoding="utf-8-sig")
    assert open_dataset(folder).fingerprint == before
    write_rows(folder, labels_of(), header=False)
    (folder / "labels.csv").write_text((folder / "labels.csv").read_text(), encoding="utf-8-sig")
    assert open_dataset(folder).fingerprint == before


def test_fingerprint_covers_the_version(folder: Path) -> None:
    found = [open_dataset(folder).fingerprint]
    for text in ('version = "3"', 'version = "4"', 'name = "other"'):
        (folder / "dataset.toml").write_text(text)
        found.append(open_dataset(folder).fingerprint)
    assert len(set(found)) == 3
    assert found[3] == found[0], "a name is no content"
    (folder / "dataset.toml").write_text("version = 3")
    assert open_dataset(folder).fingerprint == found[1]


@pytest.mark.parametrize("kind", ["Dubbed", " DUBBED "])
def test_the_kind_is_read_in_any_case(folder: Path, kind: str) -> None:
    before = open_dataset(folder).fingerprint
    field("kind", kind, 1, "tracks.csv")(folder)
    assert open_dataset(folder).fingerprint == before


def test_messages_do_not_repeat_megabytes(folder: Path) -> None:
    write_rows(folder, [row | {"frame_timestamp": "9" * 100_000} for row in rows_of(folder)])
    with pytest.raises(
        DataError, match=r"labels\.csv, line 2: the frame_timestamp '9{250}'\.\.\. is not a time"
    ) as told:
        open_dataset(folder)
    assert len(str(told.value)) < 1_000
    assert all(len(each.message) < 1_000 for each in check_tables(folder, "val"))


def test_description(folder: Path) -> None:
    (folder / "dataset.toml").write_text('name = "nice"\nversion = "3"\nnotes = ["drawn by hand"]\nlicence = "x"\n')
    dataset = open_dataset(folder)
    assert dataset.name == "nice"
    assert dataset.notes == ("version 3 of the data", "drawn by hand")
    assert open_dataset(folder, name="given").name == "given"


def test_frame_rates_are_measured(folder: Path) -> None:
    slower = 25 * 1001 / 30_000
    rows = [row | {"frame_timestamp": f"{float(row['frame_timestamp']) * slower:.3f}"} for row in rows_of(folder)]
    write_rows(folder, rows)
    assert [track.fps for track in open_dataset(folder).tracks] == pytest.approx([29.97] * 4, abs=0.03)


def test_gaps_in_time_are_noted(folder: Path) -> None:
    write_rows(folder, [row for row in rows_of(folder) if row["frame_timestamp"] != "0.480"])
    assert open_dataset(folder).notes[0].startswith("4 tracks have gaps in time")


def test_names_with_colons_may_be_encoded_on_disk(folder: Path) -> None:
    write_rows(folder, [row | {"video_id": row["video_id"].replace("clip", "c:1")} for row in rows_of(folder)])
    (folder / "tracks.csv").unlink()
    (folder / "videos/clip.mp4").rename(folder / "videos/c%3A1.mp4")
    (folder / "audio/clip.flac").rename(folder / "audio/c%3A1.flac")
    track = tracks_of(open_dataset(folder))["c:1", "b"]
    assert len(track.media.faces()) == len(track)
    assert len(track.media.audio()) == track.num_samples


@pytest.mark.parametrize("letter", ["ä", "語"])
def test_names_that_are_too_long_when_encoded(folder: Path, letter: str) -> None:
    long = letter * (190 // len(letter.encode()))
    write_rows(folder, [row | {"video_id": row["video_id"].replace("clip", long)} for row in rows_of(folder)])
    (folder / "tracks.csv").unlink()
    for name in ("videos/clip.mp4", "audio/clip.flac"):
        (folder / name).rename((folder / name).with_stem(long))
    assert len(tracks_of(open_dataset(folder))[long, "b"].media.faces()) == 18


def test_the_first_face_alone_is_that_of_all(folder_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    media = [track.media for track in open_dataset(folder_root).tracks]
    wanted = [each.faces()[0] for each in media]
    decoded: list[int] = []
    read = asdbench.data.video_media.read_crops
    monkeypatch.setattr(
        asdbench.data.video_media, "read_crops", lambda *args: decoded.append(len(args[1])) or read(*args)
    )
    for each, face in zip(media, wanted, strict=True):
        assert isinstance(each, VideoMedia)
        np.testing.assert_array_equal(each.first_face(), face)
    assert decoded == [1] * len(media)


def test_the_oracle_decodes_no_more_than_the_first_face(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "phonemes.csv").write_text("video_id,entity_id,channel,start,end,ipa\nclip,b,both,0.5,1,a\n", "utf-8-sig")
    track = tracks_of(open_dataset(folder))["clip", "b"]
    audio, faces = track.media.audio(), track.media.faces()
    monkeypatch.setattr(VideoMedia, "faces", lambda _: pytest.fail("the whole track was decoded"))
    scores = Oracle(folder).score_track(audio, faces, track.fps)
    assert (scores[3:14] == 4).all()
    assert (scores[16:] == -4).all()


def test_media_are_not_needed_to_open(folder: Path) -> None:
    shutil.rmtree(folder / "videos")
    shutil.rmtree(folder / "audio")
    assert [track.audio_margin for track in open_dataset(folder).tracks] == [(0, 0)] * 4


def test_stamps_change_with_either_file_and_never_raise(folder: Path) -> None:
    track = tracks_of(open_dataset(folder))["clip", "b"]
    stamps = [track.media.stamp()]
    for name in ("videos/clip.mp4", "audio/clip.flac"):
        with (folder / name).open("ab") as file:
            file.write(b"\0\0")
        stamps.append(track.media.stamp())
        (folder / name).unlink()
        stamps.append(track.media.stamp())
    assert len(set(stamps)) == 5


def test_a_copy_of_a_small_file_has_the_same_stamp(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stamp(seconds: int) -> str:
        for path in (folder / "videos/clip.mp4", folder / "audio/clip.flac"):
            os.utime(path, (seconds, seconds))
        return tracks_of(open_dataset(folder))["clip", "b"].media.stamp()

    before = stamp(1_000)
    assert stamp(2_000) == before
    sound = folder / "audio/clip.flac"
    data = sound.read_bytes()
    sound.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert stamp(1_000) != before, "the same size and time of change, but another file"
    monkeypatch.setattr("asdbench.data.media._SMALL_BYTES", sound.stat().st_size)
    assert stamp(1_000) != stamp(2_000), "a large file is not read"


# --- identity ----------------------------------------------------------------------------------------------------


def test_fingerprint_does_not_depend_on_the_place(folder_root: Path, folder: Path) -> None:
    assert open_dataset(folder).fingerprint == open_dataset(folder_root).fingerprint


@pytest.mark.parametrize(
    ("name", "number", "column", "value"),
    [
        ("labels.csv", 0, "entity_box_x1", "0.51"),
        ("labels.csv", 0, "label", "SPEAKING_AUDIBLE"),
        ("labels.csv", 98 + 5, "label", "SPEAKING_NOT_AUDIBLE"),
        ("tracks.csv", 0, "source_id", "s2"),
        ("tracks.csv", 0, "person_id", "P2"),
        ("tracks.csv", 0, "sentence_id", "8"),
        ("tracks.csv", 1, "kind", "plain"),
    ],
)
def test_fingerprint_covers_the_annotation(folder: Path, name: str, number: int, column: str, value: str) -> None:
    before = open_dataset(folder).fingerprint
    rows = rows_of(folder, name)
    assert rows[number][column] != value
    rows[number][column] = value
    write_rows(folder, rows, name)
    assert open_dataset(folder).fingerprint != before


def test_fingerprint_covers_the_audio_margin(folder: Path) -> None:
    before = open_dataset(folder).fingerprint
    soundfile.write(folder / "audio/clip.flac", NOISE[:-1], 16_000)
    assert open_dataset(folder).fingerprint != before


def test_fingerprints_of_data_sets_without_these_facts_stay(fixture_dataset: Dataset) -> None:
    """Recorded before tracks could be dubbed; run folders of earlier versions must still be found."""
    assert fixture_dataset.fingerprint == FIXTURE_FINGERPRINT
    first = fixture_dataset.tracks[0]
    quiet = np.zeros(len(first), dtype=bool)
    variants = (first, replace(first, dubbed=quiet), replace(first, dubbed=~quiet))
    assert len({fingerprint([track]) for track in variants}) == 3


FIXTURE_FINGERPRINT = "ae9a8bfee2f232fb25f284238302f0edca1b3ea921d943dc6f8292c78a6bde24"


# --- names -------------------------------------------------------------------------------------------------------


def test_the_demo_data_have_a_name(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(asdbench.data, "resource_folder", lambda name: asked.append(name) or folder)
    monkeypatch.chdir(tmp_path)
    assert len(open_dataset("demo-val").tracks) == 4
    assert asked == ["baselines/demo/demo-val"]
    Path("demo-val").mkdir()
    with pytest.raises(DataError, match="no known data format"):
        open_dataset("demo-val")


def test_an_unknown_folder_and_an_unknown_layout(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder; give the folder of a data set, or demo-val"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"ava: csv/\*_orig\.csv.*folder: labels\.csv"):
        open_dataset(tmp_path)
    with pytest.raises(DataError, match=r"labels\.csv: the file cannot be read"):
        open_dataset(tmp_path, data_format="folder")


# --- faults ------------------------------------------------------------------------------------------------------

Fault = Callable[[Path], object]


def field(column: str, value: str, number: int = 5, name: str = "labels.csv") -> Fault:
    def fault(root: Path) -> None:
        rows = rows_of(root, name)
        rows[number][column] = value
        write_rows(root, rows, name)

    return fault


def without(column: str, name: str = "labels.csv") -> Fault:
    return lambda root: write_rows(
        root, [{key: row[key] for key in row if key != column} for row in rows_of(root, name)], name
    )


def shifted(root: Path) -> None:
    """Move every row of one face to where the video shows nothing any more."""
    late = {"frame_timestamp": "2.600"}
    write_rows(root, [row | late if row["frame_timestamp"] == "1.720" else row for row in rows_of(root)])


def cut(name: str, keep: float) -> Fault:
    def fault(root: Path) -> None:
        data = (root / name).read_bytes()
        (root / name).write_bytes(data[: int(len(data) * keep)])

    return fault


def write(name: str, text: str) -> Fault:
    return lambda root: (root / name).write_text(text, encoding="utf-8")


def tracks(*lines: str) -> Fault:
    return write("tracks.csv", "\n".join(["video_id,entity_id,source_id,kind", *lines, ""]))


BOX_LINE = "labels.csv, line 7"
TABLE_FAULTS: dict[str, tuple[Fault, str, str]] = {
    "no column": (without("entity_box_y2"), "labels.csv, line 1", "no column entity_box_y2"),
    "no entity": (without("entity_id"), "labels.csv, line 1", "no column entity_id"),
    "no header and too few fields": (
        lambda root: write_rows(root, [{"video_id": "clip", "x": "0.1"}], header=False),
        "labels.csv, line 1",
        "2 fields and no header; expected a header with video_id, .* or these 8 fields",
    ),
    "empty": (write("labels.csv", ""), "labels.csv", "not a readable csv"),
    "no rows": (write("labels.csv", ",".join(AVA_COLUMNS) + "\n"), "labels.csv", "no rows"),
    "not text": (lambda root: (root / "labels.csv").write_bytes(b"\xff\xfe\x00,\x80"), "labels.csv", "not a readable"),
    "unknown label": (field("label", "SPEAKS"), BOX_LINE, "'SPEAKS' is none of"),
    "time in words": (field("frame_timestamp", "noon"), BOX_LINE, "is not a time"),
    "nan time": (field("frame_timestamp", "nan"), BOX_LINE, "is not a time"),
    "infinite time": (field("frame_timestamp", "inf"), BOX_LINE, "is not a time"),
    "negative time": (field("frame_timestamp", "-1"), BOX_LINE, "is not a time"),
    "duplicate key": (field("frame_timestamp", "0.400"), BOX_LINE, "same video, entity and time as line 2"),
    "entity leaves its folder": (field("entity_id", "../x"), BOX_LINE, "cannot name a file"),
    "video leaves its folder": (field("video_id", ".."), BOX_LINE, "cannot name a file"),
    "absolute video": (field("video_id", "/etc/passwd"), BOX_LINE, "cannot name a file"),
    "empty video": (field("video_id", ""), BOX_LINE, "cannot name a file"),
    "box in words": (field("entity_box_x1", "left"), BOX_LINE, "entity_box_x1 'left' is not a share"),
    "empty box": (field("entity_box_x1", ""), BOX_LINE, "entity_box_x1 '' is not a share"),
    "nan box": (field("entity_box_y1", "nan"), BOX_LINE, "entity_box_y1 'nan' is not a share"),
    "infinite box": (field("entity_box_y2", "inf"), BOX_LINE, "entity_box_y2 'inf' is not a share"),
    "box in pixels": (field("entity_box_x2", "320"), BOX_LINE, "entity_box_x2 '320' is not a share"),
    "box turned round": (field("entity_box_x2", "0.4"), BOX_LINE, "is not larger than entity_box_x1"),
    "box without height": (field("entity_box_y2", "0.25"), BOX_LINE, "is not larger than entity_box_y1"),
    "box to the right": (
        lambda root: (field("entity_box_x1", "1.1")(root), field("entity_box_x2", "1.2")(root)),
        BOX_LINE,
        "entity_box_x1 '1.1' puts the whole box outside",
    ),
    "box above": (
        lambda root: (field("entity_box_y1", "-0.2")(root), field("entity_box_y2", "-0.1")(root)),
        BOX_LINE,
        "entity_box_y2 '-0.1' puts the whole box outside",
    ),
    "one row per face": (
        lambda root: (write_rows(root, rows_of(root)[:1]), (root / "tracks.csv").unlink()),
        "labels.csv, line 2",
        "the only row of the face 'b' of the video 'clip', so the track has no length and no sound",
    ),
    "a face of one row": (
        lambda root: write_rows(root, [*rows_of(root), rows_of(root)[0] | {"entity_id": "new"}]),
        "labels.csv, line 112",
        "the only row of the face 'new' of the video 'clip'",
    ),
    "times in ms": (
        lambda root: write_rows(
            root, [row | {"frame_timestamp": str(1000 * float(row["frame_timestamp"]))} for row in rows_of(root)]
        ),
        "labels.csv",
        "video 'aloud' are 40000 ms apart, and a frame rate of 0.03 is not credible; .* 1 to 240 fps",
    ),
    "times too near": (
        lambda root: write_rows(
            root, [row | {"frame_timestamp": str(0.1 * float(row["frame_timestamp"]))} for row in rows_of(root)]
        ),
        "labels.csv",
        "are 4 ms apart, and a frame rate of 250 is not credible",
    ),
    "faces at different rates": (
        lambda root: write_rows(root, [r for n, r in enumerate(rows_of(root)) if n >= 18 or n % 2 == 0]),
        "labels.csv, line 2",
        "rows of the face 'b' are 80 ms apart, those of its video 40 ms",
    ),
    "tracks: empty": (write("tracks.csv", ""), "tracks.csv", "not a readable csv"),
    "tracks: no column": (without("entity_id", "tracks.csv"), "tracks.csv, line 1", "no column entity_id"),
    "tracks: unknown track": (tracks("clip,b,,", "clip,c,,"), "tracks.csv, line 3", "'c' of video 'clip' has no row"),
    "tracks: twice": (tracks("clip,b,,", "aloud,x,,", "clip,b,,"), "tracks.csv, line 4", "same track as on line 2"),
    "tracks: two sources": (
        tracks("clip,b,one,", "clip,a:1,two,"),
        "tracks.csv, line 3",
        "'two' for the video 'clip', which has 'one' on line 2",
    ),
    "tracks: dubbed and audible": (
        tracks("clip,b,,dubbed"),
        "labels.csv, line 6",
        r"SPEAKING_AUDIBLE in a track that is dubbed \(tracks.csv, line 2\)",
    ),
    "tracks: dubbed without a row that says so": (
        lambda root: write_rows(
            root, [r | {"label": "NOT_SPEAKING"} if r["video_id"] == "dub" else r for r in rows_of(root)]
        ),
        "tracks.csv, line 3",
        "'left' of video 'dub' is dubbed, but no row of it in labels.csv is SPEAKING_NOT_AUDIBLE",
    ),
    "tracks: a column that is nearly known": (
        write("tracks.csv", "video_id,entity_id, Kind\nclip,b,plain\n"),
        "tracks.csv, line 1",
        "the column ' Kind' would be ignored; call it 'kind'",
    ),
    "two videos": (
        lambda root: shutil.copy(root / "videos/clip.mp4", root / "videos/clip.mov"),
        "videos/clip.mov",
        "second file for the same video as clip.mp4",
    ),
    "two sounds": (
        lambda root: shutil.copy(root / "audio/dub.wav", root / "audio/clip.wav"),
        "audio/clip.wav",
        "second file for the same video as clip.flac",
    ),
    "description: no TOML": (write("dataset.toml", "name ="), "dataset.toml", "not a valid description"),
    "description: nested too deeply": (
        write("dataset.toml", "a = " + "[" * 100_000),
        "dataset.toml",
        "not a valid description",
    ),
    "description: wrong type": (write("dataset.toml", 'notes = "x"'), "dataset.toml", "notes"),
    "description: name leaves its folder": (write("dataset.toml", 'name = "../x"'), "dataset.toml", "cannot name"),
}

MEDIA_FAULTS: dict[str, tuple[Fault, str, str]] = {
    "no video": (lambda root: (root / "videos/clip.mp4").unlink(), "videos/clip.mp4", "the file is missing"),
    "text saved as video": (write("videos/clip.mp4", "<html>404</html>"), "videos/clip.mp4", "cannot be read"),
    "video cut off": (cut("videos/clip.mp4", 0.6), "videos/clip.mp4", "cannot be read|no video stream"),
    "label beyond the end": (shifted, "labels.csv, line 59", "no picture at 2.600 s .the nearest is at 2.360 s"),
    "no sound anywhere": (lambda root: (root / "audio/clip.flac").unlink(), "videos/clip.mp4", "no audio stream"),
    "no file at all": (lambda root: shutil.rmtree(root / "videos"), "videos/aloud.mp4", "the file is missing"),
    "text saved as sound": (write("audio/clip.flac", "<html>"), "audio/clip.flac", "no audio stream|cannot be read"),
    "sound cut off": (cut("audio/clip.flac", 0.1), "audio/clip.flac", "cut off|decoded"),
    "short sound": (
        lambda root: soundfile.write(root / "audio/dub.wav", NOISE[:5_000], 16_000),
        "labels.csv, line 100",
        r"needs sound from 0\.200 to 0\.640 s, and .*dub\.wav has 0\.113 s of it",
    ),
    "box too small": (
        lambda root: (field("entity_box_x2", "0.51")(root), field("entity_box_x1", "0.5")(root)),
        BOX_LINE,
        "the box holds no pixel of the 64 x 48 picture",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", TABLE_FAULTS)
def test_broken_tables_are_refused_with_path_and_line(folder: Path, fault: str) -> None:
    spoil, where, what = TABLE_FAULTS[fault]
    open_dataset(folder)
    spoil(folder)
    assert_refused(folder, where, what, lambda: open_dataset(folder))


@pytest.mark.parametrize("fault", MEDIA_FAULTS)
def test_broken_media_are_refused_with_their_path(folder: Path, fault: str) -> None:
    spoil, where, what = MEDIA_FAULTS[fault]
    load_all(folder)
    spoil(folder)
    open_dataset(folder)
    assert_refused(folder, where, what, lambda: load_all(folder))


def assert_refused(root: Path, where: str, what: str, call: Callable[[], object]) -> None:
    with pytest.raises(DataError, match=what) as caught:
        call()
    message = str(caught.value)
    assert str(root / where) in message
    assert "\n" not in message


# --- end to end --------------------------------------------------------------------------------------------------


def test_a_run_on_a_folder(cli: Cli, folder: Path) -> None:  # noqa: F811
    # Two recordings that speak are needed to give one the voice of the other.
    (folder / "dataset.toml").write_text('name = "mine"\nnotes = ["\\u001b[31mred"]\n')
    result = cli("run", "--suite", "unsync", "--model", "additive", "--data", folder, "--out", "out")
    assert result.exit_code == 0, result.err
    assert r"note: \x1b[31mred" in result.out
    assert "\x1b" not in result.out + result.err
    run = asdbench.open_run("out")
    clean = run.predictions("clean")
    assert len(clean) == sum(len(labels) for *_, labels in FACES)
    assert np.isfinite(clean["score"]).all()
    assert run.record["data"]["format"] == "folder"
    again = cli("run", "--suite", "unsync", "--model", "additive", "--data", folder, "--out", "out")
    assert "this run is complete" in again.err


def test_a_run_names_what_is_broken(cli: Cli, folder: Path) -> None:  # noqa: F811
    (folder / "videos/clip.mp4").write_bytes(b"")
    command = ("run", "--suite", "clean", "--model", "additive", "--data", folder, "--out", "out")
    result = cli(*command)
    assert result.exit_code == 5
    assert "clip.mp4: the video cannot be read" in result.err
    assert cli(*command, "--on-error", "skip").exit_code == 0
    assert [row["entity_id"] for row in rows_of(Path("out"), "skipped.csv")] == ["a:1", "b"]
