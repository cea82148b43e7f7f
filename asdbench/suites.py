"""Suites: ``suites/*.toml``, or a user's own file, validated into :class:`asdbench.types.Suite` (docs/suites.md)."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from asdbench.errors import UsageError
from asdbench.registry import unknown_name
from asdbench.resources import read_toml, resource_folder
from asdbench.types import Condition, LabelPolicy, Role, Suite

_Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9@.()_+#-]*$", max_length=80)]
_Value = str | int | float
_MAX_CONDITIONS = 2000
_HOLE = re.compile(r"\{(\w+)(?::(\+|\.[0-9]f))?\}")
_T = TypeVar("_T")


class _ConditionFile(msgspec.Struct, forbid_unknown_fields=True):
    name: _Name
    perturbation: str | None = None
    proportion: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    labels: LabelPolicy = "keep"
    role: Role = "test"
    options: dict[str, Any] = {}


class _SuiteFile(msgspec.Struct, forbid_unknown_fields=True):
    """What a suite says once everything is written out: what its hash is made of."""

    name: _Name
    version: Annotated[int, msgspec.Meta(ge=1)]
    seed: Annotated[int, msgspec.Meta(ge=0)]
    summary: str
    condition: Annotated[list[_ConditionFile], msgspec.Meta(min_length=1)]


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    name: _Name
    version: Annotated[int, msgspec.Meta(ge=1)]
    seed: Annotated[int, msgspec.Meta(ge=0)]
    summary: str
    condition: Annotated[list[dict[str, Any]], msgspec.Meta(min_length=1)]
    include: list[str] = []


def suite_names() -> list[str]:
    """Return the names of the suites that are shipped, sorted."""
    return sorted(path.stem for path in resource_folder("suites").glob("*.toml") if "@" not in path.stem)


def suite_versions() -> dict[str, list[int]]:
    """Return name to the versions that this release can run, ascending; the last one is what the name alone means."""
    versions: dict[str, list[int]] = {name: [load_suite(name).version] for name in suite_names()}
    for path in resource_folder("suites").glob("*@*.toml"):
        name, _, version = path.stem.partition("@")
        if name in versions and version.isdecimal():
            versions[name].append(int(version))
    return {name: sorted(set(found)) for name, found in versions.items()}


def load_suite(name: str | Path) -> Suite:
    """Load a suite.

    Args:
        name: A shipped suite (``unsync``, or ``unsync@1`` for that version of it), or the path of a TOML file.

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
    newest = resource_folder("suites") / f"{base}.toml"
    suite = _read(newest)
    if not version or version == str(suite.version):
        return suite
    earlier = newest.with_name(f"{base}@{version}.toml")
    if not (version.isdecimal() and earlier.is_file()):
        held = ", ".join(f"{base}@{known}" for known in suite_versions()[base])
        raise UsageError(f"there is no version {version} of the suite {base!r}; this release holds {held}.")
    found = _read(earlier)
    if found.label != text:
        raise UsageError(f"{earlier}: holds {found.label}, not {text}; the file's name must say its name and version.")
    return found


def _read(path: Path, including: tuple[Path, ...] = ()) -> Suite:
    head = _convert(path, read_toml(path, "suite"), _Head)
    chain = (*including, path.resolve())
    if path.resolve() in including:
        raise UsageError(f"{path}: includes itself ({' -> '.join(each.name for each in chain)}).")
    spread = (each for entry in head.condition for each in _spread(path, entry))
    # One more than may be, so that a file that asks for millions is refused before they are made.
    written = [_convert(path, each, _ConditionFile) for each in itertools.islice(spread, _MAX_CONDITIONS + 1)]
    conditions = [*written[:1], *_included(path, head.include, chain, written[1:]), *written[1:]]
    if len(conditions) > _MAX_CONDITIONS:
        raise UsageError(f"{path}: more than {_MAX_CONDITIONS} conditions; split the suite in two.")
    file = _SuiteFile(head.name, head.version, head.seed, head.summary, conditions)
    _check(path, conditions)
    # A bare name meant version 1 when suites began, so that a suite whose perturbations are pinned later stays itself.
    bare = [
        msgspec.structs.replace(c, perturbation=c.perturbation and c.perturbation.removesuffix("@1"))
        for c in conditions
    ]
    identity = msgspec.json.encode(msgspec.structs.replace(file, condition=bare), order="sorted")
    return Suite(
        file.name,
        file.version,
        file.seed,
        file.summary,
        tuple(Condition(c.name, c.perturbation, c.proportion, c.labels, c.role, c.options) for c in conditions),
        hashlib.sha256(identity).hexdigest(),
        str(path),
    )


def _convert(path: Path, content: Mapping[str, Any], kind: type[_T]) -> _T:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        name = content.get("name") if kind is _ConditionFile else None
        where = f", condition {name!r}" if isinstance(name, str) else ""
        raise UsageError(f"{path}{where}: not a valid suite ({error}).") from error


def _spread(path: Path, entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the conditions of one table ``[[condition]]``: one per value in ``each`` of an option, or of proportion."""
    rest = {key: value for key, value in entry.items() if key != "each"}
    if "each" not in entry:
        yield rest
        return
    try:
        each = msgspec.convert(entry["each"], dict[str, Annotated[list[_Value], msgspec.Meta(min_length=1)]])
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}, condition {rest.get('name')!r}: each: {error}; expected lists of values.") from error
    for values in itertools.product(*each.values()):
        chosen = dict(zip(each, values, strict=True))
        spread = rest | {"name": _filled(path, rest.get("name"), chosen)}
        if "proportion" in chosen:
            spread["proportion"] = chosen.pop("proportion")
        yield spread | ({"options": {**rest.get("options", {}), **chosen}} if chosen else {})


def _filled(path: Path, name: Any, values: Mapping[str, _Value]) -> Any:
    """Return a name with ``{option}`` replaced by its value, ``{option:+}`` with a sign, ``{option:.2f}`` rounded."""

    def value_of(hole: re.Match[str]) -> str:
        value = values.get(hole[1])
        if value is None or (hole[2] and isinstance(value, str)):
            known = ", ".join(values)
            raise UsageError(f"{path}, condition {name!r}: {hole[0]} stands for no number of each (known: {known}).")
        return format(value, hole[2] or "")

    return _HOLE.sub(value_of, name) if isinstance(name, str) else name


def _included(
    path: Path, names: Sequence[str], chain: tuple[Path, ...], own: Sequence[_ConditionFile]
) -> list[_ConditionFile]:
    """Return the conditions of other suites but their clean ones, each once, those of the file itself left out."""
    found: dict[str, _ConditionFile] = {}
    mine = {each.name for each in own}
    for name in names:
        base = name.partition("@")[0]
        if name.endswith(".toml"):
            suite = _read(path.parent / name, chain)
        elif base == path.stem.partition("@")[0] and path.parent == resource_folder("suites"):
            raise UsageError(f"{path}: includes itself.")
        else:
            suite = load_suite(name)
        for c in suite.conditions[1:]:
            entry = _ConditionFile(c.name, c.perturbation, c.proportion, c.labels, c.role, dict(c.options))
            if c.name in mine:
                continue
            if found.setdefault(c.name, entry) != entry:
                raise UsageError(
                    f"{path}: the included suites mean different things by the condition {c.name!r}; write it out."
                )
    return list(found.values())


def _check(path: Path, conditions: Sequence[_ConditionFile]) -> None:
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
