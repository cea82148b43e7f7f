"""The tables of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from asdbench.analysis.conditions import HEADLINE, base_rate
from asdbench.perturb.dubbed import DUBBED
from asdbench.report.audit import audit_table, cue_table
from asdbench.report.evidence import figure_of, has_intervals, interval_note, rate_of
from asdbench.report.families import offset_of
from asdbench.report.sections import SECTIONS
from asdbench.report.suite_tables import accuracy_table, corruptions_table
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
        corruptions_table(metrics),
        accuracy_table(conditions),
        _precision(metrics, conditions),
        _thresholds(metrics, conditions),
        _voiced(conditions),
        _shifts(conditions),
        _modality(conditions),
        _changes(conditions, plan),
        *(table for section in SECTIONS for table in section.tables(metrics)),
    )
    missing, dubbed, note = left_out(metrics), _dubbed(conditions), interval_note(metrics)
    measured = tuple(
        replace(
            table,
            caption=table.caption + (dubbed if _shows(table, DUBBED.name) else "") + missing,
            note=table.note
            or (note if table.has_intervals or (table.name == "robustness" and not has_intervals(metrics)) else ""),
        )
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


def left_out(metrics: Mapping[str, Any]) -> str:
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
    """Return the cells of a condition: its figures, and its rates at a threshold."""
    cells = {key: figure_of(condition, key) for key in condition["metrics"] if key not in ("at", "by_shift")}
    return cells | _rates_at(condition, threshold)


def _rates_at(condition: Mapping[str, Any], threshold: str) -> dict[str, Any]:
    return {key: rate_of(condition, key, threshold) for key in condition["metrics"]["at"][threshold]}


def _precision(metrics: Mapping[str, Any], conditions: Sequence[Mapping[str, Any]]) -> Table:
    return Table(
        "precision",
        f"Both definitions of AP. AP of {metrics['protocol']}: precision interpolated; of rows with equal scores the "
        "negatives first, as in all other tables (best: the positives first). scikit-learn: not interpolated, equal "
        "scores share one threshold. Above chance: (AP − base rate) / (1 − base rate). unchanged: rows that the "
        "condition left as they are.",
        (
            Column("condition", "condition"),
            Column("ava", f"AP {metrics['protocol']} %", "percent"),
            Column("ava_best", "best %", "percent"),
            Column("ap", "AP scikit-learn %", "percent"),
            Column("tied_share", "rows in ties %", "share"),
            Column("constant", "scores"),
            Column("ava_rescaled", "above chance %", "percent"),
            Column("ap_unchanged", "unchanged rows %", "percent"),
        ),
        tuple(
            {"condition": c["name"], **_flat(c, HEADLINE)}
            | {"constant": "all equal" if c["metrics"].get("constant") is True else None}
            for c in conditions
        ),
    )


def _thresholds(metrics: Mapping[str, Any], conditions: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        {"condition": c["name"], "threshold": name, "value": value, **_rates_at(c, name)}
        for name, value in metrics["thresholds"].items()
        for c in conditions
    ]
    return Table(
        "thresholds",
        "Rates at all three thresholds, each frozen on the clean run; inner: without 0.2 s at each end of a run. "
        "Precision, F1 and balanced accuracy: of all rows that count, with the labels of the condition.",
        (
            Column("condition", "condition"),
            Column("threshold", "threshold"),
            Column("value", "log-odds", "log-odds"),
            Column("tpr", "TPR %", "share"),
            Column("fpr", "FPR %", "share"),
            Column("precision", "precision %", "share"),
            Column("f1", "F1 %", "share"),
            Column("balanced_accuracy", "balanced accuracy %", "share"),
            *_RATES,
            Column("fa_changed_inner", "inner %", "share"),
        ),
        tuple(rows),
    )


def _voiced(conditions: Sequence[Mapping[str, Any]]) -> Table:
    rows = [{"condition": c["name"], **_rates_at(c, HEADLINE)} for c in conditions]
    return Table(
        "voiced",
        f"Changed speaking rows at the threshold {HEADLINE}: all of them, and those in which a voice is heard before "
        "and after the change, so that pauses give nothing away.",
        (
            Column("condition", "condition"),
            Column("fa_changed", "fa_changed %", "share"),
            Column("fa_changed_voiced", "voiced %", "share"),
            Column("retention", "retention", "ratio"),
            Column("retention_voiced", "voiced", "ratio"),
        ),
        tuple(row for row in rows if "fa_changed_voiced" in row),
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
