"""The published schemas of what asdbench writes: JSON Schema for JSON, Table Schema for Parquet (docs/exports.md)."""

from __future__ import annotations

from typing import Any

import msgspec

from asdbench.registry import unknown_name
from asdbench.resources import resource_folder

_SUFFIX = ".json"


def schema_names() -> tuple[str, ...]:
    """Return the names of all schemas, sorted."""
    return tuple(sorted(path.stem for path in resource_folder("docs/schemas").glob(f"*{_SUFFIX}")))


def read_schema(name: str) -> dict[str, Any]:
    """Return a schema.

    Raises:
        UnknownNameError: There is none of this name.
    """
    if name not in schema_names():
        raise unknown_name("schema", name, schema_names())
    found: dict[str, Any] = msgspec.json.decode((resource_folder("docs/schemas") / f"{name}{_SUFFIX}").read_bytes())
    return found
