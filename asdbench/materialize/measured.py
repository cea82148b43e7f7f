"""What is measured of the tracks of a set, so that predictions for it get the sections that a run has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.engine.activity import CLEAN, SHARPNESS, Meter, TrackMeter
from asdbench.engine.facts import row_facts
from asdbench.errors import DataError
from asdbench.materialize.source import Source
from asdbench.perturb.edits import Edit, digest
from asdbench.records.facts import RowFacts
from asdbench.types import Condition, Int16Array, Track, TrackKey, UInt8Array

Columns = dict[str, bytes]
"""What was measured of a track, by name, as bytes."""

_FLOATS = np.dtype("<f4")
_WHOLE = np.dtype("i1")


def set_meter(conditions: Sequence[Condition], tracks: Sequence[Track]) -> Meter:
    """Return what measures the tracks of a set; no model is known yet, so lips are told by their motion.

    Args:
        conditions: Those that are written.
        tracks: All tracks of the data set.
    """
    return Meter(None, tuple(conditions), all(track.voiced is not None for track in tracks))


class Beside:
    """Measures one track while its files are written.

    Args:
        meter: What is asked for.
        source: The track.
        audio: Condition to its edits of the sound.
        faces: Condition to its edits of the faces.
    """

    def __init__(
        self,
        meter: Meter,
        source: Source,
        audio: Mapping[str, tuple[Edit, ...]],
        faces: Mapping[str, tuple[Edit, ...]],
    ) -> None:
        self._source = source
        keys = {name: (digest(audio[name]), digest(faces[name])) for name in audio}
        self._meter: TrackMeter = meter.begin(source.track, keys)

    def hear(self, edits: tuple[Edit, ...], samples: Int16Array) -> None:
        """Look at a version of the sound."""
        self._meter.hear(digest(edits), samples)

    def see(self, edits: tuple[Edit, ...], crops: Sequence[UInt8Array]) -> None:
        """Look at a version of the faces."""
        self._meter.see(digest(edits), crops)

    def columns(self, failed: Mapping[str, str]) -> Columns:
        """Return everything that was measured.

        Args:
            failed: Conditions that could not be made.
        """
        # Crops that are copied have not been decoded yet, and who reads the set is told of one that is broken.
        with suppress(DataError):
            self._meter.see(CLEAN, self._source.faces)
        found = self._meter.columns(None, failed)
        return {name: values.astype(_kind(name)).tobytes() for name, values in found.items()}


def _kind(name: str) -> np.dtype[Any]:
    return _WHOLE if name.startswith("voiced:") else _FLOATS


def column(measured: Mapping[TrackKey, Columns], name: str) -> dict[TrackKey, NDArray[Any]]:
    """Return what was measured under a name, ``[T]`` per track."""
    return {key: np.frombuffer(columns[name], _kind(name)) for key, columns in measured.items()}


def set_facts(everything: Sequence[Track], kept: Sequence[Track], measured: Mapping[TrackKey, Columns]) -> RowFacts:
    """Return the facts of the rows of a set.

    Args:
        everything: All tracks of the data set.
        kept: Those that were written.
        measured: What was measured of them.
    """
    return row_facts(everything, kept, column(measured, SHARPNESS))
