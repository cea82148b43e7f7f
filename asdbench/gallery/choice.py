"""Which conditions a gallery shows: of those that differ in an amount alone, the one that changes most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from asdbench.registry import unknown_name
from asdbench.types import Condition

_NO_AMOUNT = ("draw",)  # options that number what is otherwise the same


def shown_conditions(conditions: Mapping[str, Condition], names: Sequence[str] = ()) -> dict[str, tuple[str, ...]]:
    """Return the conditions to show, each with those for which it stands.

    Args:
        conditions: Those of the run by name, the clean one first.
        names: Some of them; without any, one of every family of conditions that differ in their proportion, severity,
            offset to one side, or draw alone.

    Raises:
        UnknownNameError: The run has no such condition.
    """
    for name in names:
        if name not in conditions:
            raise unknown_name("condition", name, conditions)
    if names:
        return {name: () for name in conditions if name in names}
    families: dict[bytes, list[Condition]] = {}
    for condition in conditions.values():
        families.setdefault(_family(condition), []).append(condition)
    most = {key: max(family, key=_amount).name for key, family in families.items()}
    return {
        name: tuple(other.name for other in families[key] if other.name != name)
        for key, name in sorted(most.items(), key=lambda item: list(conditions).index(item[1]))
    }


def _family(condition: Condition) -> bytes:
    kind = (condition.perturbation or "").partition("@")[0], condition.labels, condition.role
    return msgspec.json.encode([*kind, _blurred(condition.options)], order="sorted")


def _blurred(value: Any, name: str = "") -> Any:
    """Return options with the sign of every number in its place."""
    if isinstance(value, Mapping):
        return {key: _blurred(each, key) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_blurred(each) for each in value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return 0 if name in _NO_AMOUNT else (value > 0) - (value < 0)


def _amount(condition: Condition) -> tuple[float, float]:
    return condition.proportion, sum(abs(number) for number in _numbers(condition.options))


def _numbers(value: Any, name: str = "") -> Iterable[float]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _numbers(each, key)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _numbers(each)
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and name not in _NO_AMOUNT:
        yield float(value)
