"""Configuration of a run: defaults < TOML file < ``ASDBENCH_*`` variables < flags, each value with its source.

Where no source names a model, a checkpoint or data, the shipped demo takes their place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from asdbench.errors import UsageError
from asdbench.registry import unknown_name
from asdbench.resources import read_toml

_VARIABLE = "ASDBENCH_"

DEFAULT_FILE = "asdbench.toml"
"""Read from the current folder when it is there and no other file is named."""

DEMO_CHECKPOINTS = ("light-asd.demo", "light-asd.demo-sync")
"""The shipped checkpoints, the plainly trained one first: it is what a run scores that names nothing."""

DEMO_DATA = "demo-val"
"""The shipped data that models are measured on."""

DEMO_TRAINING_DATA = "demo-train"
"""The shipped data that the demo recipes train on: other faces and voices of the same generator."""

_LISTS = ("option", "data_option")

_OF_RAY = ("ray_address", "workers", "gpus_per_worker")

_DEMO = "demo"  # where the values of the demo come from, in the record

Resamples = Annotated[int, msgspec.Meta(ge=100)] | Literal["off"]
"""With fewer resamples the ends of an interval would be those of single draws."""

_Layer = Mapping[str, tuple[Any, str]]
"""Setting to value and source."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run can be told.

    Attributes:
        suite: Name of a suite, or path of a suite file.
        model: Name of a model, ``auto`` to recognise the checkpoint, or ``package.module:Class``, ``file.py:Class``.
        checkpoint: Path of the checkpoint, for models that need one, or the name of a shipped one.
        option: Choices that the model offers, each as ``name=value``; in a variable with commas between them.
        data: Folder of the data set, or ``demo-val`` for the shipped one.
        format: Its format, or ``auto``.
        data_option: Choices that the format offers, each as ``name=value``; in a variable with commas between them.
        split: Which part of it.
        device: ``auto``, ``cpu``, ``cuda:N``, ``mps``.
        out: Run folder; derived from model, suite and data without one.
        runs: Where derived run folders lie.
        limit: Score only the first tracks.
        seed: Another seed than the suite's.
        plan_seeds: Under how many plans tests and controls are scored.
        on_error: ``stop`` at broken media, or ``skip`` and count them.
        audit: How many tracks per condition are measured before scoring, or ``off``.
        resamples: How many resamples the intervals rest on, or ``off`` for none.
        engine: Where tracks are scored: ``local``, in this process, or ``ray``, on the workers of a Ray cluster.
        ray_address: Of a running cluster; one is started here without it.
        workers: How many of them; as many as the cluster has room for by default.
        gpus_per_worker: GPUs of each; 1 on CUDA, else none.
        cache: Folder in which embeddings of faces are kept for later runs.
        cache_limit: How much it may hold, such as ``20GB``.
        reuse: Whether conditions share what they have in common, or each is scored from nothing.
        loaders: How many threads read media ahead.
        dtype: Precision of the encoders.
        batch_frames: How many frames of several tracks the visual encoder may take together, or ``auto``.
        compile: Whether torch compiles the visual encoder.
    """

    suite: str = "unsync"
    model: str = "auto"
    checkpoint: str | None = None
    option: list[str] = msgspec.field(default_factory=list)
    data: str | None = None
    format: str = "auto"
    data_option: list[str] = msgspec.field(default_factory=list)
    split: str = "val"
    device: str = "auto"
    out: str | None = None
    runs: str = "runs"
    limit: int | None = None
    seed: int | None = None
    plan_seeds: Annotated[int, msgspec.Meta(ge=1, le=99)] = 1
    on_error: Literal["stop", "skip"] = "stop"
    audit: Annotated[int, msgspec.Meta(ge=1)] | Literal["off"] = 4
    resamples: Resamples = 1000
    engine: Literal["local", "ray"] = "local"
    ray_address: str | None = None
    workers: Annotated[int, msgspec.Meta(ge=1)] | None = None
    gpus_per_worker: Annotated[float, msgspec.Meta(ge=0)] | None = None
    cache: str | None = None
    cache_limit: str = "20GB"
    reuse: bool = True
    loaders: Annotated[int, msgspec.Meta(ge=0, le=64)] | None = None
    dtype: Literal["fp32", "bf16", "fp16"] = "fp32"
    batch_frames: Annotated[int, msgspec.Meta(ge=1, le=8192)] | Literal["auto"] = "auto"
    compile: bool = False


@dataclass(frozen=True)
class Config:
    """Settings, and where each value comes from.

    Attributes:
        settings: The values.
        sources: Setting to source.
        demo: Whether checkpoint and data are the shipped ones of these names, whatever lies in the current folder.
    """

    settings: Settings
    sources: Mapping[str, str]
    demo: bool = False

    def record(self) -> dict[str, dict[str, Any]]:
        """Return ``{setting: {"value": ..., "source": ...}}`` for ``run.json``."""
        return {
            name: {"value": getattr(self.settings, name), "source": self.sources[name]}
            for name in Settings.__struct_fields__
        }


def resolve(flags: Mapping[str, Any], file: Path | None = None, flag_source: str = "flag") -> Config:
    """Merge all sources of settings.

    Args:
        flags: What the user typed or passed; ``None`` means "not given".
        file: A TOML file with a table ``[run]``; ``asdbench.toml`` in the current folder if there is one.
        flag_source: How to call the source of ``flags`` in the record.

    Raises:
        UnknownNameError: A key of the file is no setting.
        UsageError: The file cannot be read, or a value is of the wrong kind.
    """
    variables = {key: (value, f"{_VARIABLE}{key.upper()}") for key, value in _from_environment().items()}
    return _merged((_from_file(file), variables, _given(flags, flag_source)))


def exactly(flags: Mapping[str, Any], flag_source: str = "flag") -> Config:
    """Return settings on which no file and no variable has a say.

    Args:
        flags: As for `resolve`.
        flag_source: As for `resolve`.

    Raises:
        UsageError: A value is of the wrong kind.
    """
    return _merged((_given(flags, flag_source),))


def demo_config(checkpoint: str, flags: Mapping[str, Any], flag_source: str = "flag") -> Config:
    """Return the settings of the demo, on which no file and no variable has a say.

    Args:
        checkpoint: One of `DEMO_CHECKPOINTS`.
        flags: As for `resolve`.
        flag_source: As for `resolve`.

    Raises:
        UsageError: A value is of the wrong kind.
    """
    merged = _merged((_given({"checkpoint": checkpoint, "data": DEMO_DATA}, _DEMO), _given(flags, flag_source)))
    return replace(merged, demo=True)


def completed(config: Config, own_model: bool, needs_weights: Callable[[str], bool]) -> Config:
    """Return settings that name what is to be scored: those of the demo where they name nothing.

    Args:
        config: From `resolve`.
        own_model: Whether the model is there as an object.
        needs_weights: Whether the model of a name is built from a checkpoint.

    Raises:
        UsageError: Only some of model, checkpoint and data are named; the message names the rest.
        UnknownNameError: No such model.
    """
    settings = config.settings
    named = own_model or any(config.sources[key] != "default" for key in ("model", "checkpoint", "data"))
    if not named:
        demo = {"checkpoint": DEMO_CHECKPOINTS[0], "data": DEMO_DATA}
        sources = {**config.sources, **dict.fromkeys(demo, _DEMO)}
        return Config(msgspec.structs.replace(settings, **demo), sources, demo=True)
    weights = not own_model and settings.checkpoint is None
    if settings.data is None:
        more = f" and --checkpoint FILE (or a shipped one: {DEMO_CHECKPOINTS[0]})"
        lacking = more if weights and needs_weights(settings.model) else ""
        raise UsageError(
            f"no data set given; add --data FOLDER, or --data {DEMO_DATA} for the shipped demo data{lacking}."
        )
    if weights and settings.model == Settings().model:
        raise UsageError(
            f"data are given ({settings.data}), but no model; add --checkpoint FILE (or a shipped one: "
            f"{DEMO_CHECKPOINTS[0]}), or --model NAME for a model that needs no weights (such as 'additive')."
        )
    return config


def require_use(config: Config) -> None:
    """Refuse what was asked for in so many words and would have no effect.

    Raises:
        UsageError: The message names what, and what it needs.
    """
    asked = {key for key, source in config.sources.items() if source in ("flag", "argument")}
    idle = sorted(asked.intersection(_OF_RAY))
    if config.settings.engine != "ray" and idle:
        flag = "--" + idle[0].replace("_", "-")
        raise UsageError(f"{flag} is for the engine ray; add --engine ray, or leave it out.")
    if config.settings.cache is None and "cache_limit" in asked:
        raise UsageError("--cache-limit is for a cache; add --cache FOLDER, or leave it out.")
    if config.settings.cache is not None and not config.settings.reuse:
        raise UsageError("--no-reuse scores everything from nothing, and --cache would spare that; leave one out.")


def resample_count(given: Any) -> int:
    """Return how many resamples are asked for; 0 for ``off``.

    Args:
        given: A number, or ``off``, as the setting ``resamples`` is.

    Raises:
        UsageError: Neither.
    """
    number: int | str = _convert("resamples", given, "argument")
    return 0 if isinstance(number, str) else number


def named_values(texts: Iterable[str]) -> dict[str, str]:
    """Return options by name.

    Args:
        texts: Each ``name=value``.

    Raises:
        UsageError: One is not of this form, or given twice.
    """
    options: dict[str, str] = {}
    for text in texts:
        key, sign, value = (part.strip() for part in text.partition("="))
        if not (key and sign) or key in options:
            raise UsageError(f"option {text!r}: expected name=value, each name once.")
        options[key] = value
    return options


def _given(values: Mapping[str, Any], source: str) -> _Layer:
    return {key: (value, source) for key, value in values.items() if value is not None}


def _merged(layers: Iterable[_Layer]) -> Config:
    values: dict[str, Any] = {}
    sources = dict.fromkeys(Settings.__struct_fields__, "default")
    for layer in layers:
        for key, (value, source) in layer.items():
            values[key], sources[key] = value, source
    for key, value in values.items():
        values[key] = _convert(key, value, sources[key])
    settings = Settings(**values)
    if settings.limit is not None and settings.limit < 1:
        raise UsageError(f"limit = {settings.limit} ({sources['limit']}): expected at least 1 track.")
    return Config(settings, sources)


def _convert(key: str, value: Any, source: str) -> Any:
    field = next(field for field in msgspec.structs.fields(Settings) if field.name == key)
    try:
        # Variables are text, so "5" must become 5; TOML and flags have types, which must be right.
        typed = str(value) if isinstance(value, Path) else value
        if key in _LISTS and isinstance(typed, str):
            typed = re.split(r",(?=\s*\w+\s*=)", typed)  # a value may hold a comma
        return msgspec.convert(typed, field.type, strict=not source.startswith(_VARIABLE))
    except msgspec.ValidationError as error:
        raise UsageError(f"{key} = {value!r} ({source}): {error}.") from error


def _from_environment() -> dict[str, str]:
    names = {key: f"{_VARIABLE}{key.upper()}" for key in Settings.__struct_fields__}
    return {key: os.environ[name] for key, name in names.items() if os.environ.get(name)}


def _from_file(file: Path | None) -> dict[str, tuple[Any, str]]:
    path = Path(DEFAULT_FILE) if file is None else file
    if file is None and not path.is_file():
        return {}
    content = read_toml(path, "configuration")
    table = content.get("run", {})
    if not isinstance(table, dict) or set(content) - {"run"}:
        raise UsageError(f"{path}: expected one table [run], found {', '.join(content) or 'nothing'}.")
    for key in table:
        if key not in Settings.__struct_fields__:
            raise unknown_name(f"setting in {path}", key, Settings.__struct_fields__)
    return {key: (value, str(path)) for key, value in table.items()}
