"""Robustness benchmark for active speaker detection: does a model listen, or does it add up sound and lips?

The public names below are imported on first use, so that ``import asdbench`` loads neither torch nor pandas.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asdbench.adapters import load_model as load_model
    from asdbench.adapters.base import Adapter as Adapter
    from asdbench.api import demo as demo
    from asdbench.api import run as run
    from asdbench.api import score as score
    from asdbench.api import train as train
    from asdbench.data import open_dataset as open_dataset
    from asdbench.report.comparison import compare as compare
    from asdbench.report.run import Run as Run
    from asdbench.report.run import open_run as open_run
    from asdbench.suites import load_suite as load_suite

__version__ = "0.1.0"

_PUBLIC = {
    "Adapter": "asdbench.adapters.base",
    "Run": "asdbench.report.run",
    "compare": "asdbench.report.comparison",
    "demo": "asdbench.api",
    "load_model": "asdbench.adapters",
    "load_suite": "asdbench.suites",
    "open_dataset": "asdbench.data",
    "open_run": "asdbench.report.run",
    "run": "asdbench.api",
    "score": "asdbench.api",
    "train": "asdbench.api",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'asdbench' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
