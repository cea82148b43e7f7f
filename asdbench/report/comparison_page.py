"""``comparison.html``: two runs on the same rows, on one page that opens offline and can be sent around."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import asdbench
from asdbench.report.forest import forest
from asdbench.report.pages import picture, render_page, svg_of, table_html
from asdbench.report.provenance import facts_of
from asdbench.report.table import Column, Table
from asdbench.report.terms import COMPARED, terms_of

if TYPE_CHECKING:
    from asdbench.report.comparison import Comparison

_WORDS = (
    ("better", "figures in which B is better"),
    ("worse", "figures in which B is worse"),
    ("not separable", "figures that the data cannot tell apart"),
)


def comparison_page(found: Comparison) -> str:
    """Return the page of a comparison; equal runs give equal bytes.

    Args:
        found: Two runs on the same rows.
    """
    old, new = found.names
    suite, data = found.old.record["suite"], found.old.record["data"]
    plot = forest(found.found, found.names)
    return render_page(
        "comparison.html",
        f"{new} compared with {old}",
        {
            "old": old,
            "new": new,
            "data": data["name"],
            "suite": f"{suite['name']}@{suite['version']}",
            "conclusion": found.conclusion,
            "warnings": found.warnings,
            "counts": [(found.counts[word], words) for word, words in _WORDS if sum(found.counts.values())],
            "figure": picture(svg_of(plot), "Difference of each figure between the two runs, with its interval"),
            "table": table_html(found.table),
            "terms": [*COMPARED, *_terms(found)],
            "facts": table_html(_facts(found.old.record, found.new.record), name="facts"),
            "version": asdbench.__version__,
        },
    )


def _terms(found: Comparison) -> list[tuple[str, str]]:
    figures = {figure for condition in found.found["conditions"] for figure in _figures(condition)}
    perturbations = {(each["perturbation"] or "").partition("@")[0] for each in found.found["conditions"]}
    return terms_of(figures, set(), perturbations)


def _figures(condition: Mapping[str, Any]) -> Iterator[str]:
    yield from condition["figures"]
    for rates in condition["figures"].get("at", {}).values():
        yield from rates


def _facts(old: Mapping[str, Any], new: Mapping[str, Any]) -> Table:
    """Return what is known of both runs, those facts first in which they differ."""
    runs = [
        {f"{group}: {label}": value for group, facts in facts_of(record) for label, value in facts}
        for record in (old, new)
    ]
    rows = [
        {"fact": name, "old": runs[0].get(name), "new": runs[1].get(name)}
        for name in dict.fromkeys([*runs[0], *runs[1]])
    ]
    for row in rows:
        row["same"] = "the same" if row["old"] == row["new"] else "differs"
    rows.sort(key=lambda row: row["same"] == "the same")
    columns = (Column("fact", "what"), Column("old", "A"), Column("new", "B"), Column("same", "both"))
    return Table("facts", "What differs stands first.", columns, tuple(rows))
