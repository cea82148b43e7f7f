"""The figures of a run, readable in gray and by colour-blind readers; the same numbers give the same bytes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.analysis.conditions import HEADLINE, value_of
from asdbench.atomic import replacing
from asdbench.report.evidence import ends_of, figure_of, footnote, number_of, rate_of
from asdbench.report.families import base, drops_by_severity, offset_of
from asdbench.report.plot import add_footnote, legend_below, whisker
from asdbench.report.sections import SECTIONS
from asdbench.report.suite_figures import draw_corruptions
from asdbench.types import Float32Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito, Color Universal Design: told apart with any colour vision; markers and dashes do so in gray.
_STYLE: dict[str, dict[str, Any]] = {
    "mismatch": {"color": "#D55E00", "marker": "o", "linestyle": "-"},
    "misalign": {"color": "#0072B2", "marker": "s", "linestyle": "--"},
    "resplice": {"color": "#009E73", "marker": "^", "linestyle": "-."},
    "dubbed": {"color": "#CC79A7", "marker": "D", "linestyle": ":"},
    "synctalknet_shift": {"color": "#56B4E9", "marker": "v", "linestyle": "--"},
    "synctalknet_flip": {"color": "#E69F00", "marker": "<", "linestyle": "-."},
    "synctalknet_repeat": {"color": "#009E73", "marker": ">", "linestyle": ":"},
    "synctalknet_silence": {"color": "#666666", "marker": "P", "linestyle": "-"},
    "synctalknet_swap": {"color": "#CC79A7", "marker": "X", "linestyle": "-"},
}
_CLEAN, _NEGATIVE, _GUIDE = "#000000", "#999999", "#666666"
_LABELS = {
    "mismatch": "another person's voice (mismatch)",
    "misalign": "own voice shifted (misalign)",
    "resplice": "own voice cut and put back (resplice)",
    "dubbed": "lips dubbed with another voice (dubbed)",
}
_RC: Any = {
    "font.size": 10,
    "axes.titlesize": 11,
    "figure.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "svg.hashsalt": "asdbench",
    "svg.fonttype": "none",
    "text.parse_math": False,  # names come from files
}

Scores = Mapping[str, Float32Array]
"""Group of rows to its scores: ``clean``, ``negative`` and each perturbation at its largest proportion."""


def write_figures(folder: Path, model: str, metrics: Mapping[str, Any], scores: Scores) -> None:
    """Write every figure that the run has data for, as PNG and SVG.

    Args:
        folder: Where to.
        model: Name of the model, for titles.
        metrics: Content of ``metrics.json``.
        scores: Scores of speaking and of dubbed rows, for the distributions.
    """
    conditions = metrics["conditions"]
    families = _families(conditions)
    drawn: dict[str, Callable[[Figure], None]] = {}
    if families:
        drawn["ap_vs_proportion"] = lambda figure: _draw_ap(figure, model, metrics, families)
        drawn["retention_vs_proportion"] = lambda figure: _draw_retention(figure, model, metrics, families)
        drawn["scores"] = lambda figure: _draw_scores(figure, model, metrics, scores)
    for name, draw in drawn.items():
        write_figure(folder / name, draw)
    modality = [c for c in conditions if c["role"] in ("reference", "diagnostic") and offset_of(c) is None]
    if len(modality) > 1:
        height = max(4.2, 1.6 + 0.26 * len(modality))
        write_figure(
            folder / "modality", lambda figure: _draw_modality(figure, model, metrics, modality), size=(7.2, height)
        )
    drops = drops_by_severity(conditions)
    if drops:
        height = max(3.0, 1.6 + 0.26 * len(drops))
        write_figure(
            folder / "corruptions", partial(draw_corruptions, model=model, metrics=metrics), size=(7.2, height)
        )
    for section in SECTIONS:
        for plot in section.figures(model, metrics):
            write_figure(folder / plot.name, plot.draw, size=plot.size)


_SIZE = (7.2, 4.2)
_METADATA: dict[str, dict[str, Any]] = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}


def write_figure(
    stem: Path,
    draw: Callable[[Figure], None],
    extensions: Sequence[str] = ("png", "svg"),
    size: tuple[float, float] = _SIZE,
) -> None:
    """Write one figure as PNG and SVG.

    Args:
        stem: Path without extension.
        draw: Fills the figure.
        extensions: Which of the two.
        size: Width and height in inches.
    """
    import matplotlib as mpl

    with mpl.rc_context(_RC):
        _write(stem, draw, extensions, size)


def _write(
    stem: Path,
    draw: Callable[[Figure], None],
    extensions: Sequence[str] = ("png", "svg"),
    size: tuple[float, float] = _SIZE,
) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    draw(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # no font has every sign of every name
        for extension in extensions:
            with replacing(stem.with_name(f"{stem.name}.{extension}")) as temporary:
                figure.savefig(temporary, format=extension, dpi=160, metadata=_METADATA[extension])


_Series = list[tuple[float, Mapping[str, Any]]]


def _families(conditions: Sequence[Mapping[str, Any]]) -> dict[str, _Series]:
    """Return perturbation -> [(realised share of frames, condition)] for the tests of synchrony."""
    families: dict[str, _Series] = {}
    for condition in conditions:
        share = value_of(condition["metrics"].get("share_changed"))
        # What keeps its labels is no test of synchrony, and a shift of all sound has no proportions.
        graded = condition["role"] == "test" and condition["labels"] == "negative"
        if graded and share is not None and "offset_ms" not in condition["metrics"]:
            families.setdefault(base(condition), []).append((share, condition))
    return {name: sorted(series, key=itemgetter(0)) for name, series in families.items()}


def _draw_lines(axes: Axes, families: Mapping[str, _Series], read: Callable[[Mapping[str, Any]], Any]) -> float:
    """Draw a figure of each family against the share of frames, and return the highest end of an interval."""
    top = 0.0
    for index, (name, series) in enumerate(families.items()):
        # Beside one another, so that intervals at the same share do not hide each other.
        aside = 0.008 * (index - (len(families) - 1) / 2)
        cells = [(share + aside * bool(share), read(condition)) for share, condition in series]
        known = [(share, value) for share, cell in cells if (value := number_of(cell)) is not None]
        axes.plot(*zip(*known, strict=True) if known else ([], []), label=_LABELS.get(name, name), **_style(name))
        for share, cell in cells:
            ends = ends_of(cell)
            if ends is not None and share:  # all start from the clean run
                whisker(axes, share, ends, _style(name)["color"])
                top = max(top, ends[1])
    return top


def _draw_ap(figure: Figure, model: str, metrics: Mapping[str, Any], families: Mapping[str, _Series]) -> None:
    clean = metrics["conditions"][0]
    all_rows, unchanged = figure.subplots(1, 2, sharey=True)
    started = {name: [(0.0, clean), *series] for name, series in families.items()}
    _draw_lines(all_rows, started, lambda condition: figure_of(condition, "ava"))
    _draw_lines(unchanged, started, lambda c: figure_of(c, "ava" if c is clean else "ap_unchanged"))
    for axes in (all_rows, unchanged):
        axes.set(xlabel="share of speaking frames changed", xlim=(-0.02, 1.04), ylim=(0, 1.02))
    all_rows.plot([0, 1], [1, 0], color=_GUIDE, linestyle=":", label="perfect, but blind to synchrony (1 − p)")
    all_rows.set(ylabel=f"AP ({metrics['protocol']})", title="all rows, changed ones negative")
    unchanged.set(title="unchanged rows only")
    unchanged.text(1, 0.02, "at 1.00 no speaking row is left", color=_GUIDE, ha="right", va="bottom", fontsize=9)
    handles, labels = all_rows.get_legend_handles_labels()
    legend_below(figure, handles, labels, footnote(metrics))
    figure.suptitle(f"{model}\nAP as more of the speech stops matching the lips")


def _draw_retention(figure: Figure, model: str, metrics: Mapping[str, Any], families: Mapping[str, _Series]) -> None:
    axes = figure.subplots()
    top = _draw_lines(axes, families, lambda condition: rate_of(condition, "retention"))
    axes.axhline(1, color=_GUIDE, linestyle=":")
    axes.text(0, 1.01, "1: never notices", color=_GUIDE, va="bottom")
    axes.axhline(0, color=_GUIDE, linewidth=0.8)
    axes.text(0, 0.01, "0: always notices", color=_GUIDE, va="bottom")
    axes.set(
        xlabel="share of speaking frames changed",
        ylabel="retention",
        xlim=(-0.02, 1.04),
        ylim=(-0.02, max(1.12, top + 0.02)),
        title=f"{model}\nP(says speaking | changed) / P(says speaking | own sound), at {HEADLINE}",
    )
    legend_below(figure, *axes.get_legend_handles_labels(), footnote(metrics))


def _draw_scores(figure: Figure, model: str, metrics: Mapping[str, Any], scores: Scores) -> None:
    axes = figure.subplots()
    values = np.concatenate(list(scores.values()))
    low, high = np.quantile(values, [0.002, 0.998])
    margin = max(0.05 * (high - low), 0.5)
    edges = np.linspace(low - margin, high + margin, 61)
    for name, group in scores.items():
        share = np.histogram(np.clip(group, edges[0], edges[-1]), bins=edges)[0] / max(len(group), 1)
        text = f"{_score_label(name)}, n = {len(group):,}"
        if name == "negative":
            axes.stairs(share, edges, fill=True, color=_NEGATIVE, alpha=0.45, label=text)
        else:
            style = _style(name)
            axes.stairs(share, edges, color=style["color"], linestyle=style["linestyle"], linewidth=1.6, label=text)
    axes.axvline(metrics["thresholds"][HEADLINE], color=_GUIDE, linestyle=":", label=f"threshold {HEADLINE}")
    axes.set(
        xlabel="score (log-odds)",
        ylabel="share of rows",
        title=f"{model}\nscores of speaking frames, clean and changed",
    )
    figure.legend(loc="outside lower center", ncols=2, fontsize=9)


def _score_label(name: str) -> str:
    return {"clean": "clean", "negative": "not speaking, clean"}.get(name, _LABELS.get(name, name))


def _draw_modality(
    figure: Figure, model: str, metrics: Mapping[str, Any], conditions: Sequence[Mapping[str, Any]]
) -> None:
    above_chance, tpr = figure.subplots(1, 2, sharey=True)
    names = [condition["name"] for condition in conditions]
    colours = [_GUIDE if condition["role"] == "reference" else "#56B4E9" for condition in conditions]
    for axes, cells, title in (
        (
            above_chance,
            [figure_of(condition, "ava_rescaled") for condition in conditions],
            "AP above chance\n(AP − base rate) / (1 − base rate)",
        ),
        (
            tpr,
            [rate_of(condition, "tpr") for condition in conditions],
            f"TPR at {HEADLINE}\n(threshold of the clean run)",
        ),
    ):
        _bars(axes, cells, colours)
        axes.set(title=title)
    above_chance.set_yticks(np.arange(len(names)), names)
    above_chance.invert_yaxis()
    figure.suptitle(f"{model}\nwhat is left without a modality, or with a wrong one")
    add_footnote(figure, footnote(metrics))


def _bars(axes: Axes, cells: Sequence[Any], colours: Sequence[str]) -> None:
    values = [number_of(cell) for cell in cells]
    axes.barh(np.arange(len(values)), [value or 0.0 for value in values], color=colours, height=0.6)
    least = 0.0
    for position, (cell, value) in enumerate(zip(cells, values, strict=True)):
        ends = ends_of(cell) or (value or 0.0, value or 0.0)
        if ends_of(cell) is not None:
            whisker(axes, position, ends, _CLEAN, across=True)
        text = "undefined" if value is None else f"{round(100 * value, 1) + 0.0:.1f} %"
        axes.text(max(value or 0.0, ends[1], 0.0) + 0.03, position, text, va="center")
        least = min(least, value or 0.0, ends[0])
    axes.set_xlim(least - 0.02 if least else 0.0, 1.35)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0])
    axes.grid(visible=False, axis="y")


def _style(name: str) -> dict[str, Any]:
    return _STYLE.get(name, {"color": _CLEAN, "marker": "", "linestyle": "-"})
