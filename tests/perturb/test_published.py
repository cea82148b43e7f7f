"""Perturbations as other papers publish them, against their rules written out once more."""

from __future__ import annotations

import numpy as np
import pytest

from asdbench.errors import DataError, UsageError
from asdbench.perturb.edits import Donor
from asdbench.perturb.plan import BEHIND_GAP, ConditionPlan
from asdbench.perturb.published import TileDonorEdit, pieces
from asdbench.types import IGNORE, Int16Array, Track, TrackKey
from tests.lenders import Lending
from tests.perturb.made_up import heard, made_track, planned, reasons

FORMS = ("shift", "flip", "repeat", "silence", "swap")


def synctalknet(name: str, tracks: list[Track], **options: object) -> ConditionPlan:
    return planned(tracks, f"synctalknet_{name}", options, labels="negative")


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (1, [(0, 1)]),
        (250, [(0, 250)]),
        (251, [(0, 251)]),
        (375, [(0, 375)]),
        (376, [(0, 250), (250, 376)]),
        (500, [(0, 250), (250, 500)]),
        (625, [(0, 250), (250, 625)]),
        (626, [(0, 250), (250, 500), (500, 626)]),
    ],
)
def test_pieces(frames: int, expected: list[tuple[int, int]]) -> None:
    assert pieces(frames) == expected


def test_pieces_of_an_odd_size() -> None:
    assert pieces(8, 5) == [(0, 5), (5, 8)]
    assert pieces(7, 5) == [(0, 7)]


def test_runs_are_cut_at_the_borders_of_pieces() -> None:
    track = made_track("a", [(3, 5), (8, 24)], 30)
    condition = synctalknet("flip", [track], piece_frames=10)
    spans = [(d.target.first, d.target.stop) for d in condition.decisions[track.key]]
    assert spans == [(3, 5), (8, 10), (10, 20), (20, 24)]
    # The sound of a piece ends when its last frame starts.
    samples = [(e.start, e.stop) for e in condition.edits(track.key)]
    assert samples == [(3 * 640, 5 * 640), (8 * 640, 9 * 640), (10 * 640, 19 * 640), (20 * 640, 24 * 640)]
    assert len({d.target.target_id for d in condition.decisions[track.key]}) == 4


def published(name: str, own: Int16Array) -> Int16Array:
    """What the rule makes of a run's samples."""
    if name == "shift":
        half = len(own) // 2
        return np.concatenate([own[-half:], own[:-half]])
    return own[::-1] if name == "flip" else np.zeros_like(own)


@pytest.mark.parametrize("name", ["shift", "flip", "silence"])
def test_forms_without_a_choice_are_the_rule_sample_for_sample(name: str) -> None:
    track = made_track("a", [(0, 1), (5, 40), (41, 75)])
    own = track.media.audio()
    expected = own.copy()
    for start, stop in ((0, 640), (3200, 25_600), (26_240, 47_360)):
        expected[start:stop] = published(name, own[start:stop])
    np.testing.assert_array_equal(heard([track], track, synctalknet(name, [track])), expected)


@pytest.mark.parametrize(("frames", "length"), [(30, 6400), (1, 213), (200, 12_800)])
def test_repeat_tiles_a_stretch_of_a_third_and_at_most_800_ms(frames: int, length: int) -> None:
    found = set()
    for number in range(20):
        track = made_track(f"v{number}", [(10, 10 + frames)], frames + 20)
        condition = synctalknet("repeat", [track])
        result, own = heard([track], track, condition), track.media.audio()
        (edit,) = condition.edits(track.key)
        start, stop = 6400, 6400 + frames * 640
        assert (edit.start, edit.stop, edit.length) == (start, stop, length)
        assert start <= edit.first < stop - length
        stretch = own[edit.first : edit.first + length]
        np.testing.assert_array_equal(result[start:stop], np.tile(stretch, 99)[: stop - start])
        np.testing.assert_array_equal(np.delete(result, np.s_[start:stop]), np.delete(own, np.s_[start:stop]))
        found.add(edit.first)
    assert len(found) > 15


def test_swap_tiles_the_first_run_of_a_piece_of_another_video() -> None:
    tracks = [made_track(f"v{i}", [(4, 30), (40, 70)], 90) for i in range(8)]
    condition = synctalknet("swap", tracks)
    donors = set()
    for track in tracks:
        first, second = condition.edits(track.key)
        assert first.donors == second.donors  # one piece lends to a whole piece
        (donor,) = first.donors
        donors.add(donor.video_id)
        assert donor.video_id != track.video_id and (donor.start, donor.stop) == (4 * 640, 30 * 640)
        lender = next(each for each in tracks if each.key == donor.key)
        segment = lender.media.audio()[donor.start : donor.stop]
        result = heard(tracks, track, condition)
        np.testing.assert_array_equal(result[first.start : first.stop], np.resize(segment, first.stop - first.start))
        np.testing.assert_array_equal(
            result[second.start : second.stop], np.resize(segment, second.stop - second.start)
        )
    assert len(donors) > 3


def test_swap_draws_anew_for_every_piece() -> None:
    tracks = [made_track(f"v{i}", [(0, 100)], 100) for i in range(8)]
    edits = synctalknet("swap", tracks, piece_frames=10).edits(tracks[0].key)
    assert len(edits) == 10 and len({edit.donors for edit in edits}) > 4


def test_swap_knows_videos_not_sources() -> None:
    tracks = [made_track("v0", [(4, 30)], source="s"), made_track("v1", [(4, 30)], source="s")]
    assert all(reason is None for reason in reasons(synctalknet("swap", tracks)))
    assert reasons(synctalknet("swap", tracks[:1])) == ["no speech in another video"]


def test_swap_does_not_depend_on_the_order_of_tracks() -> None:
    tracks = [made_track(f"v{i}", [(4, 30)]) for i in range(8)]
    assert all(
        synctalknet("swap", tracks).edits(t.key) == synctalknet("swap", tracks[::-1]).edits(t.key) for t in tracks
    )


def test_a_donor_whose_wav_ends_before_its_run_is_an_error() -> None:
    edit = TileDonorEdit(version=1, donors=(Donor("v", "e", 50, 90),))
    wave = np.ones(9, dtype=np.int16)
    with pytest.raises(DataError, match="track 'e' of video 'v'"):
        edit.apply(wave, made_track("a").media, Lending({TrackKey("v", "e"): wave}))


@pytest.mark.parametrize("name", FORMS)
def test_a_short_run_is_changed_too(name: str) -> None:
    tracks = [made_track(f"v{i}", [(10, 12)]) for i in range(3)]
    condition = synctalknet(name, tracks)
    assert reasons(condition) == [None] * 3
    assert not condition.rows(tracks[0]).label_after.any()


@pytest.mark.parametrize("name", FORMS)
def test_what_has_no_sound_or_lies_behind_a_gap_is_ineligible(name: str) -> None:
    tracks = [
        made_track("a", [(74, 75)]),  # the wav ends where this frame starts
        made_track("b", [(0, 20), (50, 60)], gap_after=40),
        made_track("c", [(0, 20)]),
    ]
    condition = synctalknet(name, tracks)
    assert reasons(condition) == ["no sound of its own within its piece", None, BEHIND_GAP, None]
    assert condition.rows(tracks[0]).label_after[74] == IGNORE


@pytest.mark.parametrize("name", FORMS)
def test_a_wav_that_is_short_by_80_ms_works(name: str) -> None:
    tracks = [made_track(f"v{i}", [(40, 75)], short_by=1280) for i in range(4)]
    for track in tracks:
        result = heard(tracks, track, synctalknet(name, tracks))
        own = track.media.audio()
        assert len(result) == len(own)
        np.testing.assert_array_equal(result[: 40 * 640], own[: 40 * 640])
        assert (result[40 * 640 :] != own[40 * 640 :]).any()


# --- LASER -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.04, 0.5, 1.0])
def test_laser_puts_silence_first_and_cuts(seconds: float) -> None:
    track = made_track("a", [(10, 60)])
    condition = planned([track], "laser_shift", {"seconds": seconds}, labels="negative")
    result, own, silence = heard([track], track, condition), track.media.audio(), round(seconds * 16_000)
    assert not result[:silence].any() and len(result) == len(own)
    np.testing.assert_array_equal(result[silence:], own[:-silence])
    rows = condition.rows(track)
    assert not rows.label_after.any() and rows.changed.all()


@pytest.mark.parametrize(("frames", "reason"), [(26, "not longer than the silence"), (27, None)])
def test_laser_removes_tracks_no_longer_than_the_silence(frames: int, reason: str | None) -> None:
    track = made_track("a", [(0, 20)], frames)
    condition = planned([track], "laser_shift", {"seconds": 1}, labels="negative")
    assert reasons(condition) == [reason]
    assert (condition.rows(track).label_after == (IGNORE if reason else 0)).all()


@pytest.mark.parametrize("options", [{}, {"seconds": 0}, {"seconds": -1}, {"seconds": 1e9}])
def test_bad_options_of_laser(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="laser_shift"):
        planned([made_track("a")], "laser_shift", options)
