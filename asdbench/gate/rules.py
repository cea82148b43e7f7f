"""Rules of a gate: ``condition.metric:margin``, from text, from gate.toml, or those that a run is given by default."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from asdbench.analysis.comparison import AT_FIGURES, TOP_FIGURES, usual_direction
from asdbench.analysis.conditions import HEADLINE
from asdbench.errors import UsageError
from asdbench.gate.verdict import Rule
from asdbench.metrics import FIXED_HALF, frozen_thresholds
from asdbench.registry import unknown_name
from asdbench.resources import read_toml

THRESHOLDS = tuple(frozen_thresholds([1, 0], [1.0, FIXED_HALF]))
"""Names of the thresholds at which a rate can be asked for."""

_MARGIN = re.compile(r"(?P<sign>[+-]?)(?P<number>\d+(?:\.\d*)?|\.\d+)(?P<unit>pt)?", re.ASCII)
_LARGEST_SHARE = 0.2  # a larger one was meant as points


@dataclass(frozen=True)
class Rules:
    """What a gate holds a run against.

    Attributes:
        rules: In the order in which they are reported.
        recalibrate: Whether the rates of the run are taken at its own thresholds instead of the baseline's.
        strict: Whether an inconclusive rule fails the gate.
    """

    rules: tuple[Rule, ...]
    recalibrate: bool = False
    strict: bool = False

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.rules]
        for rule in self.rules:
            if names.count(rule.name) > 1:
                raise UsageError(f"there are {names.count(rule.name)} rules for {rule.name}; keep one of them.")

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def with_rules(self, more: Iterable[str | Rule]) -> Rules:
        """Return these rules and further ones; one for the same figure takes the place of the one before.

        Raises:
            UsageError: One of them is no rule.
        """
        found = {rule.name: rule for rule in self.rules}
        found |= {rule.name: rule for rule in map(_parsed, more)}
        return replace(self, rules=tuple(found.values()))


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """What gate.toml may hold."""

    rules: list[str]
    recalibrate: bool = False
    strict: bool = False


def parse_rule(text: str) -> Rule:
    """Read a rule: ``clean.ap:-0.5pt``, ``mismatch@1.00.fa_changed:+1pt``, ``clean.fpr@eer:+0.01``.

    What follows the last ``:`` is the margin: how far the figure may move in the wrong direction, in points (``pt``) or
    as a share. What follows the last ``.`` before it is the metric, with ``@tpr:0.9`` (the default), ``@eer`` or
    ``@fixed:0.5`` for a rate at that threshold. All before is the name of the condition.

    Raises:
        UsageError: Not of this form, no such metric, or a margin that allows it to get better.
    """
    name, colon, margin = text.strip().rpartition(":")
    named = name
    threshold = next((each for each in THRESHOLDS if name.endswith(f"@{each}")), "")
    if threshold:
        named = name.removesuffix(f"@{threshold}")
    condition, dot, metric = named.rpartition(".")
    if not (colon and dot and condition and metric):
        raise UsageError(f"rule {text!r}: expected condition.metric:margin, such as clean.ap:-0.5pt.")
    if metric not in (*TOP_FIGURES, *AT_FIGURES):
        raise UsageError(f"rule {text!r}: {unknown_name('metric', metric, (*TOP_FIGURES, *AT_FIGURES))}")
    if threshold and metric in TOP_FIGURES:
        raise UsageError(f"rule {text!r}: {metric} knows no threshold; leave @{threshold} away.")
    return Rule(condition, metric, _margin(text, metric, margin), text.strip(), threshold or HEADLINE)


def read_rules(path: str | Path) -> Rules:
    """Read gate.toml: a list ``rules``, and where wanted ``recalibrate = true`` and ``strict = true``.

    Raises:
        UsageError: The file cannot be read or is not valid; the message has file, key, and line of a rule.
    """
    path = Path(path)
    try:
        file = msgspec.convert(read_toml(path, "gate file"), _File)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: not a valid gate file ({error}).") from error
    if not file.rules:
        raise UsageError(f"{path}: rules is empty; give at least one, such as clean.ap:-0.5pt.")
    lines = path.read_text(encoding="utf-8").splitlines()
    rules = []
    for number, text in enumerate(file.rules):
        try:
            rules.append(parse_rule(text))
        except UsageError as error:
            where = next((f"{path}:{line}" for line, content in enumerate(lines, 1) if text in content), str(path))
            raise UsageError(f"{where}: rules[{number}]: {error}") from error
    try:
        return Rules(tuple(rules), file.recalibrate, file.strict)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def rules_of(given: Rules | str | Path | Iterable[str | Rule]) -> Rules:
    """Return rules in whatever form they are given: read already, a gate.toml, or one by one.

    Raises:
        UsageError: One of them is no rule, there are none, or the file is not valid.
    """
    if isinstance(given, Rules):
        found = given
    elif isinstance(given, str | Path):
        found = read_rules(given)
    else:
        found = Rules(tuple(map(_parsed, given)))
    if not found.rules:
        raise UsageError("a gate needs at least one rule, such as clean.ap:-0.5pt.")
    return found


def _parsed(rule: str | Rule) -> Rule:
    return rule if isinstance(rule, Rule) else parse_rule(rule)


def _margin(text: str, metric: str, margin: str) -> float:
    found = _MARGIN.fullmatch(margin.strip())
    if found is None:
        raise UsageError(f"rule {text!r}: {margin.strip()!r} is no margin; write -0.5pt, +1pt, or a share: -0.005.")
    size: Any = float(found["number"]) / (100 if found["unit"] else 1)
    if size > (1 if found["unit"] else _LARGEST_SHARE):
        raise UsageError(
            f"rule {text!r}: a margin of {margin.strip()} is {100 * size:g} points; "
            + (f"is {margin.strip()}pt meant?" if not found["unit"] else "there are no more than 100.")
        )
    direction = usual_direction(metric)
    if not direction:
        raise UsageError(f"rule {text!r}: neither more nor less of {metric} is better, so no rule can hold it.")
    wanted, words = ("-", "more") if direction > 0 else ("+", "less")
    if size and found["sign"] != wanted:
        raise UsageError(
            f"rule {text!r}: {words} {metric} is better, so the margin says how far it may "
            f"{'fall' if direction > 0 else 'rise'}; write {wanted}{margin.strip().lstrip('+-')}."
        )
    return float(size)
