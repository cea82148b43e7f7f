"""Columbia: labels at 29.97 on half-size pictures become rows at 25 fps."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from asdbench.data import open_dataset
from asdbench.data.columbia import LONGEST_S, read_person
from asdbench.data.formats import recognise
from asdbench.errors import DataError
from tests.data.films import HEIGHT, WIDTH, Film, Sound, number_of

NOISE = np.random.default_rng(4).integers(-9_000, 9_000, 4 * 16_000).astype(np.int16)


def lines(first: int, labels: str, box: str = "8\t6\t16") -> str:
    return "".join(f"{first + i}\t{box}\t{label}\n" for i, label in enumerate(labels))


@pytest.fixture
def columbia(tmp_path: Path) -> Path:
    root = tmp_path / "columbia"
    (root / "col_labels/fusion").mkdir(parents=True)
    Film(frames=90, rate=Fraction(30000, 1001), sound=Sound(NOISE, codec="flac")).write(root / "col.mkv")
    write(root, "bell", lines(0, "0" * 12 + "1" * 18))
    write(root, "abbas", lines(6, "1" * 12) + lines(40, "0" * 12))
    return root


def write(root: Path, person: str, text: str) -> None:
    (root / f"col_labels/fusion/{person}.txt").write_text(text, encoding="utf-8")


def test_label_frames_become_pictures_at_25_fps(columbia: Path) -> None:
    assert recognise(columbia) == "columbia"
    dataset = open_dataset(columbia)
    track = next(track for track in dataset.tracks if track.person_id == "bell")
    assert track.key == ("col", "bell:000000")
    assert track.source_id == "col"
    assert track.timestamps_ms.tolist() == [40 * i for i in range(25)]
    pictures = [int(frame / 29.97 * 25) for frame in range(30)]
    assert len(set(pictures)) == 25 < len(pictures)  # so some hold two labels
    assert track.labels.tolist() == [int(pictures.index(i) >= 12) for i in range(25)]
    np.testing.assert_allclose(track.boxes[0], [16 / WIDTH, 12 / HEIGHT, 48 / WIDTH, 44 / HEIGHT])
    assert track.frame_size == (WIDTH, HEIGHT)
    np.testing.assert_array_equal(track.media.audio(), NOISE[: 24 * 640])


def test_pictures_are_the_nearest_of_the_video(columbia: Path) -> None:
    for crop, size in (("box", 32), ("square", 44), ("centre", 22)):
        dataset = open_dataset(columbia, options={"crop": crop})
        track = next(track for track in dataset.tracks if track.person_id == "bell")
        faces = track.media.faces()
        assert faces[0].shape[1] in (size, size + 1)
        assert (track.face_in_crop is not None) == (crop != "box")
        if crop == "centre":
            continue
        inner = [face[10:-10, 14:-14] for face in faces] if crop == "square" else faces
        assert [number_of(face) for face in inner] == [round(i * 0.04 * 30000 / 1001) for i in range(25)]


def test_the_centre_is_the_middle_half_of_the_square(columbia: Path) -> None:
    squares, centres = (
        next(track for track in open_dataset(columbia, options=options).tracks if track.person_id == "bell")
        for options in ({"crop": "square"}, {})
    )
    for square, centre in zip(squares.media.faces(), centres.media.faces(), strict=True):
        height, width = square.shape
        inside = square[height // 4 : height // 4 + height // 2, width // 4 : width // 4 + width // 2]
        np.testing.assert_array_equal(centre, inside)
    left, top, right, bottom = centres.face_in_crop[0]
    assert (left < 0, top < 0, right > 1, bottom < 1) == (True, True, True, True), "the chin shows, the brow does not"


def test_tracks_end_at_gaps_and_after_a_minute(columbia: Path) -> None:
    dataset = open_dataset(columbia)
    assert [track.entity_id for track in dataset.tracks] == ["abbas:000005", "abbas:000033", "bell:000000"]
    assert any("abbas" in note for note in dataset.notes)
    write(columbia, "long", lines(0, "1" * 29 * (2 * LONGEST_S + 9)))
    pieces = [track for track in open_dataset(columbia).tracks if track.person_id == "long"]
    assert len(pieces) == 3
    assert max(map(len, pieces)) <= LONGEST_S * 25
    times = np.concatenate([track.timestamps_ms for track in pieces])
    assert (np.diff(times) == 40).all()


def test_two_labels_of_one_picture_that_differ_are_not_scored(columbia: Path) -> None:
    assert int(5 / 29.97 * 25) == int(6 / 29.97 * 25) - 1
    pair = next(f for f in range(30) if int(f / 29.97 * 25) == int((f + 1) / 29.97 * 25))
    labels = ["0"] * 30
    labels[pair + 1] = "1"
    write(columbia, "bell", lines(0, "".join(labels)))
    dataset = open_dataset(columbia)
    track = next(track for track in dataset.tracks if track.person_id == "bell")
    assert track.labels.sum() == 0
    assert np.flatnonzero(~track.scored).tolist() == [int(pair / 29.97 * 25)]
    assert any("1 pictures have two labels that differ" in note for note in dataset.notes)


def test_order_of_lines_means_nothing(columbia: Path) -> None:
    known = open_dataset(columbia).fingerprint
    text = (columbia / "col_labels/fusion/bell.txt").read_text(encoding="utf-8").splitlines()
    write(columbia, "bell", "\r\n".join(text[::-1]))
    assert open_dataset(columbia).fingerprint == known


@pytest.mark.parametrize("case", ["case_01_six_people", "case_09_person_never_speaks"])
def test_golden_labels(shared: Path, case: str) -> None:
    for path in sorted((shared / "protocols/golden/columbia_f1" / case / "col_labels").glob("*.txt")):
        person = read_person(path)
        assert (np.diff(person.frames) > 0).all()
        assert len(person.frames) <= len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("line", ["1 2 3 4 0", "1\t2\t3\t4", "1\t2\t3\t0\t0", "-1\t2\t3\t4\t0", "x\t2\t3\t4\t0",
                                  "1\t2\t3\t4\t2", "9" * 5000 + "\t2\t3\t4\t0", "1.5\t2\t3\t4\t0"])  # fmt: skip
def test_broken_lines_are_refused_with_file_and_line(columbia: Path, line: str) -> None:
    write(columbia, "bell", f"\n{lines(0, '01')}{line}\n")
    with pytest.raises(DataError, match=r"bell\.txt, line 4: expected frame, x, y, width, label as whole numbers"):
        open_dataset(columbia)


def test_files_that_are_missing_or_one_too_many(columbia: Path) -> None:
    Film(frames=5).write(columbia / "other.mp4")
    with pytest.raises(DataError, match=r"2 videos lie there.*video="):
        open_dataset(columbia)
    assert open_dataset(columbia, options={"video": "col.mkv"}).tracks
    (columbia / "col.mkv").write_bytes(b"no video")
    with pytest.raises(DataError, match=r"col\.mkv: the video cannot be read"):
        open_dataset(columbia, options={"video": "col.mkv"})
    write(columbia, "bell", "\n")
    with pytest.raises(DataError, match=r"bell\.txt: no labels"):
        open_dataset(columbia, options={"video": "other.mp4"})
