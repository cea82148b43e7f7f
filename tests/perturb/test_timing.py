"""The own sound at another time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.errors import UsageError
from asdbench.perturb.audio import EDGE_FADE
from asdbench.perturb.plan import BEHIND_GAP, TOO_SHORT
from asdbench.perturb.timing import FAR, repeat, reverse, swap_halves
from asdbench.types import IGNORE
from tests.perturb.made_up import crowd, heard, made_track, planned, reasons, speech

RUNS = ("reverse", "swap_halves", "repeat")


# --- functions ---------------------------------------------------------------------------------------------------


def test_reverse_is_backwards_but_for_the_fades() -> None:
    wave = speech(9000)
    result = reverse(wave, 2000, 7000)
    inner = slice(2000 + EDGE_FADE, 7000 - EDGE_FADE)
    np.testing.assert_array_equal(result[inner], wave[2000:7000][::-1][EDGE_FADE:-EDGE_FADE])
    assert result[:2000].tobytes() + result[7000:].tobytes() == wave[:2000].tobytes() + wave[7000:].tobytes()


def test_reverse_of_a_whole_track_needs_no_fade() -> None:
    wave = speech(9000)
    np.testing.assert_array_equal(reverse(wave, 0, 9000), wave[::-1])


@pytest.mark.parametrize("length", [6000, 6001])
def test_swapped_halves_stand_in_each_others_place(length: int) -> None:
    wave = speech(9000)
    result = swap_halves(wave, 1000, 1000 + length)
    own, half = wave[1000 : 1000 + length], length // 2
    later = length - half
    np.testing.assert_array_equal(
        result[1000 + EDGE_FADE : 1000 + later],
        own[half - EDGE_FADE : length - EDGE_FADE][EDGE_FADE:],
    )
    np.testing.assert_array_equal(
        result[1000 + later + EDGE_FADE : 1000 + length - EDGE_FADE], own[EDGE_FADE : half - EDGE_FADE]
    )


def test_repeat_loops_the_stretch() -> None:
    wave = speech(20_000)
    result = repeat(wave, 1000, 19_000, 5000, 10_000)
    period = 5000 - EDGE_FADE
    for turn in range(3):
        start = 1000 + turn * period
        np.testing.assert_array_equal(
            result[start + EDGE_FADE : start + period], wave[5000 + EDGE_FADE : 10_000 - EDGE_FADE]
        )


@given(length=st.integers(0, 3000), cuts=st.tuples(*[st.floats(0, 1)] * 4), seed=st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_any_span_keeps_its_length_and_what_is_around_it(length: int, cuts: tuple[float, ...], seed: int) -> None:
    wave = speech(length, seed)
    before = wave.copy()
    start, stop = sorted(round(cut * length) for cut in cuts[:2])
    first, last = sorted(round(start + cut * (stop - start)) for cut in cuts[2:])
    results = [reverse(wave, start, stop), swap_halves(wave, start, stop)]
    if last > first:
        results.append(repeat(wave, start, stop, first, last))
    for result in results:
        assert result.dtype == np.int16 and len(result) == length
        np.testing.assert_array_equal(np.delete(result, np.s_[start:stop]), np.delete(before, np.s_[start:stop]))
    np.testing.assert_array_equal(wave, before)


@pytest.mark.parametrize("function", [reverse, swap_halves])
def test_a_span_outside_is_refused(function: object) -> None:
    with pytest.raises(UsageError, match="does not lie within"):
        function(speech(100), 50, 101)  # type: ignore[operator]


# --- runs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RUNS)
def test_runs_change_and_the_rest_does_not(name: str) -> None:
    track = made_track("a", [(10, 60)])
    result = heard([track], track, planned([track], name))
    own = track.media.audio()
    inside = slice(10 * 640, 60 * 640)
    assert np.abs(result[inside].astype(int) - own[inside]).mean() > 100
    np.testing.assert_array_equal(np.delete(result, inside), np.delete(own, inside))


@pytest.mark.parametrize("name", RUNS)
def test_runs_behind_a_gap_or_too_short_stay(name: str) -> None:
    track = made_track("a", [(0, 9), (12, 40), (50, 75)], gap_after=45)
    assert reasons(planned([track], name)) == [TOO_SHORT, None, BEHIND_GAP]


@pytest.mark.parametrize("name", RUNS)
def test_changed_runs_become_negatives(name: str) -> None:
    track = made_track("a", [(10, 60)])
    rows = planned([track], name, labels="negative").rows(track)
    assert rows.changed[10:60].all() and not rows.label_after.any()


@given(frames=st.integers(10, 200), seed=st.integers(0, 300))
@settings(max_examples=80, deadline=None)
def test_repeat_plays_nothing_near_its_own_time(frames: int, seed: int) -> None:
    track = made_track("a", [(5, 5 + frames)], frames + 10)
    condition = planned([track], "repeat", seed=seed)
    (edit,) = condition.edits(track.key) or (None,)
    if edit is None:
        assert frames < 17 and reasons(condition)[0]
        return
    assert edit.stop - edit.start >= 2 * (edit.last - edit.first)
    period = edit.last - edit.first - EDGE_FADE
    turns = edit.start + period * np.arange((edit.stop - edit.start) // period + 1)
    assert np.abs(turns - edit.first).min() >= FAR
    assert edit.start <= edit.first < edit.last <= edit.stop


def test_repeat_takes_its_stretch_from_a_wav_that_ends_early() -> None:
    for seed in range(40):
        track = made_track("a", [(5, 30)], 30, short_by=1280)
        (edit,) = planned([track], "repeat", seed=seed).edits(track.key)
        assert edit.last <= len(track.media.audio())
        assert len(heard([track], track, planned([track], "repeat", seed=seed))) == len(track.media.audio())


def test_repeat_differs_from_run_to_run() -> None:
    tracks = [made_track(f"v{i}", [(0, 75)]) for i in range(12)]
    condition = planned(tracks, "repeat")
    assert len({condition.edits(track.key)[0].first for track in tracks}) > 8


# --- shift -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ms", [-1000, -200, -33.3, 0, 40, 200, 1000])
def test_shift_takes_the_film_where_there_is_one(ms: float) -> None:
    track = made_track("a", [(10, 60)], margin=17_000)
    condition = planned([track], "shift", {"ms": ms})
    film, shift = track.media.film, round(ms * 16)
    np.testing.assert_array_equal(heard([track], track, condition), film[17_000 - shift :][: track.num_samples])
    rows = condition.rows(track)
    assert (rows.label_after != IGNORE).all()
    np.testing.assert_allclose(rows.shift_ms, shift / 16)


@pytest.mark.parametrize("ms", [400, -400])
def test_what_a_shift_invents_is_ignored_and_no_copy(ms: int) -> None:
    track = made_track("a", [(10, 60)])
    condition = planned([track], "shift", {"ms": ms}, labels="negative")
    own, result, lost = track.media.audio(), heard([track], track, condition), 400 * 16
    invented = slice(0, lost) if ms > 0 else slice(len(own) - lost, None)
    real, kept = (result[lost:], own[:-lost]) if ms > 0 else (result[:-lost], own[lost:])
    inner = slice(EDGE_FADE, len(real) - EDGE_FADE)
    np.testing.assert_array_equal(real[inner], kept[inner])
    assert result[invented].any()
    assert np.abs(result[invented]).mean() < np.abs(own).mean() / 3
    ignored = condition.rows(track).label_after == IGNORE
    # A wav ends where the last frame starts, so early sound costs that frame too.
    assert ignored.sum() == (10 if ms > 0 else 11)
    assert ignored[:10].all() if ms > 0 else ignored[-11:].all()


def test_no_shift_is_no_change() -> None:
    track = made_track("a", [(10, 60)])
    condition = planned([track], "shift", {"ms": 0})
    np.testing.assert_array_equal(heard([track], track, condition), track.media.audio())
    np.testing.assert_array_equal(condition.rows(track).label_after, track.labels)


def test_a_track_shorter_than_the_shift_is_ineligible() -> None:
    track = made_track("a", [(0, 20)], 20)
    assert reasons(planned([track], "shift", {"ms": 1000})) == ["the shift leaves no real audio"]
    assert reasons(planned([track], "shift", {"ms": 700})) == [None]


def test_shift_of_runs_leaves_the_rest() -> None:
    track = made_track("a", [(20, 60)], margin=16_000)
    condition = planned([track], "shift", {"ms": 200, "scope": "run"})
    result, own = heard([track], track, condition), track.media.audio()
    np.testing.assert_array_equal(np.delete(result, np.s_[12_800:38_400]), np.delete(own, np.s_[12_800:38_400]))
    np.testing.assert_array_equal(result[13_000:38_000], own[13_000 - 3200 : 38_000 - 3200])


@pytest.mark.parametrize("options", [{}, {"ms": 60_001}, {"ms": 100, "scope": "scene"}, {"ms": 1, "by": 2}])
def test_bad_options_of_shift(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="shift"):
        planned(crowd(), "shift", options)
