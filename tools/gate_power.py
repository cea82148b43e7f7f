"""How often a gate of 20 rules cries wolf, and how often it sees a drop of 3 points, on simulated recordings.

    python tools/gate_power.py

A recording has a random length, base rate, skill and offset of the scores; its frames are autocorrelated. Two runs
share the recordings and most of the noise of their frames; in what each does beyond that, they differ by recording and
by frame. Without a drop the two are exchangeable: no figure differs but by chance; a regression is a false alarm.
What judges is the gate itself (``asdbench.gate.judge``), on rows of 20 rules in 5 conditions.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from asdbench.analysis.rows import RunRows
from asdbench.gate.judge import judge
from asdbench.gate.rules import parse_rule
from asdbench.gate.verdict import Rule, Ruling
from asdbench.metrics import average_precision_step
from asdbench.records.predictions import Predictions
from asdbench.types import Condition

CONDITIONS = {
    each.name: each
    for each in (
        Condition("clean", role="reference"),
        Condition("mismatch@0.50", "mismatch", 0.5, "negative"),
        Condition("mismatch@1.00", "mismatch", 1.0, "negative"),
        Condition("misalign@1.00", "misalign", 1.0, "negative"),
        Condition("noise@s3", "noise", 1.0, "keep"),
    )
}
RULES = (
    "clean.ap:-0pt", "clean.tpr:-0pt", "clean.fpr:+0pt", "clean.f1:-0pt", "clean.fpr@eer:+0pt",
    "mismatch@0.50.ap:-0pt", "mismatch@0.50.fa_changed:+0pt", "mismatch@0.50.sync_auroc:-0pt",
    "mismatch@1.00.fa_changed:+0pt", "mismatch@1.00.retention:+0pt", "mismatch@1.00.sync_auroc:-0pt",
    "mismatch@1.00.fa_changed@eer:+0pt",
    "misalign@1.00.fa_changed:+0pt", "misalign@1.00.retention:+0pt", "misalign@1.00.sync_auroc:-0pt",
    "misalign@1.00.fa_changed@eer:+0pt",
    "noise@s3.ap:-0pt", "noise@s3.ap_drop:+0pt", "noise@s3.tpr_drop:+0pt", "noise@s3.fpr:+0pt",
)  # fmt: skip
"""20 rules without a margin, the hardest case for false alarms; many of them measure nearly the same."""


DROPS = {"ap": "clean.ap", "fa_changed": "mismatch@1.00.fa_changed"}
"""What can drop, and the rule that should see it."""


@dataclass(frozen=True)
class World:
    """The parameters of the simulation.

    Attributes:
        mean_frames: Mean number of scored frames of a recording.
        spread_frames: Standard deviation of the log of that number: uneven sizes.
        shortest: Frames of the shortest recording.
        spread_base: Standard deviation of the probit of the share of speaking frames (0.3) between recordings.
        label_memory: Correlation of neighbouring frames of the process whose sign is the label: speech comes in runs.
        skill: Mean distance of the scores of speaking and silent frames, in standard deviations of a frame's noise.
        spread_skill: Its standard deviation between recordings, the same for both runs.
        spread_offset: Standard deviation of the mean score between recordings, the same for both runs.
        score_memory: Correlation of the noise of neighbouring frames.
        shared: Share of the variance of a frame's noise that both runs have in common.
        own: Standard deviation, between recordings, of what each run adds to the skill, to the offset, and to its
            reaction to each kind of changed sound.
        tails: ``normal``, or ``heavy``: what each run adds follows Student's t with 3 degrees of freedom.
        reaction: By how much changed sound lowers scores of speaking frames.
        spread_reaction: Its standard deviation between recordings, the same for both runs.
    """

    mean_frames: int = 300
    spread_frames: float = 0.7
    shortest: int = 50
    spread_base: float = 0.4
    label_memory: float = 0.97
    skill: float = 3.0
    spread_skill: float = 0.45
    spread_offset: float = 0.5
    score_memory: float = 0.9
    shared: float = 0.95
    own: float = 0.08
    tails: str = "normal"
    reaction: float = 1.0
    spread_reaction: float = 0.4


@dataclass(frozen=True)
class Drop:
    """What is wrong with the new run.

    Attributes:
        skill: How much less skill it has, under all conditions.
        reaction: How much less it reacts to a mismatch.
    """

    skill: float = 0.0
    reaction: float = 0.0


class Recordings:
    """The recordings of one replicate: labels, and the part of the scores that both runs share."""

    def __init__(self, world: World, sources: int, generator: np.random.Generator) -> None:
        self.world, self.generator, self.sources = world, generator, sources
        log_mean = np.log(world.mean_frames) - world.spread_frames**2 / 2
        sizes = np.exp(generator.normal(log_mean, world.spread_frames, sources))
        sizes = np.clip(sizes, world.shortest, 6 * world.mean_frames).astype(int)
        self.there = np.arange(sizes.max()) < sizes[:, None]
        self.source = np.repeat(np.arange(sources), sizes)
        # probit of the base rate without scipy.stats: 0.3 is at -0.5244
        threshold = generator.normal(-0.5244, world.spread_base, (sources, 1))
        self.label = (self._process(world.label_memory) < threshold)[self.there]
        self.skill = self._per_source(world.spread_skill) + world.skill
        self.offset = self._per_source(world.spread_offset)
        self.noise = self._noise()
        self.reactions = {
            name: self._per_source(world.spread_reaction) + world.reaction + 0.5 * self._noise()
            for name in ("mismatch", "misalign", "noise")
        }

    def run(self, drop: Drop) -> dict[str, NDArray[np.float32]]:
        """Draw what a run adds; return its scores by condition, those of whole changed conditions."""
        world = self.world
        mine = np.sqrt(1 - world.shared)
        noise = np.sqrt(world.shared) * self.noise + mine * self._noise()
        skill = self.skill + self._own() - drop.skill
        clean = self.label * skill + self.offset + self._own() + noise
        found = {"clean": clean}
        for name, reaction in self.reactions.items():
            less = drop.reaction if name == "mismatch" else 0.0
            found[name] = clean - self.label * (reaction + self._own() - less) + 0.5 * mine * self._noise()
        return {name: scores.astype(np.float32) for name, scores in found.items()}

    def _process(self, memory: float) -> NDArray[np.float64]:
        noise = self.generator.normal(size=self.there.shape) * np.sqrt(1 - memory**2)
        noise[:, 0] /= np.sqrt(1 - memory**2)
        return np.asarray(lfilter([1], [1, -memory], noise, axis=1))

    def _noise(self) -> NDArray[np.float64]:
        return self._process(self.world.score_memory)[self.there]

    def _per_source(self, spread: float) -> NDArray[np.float64]:
        return self.generator.normal(0, spread, self.sources)[self.source]

    def _own(self) -> NDArray[np.float64]:
        if self.world.tails == "heavy":
            draws = self.generator.standard_t(3, self.sources) / np.sqrt(3)  # of variance 1
        else:
            draws = self.generator.normal(size=self.sources)
        return np.asarray(self.world.own * draws)[self.source]


def rows_of(recordings: Recordings, scores: dict[str, NDArray[np.float32]], half: NDArray[np.bool_]) -> RunRows:
    """Return the rows of a run under all conditions; ``half`` are the rows that a proportion of 0.5 changes."""
    label = recordings.label.astype(np.int8)
    ids = np.array([f"s{number:04d}" for number in range(recordings.sources)], dtype=object)[recordings.source]
    count = len(label)
    clean = Predictions(
        ids, ids, ids, 40 * np.arange(count), np.where(label, 0, -1).astype(np.int32), label, label,
        np.zeros(count, np.bool_), np.ones(count, np.bool_), np.full(count, np.nan, np.float32), scores["clean"],
    )  # fmt: skip

    def read(name: str) -> Predictions:
        condition = CONDITIONS[name]
        if condition.perturbation is None:
            return clean
        speech = label == 1
        changed = speech & half if condition.proportion < 1 else speech
        after = np.where(changed, 0, label).astype(np.int8) if condition.labels == "negative" else label
        score = scores[condition.perturbation]
        score = score if condition.labels == "keep" else np.where(changed, score, scores["clean"])
        return replace(clean, changed=changed, label_after=after, score=score)

    return RunRows(CONDITIONS, read)


def two_runs(world: World, sources: int, drop: Drop, generator: np.random.Generator) -> tuple[RunRows, RunRows]:
    """Draw a baseline and a run on the same recordings."""
    recordings = Recordings(world, sources, generator)
    edges = np.flatnonzero(np.diff(recordings.label, prepend=False))
    stretch = np.searchsorted(edges, np.arange(len(recordings.label)), side="right")
    half = (generator.random(len(edges) + 1) < 0.5)[stretch]
    old, new = recordings.run(Drop()), recordings.run(drop)
    return rows_of(recordings, old, half), rows_of(recordings, new, half)


def drop_of(points: float, figure: str, world: World, seed: int, sources: int = 2000) -> Drop:
    """Return what takes so many points of AP, or adds them to fa_changed under mismatch@1.00, in a large population."""
    recordings = Recordings(world, sources, np.random.default_rng(seed))
    old, new, label = recordings.run(Drop()), recordings.run(Drop()), recordings.label
    threshold = np.quantile(old["clean"][label], 0.1)

    def value(size: float) -> float:  # of the second run, so that what chance leaves between the two cancels
        if figure == "ap":
            return -average_precision_step(label, new["clean"] - label * np.float32(size))
        return float(np.mean(new["mismatch"][label] + size >= threshold))

    before, low, high = value(0.0), 0.0, 2.0
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if value(middle) - before < points / 100 else (low, middle)
    return Drop(skill=low) if figure == "ap" else Drop(reaction=low)


@dataclass(frozen=True)
class Tally:
    """What gates of some kind found, over all replicates.

    Attributes:
        gate: Share in which some rule was a regression.
        rule: Share in which the rule of interest was one.
        spread: Standard deviation of the change of that rule's figure.
        detectable: Median of the smallest drop that its verdicts say they could have found.
        alone: ``[rules]``, share in which each rule would have been a regression if it were the only one.
    """

    gate: float
    rule: float
    spread: float
    detectable: float
    alone: NDArray[np.float64]


def tally(
    world: World, sources: int, rules: tuple[Rule, ...], drop: Drop, replicates: int, seed: int, name: str = "clean.ap"
) -> Tally:
    """Judge so many pairs of runs; count regressions of any rule, and of one."""
    found, alone = [], []
    for rulings in _judged(world, sources, rules, drop, replicates, seed):
        worse = [ruling.rule.name for ruling in rulings if ruling.outcome == "regression"]
        mine = next(ruling for ruling in rulings if ruling.rule.name == name)
        found.append((bool(worse), name in worse, mine.change or 0.0, mine.detectable or np.nan))
        alone.append([_worse_alone(ruling) for ruling in rulings])
    gates, hits, changes, least = np.array(found, dtype=np.float64).T
    shares = np.mean(alone, axis=0)
    return Tally(float(gates.mean()), float(hits.mean()), float(changes.std()), float(np.median(least)), shares)


def _worse_alone(ruling: Ruling) -> bool:
    """Whether a rule would be a regression by itself: its upper end would lie as far away as the lower does."""
    if ruling.change is None or ruling.low is None:
        return True
    return 2 * ruling.change - ruling.low < -ruling.rule.margin


def _judged(
    world: World, sources: int, rules: tuple[Rule, ...], drop: Drop, replicates: int, seed: int
) -> Iterator[list[Ruling]]:
    for number in range(replicates):
        old, new = two_runs(world, sources, drop, np.random.default_rng([seed, number]))
        yield judge(old, new, rules)[0]


def rules_with(points: float, *only: str) -> tuple[Rule, ...]:
    """Return the 20 rules, or some of them, with a margin."""
    rules = (parse_rule(text.replace("0pt", f"{points:g}pt")) for text in RULES)
    return tuple(rule for rule in rules if not only or rule.name in only)


@click.command()
@click.option("--sources", default="33", show_default=True, help="Numbers of recordings for false alarms.")
@click.option("--power", default="33,60", show_default=True, help="Numbers of recordings for power.")
@click.option("--figures", default="ap", show_default=True, help="What drops: ap, fa_changed, or both.")
@click.option("--points", default=3.0, show_default=True, help="By how many points.")
@click.option("--margin", default=0.0, show_default=True, help="What the rules allow there, in points.")
@click.option("--tails", default="normal,heavy", show_default=True)
@click.option("--replicates", default=500, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(
    sources: str, power: str, figures: str, points: float, margin: float, tails: str, replicates: int, seed: int
) -> None:
    """Print false alarms and power."""
    click.echo(json.dumps({"world": asdict(World()), "replicates": replicates, "rules": len(RULES), "seed": seed}))
    start = time.perf_counter()
    for world in (World(tails=kind) for kind in tails.split(",")):
        for count in map(int, filter(None, sources.split(","))):
            found = tally(world, count, rules_with(0), Drop(), replicates, seed)
            click.echo(f"{count} sources, {world.tails}, no drop: {_line(found)}")
        for figure in figures.split(","):
            drop = drop_of(points, figure, world, seed)
            for count in map(int, filter(None, power.split(","))):
                found = tally(world, count, rules_with(margin), drop, replicates, seed + 1, DROPS[figure])
                what = f"{points:g} points of {DROPS[figure]}, margin {margin:g}"
                click.echo(f"{count} sources, {world.tails}, {what}: {_line(found)}")
    click.echo(f"{time.perf_counter() - start:.0f} s")


def _line(found: Tally) -> str:
    return (
        f"gate {found.gate:.3f}, rule {found.rule:.3f}, sd of its change {100 * found.spread:.2f} points, "
        f"detectable {100 * found.detectable:.2f} points, each rule alone {found.alone.mean():.3f} on average, "
        f"{found.alone.min():.3f} to {found.alone.max():.3f}"
    )


if __name__ == "__main__":
    main()
