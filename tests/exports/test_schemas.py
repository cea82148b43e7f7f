"""What runs leave on disk follows the published schemas, and what is broken does not."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator

import asdbench
from asdbench.exports import read_schema, schema_names, write_figures_parquet
from asdbench.gate import gate
from asdbench.gate.record import to_dict
from asdbench.leaderboard.entry import Entry
from asdbench.report.run import Run, open_run
from asdbench.resources import resource_folder
from tests.exports.conftest import FIXTURES, Cli

TABLES = ("figures", "plan", "predictions", "rows")
DOCUMENTS = ("audit", "comparison", "gate", "leaderboard-entry", "metrics", "metrics-1", "run")


def closed(schema: Any) -> Any:
    """Return a schema that allows no key which it does not describe."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if found.get("type") == "object" and "properties" in found:
        found.setdefault("additionalProperties", False)
    return found


def problems(name: str, value: Any, *, exactly: bool = True) -> list[str]:
    """Return what a schema has against a value; ``exactly`` also says which keys it does not describe."""
    schema = read_schema(name)
    plain = json.loads(json.dumps(value))
    found = Draft202012Validator(closed(schema) if exactly else schema).iter_errors(plain)
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_schema_is_one() -> None:
    assert schema_names() == tuple(sorted((*TABLES, *DOCUMENTS)))
    for name in DOCUMENTS:
        Draft202012Validator.check_schema(read_schema(name))
        assert read_schema(name)["$id"].endswith(f"/docs/schemas/{name}.json")


def test_a_run_of_today_is_described_to_the_last_key(much: Run) -> None:
    for name in ("run", "metrics", "audit"):
        assert problems(name, read(much.path / f"{name}.json")) == []
    assert {"corruptions", "reliance", "curve", "plan_seeds", "sources", "breakdowns"} <= set(much.metrics)


def test_a_run_without_intervals_too(much: Run) -> None:
    assert problems("metrics", much.recomputed("off").metrics) == []


@pytest.mark.parametrize("name", ["schema-1-first", "schema-1", "schema-2-first", "schema-2"])
def test_earlier_runs_are_described_too(name: str) -> None:
    folder = FIXTURES / name
    assert problems("run", read(folder / "run.json")) == []
    schema = "metrics" if "2" in name else "metrics-1"
    assert problems(schema, read(folder / "metrics.json")) == []
    assert problems("run", open_run(folder).record, exactly=False) == []


def test_comparison_and_gate(finished: Run) -> None:
    earlier = FIXTURES / "schema-1"
    found = asdbench.compare(earlier, finished)
    assert problems("comparison", found.to_dict()) == []
    rules = ["clean.ava:-1pt", "mismatch@0.50.fa_changed:+1pt"]
    for verdict in (gate(finished, earlier, rules), gate(finished, FIXTURES / "schema-1-first")):
        assert problems("gate", to_dict(verdict), exactly=False) == []


def test_shipped_entries_of_the_leaderboard() -> None:
    paths = sorted(resource_folder("baselines/results").glob("*.json"))
    for path in paths:
        assert problems("leaderboard-entry", read(path), exactly=False) == []
    schema = read_schema("leaderboard-entry")
    assert schema["$defs"]["Entry"]["additionalProperties"] is False
    for kind, described in msgspec.json.schema(Entry)["$defs"].items():
        ours = schema["$defs"][kind]
        assert set(ours["properties"]) == set(described["properties"]), kind
        assert set(ours["required"]) == set(described["required"]), kind


def change(name: str, *place: Any, to: Any = ...) -> Any:
    return pytest.param(name, place, to, id=f"{name}-{'.'.join(map(str, place))}-{to!s:.10}")


SPOILED = (
    change("metrics", "conditions"),
    change("metrics", "tracks", to=-1),
    change("metrics", "units", "kind", to="film"),
    change("metrics", "conditions", 0, "role", to="testing"),
    change("metrics", "conditions", 0, "metrics", "ava"),
    change("metrics", "conditions", 0, "metrics", "ava", to="0.9"),
    change("metrics", "conditions", 0, "metrics", "ava", to={"undefined": 3}),
    change("metrics", "conditions", 0, "metrics", "ava", to={"missing": "why"}),
    change("metrics", "conditions", 0, "metrics", "something new", to="text"),
    change("metrics", "conditions", 0, "metrics", "at", "tpr:0.9", "tpr", to=None),
    change("metrics", "conditions", 0, "intervals", "ava", "low", to="no"),
    change("metrics", "conditions", 0, "intervals", "ava", "reason"),
    change("metrics", "conditions", 0, "rows", "total", to=1.5),
    change("run", "schema", to=99),
    change("run", "fingerprint", to="short"),
    change("run", "identity", "plan_sha256"),
    change("run", "identity", "model", "checkpoint_sha256", to="short"),
    change("run", "config", "suite", to="unsync"),
    change("run", "state", to="done"),
    change("run", "counts"),
)
"""Changes of metrics.json and run.json, each of which breaks it."""


@pytest.mark.parametrize(("name", "place", "to"), SPOILED)
def test_what_is_broken_is_refused(name: str, place: tuple[Any, ...], to: Any) -> None:
    whole = read(FIXTURES / "schema-2" / f"{name}.json")
    broken = deepcopy(whole)
    at = broken
    for key in place[:-1]:
        at = at[key]
    if to is ...:
        del at[place[-1]]
    else:
        at[place[-1]] = to
    assert problems(name, whole, exactly=False) == []
    assert problems(name, broken, exactly=False) != []


def test_keys_that_come_later_break_no_reader() -> None:
    later = read(FIXTURES / "schema-2" / "metrics.json") | {"section of the year 2030": [1, 2]}
    later["conditions"][0]["metrics"]["another figure"] = 0.5
    assert problems("metrics", later, exactly=False) == []


def columns(schema: pa.Schema) -> dict[str, str]:
    def kind(type_: Any) -> str:
        return "dictionary" if pa.types.is_dictionary(type_) else str(type_)

    return {field.name: kind(field.type) for field in schema}


def test_tables_have_the_columns_that_are_published(much: Run, tmp_path: Path) -> None:
    write_figures_parquet([much], tmp_path / "figures.parquet")
    files = {
        "plan": much.path / "plan.parquet", "rows": much.path / "rows.parquet",
        "predictions": much.path / "predictions" / "clean.parquet", "figures": tmp_path / "figures.parquet",
    }  # fmt: skip
    for name, path in files.items():
        fields = read_schema(name)["fields"]
        there = columns(pq.read_schema(path))
        assert list(there) == [each["name"] for each in fields if each["name"] in there], name
        assert {each["name"] for each in fields if not each.get("optional")} <= set(there), name
        wanted = {each["name"]: each["arrowType"] for each in fields}
        assert there == {key: wanted[key] for key in there}, name
        frame = pq.read_table(path).to_pandas()
        for each in fields:
            limits = each.get("constraints", {})
            if each["name"] in there and limits.get("required"):
                assert frame[each["name"]].notna().all(), each["name"]
            if each["name"] in there and "enum" in limits:
                assert set(frame[each["name"]]) <= set(limits["enum"]), each["name"]
        key = read_schema(name).get("primaryKey")
        assert key is None or not frame.duplicated(key).any()


def test_they_are_printed(cli: Cli) -> None:
    assert cli("export", "--schema", "list").out.split() == list(schema_names())
    assert cli("export", "--schema", "metrics").json == read_schema("metrics")
    unknown = cli("export", "--schema", "metric")
    assert (unknown.exit_code, "metrics" in unknown.err) == (2, True)
    assert cli("export", "--schema", "run", "folder").exit_code == 2
