"""How tracks are scored, apart from what and with what."""

from __future__ import annotations

from dataclasses import dataclass

from asdbench.engine.memory import Memory


@dataclass(frozen=True)
class How:
    """Ways to go about it.

    Attributes:
        memory: What earlier runs have computed from faces.
        reuse: Whether conditions share what they have in common, or each is scored from nothing.
        loaders: How many threads read media ahead.
        dtype: Precision of the encoders (`asdbench.engine.precision`).
        batch_frames: How many frames tracks may have that are embedded together (`asdbench.engine.batches`); with 0
            each is embedded alone.
    """

    memory: Memory | None = None
    reuse: bool = True
    loaders: int = 0
    dtype: str = "fp32"
    batch_frames: int = 0

    def record(self) -> dict[str, int]:
        """Return what ``run.json`` says of it under ``engine``, beside the threads."""
        return {"batch_frames": self.batch_frames} if self.batch_frames else {}
