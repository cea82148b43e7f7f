"""Talkies (from MAAS, arXiv 2101.03682), in AVA's columns and layout, to which those who evaluate on it convert it.

What `asdbench.data.ava` reads is read: one csv per split or per video, crops with or without a folder per video. The
owners publish no annotation files with their code, so nothing but a name tells such a folder from AVA's.
"""

from __future__ import annotations

from pathlib import Path

from asdbench.data.ava import Kin, open_kin
from asdbench.types import Dataset


def open_talkies(root: Path, split: str = "val", name: str | None = None, *, crop: str = "box") -> Dataset:
    """Read Talkies; arguments and errors as for `asdbench.data.ava.open_ava`."""
    return open_kin(Kin("talkies"), root, split, name, crop=crop)
