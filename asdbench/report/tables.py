"""The tables of a run: plain data, to be shown in a terminal, a notebook, Markdown, CSV or LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from asdbench.perturb.dubbed import DUBBED
from asdbench.protocols.robustness import HEADLINE, base_rate

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "count", "percent", "share", "ratio", "log-odds"]
_DIGITS: dict[Kind, tuple[float, int]] = {"percent": (100, 2), "share": (100, 1), "ratio": (1, 3), "log-odds": (1, 3)}

UNDEFINED = "–"
"""Shown where a metric has no value; the reason stands below the table."""


@dataclass(frozen=True)
class Column:
    """One column: ``percent`` has two decimals, ``share`` one, ``ratio`` three and no factor of 100."""

    key: str
    header: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """Rows of raw values and how to show them.

    Attributes:
        name: File name without extension.
        caption: One line that says what is shown, at which threshold, with which n.
        columns: In order.
        rows: By column key; a value is text, a number, ``None``, or ``{"undefined": reason}``.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Any], ...]

    @property
    def shown(self) -> tuple[Column, ...]:
        """The columns in which some row has something to say; people need no others, machines get all."""
        return tuple(column for column in self.columns if any(row.get(column.key) is not None for row in self.rows))

    def cells(self) -> Iterator[list[str]]:
        """Yield the formatted cells of each row, in the shown columns."""
        for row in self.rows:
            yield [format_value(row.get(column.key), column.kind) for column in self.shown]

    def reasons(self) -> list[str]:
        """Return why cells are undefined, each reason once with the rows it concerns."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            for column in self.columns:
                value = row.get(column.key)
                if isinstance(value, Mapping):
                    names = found.setdefault(value["undefined"], [])
                    name = str(row[self.columns[0].key])
                    if name not in names:
                        names.append(name)
        return [f"{', '.join(names)}: {reason.rstrip('.')}" for reason, names in found.items()]

    def to_frame(self) -> pd.DataFrame:
        """Return the raw values as a DataFrame, undefined ones as missing."""
        import pandas as pd

        rows = [
            {c.key: None if isinstance(row.get(c.key), Mapping) else row.get(c.key) for c in self.columns}
            for row in self.rows
        ]
        return pd.DataFrame(rows, columns=[column.key for column in self.columns])


def format_value(value: Any, kind: Kind) -> str:
    """Return a value as text."""
    if value is None or isinstance(value, Mapping):
        return UNDEFINED
    if kind in _DIGITS:
        factor, digits = _DIGITS[kind]
        return f"{value * factor:.{digits}f}"
    return f"{value:,}" if kind == "count" else str(value)


def build_tables(metrics: Mapping[str, Any], plan: Mapping[str, Any]) -> tuple[Table, ...]:
    """Return every table that has rows.

    Args:
        metrics: Content of ``metrics.json``.
        plan: Condition to the summary of what was changed, from ``run.json``.
    """
    conditions = metrics["conditions"]
    tables = (
        _robustness(metrics, conditions),
        _precision(metrics, conditions),
        _thresholds(metrics, conditions),
        _shifts(conditions),
        _modality(conditions),
        _changes(conditions, plan),
    )
    note, dubbed = _left_out(metrics), _dubbed(conditions)
    return tuple(
        replace(table, caption=table.caption + (dubbed if _shows(table, DUBBED.name) else "") + note)
        for table in tables
        if table.rows
    )


def _shows(table: Table, condition: str) -> bool:
    return any(row["condition"] == condition for row in table.rows)


def _dubbed(conditions: Sequence[Mapping[str, Any]]) -> str:
    """Return what the condition ``dubbed`` adds to the rows of the others, nothing where there is none."""
    found = [condition for condition in conditions if condition["perturbation"] == DUBBED.perturbation]
    if not found:
        return ""
    more, articulating = conditions[0]["rows"]["ignored"], found[0]["rows"]["changed"]
    if not more:
        return f" {DUBBED.name}: no dubbed track is among those scored."
    before, after = (100 * (base_rate(condition) or 0.0) for condition in (conditions[0], found[0]))
    return (
        f" {DUBBED.name}: all rows of clean and {more:,} rows of dubbed tracks, which count nowhere else, as negatives "
        f"(base rate {after:.1f} %, clean {before:.1f} %); fa_changed: of the {articulating:,} rows in which their "
        "lips articulate."
    )


def _left_out(metrics: Mapping[str, Any]) -> str:
    """Return what every table must say: what could not be changed, and what could not be scored."""
    groups: dict[int, list[str]] = {}
    for condition in metrics["conditions"]:
        rows = condition["rows"]["ineligible"]
        if rows:
            groups.setdefault(rows, []).append(condition["name"].partition("@")[0])
    parts = [f" Not eligible for {', '.join(dict.fromkeys(names))}: {rows:,} rows." for rows, names in groups.items()]
    skipped = metrics["skipped_tracks"]
    if skipped:
        parts.append(f" {skipped:,} of {metrics['tracks']:,} tracks were skipped and are missing here.")
    if metrics["incomplete_tracks"]:
        parts.append(f" {metrics['incomplete_tracks']:,} tracks miss a condition whose donor is broken.")
    return "".join(parts)


_RATES = (
    Column("fa_changed", "fa_changed %", "share"),
    Column("tpr_same_rows", "same rows %", "share"),
    Column("retention", "retention", "ratio"),
)
_SYNC = (Column("sync_auroc", "sync AUROC", "ratio"), Column("sync_winrate", "win rate", "ratio"))


_LEGEND = (
    " changed: share of the eligible speaking rows. fa_changed: changed speaking rows still called speaking; same "
    "rows: with their own sound; retention: the quotient. sync AUROC: 0.5 is no reaction, resplice gives the floor."
)


def _robustness(metrics: Mapping[str, Any], conditions: Sequence[Mapping[str, Any]]) -> Table:
    clean = conditions[0]["rows"]
    counted = clean["positive"] + clean["negative"]
    return Table(
        "robustness",
        f"Protocol {metrics['protocol']}, {counted:,} rows, {clean['positive']:,} of them speaking; threshold "
        f"{HEADLINE} of the clean run." + (_LEGEND if len(conditions) > 1 else ""),
        (
            Column("condition", "condition"),
            Column("share_changed", "changed %", "share"),
            Column("ap_tie_safe", "AP %", "percent"),
            Column("tpr", "TPR %", "share"),
            Column("fpr", "FPR %", "share"),
            *_RATES,
            *_SYNC,
        ),
        tuple({"condition": c["name"], **_flat(c, HEADLINE)} for c in conditions),
    )


def _flat(condition: Mapping[str, Any], threshold: str) -> dict[str, Any]:
    metrics: dict[str, Any] = condition["metrics"]
    rates: dict[str, Any] = metrics["at"][threshold]
    return {key: value for key, value in metrics.items() if key not in ("at", "by_shift")} | rates


def _precision(metrics: Mapping[str, Any], conditions: Sequence[Mapping[str, Any]]) -> Table:
    return Table(
        "precision",
        f"AP by the protocol {metrics['protocol']}: ties in row order, in the worst order (as in the other tables), in "
        "the best one; unchanged: rows that the condition left as they are.",
        (
            Column("condition", "condition"),
            Column("ap", "AP, row order %", "percent"),
            Column("ap_tie_safe", "tie-safe (worst) %", "percent"),
            Column("ap_best", "best %", "percent"),
            Column("tied_share", "rows in ties %", "share"),
            Column("ap_rescaled", "AP above chance %", "percent"),
            Column("ap_unchanged", "unchanged rows %", "percent"),
        ),
        tuple({"condition": c["name"], **_flat(c, HEADLINE)} for c in conditions),
    )


def _thresholds(metrics: Mapping[str, Any], conditions: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        {"condition": c["name"], "threshold": name, "value": value, **c["metrics"]["at"][name]}
        for name, value in metrics["thresholds"].items()
        for c in conditions
    ]
    return Table(
        "thresholds",
        "Rates at all three thresholds, each frozen on the clean run; inner: without 0.2 s at each end of a run.",
        (
            Column("condition", "condition"),
            Column("threshold", "threshold"),
            Column("value", "log-odds", "log-odds"),
            Column("tpr", "TPR %", "share"),
            Column("fpr", "FPR %", "share"),
            *_RATES,
            Column("fa_changed_inner", "inner %", "share"),
        ),
        tuple(rows),
    )


def _shifts(conditions: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        {"condition": c["name"], "shift": shift, **values}
        for c in conditions
        for shift, values in c["metrics"].get("by_shift", {}).items()
    ]
    return Table(
        "shifts",
        f"Shifted audio by sign and by size of the shift, at the threshold {HEADLINE}.",
        (Column("condition", "condition"), Column("shift", "shift"), Column("rows", "rows", "count"), *_RATES, *_SYNC),
        tuple(rows),
    )


def _modality(conditions: Sequence[Mapping[str, Any]]) -> Table:
    shown = [c for c in conditions if c["role"] in ("reference", "diagnostic")]
    return Table(
        "modality",
        f"Without a modality, or with a wrong one; labels kept, rates at the threshold {HEADLINE}. "
        "A drop says what the model used, not that it is better or worse.",
        (
            Column("condition", "condition"),
            Column("ap_tie_safe", "AP %", "percent"),
            Column("ap_rescaled", "AP above chance %", "percent"),
            Column("ap_drop", "AP drop", "percent"),
            Column("tpr", "TPR %", "share"),
            Column("tpr_drop", "TPR drop", "share"),
            Column("fpr", "FPR %", "share"),
        ),
        tuple({"condition": c["name"], **_flat(c, HEADLINE)} for c in shown) if len(shown) > 1 else (),
    )


def _changes(conditions: Sequence[Mapping[str, Any]], plan: Mapping[str, Any]) -> Table:
    def reasons(summary: Mapping[str, Any]) -> str:
        return "; ".join(f"{count} {reason}" for reason, count in summary["ineligible"].items()) or "none"

    return Table(
        "changes",
        "What was changed in the whole data set: eligible speaking runs (or tracks), and the frames in them.",
        (
            Column("condition", "condition"),
            Column("targets", "runs", "count"),
            Column("changed", "changed", "count"),
            Column("share_of_targets", "of eligible %", "share"),
            Column("share_of_frames", "of frames %", "share"),
            Column("ineligible_runs", "ineligible"),
            Column("donors", "donors", "count"),
            Column("most_uses_of_a_donor", "most uses", "count"),
        ),
        tuple(
            {"condition": c["name"], "ineligible_runs": reasons(plan[c["name"]]), **plan[c["name"]]}
            for c in conditions[1:]
            if c["name"] in plan and c["perturbation"] != DUBBED.perturbation
        ),
    )
