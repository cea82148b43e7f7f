"""Sound on the clock of the video: bit for bit where it can be, in place always."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

import asdbench.data.sound
from asdbench.data.container import seek_before
from asdbench.data.sound import read_sound, sound_span
from asdbench.errors import DataError
from tests.data.films import Film, Sound

SECONDS = 4
NOISE = np.random.default_rng(0).integers(-9_000, 9_000, SECONDS * 16_000).astype(np.int16)


def wave(rate: int, start: float = 0.0, seconds: float = SECONDS) -> NDArray[np.float64]:
    """Return tones that swell and fade, sampled from ``start``; no two moments are alike, nothing is above 5 kHz."""
    time = start + np.arange(round(seconds * rate)) / rate
    return (0.25 + 0.2 * np.sin(7 * time)) * np.sin(2 * np.pi * (900 * time + 250 * time**2)) + 0.2 * np.sin(
        2 * np.pi * 440 * time
    )


def as_int16(samples: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.rint(samples * 32767).astype(np.int16)


def assert_same_sound(found: NDArray[np.int16], expected: NDArray[np.float64], tolerance: float) -> None:
    """Compare away from the ends, where a resampler's filter and a codec's first block are not full."""
    inner = slice(2_000, -2_000)
    assert len(found) == len(expected)
    error = np.abs(found[inner] / 32767 - expected[inner])
    assert error.max() < tolerance
    # The tolerance must be able to tell one sample of delay.
    assert np.abs(expected[inner][1:] - expected[inner][:-1]).max() > 4 * tolerance


def exact_starts(suffix: str, rate: int) -> dict[str, str]:
    """Return options with which the start of a stream is not rounded to milliseconds."""
    return {} if suffix == "mkv" else {"movie_timescale": str(rate)}


# --- files of 16 kHz and one channel -----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["flac", "wav"])
def test_whole_numbers_come_back_bit_for_bit(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, NOISE, 16_000)
    assert sound_span(path) == (0, len(NOISE))
    for start, stop in ((0, 64_000), (1, 2), (31_999, 50_001), (63_000, 64_000), (500, 500)):
        first, samples = read_sound(path, start, stop)
        assert first == start
        np.testing.assert_array_equal(samples, NOISE[start:stop])
        assert samples.dtype == np.int16


def test_a_window_is_cut_at_the_end(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", NOISE, 16_000)
    np.testing.assert_array_equal(read_sound(tmp_path / "a.flac", 63_990, 70_000)[1], NOISE[-10:])
    assert len(read_sound(tmp_path / "a.flac", 64_000, 70_000)[1]) == 0
    assert len(read_sound(tmp_path / "a.flac", 65_000, 70_000)[1]) == 0


def test_ogg_is_in_place_and_clipped(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.ogg", wave(16_000), 16_000)
    assert_same_sound(read_sound(tmp_path / "a.ogg", 0, 64_000)[1], wave(16_000), 0.06)
    square = np.sign(np.sin(np.arange(32_000) / 15))
    soundfile.write(tmp_path / "loud.ogg", square, 16_000)
    samples = read_sound(tmp_path / "loud.ogg", 0, 32_000)[1]
    steady = np.abs(np.sin(np.arange(32_000) / 15)) > 0.5
    assert (np.sign(samples[steady]) == square[steady]).all(), "beyond full scale it must not change its sign"


def test_a_flac_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, NOISE, 16_000)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    np.testing.assert_array_equal(read_sound(path, 0, 8_000)[1], NOISE[:8_000])
    for start, stop in ((0, 64_000), (40_000, 50_000)):
        with pytest.raises(DataError, match=r"a\.flac.*(cut off|decoded)"):
            read_sound(path, start, stop)


def test_a_library_that_gives_less_than_it_promised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.flac", NOISE, 16_000)
    monkeypatch.setattr(asdbench.data.sound, "read_wav", lambda *_: NOISE[:100])
    with pytest.raises(DataError, match=r"a\.flac: cut off after 1\.006 s"):
        read_sound(tmp_path / "a.flac", 16_000, 17_000)


# --- other sample rates and channels -----------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_files_are_resampled_in_place(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "a.flac"
    chirp = wave(rate) if rate > 16_000 else np.sin(2 * np.pi * 440 * np.arange(SECONDS * rate) / rate) / 3
    expected = wave(16_000) if rate > 16_000 else np.sin(2 * np.pi * 440 * np.arange(SECONDS * 16_000) / 16_000) / 3
    soundfile.write(path, as_int16(chirp), rate)
    assert sound_span(path) == (0, 64_000)
    assert_same_sound(read_sound(path, 0, 64_000)[1], expected, 0.01)


@pytest.mark.parametrize("suffix", ["flac", "wav"])
def test_channels_are_averaged(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, np.stack([NOISE, -NOISE // 3], axis=1), 16_000)
    first, samples = read_sound(path, 0, 64_000)
    assert first == 0
    np.testing.assert_allclose(samples, (NOISE + -NOISE // 3) / 2, atol=1)


@pytest.mark.parametrize("rate", [11_025, 44_100, 48_000])
@pytest.mark.parametrize("suffix", ["wav", "mov", "mkv"])
def test_windows_of_resampled_sound_agree_with_the_whole(tmp_path: Path, suffix: str, rate: int) -> None:
    path = resampled_sound(tmp_path / f"a.{suffix}", rate)
    first, whole = read_sound(path, 0, 64_000)
    assert first == 0
    for start, stop in ((100, 9_000), (30_000, 30_001), (33_333, 51_000), (60_000, 64_000)):
        np.testing.assert_array_equal(read_sound(path, start, stop)[1], whole[start:stop])


def resampled_sound(path: Path, rate: int) -> Path:
    samples = as_int16(wave(rate))
    if path.suffix == ".wav":
        soundfile.write(path, samples, rate)
        return path
    return Film(frames=100, sound=Sound(samples, rate)).write(path)


@pytest.mark.parametrize("suffix", ["wav", "mov"])
def test_only_what_is_near_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    path = resampled_sound(tmp_path / f"a.{suffix}", 44_100)
    decoded = []
    seconds = asdbench.data.sound.seconds
    monkeypatch.setattr(asdbench.data.sound, "seconds", lambda *args: decoded.append(1) or seconds(*args))
    read_sound(path, 56_000, 56_001)
    near = len(decoded)
    read_sound(path, 0, 56_001)
    assert near < (len(decoded) - near) / 2


@pytest.mark.parametrize("seek", [lambda *_: False, lambda file, stream, time: seek_before(file, stream, time + 2)])
def test_a_seek_that_fails_or_goes_too_far_starts_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seek: Callable[..., bool]
) -> None:
    path = resampled_sound(tmp_path / "a.mov", 44_100)
    expected = read_sound(path, 40_000, 41_000)[1]
    monkeypatch.setattr(asdbench.data.sound, "seek_before", seek)
    first, samples = read_sound(path, 40_000, 41_000)
    assert first == 40_000
    np.testing.assert_array_equal(samples, expected)


# --- the sound of a video ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [0, 8_000])
@pytest.mark.parametrize(
    ("suffix", "codec"), [("mov", "pcm_s16le"), ("mkv", "pcm_s16le"), ("mkv", "flac"), ("mp4", "flac")]
)
def test_lossless_sound_of_a_video_is_exact_and_where_it_starts(
    tmp_path: Path, suffix: str, codec: str, start: int
) -> None:
    path = Film(frames=100, sound=Sound(NOISE, codec=codec, start=start)).write(tmp_path / f"a.{suffix}")
    assert sound_span(path) == (start, start + 64_000)
    first, samples = read_sound(path, 0, 99_999)
    assert first == start
    np.testing.assert_array_equal(samples, NOISE)
    for window in ((start + 10, start + 5_000), (45_000, 64_000)):
        first, samples = read_sound(path, *window)
        assert first == window[0]
        np.testing.assert_array_equal(samples, NOISE[window[0] - start : window[1] - start])
    assert len(read_sound(path, 0, start)[1]) == 0


# Matroska rounds times to milliseconds; at these rates a block of AAC lasts whole milliseconds.
@pytest.mark.parametrize("start", [0.0, 0.5])
@pytest.mark.parametrize(
    ("suffix", "rate"), [("mp4", 16_000), ("mp4", 44_100), ("mp4", 48_000), ("mkv", 16_000), ("mkv", 32_000)]
)
def test_compressed_sound_of_a_video_is_in_place(tmp_path: Path, suffix: str, rate: int, start: float) -> None:
    stereo = np.stack([as_int16(wave(rate))] * 2)
    sound = Sound(stereo, rate, "aac", start=round(start * rate))
    path = Film(frames=100, sound=sound, muxer=exact_starts(suffix, rate)).write(tmp_path / f"a.{suffix}")
    begin, end = round(start * 16_000), round((start + SECONDS) * 16_000)
    for window in ((begin, end), (begin + 33_000, end)):
        first, samples = read_sound(path, *window)
        assert first == window[0]
        expected = wave(16_000)[window[0] - begin :]
        assert_same_sound(samples[: len(expected)], expected, 0.03)
    first, last = sound_span(path)
    assert abs(first - begin) <= 1_024
    assert abs(last - end) <= 1_024


def test_sound_that_starts_late_is_not_moved(tmp_path: Path) -> None:
    sound = Sound(as_int16(wave(44_100)), 44_100, "pcm_s16le", start=22_051)
    path = Film(frames=100, sound=sound, muxer=exact_starts("mov", 44_100)).write(tmp_path / "a.mov")
    first, samples = read_sound(path, 0, 99_999)
    assert first == 8_001, "22051 / 44100 s lies behind sample 8000"
    expected = wave(16_000, 8_001 / 16_000 - 22_051 / 44_100, len(samples) / 16_000)
    assert_same_sound(samples, expected, 0.01)


def test_a_gap_is_refused(tmp_path: Path) -> None:
    sound = Sound(NOISE, start=0, gap=(30_000, 4_000))
    path = Film(frames=100, sound=sound).write(tmp_path / "a.mkv")
    assert len(read_sound(path, 0, 20_000)[1]) == 20_000
    with pytest.raises(DataError, match=r"a\.mkv: the sound jumps from 1\.\d+ s to 2\.\d+ s; fill the gap"):
        read_sound(path, 0, 50_000)


@pytest.mark.parametrize(("milliseconds", "refused"), [(4, False), (6, True), (30, True), (-30, True)])
def test_only_jumps_that_rounding_explains_are_counted_over(tmp_path: Path, milliseconds: int, refused: bool) -> None:
    path = Film(frames=100, sound=Sound(NOISE, gap=(30_000, milliseconds * 16))).write(tmp_path / "a.mkv")
    if refused:
        with pytest.raises(DataError, match=r"a\.mkv: the sound jumps from 1\.\d+ s to 1\.\d+ s; fill the gap"):
            read_sound(path, 0, 50_000)
    else:
        np.testing.assert_array_equal(read_sound(path, 0, 50_000)[1], NOISE[:50_000])


def test_no_sound_anywhere(tmp_path: Path) -> None:
    silent = Film().write(tmp_path / "a.mp4")
    with pytest.raises(DataError, match=r"a\.mp4: no audio stream"):
        read_sound(silent, 0, 100)
    with pytest.raises(DataError, match=r"b\.flac: the file is missing, and there is no audio"):
        read_sound(tmp_path / "b.flac", 0, 100)
    (tmp_path / "c.flac").write_bytes(b"<html>404</html>")
    for call in (lambda: read_sound(tmp_path / "c.flac", 0, 100), lambda: sound_span(tmp_path / "c.flac")):
        with pytest.raises(DataError, match=r"c\.flac: (no audio stream|the audio cannot be read)"):
            call()
