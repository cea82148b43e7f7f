"""A data set and a suite -> one folder in the community layout per condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from asdbench.data import open_dataset
from asdbench.engine.activity import Meter
from asdbench.errors import DataError, NotComparableError, UsageError
from asdbench.materialize.finish import Finished, finish
from asdbench.materialize.folder import RESERVED, MaterializedSet, SetFolder, open_set
from asdbench.materialize.journal import Journal
from asdbench.materialize.measured import set_meter
from asdbench.materialize.track import FaceFormat, Recipe
from asdbench.materialize.workers import Setup, Task, write_tracks
from asdbench.perturb.plan import ConditionPlan, Plan, plan
from asdbench.records import provenance
from asdbench.records.folder import fingerprint
from asdbench.registry import unknown_name
from asdbench.suites import load_suite
from asdbench.types import Dataset, Suite, Track, TrackKey

Notify = Callable[[str], None]

_VERSIONS = ("asdbench", "numpy", "opencv-python-headless", "soundfile", "av")
"""What bytes on disk may depend on."""


def materialize(
    data: str | Path,
    suite: str | Path = "unsync",
    *,
    out: str | Path,
    format: str = "auto",  # noqa: A002 - the flag's name
    split: str = "val",
    data_options: Mapping[str, str] | None = None,
    conditions: Sequence[str] = (),
    faces: FaceFormat = "png",
    link: bool = False,
    workers: int | None = None,
    limit: int | None = None,
    seed: int | None = None,
    on_error: str = "stop",
    progress: bool | None = None,
    notify: Notify = lambda _: None,
) -> MaterializedSet:
    """Write every condition of a suite in the community layout; the same call continues what was stopped.

    Files that a condition leaves as they are hold the bytes of the data set's. Output depends neither on the number of
    workers nor on interruptions. Source: docs/method.md, sections 1, 2 and 5; the layout is that of the TalkNet
    preprocessing.

    Args:
        data: Folder of the data set, or ``demo-val``.
        suite: Name or TOML file of a suite.
        out: Folder of the set.
        format: Format of the data set; recognised by default.
        split: Part of the data set, and what the split is called in the layout.
        data_options: Choices that the format offers.
        conditions: Names of conditions to be written beside the clean one; all without any.
        faces: How changed faces, and faces cut out of a video, are encoded: ``jpg`` loses a little.
        link: Make hard links instead of copies.
        workers: Number of processes; as many as there are CPUs by default.
        limit: Write only the first tracks (in key order); the plan stays that of the whole data set.
        seed: Another seed than the suite's; the set is then *custom*.
        on_error: ``stop`` at broken media, or ``skip`` them and have them counted.
        progress: Whether to show a progress bar; on a terminal by default.
        notify: Told in a few words what happens.

    Raises:
        AsdbenchError: See ``asdbench.errors`` for the tree.

    Example:
        >>> asdbench.materialize.materialize("AVADataPath", "unsync", out="perturbed")  # doctest: +SKIP
    """
    if (workers is not None and workers < 1) or (limit is not None and limit < 1):
        raise UsageError("workers and limit: expected at least 1.")
    chosen = load_suite(suite)
    dataset = open_dataset(data, split, format, options=data_options)
    notify(f"planning {chosen.label} on {len(dataset.tracks):,} tracks of {dataset.name}")
    plan_ = plan(dataset.tracks, chosen, seed)
    order = _Order(chosen, dataset, dataset.tracks[:limit], plan_, _chosen(plan_, conditions), seed, split)
    recipe = Recipe(Path(out), split, faces, link, on_error == "skip")
    identity = order.identity() | {"faces": faces, "link": link}
    folder = SetFolder(recipe.root)
    earlier = folder.claim(identity)
    with folder.lock():
        if earlier and earlier.get("state") == "complete":
            Journal(recipe.root).remove()
            notify("this set is complete; delete its folder, or choose another --out, to write it again")
            return open_set(recipe.root)
        notify(f"{'continuing' if earlier else 'writing'} {folder.path}")
        record = order.record(identity)
        folder.write_record(record | {"state": "writing"})
        skipped = _write(order, recipe, workers, progress)
        if len(skipped) == len(order.tracks):
            raise DataError(f"none of the {len(skipped)} tracks could be written; the first: {skipped[min(skipped)]}")
        everything = order.dataset.tracks
        finish(folder, record, Finished(everything, order.tracks, order.conditions, recipe, skipped, order.meter))
    return open_set(recipe.root)


def _chosen(plan_: Plan, names: Sequence[str]) -> tuple[ConditionPlan, ...]:
    known = {each.condition.name: each for each in plan_.conditions}
    for name in names:
        if name not in known:
            raise unknown_name("condition", name, known)
    for name in known:
        if name.casefold() in RESERVED:
            raise UsageError(f"the condition {name!r} cannot be a folder of the set, which has a file of that name.")
    wanted = [each for each in known.values() if not names or each.condition.name in names]
    clean = plan_.conditions[0]
    return tuple(wanted if clean in wanted else [clean, *wanted])


@dataclass(frozen=True)
class _Order:
    """Everything resolved, ready to be written."""

    suite: Suite
    dataset: Dataset
    tracks: tuple[Track, ...]
    plan: Plan
    conditions: tuple[ConditionPlan, ...]
    seed: int | None
    split: str

    @cached_property
    def meter(self) -> Meter:
        """What is measured of the tracks."""
        return set_meter([each.condition for each in self.conditions], self.dataset.tracks)

    def identity(self) -> dict[str, Any]:
        """Return all that two starts must share to write the same bytes."""
        versions = provenance.versions()
        return {
            "data": {"fingerprint": self.dataset.fingerprint, "protocol": self.dataset.protocol},
            "split": self.split,
            "suite": {"name": self.suite.label, "sha256": self.suite.sha256},
            "plan_sha256": self.plan.sha256,
            "limit": len(self.tracks) if len(self.tracks) < len(self.dataset.tracks) else None,
            "conditions": [each.condition.name for each in self.conditions],
            "versions": {name: versions[name] for name in _VERSIONS},
        }

    def record(self, identity: dict[str, Any]) -> dict[str, Any]:
        """Return what the manifest says before anything is written."""
        import msgspec

        seed = self.seed
        return {
            "fingerprint": fingerprint(identity),
            "identity": identity,
            "custom": seed is not None and seed != self.suite.seed,
            "data": {
                "name": self.dataset.name,
                "format": self.dataset.format,
                "split": self.split,
                "notes": list(self.dataset.notes),
                **identity["data"],
            },
            "activity": self.meter.record(),
            "suite": {
                "name": self.suite.name,
                "version": self.suite.version,
                "sha256": self.suite.sha256,
                "seed": self.suite.seed if seed is None else seed,
                "conditions": [msgspec.to_builtins(each.condition) for each in self.conditions],
            },
            "plan": {
                "sha256": self.plan.sha256,
                "conditions": {each.condition.name: each.summary() for each in self.conditions if each.decisions},
            },
        }


def _write(order: _Order, recipe: Recipe, workers: int | None, progress: bool | None) -> dict[TrackKey, str]:
    """Write every track that is not there yet; return those that were left out, and why."""
    journal = Journal(recipe.root)
    waiting = [track for track in order.tracks if not _is_done(journal, track, order.meter.identity)]
    # The processes load what measures for themselves.
    setup = Setup(order.dataset.tracks, recipe, journal, replace(order.meter))
    hidden = None if progress is None else not progress
    results = write_tracks(setup, _tasks(waiting, order.conditions), workers, sum(map(len, order.tracks)), hidden)
    return {done.key: done.reason for done in results if done.reason is not None}


def _is_done(journal: Journal, track: Track, made_with: str) -> bool:
    written = journal.intact(track.key, made_with)
    if written is not None and written.stamp != track.media.stamp():
        raise NotComparableError(
            f"{journal.root}: the media of {track.entity_id!r} in video {track.video_id!r} have changed since they "
            "were written; delete the folder, or choose another --out."
        )
    return written is not None


def _tasks(tracks: Sequence[Track], conditions: Sequence[ConditionPlan]) -> Iterator[Task]:
    for track in tracks:
        yield Task(track.key, {each.condition.name: each.edits(track.key) for each in conditions})
