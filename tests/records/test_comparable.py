"""In what two runs differ."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from asdbench.records.comparable import differing, half_precision, short, strictly_differing

RECORD: dict[str, Any] = {
    "identity": {
        "model": {"dtype": "float32"}, "data": {"fingerprint": "d"}, "plan_sha256": "p", "limit": None,
    },
    "data": {"protocol": "ava", "media_digest": "m"},
    "suite": {"name": "unsync", "version": 1, "seed": 1},
    "counts": {"skipped_tracks": 0, "incomplete_tracks": 0},
}  # fmt: skip


def changed(path: str, value: Any) -> dict[str, Any]:
    record = deepcopy(RECORD)
    *parts, last = path.split(".")
    part = record
    for each in parts:
        part = part[each]
    part[last] = value
    return record


def test_plans_of_different_suites_are_told_by_their_names() -> None:
    other = changed("identity.plan_sha256", "q")
    other["suite"]["name"] = "modality"
    assert differing(RECORD, other) == {"suite": ("unsync@1", "modality@1")}


@pytest.mark.parametrize(
    ("path", "value", "name"),
    [
        ("identity.data.fingerprint", "e", "data"),
        ("identity.plan_sha256", "q", "plan"),
        ("identity.limit", 3, "limit"),
        ("identity.model.dtype", "float16", "dtype"),
        ("data.protocol", "wasd", "protocol"),
        ("data.media_digest", "n", "media"),
    ],
)
def test_what_numbers_of_two_runs_must_share(path: str, value: Any, name: str) -> None:
    assert list(differing(RECORD, changed(path, value))) == [name]
    assert list(strictly_differing(RECORD, changed(path, value))) == [name]


@pytest.mark.parametrize(
    ("path", "value", "name"),
    [
        ("identity.model.options", {"window": 3}, "options"),
        ("counts.skipped_tracks", 1, "skipped"),
        ("counts.incomplete_tracks", 1, "skipped"),
        ("suite.seed", 2, "seed"),
    ],
)
def test_what_a_verdict_needs_beyond(path: str, value: Any, name: str) -> None:
    assert not differing(RECORD, changed(path, value))
    assert list(strictly_differing(RECORD, changed(path, value))) == [name]


def test_unknown_media_and_weights_make_no_difference() -> None:
    assert not strictly_differing(RECORD, changed("data.media_digest", None))
    assert not strictly_differing(RECORD, changed("identity.model.checkpoint_sha256", "c"))
    assert not strictly_differing(RECORD, RECORD)


def test_words() -> None:
    assert half_precision(RECORD) == half_precision(changed("identity.model.dtype", None)) == ""
    assert half_precision(changed("identity.model.dtype", "float16")) == "float16"
    assert (short("a" * 64), short(None), short("short")) == ("a" * 12 + "...", "None", "short")
