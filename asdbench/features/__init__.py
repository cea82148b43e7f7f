"""Acoustic features as the authors of the models compute them; numpy only."""

from asdbench.features.mfcc import COEFFICIENTS, ROWS_PER_FRAME, mfcc, mfcc_for_frames

__all__ = ["COEFFICIENTS", "ROWS_PER_FRAME", "mfcc", "mfcc_for_frames"]
