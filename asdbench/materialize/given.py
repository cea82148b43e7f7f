"""Predictions that somebody else's code made on a materialised set -> everything that a run folder records."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from asdbench.atomic import replacing
from asdbench.checkpoints.files import sha256_of
from asdbench.materialize.folder import MaterializedSet
from asdbench.predictions.files import find_files
from asdbench.predictions.join import join_scores
from asdbench.predictions.table import Scale, log_odds, read_table_of
from asdbench.records import provenance
from asdbench.records.facts import FACTS_FILE
from asdbench.records.folder import fingerprint
from asdbench.records.predictions import Predictions
from asdbench.types import BoolArray

_DEFAULT_NAME = "given"
_UNMEASURED = {"missing": "the set is of an earlier release, which measured neither voice nor lips; write it again."}


@dataclass(frozen=True)
class Given:
    """Predictions, joined to the rows of a set.

    Attributes:
        made: The set.
        name: What the model is called.
        scale: What its scores are.
        files: Condition to file; a condition without edits may share that of the clean one.
        predictions: Condition to rows with scores.
        clipped: Condition to how many probabilities were too near to 0 or 1.
        notes: What a reader of the results must know.
    """

    made: MaterializedSet
    name: str
    scale: Scale
    files: Mapping[str, Path]
    predictions: Mapping[str, Predictions]
    clipped: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Conditions without predictions."""
        return tuple(name for name in self.made.conditions if name not in self.predictions)

    def identity(self) -> dict[str, Any]:
        """Return all that two runs must share to be the same run."""
        made = self.made.manifest["identity"]
        parts = {condition: sha256_of(path) for condition, path in self.files.items()}
        state = hashlib.sha256(repr((self.scale, sorted(parts.items()))).encode())
        return {
            "model": {
                "adapter": _DEFAULT_NAME,
                "adapter_version": 1,
                "checkpoint_sha256": None,
                "fingerprint": state.hexdigest(),
                "name": self.name,
                "dtype": "float32",
                "device": _DEFAULT_NAME,
                "torch": None,
            },
            **{part: made[part] for part in ("data", "suite", "plan_sha256", "limit")},
            "conditions": list(self.predictions),
        }

    def record(self) -> dict[str, Any]:
        """Return the content of ``run.json``."""
        identity, manifest = self.identity(), self.made.manifest
        kept = [c for name, c in self.made.conditions.items() if name in self.predictions]
        data = {key: manifest["data"][key] for key in ("name", "format", "fingerprint", "protocol")}
        model = {"checkpoint": None, "parameters": None, "trained_on": None}
        plans = manifest["plan"]["conditions"]
        return {
            "fingerprint": fingerprint(identity),
            "identity": identity,
            "config": {
                "set": {"value": str(self.made.path), "source": "argument"},
                "predictions": {"value": {k: str(v) for k, v in self.files.items()}, "source": "argument"},
                "scores": {"value": self.scale, "source": "argument"},
            },
            "custom": manifest["custom"],
            "model": {**identity["model"], **model, "clipped_probabilities": sum(self.clipped.values())},
            "data": {**data, "notes": [*manifest["data"]["notes"], *self.notes], "media_digest": None},
            "suite": {**manifest["suite"], "conditions": [msgspec.to_builtins(each) for each in kept]},
            "plan": {**manifest["plan"], "conditions": {k: v for k, v in plans.items() if k in self.predictions}},
            "activity": manifest.get("activity", _UNMEASURED),
            "device": None,
            "versions": provenance.versions(),
            "machine": provenance.machine(),
            "git": provenance.git(),
            "counts": manifest["counts"],
        }

    def copy_records(self, folder: Path) -> None:
        """Copy what the set records of its making into a run folder."""
        for name in ("plan.parquet", "skipped.csv", FACTS_FILE):
            source = self.made.path / name
            if source.is_file():
                with replacing(folder / name) as temporary:
                    shutil.copyfile(source, temporary)


def read_given(made: MaterializedSet, given: Path, scale: Scale, name: str | None = None) -> Given:
    """Read predictions and join them to the rows of a set.

    Args:
        made: The set.
        given: A folder with a file per condition, or a file (`asdbench.predictions.files`).
        scale: Whether scores are log-odds or probabilities.
        name: What to call the model.

    Raises:
        DataError: A frame has two scores or none, a score is no number, or belongs to no frame.
        UsageError: Two files are for one condition, or a file is for none.
    """
    files = find_files(given, list(made.conditions))
    clean = next(iter(made.conditions))
    for condition in made.conditions:
        # Nothing was changed there, so what was predicted on the clean media holds.
        if made.unchanged(condition):
            files.setdefault(condition, files[clean])
    ordered = {condition: files[condition] for condition in made.conditions if condition in files}
    predictions, clipped, within = {}, {}, True
    for condition, path in ordered.items():
        left_out = made.left_out(condition)
        table = read_table_of(path).without(left_out)
        scores, clipped[condition] = log_odds(table, scale)
        within = within and bool(((table.values >= 0) & (table.values <= 1)).all())
        rows = made.rows(condition)
        wanted = ~_rows_of(rows, left_out)
        predictions[condition] = replace(rows, score=join_scores(table, scores, rows, wanted, condition))
    found = Given(made, name or _DEFAULT_NAME, scale, ordered, predictions, clipped, ())
    return replace(found, notes=_notes(found, within))


def _rows_of(rows: Predictions, keys: Sequence[tuple[str, str]]) -> BoolArray:
    mask = np.zeros(len(rows), np.bool_)
    for video, entity in keys:
        mask |= (rows.video_id == video) & (rows.entity_id == entity)
    return mask


def _notes(found: Given, within: bool) -> tuple[str, ...]:
    notes = [f"scored from given predictions, taken for {_SCALES[found.scale]}"]
    clean, *others = found.files
    shared = [name for name in others if found.files[name] == found.files[clean]]
    if shared:
        notes.append(f"the predictions for {clean} serve for {', '.join(shared)} too, whose media are the same")
    if found.missing:
        notes.append(f"no predictions were given for {', '.join(found.missing)}")
    if found.scale == "logit" and within:
        notes.append("all scores lie within 0 and 1: were they probabilities, the threshold fixed:0.5 would be another")
    clipped, total = sum(found.clipped.values()), sum(map(len, found.predictions.values()))
    if clipped:
        notes.append(
            f"{clipped:,} of {total:,} probabilities were too near to 0 or 1 and were clipped to log-odds of 30"
        )
    return tuple(notes)


_SCALES = {"logit": "log-odds", "probability": "probabilities"}
