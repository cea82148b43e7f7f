"""How rows of features are brought to the number of video frames; numpy only."""

from __future__ import annotations

import numpy as np

from asdbench.errors import DataError
from asdbench.types import Float32Array, Int16Array

ROWS_PER_FRAME = 4
"""Feature rows for one video frame, of MFCC and of VGGish log-mel alike."""


def require_int16(waveform: Int16Array) -> None:
    """Refuse sound in another scale, which would be heard as next to silence.

    Raises:
        DataError: The samples are no int16.
    """
    if waveform.dtype != np.int16:
        raise DataError(
            f"the sound has samples of type {waveform.dtype}; expected int16 at 16 kHz (of floats from -1 to 1: "
            "numpy.round(32767 * samples).astype(numpy.int16))."
        )


def wrapped(rows: Float32Array, num_frames: int) -> Float32Array:
    """Return exactly four rows per frame, ``[4 * num_frames, width]``, of rows ``[n, width]``.

    Too few (the usual case: a clip of T frames holds T - 1 frames of sound) start again from the beginning, as often
    as needed, as with ``numpy.pad(mode="wrap")`` in the official loaders; surplus rows are cut.

    Raises:
        DataError: ``num_frames`` is below 1.
    """
    if num_frames < 1:
        raise DataError(f"features were asked for {num_frames} frames; a face track has at least one.")
    return rows[np.arange(ROWS_PER_FRAME * num_frames) % len(rows)]
