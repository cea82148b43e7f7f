"""The cue check: how well can sound alone tell what was changed from what was not?

A model that hears the splice needs no lips. So a classifier that sees no faces, logistic regression on a few statistics
(`cue_features`), is given the same tracks unchanged and changed, in groups by source so that it never knows a recording
beforehand. Its AUROC says how far listening for the change alone can lead (docs/method.md, section 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asdbench.errors import DataError
from asdbench.perturb.choose import Chooser
from asdbench.perturb.cue_features import features
from asdbench.perturb.dubbed import DUBBED
from asdbench.perturb.edits import AudioEdit, Lender, digest, edit_audio, split_media
from asdbench.perturb.plan import ConditionPlan, Plan
from asdbench.types import SAMPLE_RATE, Int16Array, Track, TrackKey

FLAG = 0.60
"""An AUROC above this is worth a warning."""

FOLDS = 5
MIN_SOURCES = 10
MIN_TRACKS = 20
CHOICE = "cue@1"
"""Under this name tracks are chosen where there are more than can be heard in reasonable time."""

_SHORTEST = SAMPLE_RATE // 10
_LONGEST = 10 * SAMPLE_RATE
_PENALTY = 0.05


class _Pair(NamedTuple):
    """What is heard of one track, its source, and the sources that lent it sound."""

    unchanged: NDArray[np.float64]
    changed: NDArray[np.float64]
    source: str
    lenders: frozenset[str]


@dataclass(frozen=True)
class Cue:
    """What the classifier made of one perturbed set.

    Attributes:
        conditions: The conditions that differ in proportion only, or not at all, in the sound.
        auroc: Mean over the folds of the AUROC of changed against unchanged; ``None`` where undefined.
        low: The lowest fold.
        high: The highest fold.
        tracks: How many tracks, each heard unchanged and changed.
        sources: From how many independent recordings.
        undefined: Why there is no value.
        donors_heard: Whether there were too few tracks to keep apart those that lend each other sound. The classifier
            then knows donors unchanged, which makes the value too low if anything.
    """

    conditions: tuple[str, ...]
    auroc: float | None
    low: float | None
    high: float | None
    tracks: int
    sources: int
    undefined: str = ""
    donors_heard: bool = False

    @property
    def flagged(self) -> bool:
        """Whether sound alone tells more than `FLAG`."""
        return self.auroc is not None and self.auroc > FLAG

    def to_dict(self) -> dict[str, Any]:
        """Return what ``audit.json`` holds."""
        return {**asdict(self), "flagged": self.flagged}


def cue_check(
    plan: Plan,
    tracks: Sequence[Track],
    lender: Lender,
    most: int,
    seed: int,
    in_all: int | None = None,
    everything: Sequence[Track] = (),
) -> tuple[Cue, ...]:
    """Measure for every set with changed sound how well sound alone gives the change away.

    Args:
        plan: The resolved suite.
        tracks: The tracks to choose from.
        lender: Gives donors' sound.
        most: The largest number of tracks to hear per set: the first ones, by hash, that it changes.
        seed: The suite's seed.
        in_all: About how many may be heard in all sets together; each gets the same number, 20 at the least.
        everything: All tracks of the data set, among them the donors; ``tracks`` if not given.
    """
    groups = _groups(plan)
    if in_all is not None and groups:
        most = min(most, max(in_all // len(groups), MIN_TRACKS))
    chooser = Chooser(seed, CHOICE)
    order = sorted(tracks, key=lambda track: (chooser.fraction("|".join(track.key)), track.key))
    changed = [_changed_by(group[0], order) for group in groups]
    # Where nothing will come of it nobody listens.
    wanted = [{track.key for track in found[:most]} if not _too_few(found) else set() for found in changed]
    sources = {track.key: track.source_id for track in everything or tracks}
    heard: list[list[_Pair]] = [[] for _ in groups]
    for track in order:
        here = [index for index, keys in enumerate(wanted) if track.key in keys]
        try:
            if here:
                found = _hear(track, [groups[index][0] for index in here], lender, sources)
                for index, pair in zip(here, found, strict=False):
                    heard[index].append(pair)
        except DataError:
            continue  # scoring will stop there, or skip it, as the user said
    names = [tuple(each.condition.name for each in group) for group in groups]
    return tuple(
        _judge(name, pairs) if pairs else _undefined(name, found)
        for name, pairs, found in zip(names, heard, changed, strict=True)
    )


def _groups(plan: Plan) -> list[list[ConditionPlan]]:
    """Return the conditions whose sound is changed alike, but for the proportion; the largest proportion first."""
    found: dict[str, list[ConditionPlan]] = {}
    for each in plan.conditions:
        if each.condition.perturbation in (None, DUBBED.perturbation):
            continue
        if any(_sound_edits(each, key) for key in each.decisions):
            found.setdefault(_identity(each), []).append(each)
    return [sorted(group, key=lambda each: -each.condition.proportion) for group in found.values()]


def _identity(plan: ConditionPlan) -> str:
    """Return what two conditions share that differ in proportion, or in what happens to the faces, only."""
    outcomes = [d.outcome for key in sorted(plan.decisions) for d in plan.decisions[key]]
    return digest([edit for outcome in outcomes for edit in split_media(outcome.edits)[0]])


def _sound_edits(plan: ConditionPlan, key: TrackKey) -> tuple[AudioEdit, ...]:
    return split_media(plan.edits(key))[0]


def _changed_by(plan: ConditionPlan, order: Sequence[Track]) -> list[Track]:
    return [track for track in order if _sound_edits(plan, track.key)]


def _too_few(tracks: Sequence[Track]) -> bool:
    return len(tracks) < MIN_TRACKS or len({track.source_id for track in tracks}) < MIN_SOURCES


def _undefined(names: tuple[str, ...], tracks: Sequence[Track]) -> Cue:
    sources = len({track.source_id for track in tracks})
    few = (
        f"{len(tracks)} changed tracks of {sources} sources; at least {MIN_TRACKS} of {MIN_SOURCES} are needed to fit "
        "a classifier on some sources and judge it on others"
    )
    reason = few if _too_few(tracks) else "no track of it could be read, or none lasts 0.1 s"
    return Cue(names, None, None, None, len(tracks), sources, reason)


def _hear(track: Track, plans: Sequence[ConditionPlan], lender: Lender, sources: Mapping[TrackKey, str]) -> list[_Pair]:
    """Return the features of a track's sound, unchanged and changed, for each plan; none where it is too short."""
    audio = track.media.audio()
    if len(audio) < _SHORTEST:
        return []
    unchanged = _row(audio)
    pairs = []
    for edits in (_sound_edits(plan, track.key) for plan in plans):
        donors = [donor.key for edit in edits for donor in getattr(edit, "donors", ())]
        lenders = frozenset(sources[key] for key in donors if key in sources)
        changed = edit_audio(audio, edits, track.media, lender)
        pairs.append(_Pair(unchanged, _row(changed), track.source_id, lenders))
    return pairs


def _row(audio: Int16Array) -> NDArray[np.float64]:
    found = features(audio[:_LONGEST])
    return np.array([found[name] for name in sorted(found)])


def _judge(names: tuple[str, ...], pairs: Sequence[_Pair]) -> Cue:
    sources = {pair.source for pair in pairs}
    if len(sources) < FOLDS:
        reason = f"only {len(pairs)} changed tracks of {len(sources)} sources could be read"
        return Cue(names, None, None, None, len(pairs), len(sources), reason)
    folds = list(_folds(pairs))
    kept = [_unheard(*fold) for fold in folds]
    enough = min(map(len, kept)) >= MIN_TRACKS // 2
    learnt = kept if enough else [learn for learn, _ in folds]
    found = [_fitted(learn, judge) for learn, (_, judge) in zip(learnt, folds, strict=True)]
    mean, low, high = (round(float(each), 4) for each in (np.mean(found), min(found), max(found)))
    return Cue(names, mean, low, high, len(pairs), len(sources), donors_heard=not enough)


def _folds(pairs: Sequence[_Pair]) -> Iterator[tuple[list[_Pair], list[_Pair]]]:
    """Yield pairs to learn from and pairs to judge; each source is judged once, and never learnt from then."""
    from sklearn.model_selection import GroupKFold

    sources = sorted({pair.source for pair in pairs})
    groups = [sources.index(pair.source) for pair in pairs]
    for learn, judge in GroupKFold(FOLDS).split(np.zeros((len(pairs), 1)), groups=groups):
        yield [pairs[index] for index in learn], [pairs[index] for index in judge]


def _fitted(learn: Sequence[_Pair], judge: Sequence[_Pair]) -> float:
    """Return the AUROC on some pairs of a classifier that is fitted on others."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=_PENALTY, max_iter=2000))
    model.fit(_rows(learn), _labels(learn))
    return float(roc_auc_score(_labels(judge), model.decision_function(_rows(judge))))


def _unheard(pairs: Sequence[_Pair], judged: Sequence[_Pair]) -> list[_Pair]:
    """Leave out what has lent sound to the judged tracks, or borrowed from them.

    A classifier that has heard a donor unchanged would take it for unchanged in its new place, and find less than
    nothing.
    """
    own = {pair.source for pair in judged}
    lent = {source for pair in judged for source in pair.lenders}
    return [pair for pair in pairs if pair.source not in lent and not pair.lenders & own]


def _rows(pairs: Sequence[_Pair]) -> NDArray[np.float64]:
    return np.array([row for pair in pairs for row in (pair.unchanged, pair.changed)])


def _labels(pairs: Sequence[_Pair]) -> NDArray[np.int64]:
    return np.tile([0, 1], len(pairs))
