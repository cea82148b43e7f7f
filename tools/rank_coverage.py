"""How often a leaderboard claims too much.

Usage: python tools/rank_coverage.py [--worlds 500]

Equal models, or models of graded skill, are scored on generated recordings of uneven size, each with a difficulty of
its own; frames of a recording depend on one another. Prints in how many worlds some pair of equal models is called
separable, and in how many the rank interval of some model does not hold its true rank: what docs/leaderboard.md states.
"""

from __future__ import annotations

import argparse

import numpy as np

from asdbench.leaderboard.ranks import rank
from asdbench.metrics.bootstrap import Replicates, Resampling
from asdbench.metrics.passes import PrecisionPass
from asdbench.metrics.resampled import evaluate
from asdbench.metrics.weighted import RankedRows

FRAMES = (8, 80)
"""Least and most frames of a recording."""


def replicates_of(skills: np.ndarray, sources: int, resamples: int, random: np.random.Generator) -> list[Replicates]:
    """Return AP of each model on the same recordings and resamples."""
    sizes = random.integers(*FRAMES, sources)
    unit = np.repeat(np.arange(sources), sizes).astype(np.int32)
    runs = np.concatenate([np.repeat(random.random(1 + size // 10) < 0.4, 10)[:size] for size in sizes])
    labels = runs.astype(np.int8)
    labels[:2] = 0, 1
    hardness = random.normal(size=sources)[unit]
    draws = Resampling(sources, count=resamples, effective=int(sizes.sum()) ** 2 // int((sizes**2).sum()))
    found = []
    for skill in skills:
        own = 0.5 * random.normal(size=sources)[unit]
        scores = ((skill - 0.4 * hardness - own) * (2 * labels - 1) + random.normal(size=len(labels))).astype(
            np.float32
        )
        precision = PrecisionPass(RankedRows(labels, scores, unit, sources))
        found.append(evaluate(lambda weights, _, each=precision: {"ap": each.values(weights)["ava"]}, draws, 1)["ap"])
    return found


def main() -> None:
    """Print two shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("worlds", 500), ("sources", 33), ("models", 6), ("resamples", 400), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    false = missed = 0
    graded = np.linspace(1.0, 1.6, options.models)
    for _ in range(options.worlds):
        equal = replicates_of(np.full(options.models, 1.2), options.sources, options.resamples, random)
        false += any(pair.separable for pair in rank(equal, higher=True).pairs)
        found = rank(replicates_of(graded, options.sources, options.resamples, random), higher=True).intervals
        true = range(options.models, 0, -1)
        missed += any(ends is None or not ends[0] <= place <= ends[1] for ends, place in zip(found, true, strict=True))
    print(vars(options))
    print(f"equal models, some pair called separable: {100 * false / options.worlds:.1f} % of worlds")
    print(f"graded models, some rank interval without the true rank: {100 * missed / options.worlds:.1f} % of worlds")


if __name__ == "__main__":
    main()
