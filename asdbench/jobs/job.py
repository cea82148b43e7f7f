"""A run of which everything is resolved: model, data, plan. It scores, then writes the run folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from asdbench.adapters import LoadedModel
from asdbench.atomic import write_json
from asdbench.config import Config
from asdbench.engine.activity import SHARPNESS, Meter
from asdbench.engine.assemble import assemble
from asdbench.engine.auditing import audit_plan
from asdbench.engine.facts import row_facts
from asdbench.engine.loop import Skipped, score_tracks
from asdbench.engine.medium import media_digest
from asdbench.engine.memory import Remembered
from asdbench.engine.tracks import TrackEvaluator
from asdbench.errors import NotComparableError
from asdbench.jobs.engines import device_record, job_engine, job_memory, memory_record
from asdbench.jobs.finish import finish
from asdbench.jobs.record import job_identity, job_record
from asdbench.perturb.plan import Plan
from asdbench.records.facts import write_facts
from asdbench.records.folder import AUDIT_FILE, RunFolder, default_folder
from asdbench.records.predictions import predictions_path, write_predictions
from asdbench.records.shards import Shards, TrackFacts
from asdbench.report.run import Run, open_run
from asdbench.types import Dataset, Suite, Track, TrackKey


@dataclass(frozen=True)
class Job:
    """Everything resolved, ready to be scored.

    Attributes:
        config: The settings.
        suite: What to score under.
        dataset: What to score on.
        tracks: Those of its tracks that are scored.
        model: What is scored.
        device: Torch device.
        plan: The suite, resolved on the data set.
        own_model: Whether the model was given as an object, which the settings do not name.
    """

    config: Config
    suite: Suite
    dataset: Dataset
    tracks: Sequence[Track]
    model: LoadedModel
    device: str
    plan: Plan
    own_model: bool = False

    @cached_property
    def identity(self) -> dict[str, Any]:
        """All that two runs must share to be the same run."""
        return job_identity(self)

    @property
    def plan_seeds(self) -> int:
        """How many plans there are."""
        return self.config.settings.plan_seeds

    @property
    def seed(self) -> int:
        """What the plan was drawn with."""
        given = self.config.settings.seed
        return self.suite.seed if given is None else given

    @property
    def folder(self) -> RunFolder:
        """Where the run is written."""
        settings = self.config.settings
        if settings.out:
            return RunFolder(Path(settings.out))
        names = self.model.name, self.suite.name, self.dataset.name
        return RunFolder(default_folder(Path(settings.runs), *names, self.identity))

    @cached_property
    def meter(self) -> Meter:
        """What is measured beside the scores."""
        annotated = all(track.voiced is not None for track in self.dataset.tracks)
        return Meter(self.model.scorer, tuple(each.condition for each in self.plan.conditions), annotated)

    @cached_property
    def memory(self) -> Remembered | None:
        """Where embeddings of the model are kept for later runs."""
        return job_memory(self)

    @cached_property
    def stamp(self) -> Callable[[Track], str]:
        """Tells of a track whether its files, and those of its neighbours, are the same as ever."""
        return TrackEvaluator(self.model.scorer, self.plan, self.dataset.tracks, self.model.name).stamp

    def require_same_media(self, folder: RunFolder, stamps: Mapping[str, str]) -> None:
        """Refuse to take scores for those of files that have changed since.

        Args:
            folder: Where the scores are.
            stamps: ``video_id|entity_id`` to the stamp of the media that were scored.

        Raises:
            NotComparableError: Some have changed.
        """
        changed = [track for track in self.tracks if stamps.get("|".join(track.key)) not in (None, self.stamp(track))]
        if changed:
            raise NotComparableError(
                f"{folder.path}: the media of {len(changed)} tracks have changed since they were scored, the first "
                f"those of {changed[0].entity_id!r} in video {changed[0].video_id!r}; delete the folder, or choose "
                "another --out."
            )

    def execute(self, folder: RunFolder, progress: bool | None, notify: Callable[[str], None] = lambda _: None) -> Run:
        """Score, then write everything that is computed from scores.

        Args:
            folder: Claimed and locked.
            progress: Whether to show a progress bar; on a terminal by default.
            notify: Told which stage begins.

        Raises:
            AsdbenchError: See ``asdbench.errors`` for the tree.
        """
        started = time.time()
        record = job_record(self)
        folder.write_record(record | {"state": "running"})
        folder.write_plan(self.plan.records())
        names = tuple(condition.condition.name for condition in self.plan.scored)
        shards = Shards(folder.path, names, self.meter.columns, self.meter.identity)
        engine = job_engine(self)
        self.require_same_media(folder, _stamps(shards.facts()))
        record["audit"], audit_seconds = self._audit(folder, notify)
        done = shards.done()
        notify(f"scoring {len(self.tracks):,} tracks" + (f", {len(done):,} of them done" if done else ""))
        skipped = score_tracks(engine, self.tracks, shards, self.config.settings.on_error, progress)
        facts = shards.facts()
        notify("writing predictions, numbers and report")
        self._write_predictions(folder, shards, skipped)
        failures = [(*key, "conditions", known.failure) for key, known in sorted(facts.items()) if known.failure]
        folder.write_skipped([*((*entry.key, "track", entry.reason) for entry in skipped), *failures])
        record["counts"] = self._counts(skipped) | {"incomplete_tracks": len(failures)}
        record["data"]["media_digest"] = media_digest({key: known.medium for key, known in facts.items()})
        record["timings"] = self._wall(started, done) | {"audit_seconds": audit_seconds} | engine.timings.record()
        record["engine"], record["device"] = engine.record(), device_record(self, engine)
        record["memory"] = memory_record(self, engine)
        folder.write_stamps(_stamps(facts))
        finish(folder, record)
        folder.write_record(record | {"state": "complete"})
        shards.remove()
        return open_run(folder.path)

    def _audit(self, folder: RunFolder, notify: Callable[[str], None]) -> tuple[dict[str, Any] | None, float]:
        """Measure what the plan does before hours of scoring rely on it; return a summary, and the seconds it took."""
        sample = self.config.settings.audit
        if sample == "off" or len(self.plan.conditions) == 1:
            (folder.path / AUDIT_FILE).unlink(missing_ok=True)
            return None, 0.0
        notify("measuring what the plan changes")
        started = time.perf_counter()
        found = audit_plan(self.plan, self.tracks, self.dataset.tracks, sample, self.seed)
        write_json(folder.path / AUDIT_FILE, found.to_dict())
        found.audit.require()
        return found.summary(), round(time.perf_counter() - started, 3)

    def _wall(self, started: float, done: Set[TrackKey]) -> dict[str, float]:
        earlier = [track for track in self.tracks if track.key in done]
        return {
            "wall_seconds": round(time.time() - started, 3),
            "tracks_from_earlier_starts": len(earlier),
            "frames_from_earlier_starts": sum(map(len, earlier)),
        }

    def _counts(self, skipped: Sequence[Skipped]) -> dict[str, int]:
        gone = {entry.key for entry in skipped}
        return {
            "tracks": len(self.tracks),
            "skipped_tracks": len(skipped),
            "frames": sum(len(track) for track in self.tracks if track.key not in gone),
            "skipped_frames": sum(len(track) for track in self.tracks if track.key in gone),
        }

    def _write_predictions(self, folder: RunFolder, shards: Shards, skipped: Sequence[Skipped]) -> None:
        gone = {entry.key for entry in skipped}
        scored = [track for track in self.tracks if track.key not in gone]
        for condition in self.plan.scored:
            path = predictions_path(folder.path, condition.condition.name)
            write_predictions(path, assemble(condition, scored, shards, self.meter))
        write_facts(folder.path, row_facts(self.dataset.tracks, scored, shards.column(SHARPNESS)))


def _stamps(facts: Mapping[TrackKey, TrackFacts]) -> dict[str, str]:
    return {"|".join(key): known.stamp for key, known in sorted(facts.items())}
