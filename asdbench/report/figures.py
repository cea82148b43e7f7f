"""The figures of a run, readable in gray and by colour-blind readers; the same numbers give the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.analysis.conditions import HEADLINE, value_of
from asdbench.atomic import replacing
from asdbench.report.families import base, curve, drops_by_severity, offset_of
from asdbench.report.sections import SECTIONS
from asdbench.report.suite_figures import draw_corruptions, draw_curve
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
        drawn["retention_vs_proportion"] = lambda figure: _draw_retention(figure, model, families)
        drawn["scores"] = lambda figure: _draw_scores(figure, model, metrics, scores)
    for name, draw in drawn.items():
        write_figure(folder / name, draw)
    modality = [c for c in conditions if c["role"] in ("reference", "diagnostic") and offset_of(c) is None]
    if len(modality) > 1:
        height = max(4.2, 1.6 + 0.26 * len(modality))
        write_figure(folder / "modality", lambda figure: _draw_modality(figure, model, modality), size=(7.2, height))
    drops = drops_by_severity(conditions)
    if drops:
        height = max(3.0, 1.4 + 0.28 * len(drops))
        write_figure(folder / "corruptions", lambda figure: draw_corruptions(figure, model, drops), size=(7.2, height))
    points = curve(conditions)
    if points:
        write_figure(folder / "curve", lambda figure: draw_curve(figure, model, points))
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
    for extension in extensions:
        with replacing(stem.with_name(f"{stem.name}.{extension}")) as temporary:
            figure.savefig(temporary, format=extension, dpi=160, metadata=_METADATA[extension])


def _families(conditions: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[float, Any]]]:
    """Return perturbation -> [(realised share of frames, metrics)] for the tests of synchrony."""
    families: dict[str, list[tuple[float, Any]]] = {}
    for condition in conditions:
        share = value_of(condition["metrics"].get("share_changed"))
        # What keeps its labels is no test of synchrony, and a shift of all sound has no proportions.
        graded = condition["role"] == "test" and condition["labels"] == "negative"
        if graded and share is not None and "offset_ms" not in condition["metrics"]:
            families.setdefault(base(condition), []).append((share, condition["metrics"]))
    return {name: sorted(series, key=itemgetter(0)) for name, series in families.items()}


def _points(series: Sequence[tuple[float, Any]], read: Callable[[Any], Any]) -> tuple[list[float], list[float]]:
    found = [(share, value) for share, metrics in series if (value := value_of(read(metrics))) is not None]
    return [share for share, _ in found], [value for _, value in found]


def _draw_ap(
    figure: Figure, model: str, metrics: Mapping[str, Any], families: Mapping[str, Sequence[tuple[float, Any]]]
) -> None:
    clean = metrics["conditions"][0]
    all_rows, unchanged = figure.subplots(1, 2, sharey=True)
    start = (0.0, clean["metrics"] | {"ap_unchanged": clean["metrics"]["ava"]})
    for axes, key in ((all_rows, "ava"), (unchanged, "ap_unchanged")):
        for name, series in families.items():
            x, y = _points([start, *series], itemgetter(key))
            axes.plot(x, y, label=_LABELS.get(name, name), **_style(name))
        axes.set(xlabel="share of speaking frames changed", xlim=(-0.02, 1.02), ylim=(0, 1.02))
    all_rows.plot([0, 1], [1, 0], color=_GUIDE, linestyle=":", label="perfect, but blind to synchrony (1 − p)")
    all_rows.set(ylabel=f"AP ({metrics['protocol']})", title="all rows, changed ones negative")
    unchanged.set(title="unchanged rows only")
    unchanged.text(1, 0.02, "at 1.00 no speaking row is left", color=_GUIDE, ha="right", va="bottom", fontsize=9)
    handles, labels = all_rows.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    figure.suptitle(f"{model}\nAP as more of the speech stops matching the lips")


def _draw_retention(figure: Figure, model: str, families: Mapping[str, Sequence[tuple[float, Any]]]) -> None:
    axes = figure.subplots()
    for name, series in families.items():
        x, y = _points(series, lambda m: m["at"][HEADLINE]["retention"])
        axes.plot(x, y, label=_LABELS.get(name, name), **_style(name))
    axes.axhline(1, color=_GUIDE, linestyle=":")
    axes.text(0, 1.01, "1: never notices", color=_GUIDE, va="bottom")
    axes.axhline(0, color=_GUIDE, linewidth=0.8)
    axes.text(0, 0.01, "0: always notices", color=_GUIDE, va="bottom")
    axes.set(
        xlabel="share of speaking frames changed",
        ylabel="retention",
        xlim=(-0.02, 1.02),
        ylim=(-0.02, 1.12),
        title=f"{model}\nP(says speaking | changed) / P(says speaking | own sound), at {HEADLINE}",
    )
    axes.legend(loc="center left")


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


def _draw_modality(figure: Figure, model: str, conditions: Sequence[Mapping[str, Any]]) -> None:
    above_chance, tpr = figure.subplots(1, 2, sharey=True)
    names = [condition["name"] for condition in conditions]
    positions = np.arange(len(names))
    for axes, measured, title in (
        (
            above_chance,
            [c["metrics"]["ava_rescaled"] for c in conditions],
            "AP above chance\n(AP − base rate) / (1 − base rate)",
        ),
        (
            tpr,
            [c["metrics"]["at"][HEADLINE]["tpr"] for c in conditions],
            f"TPR at {HEADLINE}\n(threshold of the clean run)",
        ),
    ):
        values = [value_of(value) for value in measured]
        colours = [_CLEAN if condition["role"] == "reference" else "#56B4E9" for condition in conditions]
        _bars(axes, positions, values, colours)
        axes.set(title=title)
    above_chance.set_yticks(positions, names)
    above_chance.invert_yaxis()
    figure.suptitle(f"{model}\nwhat is left without a modality, or with a wrong one")


def _bars(axes: Axes, positions: Any, values: Sequence[float | None], colours: Sequence[str]) -> None:
    axes.barh(positions, [value or 0.0 for value in values], color=colours, height=0.6)
    for position, value in zip(positions, values, strict=True):
        text = "undefined" if value is None else f"{round(100 * value, 1) + 0.0:.1f} %"
        axes.text(max(value or 0.0, 0.0) + 0.02, position, text, va="center")
    axes.set_xlim(min(0.0, *(value or 0.0 for value in values)), 1.3)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0])
    axes.grid(visible=False, axis="y")


def _style(name: str) -> dict[str, Any]:
    return _STYLE.get(name, {"color": _CLEAN, "marker": "", "linestyle": "-"})
