"""Suites: ``suites/*.toml``, or a user's own file, validated into :class:`asdbench.types.Suite`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any

import msgspec

from asdbench.errors import UsageError
from asdbench.registry import unknown_name
from asdbench.resources import read_toml, resource_folder
from asdbench.types import Condition, LabelPolicy, Role, Suite

_Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9@.()_+-]*$", max_length=80)]


class _ConditionFile(msgspec.Struct, forbid_unknown_fields=True):
    name: _Name
    perturbation: str | None = None
    proportion: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    labels: LabelPolicy = "keep"
    role: Role = "test"
    options: dict[str, Any] = {}


class _SuiteFile(msgspec.Struct, forbid_unknown_fields=True):
    name: _Name
    version: Annotated[int, msgspec.Meta(ge=1)]
    seed: Annotated[int, msgspec.Meta(ge=0)]
    summary: str
    condition: Annotated[list[_ConditionFile], msgspec.Meta(min_length=1)]


def suite_names() -> list[str]:
    """Return the names of the suites that are shipped, sorted."""
    return sorted(path.stem for path in resource_folder("suites").glob("*.toml"))


def load_suite(name: str | Path) -> Suite:
    """Load a suite.

    Args:
        name: A shipped suite (``unsync``, or ``unsync@1`` to insist on the version), or the path of a TOML file.

    Raises:
        UnknownNameError: No such suite.
        UsageError: The file is not a valid suite; the message has file and key.
    """
    text = str(name)
    if text.endswith(".toml"):
        return _read(Path(text))
    base, _, version = text.partition("@")
    if base not in suite_names():
        raise unknown_name("suite", text, suite_names())
    suite = _read(resource_folder("suites") / f"{base}.toml")
    if version and version != str(suite.version):
        raise UsageError(f"there is no version {version} of the suite {base!r}; this release holds {suite.label}.")
    return suite


def _read(path: Path) -> Suite:
    try:
        file = msgspec.convert(read_toml(path, "suite"), _SuiteFile)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: not a valid suite ({error}).") from error
    conditions = tuple(
        Condition(c.name, c.perturbation, c.proportion, c.labels, c.role, c.options) for c in file.condition
    )
    _check(path, conditions)
    identity = msgspec.json.encode(file, order="sorted")
    return Suite(file.name, file.version, file.seed, file.summary, conditions, hashlib.sha256(identity).hexdigest())


def _check(path: Path, conditions: tuple[Condition, ...]) -> None:
    # Without case, since names become file names.
    names = [condition.name.casefold() for condition in conditions]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise UsageError(f"{path}: the condition {repeated[0]!r} stands there twice; give each its own name.")
    clean = conditions[0]
    if clean.name != "clean" or clean.perturbation is not None or clean.role != "reference":
        raise UsageError(
            f'{path}: the first condition must be the reference (name = "clean", role = "reference", no perturbation), '
            "since thresholds are frozen on it."
        )
    for condition in conditions[1:]:
        if condition.perturbation is None or condition.role == "reference":
            raise UsageError(f"{path}: the condition {condition.name!r} needs a perturbation, and is no reference.")
