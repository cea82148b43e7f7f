"""Figures of a run that claims speak of, by name: ``clean.ap``, ``misalign@1.00.retention>=400ms``, ``phi_gap``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.analysis.conditions import HEADLINE
from asdbench.metrics import retention
from asdbench.metrics.measured import Measured, measure

if TYPE_CHECKING:
    from asdbench.records.predictions import Predictions
    from asdbench.report.run import Run

_LONG = re.compile(r"retention>=(\d{2,4})ms")
_OF_CONDITION = ("ap", "retention", "tpr", "fa_changed", "sync_auroc")
_OF_RUN = ("phi_gap", "phi_audio", "phi_video")


@dataclass(frozen=True)
class Quantity:
    """A figure.

    Attributes:
        figure: ``ap``, ``retention``, ``tpr``, ``fa_changed`` or ``sync_auroc`` of a condition, rates at `HEADLINE`;
            ``phi_audio``, ``phi_video`` or ``phi_gap``, the distance of these two, of the run (docs/method.md, 7).
        condition: Name of a condition, or an alias that a grid chooses; empty for a figure of the run.
        shift_ms: With ``retention``, the least shift of the rows that count; 0 for all.
    """

    figure: str
    condition: str = ""
    shift_ms: int = 0

    @property
    def text(self) -> str:
        """As a grid writes it."""
        least = f">={self.shift_ms}ms" if self.shift_ms else ""
        return f"{self.condition}.{self.figure}{least}" if self.condition else self.figure


def read_quantity(text: str) -> Quantity:
    """Take the name of a figure apart.

    Args:
        text: ``CONDITION.FIGURE``, ``CONDITION.retention>=MSms``, or a figure of the run.

    Raises:
        ValueError: No such figure.
    """
    if text in _OF_RUN:
        return Quantity(text)
    condition, _, figure = text.rpartition(".")
    long = _LONG.fullmatch(figure)
    if not condition or not (long or figure in _OF_CONDITION):
        known = ", ".join((*(f"CONDITION.{each}" for each in (*_OF_CONDITION, "retention>=400ms")), *_OF_RUN))
        raise ValueError(f"{text!r} is no figure (known: {known})")
    return Quantity("retention", condition, int(long[1])) if long else Quantity(figure, condition)


def value_in(run: Run, quantity: Quantity) -> Measured:
    """Return a figure of a finished run, or why it has none."""
    if not quantity.condition:
        return reliance_figure(run.metrics, quantity.figure)
    if quantity.condition not in run.conditions:
        return {"undefined": f"the run has no condition {quantity.condition}."}
    if quantity.shift_ms:
        clean, rows = run.read(next(iter(run.conditions))), run.read(quantity.condition)
        return retention_of_long_shifts(clean, rows, run.metrics["thresholds"][HEADLINE], quantity.shift_ms)
    return condition_figure(run.metrics, quantity.condition, quantity.figure)


def condition_figure(metrics: Mapping[str, Any], condition: str, figure: str) -> Measured:
    """Return a figure of a condition of ``metrics.json``; ``ap`` is that of the data set's protocol (``ava``)."""
    found = next(each["metrics"] for each in metrics["conditions"] if each["name"] == condition)
    places = {"ap": (found, "ava"), "sync_auroc": (found, "sync_auroc")}
    where, key = places.get(figure, (found["at"][HEADLINE], figure))
    return _measured(where[key]) if key in where else {"undefined": f"{condition} has no {figure}."}


def reliance_figure(metrics: Mapping[str, Any], figure: str) -> Measured:
    """Return a Shapley value of AP, by random replacement, or the distance between sound's and faces'."""
    found = metrics.get("reliance", {}).get("replaced")
    if found is None:
        return {"undefined": "the suite does not replace sound and faces."}
    values = found["figures"]["ava_rescaled"]["values"]
    if figure != "phi_gap":
        return _measured(values[figure])
    audio, video = _measured(values["phi_audio"]), _measured(values["phi_video"])
    if isinstance(audio, dict) or isinstance(video, dict):
        return audio if isinstance(audio, dict) else video
    return abs(audio - video)


def retention_of_long_shifts(clean: Predictions, rows: Predictions, threshold: float, least_ms: int) -> Measured:
    """Return the retention of rows whose sound is at least so late or early; ``docs/method.md``, section 6."""
    mask = rows.paired & (np.abs(rows.shift_ms) >= least_ms)
    return measure(partial(retention, clean.score[mask], rows.score[mask], threshold))


def _measured(value: Any) -> Measured:
    found: Measured = value
    return found if isinstance(found, dict) else float(found)
