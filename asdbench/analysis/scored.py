"""The numbers of protocols with their intervals, a line per part of the rows: for ``asdbench score`` and reports.

A line is ``{"part", "rows", "positives", "metrics", "intervals"}``: ``metrics`` holds numbers, or ``{"undefined":
reason}``, and ``intervals`` what ``interval_record`` gives for those that have one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.analysis.intervals import interval_record, units_record
from asdbench.analysis.parts import of_own_units
from asdbench.errors import UndefinedMetricError
from asdbench.metrics import combine, per_unit, replicate, resampling_of
from asdbench.metrics.bootstrap import Replicates, Resampling, Statistic
from asdbench.metrics.counted import CountedRows
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.means import mean_of
from asdbench.metrics.measured import Measured, measure
from asdbench.metrics.passes import PairPass, PrecisionPass
from asdbench.metrics.resampled import Figures, evaluate
from asdbench.metrics.units import Units
from asdbench.metrics.weighted import RankedRows
from asdbench.protocols.asw import score_asw
from asdbench.protocols.columbia_f1 import AVERAGED, PersonCalls
from asdbench.protocols.ego4d_map50 import RankedDetections
from asdbench.protocols.frame_ap import frame_ap_or_reason
from asdbench.protocols.tnr import laser_accuracy, score_tnr
from asdbench.types import BoolArray

ALL = "all rows"
"""The part that is the whole."""

NO_NEGATIVES = "no negative rows remain, so every ranking is perfect."

Line = dict[str, Any]
"""See the head of this file."""


@dataclass(frozen=True, eq=False)
class Sample:
    """What is resampled, and how often.

    Attributes:
        units: The units of all rows.
        resamples: Number of resamples; 0 for no intervals.
        seed: Of the resamples.
    """

    units: Units
    resamples: int
    seed: str = "1"

    @cached_property
    def resampling(self) -> Resampling:
        """The draws."""
        return resampling_of(self.units, self.seed, self.resamples)

    def intervals(self, found: Mapping[str, Replicates], unit: NDArray[np.int32]) -> dict[str, Any]:
        """Return the intervals of figures that rest on rows of these units, none without resamples."""
        if not self.resamples:
            return {}
        rows = np.bincount(unit, minlength=self.units.count)
        return {name: interval_record(of_own_units(each, rows)) for name, each in found.items()}

    def evaluate(self, figures: Figures[str], unit: NDArray[np.int32]) -> dict[str, Any]:
        """Evaluate figures on all resamples and return their intervals."""
        return self.intervals(evaluate(figures, self.resampling), unit) if self.resamples else {}

    def replicate(self, statistics: Mapping[str, Statistic], unit: NDArray[np.int32]) -> dict[str, Any]:
        """Evaluate statistics that have a value on all resamples and return their intervals."""
        if not self.resamples:
            return {}
        return self.intervals({name: replicate(each, self.resampling) for name, each in statistics.items()}, unit)


def precision_line(part: str, labels: ArrayLike, scores: ArrayLike, unit: NDArray[np.int32], sample: Sample) -> Line:
    """Return AP by both rules, what ties could do to it, and whether the score is constant.

    Args:
        part: What the rows are.
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite.
        unit: ``[N]``, their units.
        sample: What is resampled.

    Raises:
        DataError: As ``frame_ap``.
    """
    positive = np.asarray(labels) == 1
    found = frame_ap_or_reason(labels, scores, part)
    if isinstance(found, dict) or positive.all():
        reason = found if isinstance(found, dict) else {"undefined": NO_NEGATIVES}
        return _line(part, positive, {"ava": reason, "ap": reason}, {})
    metrics = {name: getattr(found, name) for name in ("ava", "ava_best", "ap", "tied_share", "constant")}
    ranking = PrecisionPass(RankedRows(positive, scores, unit, sample.units.count)) if sample.resamples else None

    def figures(weights: NDArray[np.int64], _: slice) -> dict[str, Float64Array]:
        values = {} if ranking is None else ranking.values(weights)
        return {name: np.where(values["base_rate"] < 1, values[name], np.nan) for name in ("ava", "ap")}

    return _line(part, positive, metrics, sample.evaluate(figures, unit))


def sample_line(labels: ArrayLike, scores: ArrayLike, unit: NDArray[np.int32], sample: Sample) -> Line:
    """Return the figures of ASW for samples that are to be scored; arguments as for ``precision_line``.

    Raises:
        DataError: As ``score_asw``.
        UndefinedMetricError: No samples.
    """
    positive = np.asarray(labels) == 1
    found = score_asw(labels, scores, np.ones(len(positive)))
    eer = {"eer" if rule == "root" else f"eer_{rule.replace('-', '_')}": value for rule, value in found.eer.items()}
    ap: Measured = {"undefined": NO_NEGATIVES} if positive.all() else found.ap
    metrics = {"ap": ap, "auroc": found.auroc, **eer, "tied_share": found.tied_share, "constant": found.constant}
    intervals: dict[str, Any] = {}
    if isinstance(found.auroc, float) and sample.resamples:
        ranked = RankedRows(positive, scores, unit, sample.units.count)
        values = np.asarray(scores, dtype=np.float64)
        upper, lower = (CountedRows(values[mask], unit[mask], sample.units.count) for mask in (positive, ~positive))
        precision, pairs = PrecisionPass(ranked), PairPass(upper, lower)

        def figures(weights: NDArray[np.int64], _: slice) -> dict[str, Float64Array]:
            rates = [_value_of(ranked.equal_error_rate, each) for each in weights]
            return {"ap": precision.values(weights)["ap"], "auroc": pairs.values(weights), "eer": np.array(rates)}

        intervals = sample.evaluate(figures, unit)
    return _line(ALL, positive, metrics, intervals)


def detection_line(ranked: RankedDetections, unit_of_clip: NDArray[np.int64], sample: Sample) -> Line:
    """Return mAP@0.5 of Ego4D.

    Args:
        ranked: Detections, matched.
        unit_of_clip: Number of a clip to its unit.
        sample: What is resampled.
    """
    statistic = ranked.statistic(unit_of_clip, sample.units.count)
    value = measure(lambda: statistic(np.ones(sample.units.count, dtype=np.int64)))
    metrics = {
        "map50": value,
        "true_positives": int(np.count_nonzero(ranked.hit)),
        "tied_share": ranked.tied_share,
        "constant": ranked.constant,
    }
    unit = unit_of_clip[np.concatenate([ranked.clip, ranked.speaking_clip])].astype(np.int32)
    defined = {"map50": statistic} if isinstance(value, float) else {}
    return {
        "part": "all detections",
        "rows": len(ranked.hit),
        "positives": len(ranked.speaking_clip),
        "metrics": metrics,
        "intervals": sample.replicate(defined, unit),
    }


def person_lines(calls: Mapping[str, PersonCalls], unit: Mapping[str, NDArray[np.int32]], sample: Sample) -> list[Line]:
    """Return F1 and accuracy of every person of Columbia, and the mean F1 where all five are there.

    Args:
        calls: Person to calls.
        unit: Person to the units of the labels.
        sample: What is resampled.
    """
    lines, found = [], {}
    for name, each in calls.items():
        score = each.score()
        f1 = _f1_of(each, unit[name], sample.units.count)
        found[name] = replicate(f1, sample.resampling)
        right = mean_of((each.called == each.speaking).astype(np.float64), unit[name], sample.units.count)
        intervals = sample.replicate({"f1": f1, "accuracy": right}, unit[name])
        metrics = {
            "f1": score.f1,
            "accuracy": score.accuracy,
            "unmatched": score.unmatched,
            "unscored": score.unscored,
        }
        lines.append(_line(name, each.speaking, metrics, intervals))
    if all(name in found for name in AVERAGED):
        mean = combine(lambda *values: np.mean(values, axis=0), *(found[name] for name in AVERAGED))
        everybody = np.concatenate([unit[name] for name in AVERAGED])
        speaking = np.concatenate([calls[name].speaking for name in AVERAGED])
        lines.append(_line("mean of five", speaking, {"f1": mean.estimate}, sample.intervals({"f1": mean}, everybody)))
    return lines


def laser_line(codes: ArrayLike, scores: ArrayLike, threshold: float, unit: NDArray[np.int32], sample: Sample) -> Line:
    """Return LASER's three shares.

    Args:
        codes: ``[N]`` labels as in `asdbench.protocols.ava_rows.LABELS`.
        scores: ``[N]`` finite.
        threshold: From here on a row is called speaking.
        unit: ``[N]``, units.
        sample: What is resampled.

    Raises:
        DataError, UndefinedMetricError: As ``laser_accuracy``.
    """
    found = laser_accuracy(codes, scores, threshold)
    label, called = np.asarray(codes), np.asarray(scores) >= threshold
    right = ((label == 1) & called) | ((label == 0) & ~called)
    parts = {"overall": np.ones(len(label), dtype=np.bool_), "talking": label == 1, "not_talking": label == 0}
    statistics = {
        name: mean_of(right[mask].astype(np.float64), unit[mask], sample.units.count)
        for name, mask in parts.items()
        if mask.any()
    }
    metrics = {"overall": found.overall, "talking": found.talking, "not_talking": found.not_talking}
    return _line(ALL, label == 1, metrics, sample.replicate(statistics, unit))


def negative_line(
    part: str,
    changed: tuple[ArrayLike, NDArray[np.int32]],
    clean: tuple[ArrayLike, ArrayLike, NDArray[np.int32]],
    threshold: float,
    sample: Sample,
) -> Line:
    """Return the share of changed rows called not speaking, beside the clean recall at the same threshold.

    ``rows`` are the changed ones, ``positives`` those that speak with clean media, on which the recall rests.

    Args:
        part: Which rows changed.
        changed: Scores and units of these.
        clean: Labels, scores and units of the rows with clean media.
        threshold: From here on a row is called speaking.
        sample: What is resampled.

    Raises:
        DataError: As ``score_tnr``.
    """
    scores, unit = changed
    labels, clean_scores, clean_unit = clean
    positive = np.asarray(labels) == 1
    try:
        found = score_tnr(scores, labels, clean_scores, threshold)
    except UndefinedMetricError as error:
        return _line(part, positive, {"tnr": {"undefined": str(error)}, "clean_recall": {"undefined": str(error)}}, {})
    silent = mean_of((np.asarray(scores) < threshold).astype(np.float64), unit, sample.units.count)
    heard = (np.asarray(clean_scores)[positive] >= threshold).astype(np.float64)
    recall = mean_of(heard, clean_unit[positive], sample.units.count)
    intervals = sample.replicate({"tnr": silent}, unit) | sample.replicate({"clean_recall": recall}, clean_unit)
    line = _line(part, positive, {"tnr": found.tnr, "clean_recall": found.clean_recall}, intervals)
    return line | {"rows": found.rows}


def scored(
    protocol: str, lines: Sequence[Line], notes: Sequence[str] = (), sample: Sample | None = None
) -> dict[str, Any]:
    """Return the numbers of a protocol as JSON holds them, with their units where these are not those of a run."""
    units = {} if sample is None else {"units": units_record(sample)}
    return {"protocol": protocol, "lines": list(lines), "notes": list(notes), **units}


def _line(part: str, positive: BoolArray, metrics: Mapping[str, Any], intervals: Mapping[str, Any]) -> Line:
    return {
        "part": part,
        "rows": len(positive),
        "positives": int(np.count_nonzero(positive)),
        "metrics": dict(metrics),
        "intervals": dict(intervals),
    }


def _f1_of(calls: PersonCalls, unit: NDArray[np.int32], count: int) -> Statistic:
    hits = np.bincount(unit, calls.called & calls.speaking, count)
    wrong = np.bincount(unit, calls.called != calls.speaking, count)

    def f1(weights: NDArray[np.int64]) -> float:
        found = float(weights @ hits)
        return 2 * found / (2 * found + float(weights @ wrong)) if found else 0.0

    return f1


def _value_of(statistic: Statistic, weights: NDArray[np.int64]) -> float:
    return float(per_unit(lambda _: statistic(weights), 1)[0])
