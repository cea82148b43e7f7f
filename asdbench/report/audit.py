"""What an audit found, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asdbench.report.table import Column, Table

_GENERAL = {
    "targets changed",
    "own media spoilt",
    "length",
    "sound changed",
    "sound changed outside",
    "faces changed",
    "crops missing or odd",
    "crops of another size",
}
"""What holds for every perturbation; named in a short table only where it fails."""


def audit_table(found: Mapping[str, Any]) -> Table:
    """Return one row per condition: how many checks, and what its own ones measured.

    Args:
        found: Content of ``audit.json``.
    """
    return Table(
        "audit",
        f"Measured on the media: up to {found['sample']} tracks per condition, {found['tracks']} in all. "
        "Checked everywhere: length, sound outside of what was to change, the other modality, the share changed.",
        (
            Column("condition", "condition"),
            Column("passed", "checks passed"),
            Column("measured", "measured (wanted)"),
        ),
        tuple(_by_condition(found)),
    )


def _by_condition(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in found["checks"]:
        groups.setdefault(row["condition"], []).append(row)
    for condition, rows in groups.items():
        own = [row for row in rows if row["check"] not in _GENERAL or not row["ok"]]
        yield {
            "condition": condition,
            "passed": f"{sum(row['ok'] for row in rows)} of {len(rows)}",
            "measured": "; ".join(map(_sentence, own)),
        }


def _sentence(row: Mapping[str, Any]) -> str:
    verdict = "" if row["ok"] and not row["where"] else f", {_verdict(row)}"
    return f"{row['check']} {_measured(row)} {row['unit']} ({row['wanted']}{verdict})"


def _verdict(row: Mapping[str, Any]) -> str:
    if row["ok"]:
        return f"ok but for {row['where']}" if row["where"] else "ok"
    return f"NOT OK, first at {row['where'] or 'the plan'}"


def _measured(row: Mapping[str, Any]) -> str:
    low, high = (f"{row[key]:.4g}" for key in ("lowest", "highest"))
    return low if low == high else f"{low} to {high}"


def audit_rows(found: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield one line per check, for a terminal."""
    for row in found["checks"]:
        yield {
            "condition": row["condition"],
            "check": row["check"],
            "n": str(row["count"]),
            "measured": _measured(row),
            "wanted": row["wanted"],
            "unit": row["unit"],
            "result": _verdict(row),
        }


def cue_table(found: Mapping[str, Any]) -> Table:
    """Return one row per set of conditions with the same sound.

    Args:
        found: Content of ``audit.json``.
    """
    limit = found["cue_limit"]
    rows = tuple(
        {
            "conditions": ", ".join(cue["conditions"]),
            "auroc": {"undefined": cue["undefined"]} if cue["auroc"] is None else cue["auroc"],
            "low": cue["low"],
            "high": cue["high"],
            "tracks": cue["tracks"],
            "sources": cue["sources"],
            "flag": f"above {limit:.2f}" if cue["flagged"] else "",
            "donors": "heard" if cue.get("donors_heard") else "apart",
        }
        for cue in found["cues"]
    )
    return Table(
        "cues",
        "How well sound alone tells changed tracks from unchanged ones: AUROC of a linear classifier without faces, "
        f"fitted on other sources; 0.5 is not at all. Above {limit:.2f} a model may gain by hearing the change itself, "
        "instead of its disagreement with the lips. lowest, highest: of the folds. Where donors were heard in "
        "learning, for want of tracks, the value is too low if anything.",
        (
            Column("conditions", "conditions"),
            Column("auroc", "AUROC", "ratio"),
            Column("low", "lowest", "ratio"),
            Column("high", "highest", "ratio"),
            Column("tracks", "tracks", "count"),
            Column("sources", "sources", "count"),
            Column("donors", "donors"),
            Column("flag", "flag"),
        ),
        rows,
    )


def cue_line(found: Mapping[str, Any]) -> str:
    """Return in one line what sound alone tells of each set, empty where no sound was changed."""
    parts = []
    reasons = {cue["undefined"] for cue in found["cues"]}
    if len(reasons) == 1 and "" not in reasons:
        return f"what sound alone gives away: undefined ({reasons.pop()})"
    for cue in found["cues"]:
        value = "undefined" if cue["auroc"] is None else f"{cue['auroc']:.2f}"
        parts.append(f"{cue['conditions'][0]} {value}{' (!)' if cue['flagged'] else ''}")
    limit = found["cue_limit"]
    return f"what sound alone gives away (AUROC, ! above {limit:.2f}): {', '.join(parts)}" if parts else ""
