"""Noise at a signal-to-noise ratio."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.errors import UsageError
from asdbench.perturb.audio import active_level
from asdbench.perturb.noise import SNR_DB, add_noise
from asdbench.perturb.spectrum import LTASS_DB, LTASS_HZ, pink_gain, shaped_noise, speech_gain
from asdbench.perturb.stream import normal
from asdbench.types import Int16Array
from tests.perturb.made_up import crowd, heard, made_track, planned, speech

NAMES = ("white_noise", "pink_noise", "speech_noise")


def ratio_db(own: Int16Array, changed: Int16Array) -> float:
    """What was added, measured: mean power over active 20 ms frames, written out again."""

    def level(samples: np.ndarray) -> float:
        frames = samples[: len(samples) // 320 * 320].astype(float).reshape(-1, 320)
        power = (frames**2).mean(axis=1)
        return float(power[power > power.max() / 10**2.5].mean())

    return 10 * float(np.log10(level(own) / level(changed.astype(float) - own)))


@given(snr=st.floats(-15, 20), length=st.integers(3200, 40_000), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_the_ratio_is_as_asked(snr: float, length: int, seed: int) -> None:
    own = speech(length, seed, level=800)
    before = own.copy()
    result = add_noise(own, normal(str(seed), length), snr)
    assert result.dtype == np.int16
    assert np.abs(result).max() < 32_767, "too loud for this test"
    assert abs(ratio_db(own, result) - snr) < 0.1
    np.testing.assert_array_equal(own, before)


def test_loud_sums_clip_and_do_not_wrap() -> None:
    own = np.full(1600, 30_000, dtype=np.int16)
    assert add_noise(own, np.ones(1600), 0).min() == 32_767


@pytest.mark.parametrize("length", [0, 1, 319, 320, 321])
def test_short_sound(length: int) -> None:
    result = add_noise(np.full(length, 1000, dtype=np.int16), np.ones(length), 10)
    assert len(result) == length and (result == 1316).all()


def test_digital_silence_stays() -> None:
    own = np.zeros(3200, dtype=np.int16)
    result = add_noise(own, normal("a", 3200), 0)
    assert not result.any() and result is not own


def test_noise_that_is_no_noise_is_refused() -> None:
    with pytest.raises(UsageError, match="digital silence"):
        add_noise(speech(3200), np.zeros(3200), 0)
    with pytest.raises(UsageError, match="3199 samples of noise for 3200"):
        add_noise(speech(3200), np.ones(3199), 0)


# --- spectra -----------------------------------------------------------------------------------------------------


def bands_db(noise: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Level in third-octave bands."""
    power = np.abs(np.fft.rfft(noise)) ** 2
    hertz = np.fft.rfftfreq(len(noise), 1 / 16_000)
    edges = [(centre * 2 ** (-1 / 6), centre * 2 ** (1 / 6)) for centre in centres]
    return 10 * np.log10([power[(hertz >= low) & (hertz < high)].sum() for low, high in edges])


def test_speech_noise_has_the_long_term_spectrum_of_speech() -> None:
    centres = np.array(LTASS_HZ[2:-1])
    found = bands_db(shaped_noise("a", 1 << 19, speech_gain), centres)
    wanted = np.array(LTASS_DB[2:-1])
    difference = found - found.mean() - (wanted - wanted.mean())
    assert np.abs(difference).max() < 2.5  # bands next to a steep step of the table take a share of it
    assert np.abs(difference).mean() < 0.8


def test_pink_noise_has_the_same_power_in_every_octave() -> None:
    found = bands_db(shaped_noise("a", 1 << 19, pink_gain), np.array([62.5, 125, 250, 500, 1000, 2000, 4000]))
    assert np.ptp(found) < 1.0


def test_white_noise_is_white() -> None:
    power = np.abs(np.fft.rfft(normal("a", 1 << 16))) ** 2
    assert np.ptp(10 * np.log10(power[1:].reshape(16, -1).mean(axis=1))) < 1.0


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000, 1024, 1025])
def test_any_number_of_samples(count: int) -> None:
    noise = shaped_noise("a", count, pink_gain)
    assert len(noise) == count and np.isfinite(noise).all()


def test_noise_does_not_come_round() -> None:
    noise = shaped_noise("a", 40_000, pink_gain)
    assert abs(np.corrcoef(noise[:8000], noise[-8000:])[0, 1]) < 0.5


# --- plans -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_severity_gives_its_ratio_and_the_same_noise(name: str) -> None:
    track = made_track("a", [(0, 75)], sound=speech(47_360, 3, level=500))
    own = track.media.audio()
    added = []
    for severity, snr in enumerate(SNR_DB, start=1):
        result = heard([track], track, planned([track], name, {"severity": severity}))
        assert abs(ratio_db(own, result) - snr) < 0.1
        np.testing.assert_array_equal(result, heard([track], track, planned([track], name, {"snr_db": snr})))
        added.append(result.astype(float) - own)
    assert np.corrcoef(added[0], added[-1])[0, 1] > 0.99
    similarity = [np.corrcoef(own, own + each)[0, 1] for each in added]
    assert similarity == sorted(similarity, reverse=True)


@pytest.mark.parametrize("name", NAMES)
def test_tracks_and_seeds_have_noise_of_their_own(name: str) -> None:
    tracks = [made_track(f"v{i}", sound=speech(47_360)) for i in range(3)]
    seeds = {seed: planned(tracks, name, seed=seed) for seed in (1, 2)}
    sounds = [heard(tracks, track, condition).tobytes() for condition in seeds.values() for track in tracks]
    assert len(set(sounds)) == 6
    again = planned(tracks[::-1], name, seed=1)
    assert heard(tracks, tracks[1], again).tobytes() == sounds[1]


def test_an_amount_takes_the_place_of_the_severity() -> None:
    tracks = crowd(2)
    edit = planned(tracks, "white_noise", {"severity": 1, "snr_db": -3.5}).edits(tracks[0].key)[0]
    assert edit.snr_db == -3.5


@pytest.mark.parametrize("options", [{"severity": 0}, {"severity": 6}, {"snr_db": 61}, {"snr_db": "low"}, {"snr": 1}])
def test_bad_options(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="pink_noise"):
        planned(crowd(2), "pink_noise", options)


def test_only_what_needs_a_library_names_it() -> None:
    track = crowd(1)[0]
    white, pink = (planned([track], name).edits(track.key)[0] for name in NAMES[:2])
    assert pink.made_with == f"numpy {np.__version__}"
    assert not hasattr(white, "made_with")


def test_active_level_is_what_the_ratio_is_about() -> None:
    own = speech(32_000, level=800)
    paused = np.concatenate([own, np.zeros(32_000, dtype=np.int16)])
    result = add_noise(paused, normal("a", 64_000), 5)
    noise_level = np.sqrt(((result.astype(float) - paused) ** 2).mean())
    assert 20 * np.log10(active_level(own) / noise_level) == pytest.approx(5, abs=0.1)
