"""Entries on disk: whole, equal bytes, and nothing that nobody reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from asdbench.errors import DataError
from asdbench.leaderboard.entry import Entry, content_hash, decoded, encoded, read_entry, replicates_of, write_entry


def test_an_entry_is_read_as_it_was_written(entries: dict[str, Entry], tmp_path: Path) -> None:
    entry = entries["plain"]
    for name in ("once", "again"):
        write_entry(entry, tmp_path / name)
    assert (tmp_path / "once").read_bytes() == (tmp_path / "again").read_bytes()
    assert read_entry(tmp_path / "once") == entry
    assert entry.content_sha256 == content_hash(entry)


def test_it_is_small_and_names_nobody(entries: dict[str, Entry], tmp_path: Path) -> None:
    write_entry(entries["plain"], tmp_path / "e.json")
    text = (tmp_path / "e.json").read_text(encoding="utf-8")
    assert len(text) < 60_000
    assert "anna" not in text


def test_resampled_values_keep_the_precision_of_float32() -> None:
    values = np.append(np.random.default_rng(0).random(1000), np.nan)
    again = decoded(encoded(values))
    assert np.isnan(again[-1])
    assert np.abs(again[:-1] - values[:-1]).max() < 1e-7


def test_a_figure_brings_its_resamples(entries: dict[str, Entry]) -> None:
    entry = entries["plain"]
    figure = entry.figure("mismatch@1.00.retention")
    assert figure is not None
    found = replicates_of(entry, figure)
    assert found is not None
    assert (found.resampling.units, found.resampling.count, len(found.resampled)) == (25, 1000, 1000)
    assert found.estimate == figure.value


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"extra": 1}, "unknown field"),
        ({"schema": 2}, "schema"),
        ({"kind": "best"}, "kind"),
        ({"name": "../up"}, "name"),
        ({"run_fingerprint": "x"}, "run_fingerprint"),
        ({"figures": []}, "figures"),
    ],
)
def test_what_does_not_follow_the_schema(
    entries: dict[str, Entry], tmp_path: Path, change: dict[str, object], named: str
) -> None:
    path = tmp_path / "e.json"
    write_entry(entries["plain"], path)
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(DataError, match=named):
        read_entry(path)


@pytest.mark.parametrize("content", [b"", b"[", b"\xff", b"[" * 100_000, b" " * 2_000_001])
def test_what_is_no_entry_at_all(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "e.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"e\.json"):
        read_entry(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_entry(tmp_path / "none.json")


def test_what_is_no_base64() -> None:
    for text in ("a", "ä", "AAA="):
        with pytest.raises(DataError, match="base64"):
            decoded(text)
