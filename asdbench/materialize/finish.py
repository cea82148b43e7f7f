"""What is written once all tracks are there: tables, rows, and the two manifests."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from asdbench.atomic import replacing
from asdbench.checkpoints.files import sha256_of
from asdbench.data.layout import CommunityLayout, TrackRows
from asdbench.engine.activity import Meter
from asdbench.engine.assemble import join
from asdbench.errors import DataError
from asdbench.materialize.folder import LISTING, SetFolder, rows_path
from asdbench.materialize.journal import Journal
from asdbench.materialize.measured import Columns, column, set_facts
from asdbench.materialize.track import FileLine, Recipe, TrackFiles
from asdbench.perturb.plan import ConditionPlan, Plan
from asdbench.records import provenance
from asdbench.records.facts import FACTS_FILE, write_facts
from asdbench.records.predictions import Predictions, write_predictions
from asdbench.types import IGNORE, Track, TrackKey

_LABELS = (
    "labels are those of the condition's policy; frames that no metric may count have counted = 0 and are written as "
    "NOT_SPEAKING; a file without the column counts every frame"
)
_FACES = (
    "a frame has one face file, .jpg where it is the data set's own, .png where it was changed or cut out of a video; "
    "loaders that look for *.jpg alone must look for both"
)
_CONTEXT = (
    "each track is there once, so a model that looks at several faces sees all of them changed where a condition "
    "changes faces, while asdbench run changes those of the target alone unless the condition says scope = scene"
)


@dataclass(frozen=True)
class Finished:
    """All tracks, written or left out.

    Attributes:
        everything: All tracks of the data set.
        tracks: The tracks that were asked for, by key.
        conditions: The conditions.
        recipe: How they were written.
        skipped: Tracks that were left out, and why.
        meter: What was measured of them.
    """

    everything: tuple[Track, ...]
    tracks: tuple[Track, ...]
    conditions: tuple[ConditionPlan, ...]
    recipe: Recipe
    skipped: Mapping[TrackKey, str]
    meter: Meter

    @property
    def kept(self) -> list[Track]:
        """The tracks that were written."""
        return [track for track in self.tracks if track.key not in self.skipped]


def finish(folder: SetFolder, record: Mapping[str, Any], finished: Finished) -> None:
    """Write tables, rows, plan and manifests, and declare the set complete.

    Raises:
        ResourceError: The disk is full.
        DataError: The journal is damaged.
    """
    journal = Journal(folder.path)
    failures = _failures(journal, finished)
    measured = {track.key: _written(journal, track).columns for track in finished.kept}
    write_facts(folder.path, set_facts(finished.everything, finished.kept, measured))
    conditions, own = {}, [folder.path / FACTS_FILE]
    for plan in finished.conditions:
        name = plan.condition.name
        rows, files = _write_condition(folder.path, plan, finished, failures.get(name, {}), measured)
        conditions[name] = _described(plan, rows, finished, failures.get(name, {}))
        own += files
    folder.write_plan(Plan(finished.conditions, "").records())
    own.append(folder.path / "plan.parquet")
    folder.write_skipped(_skipped(finished, failures))
    _prune(finished, failures)
    listing = _write_listing(folder.path, journal, finished, own)
    complete = {
        "counts": _counts(finished, failures),
        "conditions": conditions,
        "files": listing,
        "notes": [_LABELS, _FACES, _CONTEXT],
        "versions": provenance.versions(),
        "state": "complete",
    }
    folder.write_record({**record, **complete})
    journal.remove()


_Failures = dict[str, dict[TrackKey, str]]
"""Condition to the tracks that could not be made under it, and why."""


def _failures(journal: Journal, finished: Finished) -> _Failures:
    found: _Failures = {}
    for track in finished.kept:
        for condition, reason in _written(journal, track).failures.items():
            found.setdefault(condition, {})[track.key] = reason
    return found


def _written(journal: Journal, track: Track) -> TrackFiles:
    written = journal.read(track.key)
    if written is None:
        raise DataError(f"{journal.root}: the note of a track is gone from work/; run the same command again.")
    return written


def _write_condition(
    root: Path,
    plan: ConditionPlan,
    finished: Finished,
    failed: Mapping[TrackKey, str],
    measured: Mapping[TrackKey, Columns],
) -> tuple[Predictions, list[Path]]:
    """Write the rows and the tables of a condition; return the rows and all files."""
    tracks, name = finished.kept, plan.condition.name
    # NaN marks what could not be made, so that its rows count nowhere, as in a run.
    scores = {t.key: np.full(len(t), np.nan if t.key in failed else 0, np.float32) for t in tracks}
    columns = finished.meter.columns_of(plan.condition)
    rows = join(plan, tracks, scores, {each: column(measured, of) for each, of in columns.items()})
    path = rows_path(root, name)
    write_predictions(path, rows, scored=False)
    bounds = np.cumsum([0, *map(len, tracks)]).tolist()
    # The whole film is no part of the set, so nothing may be taken from beyond a track's ends.
    # What the annotation says of voices holds for the sound that was annotated.
    kept = plan.condition.perturbation is None
    described = [
        TrackRows(
            replace(track, audio_margin=(0, 0), voiced=track.voiced if kept else None), rows.label_after[start:stop]
        )
        for track, start, stop in zip(tracks, bounds[:-1], bounds[1:], strict=True)
        if track.key not in failed
    ]
    layout = CommunityLayout(root / name, finished.recipe.split)
    layout.write_tables(described)
    return rows, [path, *sorted((layout.root / "csv").glob("*.csv"))]


def _described(
    plan: ConditionPlan, rows: Predictions, finished: Finished, failed: Mapping[TrackKey, str]
) -> dict[str, Any]:
    name = plan.condition.name
    edits = [edit for track in finished.kept for edit in plan.edits(track.key)]
    counts = {"positive": 1, "negative": 0, "ignored": IGNORE}
    return {
        "folder": name,
        "rows": rows_path(Path(), name).as_posix(),
        "labels": plan.condition.labels,
        "frames": len(rows),
        **{text: int(np.count_nonzero(rows.label_after == value)) for text, value in counts.items()},
        "changed": int(np.count_nonzero(rows.changed)),
        "same_media_as_clean": not edits and not failed,
        "exact": all(not hasattr(edit, "made_with") for edit in edits),
        "made_with": sorted({edit.made_with for edit in edits if hasattr(edit, "made_with")}),
        "left_out": [list(key) for key in sorted(failed)],
    }


def _counts(finished: Finished, failures: _Failures) -> dict[str, int]:
    incomplete = {key for failed in failures.values() for key in failed}
    return {
        "tracks": len(finished.tracks),
        "skipped_tracks": len(finished.skipped),
        "incomplete_tracks": len(incomplete),
        "frames": sum(map(len, finished.kept)),
        "skipped_frames": sum(len(track) for track in finished.tracks if track.key in finished.skipped),
    }


def _skipped(finished: Finished, failures: _Failures) -> list[tuple[str, ...]]:
    tracks = [(*key, "track", reason) for key, reason in sorted(finished.skipped.items())]
    conditions = [
        (*key, f"condition {name}", reason) for name, failed in failures.items() for key, reason in failed.items()
    ]
    return [*tracks, *sorted(conditions)]


def _prune(finished: Finished, failures: _Failures) -> None:
    """Remove the folders of videos that have no track left."""
    for plan in finished.conditions:
        layout = CommunityLayout(finished.recipe.root / plan.condition.name, finished.recipe.split)
        for track in finished.tracks:
            if track.key in finished.skipped or track.key in failures.get(plan.condition.name, {}):
                for folder in (layout.wav(track).parent, layout.faces(track).parent):
                    with suppress(OSError):  # not empty, or never made
                        folder.rmdir()


def _write_listing(root: Path, journal: Journal, finished: Finished, own: list[Path]) -> dict[str, Any]:
    """Write ``manifest.csv``, a line per file; return what the manifest says of it."""
    number, size, origins = 0, 0, Counter[str]()
    with replacing(root / LISTING) as temporary:
        with temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(FileLine.__struct_fields__)
            for line in _all_lines(root, journal, finished, own):
                writer.writerow((line.path, line.bytes, line.sha256, line.origin))
                number, size = number + 1, size + line.bytes
                origins[line.origin] += 1
        sha256 = sha256_of(temporary)
    named = {origin: origins[origin] for origin in ("copied", "written", "lossy")}
    return {"listing": LISTING, "listing_sha256": sha256, "files": number, "bytes": size, **named}


def _all_lines(root: Path, journal: Journal, finished: Finished, own: list[Path]) -> Iterator[FileLine]:
    for track in finished.kept:
        for files in _written(journal, track).files.values():
            yield from files
    for path in own:
        yield FileLine(path.relative_to(root).as_posix(), path.stat().st_size, sha256_of(path), "written")
