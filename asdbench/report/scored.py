"""The numbers of one protocol as a table: a line per part of the rows, never two protocols in one column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asdbench.protocols.catalogue import PROTOCOLS
from asdbench.report.evidence import interval_note
from asdbench.report.table import Column, Table, estimate

_TIES = (Column("tied_share", "rows in ties %", "share"), Column("constant", "constant score"))
_STEP = Column("ap", "AP (ap)", "percent")
_OTHERS: dict[str, tuple[Column, ...]] = {
    "ap": (_STEP, *_TIES),
    "asw": (
        Column("ap", "AP (asw)", "percent"),
        Column("auroc", "AUROC (asw) %", "percent"),
        Column("eer", "EER (asw) %", "percent"),
        Column("eer_nearest_max", "EER nearest-max %", "percent"),
        Column("eer_nearest_mean", "EER nearest-mean %", "percent"),
        Column("eer_nearest_max_of_corners", "EER nearest-max-of-corners %", "percent"),
        *_TIES,
    ),
    "ego4d-map50": (
        Column("map50", "mAP@0.5 (ego4d-map50)", "percent"),
        Column("true_positives", "faces found", "count"),
        *_TIES,
    ),
    "columbia-f1": (
        Column("f1", "F1 (columbia-f1)", "percent"),
        Column("accuracy", "accuracy %", "percent"),
        Column("unmatched", "labels without a face", "count"),
        Column("unscored", "labels without a score", "count"),
    ),
    "tnr": (Column("tnr", "TNR (tnr) %", "percent"), Column("clean_recall", "clean recall %", "percent")),
    "laser": (
        Column("overall", "right of all (laser) %", "percent"),
        Column("talking", "of talking %", "percent"),
        Column("not_talking", "of not talking %", "percent"),
    ),
}
_COUNTS = {
    "ego4d-map50": ("detections", "speaking boxes"),
    "columbia-f1": ("labels", "speaking"),
    "tnr": ("n", "clean speaking rows"),
}
_WITHOUT_BASE_RATE = ("ego4d-map50", "laser", "tnr")


def scored_table(found: Mapping[str, Any], units: Mapping[str, Any] | None = None) -> Table:
    """Return the table of a protocol.

    Args:
        found: From `asdbench.analysis.scored.scored`.
        units: What its intervals rest on, where it does not say so itself.
    """
    name = found["protocol"]
    protocol = PROTOCOLS[name]
    rows, speaking = _COUNTS.get(name, ("n", "speaking"))
    shares = () if name in _WITHOUT_BASE_RATE else (Column("base_rate", "base rate %", "share"),)
    counts = (Column("rows", rows, "count"), Column("positives", speaking, "count"))
    columns = (Column("part", "rows" if rows == "n" else "part"), *counts, *shares, *_columns(name))
    notes = "".join(f" {note}" for note in found["notes"])
    return Table(
        name,
        f"Protocol {name}: {protocol.number}; {protocol.ranks} ({protocol.source}).{_ties(found)}{notes}",
        columns,
        tuple(_row(line, columns) for line in found["lines"]),
        note=interval_note({"units": found.get("units", units)}),
    )


def _columns(name: str) -> tuple[Column, ...]:
    if name in _OTHERS:
        return _OTHERS[name]
    return (Column("ava", f"AP ({name})", "percent"), Column("ava_best", "ties at best", "percent"), _STEP, *_TIES)


def _ties(found: Mapping[str, Any]) -> str:
    tied = any(line["metrics"].get("tied_share") for line in found["lines"])
    if not tied or "ava" not in found["lines"][-1]["metrics"]:
        return ""
    return (
        f" With ties the official scorer gives a number between AP ({found['protocol']}) and the one under ties at "
        "best, depending on the machine."
    )


def _row(line: Mapping[str, Any], columns: tuple[Column, ...]) -> dict[str, Any]:
    metrics, rows = line["metrics"], line["rows"]
    cells = {column.key: estimate(metrics, line["intervals"], column.key) for column in columns}
    cells |= {"part": line["part"], "rows": rows, "positives": line["positives"]}
    cells["base_rate"] = line["positives"] / rows if rows else None
    cells["constant"] = "yes" if metrics.get("constant") else None
    if not metrics.get("tied_share"):
        cells["ava_best"] = None
    return cells
