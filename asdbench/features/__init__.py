"""Acoustic features as the authors of the models compute them; numpy only."""

from asdbench.features.mfcc import COEFFICIENTS, mfcc, mfcc_for_frames, samples_for_frames
from asdbench.features.rows import ROWS_PER_FRAME
from asdbench.features.vggish import MEL_BANDS, vggish_log_mel, vggish_log_mel_for_frames

__all__ = [
    "COEFFICIENTS",
    "MEL_BANDS",
    "ROWS_PER_FRAME",
    "mfcc",
    "mfcc_for_frames",
    "samples_for_frames",
    "vggish_log_mel",
    "vggish_log_mel_for_frames",
]
