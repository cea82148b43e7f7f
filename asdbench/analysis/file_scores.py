"""Files scored under one protocol, or under all that they allow: ``asdbench score PRED --labels GT``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from asdbench.analysis import file_boxes, file_rules
from asdbench.analysis.file_inputs import Inputs, NotGivenError, Request
from asdbench.errors import UndefinedMetricError
from asdbench.protocols.catalogue import PROTOCOLS, protocol_named

EVERY = "all"
"""In place of a name: every protocol that the files allow."""


def score_files(request: Request, protocol: str) -> dict[str, Any]:
    """Score files under a protocol, or under all that they allow.

    Args:
        request: The files.
        protocol: Its name, or ``all``.

    Returns:
        ``{"predictions", "labels", "protocols": [{"protocol", "lines", "notes", "units"}], "not_computed": {name:
        reason}}``.

    Raises:
        UnknownNameError: No such protocol.
        UsageError: The protocol needs something that was not given.
        DataError: A file is broken, or rows of one have no partner in the other; counts and the first five are named.
        UndefinedMetricError: The rows leave the number without a value, as with one class only.
    """
    inputs, absent = Inputs(request), dict[str, str]()
    if protocol != EVERY:
        protocol_named(protocol)
        try:
            found = [_computed(inputs, protocol, named=True)]
        except NotGivenError as error:
            raise NotGivenError(f"{protocol} cannot be computed: {error}.") from error
    else:
        found, absent = _all(inputs)
    return {
        "predictions": str(request.predictions),
        "labels": str(request.labels),
        "protocols": found,
        "not_computed": absent,
    }


def _all(inputs: Inputs) -> tuple[list[dict[str, Any]], dict[str, str]]:
    found, absent = [], {}
    undefined: UndefinedMetricError | None = None
    for name in PROTOCOLS:
        try:
            found.append(_computed(inputs, name, named=False))
        except NotGivenError as error:
            absent[name] = str(error)
        except UndefinedMetricError as error:
            absent[name] = f"undefined: {str(error).rstrip('.')}"
            undefined = undefined or error
    if not found:
        if undefined is not None:
            raise undefined
        reasons = "; ".join(f"{name}: {reason}" for name, reason in absent.items())
        raise NotGivenError(f"no protocol can be computed from these files ({reasons}).")
    return found, absent


def _computed(inputs: Inputs, name: str, named: bool) -> dict[str, Any]:
    found = file_boxes.ego4d_ava(inputs, named) if name == "ego4d-ava" else _RULES[name](inputs)
    key = PROTOCOLS[name].figure
    values = [line["metrics"].get(key) for line in found["lines"]]
    if all(isinstance(value, Mapping) for value in values):
        raise UndefinedMetricError(f"{inputs.request.labels}: {values[-1]['undefined']}")
    return found


_RULES: dict[str, Callable[[Inputs], dict[str, Any]]] = {
    "ava": file_rules.ava,
    "ap": file_rules.ap,
    "ego4d-map50": file_boxes.map50,
    "wasd": file_rules.wasd,
    "unitalk": file_rules.unitalk,
    "asw": file_rules.asw,
    "columbia-f1": file_rules.columbia,
    "tnr": file_rules.tnr,
    "laser": file_rules.laser,
}
