"""Which of several figures can be told apart, all pairs at once, and the ranks that this leaves open.

The figures rest on the same resamples, so every difference has its resampled values, and what makes a recording hard
for all drops out. One number, the largest standardised deviation over all pairs in a resample, gives intervals that
hold for all pairs together (single-step max-T); a rank is open as far as they leave it open (docs/leaderboard.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist

import numpy as np

from asdbench.metrics import combine, interval
from asdbench.metrics.bootstrap import Replicates
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.intervals import LEVEL, MAX_UNDEFINED
from asdbench.metrics.student import expanded_quantile
from asdbench.metrics.units import MIN_UNITS

_NORMAL = NormalDist()
_NOTHING = 1e-7
"""What float32 leaves of a difference of equal values."""


@dataclass(frozen=True)
class Pair:
    """Two figures compared; every difference is first minus second.

    Attributes:
        first: Place of the one.
        second: Place of the other.
        difference: First minus second.
        low: Lower end of the interval of this pair alone, as ``asdbench compare`` gives it; ``None`` without one.
        high: Its upper end.
        all_low: Lower end of the interval that holds for all pairs together.
        all_high: Its upper end.
    """

    first: int
    second: int
    difference: float
    low: float | None = None
    high: float | None = None
    all_low: float | None = None
    all_high: float | None = None

    @property
    def alone(self) -> bool | None:
        """Whether the interval of this pair alone excludes 0."""
        return None if self.low is None or self.high is None else self.low > 0 or self.high < 0

    @property
    def separable(self) -> bool | None:
        """Whether the interval for all pairs together excludes 0."""
        return None if self.all_low is None or self.all_high is None else self.all_low > 0 or self.all_high < 0


@dataclass(frozen=True)
class Ranks:
    """What several figures leave open.

    Attributes:
        pairs: Every two of them.
        intervals: Best and worst rank of each, 1 for the best; ``None`` for a figure without a value.
        reason: Why nothing can be told apart, empty where something might be.
    """

    pairs: tuple[Pair, ...]
    intervals: tuple[tuple[int, int] | None, ...]
    reason: str = ""


def rank(figures: Sequence[Replicates | None], higher: bool, level: float = LEVEL) -> Ranks:
    """Compare every two of several figures on the same resamples.

    For the pair ``k`` let ``d_k`` be the difference, ``d_kb`` its value in resample b, ``s_k`` the standard deviation
    of these. ``c`` is the quantile ``level`` over b of ``max_k |d_kb - d_k| / s_k``, widened for the number of units as
    all intervals of asdbench are (``expanded_quantile`` of the tail ``Phi(-c)``). The interval ``d_k -+ c s_k``
    excludes 0 for pairs that are *separable*. The rank of a figure is at best 1 plus the number of those that are
    separably better, at worst the number of all minus those that are separably worse.

    Args:
        figures: On the same resamples; ``None`` for those without a value.
        higher: Whether more is better.
        level: With which all intervals together hold.

    Returns:
        The pairs, and the ranks.

    Raises:
        NotComparableError: They rest on different resamples.

    Source:
        Mogstad, Romano, Shaikh, Wilhelm, Inference for Ranks with Applications to Mobility across Neighbourhoods and
        Academic Achievement across Countries, Review of Economic Studies 2024, section 3; Romano and Wolf,
        Econometrica 2005, for the largest deviation.

    Example:
        >>> from asdbench.metrics.bootstrap import Resampling
        >>> draws, noise = Resampling(20, count=100), np.sin(np.arange(100)) / 100
        >>> made = [Replicates(draws, v, v + noise * (v + 1), np.full(20, np.nan)) for v in (0.9, 0.1, 0.101)]
        >>> rank(made, higher=True).intervals
        ((1, 1), (2, 3), (2, 3))
    """
    known = [place for place, figure in enumerate(figures) if figure is not None]
    draws = next((figure.resampling for figure in figures if figure is not None), None)
    if draws is None or draws.units < MIN_UNITS or not draws.count:
        reason = f"a comparison needs at least {MIN_UNITS} units and resamples of them"
        return Ranks((), tuple(_open(place in known, len(known)) for place in range(len(figures))), reason)
    pairs, deviations = [], []
    for first, second in combinations(known, 2):
        pair, deviation = _pair(figures, first, second)
        pairs.append(pair)
        deviations.append(deviation)
    critical = _critical(deviations, max(2, draws.effective or draws.units), level)
    found = tuple(_together(pair, deviation, critical) for pair, deviation in zip(pairs, deviations, strict=True))
    return Ranks(found, tuple(_interval(place, known, found, higher) for place in range(len(figures))))


@dataclass(frozen=True)
class _Deviation:
    """How the difference of a pair spreads: standard deviation, and standardised values of all resamples."""

    spread: float
    values: Float64Array | None


def _pair(figures: Sequence[Replicates | None], first: int, second: int) -> tuple[Pair, _Deviation]:
    one, two = figures[first], figures[second]
    if one is None or two is None:  # pragma: no cover - callers pass known places only
        raise ValueError(first, second)
    difference = combine(np.subtract, one, two)
    alone = interval(difference)
    pair = Pair(first, second, difference.estimate, alone.low, alone.high)
    defined = np.isfinite(difference.resampled)
    if np.count_nonzero(~defined) > MAX_UNDEFINED * len(defined):
        return pair, _Deviation(np.nan, None)
    spread = float(np.std(difference.resampled[defined], ddof=1))
    if spread <= _NOTHING:
        return pair, _Deviation(0.0, None)
    # A resample without a value says nothing of this pair, and does not keep the others from speaking.
    return pair, _Deviation(spread, np.where(defined, np.abs(difference.resampled - difference.estimate) / spread, 0.0))


def _critical(deviations: Sequence[_Deviation], units: int, level: float) -> float:
    values = [each.values for each in deviations if each.values is not None]
    if not values:
        return 0.0
    largest = float(np.quantile(np.max(values, axis=0), level))
    tail = max(_NORMAL.cdf(-largest), 1e-12)
    return -expanded_quantile(tail, units) if tail < 0.5 else largest


def _together(pair: Pair, deviation: _Deviation, critical: float) -> Pair:
    if np.isnan(deviation.spread):
        return pair
    reach = critical * deviation.spread
    low, high = pair.difference - reach, pair.difference + reach
    if deviation.spread == 0.0 and abs(pair.difference) <= _NOTHING:
        low = high = 0.0
    return Pair(pair.first, pair.second, pair.difference, pair.low, pair.high, low, high)


def _open(known: bool, count: int) -> tuple[int, int] | None:
    return (1, count) if known else None


def _interval(place: int, known: Sequence[int], pairs: Sequence[Pair], higher: bool) -> tuple[int, int] | None:
    if place not in known:
        return None
    best, worst = 1, len(known)
    for pair in pairs:
        if not pair.separable or place not in (pair.first, pair.second):
            continue
        ahead = (pair.difference > 0) == (place == pair.first)
        if ahead == higher:
            worst -= 1
        else:
            best += 1
    return best, worst
