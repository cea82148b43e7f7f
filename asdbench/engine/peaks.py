"""How much memory a process took at most."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path


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
    # Linux: getrusage counts what the process that started this one held, too.
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    if sys.platform == "darwin":
        import resource

        return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return None
