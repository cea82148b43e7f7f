"""The numbers of runs of earlier releases, under the names that they have now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOT_COMPUTED = {"undefined": "the run is of an earlier release, which did not compute it."}
"""In place of a figure that came later; ``asdbench score RUN`` computes it."""

_RENAMED = {"ap_tie_safe": "ava", "ap_best": "ava_best", "ap_rescaled": "ava_rescaled"}
_ROW_ORDER = "ap"
_LATER = ("ap", "ap_rescaled")


def upgraded(metrics: Mapping[str, Any], schema: int) -> dict[str, Any]:
    """Return the content of ``metrics.json`` as this release writes it.

    In schema 1, ``ap`` followed the order of rows where scores were tied; the same name is another figure now.

    Args:
        metrics: What the file holds.
        schema: That of the run folder.
    """
    if schema >= 2:
        return dict(metrics)
    return {**metrics, "conditions": [_condition(each) for each in metrics.get("conditions", ())]}


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
