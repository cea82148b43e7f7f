"""How long the stages of a run take."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from threading import Lock
from typing import Any

_ADDING = Lock()
"""Media are read in other threads than those that score."""


@dataclass
class Timings:
    """Seconds spent, by stage; where media are read ahead, ``decode`` goes on while other stages do.

    ``clean`` and ``perturbed`` are inference alone: features, encoders and head. ``activity`` is what is measured
    beside the model's scores, ``cache`` reading and writing embeddings of other runs.
    """

    decode: float = 0.0
    perturb: float = 0.0
    clean: float = 0.0
    perturbed: float = 0.0
    activity: float = 0.0
    cache: float = 0.0

    def record(self) -> dict[str, float]:
        """Return the timings for ``run.json``."""
        return {
            "decode_seconds": round(self.decode, 3),
            "perturb_seconds": round(self.perturb, 3),
            "clean_inference_seconds": round(self.clean, 3),
            "perturbed_inference_seconds": round(self.perturbed, 3),
            "activity_seconds": round(self.activity, 3),
            "cache_seconds": round(self.cache, 3),
        }

    @classmethod
    def total(cls, parts: Iterable[Timings]) -> Timings:
        """Return the seconds of several workers together."""
        return cls(*map(sum, zip(astuple(cls()), *map(astuple, parts), strict=True)))

    @contextmanager
    def measure(self, stage: str) -> Any:
        """Add the time of the ``with`` block to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            with _ADDING:
                setattr(self, stage, getattr(self, stage) + time.perf_counter() - start)
