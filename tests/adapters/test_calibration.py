"""The calibration models do what their documentation promises."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asdbench.adapters import load_model
from asdbench.errors import DataError

RNG = np.random.default_rng(11)
FACES = [RNG.integers(0, 256, (80, 64), dtype=np.uint8) for _ in range(12)]
OTHER_FACES = [255 - face for face in FACES[::-1]]
AUDIO = RNG.integers(-8000, 8000, 11 * 640).astype(np.int16)
OTHER_AUDIO = (AUDIO // 7)[::-1]


def scores(name, audio=AUDIO, faces=FACES, fps=25.0):
    return load_model(name).scorer.score_track(audio, faces, fps)


def flat(value, size=32):
    return np.full((size, size), value, np.uint8)


def test_constant_is_zero():
    np.testing.assert_array_equal(scores("constant"), np.zeros(12, np.float32))


def test_deaf_ignores_the_audio_and_nothing_else():
    np.testing.assert_array_equal(scores("deaf", audio=OTHER_AUDIO), scores("deaf"))
    assert (scores("deaf", faces=OTHER_FACES) != scores("deaf")).any()


def test_blind_ignores_the_faces_and_nothing_else():
    np.testing.assert_array_equal(scores("blind", faces=OTHER_FACES), scores("blind"))
    assert (scores("blind", audio=OTHER_AUDIO) != scores("blind")).all()


@pytest.mark.parametrize("audio", [AUDIO, OTHER_AUDIO])
@pytest.mark.parametrize("faces", [FACES, OTHER_FACES])
def test_additive_is_the_sum_of_both(audio, faces):
    np.testing.assert_array_equal(
        scores("additive", audio, faces), scores("deaf", audio, faces) + scores("blind", audio, faces)
    )


def test_deaf_measures_the_change_in_gray_levels():
    # |3 - 0| = 3, |3 - 3| = 0 (the least that can be shown), |0 - 3| = 3; the first repeats the second.
    found = scores("deaf", faces=[flat(0), flat(3), flat(3), flat(0)])
    np.testing.assert_allclose(found, np.log([2, 2, 1 / 512 / 1.5, 2]), rtol=0, atol=1e-6)


def test_deaf_sees_only_the_lower_half():
    above, below = flat(0), flat(0)
    above[:16] = 200
    below[16:] = 200
    still = math.log(1 / 512 / 1.5)
    np.testing.assert_allclose(scores("deaf", faces=[flat(0), above]), [still, still], rtol=0, atol=1e-6)
    np.testing.assert_allclose(scores("deaf", faces=[flat(0), below]), np.log([200 / 1.5] * 2), rtol=0, atol=1e-6)


def test_deaf_looks_one_frame_back_and_no_further():
    changed = [*FACES[:6], 255 - FACES[6], *FACES[7:]]
    moved = np.flatnonzero(scores("deaf", faces=changed) != scores("deaf"))
    assert set(moved) == {6, 7}


def test_one_frame_is_still():
    np.testing.assert_allclose(scores("deaf", faces=[flat(3)]), [math.log(1 / 512 / 1.5)], rtol=0, atol=1e-6)


def test_blind_measures_each_frames_own_samples():
    audio = np.repeat(np.array([1000, 0, 2000], np.int16), 640)
    found = scores("blind", audio=audio, faces=FACES[:3])
    np.testing.assert_allclose(found, [0, -math.log(1e6), math.log(4)], rtol=0, atol=1e-6)


@pytest.mark.parametrize("samples", [1, 639, 640, 641, 2 * 640 + 5])
def test_blind_repeats_the_last_frame_that_has_sound(samples):
    loud = np.repeat(np.array([1000, 2000, 3000], np.int16), 640)[:samples]
    heard = math.ceil(samples / 640)
    wanted = [2 * math.log(frame + 1) for frame in range(heard)]
    found = scores("blind", audio=loud, faces=FACES)
    np.testing.assert_allclose(found, wanted + [wanted[-1]] * (12 - heard), rtol=0, atol=1e-6)


def test_blind_ignores_sound_after_the_last_frame():
    longer = np.concatenate([AUDIO, np.full(9000, 30000, np.int16)])
    np.testing.assert_array_equal(scores("blind", longer, FACES[:11]), scores("blind", AUDIO, FACES[:11]))


def test_blind_does_not_drift_off_25_fps():
    audio = np.zeros(16000, np.int16)
    audio[8000:] = 1000
    found = scores("blind", audio=audio, faces=[flat(0)] * 30, fps=29.97)
    assert np.flatnonzero(found > -13).min() == 14  # frame 14 holds samples 7474 to 8007, at 25 fps it would be 12


def test_no_audio_at_all_is_an_error():
    with pytest.raises(DataError, match="single audio sample"):
        scores("blind", audio=np.zeros(0, np.int16))
