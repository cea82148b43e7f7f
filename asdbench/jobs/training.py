"""A training of which everything is resolved: recipe, data, seed and beginnings; and the folder it leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from asdbench import errors
from asdbench.checkpoints.files import sha256_of
from asdbench.errors import AsdbenchError, MissingDependencyError, ResourceError, UsageError
from asdbench.records import provenance
from asdbench.records.folder import RunFolder, default_folder, fingerprint
from asdbench.training.files import EPOCHS_FOLDER, OFFICIAL_FILE, STATE_FILE, WEIGHTS_FILE
from asdbench.training.log import LOG_FILE, read_log
from asdbench.training.recipe import Recipe
from asdbench.training.recipes import recipe_hash
from asdbench.types import Dataset

if TYPE_CHECKING:
    from torch import Tensor

    from asdbench.training.trainer import Measure

Notify = Callable[[str], None]

_PATIENCE = timedelta(days=2)


class TrainingFolder(RunFolder):
    """The folder of a training.

    ::

        training.json           recipe, data, seed, versions, machine, time, sha256 of the weights
        checkpoint.safetensors  the weights under official keys
        checkpoint.model        the same, as the official code saves them
        log.csv tensorboard/    one row per batch
        epochs/ epochs.csv      weights and suite runs at the end of each epoch, where that was asked for
        state.pt                only while the training is unfinished
    """

    noun: ClassVar[str] = "training folder"
    thing: ClassVar[str] = "training"
    record_name: ClassVar[str] = "training.json"
    schema: ClassVar[int] = 1


@dataclass(frozen=True)
class Trained:
    """A finished training.

    Attributes:
        folder: See `TrainingFolder`.
        record: Content of ``training.json``.
        reused: Whether it was finished before.
    """

    folder: Path
    record: Mapping[str, Any]
    reused: bool = False

    @property
    def checkpoint(self) -> Path:
        """The weights as safetensors."""
        return self.folder / WEIGHTS_FILE

    @property
    def log(self) -> list[dict[str, float]]:
        """One row per batch: epoch and batch from 0, rate, loss and its terms; none where nothing was trained."""
        return read_log(self.folder) if self.record["batches"] else []

    @property
    def seconds(self) -> float:
        """Time that the training took, in seconds, without those that it starts from."""
        return float(self.record["seconds"])


@dataclass(frozen=True)
class TrainingJob:
    """Everything resolved, ready to be trained.

    Attributes:
        recipe: What is trained.
        dataset: On what.
        seed: Of weights, batches and augmentation.
        root: Where derived folders lie.
        starts: Finished trainings that the recipe starts from, in its order.
        files: Prefix of keys to a user's file with the weights to begin with.
        out: Folder, in place of a derived one.
        device: Torch device.
        devices: How many of them, each with a process of its own.
        workers: Processes that prepare batches, for each of these.
        measure: What is done with the weights of each epoch.
        progress: Whether to show a bar.
    """

    recipe: Recipe
    dataset: Dataset
    seed: int
    root: Path
    starts: Sequence[Trained] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    out: Path | None = None
    device: str = "cpu"
    devices: int = 1
    workers: int = 0
    measure: Measure | None = None
    progress: bool = False

    @cached_property
    def identity(self) -> dict[str, Any]:
        """All that two trainings must share to be the same."""
        return {
            "recipe": {"name": self.recipe.name, "sha256": recipe_hash(self.recipe)},
            "seed": self.seed,
            "data": self.dataset.fingerprint,
            "starts": [start.record["fingerprint"] for start in self.starts],
            "files": {prefix: sha256_of(path) for prefix, path in self.files.items()},
            "device": self.device.partition(":")[0],
            "devices": self.devices,
            "torch": provenance.versions()["torch"],
        }

    @property
    def folder(self) -> TrainingFolder:
        """Where the training is written."""
        if self.out is not None:
            return TrainingFolder(self.out)
        return TrainingFolder(
            default_folder(self.root, self.recipe.name, self.dataset.name, f"seed{self.seed}", self.identity)
        )

    def execute(self, notify: Notify = lambda _: None) -> Trained:
        """Train, or go on, or return what is finished.

        Raises:
            AsdbenchError: See ``asdbench.errors`` for the tree.
        """
        folder = self.folder
        folder.claim(self.identity)
        with folder.lock():
            earlier = folder.claim(self.identity)  # once more: another process may have finished it meanwhile
            if earlier and earlier["state"] == "complete" and (folder.path / WEIGHTS_FILE).exists():
                self._tell_of_epochs(folder.path, notify)
                return Trained(folder.path, earlier, reused=True)
            notify(f"{'continuing' if earlier else 'training'} {self.recipe.name}, seed {self.seed}: {folder.path}")
            record = self._record()
            folder.write_record(record | {"state": "running"})
            spent = self._train(folder.path, notify)
            log = read_log(folder.path) if (folder.path / LOG_FILE).exists() else []
            record |= {
                "state": "complete",
                "seconds": round(spent, 1),
                "batches": len(log),
                "checkpoint_sha256": sha256_of(folder.path / WEIGHTS_FILE),
                "official_sha256": sha256_of(folder.path / OFFICIAL_FILE),
            }
            folder.write_record(record)
            (folder.path / STATE_FILE).unlink(missing_ok=True)  # now that nothing would have to be done again
        return Trained(folder.path, folder.read_record())

    def _tell_of_epochs(self, folder: Path, notify: Notify) -> None:
        if self.measure is not None and not (folder / EPOCHS_FOLDER).exists():
            notify(
                f"warning: {folder} was finished before without measuring its epochs, of which only the last one is "
                f"left; measure it with asdbench run --checkpoint {folder / WEIGHTS_FILE}"
            )

    def _record(self) -> dict[str, Any]:
        import torch

        return {
            "fingerprint": fingerprint(self.identity),
            "identity": self.identity,
            "recipe": msgspec.to_builtins(self.recipe),
            "data": {"name": self.dataset.name, "tracks": len(self.dataset.tracks), "notes": self.dataset.notes},
            "starts": [{"recipe": s.record["recipe"]["name"], "folder": s.folder.name} for s in self.starts],
            "threads": torch.get_num_threads(),
            "versions": provenance.versions(),
            "machine": provenance.machine(),
            "git": provenance.git(),
        }

    def _train(self, folder: Path, notify: Notify) -> float:
        from asdbench.training.trainer import Training, fit

        training = Training(
            recipe=self.recipe,
            tracks=self.dataset.tracks,
            seed=self.seed,
            folder=folder,
            initial=self._initial(),
            about={
                "asdbench.seed": str(self.seed),
                "asdbench.data": self.dataset.name,
                "asdbench.training": fingerprint(self.identity),
            },
            workers=self.workers,
            progress=self.progress,
            measure=self.measure,
        )
        fabric = _fabric(self.device, self.devices, self.recipe.precision)
        if self.devices == 1:
            return fit(fabric, replace(training, notify=notify))
        # What goes to other processes must be picklable, which a caller's function need not be.
        return float(_launched(fabric, partial(fit, training=training)))

    def _initial(self) -> dict[str, Tensor]:
        from asdbench.training.beginning import weights_below, weights_of_file

        initial: dict[str, Tensor] = {}
        for start, trained in zip(self.recipe.start, self.starts, strict=True):
            initial |= weights_below(trained.checkpoint, start.parts)
        for prefix, path in self.files.items():
            initial |= weights_of_file(path, prefix, self.recipe.model.architecture)
        return initial


def require_lightning() -> None:
    """Refuse early, with the pip line, where the trainer's library is missing.

    Raises:
        MissingDependencyError: Lightning Fabric or tensorboardX is not installed.
    """
    from importlib.util import find_spec

    for package in ("lightning_fabric", "tensorboardX"):
        if find_spec(package) is None:
            raise MissingDependencyError(
                f"training needs the package {package}, which is not installed; pip install 'asdbench[train]'."
            )


def _launched(fabric: Any, function: Callable[..., float]) -> float:
    """Call a function in several processes; an error of one of them is raised here as what it is."""
    from torch.multiprocessing.spawn import ProcessExitedException, ProcessRaisedException

    try:
        found: float = fabric.launch(function)
    except ProcessRaisedException as error:
        own = _own_error(str(error))
        if own is None:
            raise
        raise own from error
    except ProcessExitedException as error:
        raise ResourceError(
            f"a process of the training ended by itself ({error}), perhaps for lack of memory; the same command goes "
            "on where it was."
        ) from error
    return found


def _own_error(text: str) -> AsdbenchError | None:
    """Return the error that the last line of a traceback tells of, ``None`` where it was not raised on purpose."""
    name, _, message = text.strip().rpartition("\n")[2].partition(": ")
    kind = getattr(errors, name.removeprefix(f"{errors.__name__}."), None)
    return kind(message) if isinstance(kind, type) and issubclass(kind, AsdbenchError) else None


def _fabric(device: str, devices: int, precision: str) -> Any:
    from lightning_fabric import Fabric
    from lightning_fabric.strategies import DDPStrategy

    kind, _, index = device.partition(":")
    if devices > 1 and index not in ("", "0"):
        raise UsageError(f"--device {device} is one device; give --device {kind} with --devices {devices}.")
    # Published networks hold weights that no forward pass uses, which DDP must be told to expect.
    # The others wait while the first process measures an epoch, by default for half an hour only.
    several = partial(DDPStrategy, start_method="spawn", find_unused_parameters=True, timeout=_PATIENCE)
    strategy: Any = "auto" if devices == 1 else several()
    chosen: Any = [int(index or 0)] if kind == "cuda" and devices == 1 else devices
    return Fabric(accelerator=kind, devices=chosen, strategy=strategy, precision=precision)
