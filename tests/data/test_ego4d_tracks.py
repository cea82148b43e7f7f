"""Which rows become tracks: the rules of the two published extractions, and what is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from asdbench.data.ego4d_json import Clip
from asdbench.data.ego4d_tracks import Convention, FaceRows, face_rows
from tests.data.ego4d_films import box, person, track

SIZE = (320, 240)
FACE = (40.0, 30.0, 50.0, 60.0)

Faces = dict[str, FaceRows]


def extract(
    persons: Sequence[dict[str, Any]], convention: Convention = "official", size: tuple[int, int] | None = SIZE
) -> tuple[Faces, Counter[str]]:
    clip = msgspec.convert({"clip_uid": "c", "persons": persons}, Clip)
    counts: Counter[str] = Counter()
    faces = {rows.name: rows for rows in face_rows(clip, convention, size, counts)}
    return faces, +counts


def items(frames: Sequence[int], pixels: Sequence[float] = FACE) -> list[dict[str, float]]:
    return [box(frame, pixels) for frame in frames]


def one(frames: Sequence[int], voices: Sequence[tuple[int, int]] = ()) -> list[dict[str, Any]]:
    return [person("1", voices, [track("track_0", items(frames))])]


# --- labels ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("convention", ["official", "talknet"])
def test_a_voice_segment_holds_both_its_ends(convention: Convention) -> None:
    faces, _ = extract(one(range(10), [(3, 5), (8, 8)]), convention)
    (rows,) = faces.values()
    assert rows.labels.tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 1, 0]


@pytest.mark.parametrize("convention", ["official", "talknet"])
def test_every_track_of_a_person_inherits_the_voice_wherever_it_stands(convention: Convention) -> None:
    first = person("1", [(2, 3)], [track("a", items(range(5)))])
    other = person("2", [], [track("b", items(range(5)))])
    again = person("1", [(4, 4)], [track("c", items(range(5)))])
    faces, _ = extract([first, other, again], convention)
    labels = {rows.track: rows.labels.tolist() for rows in faces.values()}
    assert labels == {"a": [0, 0, 1, 1, 1], "b": [0] * 5, "c": [0, 0, 1, 1, 1]}


def test_the_voice_of_a_person_without_tracks_labels_nobody() -> None:
    faces, counts = extract([person("1", [(0, 9)]), *[person("2", [], [track("b", items(range(5)))])]])
    assert [rows.labels.sum() for rows in faces.values()] == [0]
    assert not counts


@pytest.mark.parametrize("convention", ["official", "talknet"])
def test_voices_of_anybody_are_heard(convention: Convention) -> None:
    wearer = person("0", [(0, 1)], wearer=True)
    hidden = person("3", [(3, 3)])
    faces, _ = extract([wearer, person("1", [(4, 5)], [track("a", items(range(8)))]), hidden], convention)
    (rows,) = faces.values()
    assert rows.voiced.tolist() == [True, True, False, True, True, True, False, False]
    assert rows.labels.tolist() == [0, 0, 0, 0, 1, 1, 0, 0]


def test_a_segment_that_ends_before_it_starts_is_empty() -> None:
    (rows,) = extract(one(range(10), [(6, 4)]))[0].values()
    assert not rows.labels.any()


def test_official_voices_and_boxes_end_with_the_clip() -> None:
    frames = range(8995, 9005)
    (rows,) = extract(one(frames, [(8998, 9003)]))[0].values()
    assert rows.frames.tolist() == list(range(8995, 9000))
    assert rows.labels.tolist() == [0, 0, 0, 1, 1]
    assert extract(one(frames))[1] == {"boxes before or after their clip left out": 5}
    (rows,) = extract(one(frames, [(8998, 9003)]), "talknet")[0].values()
    assert rows.frames.tolist() == list(frames)
    assert rows.labels.tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1, 0]


def test_a_voice_from_before_the_clip() -> None:
    (rows,) = extract(one(range(4), [(-5, 1)]))[0].values()
    assert rows.labels.tolist() == [1, 1, 0, 0]


# --- who ---------------------------------------------------------------------------------------------------------

WEARERS = [person("0", [(0, 9)], [track("mirror", items(range(5)))], wearer=True)]
NAMED_WEARERS = [person("camera_wearer", [(0, 9)], [track("mirror", items(range(5)))])]


@pytest.mark.parametrize("persons", [WEARERS, NAMED_WEARERS])
def test_the_camera_wearer_is_a_face_for_the_official_extraction_alone(persons: list[dict[str, Any]]) -> None:
    faces, counts = extract(persons)
    assert faces["mirror"].labels.all()
    assert not counts
    faces, counts = extract(persons, "talknet")
    assert not faces
    assert counts == {"tracks of camera wearers left out": 1}


def test_visual_anchors_are_faces_for_the_official_extraction_alone() -> None:
    persons = [person("1", [], [track("visual_anchor_3", items(range(5))), track("a", items(range(5)))])]
    assert set(extract(persons)[0]) == {"visual_anchor_3", "a"}
    faces, counts = extract(persons, "talknet")
    assert set(faces) == {"a:0"}
    assert counts == {"tracks of visual anchors left out": 1}


def test_two_tracks_of_one_id() -> None:
    persons = [
        person("1", [(0, 9)], [track("a", items(range(5)))]),
        person("2", [], [track("a", items(range(7)))]),
    ]
    faces, counts = extract(persons)
    assert {name: (rows.person, len(rows.frames)) for name, rows in faces.items()} == {"a": ("1", 5), "a~2": ("2", 7)}
    assert counts == {"tracks that share their id with another of their clip, numbered": 1}
    faces, counts = extract(persons, "talknet")
    assert {name: (rows.person, len(rows.frames)) for name, rows in faces.items()} == {"a:0": ("2", 7)}
    assert sum(counts.values()) == 1


# --- pieces and stretches ----------------------------------------------------------------------------------------


def lengths(faces: Faces) -> dict[str, int]:
    return {name: len(rows.frames) for name, rows in faces.items()}


@pytest.mark.parametrize(
    ("count", "pieces"),
    [
        (2, {"track_0:0": 2}),
        (300, {"track_0:0": 300}),
        (301, {"track_0:0": 300}),
        (302, {"track_0:0": 300, "track_0:1": 2}),
        (900, {"track_0:0": 300, "track_0:1": 300, "track_0:2": 300}),
    ],
)
def test_talknet_cuts_every_300_items_and_drops_pieces_of_one(count: int, pieces: dict[str, int]) -> None:
    assert lengths(extract(one(range(50, 50 + count)), "talknet")[0]) == pieces
    assert lengths(extract(one(range(50, 50 + count)))[0]) == {"track_0": count}


def test_talknet_counts_items_where_a_track_has_gaps() -> None:
    """The example of its issue 1: 77 items, 1619 to 1677 and 1694 to 1711, are one piece."""
    frames = [*range(1619, 1678), *range(1694, 1712)]
    (rows,) = extract(one(frames, [(1700, 1705)]), "talknet")[0].values()
    assert rows.frames.tolist() == frames
    assert rows.frames[rows.labels == 1].tolist() == list(range(1700, 1706))


def test_talknet_makes_as_many_pieces_as_the_frames_would_fill() -> None:
    repeated = sorted([*range(300), *range(10)])
    faces, counts = extract(one(repeated), "talknet")
    assert lengths(faces) == {"track_0:0": 290}, "the items beyond the 300th are in no piece"
    assert counts == {"boxes at a frame that their track has already left out": 10}
    assert not extract(one([*range(5, 300), 0]), "talknet")[0], "its last frame lies before its first: no piece"


def test_an_official_track_is_cut_where_it_has_a_gap() -> None:
    faces, counts = extract(one([*range(3, 8), *range(9, 12), 20]))
    assert {name: rows.frames.tolist() for name, rows in faces.items()} == {
        "track_0@3": [3, 4, 5, 6, 7],
        "track_0@9": [9, 10, 11],
    }
    assert counts == {
        "tracks cut at gaps in time": 1,
        "boxes alone in time, which have no sound, left out": 1,
    }


def test_rows_out_of_order_and_repeated() -> None:
    listed = [box(4, FACE), box(2, FACE), box(3, (1, 1, 9, 9)), box(3, FACE), box(5, FACE)]
    faces, counts = extract([person("1", [], [track("a", listed)])])
    assert faces["a"].frames.tolist() == [2, 3, 4, 5]
    assert faces["a"].boxes[1].tolist() == [1, 1, 10, 10], "the first of two stays"
    assert counts == {
        "tracks out of order in time, sorted": 1,
        "boxes at a frame that their track has already left out": 1,
    }


def test_empty_tracks_and_persons() -> None:
    for convention in ("official", "talknet"):
        persons = [
            {"person_id": "1"},
            {"person_id": 2, "tracking_paths": None, "voice_segments": None, "camera_wearer": None},
            person("3", [], [track("a", [])]),
        ]
        assert extract(persons, convention) == ({}, {})  # type: ignore[arg-type]


# --- boxes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pixels", "official", "talknet"),
    [
        ((40, 30, 50, 60), [40, 30, 90, 90], [40, 30, 90, 90]),
        ((40.6, 30.9, 50.6, 60.3), [40, 30, 90, 90], [40.6, 30.9, 91.2, 91.2]),
        ((-10.7, -0.5, 50.5, 60), [-10, 0, 40, 60], [-10.7, -0.5, 39.8, 59.5]),
    ],
)
def test_corners(pixels: tuple[float, ...], official: list[float], talknet: list[float]) -> None:
    for convention, wanted in (("official", official), ("talknet", talknet)):
        persons = [person("1", [], [track("a", items(range(2), pixels))])]
        (rows,) = extract(persons, convention)[0].values()  # type: ignore[arg-type]
        np.testing.assert_allclose(rows.boxes[0], wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("pixels", "visible"),
    [
        ((-49.0, 30, 50, 60), True),
        ((-50.0, 30, 50, 60), False),
        ((319.0, 30, 50, 60), True),
        ((320.0, 30, 50, 60), False),
        ((40, 239.5, 50, 60), True),
        ((40, 240, 50, 60), False),
        ((40, -70, 50, 60), False),
        ((40, 30, 0, 60), False),
        ((40, 30, 50, -1), False),
        ((-9, -9, 999, 999), True),
    ],
)
def test_boxes_without_a_pixel_are_left_out_and_counted(pixels: tuple[float, ...], visible: bool) -> None:
    persons = [person("1", [], [track("a", [*items(range(2)), *items([2], pixels), *items(range(3, 6))])])]
    faces, counts = extract(persons)
    assert lengths(faces) == ({"a": 6} if visible else {"a@0": 2, "a@3": 3})
    assert counts["boxes without a pixel of the picture left out"] == (not visible)
    faces, _ = extract(persons, "talknet")
    assert faces["a:0"].frames.tolist() == ([0, 1, 2, 3, 4, 5] if visible else [0, 1, 3, 4, 5])


def test_without_a_picture_only_what_no_picture_could_show_is_left_out() -> None:
    far, flat = (9_000.0, 30, 50, 60), (40, 30, 50, 0)
    persons = [person("1", [], [track("a", [*items([0, 1], far), *items([2, 3]), *items([4], flat)])])]
    faces, counts = extract(persons, size=None)
    assert lengths(faces) == {"a": 4}
    assert sum(counts.values()) == 1
