"""The media behind a run: its data set opened again, its plan made again, both proved to be those that were scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from asdbench.config import named_values
from asdbench.data import open_dataset, shipped_data
from asdbench.engine.lender import TrackLender
from asdbench.errors import DataError, NotComparableError, UsageError
from asdbench.perturb.dubbed import DUBBED
from asdbench.perturb.plan import ConditionPlan, Plan, plan
from asdbench.report.run import Run
from asdbench.suites import load_suite
from asdbench.types import Condition, Dataset, Suite, Track, TrackKey

_DEMO = "demo"  # source of a setting: the data that come with asdbench, whatever lies in the current folder


@dataclass(frozen=True)
class Source:
    """What a run was scored on.

    Attributes:
        dataset: The data set.
        plan: What the run's suite does to it.
    """

    dataset: Dataset
    plan: Plan

    @cached_property
    def lender(self) -> TrackLender:
        """Lends what edits take from other tracks."""
        return TrackLender(self.dataset.tracks)

    @cached_property
    def tracks(self) -> Mapping[TrackKey, Track]:
        """The tracks by key."""
        return {track.key: track for track in self.dataset.tracks}

    def changes(self, condition: str) -> ConditionPlan:
        """Return what a condition does."""
        return self.plan[condition]


def open_source(run: Run, data: str | Path | None = None) -> Source:
    """Open the data set of a run, and make its plan again.

    Args:
        run: A finished run.
        data: Folder of the data set; as the run says by default.

    Raises:
        DataError: The data set is not there, or broken.
        NotComparableError: It is another than the run was scored on, or its plan cannot be made again.
        UsageError: The run does not say where its data are.
    """
    dataset = _dataset(run, data)
    wanted = run.record["identity"]["data"]["fingerprint"]
    if dataset.fingerprint != wanted:
        raise NotComparableError(
            f"{run.path}: scored on other data than these ({dataset.name}: fingerprint {dataset.fingerprint[:12]}, "
            f"the run has {wanted[:12]}); give the same data set with --data FOLDER."
        )
    return Source(dataset, _plan(run, dataset))


def _dataset(run: Run, data: str | Path | None) -> Dataset:
    config = run.record["config"]
    recorded = config.get("data", {})
    if data is None and recorded.get("source") == _DEMO:
        data = shipped_data()
    elif data is None:
        data = recorded.get("value")
    if data is None:
        raise UsageError(
            f"{run.path}: the run was scored from given predictions and does not say where its media are; "
            "add --data FOLDER with the data set from which they were made."
        )
    given = {name: config[name]["value"] for name in ("split", "format", "data_option") if name in config}
    data_format = given.get("format", run.record["data"]["format"])
    options = named_values(given.get("data_option", ()))
    try:
        return open_dataset(data, given.get("split", "val"), data_format, options=options)
    except DataError as error:
        hint = "the gallery shows faces and sound, so it needs the data set; say where it is with --data FOLDER"
        raise DataError(f"{run.path}: {error} ({hint})") from error


def _plan(run: Run, dataset: Dataset) -> Plan:
    wanted = run.record["identity"]["plan_sha256"]
    found = plan(dataset.tracks, _suite(run))
    if found.sha256 != wanted:
        raise NotComparableError(
            f"{run.path}: the plan made again from its suite is another (hash {found.sha256[:12]}, the run has "
            f"{wanted[:12]}), so what was changed cannot be shown; use the versions that run.json names "
            f"(asdbench {run.record['versions'].get('asdbench', 'of an earlier release')})."
        )
    return found


def _suite(run: Run) -> Suite:
    """Return the suite with the seed that was used, from the record alone: its file may have changed or be gone."""
    record = run.record["suite"]
    conditions = tuple(each for each in run.conditions.values() if each.perturbation != DUBBED.perturbation)
    label = f"{record['name']}@{record['version']}"
    if "set" in run.record["config"]:
        # Predictions were perhaps not given for all conditions, but the plan was made for all.
        conditions = _all_conditions(run, label)
    return Suite(record["name"], record["version"], record["seed"], "", conditions, record["sha256"], label)


def _all_conditions(run: Run, label: str) -> tuple[Condition, ...]:
    wanted = run.record["suite"]["sha256"]
    own = [each for each in run.conditions.values() if each.perturbation != DUBBED.perturbation]
    try:
        suite = load_suite(label)
    except UsageError:  # a suite of the user's own; that all of its conditions are there is a guess, the hash decides
        return tuple(own)
    return suite.conditions if suite.sha256 == wanted else tuple(own)
