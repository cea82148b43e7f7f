"""What a run cost: time by stage, memory, parameters. From ``run.json``: it differs from start to start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from asdbench.report.plot import BLUE, NARROW, SKY, SMALL, Plot, framed
from asdbench.report.table import Column, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "cost"
"""Of the table and the figure, whose bytes alone differ between two runs with the same numbers."""

_STAGES = {
    "audit_seconds": "audit",
    "decode_seconds": "read media",
    "perturb_seconds": "perturb",
    "clean_inference_seconds": "inference, clean",
    "perturbed_inference_seconds": "inference, perturbed",
    "activity_seconds": "activity floor",
    "cache_seconds": "cache",
}
_MIB = 2**20
_INFERENCE = ("clean_inference_seconds", "perturbed_inference_seconds")


def tables(record: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the table: one row per thing measured; none of a run that scored nothing itself.

    Args:
        record: Content of ``run.json``.
    """
    seconds = record.get("timings")
    if seconds:
        columns = (Column("what", "what"), Column("value", "value"), Column("unit", "unit"))
        yield Table(NAME, _caption(record), columns, tuple(_rows(record, seconds)))


def figures(model: str, record: Mapping[str, Any]) -> Iterator[Plot]:
    """Yield the figure: seconds by stage.

    Args:
        model: Name of the model.
        record: Content of ``run.json``.
    """
    seconds = _by_stage(record.get("timings") or {})
    if seconds:
        yield Plot(NAME, partial(_draw, model, record, seconds), (NARROW, 1.3 + 0.17 * len(seconds)))


def _by_stage(seconds: Mapping[str, Any]) -> dict[str, float]:
    return {key: float(seconds[key]) for key in _STAGES if seconds.get(key)}


def _rows(record: Mapping[str, Any], seconds: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    def row(what: str, value: str, unit: str = "") -> dict[str, Any]:
        return {"what": what, "value": value, "unit": unit}

    device, memory = record.get("device") or {}, record.get("memory") or {}
    yield row("device", str(device.get("name", "unknown")), f"{device.get('threads', '?')} threads")
    parameters = record["model"].get("parameters")
    if parameters is not None:
        yield row("parameters", f"{parameters / 1e6:,.2f}", "million")
    for key, name in (("peak_rss_bytes", "peak memory"), ("peak_gpu_bytes", "peak memory of the GPU")):
        if memory.get(key) is not None:
            yield row(name, f"{memory[key] / _MIB:,.0f}", "MiB")
    yield row("wall clock", _said(seconds["wall_seconds"]), "s")
    for key, spent in _by_stage(seconds).items():
        yield row(_STAGES[key], _said(spent), "s")
    frames = _frames(record, seconds)
    if frames:
        yield row("frames", f"{frames:,}")
        for name, spent in _rates(record, seconds):
            yield row(name, f"{frames / spent:,.1f}", "frames / s")


def _rates(record: Mapping[str, Any], seconds: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield what frames are divided by."""
    clean, all_of_it = seconds.get(_INFERENCE[0]), sum(seconds.get(key) or 0.0 for key in _INFERENCE)
    conditions = len(record["suite"]["conditions"])
    if clean:
        yield "clean inference", clean
    if all_of_it and conditions > 1:
        yield f"inference of all {conditions} conditions", all_of_it
    if seconds["wall_seconds"]:
        yield "whole run", seconds["wall_seconds"]


def _frames(record: Mapping[str, Any], seconds: Mapping[str, Any]) -> int:
    """Return how many frames the times are of: those that the last start scored itself."""
    return int(record.get("counts", {}).get("frames", 0)) - int(seconds.get("frames_from_earlier_starts", 0))


def _said(seconds: float) -> str:
    return f"{seconds:,.1f}" if seconds >= 1 else f"{seconds:.3f}"


def _caption(record: Mapping[str, Any]) -> str:
    seconds, engine = record["timings"], record.get("engine") or {}
    said = ["Where media are read ahead, stages overlap. Wall clock: audit and scoring, not the numbers that follow."]
    if engine.get("kind") == "ray":
        said.append(f"Stages: sums over {engine['workers']} workers; memory: of the one that took most.")
    earlier = seconds.get("tracks_from_earlier_starts")
    if earlier:
        said.append(f"Of the last start alone; {earlier:,} tracks had been scored before.")
    if record.get("memory"):
        said.append("Memory: the most that the process ever held, with Python, torch and the data set's tables.")
    return " ".join(said)


def _draw(model: str, record: Mapping[str, Any], seconds: Mapping[str, float], figure: Figure) -> None:
    axes = figure.subplots()
    places = list(range(len(seconds)))
    colours = [BLUE if key in _INFERENCE else SKY for key in seconds]
    axes.barh(places, list(seconds.values()), color=colours, height=0.66)
    for place, spent in zip(places, seconds.values(), strict=True):
        axes.annotate(
            f"{_said(spent)} s", (spent, place), xytext=(3, 0), textcoords="offset points", va="center", fontsize=SMALL
        )
    axes.set_yticks(places, [_STAGES[key] for key in seconds])
    axes.set_ylim(len(places) - 0.4, -0.6)
    axes.set(xlabel="seconds", xlim=(0, 1.22 * max(seconds.values())))
    axes.grid(visible=False, axis="y")
    device = record.get("device") or {}
    conditions = len(record["suite"]["conditions"])
    computer = f"{device.get('name', 'unknown device')}, {device.get('threads', '?')} threads"
    note = f"n = {_frames(record, record['timings']):,} frames, {conditions} conditions; {computer}"
    framed(figure, model, "time by stage", note)
