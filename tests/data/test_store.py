"""A store reads like the data set it was made of, bit for bit; what was stopped is continued; damage is never read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import asdbench
import asdbench.data.store_build
from asdbench.data import open_dataset
from asdbench.data.prepare import PrepareOptions
from asdbench.data.store_build import build_store
from asdbench.data.store_clip import store_clip
from asdbench.data.store_tables import BOXES, MASKS, PAIRS, PLAIN
from asdbench.errors import DataError, NotComparableError, UsageError
from asdbench.perturb.plan import plan
from asdbench.suites import load_suite
from asdbench.types import Dataset, Track
from tests.data.ego4d_films import write_small
from tests.data.good import write_good

_ONE = PrepareOptions(workers=1, progress=False)


def _films(folder: Path, fixture_root: Path) -> Dataset:
    """The generated data set with the sound of whole films around its tracks."""
    data = Path(shutil.copytree(fixture_root, folder / "films"))
    return open_dataset(data)


@pytest.fixture(params=["ava", "folder", "ego4d", "demo-val"])
def source(request: pytest.FixtureRequest, tmp_path: Path, fixture_root: Path) -> Dataset:
    """A data set of one of several formats: crops on disk, films to cut, boxes, categories, dubs, persons."""
    make: dict[str, Callable[[], Dataset]] = {
        "ava": lambda: _films(tmp_path, fixture_root),
        "folder": lambda: open_dataset(write_good(tmp_path / "good")),
        "ego4d": lambda: open_dataset(write_small(tmp_path / "ego4d")),
        "demo-val": lambda: open_dataset("demo-val"),
    }
    return make[request.param]()


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        return (
            first is not None and second is not None and first.dtype == second.dtype and np.array_equal(first, second)
        )
    return bool(first == second) and type(first) is type(second)


def test_every_field_of_a_track_is_kept() -> None:
    kept = {*PLAIN, *PAIRS, *MASKS, *BOXES, "timestamps_ms", "labels", "categories", "media"}
    assert kept == {field.name for field in fields(Track)}


def test_reads_like_its_source(source: Dataset, tmp_path: Path) -> None:
    limit = 6 if source.name.startswith("demo") else None
    options = PrepareOptions(workers=1, progress=False, limit=limit, on_error="skip")  # one clip of ego4d has no sound
    done = build_store(source, tmp_path / "store", options=options)
    stored = open_dataset(tmp_path / "store")
    assert (stored.name, stored.format, stored.protocol) == (source.name, source.format, source.protocol)
    gone = {part[:2] for part in done.skipped}
    tracks = [track for track in source.tracks[:limit] if track.key not in gone]
    assert done.counts["tracks"] == len(stored.tracks) == len(tracks) >= 4
    if not gone:
        assert (stored.fingerprint, stored.notes) == (source.fingerprint, source.notes)
    for before, after in zip(tracks, stored.tracks, strict=True):
        for field in fields(Track):
            if field.name != "media":
                assert _same(getattr(before, field.name), getattr(after, field.name)), (before.key, field.name)
        assert _same(before.media.audio(), after.media.audio())
        wanted, found = before.media.faces(), after.media.faces()
        assert len(wanted) == len(found)
        assert all(map(_same, wanted, found))
        margin = before.audio_margin
        for start, stop in ((-margin[0], before.num_samples + margin[1]), (-margin[0], 0), (100, 900)):
            window, kept = before.media.audio_window(start, stop), after.media.audio_window(start, stop)
            # AAC fills bands with noise, another one wherever decoding starts, so windows of it never repeat exactly.
            assert len(window) == len(kept) if source.format == "ego4d" else _same(window, kept)
    if len(stored.tracks) == len(source.tracks):
        suite = load_suite("full")
        assert plan(stored.tracks, suite).sha256 == plan(source.tracks, suite).sha256


def test_a_run_gives_the_same_predictions(fixture_dataset: Dataset, fixture_root: Path, tmp_path: Path) -> None:
    build_store(fixture_dataset, tmp_path / "store", options=_ONE)
    for name, data in (("plain", fixture_root), ("stored", tmp_path / "store")):
        asdbench.run("vad-lip", "unsync", data, out=tmp_path / name, progress=False)
    plain, stored = (
        {path.name: path.read_bytes() for path in (tmp_path / name / "predictions").iterdir()}
        for name in ("plain", "stored")
    )
    assert plain == stored
    identities = [
        json.loads((tmp_path / name / "run.json").read_bytes())["fingerprint"] for name in ("plain", "stored")
    ]
    assert identities[0] == identities[1]


def test_what_was_stopped_is_continued(
    fixture_dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    build_store(fixture_dataset, whole, options=_ONE)
    calls: list[str] = []

    def dying(clip: Any, *rest: Any, **more: Any) -> Any:
        calls.append(clip.video_id)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return store_clip(clip, *rest, **more)

    monkeypatch.setattr(asdbench.data.store_build, "store_clip", dying)
    with pytest.raises(KeyboardInterrupt):
        build_store(fixture_dataset, broken, options=_ONE)
    with pytest.raises(DataError, match="not finished"):
        open_dataset(broken)
    build_store(fixture_dataset, broken, options=_ONE)
    assert len(calls) == len(set(calls)) + 1  # only the one that was being written is written again
    names = sorted(path.relative_to(whole) for path in whole.rglob("*"))
    assert names == sorted(path.relative_to(broken) for path in broken.rglob("*"))
    assert all((whole / n).read_bytes() == (broken / n).read_bytes() for n in names if (whole / n).is_file())


def test_only_what_changed_is_stored_again(fixture_copy: Path, tmp_path: Path) -> None:
    dataset = open_dataset(fixture_copy)
    build_store(dataset, tmp_path / "store", options=_ONE)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "store" / "media").glob("*.faces")}
    wav = next((fixture_copy / "clips_audios").rglob("*.wav"))
    samples, rate = soundfile.read(wav, dtype="int16")
    soundfile.write(wav, samples[::-1], rate)
    build_store(open_dataset(fixture_copy), tmp_path / "store", options=_ONE)
    after = {path: path.stat().st_mtime_ns for path in before}
    assert sum(before[path] != after[path] for path in before) == 1


@pytest.mark.parametrize("what", ["faces", "sound"])
@pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
def test_damage_is_never_read(fixture_dataset: Dataset, tmp_path: Path, what: str, how: str) -> None:
    build_store(fixture_dataset, tmp_path / "store", options=_ONE)
    for file in (tmp_path / "store" / "media").glob(f"*.{what}"):
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        if how == "gone":
            file.unlink()
        else:
            file.write_bytes(data if how == "flipped" else data[: len(data) // 3])
    reason = "cannot be read" if how == "gone" else "damaged|ends before|cannot be read"
    with pytest.raises(DataError, match=reason):
        for track in open_dataset(tmp_path / "store").tracks:
            track.media.faces() if what == "faces" else track.media.audio()


@pytest.mark.parametrize("table", ["tracks.parquet", "frames.parquet"])
def test_tables_of_another_store_are_refused(fixture_dataset: Dataset, tmp_path: Path, table: str) -> None:
    for name, limit in (("one", None), ("two", 3)):
        build_store(fixture_dataset, tmp_path / name, options=PrepareOptions(workers=1, limit=limit, progress=False))
    shutil.copyfile(tmp_path / "two" / table, tmp_path / "one" / table)
    with pytest.raises(DataError, match="not the one that was written"):
        open_dataset(tmp_path / "one")


def test_refusals(fixture_dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "store"
    build_store(fixture_dataset, out, options=_ONE)
    with pytest.raises(DataError, match="holds the split 'val', not 'test'"):
        open_dataset(out, "test")
    with pytest.raises(NotComparableError, match="limit"):
        build_store(fixture_dataset, out, options=PrepareOptions(workers=1, limit=2))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(UsageError, match="not a store"):
        build_store(fixture_dataset, tmp_path / "mine", options=_ONE)
    manifest = json.loads((out / "store.json").read_bytes())
    (out / "store.json").write_text(json.dumps(manifest | {"schema": 99}))
    with pytest.raises(DataError, match="newer asdbench"):
        open_dataset(out)


def test_broken_tracks_stop_or_are_counted(fixture_copy: Path, tmp_path: Path) -> None:
    next((fixture_copy / "clips_audios").rglob("*.wav")).write_bytes(b"RIFF")
    dataset = open_dataset(fixture_copy)
    with pytest.raises(DataError, match=r"\.wav"):
        build_store(dataset, tmp_path / "stopped", options=_ONE)
    done = build_store(dataset, tmp_path / "s", options=PrepareOptions(workers=1, on_error="skip", progress=False))
    stored = open_dataset(tmp_path / "s")
    assert done.counts["skipped_tracks"] == 1 == len(dataset.tracks) - len(stored.tracks)
    assert done.skipped[0][1] in done.listing.read_text()
    assert stored.fingerprint != dataset.fingerprint
    assert any("left out of the store" in note for note in stored.notes)


def test_several_processes_write_the_same(fixture_dataset: Dataset, tmp_path: Path) -> None:
    for name, workers in (("one", 1), ("two", 2)):
        build_store(fixture_dataset, tmp_path / name, options=PrepareOptions(workers=workers, progress=False))
    one, two = (
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("one", "two")
    )
    assert one == two
