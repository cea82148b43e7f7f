"""What earlier releases wrote into run folders, as this one would have written it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOT_COMPUTED = {"undefined": "the run is of an earlier release, which did not compute it."}
"""In place of a figure that came later; ``asdbench score RUN`` computes it."""

_RENAMED = {"ap_tie_safe": "ava", "ap_best": "ava_best", "ap_rescaled": "ava_rescaled"}
_ROW_ORDER = "ap"
_CODE = "code_sha256"
_LATER = ("ap", "ap_rescaled")


def upgraded_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of ``run.json`` as this release writes it.

    Before there was ``--no-reuse``, media were digested in another way. What two such runs were scored on is told
    apart by annotation, plan and rows alone, so the digest is given as not known.

    Args:
        record: What the file holds.
    """
    found = {**record}
    counts, data, config = record.get("counts"), record.get("data"), record.get("config", {})
    if counts is not None:
        found["counts"] = {"incomplete_tracks": 0, **counts}
    if data is not None and "reuse" not in config:
        found["data"] = {**data, "media_digest": None}
    if "model" in record.get("identity", {}):
        identity = record["identity"]
        found["identity"] = {**identity, "model": _named_code(identity["model"])}
        found["model"] = _named_code(record["model"])
    return found


def upgraded(metrics: Mapping[str, Any], schema: int) -> dict[str, Any]:
    """Return the content of ``metrics.json`` as this release writes it.

    In schema 1, ``ap`` followed the order of rows where scores were tied; the same name is another figure now.

    Args:
        metrics: What the file holds.
        schema: That of the run folder.
    """
    if schema >= 2:
        return dict(metrics)
    # The first runs did not count tracks that miss a condition: a broken donor stopped them.
    conditions = [_condition(each) for each in metrics.get("conditions", ())]
    return {"incomplete_tracks": 0, **metrics, "conditions": conditions}


def _named_code(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return what identifies a model; the hash of a user's own code had another name once."""
    known = {key: value for key, value in model.items() if key != _CODE}
    return {"fingerprint": model.get(_CODE), **known}


def _condition(condition: Mapping[str, Any]) -> dict[str, Any]:
    known = {_RENAMED.get(key, key): value for key, value in condition["metrics"].items() if key != _ROW_ORDER}
    return {**condition, "metrics": known | dict.fromkeys(_LATER, NOT_COMPUTED), "intervals": {}}


def known_to(old: Any, new: Any) -> Any:
    """Return of new numbers what an older record of the same run holds too, so that the two can be compared.

    Args:
        old: An older record, `upgraded`.
        new: The same numbers computed again.
    """
    if old == NOT_COMPUTED:
        return old
    if isinstance(old, dict) and isinstance(new, dict):
        return {key: known_to(value, new[key]) for key, value in old.items() if key in new}
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [known_to(*pair) for pair in zip(old, new, strict=True)]
    return new
