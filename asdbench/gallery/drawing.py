"""The picture of an error: faces, labels, sound and scores on one axis of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from asdbench.gallery.scene import Line, Scene
from asdbench.report.movie import fitted
from asdbench.types import IGNORE, SAMPLE_RATE, BoolArray, Int16Array, UInt8Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 8.4
"""Of the picture, in inches."""

LEFT, RIGHT = 0.12, 0.985
"""Where the axis of time begins and ends, as shares of the width; the page's cursor relies on it."""

_FACE_PIXELS = 96
_BINS = 700
# Okabe & Ito: told apart with any colour vision; line width and fill do so in gray.
_OWN, _NEW, _SPAN, _GUIDE = "#000000", "#0072B2", "#D55E00", "#666666"
_LABELS = {1: ("speaking", "#4d4d4d", "white"), 0: ("silent", "#e6e6e6", "black"), IGNORE: ("ignored", "white", _GUIDE)}
_STRIP, _BAND, _WAVE, _SCORES, _GAP, _FOOT, _HEAD = 0.6, 0.2, 0.5, 1.5, 0.07, 0.5, 0.04  # heights in inches
_NARROWEST = 0.45  # inches in which the word of a label has room


def height(scene: Scene) -> float:
    """Return the height of the picture in inches."""
    return _HEAD + sum(inches + _GAP for _, inches in _rows(scene)) + _FOOT


def draw(figure: Figure, scene: Scene, threshold: float, named: str) -> None:
    """Draw a scene.

    Args:
        figure: Where to, `WIDTH` x `height`.
        scene: The error.
        threshold: That of the clean rows.
        named: What the threshold is called.
    """
    figure.set_layout_engine("none")
    total = height(scene)
    top = total - _HEAD
    scene_axes: dict[str, Axes] = {}
    for name, inches in _rows(scene):
        top -= inches
        axes = figure.add_axes((LEFT, top / total, RIGHT - LEFT, inches / total))
        axes.set_xlim(0, scene.duration_ms / 1000)
        axes.grid(visible=False)
        scene_axes[name] = axes
        top -= _GAP
    for name, faces in (("face", scene.faces), ("changed\nface", scene.new_faces)):
        if name in scene_axes and faces is not None:
            _strip(scene_axes[name], scene, faces, name)
    for name, line in _bands(scene):
        _band(scene_axes[name], scene, line.labels, name)
    loudest = max(_peak(scene.audio), _peak(scene.new_audio), 1)
    _wave(scene_axes["sound"], scene.audio, "sound", _OWN, loudest)
    if scene.new_audio is not None:
        _wave(scene_axes["changed\nsound"], scene.new_audio, "changed\nsound", _NEW, loudest)
    for name, axes in scene_axes.items():
        if name not in ("face", "labelled"):
            _mark(axes, scene)
    _scores(scene_axes["scores"], scene, threshold, named)


def _rows(scene: Scene) -> list[tuple[str, float]]:
    """Return what stands below one another, with heights in inches."""
    rows = [("face", _STRIP)]
    rows += [("changed\nface", _STRIP)] if scene.new_faces is not None else []
    rows += [(name, _BAND) for name, _ in _bands(scene)]
    rows += [("sound", _WAVE)]
    rows += [("changed\nsound", _WAVE)] if scene.new_audio is not None else []
    return [*rows, ("scores", _SCORES)]


def _bands(scene: Scene) -> Iterator[tuple[str, Line]]:
    yield "labelled", scene.clean
    if scene.changed is not None and not np.array_equal(scene.changed.labels, scene.clean.labels):
        yield "counts as", scene.changed


def _strip(axes: Axes, scene: Scene, faces: Sequence[UInt8Array], name: str) -> None:
    """Draw faces, each in the middle of the time in which it is seen."""
    seconds = scene.duration_ms / 1000
    side = seconds * _STRIP / (WIDTH * (RIGHT - LEFT))  # so that a face is square
    middles = (scene.times_ms + scene.period_ms / 2) / 1000
    # A slot is so much wider than a face that the frame nearest to its middle never reaches into the next one.
    slots = max(int(seconds / (1.02 * side + scene.period_ms / 1000)), 1)
    wanted = (np.arange(slots) + 0.5) * seconds / slots
    nearest = np.unique(np.abs(middles[:, None] - wanted[None]).argmin(axis=0))
    end = -np.inf
    for index in nearest:
        middle = float(middles[index])
        if middle - side / 2 < end:  # around a gap in time, where no face is near the middle of a slot
            continue
        end = middle + side / 2
        axes.imshow(
            fitted(faces[index], _FACE_PIXELS),
            cmap="gray", vmin=0, vmax=255, interpolation="none", aspect="auto", extent=(middle - side / 2, end, 0, 1),
        )  # fmt: skip
    axes.set(xlim=(0, seconds), ylim=(0, 1))
    _plain(axes, name)


def _band(axes: Axes, scene: Scene, labels: NDArray[np.int8], name: str) -> None:
    """Draw what the frames are labelled."""
    width = WIDTH * (RIGHT - LEFT) / (scene.duration_ms / 1000)
    for first, stop in _stretches(labels, scene):
        begin = float(scene.times_ms[first]) / 1000
        end = (float(scene.times_ms[stop - 1]) + scene.period_ms) / 1000
        word, colour, ink = _LABELS[int(labels[first])]
        hatch = "////" if int(labels[first]) == IGNORE else None
        axes.axvspan(begin, end, facecolor=colour, edgecolor="#999999", linewidth=0.4, hatch=hatch)
        if (end - begin) * width > _NARROWEST * len(word) / 6:
            box: Any = {"facecolor": colour, "edgecolor": "none", "pad": 0.5} if hatch else None
            axes.text((begin + end) / 2, 0.46, word, color=ink, ha="center", va="center", fontsize=7.5, bbox=box)
    axes.set_ylim(0, 1)
    _plain(axes, name)


def _stretches(labels: NDArray[np.int8], scene: Scene) -> Iterator[tuple[int, int]]:
    fresh = (np.diff(labels) != 0) | (np.diff(scene.times_ms) > 1.5 * scene.period_ms)
    edges = [0, *(np.flatnonzero(fresh) + 1).tolist(), len(labels)]
    yield from pairwise(edges)


def _wave(axes: Axes, samples: Int16Array, name: str, colour: str, loudest: int) -> None:
    """Draw a waveform as the range of its samples, finely enough that nobody sees the difference."""
    size = max(len(samples) // _BINS, 1)
    whole = len(samples) // size * size
    if whole:
        parts = samples[:whole].reshape(-1, size)
        times = (np.arange(len(parts)) + 0.5) * size / SAMPLE_RATE
        axes.fill_between(times, parts.min(axis=1), parts.max(axis=1), color=colour, linewidth=0.3)
    axes.set_ylim(-1.05 * loudest, 1.05 * loudest)
    _plain(axes, name)


def _scores(axes: Axes, scene: Scene, threshold: float, named: str) -> None:
    middles = (scene.times_ms + scene.period_ms / 2) / 1000
    shown = scene.clean if scene.changed is None else scene.changed
    for where, strength in ((_wrong(scene, threshold), 0.14), (_judged(scene), 0.3)):
        axes.fill_between(
            middles, shown.scores, threshold, where=where & _wrong(scene, threshold),
            color=_SPAN, alpha=strength, linewidth=0, zorder=1,
        )  # fmt: skip
    lines = [("clean", scene.clean, _OWN, 1.1)]
    lines += [("changed", scene.changed, _NEW, 1.9)] if scene.changed is not None else []
    ends = []
    for name, line, colour, width in lines:
        # A gap in time breaks the line.
        breaks = np.flatnonzero(np.diff(scene.times_ms) > 1.5 * scene.period_ms) + 1
        times, scores = (np.insert(each.astype(float), breaks, np.nan) for each in (middles, line.scores))
        axes.plot(times, scores, color=colour, linewidth=width, label=f"score, {name}", zorder=3)
        ends += line.scores[np.isfinite(line.scores)].tolist()
    axes.axhline(threshold, color=_GUIDE, linestyle="--", linewidth=1, label=f"threshold {named}, {threshold:.2f}")
    bottom, top = min([*ends, threshold]), max([*ends, threshold])
    room = max(0.08 * (top - bottom), 0.3)
    axes.set(ylim=(bottom - room, top + room))
    # Along the lower edge, since a moment that is nearest to an error has nothing to fill.
    first, last = scene.times_ms[scene.judged[0]], scene.times_ms[scene.judged[1] - 1] + scene.period_ms
    axes.axvspan(first / 1000, last / 1000, ymax=0.035, facecolor=_SPAN, linewidth=0, zorder=2)
    axes.set_xlabel("seconds in the clip", fontsize=8.5, loc="left")
    axes.set_ylabel("score\n(log-odds)", fontsize=8.5)
    axes.tick_params(labelsize=8)
    axes.grid(visible=True, alpha=0.25)
    # Below the axis, where it hides nothing.
    place: Any = {"loc": "upper right", "bbox_to_anchor": (1.005, -0.15), "borderaxespad": 0.0}
    axes.legend(fontsize=8, ncols=3, frameon=False, **place)


def _wrong(scene: Scene, threshold: float) -> BoolArray:
    """Return the frames on the wrong side of the threshold, those apart that nobody counts."""
    shown = scene.clean if scene.changed is None else scene.changed
    above = shown.scores >= threshold
    wrong: BoolArray = ((shown.labels == 1) & ~above) | ((shown.labels == 0) & above)
    return wrong


def _judged(scene: Scene) -> BoolArray:
    judged = np.zeros(len(scene.times_ms), np.bool_)
    judged[slice(*scene.judged)] = True
    return judged


def _mark(axes: Axes, scene: Scene) -> None:
    for begin, end in scene.spans_ms:
        for edge in (begin, end):
            if 0 < edge < scene.duration_ms - 1:
                axes.axvline(edge / 1000, color=_SPAN, linewidth=1, zorder=2)


def _plain(axes: Axes, name: str) -> None:
    axes.set(yticks=[], xticks=[])
    axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8.5, labelpad=6)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _peak(samples: Int16Array | None) -> int:
    return 0 if samples is None else int(np.abs(samples.astype(np.int32)).max(initial=0))
