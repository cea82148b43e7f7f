"""What every section of ``metrics.json`` is computed from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from asdbench.metrics import frozen_thresholds, resampling_of, resampling_units
from asdbench.metrics.bootstrap import RESAMPLES, Replicates, Resampling
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.passes import ThresholdPass
from asdbench.metrics.resampled import evaluate, values_of
from asdbench.metrics.units import Units
from asdbench.metrics.weighted import RankedRows
from asdbench.records.facts import RowFacts
from asdbench.records.predictions import Predictions
from asdbench.types import IGNORE, BoolArray, Condition

SEED = "1"
"""Seed of the resamples, unless another is asked for."""

Figure = tuple[str, ...]
"""The place of a figure in ``metrics``: ``("ava",)`` or ``("at", "tpr:0.9", "tpr")``."""


@dataclass(frozen=True)
class RunRows:
    """The rows of a run.

    Attributes:
        conditions: The suite's conditions by name; the first is the clean one.
        read: Loads the predictions of a condition; their rows are those of the clean one, in the same order.
        facts: What is known of each row beside its scores; ``None`` in runs of earlier releases.
        protocol: Name of the scoring rule that belongs to the data set.
        resamples: Number of bootstrap resamples; 0 for no intervals.
        seed: Of the resamples.
        voice_annotated: Whether ``voiced`` of the clean rows comes from the data set's annotation.
        repeats: Name of a condition to the same under further plans; they enter the section ``plan_seeds`` only.
    """

    conditions: Mapping[str, Condition]
    read: Callable[[str], Predictions]
    facts: RowFacts | None = None
    protocol: str = "ava"
    resamples: int = RESAMPLES
    seed: str = SEED
    voice_annotated: bool = False
    repeats: Mapping[str, Sequence[Condition]] = field(default_factory=dict)

    @cached_property
    def clean(self) -> Predictions:
        """The rows under the clean condition."""
        return self.read(next(iter(self.conditions)))

    @cached_property
    def counted(self) -> BoolArray:
        """``[N]``, the rows that count under the clean condition: thresholds are frozen on them."""
        mask: BoolArray = self.clean.label_after != IGNORE
        return mask

    @cached_property
    def thresholds(self) -> dict[str, float]:
        """The thresholds by name, frozen on the clean rows."""
        return frozen_thresholds(self.clean.label[self.counted], self.clean.score[self.counted])

    @cached_property
    def units(self) -> Units:
        """The units of the bootstrap, over all rows of the run: sources, or blocks of 60 s of a single one."""
        clean = self.clean
        return resampling_units(clean.source_id, clean.timestamp_ms, clean.video_id)

    @cached_property
    def resampling(self) -> Resampling:
        """The draws that every figure of the run shares."""
        return resampling_of(self.units, self.seed, self.resamples)

    @cached_property
    def ranked(self) -> RankedRows:
        """The counted clean rows with their units, on which each resample finds its thresholds anew."""
        rows = self.counted
        return RankedRows(self.clean.label[rows], self.clean.score[rows], self.units.of_row[rows], self.units.count)

    @cached_property
    def resampled_thresholds(self) -> dict[str, Float64Array]:
        """``[1 + B + C]`` each: the thresholds that all rows, each resample, and all units but one freeze."""
        thresholds = ThresholdPass(self.ranked)

        def figures(weights: NDArray[np.int64], _: slice) -> dict[str, Float64Array]:
            return {name: thresholds.values(weights, name) for name in self.thresholds}

        return {name: values_of(found) for name, found in evaluate(figures, self.resampling).items()}

    @cached_property
    def replicated(self) -> dict[str, dict[Figure, Replicates]]:
        """What ``intervals.condition_replicates`` found, by condition."""
        return {}

    def others(self) -> Iterator[tuple[Condition, Predictions]]:
        """Yield every condition but the clean one with its rows.

        Raises:
            NotComparableError: Rows are not those of the clean condition.
        """
        for name, condition in list(self.conditions.items())[1:]:
            rows = self.read(name)
            rows.require_same_rows(self.clean, name)
            yield condition, rows
