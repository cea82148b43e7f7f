"""Models: one file per system. `load_model` turns a name and a checkpoint into something that scores tracks.

Importing this package imports neither torch nor OpenCV.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asdbench.adapters.identity import fingerprint_of, version_of
from asdbench.checkpoints.shipped import checkpoint_path
from asdbench.errors import AsdbenchError, CheckpointError, UsageError
from asdbench.registry import Registry
from asdbench.types import Scorer

if TYPE_CHECKING:
    from asdbench.checkpoints.identify import CheckpointInfo

AUTO = "auto"
"""Name that stands for whatever architecture the checkpoint turns out to have."""

MODELS = Registry(
    "model",
    {
        "light-asd": "asdbench.adapters.light_asd:LightASD",
        "lr-asd": "asdbench.adapters.lr_asd:LRASD",
        "constant": "asdbench.adapters.calibration:Constant",
        "deaf": "asdbench.adapters.calibration:Deaf",
        "blind": "asdbench.adapters.calibration:Blind",
        "additive": "asdbench.adapters.calibration:Additive",
    },
    group="asdbench.adapters",
)
"""Name to adapter class."""


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to score, and all that identifies it in a record.

    Attributes:
        scorer: Scores tracks; an `asdbench.adapters.base.Adapter` if it can be split.
        name: ``light-asd.ava`` for published weights, ``light-asd.<file stem>`` for others, ``deaf`` without weights.
        adapter: Name of the adapter, or of the user's class.
        adapter_version: Its version; 0 where a user's class has none.
        checkpoint: File of the weights.
        checkpoint_sha256: Its sha256.
        info: What the checkpoint was identified as; ``None`` for formats that only a user's own class can read.
        fingerprint: What else tells it from other models: the hash of a user's own code.
    """

    scorer: Scorer
    name: str
    adapter: str
    adapter_version: int
    checkpoint: Path | None = None
    checkpoint_sha256: str | None = None
    info: CheckpointInfo | None = None
    fingerprint: str | None = None


def wrap_model(scorer: Scorer) -> LoadedModel:
    """Return a user's own object as a loaded model; without a ``fingerprint`` of its own, no run of it is continued.

    Raises:
        UsageError: It has no ``score_track``, or its version is no whole number.
    """
    if not callable(getattr(scorer, "score_track", None)):
        raise UsageError(
            f"the model {scorer!r} has no method score_track(audio, faces, fps); see asdbench.types.Scorer."
        )
    name, version = _adapter_identity(scorer)
    return LoadedModel(scorer, name, name, version, fingerprint=fingerprint_of(scorer, own_object=True))


def load_model(name: str = AUTO, checkpoint: Path | str | None = None, device: str = "cpu") -> LoadedModel:
    """Load a model by name, by its checkpoint, or both.

    Args:
        name: A name in `MODELS`, ``auto`` (ask the checkpoint), or a user's own class as ``package.module:Class`` or
            ``path/to/file.py:Class``. That class offers ``score_track`` (`asdbench.types.Scorer`) and is built by
            ``from_checkpoint(path, device=...)`` if it has that and a checkpoint is given, else without arguments.
        checkpoint: File of the weights, where the model needs one, or the name of a shipped one (``light-asd.demo``).
        device: ``cpu``, ``cuda``, ...; models without weights ignore it.

    Raises:
        UsageError: Unknown name, a checkpoint missing or too many, or a class that is no scorer.
        CheckpointError: The checkpoint cannot be read, is not identifiable, not shipped, or of another architecture.
        ResourceError: No such device here.
    """
    path = None if checkpoint is None else checkpoint_path(checkpoint)
    info = None
    if name == AUTO:
        info = _identified(path)
        name = str(info.architecture)
    factory = MODELS.load(name)
    _check_factory(name, factory, path)
    if path is None:
        return _without_checkpoint(name, _built(name, factory))
    return _with_checkpoint(name, factory, path, device, info)


def needs_checkpoint(name: str) -> bool:
    """Whether the model of a name is built from a file of weights; ``auto`` always is.

    Raises:
        UnknownNameError: No such model.
    """
    return name == AUTO or _wants_checkpoint(MODELS.load(name))


def _identified(path: Path | None) -> CheckpointInfo:
    if path is None:
        raise UsageError(
            "model 'auto' is read from the checkpoint, but there is none; give --checkpoint FILE, or name a model that "
            "needs none with --model (such as 'additive')."
        )
    from asdbench.checkpoints.identify import identify

    info = identify(path)
    if info.architecture is None:
        raise CheckpointError(
            f"{path} ({info.entries} entries, {info.parameters:,} parameters) fits no known architecture; "
            "name one with --model to learn which keys differ, or your own class with --model file.py:Class."
        )
    return info


def _wants_checkpoint(factory: Any) -> bool:
    return bool(getattr(getattr(factory, "needs", None), "needs_checkpoint", False))


def _check_factory(name: str, factory: Any, path: Path | None) -> None:
    if not callable(getattr(factory, "score_track", None)):
        raise UsageError(
            f"the model {name!r} has no method score_track(audio, faces, fps); see asdbench.types.Scorer for what it "
            "must return."
        )
    takes = hasattr(factory, "from_checkpoint")
    if path is None and _wants_checkpoint(factory):
        raise UsageError(f"the model {name!r} needs its weights; give --checkpoint FILE.")
    if path is not None and not takes:
        raise UsageError(f"the model {name!r} has no weights to load; leave --checkpoint out.")


def _without_checkpoint(name: str, scorer: Any) -> LoadedModel:
    label = _model_name(name, scorer)
    return LoadedModel(scorer, label, *_adapter_identity(scorer), fingerprint=fingerprint_of(scorer))


def _with_checkpoint(name: str, factory: Any, path: Path, device: str, info: CheckpointInfo | None) -> LoadedModel:
    from asdbench.checkpoints.files import sha256_of
    from asdbench.checkpoints.identify import identify

    architecture = getattr(factory, "architecture", None)
    if info is None and architecture is not None:
        info = identify(path)
    if info is not None and info.architecture not in (None, architecture):
        raise CheckpointError(
            f"{path} is a checkpoint of {info.architecture!r}, not of {architecture!r}; give --model "
            f"{info.architecture}, or another checkpoint."
        )
    digest = info.sha256 if info else sha256_of(path)
    scorer = _built(name, factory, path, device)
    known = info.name if info else None
    label = known or f"{_model_name(name, scorer)}.{_sanitised(path.stem)}"
    return LoadedModel(scorer, label, *_adapter_identity(scorer), path, digest, info, fingerprint_of(scorer))


def _built(name: str, factory: Any, path: Path | None = None, device: str = "cpu") -> Any:
    try:
        return factory() if path is None else factory.from_checkpoint(path, device=device)
    except AsdbenchError:
        raise
    except Exception as error:  # a user's class may fail in any way; the message must say whose class it was
        raise UsageError(f"the model {name!r} could not be built: {type(error).__name__}: {error}") from error


def _model_name(name: str, scorer: Any) -> str:
    return type(scorer).__name__ if ":" in name else name


def _adapter_identity(scorer: Any) -> tuple[str, int]:
    return str(getattr(scorer, "name", type(scorer).__name__)), version_of(scorer)


def _sanitised(stem: str) -> str:
    """Keep what is safe in a folder name everywhere."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-") or "checkpoint"
