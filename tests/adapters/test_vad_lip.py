"""Voice activity times lip motion."""

from __future__ import annotations

import csv
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch

import asdbench
from asdbench.adapters import load_model
from asdbench.adapters.vad_lip import VadLip, VadLipOptions, _over_frames, _smoothed, _Voice
from asdbench.data import dataset_folder
from asdbench.errors import DataError, MissingDependencyError, UsageError

RNG = np.random.default_rng(13)


def voiced(probability, fps=25.0):
    return _Voice(np.asarray(probability, np.float64), fps)


@pytest.fixture(scope="module")
def model():
    return VadLip()


def test_voice_is_averaged_over_the_frames_own_time():
    # A frame at 25 fps has 640 samples, a window 512: 512 + 128, then 384 + 256, then 60 of the third window's.
    found = _over_frames(np.array([1.0, 0.0, 0.5]), 1340, 5, 25)
    np.testing.assert_allclose(found, [0.8, 0.2, 0.5, 0.5, 0.5], rtol=0, atol=1e-12)


@pytest.mark.parametrize("fps", [1.0, 23.976, 25.0, 29.97, 30.0, 240.0])
def test_frames_do_not_drift_at_any_rate(fps):
    windows = np.repeat([0.0, 1.0], 250)  # the second half of 16 s is voiced
    found = _over_frames(windows, 256_000, int(16 * fps), fps)
    assert abs(np.count_nonzero(found > 0.5) - 8 * fps) <= 1
    assert found.min() == 0
    assert found.max() == pytest.approx(1, abs=1e-9)


def test_the_score_is_the_log_odds_of_the_product():
    model = VadLip(VadLipOptions(smoothing_ms=0))
    voice, motion = np.array([0.1, 0.5, 0.9, 0.999]), np.array([0.057, 0.0642, 0.02, 0.2])
    both = voice / (1 + np.exp(-(motion - 0.057) / 0.0072))
    found = model.score(voiced(voice), motion.astype(np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.log(both / (1 - both)), rtol=1e-5)


def test_scores_stay_within_30_where_a_probability_is_0_or_1():
    model = VadLip(VadLipOptions(smoothing_ms=0))
    found = model.score(voiced([0, 1, 1, 0]), np.array([9, 9, -9, -9], np.float32))
    np.testing.assert_allclose(found, [-30, 30, -30, -30], atol=0.1)


@pytest.mark.parametrize("fps", [25.0, 50.0])
def test_smoothing_is_a_gaussian_in_time(fps):
    motion = np.zeros(301)
    motion[150] = 1
    found = _smoothed(motion, 160 * fps / 1000)
    assert found.sum() == pytest.approx(1, abs=1e-3)
    deviation_ms = np.sqrt((found * (np.arange(301) - 150) ** 2).sum()) * 1000 / fps
    assert deviation_ms == pytest.approx(160, rel=0.02)


def test_smoothing_knows_the_frame_rate():
    motion = RNG.random(50, np.float32) / 10
    wanted = VadLip(VadLipOptions(smoothing_ms=0)).score(voiced([0.9] * 50), _smoothed(motion, 8).astype(np.float32))
    np.testing.assert_allclose(VadLip().score(voiced([0.9] * 50, fps=50), motion), wanted, rtol=1e-4)


@pytest.mark.parametrize("frames", [1, 2, 9, 40])
def test_smoothing_leaves_a_steady_motion_as_it_is_up_to_the_ends(frames):
    np.testing.assert_allclose(_smoothed(np.full(frames, 0.3), 4), np.full(frames, 0.3), rtol=1e-12)


def test_smoothing_is_an_option_and_part_of_the_name():
    chosen = load_model("vad-lip", options={"smoothing_ms": "80"})
    assert chosen.name == "vad-lip[smoothing_ms=80.0]"
    motion = RNG.random(30, np.float32) / 10
    assert (chosen.scorer.score(voiced(np.full(30, 0.9)), motion) != VadLip().score(voiced([0.9] * 30), motion)).all()
    with pytest.raises(UsageError, match=r"vad-lip.*smoothing_ms"):
        load_model("vad-lip", options={"smoothing_ms": "-1"})


def test_it_hears_the_speech_of_the_demo(model):
    folder = dataset_folder("demo-val")
    audio, rate = soundfile.read(folder / "audio" / "val-000.flac", dtype="int16")
    assert rate == 16_000
    with (folder / "phonemes.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["video_id"] == "val-000" and row["ipa"]]
    centres = (np.arange(200) + 0.5) / 25
    spoken = np.any([(float(r["start"]) <= centres) & (centres <= float(r["end"])) for r in rows], axis=0)
    quiet = np.convolve(spoken, np.ones(21), "same") == 0  # nothing within 0.4 s
    heard = model.embed_audio(audio, 200, 25).probability
    assert heard[spoken].mean() > 0.9
    assert quiet.any()
    assert heard[quiet].mean() < 0.1


def test_a_track_is_scored_the_same_again_and_after_others(model):
    sound = RNG.integers(-3000, 3000, (2, 6400)).astype(np.int16)
    first = model.embed_audio(sound[0], 10, 25).probability
    model.embed_audio(sound[1], 10, 25)
    np.testing.assert_array_equal(model.embed_audio(sound[0], 10, 25).probability, first)


def test_samples_reach_the_network_between_minus_1_and_1(monkeypatch):
    model, seen = VadLip(), []
    monkeypatch.setattr(model, "_network", lambda samples: seen.append(samples) or torch.zeros(1))
    model.embed_audio(np.array([-32768, 0, 16384], np.int16), 1, 25)
    assert seen[0].tolist() == [-1, 0, 0.5]


@pytest.mark.parametrize(("samples", "fps"), [(0, 25.0), (640, 0.0), (640, float("nan"))])
def test_sound_that_cannot_be_used(model, samples, fps):
    with pytest.raises(DataError, match=r"single audio sample|frame rate"):
        model.embed_audio(np.zeros(samples, np.int16), 1, fps)


@pytest.mark.parametrize("installed", [False, True])
def test_without_its_weights_it_says_what_to_install(monkeypatch, tmp_path, installed):
    if installed:  # a version without them
        (tmp_path / "silero_vad").mkdir()
        (tmp_path / "silero_vad" / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(MissingDependencyError, match=r"'vad-lip' needs .*silero-vad.*pip install 'asdbench\[vad\]'"):
        load_model("vad-lip")


def test_the_weights_are_part_of_its_identity(model):
    assert load_model("vad-lip").fingerprint == model.fingerprint
    assert len(model.fingerprint) == 64


def test_torch_is_left_as_it_was():
    code = (
        "import sys, numpy, torch; torch.set_num_threads(2)\n"
        "from asdbench.adapters.vad_lip import VadLip\n"
        "VadLip().embed_audio(numpy.ones(640, numpy.int16), 1, 25)\n"
        "print(torch.get_num_threads(), 'silero_vad' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "False"]
    assert torch.is_grad_enabled()


@pytest.mark.slow
def test_on_real_clips_it_is_far_above_chance(shared, tmp_path):
    run = asdbench.run("vad-lip", "clean", shared / "clips" / "ava_layout", out=tmp_path / "run", progress=False)
    (condition,) = run.metrics["conditions"]
    assert condition["metrics"]["ap"] == pytest.approx(0.920, abs=0.005)
