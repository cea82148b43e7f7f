"""The tables of a grid: claims and verdicts, figures of all recipes, what cells took."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from asdbench.claims.cell import CellRecord
from asdbench.claims.findings import Finding
from asdbench.claims.result import Claims
from asdbench.claims.verdict import Spread
from asdbench.report.table import UNDEFINED, Column, Table

_MINUS = "−"


def claims_table(found: Claims) -> Table:
    """Return one row per claim: what is claimed and by whom, what was measured, the verdict."""
    rows = tuple(
        {
            "claim": each.claim.id,
            "text": each.claim.text,
            "source": each.claim.source,
            "measured": _measured(each),
            "number": number(each.found),
            "said": each.claim.bound.words,
            "seeds": len(each.found.by_seed),
            "verdict": each.verdict,
            "reason": each.reason,
        }
        for each in found.findings.findings
    )
    columns = (
        Column("claim", "claim"),
        Column("text", "what is claimed"),
        Column("source", "source"),
        Column("measured", "measured (mean of each recipe)"),
        Column("number", "number, 95 % interval"),
        Column("said", "said to be"),
        Column("seeds", "seeds", "count"),
        Column("verdict", "verdict"),
        Column("reason", "why"),
    )
    return Table("claims", f"{_basis(found)} {_rule(found)}", columns, rows)


def short_table(found: Claims) -> Table:
    """Return the same for a terminal: numbers and verdicts."""
    whole = claims_table(found)
    kept = ("claim", "number", "said", "seeds", "verdict")
    columns = tuple(column for column in whole.columns if column.key in kept)
    return Table(whole.name, whole.caption, columns, whole.rows)


def figures_table(found: Claims) -> Table:
    """Return one row per recipe: every figure that a claim or the grid speaks of."""
    names = list(next(iter(found.findings.listed.values()), {}))
    rows = tuple(
        {"recipe": recipe, "seeds": max((len(each.by_seed) for each in by_name.values()), default=0)}
        | {name: number(each) for name, each in by_name.items()}
        for recipe, by_name in found.findings.listed.items()
    )
    columns = (Column("recipe", "recipe"), Column("seeds", "seeds", "count"), *(Column(name, name) for name in names))
    return Table("figures", "Mean over seeds and its 95 % interval (Student's t); rates at tpr:0.9.", columns, rows)


def cells_table(found: Claims) -> Table:
    """Return one row per recipe: how long its cells took, those of trainings that others start from, too."""
    by_recipe: dict[str, list[CellRecord]] = {}
    for record in found.cells:
        by_recipe.setdefault(record.recipe, []).append(record)
    order = {name: place for place, name in enumerate(found.grid.recipes)}
    rows = tuple(
        _times(name, by_recipe[name], 60 * found.grid.minutes)
        for name in sorted(by_recipe, key=lambda name: (order.get(name, len(order)), name))
    )
    columns = (
        Column("recipe", "recipe"),
        Column("cells", "cells", "count"),
        Column("training", "training s, mean", "ms"),
        Column("evaluation", "measuring s, mean", "ms"),
        Column("longest", "longest cell s", "ms"),
        Column("above", f"above {found.grid.minutes:g} min", "count"),
    )
    return Table("cells", machines(found), columns, rows)


def machines(found: Claims) -> str:
    """Return on what the cells were made, and how long that took."""
    places: dict[str, int] = {}
    for record in found.cells:
        about, identity = record.machine, record.identity
        text = (
            f"{about['cores']} cores of {about['processor']} ({about['system']}), "
            f"{_counted(record.threads, 'thread')} per cell, {identity.get('device')}, torch {identity.get('torch')}, "
            f"asdbench {identity.get('asdbench')}"
        )
        places[text] = places.get(text, 0) + 1
    total = sum(record.seconds for record in found.cells)
    lines = [f"{_counted(count, 'cell')} on {text}." for text, count in places.items()]
    more = " Times that were interrupted are those of the last start." if any(c.continued for c in found.cells) else ""
    return " ".join([*lines, f"All cells together: {total / 3600:.1f} h of cell time.{more}"])


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def number(found: Spread) -> str:
    """Return a mean with its interval, whose ends are rounded outwards."""
    if found.mean is None:
        return UNDEFINED
    text = _signed(f"{round(found.mean, 3) + 0.0:.3f}")
    if found.low is None or found.high is None:
        return text
    low, high = math.floor(found.low * 1000 + 1e-6) / 1000, math.ceil(found.high * 1000 - 1e-6) / 1000
    return f"{text} [{_signed(f'{low + 0.0:.3f}')}, {_signed(f'{high + 0.0:.3f}')}]"


def _signed(text: str) -> str:
    return text.replace("-", _MINUS)


def _measured(found: Finding) -> str:
    claim = found.claim
    condition = found.condition or f"{claim.figure.condition} (none)"
    least = f", shifts >= {claim.figure.shift_ms} ms" if claim.figure.shift_ms else ""
    what = f"{_CALLED.get(claim.figure.figure, claim.figure.figure)}{least}"
    what += f", {condition}" if claim.figure.condition else ""
    means = ", ".join(f"{arm} {_mean(found.arms[arm])}" for arm in found.arms)
    left = "" if found.part_left is None else f"; {100 * found.part_left:.0f} % of the drop is left"
    return f"{_STATISTIC[claim.kind].format(share=claim.share)}{what}: {means}{left}"


_CALLED = {"ap": "AP", "phi_gap": "|φ(A) − φ(V)|", "phi_audio": "φ(A)", "phi_video": "φ(V)"}
_STATISTIC = {
    "level": "",
    "rise": "rise of ",
    "drop": "drop of ",
    "part": "drop without it, minus {share} of the whole drop, of ",
}


def _mean(found: Spread) -> str:
    return UNDEFINED if found.mean is None else _signed(f"{found.mean:.3f}")


def _basis(found: Claims) -> str:
    grid, seeds = found.grid, found.findings.seeds
    return (
        f"Grid {grid.label} (sha256 {grid.sha256[:8]}), suite {grid.suite}, trained on {grid.train}, measured on "
        f"{grid.val}, seeds {_listed(seeds)}."
    )


def _rule(found: Claims) -> str:
    chosen = [
        f"{each.alias} is {each.condition or 'none of ' + ', '.join(each.choice.among)} "
        f"(mean {each.choice.figure} of {each.choice.arm}: "
        + ", ".join(f"{name} {_mean(mean)}" for name, mean in each.means.items())
        + ")."
        for each in found.findings.chosen
    ]
    return " ".join(
        ["Intervals: Student's t over paired seeds; one claim each, not corrected for their number.", *chosen]
    )


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds))


def _times(name: str, records: Sequence[CellRecord], allowed: float) -> dict[str, object]:
    measured = [record.evaluation_seconds for record in records if record.run is not None]
    return {
        "recipe": name,
        "cells": len(records),
        "training": sum(record.training_seconds for record in records) / len(records),
        "evaluation": sum(measured) / len(measured) if measured else None,
        "longest": max(record.seconds for record in records),
        "above": sum(record.seconds > allowed for record in records),
    }


def sentences(found: Claims) -> Iterator[str]:
    """Yield a line per claim for a terminal: verdict, claim, why."""
    for each in found.findings.findings:
        yield f"{each.claim.id}: {each.verdict.upper()}: {each.claim.text} {_measured(each)}. {each.reason}."
