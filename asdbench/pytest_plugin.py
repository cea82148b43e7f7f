"""The fixture ``asdbench_gate``: a checkpoint that got worse fails a test (docs/gates.md)."""

from __future__ import annotations
