"""Another recording over the whole track, and how donors are drawn."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from asdbench.errors import UsageError
from asdbench.perturb.choose import Chooser
from asdbench.perturb.donors import distinct
from asdbench.perturb.targets import NO_DONOR
from tests.perturb.made_up import crowd, heard, made_track, planned, reasons


def test_the_window_is_another_tracks_at_its_own_level() -> None:
    tracks = [made_track("a"), made_track("b", frames=300)]
    condition = planned(tracks, "replace_audio")
    (edit,) = condition.edits(tracks[0].key)
    start = edit.donors[0].start
    assert edit.donors[0].video_id == "b" and start > 0
    own, other = tracks[0].media.audio(), tracks[1].media.audio()
    np.testing.assert_array_equal(heard(tracks, tracks[0], condition), other[start : start + len(own)])


def test_draws_are_independent() -> None:
    tracks = crowd(40)
    plans = [planned(tracks, "replace_audio", {"draw": draw}) for draw in (1, 2)]
    same = sum(plans[0].edits(t.key)[0].donors[0].key == plans[1].edits(t.key)[0].donors[0].key for t in tracks)
    assert same < 8
    assert planned(tracks, "replace_audio").edits(tracks[0].key) == plans[0].edits(tracks[0].key)


def test_donors_are_of_another_source_and_used_evenly() -> None:
    tracks = [made_track(f"v{i:03d}", source=f"s{i // 5}") for i in range(300)]
    condition = planned(tracks, "replace_audio")
    source = {track.video_id: track.source_id for track in tracks}
    lenders = Counter(condition.edits(track.key)[0].donors[0].video_id for track in tracks)
    assert all(
        source[donor.video_id] != track.source_id for track in tracks for donor in condition.edits(track.key)[0].donors
    )
    assert max(lenders.values()) <= 7 and len(lenders) > 150


def test_a_person_does_not_lend_to_itself() -> None:
    from dataclasses import replace

    tracks = [replace(track, person_id=f"p{i % 2}") for i, track in enumerate(crowd(10))]
    condition = planned(tracks, "replace_audio")
    for i, track in enumerate(tracks):
        assert all(int(donor.video_id[1:]) % 2 != i % 2 for donor in condition.edits(track.key)[0].donors)


def test_longer_tracks_take_more_donors_none_twice() -> None:
    tracks = [made_track("long", frames=300), *crowd(12)]
    donors = planned(tracks, "replace_audio").edits(tracks[0].key)[0].donors
    assert len(donors) > 4 and len({donor.key for donor in donors}) == len(donors)


def test_order_and_other_tracks_of_the_source_change_nothing() -> None:
    tracks = crowd(12)
    one, two = planned(tracks, "replace_audio"), planned(tracks[::-1], "replace_audio")
    assert all(one.edits(track.key) == two.edits(track.key) for track in tracks)


def test_without_another_source_a_track_is_ineligible() -> None:
    assert reasons(planned([made_track("a"), made_track("b", source="a")], "replace_audio")) == [NO_DONOR] * 2


@pytest.mark.parametrize("options", [{"draw": 0}, {"draw": 1.5}, {"scope": "track"}])
def test_bad_options(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="replace_audio"):
        planned(crowd(2), "replace_audio", options)


# --- drawing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("allowed", [range(0), range(1), range(7), range(200), range(199, 200), range(0, 200, 50)])
def test_every_allowed_name_is_drawn_once(allowed: range) -> None:
    names = [f"n{i}" for i in range(200)]
    drawn = list(distinct(Chooser(1, "x@1"), "t", "p", names, lambda i: i in allowed))
    assert sorted(drawn) == list(allowed)


def test_no_names() -> None:
    assert list(distinct(Chooser(1, "x@1"), "t", "p", [], lambda i: True)) == []


def test_first_choices_are_spread_evenly() -> None:
    names = [f"n{i}" for i in range(10)]
    firsts = Counter(next(distinct(Chooser(1, "x@1"), f"t{i}", "p", names, lambda k: k != 3)) for i in range(4000))
    assert 3 not in firsts
    assert all(abs(count - 4000 / 9) < 90 for count in firsts.values())
