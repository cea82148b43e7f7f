"""Log-mel against what LoCoNet's own data loader gave."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.errors import DataError
from asdbench.features import vggish_log_mel, vggish_log_mel_for_frames
from asdbench.features.vggish import _mel_filters, _window_and_step
from tests.loconet import FIXTURES, arrays

N = np.arange(4000)
TUNE = ((N * N * 37) % 2001 - 1000).astype(np.int16)


@pytest.mark.parametrize("fixture", FIXTURES)
def test_recorded_numbers(shared, fixture):
    wanted, inputs = arrays(shared, fixture, "outputs"), arrays(shared, fixture, "inputs")
    cases = [name for name in wanted if name.startswith("audiofeat_")]
    assert len(cases) == 6
    for name in cases:
        fps, frames = name.removeprefix("audiofeat_fps").split("_n")
        found = vggish_log_mel_for_frames(inputs["wave_1p2s"], int(frames), float(fps))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted[name], rtol=0, atol=1e-6, err_msg=name)
    for case, frames in (("A", 25), ("B", 24)):
        found = vggish_log_mel_for_frames(inputs[f"{case}_wave"], frames, 25)
        np.testing.assert_allclose(found, inputs[f"{case}_audio"][0, 0], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("fps", "sizes"),
    [(25, (400, 160)), (24, (417, 167)), (23.976, (417, 167)), (30, (333, 133)), (50, (200, 80)), (15, (667, 267))],
)
def test_windows_follow_the_frame_rate(fps, sizes):
    assert _window_and_step(fps) == sizes
    assert vggish_log_mel(TUNE, fps).shape == (1 + (len(TUNE) - sizes[0]) // sizes[1], 64)


@pytest.mark.parametrize(("fps", "bins"), [(18, 513), (25, 257), (50, 129)])
def test_the_transform_is_the_next_power_of_two(fps, bins, monkeypatch):
    sizes = []
    real = np.fft.rfft
    monkeypatch.setattr(np.fft, "rfft", lambda frames, size: sizes.append(size) or real(frames, size))
    vggish_log_mel(TUNE, fps)
    window = _window_and_step(fps)[0]
    assert sizes == [2 * (bins - 1)] == [2 ** math.ceil(math.log2(window))]


def test_triangles_are_straight_in_mel_and_leave_out_the_constant():
    filters = _mel_filters(512)
    assert filters.shape == (64, 257)
    assert not filters[:, 0].any()
    assert 0.5 < filters.max() <= 1
    hertz = np.arange(257) * 16000 / 512
    assert hertz[filters.any(axis=0)].min() > 125
    assert hertz[filters.any(axis=0)].max() < 7500
    # Neighbouring triangles cross so that inside the range they sum to 1.
    np.testing.assert_allclose(filters[:, (hertz > 400) & (hertz < 7200)].sum(axis=0), 1, atol=1e-12)


def test_a_tone_lands_in_its_band():
    tone = np.rint(8000 * np.sin(2 * np.pi * 1000 / 16000 * np.arange(8000))).astype(np.int16)
    mel = 1127 * np.log(1 + np.array([125, 1000, 7500]) / 700)
    band = (mel[1] - mel[0]) / (mel[2] - mel[0]) * 65 - 1
    assert abs(vggish_log_mel(tone, 25)[10].argmax() - band) < 1


def test_amplitudes_count_as_they_are():
    loud, soft = vggish_log_mel(TUNE, 25), vggish_log_mel(TUNE // 10, 25)
    assert 2 < np.median(loud - soft) < 2.6  # ln 10 = 2.3
    np.testing.assert_allclose(vggish_log_mel(np.zeros(4000, np.int16), 25), math.log(0.01), rtol=1e-6)


@given(samples=st.integers(1, 900), frames=st.integers(1, 12), fps=st.sampled_from([15, 23.976, 25, 29.97, 50]))
def test_any_length_gives_four_rows_per_frame_that_start_again(samples, frames, fps):
    rows = vggish_log_mel(TUNE[:samples], fps)
    found = vggish_log_mel_for_frames(TUNE[:samples], frames, fps)
    assert found.shape == (4 * frames, 64)
    wanted = np.pad(rows, ((0, max(0, 4 * frames - len(rows))), (0, 0)), mode="wrap")[: 4 * frames]
    np.testing.assert_array_equal(found, wanted)


def test_less_than_a_window_is_filled_up_with_zeros():
    short = np.concatenate([TUNE[:100], np.zeros(300, np.int16)])
    np.testing.assert_array_equal(vggish_log_mel(TUNE[:100], 25), vggish_log_mel(short, 25))


@pytest.mark.parametrize(
    ("waveform", "frames", "fps", "words"),
    [
        (TUNE[:0], 1, 25, "at least one sample"),
        (TUNE[None], 1, 25, r"array of shape \(1, 4000\)"),
        (TUNE, 0, 25, "0 frames"),
        (TUNE, 1, 0, "positive number, got 0"),
        (TUNE, 1, math.nan, "positive number, got nan"),
        (TUNE, 1, 1e6, "less than one sample"),
    ],
)
def test_what_has_no_features(waveform, frames, fps, words):
    with pytest.raises(DataError, match=words):
        vggish_log_mel_for_frames(waveform, frames, fps)
