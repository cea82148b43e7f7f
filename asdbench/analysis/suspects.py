"""Which videos may be dubbed (docs/method.md, section 9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from asdbench.analysis.rows import RunRows


def section(rows: RunRows, conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the section of ``metrics.json``, ``None`` where the run has no rows for it.

    Args:
        rows: The rows of the run.
        conditions: The conditions of ``metrics.json``, with their point values.
    """
    return None
