"""The robustness table as a paper prints it: the columns that the conclusion rests on, and one line of caption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from asdbench.analysis.conditions import HEADLINE
from asdbench.report.evidence import interval_note
from asdbench.report.table import Table

NAME = "paper"
_COLUMNS = ("condition", "ava", "fa_changed", "retention", "sync_auroc")


def paper_table(robustness: Table, model: str, record: Mapping[str, Any], metrics: Mapping[str, Any]) -> Table:
    """Return few columns of the robustness table, for LaTeX.

    Args:
        robustness: That table.
        model: Name of the model.
        record: Content of ``run.json``.
        metrics: Content of ``metrics.json``.
    """
    suite = record["suite"]
    what = f"{model} on {record['data']['name']}, asdbench suite {suite['name']}@{suite['version']}"
    columns = tuple(column for column in robustness.columns if column.key in _COLUMNS)
    caption = f"{what}. AP by the protocol {metrics['protocol']}; fa_changed and retention at {HEADLINE}."
    return replace(robustness, name=NAME, caption=caption, columns=columns, note=interval_note(metrics))
