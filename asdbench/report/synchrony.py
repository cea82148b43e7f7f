"""The synchrony curve with the activity floor: tables, figures, words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.analysis.conditions import HEADLINE
from asdbench.analysis.curve import ALL, FLOOR, MODEL, VOICED
from asdbench.metrics.synchrony_curve import FLOOR_FROM_MS
from asdbench.report.evidence import figure_of, rate_of
from asdbench.report.families import curve
from asdbench.report.plot import BLUE, GUIDE, NARROW, ORANGE, SMALL, WIDE, Plot, framed, shortened
from asdbench.report.table import Column, Estimate, Table, estimate, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEAR_MS = 250
"""A peak further from 0 than this, or one that may as well lie where the floor is measured, is no sign that a model
matches sound and lips."""

SLIGHT = 0.25
"""A peak that may be no higher than this, in standard deviations of clean scores, is none that matters."""

_STYLE: dict[str, dict[str, Any]] = {
    MODEL: {"color": BLUE, "linestyle": "-", "marker": "o"},
    FLOOR: {"color": ORANGE, "linestyle": "--", "marker": "^"},
}
_WIDTHS = ("half_width_early_ms", "half_width_late_ms")
_FLOOR_LABEL = "activity floor (vad-lip: voice × moving lips)"


def tables(metrics: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the tables of the section, none where ``metrics.json`` lacks it."""
    found = metrics.get("curve")
    points = curve(metrics["conditions"])
    if points:
        yield _points_table(metrics, found, points)
    if found is not None:
        yield _peaks_table(metrics, found)


def figures(model: str, metrics: Mapping[str, Any]) -> Iterator[Plot]:
    """Yield the figures of the section, none where ``metrics.json`` lacks it."""
    found = metrics.get("curve")
    if found is not None and any("undefined" not in each for each in found["curves"]):
        width = WIDE if all(_curve(found, MODEL, on) is not None for on in (ALL, VOICED)) else NARROW
        yield Plot("curve", partial(_draw, model=model, metrics=metrics), (width, 3.0 if width == WIDE else 3.4))


def sentence(metrics: Mapping[str, Any]) -> str:
    """Return whether scores depend on sound and lips being in time, in words; empty where the run cannot tell.

    Args:
        metrics: Content of ``metrics.json``.
    """
    model = _curve(metrics.get("curve"), MODEL, ALL)
    if model is None or model["peak_interval"]["is_peak"] is None:
        return ""
    peak = model["peak"]
    where, height = _offset(peak["offset_ms"]), f"{peak['height']:.2f} log-odds above their floor"
    if _peaks_near_0(model):
        return f"With all sound shifted its scores peak {where}, {height}{_against_floor(metrics['curve'])}."
    found = model["peak_interval"]
    said = "With all sound shifted its scores have no peak near 0"
    if found["is_peak"]:
        said += f" (they are highest {where}, {height})"
    if found["high"] <= SLIGHT * model["spread"]:
        return f"{said}: it does not notice when sound and lips are apart."
    if found["is_peak"]:
        return f"{said}."
    ends = format_value(Estimate(found["height"], found["low"], found["high"]), "log-odds")
    return f"{said}, but too few rows to tell whether it notices when sound and lips are apart ({ends} log-odds)."


def _against_floor(found: Mapping[str, Any]) -> str:
    """Say how much of a peak voice and moving lips make on their own, on rows where pauses cannot help."""
    model, floor = _curve(found, MODEL, VOICED), _curve(found, FLOOR, VOICED)
    if model is None or floor is None:
        return ""
    if model["peak_interval"]["is_peak"] is None or floor["peak_interval"]["is_peak"] is None:
        return ""
    if not _peaks_near_0(model):
        return ", but not where there is voice both at a row's own and at the shifted time: the pauses make the peak"
    if _peaks_near_0(floor):
        return ", and so do those of voice activity times lip motion, which knows of no lips that fit a sound"
    return ", also where there is voice at both times, where voice activity times lip motion has none near 0"


def _peaks_near_0(each: Mapping[str, Any]) -> bool:
    ends = each.get("offset_interval", {})
    known = all(ends.get(side) is None or abs(ends[side]) < FLOOR_FROM_MS for side in ("low", "high"))
    return bool(each["peak_interval"]["is_peak"]) and abs(each["peak"]["offset_ms"]) <= NEAR_MS and known


def _offset(offset_ms: float) -> str:
    if round(offset_ms) == 0:
        return "at 0"
    return f"with the sound {abs(offset_ms):.0f} ms {'late' if offset_ms > 0 else 'early'}"


def _curve(found: Mapping[str, Any] | None, of: str, on: str) -> Mapping[str, Any] | None:
    """Return a curve that has a value."""
    for each in (found or {}).get("curves", ()):
        if (each["of"], each["on"]) == (of, on) and "undefined" not in each:
            return each  # type: ignore[no-any-return]
    return None


def _points_table(
    metrics: Mapping[str, Any], found: Mapping[str, Any] | None, points: Sequence[tuple[float, Mapping[str, Any]]]
) -> Table:
    rows: list[tuple[float, dict[str, Any]]] = []
    for offset, condition in points:
        row: dict[str, Any] = {"offset": f"{offset:+g}", "paired": condition["rows"]["paired"]}
        row |= {key: rate_of(condition, key) for key in ("fa_changed", "retention")}
        row["sync_auroc"] = figure_of(condition, "sync_auroc")
        rows.append((offset, row))
    if found is not None:
        rows.append((0.0, {"offset": "0"}))
    rows.sort(key=itemgetter(0))
    return Table(
        "curve",
        f"Speaking rows with all sound of their track shifted; + is late. Mean scores: over the same rows at every "
        f"offset{_same_rows(found)}; voiced: over those of them that have voice both at their own and at the shifted "
        f"time. Still speaking (at the threshold {HEADLINE}), retention and sync AUROC: over all rows whose shifted "
        f"sound is there. A diagnostic: labels are those of the clean data.",
        (
            Column("offset", "offset ms"),
            Column("model", "mean score", "log-odds"),
            Column("floor", "activity floor", "log-odds"),
            Column("model_voiced", "mean score, voiced", "log-odds"),
            Column("floor_voiced", "activity floor, voiced", "log-odds"),
            Column("voiced", "voiced rows", "count"),
            Column("paired", "shifted rows", "count"),
            Column("fa_changed", "still speaking %", "share"),
            Column("retention", "retention", "ratio"),
            Column("sync_auroc", "sync AUROC", "ratio"),
        ),
        tuple(row | _means(found, offset) for offset, row in rows),
    )


def _means(found: Mapping[str, Any] | None, offset: float) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for key, of, on in (
        ("model", MODEL, ALL),
        ("floor", FLOOR, ALL),
        ("model_voiced", MODEL, VOICED),
        ("floor_voiced", FLOOR, VOICED),
    ):
        each = _curve(found, of, on)
        if found is None or each is None or offset not in found["offsets_ms"]:
            continue
        place = found["offsets_ms"].index(offset)
        ends = {"mean": each["mean_intervals"][place]} if "mean_intervals" in each else {}
        cells[key] = estimate({"mean": each["mean"][place]}, ends, "mean")
        if key == "model_voiced":
            cells["voiced"] = each["rows"][place]
    return cells


def _same_rows(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    context = " and 0.5 s beyond" if found["sound_known"] else ""
    text = (
        f" (n = {found['rows']:,} of {found['speaking']:,}, those with real sound up to ±{found['reach_ms']:,} ms"
        f"{context})"
    )
    if found["cut"] is not None:
        text += (
            f", a grid cut to ±{found['reach_ms']:,} ms, since only {found['cut']['rows']:,} rows have real sound up "
            f"to ±{found['cut']['from_ms']:,} ms"
        )
    return text


def _peaks_table(metrics: Mapping[str, Any], found: Mapping[str, Any]) -> Table:
    missing = "".join(f" Absent: {name}, for {reason}." for name, reason in found["missing"].items())
    return Table(
        "peaks",
        f"Peaks of the synchrony curves; rows: the same at every offset{_same_rows(found)}, or those of them that have "
        f"voice both at their own and at the shifted time (fewest at any offset). Place: by a parabola, + is late. "
        f"Floor: mean from 600 ms on, else at the ends of the grid. Half-widths: to where the curve is half-way down. "
        f"No peak where the interval of peak minus floor, which allows for the highest point being chosen, includes 0. "
        f"Activity floor: voice activity times lip motion, which sees onsets and pauses but not which sound belongs to "
        f"which lips.{_fewer_units(metrics, found)}{missing}",
        (
            Column("curve", "curve"),
            Column("rows", "rows", "count"),
            Column("offset_ms", "peak ms", "ms"),
            Column("height", "peak − floor", "log-odds"),
            Column("floor", "floor", "log-odds"),
            Column("half_width_early_ms", "half-width early ms", "ms"),
            Column("half_width_late_ms", "half-width late ms", "ms"),
            Column("verdict", "peak"),
        ),
        tuple(_peak_row(each) for each in found["curves"]),
    )


def _fewer_units(metrics: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return on how many sources the intervals of the curves rest, where others of the run rest on more."""
    units = metrics.get("units", {})
    fewer = found.get("units", units.get("count"))
    return f" These rows come from {fewer:,} {units['kind']}s only." if fewer != units.get("count") else ""


def _peak_row(each: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"curve": f"{each['of']}, {each['on']}"}
    if "undefined" in each:
        return row | {"height": {"undefined": each["undefined"]}}
    peak, found = each["peak"], each["peak_interval"]
    ends = {"offset_ms": each["offset_interval"]} if "offset_interval" in each else {}
    row |= {
        "rows": min(each["rows"]),
        "height": Estimate(found["height"], found["low"], found["high"]),
        "floor": peak["floor"],
        "verdict": {True: "yes", False: "no peak", None: "not known"}[found["is_peak"]],
    }
    if found["is_peak"] is False:
        nowhere = {"undefined": "without a peak there is neither a place nor a width."}
        return row | dict.fromkeys(("offset_ms", *_WIDTHS), nowhere)
    return row | {"offset_ms": estimate(peak, ends, "offset_ms")} | {key: peak[key] for key in _WIDTHS}


def _draw(figure: Figure, model: str, metrics: Mapping[str, Any]) -> None:
    found = metrics["curve"]
    shown = [on for on in (ALL, VOICED) if _curve(found, MODEL, on) is not None]
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, on in zip(panels, shown, strict=True):
        for of in (FLOOR, MODEL):  # the model on top
            each = _curve(found, of, on)
            if each is not None:
                _line(axes, found["offsets_ms"], each, shortened(model, 40) if of == MODEL else _FLOOR_LABEL)
        axes.axhline(0, color=GUIDE, linewidth=0.8)
        for key in ("early_ms", "late_ms"):
            axes.axvline(found["marks"][key], color=GUIDE, linestyle=":", linewidth=1)
        axes.set(xlabel="offset of the sound (ms), + is late", title=_title(_curve(found, MODEL, on), on))
    panels[0].set_ylabel("mean score above its floor\n(SD of clean scores)")
    handles, labels = panels[0].get_legend_handles_labels()
    legend = handles[::-1], labels[::-1]
    framed(figure, model, "scores of speaking rows as all sound is shifted", _footnote(metrics, found), legend)


def _line(axes: Axes, offsets: Sequence[float], each: Mapping[str, Any], label: str) -> None:
    spread, style = each["spread"] or 1.0, _STYLE[each["of"]]
    axes.plot(offsets, np.array(each["above"]) / spread, label=label, markersize=2.5, linewidth=1.2, **style)
    ends = each.get("above_intervals", [])
    if ends and all(end["low"] is not None for end in ends):
        low, high = (np.array([end[side] for end in ends]) / spread for side in ("low", "high"))
        axes.fill_between(offsets, low, high, color=style["color"], alpha=0.18, linewidth=0)
    peak = each["peak"]
    if each["peak_interval"]["is_peak"]:
        place, height = peak["offset_ms"], peak["height"] / spread
        axes.plot([place], [height], marker="o", markersize=7, markerfacecolor="none", color=style["color"])
        under = each["of"] == FLOOR  # so that two labels never meet
        axes.annotate(
            f"{place:+.0f} ms".replace("-", "−"),
            (place, height),
            xytext=(0, -13 if under else 7),
            textcoords="offset points",
            ha="center",
            fontsize=SMALL,
            color=style["color"],
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "alpha": 0.75, "linewidth": 0},
        )


def _title(each: Mapping[str, Any] | None, on: str) -> str:
    rows = each["rows"] if each else [0]
    if on == ALL:
        return f"all rows (n = {min(rows):,} at every offset)"
    return f"voiced at both times (n = {min(rows):,} to {max(rows):,})"


def _footnote(metrics: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    marks = found["marks"]
    said = [
        f"ring: a peak whose interval excludes 0; dotted: −{-marks['early_ms']} and +{marks['late_ms']} ms, from where "
        f"on people detect it ({marks['source'].partition(',')[0]})"
    ]
    units = metrics.get("units", {})
    if units.get("status", "none") != "none":
        said.append(
            f"bands: {100 * units['level']:.0f} % intervals of each point, {found.get('units', units['count']):,} "
            f"{units['kind']}s with such rows resampled; floor: mean from 600 ms on, else at the ends of the grid"
        )
    return "; ".join(said)
