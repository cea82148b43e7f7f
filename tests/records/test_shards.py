"""What was scored survives a kill, and comes back as it was."""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from asdbench.errors import ResourceError
from asdbench.records import shards as shards_module
from asdbench.records.shards import Shards, TrackScores
from asdbench.types import TrackKey

CONDITIONS = ("clean", "mismatch@0.50", "mis.match[0](track)")
BIG = 20_000


@dataclass
class Clock:
    now: float = 1000.0


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time that stands still, so that only the number of frames makes a shard."""
    clock = Clock()
    monkeypatch.setattr(shards_module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    return Shards(tmp_path, CONDITIONS)


def track(name: str, frames: int = 3, entity: str = "e", offset: float = 0.0) -> TrackScores:
    base = np.arange(frames, dtype=np.float32) + np.float32(offset)
    scores = {condition: base + np.float32(100 * i) for i, condition in enumerate(CONDITIONS)}
    return TrackScores(
        TrackKey(name, entity),
        40 * np.arange(frames),
        f"medium of {name}",
        f"stamp of {name}",
        scores,
        "broken" if entity == "f" else "",
    )


def measured(name: str, columns: tuple[str, ...], frames: int = 3) -> TrackScores:
    found = {column: np.arange(frames, dtype=np.int8) - np.int8(i) for i, column in enumerate(columns)}
    return replace(track(name, frames), columns=found)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "work").glob("*"))


def names(shards: Shards) -> set[str]:
    return {key.video_id for key in shards.done()}


def test_nothing_is_done_at_first(shards: Shards, tmp_path: Path) -> None:
    assert shards.done() == set()
    assert shards.facts() == {}
    shards.flush()
    assert not (tmp_path / "work").exists()


def test_without_shards_there_are_no_scores(shards: Shards) -> None:
    assert shards.scores("clean") == {}


def test_what_is_pending_is_not_done(shards: Shards) -> None:
    shards.add(track("v"))
    assert shards.done() == set()
    shards.flush()
    assert shards.done() == {TrackKey("v", "e")}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_scores_come_back_to_the_last_bit(shards: Shards, condition: str) -> None:
    added = [track("v1", 4, offset=0.1), track("v1", 1, entity="f"), track("v2", 2, offset=-7.3)]
    for one in added:
        shards.add(one)
    shards.flush()
    found = shards.scores(condition)
    assert list(found) == [one.key for one in added]
    for one in added:
        assert found[one.key].dtype == np.float32
        assert found[one.key].tobytes() == one.scores[condition].tobytes()


def test_media_are_told_by_track(shards: Shards) -> None:
    for name in ("v1", "v2"):
        shards.add(track(name))
    shards.flush()
    assert shards.facts() == {
        TrackKey("v1", "e"): ("medium of v1", "stamp of v1", ""),
        TrackKey("v2", "e"): ("medium of v2", "stamp of v2", ""),
    }


def test_several_shards_are_read_as_one(shards: Shards, tmp_path: Path) -> None:
    for name in ("v3", "v1", "v2"):
        shards.add(track(name, offset=len(files(tmp_path))))
        shards.flush()
    assert files(tmp_path) == [f"shard-00000{i}.parquet" for i in range(3)]
    assert names(shards) == {"v1", "v2", "v3"}
    assert {key.video_id: value[0] for key, value in shards.scores("clean").items()} == {"v3": 0, "v1": 1, "v2": 2}


def test_a_large_track_is_written_at_once(shards: Shards, tmp_path: Path) -> None:
    shards.add(track("small"))
    assert files(tmp_path) == []
    shards.add(track("large", BIG))
    assert files(tmp_path) == ["shard-000000.parquet"]
    assert names(shards) == {"small", "large"}
    assert len(shards.scores("clean")[TrackKey("large", "e")]) == BIG


def test_frames_are_counted_anew_after_each_shard(shards: Shards, tmp_path: Path) -> None:
    shards.add(track("large", BIG))
    shards.add(track("small"))
    assert names(shards) == {"large"}
    shards.flush()
    shards.flush()  # nothing is pending: no empty shard
    assert len(files(tmp_path)) == 2


def test_slow_tracks_are_written_after_a_while(shards: Shards, clock: Clock) -> None:
    shards.add(track("first"))
    clock.now += 60
    assert shards.done() == set()
    shards.add(track("second"))
    assert names(shards) == {"first", "second"}
    shards.add(track("third"))
    assert names(shards) == {"first", "second"}


def test_a_new_start_continues_the_numbering_and_keeps_what_is_there(shards: Shards, tmp_path: Path) -> None:
    shards.add(track("v1"))
    shards.flush()
    before = (tmp_path / "work" / "shard-000000.parquet").read_bytes()
    again = Shards(tmp_path, CONDITIONS)
    assert names(again) == {"v1"}
    again.add(track("v2"))
    again.flush()
    assert files(tmp_path) == ["shard-000000.parquet", "shard-000001.parquet"]
    assert (tmp_path / "work" / "shard-000000.parquet").read_bytes() == before
    assert names(Shards(tmp_path, CONDITIONS)) == {"v1", "v2"}


def test_a_gap_in_the_numbering_never_leads_to_a_lost_shard(shards: Shards, tmp_path: Path) -> None:
    for name in ("v1", "v2"):
        shards.add(track(name))
        shards.flush()
    (tmp_path / "work" / "shard-000000.parquet").unlink()
    again = Shards(tmp_path, CONDITIONS)
    again.add(track("v3"))
    again.flush()
    assert names(again) == {"v2", "v3"}


def test_what_a_killed_writer_left_is_ignored(shards: Shards, tmp_path: Path) -> None:
    shards.add(track("v1"))
    shards.flush()
    (tmp_path / "work" / ".shard-000001.parquet.tmp").write_bytes(b"PAR1half")
    again = Shards(tmp_path, CONDITIONS)
    assert names(again) == {"v1"}
    again.add(track("v2"))
    again.flush()
    assert names(again) == {"v1", "v2"}
    assert files(tmp_path) == ["shard-000000.parquet", "shard-000001.parquet"]


def test_a_full_disk_loses_nothing_that_is_pending(
    shards: Shards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    shards.add(track("v1"))
    with monkeypatch.context() as patch:
        patch.setattr("asdbench.atomic.os.fsync", full)
        with pytest.raises(ResourceError, match="run the same command again"):
            shards.flush()
    assert files(tmp_path) == []
    shards.flush()
    assert names(shards) == {"v1"}


def test_remove_leaves_the_rest_of_the_run_folder(shards: Shards, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    shards.add(track("v1"))
    shards.flush()
    shards.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    assert shards.done() == set()
    shards.remove()  # twice is no error


def test_what_else_was_measured_comes_back(tmp_path: Path) -> None:
    columns = ("voiced:clean", "voiced:mis.match[0](track)")
    shards = Shards(tmp_path, CONDITIONS, columns, "vad 1")
    for name in ("v1", "v2"):
        shards.add(measured(name, columns))
        shards.flush()
    for i, column in enumerate(columns):
        found = shards.column(column)
        assert [key.video_id for key in found] == ["v1", "v2"]
        assert all(values.dtype == np.int8 for values in found.values())
        assert found[TrackKey("v1", "e")].tolist() == [0 - i, 1 - i, 2 - i]


@pytest.mark.parametrize(
    ("columns", "made_with"), [((), "vad 1"), (("a",), "vad 1"), (("a", "b"), "vad 2"), (("a", "b"), "")]
)
def test_a_shard_that_holds_less_or_something_else_is_scored_again(
    tmp_path: Path, columns: tuple[str, ...], made_with: str
) -> None:
    older = Shards(tmp_path, CONDITIONS, columns, made_with)
    older.add(measured("v1", columns))
    older.flush()
    now = Shards(tmp_path, CONDITIONS, ("a", "b"), "vad 1")
    assert now.done() == set()
    now.add(measured("v2", ("a", "b")))
    now.flush()
    assert names(now) == {"v2"}
    assert [key.video_id for key in now.scores("clean")] == ["v2"]
    assert len(files(tmp_path)) == 2, "the numbering goes on behind shards that do not count"


def test_a_start_without_a_condition_of_an_earlier_one_reads_its_shards(tmp_path: Path, shards: Shards) -> None:
    shards.add(track("v1"))
    shards.flush()
    assert names(Shards(tmp_path, CONDITIONS[:2])) == {"v1"}
    assert names(Shards(tmp_path, (*CONDITIONS, "another"))) == set()
