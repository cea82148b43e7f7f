"""One small registry for everything that has a name: models, perturbations, data formats, protocols.

Built-ins are strings (``"module:attribute"``), imported only when asked for, so that listing names loads nothing.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from asdbench.errors import UnknownNameError, UsageError


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """Return the error for a name that does not exist, with the nearest names that do."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names) or 'none'}."
    return UnknownNameError(f"there is no {kind} {name!r}; {hint}")


class Registry:
    """Names of one kind and how to get at what they stand for.

    Args:
        kind: What the names are, in messages: "model", "data format", ...
        builtins: Name to ``"module:attribute"``.
        group: Entry-point group through which installed packages add names.
    """

    def __init__(self, kind: str, builtins: Mapping[str, str], group: str | None = None) -> None:
        self.kind = kind
        self._builtins = dict(builtins)
        self._group = group

    def _plugins(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=self._group)} if self._group else {}

    def names(self) -> list[str]:
        """Return the built-in names in their order, then the plug-ins' names, sorted."""
        return [*self._builtins, *self.plugins()]

    def plugins(self) -> list[str]:
        """Return the names that installed packages add, sorted; a built-in name is never theirs."""
        return sorted(set(self._plugins()) - set(self._builtins))

    def load(self, name: str) -> Any:
        """Import what a name stands for.

        Args:
            name: A built-in name, a plug-in's name, ``package.module:Attribute`` or ``path/to/file.py:Attribute``.

        Raises:
            UnknownNameError: No such name.
            UsageError: The name exists, but importing it failed; the message names the culprit.
        """
        if name in self._builtins:
            return self._import(name, self._builtins[name])
        plugin = self._plugins().get(name)
        if plugin is not None:
            return self._import(name, plugin.value)
        if ":" in name:
            return self._import(name, name)
        if name.endswith(".py"):
            raise UsageError(f"the {self.kind} {name!r} names a file alone; add what to take from it, as {name}:Name.")
        raise unknown_name(self.kind, name, self.names())

    def _import(self, name: str, target: str) -> Any:
        module_name, _, attribute = target.rpartition(":")
        try:
            module = _module_from_file(Path(module_name)) if module_name.endswith(".py") else _module(module_name)
            return getattr(module, attribute)
        except UsageError:
            raise
        except (Exception, SystemExit) as error:  # a plug-in may fail in any way; the user must learn which one did
            raise UsageError(f"the {self.kind} {name!r} cannot be loaded: {type(error).__name__}: {error}") from error


def _module(name: str) -> Any:
    return importlib.import_module(name)


def _module_from_file(path: Path) -> Any:
    if not path.is_file():
        raise UsageError(f"{path} does not exist; expected a Python file that defines the class.")
    name = f"_asdbench_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} cannot be imported as a Python module.")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses, pickling and inspect look a class's module up here.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
