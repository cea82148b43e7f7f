"""Choices without a random generator: hashes of names, the same on every machine and in every version of numpy."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

_SEPARATOR = "\x1f"
_BYTES = 8


class Chooser:
    """Draws for one perturbation from ``blake2b(seed, name and version, run id, ...)`` (docs/method.md, section 2).

    Args:
        seed: The suite's seed.
        perturbation: Name and version, such as ``mismatch@1``.
    """

    def __init__(self, seed: int, perturbation: str) -> None:
        self._prefix = f"{seed}{_SEPARATOR}{perturbation}{_SEPARATOR}"

    def fraction(self, run_id: str, purpose: str = "") -> float:
        """Return a number in [0, 1) that depends on the run and, where one run needs several, on the purpose."""
        name = run_id + _SEPARATOR + purpose if purpose else run_id
        digest = blake2b((self._prefix + name).encode(), digest_size=_BYTES).digest()
        # The upper 53 bits are what a float holds exactly, so that the result stays below 1.
        return float((int.from_bytes(digest, "big") >> 11) / (1 << 53))

    def seed(self, run_id: str, purpose: str = "") -> str:
        """Return the text that `asdbench.perturb.stream` makes noise of, for one run and purpose."""
        name = run_id + _SEPARATOR + purpose if purpose else run_id
        return blake2b((self._prefix + name).encode(), digest_size=_BYTES).hexdigest()

    def ranks(self, run_id: str, donor_ids: Sequence[bytes]) -> NDArray[np.uint64]:
        """Return the rank ``[len(donor_ids)]`` of every donor for a run; the lowest is the first choice."""
        base = blake2b((self._prefix + run_id + _SEPARATOR).encode(), digest_size=_BYTES)
        digests = bytearray()
        for donor_id in donor_ids:
            state = base.copy()
            state.update(donor_id)
            digests += state.digest()
        return np.frombuffer(bytes(digests), dtype=">u8").astype(np.uint64)
