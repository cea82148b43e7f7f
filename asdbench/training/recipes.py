"""Recipes as files: ``baselines/recipes/*.toml``, or a user's own (docs/training.md).

A recipe may name a ``base`` and state only what differs from it: tables are merged key by key, arrays replaced. What
`load_recipe` returns has everything written out.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from asdbench.errors import UnknownNameError, UsageError
from asdbench.registry import unknown_name
from asdbench.resources import read_toml, resource_folder, toml_value
from asdbench.training.recipe import Recipe

_FOLDER = "baselines/recipes"
_OWN = ("name", "version", "summary")  # never taken from a base
_UNSET = ("name", "version", "base")  # never changed by --set
_NO_IDENTITY = ("summary", "source")

Load = Callable[[str], Recipe]


def recipe_names() -> list[str]:
    """Return the names of the recipes that are shipped, sorted."""
    return sorted(path.stem for path in resource_folder(_FOLDER).glob("*.toml"))


def load_recipe(name: str | Path, changes: Sequence[str] = ()) -> Recipe:
    """Load a recipe, and make sure that all it starts from can be.

    Args:
        name: A shipped recipe, or the path of a file that ends with ``.toml``.
        changes: Values that replace the file's, each as ``optimizer.rate=1e-4``, in TOML; quotes may be left out.

    Raises:
        UnknownNameError: No such recipe, or a key that recipes do not have.
        UsageError: The file or a change is not valid, or recipes begin with one another's weights in a circle; the
            message has file and key.
    """
    recipe = _load(str(name), changes)
    chain(recipe)
    return recipe


def recipe_hash(recipe: Recipe) -> str:
    """Return the sha256 of all that moves a weight: everything but summary and source.

    What has its default is left out, so that a recipe keeps its hash when recipes learn something new. The recipes
    that it starts from count by name alone.
    """
    content = {key: value for key, value in _stated(recipe).items() if key not in _NO_IDENTITY}
    for start in content.get("start", ()):
        start["recipe"] = Path(start["recipe"]).name.removesuffix(".toml")
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def chain(recipe: Recipe, load: Load | None = None) -> tuple[Recipe, ...]:
    """Return the recipes that one starts from, directly or not, each once and after all that it starts from itself.

    Args:
        recipe: Is not among them.
        load: How to read one; `load_recipe` by default.

    Raises:
        UsageError: A recipe starts from itself, directly or not.
    """
    found: dict[str, Recipe] = {}
    _follow(recipe, load or _load, found, ())
    return tuple(found.values())


def _follow(recipe: Recipe, load: Load, found: dict[str, Recipe], above: tuple[str, ...]) -> None:
    for start in recipe.start:
        if start.recipe in above:
            circle = " -> ".join((*above[above.index(start.recipe) :], start.recipe))
            raise UsageError(f"recipe {recipe.name}: starts from itself ({circle}); break the circle.")
        if start.recipe not in found:
            beginning = load(start.recipe)
            _follow(beginning, load, found, (*above, start.recipe))
            found[start.recipe] = beginning


def _load(name: str, changes: Sequence[str] = ()) -> Recipe:
    path = _path(name)
    content = _content(path, ())
    recipe = _convert(str(path), content)
    for change in changes:
        recipe = _changed(recipe, content, change)
    _check(str(path), recipe)
    return recipe


def _path(name: str) -> Path:
    if name.endswith(".toml"):
        return Path(name)
    if name not in recipe_names():
        error = unknown_name("recipe", name, recipe_names())
        raise UnknownNameError(f"{error} A recipe of your own is named by its file, which ends with .toml.")
    return resource_folder(_FOLDER) / f"{name}.toml"


def _content(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    """Return what a file says, its bases merged in; paths within it become relative to the current folder."""
    content = read_toml(path, "recipe")
    if path.resolve() in below:
        raise UsageError(f"{path}: is its own base ({' -> '.join(each.name for each in (*below, path))}).")
    base = content.pop("base", None)
    _refuse_unknown(str(path), content)
    for start in content.get("start", ()) if isinstance(content.get("start"), list) else ():
        if isinstance(start, dict) and str(start.get("recipe")).endswith(".toml"):
            start["recipe"] = str(path.parent / start["recipe"])
    if base is None:
        return content
    if not isinstance(base, str):
        raise UsageError(f"{path}: base = {base!r}; expected the name of a recipe, or a file that ends with .toml.")
    absent = [key for key in _OWN if key not in content]
    if absent:
        raise UsageError(f"{path}: has no {absent[0]} of its own; all but {', '.join(_OWN)} comes from the base.")
    under = path.parent / base if base.endswith(".toml") else _path(base)
    return _merged(_content(under, (*below, path.resolve())), content)


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    both = {key for key in own if isinstance(own[key], dict) and isinstance(base.get(key), dict)}
    return {**base, **own, **{key: _merged(base[key], own[key]) for key in both}}


def _changed(recipe: Recipe, content: dict[str, Any], change: str) -> Recipe:
    """Return the recipe with one change, which is also made in its content."""
    key, sign, text = change.partition("=")
    names, text = [part.strip() for part in key.split(".")], text.strip()
    where = f"--set {change}"
    if not sign or not all(names):
        raise UsageError(f"{where}: expected KEY=VALUE, such as optimizer.rate=1e-4.")
    if names[0] in _UNSET:
        raise UsageError(
            f"{where}: {names[0]} says which recipe it is; write a recipe of your own with base = {recipe.name!r}."
        )
    _refuse_unknown(where, _nested(names, text))
    # A text that looks like another kind of value is meant as text where text is expected: loss.temperature=1.
    value = toml_value(text)
    errors = []
    for meant in (value,) if value == text else (value, text):
        changed = _merged(content, _nested(names, meant))
        try:
            found = _convert(where, changed)
        except UsageError as error:
            errors.append(error)
        else:
            content.update(changed)
            return found
    raise errors[0]


def _nested(names: Sequence[str], value: Any) -> dict[str, Any]:
    for name in reversed(names):
        value = {name: value}
    nested: dict[str, Any] = value
    return nested


def _convert(where: str, content: Mapping[str, Any]) -> Recipe:
    try:
        return msgspec.convert(content, Recipe)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: not a valid recipe ({error}).") from error


def _refuse_unknown(where: str, content: Mapping[str, Any]) -> None:
    for key, known in _unknown(content, inspect.type_info(Recipe), ""):
        raise UnknownNameError(f"{where}: {unknown_name('key', key, known)}")


def _unknown(content: Any, kind: inspect.Type, above: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each key that recipes do not have, with those that could stand in its place."""
    if isinstance(kind, inspect.StructType) and isinstance(content, Mapping):
        fields = {f"{above}{field.name}": field.type for field in kind.fields}
        for key, value in content.items():
            if f"{above}{key}" in fields:
                yield from _unknown(value, fields[f"{above}{key}"], f"{above}{key}.")
            else:
                yield f"{above}{key}", [*fields, *(() if above else ("base",))]
    elif isinstance(kind, inspect.VarTupleType) and isinstance(content, list):
        for value in content:
            yield from _unknown(value, kind.item_type, above)


def _check(where: str, recipe: Recipe) -> None:
    """Refuse numbers that are none, which no bound keeps out and which have no place in JSON."""
    for key, value in _numbers(msgspec.to_builtins(recipe), ""):
        if not math.isfinite(value):
            raise UsageError(f"{where}: {key} = {value}; expected a finite number.")


def _numbers(content: Any, key: str) -> Iterator[tuple[str, float]]:
    if isinstance(content, Mapping):
        for name, value in content.items():
            yield from _numbers(value, f"{key}.{name}" if key else name)
    elif isinstance(content, (list, tuple)):
        for value in content:
            yield from _numbers(value, key)
    elif isinstance(content, (int, float)):
        yield key, content


def _stated(part: Any) -> Any:
    """Return plain data, without what has its default."""
    if isinstance(part, msgspec.Struct):
        fields = msgspec.structs.fields(part)
        held = {field.name: getattr(part, field.name) for field in fields}
        return {
            field.name: _stated(held[field.name])
            for field in fields
            if field.required or held[field.name] != field.default
        }
    if isinstance(part, Mapping):
        return {key: _stated(value) for key, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [_stated(value) for value in part]
    return part
