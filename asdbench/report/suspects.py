"""Which videos may be dubbed: tables, figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from asdbench.report.plot import BLUE, GUIDE, ORANGE, WIDE, Plot, framed, shortened
from asdbench.report.table import Column, Table, estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 40
"""The figure shows no more videos than these, the lowest; the table shows all."""

_NOTE = (
    "In brackets: 95 % intervals, blocks of time within the video resampled; with blocks shorter than 60 s they are "
    "too narrow."
)


def tables(metrics: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the tables of the section, none where ``metrics.json`` lacks it."""
    found = metrics.get("suspects")
    if found is None:
        return
    rows = [
        {**video, "z": estimate(video, video["intervals"], "z"), "suspect": "yes" if video["suspect"] else ""}
        for video in found["videos"]
    ]
    yield Table(
        "suspects",
        _caption(found),
        (
            Column("video", "video"),
            Column("rows", "speaking", "count"),
            Column("tpr", "TPR %", "share"),
            Column("tpr_lips", "TPR of lips %", "share"),
            Column("gap", "difference", "share"),
            Column("z", "robust z", "ratio"),
            Column("units", "blocks", "count"),
            Column("block_ms", "block ms", "count"),
            Column("suspect", "suspect"),
        ),
        tuple(rows) or ({"video": "all", "rows": 0, "z": found["scale"]},),
        note=_NOTE if any(video["intervals"] for video in found["videos"]) else "",
    )


def figures(model: str, metrics: Mapping[str, Any]) -> Iterator[Plot]:
    """Yield the figures of the section, none where ``metrics.json`` lacks it."""
    found = metrics.get("suspects")
    if found is None or "undefined" in found["scale"]:
        return
    shown = found["videos"][:_MOST]
    draw = partial(_draw, model=model, section=found, videos=shown)
    yield Plot("suspects", draw, (WIDE, 1.1 + 0.15 * max(len(shown), 6)))


def _caption(found: Mapping[str, Any]) -> str:
    few = (
        f" {found['too_few']:,} more videos have fewer than {found['min_rows']} speaking rows."
        if found["too_few"]
        else ""
    )
    return (
        f"Per video: TPR of the model minus TPR of lips alone on the same speaking rows, each at its own "
        f"{found['threshold']} threshold. A low difference: lips move and the model does not believe the sound, as in "
        f"a dubbed video, but also where the sound is poor or the model is weak. z: distance from the median in robust "
        f"deviations. Suspect: z at most {found['suspect_z']:g}, its whole interval below 0.{few}"
    )


def _draw(figure: Figure, model: str, section: Mapping[str, Any], videos: Sequence[Mapping[str, Any]]) -> None:
    axes = figure.subplots()
    for position, video in enumerate(videos):
        ends = video["intervals"].get("z", {})
        colour, marker = (ORANGE, "D") if video["suspect"] else (BLUE, "o")
        if ends.get("low") is not None:
            axes.plot([ends["low"], ends["high"]], [position, position], color=colour, linewidth=1.2)
        axes.plot([video["z"]], [position], linestyle="", markersize=4, color=colour, marker=marker)
    axes.axvline(0, color=GUIDE, linewidth=0.8)
    axes.axvline(section["suspect_z"], color=GUIDE, linestyle=":")
    names = [f"{shortened(video['video'])} (n = {video['rows']:,})" for video in videos]
    axes.set_yticks(range(len(videos)), names)
    axes.grid(visible=False, axis="y")
    of = len(section["videos"])
    which = f"the {len(videos)} lowest of {of:,} videos" if of > len(videos) else f"all {of:,} videos with enough rows"
    axes.set(xlabel="robust z of TPR(model) − TPR(lips alone)", ylim=(len(videos) - 0.4, -0.6))
    suspects = sum(video["suspect"] for video in section["videos"])
    limit = f"{section['suspect_z']:g}".replace("-", "−")
    note = (
        f"{which[0].upper()}{which[1:]}; bars: 95 % intervals, blocks of time within the video resampled. Diamond: "
        f"suspect (z ≤ {limit}, dotted, its whole interval below 0): {suspects}."
    )
    framed(figure, model, "videos in which lips speak and the model does not believe it", note)
