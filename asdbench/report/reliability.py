"""How far scores are probabilities: tables, figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from asdbench.report.evidence import footnote
from asdbench.report.plot import BLUE, GUIDE, LIGHT, NARROW, Plot, framed
from asdbench.report.table import Column, Table, estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def tables(metrics: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the tables of the section, none where ``metrics.json`` lacks it."""
    found = metrics.get("reliability")
    if found is None:
        return
    values = found["metrics"]
    yield Table(
        "reliability",
        f"Whether a probability means what it says, clean rows: Brier is the mean squared distance of probability and "
        f"label (0 is best; the base rate as a constant has that of the second column), ECE the mean distance of "
        f"probability and share of speaking rows in {len(found['bins'])} bins. AP does not see this: it only ranks.",
        (
            Column("rows", "rows", "count"),
            Column("base_rate", "base rate %", "share"),
            Column("brier", "Brier", "ratio"),
            Column("brier_base_rate", "Brier of base rate", "ratio"),
            Column("ece", "ECE", "ratio"),
        ),
        (
            {
                **values,
                "rows": found["rows"],
                "base_rate": found["base_rate"],
                "brier": estimate(values, found["intervals"], "brier"),
            },
        ),
    )


def figures(model: str, metrics: Mapping[str, Any]) -> Iterator[Plot]:
    """Yield the figures of the section, none where ``metrics.json`` lacks it."""
    found = metrics.get("reliability")
    if found is not None:
        yield Plot("reliability", partial(_draw, model=model, metrics=metrics, found=found), (NARROW, 3.9))


def _draw(figure: Figure, model: str, metrics: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    diagram, counts = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    filled: Sequence[Mapping[str, Any]] = [each for each in found["bins"] if each["rows"]]
    diagram.plot([0, 1], [0, 1], color=GUIDE, linestyle=":", label="calibrated")
    for each in filled:
        ends = each.get("interval", {})
        if ends.get("low") is not None:
            diagram.plot([each["confidence"]] * 2, [ends["low"], ends["high"]], color=BLUE, linewidth=1)
    diagram.plot(
        [each["confidence"] for each in filled],
        [each["frequency"] for each in filled],
        color=BLUE,
        marker="o",
        markersize=3,
        label="model",
    )
    diagram.set(ylabel="share of speaking rows", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    values = found["metrics"]
    diagram.set_title(f"Brier {values['brier']:.3f}, ECE {values['ece']:.3f}")
    bins = found["bins"]
    counts.stairs(
        [each["rows"] for each in bins],
        [*(each["from"] for each in bins), bins[-1]["to"]],
        fill=True,
        baseline=0.5,
        color=LIGHT,
    )
    counts.set_yscale("log")
    counts.yaxis.set_major_formatter("{x:,.0f}")  # that of log scales writes formulas, which figures do not parse
    counts.set(xlabel="probability that the face speaks", ylabel="rows (log)")
    framed(figure, model, "calibration on clean rows", footnote(metrics), diagram.get_legend_handles_labels())
