"""The perturbations of sound as pure functions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.errors import UsageError
from asdbench.perturb import misalign, mismatch, resplice, silence
from asdbench.perturb.audio import (
    EDGE_FADE,
    JOIN_FADE,
    NOISE_WINDOW,
    active_level,
    join,
    level_gain,
    noise_bed,
    splice,
    to_int16,
)

Audio = np.ndarray


def noise(length: int, level: float = 1000, seed: int = 0) -> Audio:
    """Noise without a single zero sample, so that silence can be told apart."""
    samples = to_int16(np.random.default_rng(seed).normal(0, level, length))
    samples[samples == 0] = 1
    return samples


def speech(length: int, level: float = 3000, seed: int = 0) -> Audio:
    """Syllables of noise over a quiet background."""
    syllables = np.abs(np.sin(np.arange(length) / 16_000 * np.pi * 4))
    return to_int16(noise(length, level, seed) * syllables**2 + noise(length, 20, seed + 1))


def decibel(ratio: float) -> float:
    return 20 * float(np.log10(ratio))


@st.composite
def spans(draw: st.DrawFn, most: int = 9000) -> tuple[int, int, int]:
    length = draw(st.integers(1, most))
    start = draw(st.integers(0, length))
    return length, start, draw(st.integers(start, length))


EDITS: dict[str, Callable[[Audio, int, int, Audio, int], Audio]] = {
    "mismatch": lambda wave, start, stop, other, shift: mismatch(wave, start, stop, [other]),
    "mismatch at its own level": lambda wave, start, stop, other, shift: mismatch(
        wave, start, stop, [other], match_level=False
    ),
    "misalign": lambda wave, start, stop, other, shift: misalign(wave, start, stop, shift),
    "misalign with film": lambda wave, start, stop, other, shift: misalign(
        wave, start, stop, shift, before=other[:100], after=other[-200:]
    ),
    "resplice": lambda wave, start, stop, other, shift: resplice(wave, start, stop, other, [other[:300]]),
    "splice": lambda wave, start, stop, other, shift: splice(wave, start, other[: stop - start]),
}


@pytest.mark.parametrize("edit", EDITS)
@given(span=spans(), shift=st.integers(-12_000, 12_000), seed=st.integers(0, 99), loud=st.booleans())
@settings(max_examples=25, deadline=None)
def test_an_edit_stays_in_its_span(edit: str, span: tuple[int, int, int], shift: int, seed: int, loud: bool) -> None:
    length, start, stop = span
    wave, other = noise(length, 40_000 if loud else 500, seed), noise(9000, 700, seed + 1)
    wave_before, other_before = wave.copy(), other.copy()
    result = EDITS[edit](wave, start, stop, other, shift)
    assert result.dtype == np.int16
    assert len(result) == length
    assert result[:start].tobytes() == wave[:start].tobytes()
    assert result[stop:].tobytes() == wave[stop:].tobytes()
    np.testing.assert_array_equal(wave, wave_before)
    np.testing.assert_array_equal(other, other_before)
    assert not np.shares_memory(result, wave)


@pytest.mark.parametrize("edit", [name for name in EDITS if name != "splice"])
@pytest.mark.parametrize(("start", "stop"), [(-1, 10), (10, 101), (20, 10), (101, 101)])
def test_bad_spans(edit: str, start: int, stop: int) -> None:
    with pytest.raises(UsageError, match="the span"):
        EDITS[edit](noise(100), start, stop, noise(9000), 5)


@pytest.mark.parametrize(("start", "length"), [(-1, 10), (95, 6)])
def test_bad_splice(start: int, length: int) -> None:
    with pytest.raises(UsageError, match="does not lie within the 100 samples"):
        splice(noise(100), start, noise(length))


def test_silence() -> None:
    wave = noise(500)
    result = silence(wave)
    assert result.dtype == np.int16
    assert len(result) == 500
    assert not result.any()
    assert wave.all()


# --- mismatch ----------------------------------------------------------------------------------------------------


def test_mismatch_carries_the_donor() -> None:
    donor = noise(3000, seed=5)
    result = mismatch(noise(4000), 500, 2500, [donor], match_level=False)
    np.testing.assert_array_equal(result[500 + EDGE_FADE : 2500 - EDGE_FADE], donor[EDGE_FADE : 2000 - EDGE_FADE])


def test_mismatch_needs_no_fade_at_the_ends_of_the_track() -> None:
    donor = noise(2000, seed=5)
    np.testing.assert_array_equal(mismatch(noise(2000), 0, 2000, [donor], match_level=False), donor)


def test_mismatch_fades_at_its_ends() -> None:
    wave, donor = np.full(4000, 1000, dtype=np.int16), np.full(4000, -1000, dtype=np.int16)
    result = mismatch(wave, 1000, 3000, [donor], match_level=False)
    steps = np.abs(np.diff(result.astype(int)))
    assert steps.max() <= 2000 / EDGE_FADE + 1
    assert result[1000 + EDGE_FADE] == -1000


@pytest.mark.parametrize("donor_level", [200, 900, 9000])
@pytest.mark.parametrize("own_level", [300, 4000])
def test_mismatch_matches_the_active_level(own_level: float, donor_level: float) -> None:
    wave, donor = speech(48_000, own_level), speech(40_000, donor_level, seed=7)
    result = mismatch(wave, 8000, 40_000, [donor])
    assert abs(decibel(active_level(result[8000:40_000]) / active_level(wave[8000:40_000]))) < 0.5


def test_level_ignores_pauses() -> None:
    voice = noise(16_000, 3000)
    paused = np.concatenate([voice, noise(48_000, 5)])
    assert abs(decibel(active_level(paused) / active_level(voice))) < 0.5


@given(st.integers(1, 32_767), st.integers(1, 32_767))
def test_gain_is_limited_to_30_db(own: int, other: int) -> None:
    gain = level_gain(np.full(640, own, np.int16), np.full(640, other, np.int16))
    assert gain == pytest.approx(np.clip(own / other, 10**-1.5, 10**1.5))


@pytest.mark.parametrize("own_silent", [True, False])
def test_digital_silence_has_no_level_to_match(own_silent: bool) -> None:
    silent, voice = np.zeros(640, np.int16), noise(640)
    assert level_gain(*(silent, voice) if own_silent else (voice, silent)) == 1.0


def test_loud_results_are_clipped_not_wrapped() -> None:
    wave = np.full(4000, 32_000, np.int16)
    donor = to_int16(np.concatenate([np.full(3990, 300), np.full(10, 32_767)]))
    result = mismatch(wave, 0, 4000, [donor])
    assert result.min() > 0
    assert result.max() == 32_767
    assert resplice(wave, 0, 4000, np.full(9000, 3000, np.int16), [np.full(400, 3000, np.int16)]).max() == 32_767


def test_to_int16_rounds_and_clips() -> None:
    assert to_int16(np.array([-1e9, -32_768.4, -0.6, 0.4, 1.5, 1e9])).tolist() == [-32_768, -32_768, -1, 0, 2, 32_767]


def test_short_donors_are_appended_with_crossfades_and_never_tiled() -> None:
    parts = [noise(1000, seed=seed) for seed in (1, 2, 3)]
    result = mismatch(noise(2300), 0, 2300, parts, match_level=False)
    np.testing.assert_array_equal(result[: 1000 - JOIN_FADE], parts[0][: 1000 - JOIN_FADE])
    np.testing.assert_array_equal(result[1000 : 2000 - 2 * JOIN_FADE], parts[1][JOIN_FADE : 1000 - JOIN_FADE])
    np.testing.assert_array_equal(result[2000 - JOIN_FADE :], parts[2][JOIN_FADE : 300 + 2 * JOIN_FADE])


def test_join_crossfades_linearly() -> None:
    joined = join([np.full(1000, 100, np.int16), np.full(1000, 200, np.int16)])
    assert len(joined) == 2000 - JOIN_FADE
    assert (np.diff(joined) >= 0).all()
    assert np.diff(joined).max() <= 100 / JOIN_FADE + 1e-9
    assert joined[1000 - JOIN_FADE // 2] == pytest.approx(150, abs=1)


@given(st.lists(st.integers(0, 900), max_size=5))
def test_join_overlaps_no_more_than_there_is(lengths: list[int]) -> None:
    parts = [np.full(length, 77, np.int16) for length in lengths]
    joined = join(parts)
    np.testing.assert_allclose(joined, 77)
    assert len(joined) >= sum(lengths) - JOIN_FADE * max(len(lengths) - 1, 0)


@pytest.mark.parametrize("lengths", [[], [1999], [1000, 1000 + JOIN_FADE - 1]])
def test_too_short_donors_are_refused(lengths: list[int]) -> None:
    with pytest.raises(UsageError, match="give another donor"):
        mismatch(noise(3000), 500, 2500, [noise(length) for length in lengths])


def test_just_long_enough_donors_are_accepted() -> None:
    assert len(mismatch(noise(3000), 500, 2500, [noise(1000), noise(1000 + JOIN_FADE)])) == 3000


# --- misalign ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [2640, -2640, 5000, -5000])
def test_misalign_is_exactly_the_shifted_original(shift: int) -> None:
    wave = noise(20_000)
    result = misalign(wave, 7000, 12_000, shift)
    inner = slice(7000 + EDGE_FADE, 12_000 - EDGE_FADE)
    np.testing.assert_array_equal(result[inner], wave[inner.start - shift : inner.stop - shift])


def test_misalign_by_nothing_changes_nothing() -> None:
    wave = noise(5000)
    np.testing.assert_array_equal(misalign(wave, 1000, 4000, 0), wave)


@pytest.mark.parametrize("shift", [4000, -4000, 9000, -9000])
def test_misalign_reads_on_in_the_film(shift: int) -> None:
    film = noise(30_000)
    wave = film[10_000:16_000]
    result = misalign(wave, 1000, 5000, shift, before=film[:10_000], after=film[16_000:])
    inner = slice(1000 + EDGE_FADE, 5000 - EDGE_FADE)
    np.testing.assert_array_equal(result[inner], film[10_000 + inner.start - shift : 10_000 + inner.stop - shift])


@pytest.mark.parametrize("sign", [1, -1])
def test_misalign_uses_what_the_film_has_and_fills_the_rest(sign: int) -> None:
    film = noise(12_000)
    wave = film[1000:11_000]
    result = misalign(wave, 2000, 8000, sign * 5000, before=film[:1000], after=film[11_000:])
    # Audio late: the window starts 3000 samples before the track, of which the film holds 1000; early: its mirror.
    if sign > 0:
        np.testing.assert_array_equal(result[4000 + EDGE_FADE : 8000 - EDGE_FADE], film[EDGE_FADE : 4000 - EDGE_FADE])
        floor = result[2000 + EDGE_FADE : 4000]
    else:
        np.testing.assert_array_equal(result[2000 + EDGE_FADE : 6000 - EDGE_FADE], film[8000 + EDGE_FADE : -EDGE_FADE])
        floor = result[6000 + EDGE_FADE : 8000]
    assert longest_silence(floor) < 3


@pytest.mark.parametrize("shift", [9000, -9000])
def test_misalign_fills_with_the_noise_floor_not_with_speech_nor_the_other_end(shift: int) -> None:
    wave = np.concatenate([noise(8000, 3000, 1), noise(6000, 20, 2), noise(8000, 3000, 3)])
    start, stop = (0, 8000) if shift > 0 else (14_000, 22_000)
    result = misalign(wave, start, stop, shift)
    assert 5 < result[start + EDGE_FADE : stop - EDGE_FADE].std() < 40
    assert longest_silence(result[start:stop]) < 20


def longest_silence(samples: Audio) -> int:
    bounds = np.flatnonzero(np.concatenate([[True], samples != 0, [True]]))
    return int(np.diff(bounds).max()) - 1


@given(span=spans(), shift=st.integers(-12_000, 12_000), level=st.sampled_from([2, 30, 2000]))
@settings(max_examples=40, deadline=None)
def test_misalign_is_never_digital_silence(span: tuple[int, int, int], shift: int, level: float) -> None:
    length, start, stop = span
    # 10 ms: a crossfade of +1 and -1 rounds to 0, longer stretches would be silence.
    assert longest_silence(misalign(noise(length, level), start, stop, shift)) < 160


# --- noise floor and resplice ------------------------------------------------------------------------------------


def test_noise_bed_is_the_quietest_300_ms() -> None:
    wave = np.concatenate([noise(16_000, 900), noise(NOISE_WINDOW, 30, 4), noise(16_000, 900), noise(8000, 60)])
    quiet = wave[16_000 : 16_000 + NOISE_WINDOW]
    bed = noise_bed(wave, 3 * NOISE_WINDOW)
    assert len(bed) == 3 * NOISE_WINDOW
    step = NOISE_WINDOW - JOIN_FADE
    np.testing.assert_array_equal(bed[:step], quiet[:step])
    np.testing.assert_array_equal(bed[NOISE_WINDOW : 2 * step], quiet[JOIN_FADE:step])


def test_noise_bed_passes_over_digital_silence() -> None:
    # The edge of a silent stretch is as telling as its middle: a bed that is mostly zeros is digital silence, looped.
    wave = np.concatenate([np.zeros(8000, np.int16), noise(16_000, 100)])
    assert (noise_bed(wave, 16_000) == 0).mean() < 0.05


def test_noise_bed_does_not_take_silence_for_the_quietest_sound() -> None:
    wave = np.concatenate([np.zeros(8000, np.int16), noise(16_000, 100)])
    assert noise_bed(wave, 16_000).any()


def test_noise_bed_of_nothing_but_silence_is_silence() -> None:
    assert not noise_bed(np.zeros(9000, np.int16), 500).any()
    assert noise_bed(noise(0), 500).tolist() == [0] * 500


@given(st.integers(1600, 12_000), st.integers(0, 30_000))
@settings(max_examples=30, deadline=None)
def test_noise_bed_has_the_length_asked_for(available: int, length: int) -> None:
    bed = noise_bed(noise(available), length)
    assert len(bed) == length
    assert np.isfinite(bed).all()


@pytest.mark.parametrize("available", [1, 100, JOIN_FADE, JOIN_FADE + 10])
def test_noise_bed_of_a_very_short_track_still_fills_the_span(available: int) -> None:
    assert len(noise_bed(noise(available), 2000)) == 2000


def test_resplice_keeps_its_own_audio() -> None:
    wave = speech(48_000)
    donor_track = np.concatenate([speech(48_000, 2000, seed=9), noise(8000, 20, 11)])
    result = resplice(wave, 8000, 40_000, donor_track, [donor_track[4000:30_000]])
    assert np.corrcoef(result[8000:40_000], wave[8000:40_000])[0, 1] > 0.9
    assert (result[8000:40_000] != wave[8000:40_000]).mean() > 0.5


def test_resplice_adds_the_background_at_mismatchs_gain() -> None:
    wave = noise(16_000, 400)
    donor_track = np.concatenate([noise(16_000, 800, 2), noise(NOISE_WINDOW, 40, 3)])
    result = resplice(wave, 2000, 14_000, donor_track, [donor_track[:16_000]])
    added = result[3000:13_000].astype(float) - wave[3000:13_000]
    assert added.std() == pytest.approx(40 * 400 / 800, rel=0.1)


def test_resplice_has_the_gain_of_the_donor_that_mismatch_would_have_heard() -> None:
    wave = noise(16_000, 400)
    quiet_then_loud = np.concatenate([noise(6400, 800, 2), noise(16_000, 12_000, 4)])
    track = np.concatenate([quiet_then_loud, noise(NOISE_WINDOW, 40, 3)])
    result = resplice(wave, 4000, 9000, track, [quiet_then_loud])
    added = result[5000:8000].astype(float) - wave[5000:8000]
    assert added.std() == pytest.approx(40 * 400 / 800, rel=0.15)
