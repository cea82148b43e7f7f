"""What earlier runs have computed from faces, found by the content of the faces and the identity of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from asdbench.engine.cache import EmbeddingCache


@dataclass(frozen=True)
class Remembered:
    """Where a model's embeddings are kept, as plain data that can be sent to other processes.

    Attributes:
        folder: Of the cache.
        limit: Bytes that it may take.
        model: All that tells the model from others: adapter, version, weights, options, dtype, device, torch.
    """

    folder: Path
    limit: int
    model: Mapping[str, Any]

    def open(self, scorer: object) -> Memory:
        """Return the memory of this process.

        Args:
            scorer: The model, to whose device tensors return.

        Raises:
            UsageError: The folder cannot be made.
        """
        model = msgspec.json.encode(dict(self.model), order="sorted").decode()
        return Memory(EmbeddingCache(self.folder, self.limit), f"embedding {model}", getattr(scorer, "device", None))


@dataclass(frozen=True)
class Memory:
    """Keeps tensors and arrays; embeddings of any other kind are computed each time.

    Attributes:
        cache: The folder.
        model: Under which name the model's embeddings are kept.
        device: Of its tensors.
    """

    cache: EmbeddingCache
    model: str
    device: Any = None

    def get(self, what: str, digest: str) -> Any:
        """Return what is kept under a name of the faces of a digest, ``None`` where that is nothing."""
        found = self.cache.get(f"{what}|{digest}")
        return found if found is None or isinstance(found, np.ndarray) else found.to(self.device)

    def keep(self, what: str, digest: str, value: Any) -> None:
        """Keep something for later runs.

        Raises:
            ResourceError: It cannot be written.
        """
        if isinstance(value, np.ndarray) or (self.device is not None and getattr(value, "device", None) == self.device):
            self.cache.put(f"{what}|{digest}", value)

    def counts(self) -> dict[str, int]:
        """Return how often something was there, and how often not."""
        return {"cache_hits": self.cache.hits, "cache_misses": self.cache.misses}
