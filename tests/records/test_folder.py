"""Who may write to a run folder."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

from asdbench.errors import DataError, NotComparableError, UsageError
from asdbench.records.folder import SCHEMA_VERSION, RunFolder, default_folder, fingerprint

IDENTITY = {
    "model": {"adapter": "light-asd", "checkpoint_sha256": "a" * 64, "code_sha256": None},
    "data": {"fingerprint": "f" * 64, "protocol": "ava"},
    "suite": {"name": "unsync@1"},
    "limit": 3,
}
HOSTILE = [
    "../../etc/passwd",
    "..",
    ".",
    "a/b\\c",
    "/absolute",
    "C:\\x:y",
    "模型",
    "a\nb\0c",
    "<script>|*?\"'`$&",
    "-rf",
    "~root",
    "%2e%2e%2f",
]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "runs" / "one")


@pytest.fixture
def written(folder: RunFolder) -> RunFolder:
    assert folder.claim(IDENTITY) is None
    folder.write_record({"identity": IDENTITY, "state": "running"})
    return folder


def reversed_keys(value: Any) -> Any:
    return {key: reversed_keys(value[key]) for key in reversed(value)} if isinstance(value, dict) else value


def changed(**paths: Any) -> dict[str, Any]:
    identity: dict[str, Any] = copy.deepcopy(IDENTITY)
    for path, value in paths.items():
        group, _, field = path.partition("__")
        if field:
            identity[group][field] = value
        else:
            identity[group] = value
    return identity


def refusal(folder: RunFolder, identity: dict[str, Any]) -> str:
    with pytest.raises(NotComparableError) as caught:
        folder.claim(identity)
    return str(caught.value)


def test_fingerprint_is_stable() -> None:
    # A literal: another value would orphan every run folder on every disk.
    assert fingerprint({"b": {"y": None, "x": 1}, "a": "é"}) == (
        "9d4da8e94ae5d1f99f45bf8fbdc7cd1700d6f2a3a45defcf6616dee1dc976762"
    )


def test_fingerprint_does_not_depend_on_order() -> None:
    assert fingerprint(reversed_keys(IDENTITY)) == fingerprint(IDENTITY)


@pytest.mark.parametrize(
    "other", [changed(limit=None), changed(model__code_sha256="c"), changed(data__protocol="x"), changed(extra=1)]
)
def test_fingerprint_sees_every_field(other: dict[str, Any]) -> None:
    assert fingerprint(other) != fingerprint(IDENTITY)


def test_default_folder_is_readable_where_names_are_harmless(tmp_path: Path) -> None:
    path = default_folder(tmp_path, "light-asd.ava", "unsync", "AVA val", IDENTITY)
    assert path == tmp_path / f"light-asd.ava-unsync-AVA val-{fingerprint(IDENTITY)[:8]}"


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_no_name_leads_out_of_the_folder_of_runs(tmp_path: Path, name: str, place: int) -> None:
    parts = ["model", "suite", "data"]
    parts[place] = name
    path = default_folder(tmp_path, *parts, IDENTITY)
    assert path.parent == tmp_path
    assert path.resolve().parent == tmp_path.resolve()
    assert path.name.isascii()
    assert path.name.isprintable()
    assert not set(path.name) & set('/\\:*?"<>|')
    RunFolder(path).claim(IDENTITY)
    assert path.is_dir()


def test_other_names_and_identities_get_other_folders(tmp_path: Path) -> None:
    names = [("a", "s", "d"), ("a/", "s", "d"), ("a%2F", "s", "d"), ("b", "s", "d"), ("a", "s", "e")]
    paths = {default_folder(tmp_path, *parts, IDENTITY) for parts in names}
    assert len(paths) == len(names)
    assert default_folder(tmp_path, "a", "s", "d", changed(limit=4)) not in paths


@pytest.mark.parametrize("name", ["п" * 60, "x" * 250], ids=["cyrillic", "ascii"])
def test_long_names_still_give_a_folder_that_can_be_made(tmp_path: Path, name: str) -> None:
    path = default_folder(tmp_path, "light-asd.ava", "unsync", name, IDENTITY)
    assert len(path.name.encode()) <= 255
    assert path.name.endswith(fingerprint(IDENTITY)[:8])


def test_a_new_folder_is_made(folder: RunFolder) -> None:
    assert folder.claim(IDENTITY) is None
    assert folder.path.is_dir()


def test_an_empty_folder_may_be_used(folder: RunFolder) -> None:
    folder.path.mkdir(parents=True)
    assert folder.claim(IDENTITY) is None


def test_the_same_identity_gets_the_earlier_record(written: RunFolder) -> None:
    assert written.claim(reversed_keys(IDENTITY)) == {
        "schema": SCHEMA_VERSION,
        "identity": IDENTITY,
        "state": "running",
    }


@pytest.mark.parametrize(
    ("identity", "fields"),
    [
        (changed(limit=None), ["limit (3 there, None now)"]),
        (changed(data__protocol="other"), ["data.protocol (ava there, other now)"]),
        (
            changed(model__checkpoint_sha256="b" * 64, limit=4),
            ["limit (3 there, 4 now)", f"model.checkpoint_sha256 ({'a' * 12}... there, {'b' * 12}... now)"],
        ),
        (changed(model__code_sha256="c"), ["model.code_sha256 (None there, c now)"]),
        (changed(plan_sha256="p"), ["plan_sha256 (None there, p now)"]),
    ],
)
def test_another_identity_is_refused_with_exactly_the_fields_that_differ(
    written: RunFolder, identity: dict[str, Any], fields: list[str]
) -> None:
    expected = f"{written.path}: holds another run, which differs in {'; '.join(fields)}; choose another --out."
    assert refusal(written, identity) == expected


def test_a_field_that_is_gone_is_named(written: RunFolder) -> None:
    identity = copy.deepcopy(IDENTITY)
    del identity["suite"]
    assert "differs in suite (" in refusal(written, identity)


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(UsageError, match="not a run folder; choose another --out"):
        RunFolder(tmp_path).claim(IDENTITY)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("below", ["", "run"])
def test_a_file_is_no_run_folder(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.write_text("content", encoding="utf-8")
    with pytest.raises(UsageError, match=r"choose another --out"):
        RunFolder(file / below).claim(IDENTITY)
    assert file.read_text(encoding="utf-8") == "content"


CLAIM_OR_READ = [lambda folder: folder.claim(IDENTITY), RunFolder.read_record]


@pytest.mark.parametrize("act", CLAIM_OR_READ)
def test_a_newer_schema_asks_for_an_upgrade(written: RunFolder, act: Callable[[RunFolder], Any]) -> None:
    written.record_file.write_bytes(msgspec.json.encode({"schema": SCHEMA_VERSION + 1, "identity": IDENTITY}))
    with pytest.raises(DataError, match=r"run\.json: written by a newer asdbench \(schema 3\); upgrade"):
        act(written)


@pytest.mark.parametrize("act", CLAIM_OR_READ)
@pytest.mark.parametrize(
    "content",
    [b"", b'{"schema": 1', b"[]", b"null", b"\xff", b'{"model": "\xff"}', b'{"schema": "new"}'],
    ids=["empty", "cut", "list", "null", "binary", "not UTF-8", "schema"],
)
def test_a_broken_record_is_named(written: RunFolder, act: Callable[[RunFolder], Any], content: bytes) -> None:
    written.record_file.write_bytes(content)
    with pytest.raises(DataError, match=r"run\.json: "):
        act(written)


def test_reading_a_folder_without_record_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"run\.json is missing"):
        RunFolder(tmp_path).read_record()


def test_a_record_may_not_hide_its_schema(folder: RunFolder) -> None:
    folder.write_record({"state": "running"})
    assert list(folder.read_record()) == ["schema", "state"]


PLAN = {
    "condition": "mismatch@1.00",
    "video_id": "v",
    "entity_id": "e|é",
    "run": 0,
    "first_ms": 0,
    "last_ms": 960,
    "changed": True,
    "ineligible": None,
    "ignored_frames": 2,
    "shift_ms": -240.5,
    "edits": '[{"type":"shift"}]',
}


def test_the_plan_is_readable_with_pandas(folder: RunFolder) -> None:
    left = PLAN | {"changed": False, "ineligible": "shorter than 0.4 s", "shift_ms": None, "edits": None}
    folder.write_plan(iter([PLAN, left]))
    frame = pd.read_parquet(folder.path / "plan.parquet")
    assert list(frame.columns) == list(PLAN)
    assert frame.iloc[0].drop("ineligible").to_dict() == {k: v for k, v in PLAN.items() if k != "ineligible"}
    assert frame["ineligible"].isna().tolist() == [True, False]
    assert frame["shift_ms"].isna().tolist() == [False, True]
    assert frame["ineligible"][1] == "shorter than 0.4 s"


def test_a_plan_without_changes_keeps_its_columns(folder: RunFolder) -> None:
    folder.write_plan([])
    frame = pd.read_parquet(folder.path / "plan.parquet")
    assert list(frame.columns) == list(PLAN)
    assert frame.empty
