"""What sound and faces contribute: tables, figures, words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from asdbench.analysis.conditions import value_of
from asdbench.report.evidence import ends_of, footnote, number_of
from asdbench.report.plot import BLUE, GUIDE, ORANGE, SMALL, WIDE, Plot, framed
from asdbench.report.table import Column, Table, estimate, format_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNUSED = 0.05
"""A modality that carries a smaller share of the total than this counts as unused."""

UNSURE = 0.25
"""A contribution whose interval holds 0 and reaches beyond this share of the total may be anything; a loss below it is
no use of a modality either."""

_FIGURES = {"ava_rescaled": "AP", "balanced_accuracy_rescaled": "balanced accuracy"}
_VALUES = {
    "both": "as recorded, v(AV)",
    "video": "sound replaced, v(V)",
    "audio": "faces replaced, v(A)",
    "neither": "both replaced, v(∅)",
}
_PARTS = {"phi_audio": "the sound, φ(A)", "phi_video": "the faces, φ(V)", "interaction": "interaction"}
_FILLED_LABEL, _OPEN_LABEL = "a random other sound or face", "silence, a black face"
_VALUE, _PART, _OPEN = BLUE, ORANGE, GUIDE


def tables(metrics: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the tables of the section, none where ``metrics.json`` lacks it."""
    found = metrics.get("reliance", {})
    for variant, name in (("replaced", "reliance"), ("zeroed", "reliance_zeroed")):
        if variant in found:
            yield _table(name, _caption(found, variant), found[variant])


def figures(model: str, metrics: Mapping[str, Any]) -> Iterator[Plot]:
    """Yield the figures of the section, none where ``metrics.json`` lacks it."""
    if "replaced" in metrics.get("reliance", {}):
        yield Plot("reliance", partial(_draw, model=model, metrics=metrics), (WIDE, 2.9))


def sentence(metrics: Mapping[str, Any]) -> str:
    """Return what sound and faces give to AP, in words; empty where the run cannot tell.

    Args:
        metrics: Content of ``metrics.json``.
    """
    found = metrics.get("reliance", {}).get("replaced")
    if found is None:
        return ""
    values, ends = found["figures"]["ava_rescaled"]["values"], found["figures"]["ava_rescaled"]["intervals"]
    total = value_of(values["total"])
    if total is None:
        return ""
    points = {name: _points(estimate(values, ends, name)) for name in ("total", *_MODALITIES)}
    numbers = (
        f"of {points['total']} points of AP above chance, the sound gives {points['phi_audio']} and the faces "
        f"{points['phi_video']}"
    )
    if total <= 0 or value_of(values["share_audio"]) is None:
        return f"What it owes to sound and to faces cannot be told: {numbers}."
    use = {text: _use(values[name], ends[name], total) for name, text in _MODALITIES.items()}
    words = [wording.format(text) for text, kind in use.items() if (wording := _WORDS.get(kind))]
    return f"It {' and '.join(words) or 'uses both the sound and the faces'}: {numbers}."


_MODALITIES = {"phi_audio": "sound", "phi_video": "faces"}
_WORDS = {
    "unused": "does not use the {}",
    "loss": "does not use the {}, and even loses by it",
    "harm": "is harmed by the {}",
    "unsure": "may or may not use the {}",
}


def _use(value: float, ends: Mapping[str, Any], total: float) -> str:
    """Judge a contribution by its size and its interval, both against the total."""
    low, high = ends["low"], ends["high"]
    if low is None or high is None or (low <= 0 <= high and max(-low, high) > UNSURE * total):
        return "unsure"
    if low <= 0 <= high or abs(value) < UNUSED * total:
        return "unused"
    if value > 0:
        return "used"
    return "loss" if -value < UNSURE * total else "harm"


def _points(cell: Any) -> str:
    return format_value(cell, "share")


def _caption(found: Mapping[str, Any], variant: str) -> str:
    how = {
        "replaced": "Without sound or faces: those of a random other recording or track in their place (mean over "
        "draws of the sound). v(∅), both replaced, is measured; by theory it is 0.",
        "zeroed": "Without sound or faces: silence or black in their place. Zeros are evidence too (silence says that "
        "nobody speaks), so this is not what a modality is worth, and v(∅) need not be 0.",
    }[variant]
    notes = [
        "AP above chance, (AP − base rate) / (1 − base rate), and balanced accuracy above chance, 2 BA − 1, at "
        f"{found['threshold']}, in points. φ shares v(AV) − v(∅) out between sound and faces (Shapley); interaction: "
        "what the two give only together.",
        how,
    ]
    unchanged = found[variant]["unchanged"]
    if unchanged:
        notes.append(f"{unchanged:,} rows found nothing to take their place and count as recorded.")
    lost = found.get("synchrony")
    if variant == "replaced" and lost is not None and value_of(lost["value"]) is not None:
        cell = estimate({"value": lost["value"]}, {"value": lost["interval"]} if "interval" in lost else {}, "value")
        notes.append(f"Synchrony reliance, 1 − retention at {lost['condition']}: {_points(cell)} %.")
    return " ".join(notes)


def _table(name: str, caption: str, variant: Mapping[str, Any]) -> Table:
    rows = []
    for key, figure in _FIGURES.items():
        found = variant["figures"][key]
        rows.append({"figure": figure} | {each: _cell(found, each) for each in found["values"]})
    return Table(
        name,
        caption,
        (
            Column("figure", "above chance"),
            Column("both", "v(AV)", "share"),
            Column("video", "v(V)", "share"),
            Column("audio", "v(A)", "share"),
            Column("neither", "v(∅)", "share"),
            Column("phi_audio", "φ sound", "share"),
            Column("phi_video", "φ faces", "share"),
            Column("interaction", "interaction", "share"),
            Column("share_audio", "share of sound %", "share"),
            Column("share_video", "share of faces %", "share"),
        ),
        tuple(rows),
    )


def _cell(figure: Mapping[str, Any], name: str) -> Any:
    return estimate(figure["values"], figure["intervals"], name)


def _draw(figure: Figure, model: str, metrics: Mapping[str, Any]) -> None:
    found = metrics["reliance"]
    panels = figure.subplots(1, 2, sharey=True)
    names = [*_VALUES, *_PARTS]
    places = [place + 0.5 * (place >= len(_VALUES)) for place in range(len(names))]
    for axes, (key, title) in zip(panels, _FIGURES.items(), strict=True):
        _dots(axes, found["replaced"]["figures"][key], names, places, filled=True)
        if "zeroed" in found:
            _dots(axes, found["zeroed"]["figures"][key], names, [place + 0.28 for place in places], filled=False)
        axes.axvline(0, color=GUIDE, linewidth=0.8)
        axes.axhline(len(_VALUES) - 0.1, color=GUIDE, linewidth=0.6)
        axes.set(title=title, xlabel="above chance (points)")
        axes.grid(visible=False, axis="y")
    panels[0].set_yticks(places, [{**_VALUES, **_PARTS}[name] for name in names])
    panels[0].set_ylim(places[-1] + 0.7, -0.5)
    framed(figure, model, "what sound and faces contribute", footnote(metrics), panels[0].get_legend_handles_labels())


def _dots(axes: Axes, found: Mapping[str, Any], names: Sequence[str], places: Sequence[float], *, filled: bool) -> None:
    cells = [(place, name, _cell(found, name)) for place, name in zip(places, names, strict=True)]
    labelled = False
    for place, name, cell in cells:
        number = number_of(cell)
        if number is None:
            axes.text(0, place, " undefined", va="center", fontsize=SMALL, color=GUIDE)
            continue
        colour = (_VALUE if name in _VALUES else _PART) if filled else _OPEN
        ends = ends_of(cell)
        if ends is not None:
            axes.plot([100 * end for end in ends], [place, place], color=colour, linewidth=1.2 if filled else 0.8)
        label = None if labelled else _FILLED_LABEL if filled else _OPEN_LABEL
        axes.plot([100 * number], [place], linestyle="", marker="o" if filled else "s", markersize=5 if filled else 3.5,
                  color=colour, markerfacecolor=colour if filled else "white", label=label)  # fmt: skip
        labelled = True
