"""MFCC against recorded numbers, the authors' preprocessing and python_speech_features itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.errors import DataError
from asdbench.features import mfcc, mfcc_for_frames, samples_for_frames

N = np.arange(4000)
TUNE = ((N * N * 37) % 2001 - 1000).astype(np.int16)

# First and last row of python_speech_features 0.6 on TUNE, with the windows of the official evaluation.
# fmt: off
GOLDEN = {
    25: (24,
         [18.6942, -33.9835, -6.5933, -9.9223, -3.7128, -4.3455, -5.7627, 1.6292, 2.826, 5.7581, -4.7549, -5.1554,
          -6.2167],
         [18.509, -33.8584, -5.16, -6.5691, -2.7683, -5.2, -4.2306, -3.5927, -1.2683, -0.117, -3.7548, -5.525,
          -2.7439]),
    29.97: (29,
            [18.5254, -35.3668, -8.3231, -10.1303, -4.4752, -4.7408, -3.2495, -2.4509, 0.7477, 1.9319, -3.4318, -7.787,
             -5.2652],
            [18.378, -34.7522, -5.9132, -4.7145, -0.2668, -1.049, 2.2797, -5.7689, -2.2222, -4.6139, -3.0771, -7.6885,
             0.9706]),
    15: (14,
         [18.9571, -35.4948, -8.3016, -10.0926, -4.3895, -6.1506, -4.8724, 1.1459, 2.2891, 4.884, -3.7701, -3.3852,
          -7.2481],
         [18.9491, -36.2584, -8.7967, -10.1999, -4.4249, -6.1529, -5.2386, 3.7553, 3.3464, 4.1854, -6.6834, -3.4854,
          -7.7707]),
}
# fmt: on


@pytest.mark.parametrize("fps", GOLDEN)
def test_recorded_numbers(fps):
    rows, first, last = GOLDEN[fps]
    found = mfcc(TUNE, fps)
    assert found.dtype == np.float32
    assert found.shape == (rows, 13)
    np.testing.assert_allclose(found[[0, -1]], [first, last], rtol=0, atol=1e-4)


@pytest.mark.filterwarnings("ignore:The 'warn' (function|method) is deprecated:DeprecationWarning")  # inside the oracle
@pytest.mark.parametrize("fps", [10, 15, 19.53, 23.976, 24, 25, 29.97, 30, 50, 60])
@pytest.mark.parametrize("samples", [1, 2, 400, 401, 16000])
def test_agrees_with_python_speech_features(fps, samples):
    oracle = pytest.importorskip("python_speech_features")
    waveform = np.random.default_rng(samples).integers(-32768, 32768, samples).astype(np.int16)
    wanted = oracle.mfcc(waveform, 16000, numcep=13, winlen=0.025 * 25 / fps, winstep=0.010 * 25 / fps)
    found = mfcc(waveform, fps)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)


def test_digital_silence_has_finite_features():
    assert np.isfinite(mfcc(np.zeros(8000, np.int16), 25)).all()


def test_a_loud_square_wave_does_not_overflow_int16():
    # -32768 - 0.97 * 32767 leaves the int16 range: pre-emphasis must not be computed in it.
    loud = np.where(np.arange(1600) % 2, -32768, 32767).astype(np.int16)
    np.testing.assert_allclose(mfcc(loud, 25)[1, 0] - mfcc(loud // 16, 25)[1, 0], 2 * np.log(16), rtol=0, atol=2e-3)


def test_matches_the_official_preprocessing(shared):
    with np.load(shared / "parity" / "common" / "features.npz") as cases:
        names = [name for name in cases.files if name.startswith(("mfcc_raw", "load_audio"))]
        assert len(names) == 20
        for name in names:
            fps, _, frames = name.split("fps")[1].partition("_n")
            found = mfcc_for_frames(cases["wav"], int(frames), float(fps)) if frames else mfcc(cases["wav"], float(fps))
            assert found.shape == cases[name].shape
            np.testing.assert_allclose(found, cases[name], rtol=0, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("model", ["light-asd", "lr-asd", "talknet", "sync-talknet"])
def test_matches_the_features_recorded_beside_each_model(shared, model):
    folder = shared / "parity" / model
    with np.load(folder / "inputs.npz") as inputs, np.load(folder / "outputs.npz") as outputs:
        waveform = inputs["wav"]
        found = {
            "load_audio_fps25_n37": mfcc_for_frames(waveform, 37, 25),
            "load_audio_fps29.97_n44": mfcc_for_frames(waveform, 44, 29.97),
            "mfcc_raw_fps25": mfcc(waveform, 25),
            "mfcc_raw_fps29.97": mfcc(waveform, 29.97),
            "mfcc_demo": mfcc(waveform, 25),
        }
        assert {name for name in outputs.files if name.startswith("features__")} == {f"features__{n}" for n in found}
        for name, values in found.items():
            np.testing.assert_allclose(values, outputs[f"features__{name}"], rtol=0, atol=1e-5, err_msg=name)


@given(samples=st.integers(1, 4000), frames=st.integers(1, 40))
def test_missing_rows_wrap_round_as_numpy_pads_and_surplus_rows_are_cut(samples, frames):
    rows = mfcc(TUNE[:samples], 25)
    wanted = np.pad(rows, ((0, max(0, 4 * frames - len(rows))), (0, 0)), mode="wrap")[: 4 * frames]
    np.testing.assert_array_equal(mfcc_for_frames(TUNE[:samples], frames, 25), wanted)


@pytest.mark.parametrize("waveform", [np.zeros(0, np.int16), np.zeros((100, 2), np.int16)])
def test_audio_without_samples_or_with_channels_is_refused(waveform):
    with pytest.raises(DataError, match="at least one sample"):
        mfcc(waveform, 25)


@pytest.mark.parametrize("fps", [0, -25, float("nan"), float("inf"), 1e6])
def test_unusable_frame_rates_are_refused(fps):
    with pytest.raises(DataError, match="frame rate"):
        mfcc(TUNE, fps)


def test_a_track_without_frames_is_refused():
    with pytest.raises(DataError, match="0 frames"):
        mfcc_for_frames(TUNE, 0, 25)


@given(st.integers(1, 40), st.floats(10, 120), st.integers(0, 3000))
def test_rows_reach_over_so_many_samples_and_no_further(frames: int, fps: float, more: int) -> None:
    needed = samples_for_frames(frames, fps)
    waveform = np.random.default_rng(0).integers(-3000, 3000, needed + more + 1).astype(np.int16)
    rows = mfcc_for_frames(waveform[:needed], frames, fps)
    assert np.array_equal(rows, mfcc_for_frames(waveform, frames, fps))
    assert len(mfcc(waveform[:needed], fps)) == 4 * frames == len(mfcc(waveform[: needed + 1], fps)) - 1
