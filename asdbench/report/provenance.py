"""Where the numbers of a run come from: what ``run.json`` knows, for people."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from asdbench.report.table import UNDEFINED

Facts = list[tuple[str, str]]

_SWITCHES = {("reuse", False): "--no-reuse", ("compile", True): "--compile"}
"""Settings that are no more than switched on or off, and by which flag."""


def facts_of(record: Mapping[str, Any]) -> list[tuple[str, Facts]]:
    """Return what identifies a run, as groups of names and values, without those that it does not know.

    Args:
        record: Content of ``run.json``.
    """
    model, data, suite = record["model"], record["data"], record["suite"]
    identity, counts = record.get("identity", {}), record.get("counts", {})
    groups = [
        (
            "Model",
            [
                ("name", model["name"]),
                ("adapter", _versioned(model.get("adapter"), model.get("adapter_version"))),
                ("checkpoint", _without_folder(model.get("checkpoint") or "")),
                ("SHA-256 of the checkpoint", model.get("checkpoint_sha256")),
                ("fingerprint of the code", model.get("fingerprint")),
                ("options", _pairs(identity.get("model", {}).get("options"))),
                ("parameters", model.get("parameters")),
                ("trained on", model.get("trained_on")),
                ("precision", model.get("dtype")),
            ],
        ),
        (
            "Data",
            [
                ("name", data["name"]),
                ("format", data.get("format")),
                ("protocol", data.get("protocol")),
                ("tracks", counts.get("tracks")),
                ("frames", counts.get("frames")),
                ("skipped tracks", counts.get("skipped_tracks")),
                ("fingerprint of the annotation", data.get("fingerprint")),
                ("digest of the media", data.get("media_digest")),
            ],
        ),
        (
            "Suite and plan",
            [
                ("suite", f"{suite['name']}@{suite['version']}"),
                ("SHA-256 of the suite", suite.get("sha256")),
                ("seed", str(suite.get("seed", ""))),
                ("SHA-256 of the plan", record.get("plan", {}).get("sha256")),
                ("plans", record.get("plan", {}).get("seeds")),
                ("first tracks only", identity.get("limit")),
                ("fingerprint of the run", record.get("fingerprint")),
            ],
        ),
        ("Measured beside", list((record.get("activity") or {}).items())),
        ("Machine", [*_machine(record)]),
        ("Software", [*(record.get("versions") or {}).items(), ("commit", _commit(record.get("git")))]),
    ]
    told = [(name, [(label, _said(value)) for label, value in facts if _known(value)]) for name, facts in groups]
    return [(name, facts) for name, facts in told if facts]


def command_of(record: Mapping[str, Any]) -> str:
    """Return the command that asks for the same run; what was left at its default is left out.

    Args:
        record: Content of ``run.json``.
    """
    words = ["asdbench", "run"]
    for name, setting in (record.get("config") or {}).items():
        value, flag = setting["value"], "--" + name.replace("_", "-")
        if setting["source"] == "default" or value is None or name in ("out", "runs"):
            continue
        if isinstance(value, bool):
            words += [_SWITCHES[name, value]] if (name, value) in _SWITCHES else []
        elif isinstance(value, (list, tuple)):
            words += [word for each in value for word in (flag, str(each))]
        else:
            words += [flag, _without_folder(value)]
    return shlex.join(words)


def settings_of(record: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return every setting with its value and where that came from: default, file, variable, flag or argument."""
    return [
        (name, _without_folder(_said(setting["value"])), _without_folder(setting["source"]))
        for name, setting in (record.get("config") or {}).items()
    ]


def _machine(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from (record.get("device") or {}).items()
    yield from (record.get("machine") or {}).items()
    engine = record.get("engine") or {}
    yield from (("engine" if name == "kind" else name, value) for name, value in engine.items())


def _known(value: Any) -> bool:
    return value is not None and value != "" and value != [] and value != {}


def _said(value: Any) -> str:
    if value is None or value in ([], {}, ""):
        return UNDEFINED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return _pairs(value)
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _pairs(values: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{name} = {value}" for name, value in (values or {}).items())


def _versioned(name: object, version: object) -> str | None:
    return f"{name}, version {version}" if name and version is not None else (str(name) if name else None)


def _without_folder(value: object) -> str:
    """Return a path without where it lies: a page is sent around, and its author's folders are nobody's business."""
    text = str(value)
    return PurePath(text).name or text if PurePath(text).is_absolute() else text


def _commit(git: Mapping[str, Any] | None) -> str | None:
    if not git or not git.get("commit"):
        return None
    return f"{git['commit']}{', with changes' if git.get('modified') else ''}"
