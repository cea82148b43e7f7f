"""Another track's faces."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from asdbench.errors import UsageError
from asdbench.perturb import plan
from asdbench.perturb.edits import edit_faces
from asdbench.perturb.replacement_faces import FaceDonor, ReplaceFacesEdit
from asdbench.perturb.targets import NO_DONOR
from asdbench.suites import load_suite
from asdbench.types import Condition, Dataset, Track, TrackKey, UInt8Array
from tests.lenders import Lending
from tests.perturb.seen import outcome, pattern, track

TARGET = track(30, "a:0", "a")


def donors(target: Track, others: list[Track], draw: int = 1, seed: int = 1) -> tuple[FaceDonor, ...]:
    (edit,) = outcome("replace_faces", target, others, seed=seed, draw=draw).edits
    assert isinstance(edit, ReplaceFacesEdit)
    return edit.donors


def lender(tracks: list[Track]) -> tuple[Lending, dict[TrackKey, list[UInt8Array]]]:
    faces = {each.key: [pattern(6, 5 + n % 3, n + 100 * i) for n in range(len(each))] for i, each in enumerate(tracks)}
    return Lending(pictures=faces), faces


def test_the_window_of_a_longer_track() -> None:
    longer = track(80, "b:0", "b")
    (donor,) = donors(TARGET, [longer])
    assert (donor.video_id, donor.frames, donor.step) == ("b", 30, 1.0)
    assert 0 <= donor.first <= 50
    lend, faces = lender([longer])
    edit = ReplaceFacesEdit(version=1, donors=(donor,))
    own = [pattern(9, 9)] * 30
    got = edit_faces(own, [edit], lend)
    wanted = faces[longer.key][donor.first : donor.first + 30]
    assert all(a is b for a, b in zip(got, wanted, strict=True))


def test_windows_lie_anywhere() -> None:
    longer = track(40, "b:0", "b")
    firsts = {donors(TARGET, [longer], draw)[0].first for draw in range(1, 80)}
    assert firsts == set(range(11))


def test_short_donors_follow_one_another_and_none_twice() -> None:
    others = [track(11, f"b{n}:0", f"b{n}") for n in range(5)]
    chosen = donors(TARGET, others)
    assert [donor.frames for donor in chosen] == [11, 11, 8]
    assert len({donor.video_id for donor in chosen}) == 3
    lend, faces = lender(others)
    got = edit_faces([pattern(9, 9)] * 30, [ReplaceFacesEdit(version=1, donors=chosen)], lend)
    wanted = [face for donor in chosen for face in faces[TrackKey(donor.video_id, donor.entity_id)][: donor.frames]]
    # The last donor's window starts at its first frame, as that of all but the first donor does.
    assert [donor.first for donor in chosen] == [0, 0, 0]
    assert all(a is b for a, b in zip(got, wanted, strict=True))


def test_another_source_and_person() -> None:
    target = track(30, "a:0", "a", person_id="ann")
    same_source = track(90, "a:1", "a", person_id="bob")
    same_person = track(90, "c:0", "c", person_id="ann")
    right = track(90, "d:0", "d", person_id="bob")
    assert {donors(target, [same_source, same_person, right], draw)[0].video_id for draw in range(1, 9)} == {"d"}
    assert outcome("replace_faces", target, [same_source, same_person]).reason == NO_DONOR
    assert outcome("replace_faces", target, [track(29, "e:0", "e")]).reason == NO_DONOR


def test_draws_and_seeds_are_independent() -> None:
    others = [track(40, f"b{n}:0", f"b{n}") for n in range(40)]
    first = [donors(TARGET, others, draw)[0] for draw in range(1, 7)]
    assert len({donor.video_id for donor in first}) >= 4
    assert first[0] == donors(TARGET, others[::-1])[0]
    assert first[0] != donors(TARGET, others, seed=2)[0]


@pytest.mark.parametrize("fps", [10.0, 30.0, 24.0])
def test_faces_keep_their_pace(fps: float) -> None:
    other = track(200, "b:0", "b", fps=fps)
    (donor,) = donors(TARGET, [other])
    lend, faces = lender([other])
    got = edit_faces([pattern(9, 9)] * 30, [ReplaceFacesEdit(version=1, donors=(donor,))], lend)
    numbers = {id(face): n for n, face in enumerate(faces[other.key])}
    seconds = (np.array([numbers[id(face)] for face in got]) - donor.first) / fps
    assert np.abs(seconds - np.arange(30) / 25).max() <= 1 / fps + 1e-9


def test_a_slow_donor_that_just_suffices() -> None:
    other = track(12, "b:0", "b", fps=10.0)  # 1.2 s at 10 Hz are 30 frames at 25
    (donor,) = donors(TARGET, [other])
    lend, _ = lender([other])
    assert len(edit_faces([pattern(9, 9)] * 30, [ReplaceFacesEdit(version=1, donors=(donor,))], lend)) == 30


def test_no_scope() -> None:
    with pytest.raises(UsageError, match="scope"):
        outcome("replace_faces", TARGET, scope="scene")


def test_survives_the_plan_file_and_counts_its_donors(fixture_dataset: Dataset) -> None:
    suite = load_suite("clean")
    made = replace(suite, conditions=(*suite.conditions, Condition("faces", "replace_faces", role="diagnostic")))
    whole = plan(fixture_dataset.tracks, made)["faces"]
    assert whole.summary()["changed"] == len(fixture_dataset.tracks)
    for each in fixture_dataset.tracks:
        (edit,) = whole.edits(each.key)
        assert msgspec.json.decode(msgspec.json.encode(edit), type=ReplaceFacesEdit) == edit
