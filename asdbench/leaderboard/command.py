"""The commands that make a run again, without the paths of whoever made it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Literal

from asdbench.checkpoints.cards import ModelCard, card_for
from asdbench.checkpoints.fetch import address_of

_FLAGS = (
    "suite", "model", "checkpoint", "option", "data", "format", "data_option", "split", "seed", "limit", "on_error",
    "dtype", "compile",
)  # fmt: skip
"""Settings that can move a number; the others say where and how fast."""

_PLAIN = re.compile(r"[A-Za-z0-9@%+=:,./_-]+")


def commands_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what to type to make a run again: first how to get its weights, where asdbench can fetch them.

    Args:
        record: Content of ``run.json``.
    """
    digest = record["model"]["checkpoint_sha256"]
    card = card_for(digest) if digest else None
    words = ["asdbench", "run"]
    for name in _FLAGS:
        value = _value(name, record, card)
        if value is True:
            words.append(f"--{name}")
            continue
        for each in value if isinstance(value, (list, tuple)) else [value]:
            if each is not None:
                words += [f"--{name.replace('_', '-')}", _quoted(str(each))]
    fetch = (f"asdbench fetch {card.name}",) if card and card.file is None and address_of(card) else ()
    return (*fetch, " ".join(words))


def _value(name: str, record: Mapping[str, Any], card: ModelCard | None) -> str | Sequence[str] | Literal[True] | None:
    setting = record["config"].get(name, {"value": None, "source": "default"})
    if name == "suite":
        return f"{record['suite']['name']}@{record['suite']['version']}"
    if name == "checkpoint":
        checkpoint = record["model"]["checkpoint"]
        return None if checkpoint is None else card.name if card else _last(checkpoint)
    if name == "data":
        return _last(str(setting["value"]))
    if setting["source"] == "default" or setting["value"] in (None, [], False):
        return None
    if setting["value"] is True:
        return True
    if name == "model":
        path, colon, made = str(setting["value"]).rpartition(":")
        return f"{_last(path)}:{made}" if colon and path.endswith(".py") else str(setting["value"])
    return [str(each) for each in setting["value"]] if isinstance(setting["value"], list) else str(setting["value"])


def _last(path: str) -> str:
    """Return the last part of a path of any system: where it lies is nobody's business."""
    return PurePosixPath(PureWindowsPath(path).as_posix()).name or path


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else shlex.quote(text)
