"""In what two runs differ by more than their models: the one place where that is written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FULL_PRECISION = "float32"


def differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what makes the numbers of two runs differ although the model may be the same.

    Args:
        old: ``run.json`` of one run.
        new: That of the other.

    Returns:
        Name to the two values: ``data`` (fingerprint of the annotation), ``protocol``, ``plan`` (``suite`` where that
        says why), ``limit``, ``dtype``
        and ``media`` (digest of what was scored).
    """
    before, after = _parts(old), _parts(new)
    found = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
    suites = _suite(old), _suite(new)
    if "plan" in found and suites[0] != suites[1]:
        found = {"suite" if name == "plan" else name: suites if name == "plan" else found[name] for name in found}
    # Nobody knows what media predictions of other code were made on, but for the set that names its plan.
    return {name: pair for name, pair in found.items() if name != "media" or None not in pair}


def strictly_differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return as `differing`, and what else a verdict must not overlook.

    Args:
        old: ``run.json`` of one run.
        new: That of the other.

    Returns:
        Name to the two values: those of `differing`; ``options`` of the adapter, ``skipped`` (tracks, and tracks with
        conditions left out), ``seed`` of the plan.
    """
    before, after = _strict_parts(old), _strict_parts(new)
    return differing(old, new) | {name: (before[name], after[name]) for name in before if before[name] != after[name]}


def half_precision(record: Mapping[str, Any]) -> str:
    """Return the dtype of a run that was not scored in full precision; empty for one that was."""
    dtype = record["identity"]["model"]["dtype"]
    return "" if dtype in (None, FULL_PRECISION) else str(dtype)


def short(value: object) -> str:
    """Return a value as it stands in a sentence: hashes by their beginning."""
    text = str(value)
    return f"{text[:12]}..." if len(text) > 20 and " " not in text else text


def _suite(record: Mapping[str, Any]) -> str:
    return f"{record['suite']['name']}@{record['suite']['version']}"


def _parts(record: Mapping[str, Any]) -> dict[str, Any]:
    identity = record["identity"]
    return {
        "data": identity["data"].get("fingerprint"),
        "protocol": record["data"]["protocol"],
        "plan": identity["plan_sha256"],
        "limit": identity["limit"] or "all tracks",
        "dtype": identity["model"]["dtype"],
        "media": record["data"].get("media_digest"),
    }


def _strict_parts(record: Mapping[str, Any]) -> dict[str, Any]:
    counts = record["counts"]
    return {
        "options": dict(record["identity"]["model"].get("options", {})),
        "skipped": (counts.get("skipped_tracks", 0), counts.get("incomplete_tracks", 0)),
        "seed": record["suite"].get("seed"),
    }
