"""The registry: names, hints, and who is to blame."""

from __future__ import annotations

import collections
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import asdbench.registry
from asdbench.errors import UnknownNameError, UsageError
from asdbench.registry import Registry, unknown_name


@pytest.fixture
def registry() -> Registry:
    return Registry("model", {"ordered": "collections:OrderedDict", "broken": "no.such.module:Thing"})


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> Registry:
    points = [
        EntryPoint("zeta", "collections:Counter", "asdbench.models"),
        EntryPoint("alpha", "no_such_package:Model", "asdbench.models"),
        EntryPoint("ordered", "collections:deque", "asdbench.models"),
    ]
    monkeypatch.setattr(asdbench.registry, "entry_points", lambda group: [p for p in points if p.group == group])
    return Registry("model", {"ordered": "collections:OrderedDict"}, group="asdbench.models")


def test_builtin(registry: Registry) -> None:
    assert registry.load("ordered") is collections.OrderedDict


def test_listing_names_loads_nothing(registry: Registry) -> None:
    assert registry.names() == ["ordered", "broken"]


def test_unknown_name_has_a_hint(registry: Registry) -> None:
    with pytest.raises(UnknownNameError, match="there is no model 'orderd'; did you mean ordered"):
        registry.load("orderd")


def test_a_far_off_name_lists_what_there_is(registry: Registry) -> None:
    with pytest.raises(UnknownNameError, match="known: broken, ordered"):
        registry.load("xyz")


def test_nothing_known() -> None:
    assert "known: none" in str(unknown_name("suite", "x", []))


def test_module_and_attribute(registry: Registry) -> None:
    assert registry.load("collections:Counter") is collections.Counter


def test_file_and_attribute(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("class Model:\n    value = 7\n", encoding="utf-8")
    assert registry.load(f"{tmp_path / 'mine.py'}:Model").value == 7


def test_missing_file(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"mine\.py does not exist") as caught:
        registry.load(f"{tmp_path / 'mine.py'}:Model")
    assert str(tmp_path / "mine.py") in str(caught.value)


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("1 / 0\n", "ZeroDivisionError"),
        ("def broken(:\n", "SyntaxError"),
        ("import no_such_thing\n", "no_such_thing"),
        ("x = 1\n", "has no attribute 'Model'"),
    ],
)
def test_a_file_that_fails_is_named(registry: Registry, tmp_path: Path, source: str, what: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(source, encoding="utf-8")
    with pytest.raises(UsageError, match=what) as caught:
        registry.load(f"{path}:Model")
    assert f"the model '{path}:Model' cannot be loaded" in str(caught.value)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("name", ["broken", "no.such.module:Thing", "collections:NoSuchThing", ":x", "collections:"])
def test_what_cannot_be_imported_is_named(registry: Registry, name: str) -> None:
    with pytest.raises(UsageError, match=f"the model '{name}' cannot be loaded"):
        registry.load(name)


def test_plugins_come_after_builtins_and_never_replace_them(plugged: Registry) -> None:
    assert plugged.names() == ["ordered", "alpha", "zeta"]
    assert plugged.load("ordered") is collections.OrderedDict
    assert plugged.load("zeta") is collections.Counter


def test_a_broken_plugin_is_named(plugged: Registry) -> None:
    with pytest.raises(UsageError, match=r"the model 'alpha' cannot be loaded: ModuleNotFoundError.*no_such_package"):
        plugged.load("alpha")


def test_plugins_appear_in_hints(plugged: Registry) -> None:
    with pytest.raises(UnknownNameError, match="did you mean zeta"):
        plugged.load("zetta")


def test_a_file_without_a_name_in_it_gets_a_hint() -> None:
    with pytest.raises(UsageError, match=r"names a file alone; add what to take from it, as mine\.py:Name"):
        Registry("model", {}).load("mine.py")
