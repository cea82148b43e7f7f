"""How often the 95 % intervals of asdbench hold the true value, on simulated recordings.

    python tools/interval_coverage.py --sources 33 --repetitions 2000

A recording has a random length, base rate, skill and offset of the scores; its frames are autocorrelated. The true
value is that of the pooled rows of very many recordings. Printed: the parameters, and the share of intervals that hold
the true value, with its standard error and the shares that miss it on either side.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from asdbench.metrics.bootstrap import Replicates, Resampling, combine, replicate, resampling_of
from asdbench.metrics.counted import CountedRows
from asdbench.metrics.intervals import Interval, interval
from asdbench.metrics.units import Units
from asdbench.metrics.weighted import RankedRows


@dataclass(frozen=True)
class World:
    """The parameters of the simulation.

    Attributes:
        mean_frames: Mean number of scored frames of a recording.
        spread_frames: Standard deviation of the log of that number: uneven sizes.
        shortest: Frames of the shortest recording.
        base_rate: Median share of speaking frames.
        spread_base: Standard deviation of its probit between recordings.
        label_memory: Correlation of neighbouring frames of the process whose sign is the label: speech comes in runs.
        skill: Mean distance of the scores of speaking and silent frames, in standard deviations of a frame's noise.
        spread_skill: Its standard deviation between recordings.
        spread_offset: Standard deviation of the mean score between recordings.
        score_memory: Correlation of the noise of neighbouring frames.
        lower_skill: How much less skill the second system has, whose noise is half shared with the first.
    """

    mean_frames: int = 150
    spread_frames: float = 0.7
    shortest: int = 25
    base_rate: float = 0.3
    spread_base: float = 0.4
    label_memory: float = 0.97
    skill: float = 2.2
    spread_skill: float = 0.45
    spread_offset: float = 0.5
    score_memory: float = 0.9
    lower_skill: float = 0.15


@dataclass(frozen=True)
class Sample:
    """Rows of recordings: ``[N]`` each, sorted by recording."""

    labels: NDArray[np.bool_]
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    source: NDArray[np.int32]


def simulate(world: World, sources: int, generator: np.random.Generator) -> Sample:
    """Draw recordings."""
    log_mean = np.log(world.mean_frames) - world.spread_frames**2 / 2
    sizes = np.exp(generator.normal(log_mean, world.spread_frames, sources))
    sizes = np.clip(sizes, world.shortest, 12 * world.mean_frames).astype(int)
    longest = int(sizes.max())
    there = np.arange(longest) < sizes[:, None]

    def process(memory: float) -> NDArray[np.float64]:
        noise = generator.normal(size=(sources, longest)) * np.sqrt(1 - memory**2)
        noise[:, 0] /= np.sqrt(1 - memory**2)
        return np.asarray(lfilter([1], [1, -memory], noise, axis=1))

    def per_source(mean: float, spread: float) -> NDArray[np.float64]:
        return generator.normal(mean, spread, (sources, 1))

    # probit of the base rate without scipy.stats: 0.3 is at -0.5244
    labels = process(world.label_memory) < per_source(-0.5244, world.spread_base)
    skill, offset = per_source(world.skill, world.spread_skill), per_source(0, world.spread_offset)
    noise, other = process(world.score_memory), process(world.score_memory)
    first = labels * skill + offset + noise
    mixed = np.sqrt(0.5) * (noise + other)
    second = labels * (skill - world.lower_skill) + offset + mixed
    source = np.broadcast_to(np.arange(sources, dtype=np.int32)[:, None], there.shape)
    return Sample(labels[there], first[there], second[there], source[there])


def figures(sample: Sample, sources: int, resampling: Resampling) -> dict[str, Replicates]:
    """AP, FPR at 90 % TPR with the threshold found anew in each resample, and the difference of two APs."""
    first, second = (
        Ranking(sample.labels, sample.first, sample.source, sources),
        Ranking(sample.labels, sample.second, sample.source, sources),
    )
    ap, fpr = first.evaluate(resampling)
    other, _ = second.evaluate(resampling)
    return {"AP": ap, "FPR at tpr:0.9": fpr, "difference of AP": combine(np.subtract, other, ap)}


class Ranking:
    """Evaluates many resamples at once by products of matrices; ``check`` compares with ``asdbench.metrics.weighted``.

    Scores are continuous here, so there are no ties.
    """

    def __init__(self, labels: NDArray[np.bool_], scores: NDArray[np.float64], source: NDArray[np.int32], sources: int):
        order = np.argsort(-scores)
        positive, unit = labels[order], source[order]
        seen = np.zeros((len(order), sources), dtype=np.float32)
        seen[np.arange(len(order)), unit] = 1
        places = np.flatnonzero(positive)
        self.rows = np.cumsum(seen, axis=0)[places]  # [P, C] rows of each source at or above each positive
        self.hits = np.cumsum(seen[places], axis=0)
        self.negatives = np.bincount(source[~labels], minlength=sources)

    def evaluate(self, resampling: Resampling) -> tuple[Replicates, Replicates]:
        """Return AP and FPR at 90 % TPR."""
        sources = resampling.units
        ones = np.ones((1, sources))
        left_out = 1 - np.eye(sources) if sources > 1 else np.empty((0, 1))
        ap, fpr = self._values(np.concatenate([ones, resampling.weights, left_out]))
        drawn = slice(1, 1 + resampling.count)
        return tuple(  # type: ignore[return-value]
            Replicates(resampling, float(value[0]), value[drawn], value[drawn.stop :]) for value in (ap, fpr)
        )

    def _values(self, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        weight = weights.T.astype(np.float32)
        hits, rows = self.hits @ weight, self.rows @ weight  # [P, B]
        total, negatives = hits[-1].astype(np.float64), self.negatives @ weights.T
        precision = hits / np.maximum(rows, 1)
        envelope = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
        found = np.argmax(hits >= 0.9 * total - 1e-6, axis=0)
        each = np.arange(hits.shape[1])
        with np.errstate(invalid="ignore", divide="ignore"):
            ap = np.einsum("pb,pb->b", np.diff(hits, axis=0, prepend=0), envelope) / total
            fpr = (rows[found, each] - hits[found, each]) / negatives
        return np.asarray(ap, dtype=np.float64), np.asarray(fpr, dtype=np.float64)


def check(world: World) -> None:
    """Compare the matrices with the library on one sample.

    Raises:
        RuntimeError: They differ.
    """
    sample = simulate(world, 12, np.random.default_rng(0))
    resampling = Resampling(12, "check", 50)
    rows = RankedRows(sample.labels, sample.first, sample.source, 12)
    silent = CountedRows(sample.first[~sample.labels], sample.source[~sample.labels], 12)
    slow = (
        replicate(rows.average_precision, resampling),
        replicate(lambda weights: silent.share(weights, rows.threshold(weights)), resampling),
    )
    for ours, theirs in zip(
        Ranking(sample.labels, sample.first, sample.source, 12).evaluate(resampling), slow, strict=True
    ):
        if not np.allclose(ours.resampled, theirs.resampled, atol=1e-5, equal_nan=True):
            raise RuntimeError("the simulation and the library disagree.")


def truth(world: World, generator: np.random.Generator, sources: int = 20_000) -> dict[str, float]:
    """Return the values on so many recordings that their own error does not matter."""
    parts = [simulate(world, 1000, generator) for _ in range(sources // 1000)]
    labels, first, second = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("labels", "first", "second")
    )
    nobody = np.zeros(len(labels), dtype=np.int32)
    rows = [RankedRows(labels, scores, nobody, 1) for scores in (first, second)]
    aps = [each.average_precision([1]) for each in rows]
    fpr = CountedRows(first[~labels], nobody[~labels], 1).share([1], rows[0].threshold([1]))
    return {"AP": aps[0], "FPR at tpr:0.9": fpr, "difference of AP": aps[1] - aps[0]}


@dataclass
class Tally:
    """Counts of where the true value lay."""

    counts: Counter[str]
    width: float = 0.0
    intervals: int = 0

    def add(self, value: float, low: float | None, high: float | None) -> None:
        """Count one interval."""
        if low is None or high is None:
            self.counts["none"] += 1
            return
        self.intervals += 1
        self.width += high - low
        self.counts["below" if value < low else "above" if value > high else "inside"] += 1

    def line(self) -> dict[str, float]:
        """Return the shares."""
        inside = self.counts["inside"] / max(self.intervals, 1)
        return {
            "coverage": inside,
            "standard_error": float(np.sqrt(inside * (1 - inside) / max(self.intervals, 1))),
            "true_value_below": self.counts["below"] / max(self.intervals, 1),
            "true_value_above": self.counts["above"] / max(self.intervals, 1),
            "mean_width": self.width / max(self.intervals, 1),
            "without_interval": self.counts["none"],
        }


def cover(
    world: World, sources: int, repetitions: int, resamples: int, seed: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Return the coverage of every figure and kind of interval."""
    generator = np.random.default_rng(seed)
    true = truth(world, np.random.default_rng(seed + 1))
    tallies: dict[str, dict[str, Tally]] = {
        name: {kind: Tally(Counter()) for kind in ("percentile", "bca")} for name in true
    }
    for repetition in range(repetitions):
        sample = simulate(world, sources, generator)
        units = Units("source", tuple(map(str, range(sources))), sample.source)
        resampling = resampling_of(units, f"{seed} {repetition}", resamples)
        found = figures(sample, sources, resampling)
        for name, replicates in found.items():
            ends: Interval = interval(replicates)
            tallies[name]["percentile"].add(true[name], ends.low, ends.high)
            tallies[name]["bca"].add(true[name], ends.bca_low, ends.bca_high)
    return {name: {kind: tally.line() for kind, tally in kinds.items()} for name, kinds in tallies.items()} | {
        "true": {"values": true}
    }


@click.command()
@click.option("--sources", default="33", show_default=True, help="Numbers of recordings, separated by commas.")
@click.option("--repetitions", default=2000, show_default=True)
@click.option("--resamples", default=1000, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--spread-frames", default=World.spread_frames, show_default=True, help="Unevenness of the sizes.")
def main(sources: str, repetitions: int, resamples: int, seed: int, spread_frames: float) -> None:
    """Print the coverage of the intervals."""
    world = replace(World(), spread_frames=spread_frames)
    click.echo(json.dumps({"world": asdict(world), "repetitions": repetitions, "resamples": resamples, "seed": seed}))
    check(world)
    for number in map(int, sources.split(",")):
        start = time.perf_counter()
        result = cover(world, number, repetitions, resamples, seed)
        click.echo(f"{number} sources, {time.perf_counter() - start:.0f} s, true {result.pop('true')['values']}")
        for name, kinds in result.items():
            for kind, line in kinds.items():
                click.echo(f"  {name:<18} {kind:<11} " + " ".join(f"{key} {value:.4f}" for key, value in line.items()))


if __name__ == "__main__":
    main()
