"""Protocols: named scoring rules on top of the metrics, one file per rule."""

from __future__ import annotations

from asdbench.registry import Registry

PROTOCOLS = Registry("protocol", {"ava": "asdbench.protocols.ava:score_rows"})
"""Name of a scoring rule to the function that applies it to rows."""
