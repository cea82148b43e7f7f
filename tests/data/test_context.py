"""Which faces are seen together with a track, and at what times."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.adapters.loconet import STANDING_IN
from asdbench.data.context import ContextFinder
from asdbench.errors import DataError
from asdbench.types import Int16Array, Track, UInt8Array


@dataclass
class Film:
    """Media without files: each face shows its number, and every reading is counted."""

    name: str
    length: int
    readings: Counter[str] = field(default_factory=Counter)
    broken: bool = False

    def audio(self) -> Int16Array:
        return np.zeros(640 * self.length, np.int16)

    def audio_window(self, start: int, stop: int) -> Int16Array:
        return np.zeros(0, np.int16)

    def faces(self) -> list[UInt8Array]:
        self.readings[self.name] += 1
        if self.broken:
            raise DataError(f"/films/{self.name}/0.04.jpg: the face crop is missing.")
        return [np.full((2, 2), i, np.uint8) for i in range(self.length)]

    def stamp(self) -> str:
        return f"stamp of {self.name}"


def track(entity: str, frames: range, video: str = "film", step: int = 40, **media: object) -> Track:
    times = np.array(frames, dtype=np.int64) * step
    film = Film(entity, len(times), **media)  # type: ignore[arg-type]
    return Track(video, entity, video, times, np.zeros(len(times), np.int8), 25.0, 640 * len(times), film)


def entities(found: tuple[Track, ...]) -> list[str]:
    return [one.entity_id for one in found]


@pytest.fixture(scope="module")
def cases(shared):
    return json.loads((shared / "parity" / "loconet" / "context_cases.json").read_text(encoding="utf-8"))


def test_our_choice_is_always_one_that_the_official_code_can_make(cases):
    assert len(cases) == 6
    for name, case in cases.items():
        tracks = [track(entity, range(*frames)) for entity, frames in case["tracks_frame_ranges"].items()]
        target = next(one for one in tracks if one.entity_id == case["target"])
        chosen = Counter()
        for seed in range(150):
            finder = ContextFinder(tracks, 2, seed)
            around = finder.neighbours(target)
            shown = [target, *around]
            chosen[",".join(shown[i].entity_id for i in STANDING_IN[len(around)])] += 1
            if seed == 0:
                context = [target.media.faces(), *finder.context(target)]
                masks = [[int(face is not None) for face in context[i]] for i in STANDING_IN[len(around)]]
                assert [len(mask) for mask in masks] == case["shapes"][2][1:] * 3
                # Which of several the example shows is left to chance.
                assert sorted(masks) == sorted(case["example_masks"]), name
        assert set(chosen) == set(case["possible_speaker_lists_over_400_seeds"]), name


def test_what_counts_is_a_box_at_exactly_the_centre_frame():
    target = track("t", range(7))
    others = {
        "there only then": track("a", range(3, 4)),
        "gone by then": track("b", range(0, 3)),
        "not there yet": track("c", range(4, 9)),
        "between its frames": track("d", range(2, 5, 2)),
        "in another film": track("e", range(7), video="other"),
        "at other times": track("f", range(100), step=41),
        "longer than it": track("g", range(50)),
    }
    finder = ContextFinder([target, *others.values()], 9)
    assert sorted(entities(finder.neighbours(target))) == ["a", "g"]


def test_faces_stand_at_the_times_of_the_target():
    target, other = track("t", range(10, 20)), track("a", range(12, 30, 3))
    (faces,) = ContextFinder([target, other], 2).context(target)
    assert [None if face is None else int(face[0, 0]) for face in faces] == [
        None, None, 0, None, None, 1, None, None, 2, None,
    ]  # fmt: skip


frame_sets = st.sets(st.integers(0, 12), min_size=1, max_size=13)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("xy"), frame_sets), min_size=1, max_size=7), st.integers(0, 3), st.data())
def test_neighbours_and_times_are_those_of_a_plain_search(specs, speakers, data):
    tracks = [
        Track(video, f"e{i}", video, np.array(sorted(times)) * 40, np.zeros(len(times), np.int8), 25.0, 640,
              Film(f"e{i}", len(times)))
        for i, (video, times) in enumerate(specs)
    ]  # fmt: skip
    shuffled = data.draw(st.permutations(tracks))
    finder, again = ContextFinder(tracks, speakers), ContextFinder(shuffled, speakers)
    for target in tracks:
        centre = target.timestamps_ms[len(target) // 2]
        wanted = {
            one.key for one in tracks
            if one is not target and one.video_id == target.video_id and centre in one.timestamps_ms
        }  # fmt: skip
        found = finder.neighbours(target)
        assert {one.key for one in found} <= wanted
        assert len(found) == min(len(wanted), speakers)
        assert entities(again.neighbours(target)) == entities(found)
        for one, faces in zip(found, finder.context(target), strict=True):
            times = one.timestamps_ms.tolist()
            for time, face in zip(target.timestamps_ms.tolist(), faces, strict=True):
                assert (face is None) == (time not in times)
                assert face is None or face[0, 0] == times.index(time)


def test_other_tracks_do_not_change_the_order_of_two():
    target, first, second = (track(name, range(9)) for name in "tab")
    two = entities(ContextFinder([target, first, second], 2).neighbours(target))
    more = [target, first, second, *(track(f"z{i}", range(9)) for i in range(6))]
    everyone = entities(ContextFinder(more, 8).neighbours(target))
    assert [name for name in everyone if name in two] == two
    assert entities(ContextFinder(more, 3).neighbours(target)) == everyone[:3]


def test_the_choice_is_fixed_for_ever():
    target = track("t", range(9))
    tracks = [target, *(track(f"z{i}", range(9)) for i in range(6))]
    assert entities(ContextFinder(tracks, 2).neighbours(target)) == ["z1", "z3"]
    assert entities(ContextFinder(tracks, 2, seed=1).neighbours(target)) == ["z1", "z4"]


def test_neighbours_are_read_once_while_they_are_near():
    readings: Counter[str] = Counter()
    tracks = [track(name, range(9), readings=readings) for name in "abc"]
    finder = ContextFinder(tracks, 2)
    for target in tracks:
        assert len(finder.faces(target)) == 9
        assert len(finder.context(target)) == 2
    assert readings == {"a": 1, "b": 1, "c": 1}


def test_few_tracks_are_held_in_memory():
    readings: Counter[str] = Counter()
    tracks = [track(f"e{i:02}", range(9), video=f"v{i}", readings=readings) for i in range(20)]
    finder = ContextFinder(tracks, 2)
    for _ in range(2):
        for target in tracks:
            finder.faces(target)
    assert set(readings.values()) == {2}


def test_a_broken_neighbour_is_an_error_with_its_path():
    target = track("t", range(9))
    finder = ContextFinder([target, track("a", range(9), broken=True)], 2)
    with pytest.raises(DataError, match=r"/films/a/0.04.jpg: .* The track 't' of video 'film' is scored together"):
        finder.context(target)


def test_the_stamp_covers_those_who_are_shown():
    tracks = [track(name, range(9)) for name in "ab"] + [track("c", range(9), video="other")]
    assert ContextFinder(tracks, 2).stamp(tracks[0]) == "stamp of a + stamp of b"
    assert ContextFinder(tracks, 2).stamp(tracks[2]) == "stamp of c"


def test_a_track_of_an_unknown_video_is_alone():
    assert ContextFinder([], 2).neighbours(track("t", range(3))) == ()
