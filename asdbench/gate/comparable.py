"""Whether a run and a baseline may be compared at all: exit code 3 where they may not."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from asdbench.analysis.comparison import require_same_rows
from asdbench.errors import NotComparableError
from asdbench.records.comparable import half_precision, short, strictly_differing
from asdbench.registry import unknown_name

if TYPE_CHECKING:
    from asdbench.report.run import Run

ALLOWED = ("custom", "dtype", "options")
"""What ``allow`` can name: a seed other than the suite's, half precision, other options of the adapter."""

_WORDS = {
    "data": "data fingerprint",
    "plan": "plan hash",
    "limit": "row set (--limit)",
    "skipped": "row set (tracks skipped, tracks with conditions left out)",
    "media": "media digest",
    "options": "options of the adapter",
    "seed": "seed of the plan",
}


def reasons(baseline: Run, run: Run, allow: Collection[str] = ()) -> list[str]:
    """Return why the two cannot be compared, each a few words; nothing where they can.

    Args:
        baseline: What is compared with.
        run: What is compared.
        allow: What may differ or be unusual all the same, see `ALLOWED`.

    Raises:
        UnknownNameError: ``allow`` names something else.
    """
    check_allow(allow)
    found = [
        f"{_WORDS.get(name, name)}: {short(old)} in the baseline, {short(new)} in the run"
        for name, (old, new) in strictly_differing(baseline.record, run.record).items()
        if name not in allow
    ]
    for who, each in (("the baseline", baseline), ("the run", run)):
        found += [f"{who} {what}" for what in unusual(each, allow)]
    return found


def unusual(run: Run, allow: Collection[str] = ()) -> list[str]:
    """Return what alone keeps a run from being judged or from being a baseline, as the end of a sentence.

    Args:
        run: The run.
        allow: What may be unusual all the same.
    """
    found = []
    if run.record["custom"] and "custom" not in allow:
        found.append("is custom: its plan rests on a seed other than the suite's (allow it with custom)")
    dtype = half_precision(run.record)
    if dtype and "dtype" not in allow:
        found.append(f"was scored in {dtype}, not in float32 (allow it with dtype)")
    return found


def row_reasons(baseline: Run, run: Run, conditions: Iterable[str]) -> list[str]:
    """Return in what the rows of the two differ, the model's scores apart.

    Args:
        baseline: What is compared with.
        run: What is compared.
        conditions: Names of the conditions that both have.
    """
    found = []
    for name in conditions:
        try:
            require_same_rows(baseline.read(name), run.read(name), name)
        except NotComparableError as error:
            found.append(f"row set: {error}")
    return found


def check_allow(allow: Collection[str]) -> None:
    """Refuse names that ``allow`` does not know.

    Raises:
        UnknownNameError: One of them.
    """
    for name in allow:
        if name not in ALLOWED:
            raise unknown_name("difference that a gate can allow", name, ALLOWED)
