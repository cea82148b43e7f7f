"""From names and paths to finished trainings: recipe, what it starts from, data, device."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asdbench.data import open_dataset
from asdbench.devices import choose_device
from asdbench.errors import NotComparableError, UsageError
from asdbench.jobs.training import Notify, Trained, TrainingJob, require_lightning
from asdbench.training.recipe import Recipe
from asdbench.training.recipes import load_recipe
from asdbench.types import Dataset

if TYPE_CHECKING:
    from asdbench.report.run import Run

EPOCHS_FILE = "epochs.csv"
"""The table of each epoch's run, with its epoch from 1 in front."""

RunSuite = Callable[..., "Run"]

_RUN = "run"  # folder beside the weights of an epoch


@dataclass(frozen=True)
class Request:
    """What is to be trained, but for the recipe.

    Attributes:
        dataset: On what.
        seed: Of weights, batches and augmentation.
        root: Where derived folders lie.
        device: Torch device.
        devices: How many of them.
        workers: Processes that prepare batches.
        progress: Whether to show bars.
        notify: Told what happens.
    """

    dataset: Dataset
    seed: int
    root: Path
    device: str
    devices: int
    workers: int
    progress: bool
    notify: Notify

    def train(self, recipe: Recipe, **more: Any) -> Trained:
        """Train a recipe after those that it starts from, each once."""
        starts = tuple(self.train(load_recipe(start.recipe)) for start in recipe.start)
        job = TrainingJob(
            recipe, self.dataset, self.seed, self.root, starts,
            device=self.device, devices=self.devices, workers=self.workers, progress=self.progress, **more,
        )  # fmt: skip
        return job.execute(self.notify)


def train_recipe(
    recipe: str | Path,
    data: str | Path,
    *,
    seed: int,
    out: Path | None,
    root: Path,
    split: str,
    data_format: str,
    data_options: Mapping[str, str],
    changes: Sequence[str],
    files: Mapping[str, Path],
    device: str,
    devices: int,
    workers: int,
    threads: int | None,
    progress: bool,
    measure: EpochMeasure | None,
    notify: Notify,
) -> Trained:
    """Train a recipe by name or file; see `asdbench.api.train`."""
    require_lightning()
    if devices < 1 or workers < 0:
        raise UsageError(f"devices = {devices} and workers = {workers}: expected at least one device, no less than 0.")
    wanted, chosen = load_recipe(recipe, changes), choose_device(device)
    dataset = open_dataset(data, split, data_format, options=data_options)
    if measure is not None:
        _warn_of_shared_videos(dataset, measure, notify)
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        request = Request(dataset, seed, root, chosen, devices, workers, progress, notify)
        return request.train(wanted, out=out, files=files, measure=measure)
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class EpochMeasure:
    """Runs a suite on the weights of each epoch, and keeps its table in ``epochs.csv``.

    Attributes:
        run: `asdbench.api.run`.
        suite: Name or file.
        data: Folder of the data set to measure on.
        split: Part of it.
        device: Torch device.
    """

    run: RunSuite
    suite: str
    data: str
    split: str
    device: str

    def __call__(self, epoch: int, checkpoint: Path) -> None:
        """Measure an epoch, counted from 0."""
        import pandas as pd

        from asdbench.atomic import write_text

        try:
            found = self._run(checkpoint)
        except NotComparableError:
            # Left by a start that was killed here, and that had other weights: on a GPU not every bit comes out alike.
            shutil.rmtree(checkpoint.parent / _RUN)
            found = self._run(checkpoint)
        path = checkpoint.parents[2] / EPOCHS_FILE
        table = found.table.assign(epoch=epoch + 1)
        table = table[["epoch", *(column for column in table if column != "epoch")]]
        if path.exists():
            earlier = pd.read_csv(path)
            table = pd.concat([earlier[earlier["epoch"] <= epoch], table])
        write_text(path, table.to_csv(index=False))

    def _run(self, checkpoint: Path) -> Run:
        return self.run(
            "auto", self.suite, self.data, checkpoint=checkpoint, split=self.split, device=self.device,
            out=checkpoint.parent / _RUN, progress=False,
        )  # fmt: skip


def _warn_of_shared_videos(dataset: Dataset, measure: EpochMeasure, notify: Notify) -> None:
    videos = partial(map, lambda track: track.video_id)
    shared = set(videos(dataset.tracks)) & set(videos(open_dataset(measure.data, measure.split).tracks))
    if shared:
        notify(
            f"warning: {len(shared)} videos are in both the training data and those to measure on (the first is "
            f"{min(shared)!r}); what is measured says nothing of faces that the model has not seen."
        )
