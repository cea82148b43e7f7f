"""A finished run: its numbers as DataFrames, its rows, its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from asdbench.analysis.rows import RunRows
from asdbench.analysis.run import run_metrics
from asdbench.config import resample_count
from asdbench.errors import DataError
from asdbench.metrics.bootstrap import RESAMPLES
from asdbench.perturb.repeats import MARK
from asdbench.records.facts import read_facts
from asdbench.records.folder import RunFolder
from asdbench.records.older import upgraded, upgraded_record
from asdbench.records.predictions import Predictions, predictions_path, read_predictions
from asdbench.registry import unknown_name
from asdbench.report.conclusion import conclude
from asdbench.report.table import Table
from asdbench.report.tables import build_tables
from asdbench.report.warnings import find_warnings
from asdbench.types import Condition

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Run:
    """A run folder, read.

    Attributes:
        path: The folder.
        record: Content of ``run.json``.
        metrics: Content of ``metrics.json``, or what was recomputed from the predictions.
    """

    path: Path
    record: Mapping[str, Any] = field(repr=False)
    metrics: Mapping[str, Any] = field(repr=False)

    @property
    def model(self) -> str:
        """Name of the model."""
        return str(self.record["model"]["name"])

    @cached_property
    def conditions(self) -> dict[str, Condition]:
        """The conditions of the suite, by name, the clean one first."""
        return {c["name"]: Condition(**c) for c in self.record["suite"]["conditions"]}

    @cached_property
    def repeats(self) -> dict[str, tuple[Condition, ...]]:
        """Name of a condition to the same under further plans (``--plan-seeds``)."""
        found: dict[str, tuple[Condition, ...]] = {}
        for each in self.record["plan"].get("repeats", ()):
            name = each["name"].rpartition(MARK)[0]
            found[name] = (*found.get(name, ()), Condition(**each))
        return found

    @cached_property
    def conclusion(self) -> str:
        """What the numbers mean: one sentence, and a second one where there are dubbed tracks."""
        return conclude(self.model, self.metrics)

    @cached_property
    def tables(self) -> dict[str, Table]:
        """All tables by name."""
        plan = self.record["plan"]["conditions"]
        return {table.name: table for table in build_tables(self.metrics, plan, self.audit)}

    @cached_property
    def audit(self) -> dict[str, Any] | None:
        """Content of ``audit.json``: what was measured before scoring; ``None`` where that was switched off."""
        return RunFolder(self.path).read_audit()

    @property
    def table(self) -> pd.DataFrame:
        """The robustness table: one row per condition, raw values, undefined ones missing."""
        return self.frame("robustness")

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the numbers must not overlook."""
        return tuple(find_warnings(self.record, self.metrics))

    def frame(self, table: str) -> pd.DataFrame:
        """Return a table of ``tables`` as a DataFrame: its columns are the keys of metrics.json, undefined is missing.

        Raises:
            UnknownNameError: The run has no such table.
        """
        found: Table = self._named(table, self.tables, "table")
        return found.to_frame()

    def predictions(self, condition: str = "clean") -> pd.DataFrame:
        """Return the rows of a condition: keys, labels before and after, what was changed, scores.

        Raises:
            UnknownNameError: The run has no such condition.
            DataError: The file is missing or broken.
        """
        repeats = {repeat.name: repeat for group in self.repeats.values() for repeat in group}
        self._named(condition, self.conditions | repeats, "condition")
        return self.read(condition).to_frame()

    def read(self, condition: str) -> Predictions:
        """Return the rows of a condition as arrays."""
        return read_predictions(predictions_path(self.path, condition))

    @property
    def rows(self) -> RunRows:
        """What every number is computed from."""
        protocol = self.record["data"]["protocol"]
        annotated = (self.record.get("activity") or {}).get("voice") == "annotation"
        return RunRows(
            self.conditions,
            self.read,
            read_facts(self.path),
            protocol,
            resamples=self._resamples,
            voice_annotated=annotated,
            repeats=self.repeats,
        )

    def recomputed(self, resamples: int | str | None = None) -> Run:
        """Return this run with every number computed again from its predictions.

        Args:
            resamples: How many resamples the intervals rest on, or ``off``; as many as they do by default.

        Raises:
            UsageError: No such number of resamples.
        """
        counts = {key: self.record["counts"][key] for key in ("tracks", "skipped_tracks", "incomplete_tracks")}
        rows = self.rows if resamples is None else replace(self.rows, resamples=resample_count(resamples))
        return Run(self.path, self.record, counts | run_metrics(rows))

    @property
    def _resamples(self) -> int:
        """As many as ``metrics.json`` rests on; while that is not there, as the settings say."""
        if "units" in self.metrics:
            return int(self.metrics["units"]["resamples"])
        setting = self.record["config"].get("resamples")
        return RESAMPLES if setting is None else resample_count(setting["value"])

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "run": str(self.path),
            "model": self.record["model"],
            "data": self.record["data"],
            "suite": {key: self.record["suite"][key] for key in ("name", "version", "sha256")},
            "conclusion": self.conclusion,
            "warnings": self.warnings,
            "metrics": self.metrics,
        }

    @staticmethod
    def _named(name: str, known: Mapping[str, Any], kind: str) -> Any:
        if name not in known:
            raise unknown_name(kind, name, known)
        return known[name]

    def _repr_html_(self) -> str:
        return str(self.table.to_html(index=False))


def open_run(path: str | Path) -> Run:
    """Open a run folder.

    Raises:
        DataError: Not a run folder, or the run is not finished.
    """
    folder = RunFolder(Path(path))
    record = folder.read_record()
    metrics_file = folder.path / "metrics.json"
    if record.get("state") != "complete" or not metrics_file.is_file():
        raise DataError(f"{folder.path}: the run is not finished; run the same command again, it continues.")
    try:
        metrics = msgspec.json.decode(metrics_file.read_bytes(), type=dict)
        return Run(folder.path, upgraded_record(record), upgraded(metrics, record["schema"]))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{metrics_file}: not readable as JSON ({error}); run the same command again.") from error
