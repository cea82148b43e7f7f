"""Real codecs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import av
import numpy as np
import pytest
import soundfile

from asdbench.errors import MissingDependencyError, UsageError
from asdbench.perturb import codecs
from asdbench.perturb.codecs import MP3_KBPS, OPUS_KBPS, made_with, recode
from asdbench.types import Int16Array
from tests.perturb.made_up import crowd, heard, made_track, planned, speech

Name = Literal["mp3", "opus"]
RATES: list[tuple[Name, int]] = [("mp3", rate) for rate in MP3_KBPS] + [("opus", rate) for rate in OPUS_KBPS]


def voice(length: int, seed: int = 0) -> Int16Array:
    """Pulses through three formants: codecs of speech are made for it."""
    rng = np.random.default_rng(seed)
    times = np.arange(length) / 16_000
    pitch = 120 + 25 * np.sin(2 * np.pi * 1.3 * times + rng.uniform(0, 6))
    pulses = np.diff(np.floor(np.cumsum(pitch) / 16_000), prepend=0) + rng.normal(0, 0.02, length)
    ring = np.arange(400) / 16_000
    mouth = sum(np.exp(-300 * ring) * np.sin(2 * np.pi * hertz * ring) for hertz in (500, 1500, 2500))
    samples = np.convolve(pulses, mouth)[:length] * (0.2 + np.sin(np.pi * 4 * times + seed) ** 2)
    return np.rint(samples / np.abs(samples).max() * 12_000).astype(np.int16)


def lag(own: Int16Array, changed: Int16Array, most: int = 2000) -> int:
    """By how many samples the second is late, by cross-correlation."""
    a, b = own.astype(float), changed.astype(float)
    size = 1 << (2 * len(a)).bit_length()
    product = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)
    around = np.concatenate([product[-most:], product[: most + 1]])
    return int(np.argmax(around)) - most


@pytest.mark.parametrize(("name", "kbps"), RATES)
@pytest.mark.parametrize("length", [48_000, 50_123])
def test_the_delay_is_taken_out_to_the_sample(name: Name, kbps: int, length: int) -> None:
    for seed in (1, 2):
        own = voice(length, seed)
        result = recode(own, name, kbps)
        assert len(result) == length and result.dtype == np.int16
        assert lag(own, result) == 0


@pytest.mark.parametrize(("name", "kbps"), [("mp3", 64), ("opus", 32)])
def test_the_end_is_as_good_as_the_middle(name: Name, kbps: int) -> None:
    own = voice(48_000)
    result = recode(own, name, kbps)
    for part in (slice(0, 4800), slice(20_000, 24_800), slice(-4800, None)):
        assert np.corrcoef(own[part], result[part])[0, 1] > 0.9


@pytest.mark.parametrize("name", ["mp3", "opus"])
def test_each_severity_is_farther_from_the_clean_sound(name: Name) -> None:
    track = made_track("a", sound=voice(47_360, 3))
    own = track.media.audio()
    errors = []
    for severity in range(1, 6):
        result = heard([track], track, planned([track], name, {"severity": severity}))
        errors.append(float(((result.astype(float) - own) ** 2).mean()))
    assert all(before < after for before, after in pairwise(errors)), errors


@pytest.mark.parametrize("name", ["mp3", "opus"])
@pytest.mark.parametrize("length", [0, 1, 319, 576, 960, 1153])
def test_short_sound_keeps_its_length(name: Name, length: int) -> None:
    own = speech(length)
    before = own.copy()
    assert len(recode(own, name, 16)) == length
    np.testing.assert_array_equal(own, before)


@pytest.mark.parametrize("name", ["mp3", "opus"])
def test_digital_silence_stays_quiet(name: Name) -> None:
    assert np.abs(recode(np.zeros(16_000, dtype=np.int16), name, 16)).max() <= 1


@pytest.mark.parametrize("name", ["mp3", "opus"])
def test_the_same_sound_gives_the_same_sound(name: Name) -> None:
    own = speech(20_000)
    np.testing.assert_array_equal(recode(own, name, 16), recode(own, name, 16))


def test_edits_name_the_libraries() -> None:
    track = crowd(1)[0]
    edit = planned([track], "opus").edits(track.key)[0]
    assert edit.made_with == made_with("opus") and edit.made_with.startswith(f"av {av.__version__}, libavcodec ")


@pytest.mark.parametrize("name", ["mp3", "opus"])
def test_a_missing_encoder_is_told_when_the_plan_is_made(name: Name, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(codecs._CODECS, name, replace(codecs._CODECS[name], encoder="libabsent"))
    with pytest.raises(MissingDependencyError, match=f"{name!r} needs FFmpeg's 'libabsent'"):
        planned(crowd(1), name)


@pytest.mark.parametrize(("name", "kbps"), [("mp3", 9), ("mp3", 0), ("opus", 5), ("opus", 257), ("opus", "low")])
def test_bad_options(name: Name, kbps: object) -> None:
    with pytest.raises(UsageError, match=name):
        planned(crowd(1), name, {"kbps": kbps})


def test_real_speech_is_neither_delayed_nor_cut(shared: Path) -> None:
    for path in sorted((shared / "clips" / "ava_layout" / "clips_audios").rglob("*.wav"))[::15]:
        own, _ = soundfile.read(path, dtype="int16")
        for name, rates in (("mp3", MP3_KBPS), ("opus", OPUS_KBPS)):
            errors = []
            for kbps in rates:
                result = recode(own, name, kbps)
                assert (len(result), lag(own, result)) == (len(own), 0), (path, name, kbps)
                errors.append(float(((result.astype(float) - own) ** 2).mean()))
            assert errors == sorted(errors)
