"""Whisper's log-mel spectrogram against that of ``transformers``."""

from __future__ import annotations

import numpy as np
import pytest

from asdbench.errors import DataError
from asdbench.features.whisper import HOP, whisper_log_mel
from tests.pair_net import REASON

AUDIO = np.random.default_rng(5).integers(-9000, 9000, 3 * 640 + 77).astype(np.int16)


@pytest.mark.parametrize("mels", [20, 80, 128])
def test_it_is_the_one_of_transformers(mels):
    transformers = pytest.importorskip("transformers", reason=REASON)
    extractor = transformers.WhisperFeatureExtractor(feature_size=mels)
    for samples, padding in ((480_000, "max_length"), (None, False)):
        wanted = extractor(AUDIO / 32768, sampling_rate=16_000, return_tensors="np", padding=padding)
        found = whisper_log_mel(AUDIO, mels, samples)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, wanted.input_features[0], rtol=0, atol=1e-5)


def test_there_is_one_row_for_each_full_160_samples():
    assert whisper_log_mel(AUDIO, 80).shape == (80, len(AUDIO) // HOP)
    assert whisper_log_mel(AUDIO[:160], 80).shape == (80, 1)
    assert whisper_log_mel(AUDIO[:1], 80, 480).shape == (80, 3)


def test_a_pure_tone_is_loudest_in_the_filter_around_it():
    tone = (8000 * np.sin(2 * np.pi * 1000 * np.arange(3200) / 16_000)).astype(np.int16)
    loudest = whisper_log_mel(tone, 80).mean(1).argmax()
    highest = 15 + 27 / np.log(6.4) * np.log(8)  # 8000 Hz on Slaney's scale, where 1000 Hz is 15
    assert loudest == round(15 / highest * 81 - 1)


def test_silence_is_flat_and_the_loudest_value_cuts_off_what_is_faint():
    np.testing.assert_array_equal(whisper_log_mel(np.zeros(1600, np.int16), 20), np.full((20, 10), -1.5, np.float32))
    rows = whisper_log_mel(AUDIO, 80, 16_000)
    assert rows.min() == pytest.approx(rows.max() - 2)


@pytest.mark.parametrize("audio", [AUDIO[:0], AUDIO[:100], AUDIO[:640].reshape(2, 320)])
def test_what_is_no_sound(audio):
    with pytest.raises(DataError, match="at least 160 samples"):
        whisper_log_mel(audio, 80)
