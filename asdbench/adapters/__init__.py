"""Models: one file per system. `load_model` turns a name and a checkpoint into something that scores tracks.

Importing this package imports neither torch nor OpenCV.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import msgspec

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
        "talknet": "asdbench.adapters.talknet:TalkNet",
        "sync-talknet": "asdbench.adapters.sync_talknet:SyncTalkNet",
        "light-asd-video": "asdbench.adapters.unimodal:LightASDVideo",
        "lr-asd-video": "asdbench.adapters.unimodal:LRASDVideo",
        "talknet-audio": "asdbench.adapters.unimodal:TalkNetAudio",
        "talknet-video": "asdbench.adapters.unimodal:TalkNetVideo",
        "talknet-vad": "asdbench.adapters.talknet_streams:TalkNetVAD",
        "talknet-lip": "asdbench.adapters.talknet_streams:TalkNetLip",
        "talknet-vad-lip": "asdbench.adapters.talknet_streams:TalkNetVadLip",
        "loconet": "asdbench.adapters.loconet:LoCoNetAdapter",
        "talknce": "asdbench.adapters.loconet:TalkNCE",
        "laser-loconet": "asdbench.adapters.laser:LaserLoCoNet",
        "pair-net": "asdbench.adapters.pair_net:PairNetAdapter",
        "pair-net-audio": "asdbench.adapters.pair_net:PairNetAudio",
        "pair-net-video": "asdbench.adapters.pair_net:PairNetVideo",
        "vad-lip": "asdbench.adapters.vad_lip:VadLip",
        "constant": "asdbench.adapters.calibration:Constant",
        "deaf": "asdbench.adapters.calibration:Deaf",
        "blind": "asdbench.adapters.calibration:Blind",
        "additive": "asdbench.adapters.calibration:Additive",
    },
    group="asdbench.adapters",
)
"""Name to adapter class."""

WEIGHTS_OF: dict[str, str] = {
    "light-asd-video": "light-asd",
    "lr-asd-video": "lr-asd",
    "talknet-audio": "talknet",
    "talknet-video": "talknet",
    "pair-net-audio": "pair-net",
    "pair-net-video": "pair-net",
}
"""Adapter to the architecture of its checkpoints, where the two have different names; known without loading either."""


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
        options: Its options as far as they differ from the defaults.
    """

    scorer: Scorer
    name: str
    adapter: str
    adapter_version: int
    checkpoint: Path | None = None
    checkpoint_sha256: str | None = None
    info: CheckpointInfo | None = None
    fingerprint: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


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


def load_model(
    name: str = AUTO,
    checkpoint: Path | str | None = None,
    device: str = "cpu",
    options: Mapping[str, Any] | None = None,
) -> LoadedModel:
    """Load a model by name, by its checkpoint, or both.

    Args:
        name: A name in `MODELS`, ``auto`` (ask the checkpoint), or a user's own class as ``package.module:Class`` or
            ``path/to/file.py:Class``. That class offers ``score_track`` (`asdbench.types.Scorer`) and is built by
            ``from_checkpoint(path, device=...)`` if it has that and a checkpoint is given, else without arguments.
        checkpoint: File of the weights, where the model needs one, or the name of a shipped one (``light-asd.demo``).
        device: ``cpu``, ``cuda``, ...; models without weights ignore it.
        options: Choices that the model offers (its ``Options``), by name; texts are converted. Those that differ from
            the defaults become part of the model's name: ``light-asd.ava[scoring=demo]``.

    Raises:
        UsageError: Unknown name, a checkpoint missing or too many, a class that is no scorer, or no such option.
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
    chosen = _chosen(name, factory, options or {})
    if path is None:
        return _without_checkpoint(name, factory, chosen)
    return _with_checkpoint(name, factory, path, device, info, chosen)


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


def _chosen(name: str, factory: Any, given: Mapping[str, Any]) -> msgspec.Struct | None:
    """Return the options of a model as the type that it declares; ``None`` where none are given."""
    if not given:
        return None
    kind = getattr(factory, "Options", None)
    known = getattr(kind, "__struct_fields__", ())
    strays = [key for key in given if key not in known]
    if strays:
        raise UsageError(f"the model {name!r} has no option {strays[0]!r}; it has {', '.join(known) or 'none at all'}.")
    try:
        # Flags are texts, so "5" must become 5.
        options: msgspec.Struct = msgspec.convert(dict(given), kind, strict=False)
    except msgspec.ValidationError as error:
        reason = str(error).replace("$.", "")
        raise UsageError(f"the options of the model {name!r} are not valid: {reason}{_choices(kind)}.") from error
    return options


def _choices(kind: Any) -> str:
    fields = [field for field in msgspec.structs.fields(kind) if get_origin(field.type) is Literal]
    return "".join(f"; {field.name} is {' or '.join(map(str, get_args(field.type)))}" for field in fields)


def _differing(options: msgspec.Struct | None) -> dict[str, Any]:
    if options is None:
        return {}
    usual = {field.name: field.default for field in msgspec.structs.fields(options)}
    return {key: value for key, value in msgspec.structs.asdict(options).items() if value != usual[key]}


def _with_options(label: str, options: Mapping[str, Any]) -> str:
    return label + "".join(f"[{key}={value}]" for key, value in options.items())


def _without_checkpoint(name: str, factory: Any, chosen: msgspec.Struct | None) -> LoadedModel:
    scorer, options = _built(name, factory, chosen), _differing(chosen)
    label = _with_options(_model_name(name, scorer), options)
    return LoadedModel(scorer, label, *_adapter_identity(scorer), fingerprint=fingerprint_of(scorer), options=options)


def _with_checkpoint(
    name: str, factory: Any, path: Path, device: str, info: CheckpointInfo | None, chosen: msgspec.Struct | None
) -> LoadedModel:
    from asdbench.checkpoints.files import sha256_of
    from asdbench.checkpoints.identify import identify

    architecture = getattr(factory, "architecture", None)
    if info is None and architecture is not None:
        info = identify(path)
    if info is not None and info.architectures and architecture not in info.architectures:
        raise CheckpointError(
            f"{path} is a checkpoint of {info.architecture!r}, not of {architecture!r}; give --model "
            f"{info.architecture}, or another checkpoint."
        )
    digest = info.sha256 if info else sha256_of(path)
    scorer, options = _built(name, factory, chosen, path, device), _differing(chosen)
    # What a card says of "light-asd.ava" names the weights; what scores with them may be another model, such as a head.
    weights = info.name.partition(".")[2] if info and info.name else _sanitised(path.stem)
    label = _with_options(f"{_model_name(name, scorer)}.{weights}", options)
    own = fingerprint_of(scorer)
    return LoadedModel(scorer, label, *_adapter_identity(scorer), path, digest, info, own, options)


def _built(
    name: str, factory: Any, chosen: msgspec.Struct | None, path: Path | None = None, device: str = "cpu"
) -> Any:
    # A user's own class need not know of options as long as none are given.
    more: dict[str, Any] = {} if chosen is None else {"options": chosen}
    try:
        return factory(**more) if path is None else factory.from_checkpoint(path, device=device, **more)
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
