"""The tables of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from asdbench.analysis.conditions import HEADLINE, base_rate
from asdbench.perturb.dubbed import DUBBED
from asdbench.report.audit import audit_table, cue_table
from asdbench.report.families import offset_of
from asdbench.report.sections import SECTIONS
from asdbench.report.suite_tables import accuracy_table, corruptions_table, curve_table
from asdbench.report.table import UNDEFINED, Column, Table, format_value

__all__ = ["UNDEFINED", "Column", "Table", "build_tables", "format_value"]


def build_tables(
    metrics: Mapping[str, Any], plan: Mapping[str, Any], audit: Mapping[str, Any] | None = None
) -> tuple[Table, ...]:
    """Return every table that has rows.

    Args:
        metrics: Content of ``metrics.json``.
        plan: Condition to the summary of what was changed, from ``run.json``.
        audit: Content of ``audit.json``, if the run was audited.
    """
    conditions = metrics["conditions"]
    tables = (
        _robustness(metrics, conditions),
        corruptions_table(conditions),
        curve_table(conditions),
        accuracy_table(conditions),
        _precision(metrics, conditions),
        _thresholds(metrics, conditions),
        _shifts(conditions),
        _modality(conditions),
        _changes(conditions, plan),
        *(table for section in SECTIONS for table in section.tables(metrics)),
    )
    note, dubbed = _left_out(metrics), _dubbed(conditions)
    measured = tuple(
        replace(table, caption=table.caption + (dubbed if _shows(table, DUBBED.name) else "") + note)
        for table in tables
        if table.rows
    )
    checked = () if audit is None else (audit_table(audit), cue_table(audit))
    return (*measured, *(table for table in checked if table.rows))


def _shows(table: Table, condition: str) -> bool:
    return any(row.get("condition") == condition for row in table.rows)


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
            Column("ava", "AP %", "percent"),
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
            Column("ap", "AP (scikit-learn) %", "percent"),
            Column("ava", "tie-safe (worst) %", "percent"),
            Column("ava_best", "best %", "percent"),
            Column("tied_share", "rows in ties %", "share"),
            Column("ava_rescaled", "AP above chance %", "percent"),
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
    shown = [c for c in conditions if c["role"] in ("reference", "diagnostic") and offset_of(c) is None]
    return Table(
        "modality",
        f"Without a modality, or with a wrong one; labels kept, rates at the threshold {HEADLINE}. "
        "A drop says what the model used, not that it is better or worse.",
        (
            Column("condition", "condition"),
            Column("ava", "AP %", "percent"),
            Column("ava_rescaled", "AP above chance %", "percent"),
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
