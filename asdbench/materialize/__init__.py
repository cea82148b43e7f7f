"""Perturbed test sets on disk, in the layout that other code bases read (docs/materialize.md)."""

from __future__ import annotations

from asdbench.materialize.build import materialize
from asdbench.materialize.folder import MaterializedSet, open_set

__all__ = ["MaterializedSet", "materialize", "open_set"]
