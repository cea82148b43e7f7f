"""Rooms and recorders."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.errors import UsageError
from asdbench.perturb.audio import active_level
from asdbench.perturb.channel import (
    CUTOFF_HZ,
    HEADROOM_DB,
    RT60_S,
    clipping,
    impulse_response,
    low_pass,
    reverb,
)
from asdbench.types import Int16Array
from tests.perturb.made_up import crowd, heard, made_track, planned, speech

NAMES = {"reverb": "rt60", "clipping": "headroom_db", "low_pass": "cutoff_hz"}
AMOUNTS = {"reverb": RT60_S, "clipping": HEADROOM_DB, "low_pass": CUTOFF_HZ}


def click(at: int, length: int = 32_000) -> Int16Array:
    wave = np.zeros(length, dtype=np.int16)
    wave[at] = 20_000
    return wave


def likeness(own: Int16Array, changed: Int16Array) -> float:
    return float(np.corrcoef(own.astype(float), changed.astype(float))[0, 1])


# --- reverb ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rt60", RT60_S)
def test_reverberation_decays_by_60_db_in_the_time_asked(rt60: float) -> None:
    response = impulse_response("room", rt60)
    left = np.cumsum(response[:0:-1] ** 2)[::-1]  # Schroeder's integral, direct sound left out
    decibel = 10 * np.log10(left / left[0])
    first, last = np.searchsorted(-decibel, [5, 35])
    assert (last - first) / 16_000 * 2 == pytest.approx(rt60, rel=0.05)
    assert (response[1:] ** 2).sum() == pytest.approx(rt60)


def test_the_direct_sound_comes_first_and_loudest() -> None:
    for seed in map(str, range(20)):
        response = impulse_response(seed, 2.0)
        assert response[0] == 1 and np.argmax(np.abs(response)) == 0 and not response[1:40].any()
        wet = reverb(click(5000), impulse_response(seed, 0.5))
        assert np.argmax(np.abs(wet)) == 5000
        assert not wet[:5000].any(), "before the click, or wrapped around from the end"


def test_reverberation_does_not_wrap_around() -> None:
    wet = reverb(click(31_990), impulse_response("a", 2.0))
    assert not wet[:31_990].any()


def test_real_speech_in_a_room_stays_in_place(shared: Path) -> None:
    for number, path in enumerate(sorted((shared / "clips" / "ava_layout" / "clips_audios").rglob("*.wav"))[::4]):
        own, _ = soundfile.read(path, dtype="int16")
        wet = reverb(own, impulse_response(str(number), RT60_S[-1])).astype(float)
        size = 1 << (2 * len(own)).bit_length()
        alike = np.fft.irfft(np.fft.rfft(wet, size) * np.conj(np.fft.rfft(own.astype(float), size)), size)
        # Speech is much like itself a sample later, so the tail may move the peak by one.
        assert min(int(np.argmax(alike)), size - int(np.argmax(alike))) <= 1, path


def test_reverb_keeps_the_level() -> None:
    own = speech(48_000)
    for rt60 in RT60_S:
        assert active_level(reverb(own, impulse_response("a", rt60))) == pytest.approx(active_level(own), rel=0.01)


def test_rooms_differ_between_tracks_and_not_between_severities() -> None:
    tracks = crowd(3)
    edits = [planned(tracks, "reverb", {"severity": s}).edits(t.key)[0] for s in (1, 5) for t in tracks]
    assert len({edit.seed for edit in edits}) == 3
    assert edits[0].made_with == f"numpy {np.__version__}"


# --- clipping ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headroom", HEADROOM_DB)
def test_clipping_flattens_the_peaks_and_keeps_the_level(headroom: float) -> None:
    own = speech(48_000, level=2000)
    result = clipping(own, headroom)
    assert active_level(result) == pytest.approx(active_level(own), rel=0.01)
    over = np.abs(own.astype(float)) > active_level(own) * 10 ** (headroom / 20)
    assert over.any()
    assert len(np.unique(np.abs(result[over]))) == 1
    assert np.corrcoef(own[~over], result[~over])[0, 1] > 0.999


def test_much_headroom_clips_nothing() -> None:
    own = speech(48_000, level=300)
    np.testing.assert_array_equal(clipping(own, 30), own)


# --- low_pass ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cutoff", CUTOFF_HZ)
def test_low_pass_takes_what_is_above_and_leaves_what_is_below(cutoff: float) -> None:
    times = np.arange(32_000) / 16_000
    middle = slice(1000, -1000)
    for hertz, factor in ((cutoff - 60, 1), (cutoff, 0.5), (cutoff + 60, 0)):
        tone = np.rint(10_000 * np.sin(2 * np.pi * hertz * times)).astype(np.int16)
        result = low_pass(tone, cutoff)[middle].astype(float)
        np.testing.assert_allclose(result, tone[middle] * factor, atol=30)


def test_low_pass_neither_delays_nor_wraps_around() -> None:
    result = low_pass(click(5000), 1000).astype(int)
    assert np.argmax(result) == 5000
    np.testing.assert_array_equal(result[4000:5000], result[6000:5000:-1])
    assert not low_pass(click(31_990), 1000)[:20_000].any()


# --- all of them -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_each_severity_is_farther_from_the_clean_sound(name: str) -> None:
    track = made_track("a", sound=speech(47_360, 1))
    own = track.media.audio()
    alike = [likeness(own, heard([track], track, planned([track], name, {"severity": s}))) for s in range(1, 6)]
    assert all(before > after for before, after in pairwise(alike)), alike


@pytest.mark.parametrize("name", NAMES)
def test_severities_are_the_documented_amounts(name: str) -> None:
    track = made_track("a")
    for severity, amount in enumerate(AMOUNTS[name], start=1):
        by_severity = planned([track], name, {"severity": severity}).edits(track.key)
        assert by_severity == planned([track], name, {NAMES[name]: amount}).edits(track.key)


@pytest.mark.parametrize(
    "change", [lambda w: reverb(w, impulse_response("a", 0.5)), lambda w: clipping(w, 0), lambda w: low_pass(w, 1000)]
)
@given(length=st.integers(0, 700), level=st.sampled_from([0, 1, 30_000]), seed=st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_any_sound_keeps_its_length(change: object, length: int, level: int, seed: int) -> None:
    own = np.random.default_rng(seed).integers(-level, level + 1, length).astype(np.int16)
    before = own.copy()
    result = change(own)  # type: ignore[operator]
    assert result.dtype == np.int16 and len(result) == length
    np.testing.assert_array_equal(own, before)
    assert level or not result.any()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("amount", [-1000, 1e9, "much"])
def test_bad_options(name: str, amount: object) -> None:
    with pytest.raises(UsageError, match=name):
        planned(crowd(1), name, {NAMES[name]: amount})
