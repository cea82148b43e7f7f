"""The training loop, on Lightning Fabric: devices, processes and precision are its business.

A batch and all that is drawn for it follow from the seed and from its place, so a training that was killed goes on to
the same curve and the same weights. With several devices each process takes its share of the batches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from asdbench.errors import TrainingError
from asdbench.training.batch import Moment
from asdbench.training.beginning import begin
from asdbench.training.freezing import freeze, settle_norms, train_unfrozen
from asdbench.training.loader import BatchLoader
from asdbench.training.log import board, read_log, write_log
from asdbench.training.objectives import Objective, objective_for
from asdbench.training.recipe import Recipe
from asdbench.training.result import write_epoch, write_weights
from asdbench.training.schedule import learning_rate
from asdbench.training.source import training_source
from asdbench.training.state import State, read_state, write_state
from asdbench.types import Track

if TYPE_CHECKING:
    from lightning_fabric import Fabric

STATE_SECONDS = 60.0
"""How much of its work a killed training may lose."""

_SETTLING = 1 << 20  # counted as an epoch that no training has, so that its batches are drawn anew

Measure = Callable[[int, Path], None]
"""What is done with the weights of a finished epoch: its number from 0, and the file."""


def print_nothing(_: str) -> None:
    """Be told something, and keep it to oneself."""


@dataclass(frozen=True)
class Training:
    """Everything resolved; goes to each process.

    Attributes:
        recipe: What is trained.
        tracks: On what.
        seed: Of weights, batches and augmentation.
        folder: Where state, log and weights go.
        initial: Weights that replace random ones, by official key.
        about: What the metadata of the weights say beside the recipe.
        workers: Processes that prepare batches; 0 for none.
        progress: Whether to show a bar.
        measure: See `Measure`.
        notify: Told what is left out. With several devices this and ``measure`` must be picklable.
    """

    recipe: Recipe
    tracks: Sequence[Track]
    seed: int
    folder: Path
    initial: Mapping[str, Tensor]
    about: Mapping[str, str]
    workers: int = 0
    progress: bool = False
    measure: Measure | None = None
    notify: Callable[[str], None] = print_nothing


def fit(fabric: Fabric, training: Training) -> float:
    """Train, from the beginning or from where an earlier start was killed.

    Returns:
        Seconds that it took, those of earlier starts included as far as their work was kept.

    Raises:
        TrainingError: The loss is not finite.
        DataError: Media are missing or broken.
        UsageError: Tracks or recipe do not fit together.
    """
    recipe, folder, spent = training.recipe, training.folder, 0.0
    torch.manual_seed(training.seed)
    objective = objective_for(recipe)
    begin(objective, training.initial)
    freeze(objective.network, recipe.frozen)
    if recipe.epochs and any(parameter.requires_grad for parameter in objective.parameters()):
        spent = _Loop(fabric, training, objective).run()
    if fabric.is_global_zero:
        write_weights(folder, objective, recipe, training.about)
    return spent


class _Loop:
    def __init__(self, fabric: Fabric, training: Training, objective: Objective) -> None:
        begun = time.monotonic()
        self.fabric, self.training, self.recipe = fabric, training, training.recipe
        self.objective = objective
        self.quiet = not (training.progress and fabric.is_global_zero)
        source = training_source(training.tracks, self.recipe, objective, fabric.device, self.quiet)
        if fabric.is_global_zero:
            for note in source.notes:
                training.notify(note)
        self.loader = BatchLoader(source, self.recipe, training.seed, training.workers)
        self.state = read_state(training.folder)
        self.rows: list[dict[str, float]] = [] if self.state is None else read_log(training.folder, self.state.rows)
        self.fresh: list[tuple[dict[str, float], dict[str, Tensor]]] = []
        parameters = [parameter for parameter in objective.parameters() if parameter.requires_grad]
        self.module, self.optimizer = fabric.setup(objective, _optimizer(self.recipe, parameters))
        if self.state is not None:
            objective.network.load_state_dict(self.state.network)
            self.optimizer.load_state_dict(self.state.optimizer)
        self.board = board(training.folder, len(self.rows)) if fabric.is_global_zero else None
        self.begun = begun - (self.state.seconds if self.state else 0.0)
        self.saved = time.monotonic()

    def run(self) -> float:
        first, batch = (0, 0) if self.state is None else (self.state.epoch, self.state.batch)
        for epoch in range(first, self.recipe.epochs):
            self._epoch(epoch, batch)
            batch = 0
        if self.board is not None:
            self.board.finalize("success")
        return time.monotonic() - self.begun

    def _epoch(self, epoch: int, start: int) -> None:
        train_unfrozen(self.objective.network)
        world, rank = self.fabric.world_size, self.fabric.global_rank
        count = self.loader.count(epoch, world)
        shown = tqdm(
            total=count,
            initial=start,
            desc=f"{self.recipe.name} epoch {epoch + 1}/{self.recipe.epochs}",
            unit="batch",
            disable=self.quiet,
        )
        with shown:
            for number, batch in self.loader.batches(epoch, start, rank, world):
                moment = self._moment(epoch, number, count)
                self._step(batch.to(self.fabric.device), moment, number, count)
                shown.update()
                if time.monotonic() - self.saved > STATE_SECONDS:
                    shown.set_postfix(loss=f"{self._flush():.3f}")
                    self._save(epoch, number + 1)
        self._flush()
        self._finish(epoch)

    def _moment(self, epoch: int, number: int, count: int) -> Moment:
        place = (self.training.seed, epoch, number, self.fabric.global_rank)
        seed = int(np.random.SeedSequence(place).generate_state(1, np.uint64)[0] >> np.uint64(1))
        epochs = self.recipe.epochs
        return Moment(epoch, epochs, (min(epoch, epochs - 1) + number / max(count, 1)) / epochs, seed)

    def _step(self, batch: Any, moment: Moment, number: int, count: int) -> None:
        rate = learning_rate(self.recipe.optimizer, moment.epoch, moment.progress + 1 / count / moment.epochs)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(moment.seed)
        terms = self.module(batch, moment)
        self.optimizer.zero_grad()
        self.fabric.backward(terms["loss"])
        if self.recipe.optimizer.clip:
            self.fabric.clip_gradients(
                self.module, self.optimizer, max_norm=self.recipe.optimizer.clip, error_if_nonfinite=False
            )
        self.optimizer.step()
        row = {"epoch": moment.epoch, "batch": number, "rate": rate}
        # Read later, many at a time: asking for a number makes a GPU wait.
        self.fresh.append((row, {name: value.detach() for name, value in terms.items()}))

    def _flush(self) -> float:
        """Take the losses since the last time into the log; return their mean."""
        losses = []
        for row, terms in self.fresh:
            values = {name: float(value) for name, value in terms.items()}
            if not np.isfinite(values["loss"]):
                raise TrainingError(
                    f"{self.training.folder}: the loss is {values['loss']} in epoch {int(row['epoch']) + 1}, batch "
                    f"{int(row['batch']) + 1}; try a lower optimizer.rate, optimizer.clip, or precision 32-true."
                )
            if self.board is not None:
                self.board.log_metrics({**values, "rate": row["rate"]}, step=len(self.rows))
            self.rows.append({**row, **values})
            losses.append(values["loss"])
        self.fresh.clear()
        return float(np.mean(losses)) if losses else float("nan")

    def _save(self, epoch: int, batch: int) -> None:
        self.saved = time.monotonic()
        if not self.fabric.is_global_zero:
            return
        write_log(self.training.folder, self.rows)
        seconds = time.monotonic() - self.begun
        network, optimizer = self.objective.network.state_dict(), self.optimizer.state_dict()
        write_state(self.training.folder, State(epoch, batch, len(self.rows), seconds, network, optimizer))

    def _finish(self, epoch: int) -> None:
        """Settle what must be settled, write and measure the weights, and remember that the epoch is over."""
        last = epoch + 1 == self.recipe.epochs
        if self.recipe.optimizer.settle and (last or self.training.measure):
            self._settle(epoch)
        if self.fabric.is_global_zero and self.training.measure:
            path = write_epoch(self.training.folder, epoch, self.objective, self.recipe, self.training.about)
            self.training.measure(epoch, path)
        self.fabric.barrier()
        self._save(epoch + 1, 0)

    def _settle(self, epoch: int) -> None:
        batches = self.loader.batches(_SETTLING + epoch)

        def show(number: int) -> None:
            torch.manual_seed(self.training.seed)
            _, batch = next(batches)
            self.module(batch.to(self.fabric.device), self._moment(_SETTLING + epoch, number, 1))

        count = min(self.recipe.optimizer.settle, self.loader.count(_SETTLING + epoch, 1))
        settle_norms(self.objective.network, count, show)


def _optimizer(recipe: Recipe, parameters: Sequence[torch.nn.Parameter]) -> torch.optim.Optimizer:
    settings = recipe.optimizer
    kind = torch.optim.AdamW if settings.kind == "adamw" else torch.optim.Adam
    return kind(parameters, lr=settings.rate, weight_decay=settings.weight_decay)
