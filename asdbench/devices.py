"""Where a model runs."""

from __future__ import annotations

import os

from asdbench.errors import ResourceError, UsageError


def choose_device(name: str = "auto") -> str:
    """Return the torch device to use.

    Args:
        name: ``auto`` (the first GPU, else the CPU), ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises:
        UsageError: Not the name of a device.
        ResourceError: This machine has no such device.
    """
    import torch

    if name == "auto":
        return "cuda:0" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (index and (kind != "cuda" or not index.isdigit())):
        raise UsageError(f"--device {name}: expected auto, cpu, cuda, cuda:N or mps.")
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}[kind]
    if int(index or 0) >= count:
        raise ResourceError(f"--device {name}: this machine has {count} {kind} device(s); use --device cpu.")
    return f"cuda:{int(index or 0)}" if kind == "cuda" else kind


def describe_device(device: str) -> dict[str, object]:
    """Return kind, name and threads of a device for the record."""
    import torch

    kind = device.partition(":")[0]
    name = torch.cuda.get_device_name(device) if kind == "cuda" else kind
    return {"kind": kind, "name": name, "threads": torch.get_num_threads(), "cores": os.cpu_count()}
