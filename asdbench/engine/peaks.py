"""How much memory a process took at most."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping


def peak_memory(device: str) -> dict[str, int]:
    """Return the most bytes that this process has held since it began, for ``run.json``.

    Args:
        device: Torch device that it computes on.

    Returns:
        ``peak_rss_bytes`` where the system tells, and ``peak_gpu_bytes``, what tensors took, on a CUDA device.
    """
    found = {}
    resident = _resident()
    if resident is not None:
        found["peak_rss_bytes"] = resident
    if device.partition(":")[0] == "cuda":
        import torch

        found["peak_gpu_bytes"] = int(torch.cuda.max_memory_allocated(device))
    return found


def most(peaks: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the highest of several processes, each figure on its own."""
    found: dict[str, int] = {}
    for each in peaks:
        for key, value in each.items():
            found[key] = max(value, found.get(key, 0))
    return found


def _resident() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    # Linux counts kibibytes, macOS bytes.
    scale = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * scale
