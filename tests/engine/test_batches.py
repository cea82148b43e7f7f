"""Tracks that are embedded together: which they are, the same scores, and the same bytes after an interruption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import asdbench
from asdbench.adapters.base import Adapter
from asdbench.adapters.calibration import Additive
from asdbench.data import open_dataset
from asdbench.engine.activity import Meter
from asdbench.engine.batches import batches_of, unfinished
from asdbench.engine.how import How
from asdbench.engine.memory import Remembered
from asdbench.engine.ray_engine import _tasks
from asdbench.engine.tracks import TrackEvaluator
from asdbench.errors import DataError, ModelOutputError, ResourceError
from asdbench.perturb import plan
from asdbench.records.shards import TrackScores
from asdbench.suites import load_suite
from asdbench.types import Dataset, UInt8Array
from tools.kill_runs import content

FRAMES = 170
"""Of a batch: three of the generated tracks."""


class Company(Additive):
    """Additive, whose embeddings say in their last digits in which company they were computed, as a GPU's may."""

    name = "company"
    fingerprint = "company 1"
    calls = 0
    dies_at = -1

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[int]] = []

    def embed_faces_many(self, tracks: Sequence[Sequence[UInt8Array]]) -> list[Any]:
        type(self).calls += 1
        if type(self).calls == type(self).dies_at:
            raise KeyboardInterrupt
        self.batches.append(list(map(len, tracks)))
        shift = np.float32(1e-6 * (1 + sum(self.batches[-1])))
        return [self.embed_faces(faces) + shift for faces in tracks]


@pytest.fixture(autouse=True)
def nobody_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Company, "calls", 0)
    monkeypatch.setattr(Company, "dies_at", -1)


def scored(scorer: Adapter, dataset: Dataset, suite: str, **how: Any) -> dict[Any, TrackScores | DataError]:
    chosen = load_suite(suite)
    meter = Meter(scorer, chosen.conditions)
    resolved = plan(dataset.tracks, chosen)
    evaluator = TrackEvaluator(scorer, resolved, dataset.tracks, "test", True, meter, How(**how))
    found = list(evaluator.results(batches_of(dataset.tracks, evaluator.batch_frames)))
    assert [track.key for track, _ in found] == [track.key for track in dataset.tracks]
    return {track.key: each for track, each in found}


def check(found: dict[Any, Any], wanted: dict[Any, Any], tolerance: float) -> None:
    for key, each in wanted.items():
        assert found[key].medium == each.medium
        assert found[key].failure == each.failure
        for name, scores in each.scores.items():
            np.testing.assert_allclose(found[key].scores[name], scores, rtol=0, atol=tolerance)
        for name, values in each.columns.items():
            np.testing.assert_array_equal(found[key].columns[name], values)


def test_batches_are_full_and_in_order(fixture_dataset: Dataset):
    tracks = fixture_dataset.tracks
    longest = max(map(len, tracks))
    for frames in (0, 1, longest, 4 * longest):
        batches = batches_of(tracks, frames)
        assert [track for batch in batches for track in batch] == list(tracks)
        for batch, after in zip(batches, [*batches[1:], ()], strict=True):
            held = sum(map(len, batch))
            assert len(batch) == 1 or held <= frames
            assert not after or held + len(after[0]) > frames
    assert len(batches) < len(tracks) / 3


def test_the_first_tracks_have_the_batches_that_they_have_among_all(fixture_dataset: Dataset):
    whole, first = (batches_of(tracks, FRAMES) for tracks in (fixture_dataset.tracks, fixture_dataset.tracks[:7]))
    assert first[:-1] == whole[: len(first) - 1]


def test_what_is_left_is_left_in_whole_batches(fixture_dataset: Dataset):
    batches = batches_of(fixture_dataset.tracks, FRAMES)
    done = {track.key for batch in batches[:2] for track in batch} | {batches[3][0].key}
    assert len(batches[3]) > 1
    assert unfinished(batches, done) == batches[2:]


def test_a_worker_is_sent_whole_batches(fixture_dataset: Dataset):
    batches = batches_of(fixture_dataset.tracks, FRAMES)
    assert [batch for task in _tasks(batches) for batch in task.batches] == batches


@pytest.mark.parametrize("loaders", [0, 2])
def test_together_as_alone(fixture_dataset: Dataset, loaders: int):
    model = Company()
    found = scored(model, fixture_dataset, "modality", batch_frames=FRAMES, loaders=loaders)
    with pytest.raises(AssertionError):  # company shows, which is what the tests of interrupted runs rest on
        check(found, scored(Company(), fixture_dataset, "modality"), 0)
    check(found, scored(Additive(), fixture_dataset, "modality"), 1e-3)
    clean = [list(map(len, batch)) for batch in batches_of(fixture_dataset.tracks, FRAMES) if len(batch) > 1]
    assert [batch for batch in model.batches if batch in clean]
    # Faces that are edited are embedded together, too.
    assert len(model.batches) > len(clean)


def test_a_model_that_takes_one_at_a_time_gives_the_same_bytes(fixture_dataset: Dataset):
    found = scored(Additive(), fixture_dataset, "modality", batch_frames=FRAMES)
    check(found, scored(Additive(), fixture_dataset, "modality"), 0)


def test_a_broken_track_leaves_the_others(fixture_copy: Path):
    dataset = open_dataset(fixture_copy)
    whole = scored(Company(), dataset, "unsync", batch_frames=FRAMES)
    broken = next(batch for batch in batches_of(dataset.tracks, FRAMES) if len(batch) > 2)[1]
    next((fixture_copy / "clips_videos" / "val" / broken.video_id / broken.entity_id).iterdir()).unlink()
    found = scored(Company(), open_dataset(fixture_copy), "unsync", batch_frames=FRAMES)
    assert isinstance(found.pop(broken.key), DataError)
    whole.pop(broken.key)
    check(found, whole, 1e-3)


def test_a_broken_donor_costs_what_it_costs_alone(fixture_copy: Path):
    dataset = open_dataset(fixture_copy)
    victim = dataset.tracks[0]
    (fixture_copy / "clips_audios" / "val" / victim.video_id / f"{victim.entity_id}.wav").unlink()
    alone = scored(Additive(), open_dataset(fixture_copy), "modality")
    found = scored(Company(), open_dataset(fixture_copy), "modality", batch_frames=FRAMES)
    assert isinstance(alone.pop(victim.key), DataError) and isinstance(found.pop(victim.key), DataError)
    assert any(each.failure for each in alone.values())  # type: ignore[union-attr]
    check(found, alone, 1e-3)


def test_pictures_that_no_model_takes_leave_each_to_itself(fixture_dataset: Dataset):
    class Picky(Company):
        def embed_faces_many(self, tracks: Sequence[Sequence[UInt8Array]]) -> list[Any]:
            raise DataError("no gray picture")

    found = scored(Picky(), fixture_dataset, "clean", batch_frames=FRAMES)
    check(found, scored(Additive(), fixture_dataset, "clean"), 0)


@pytest.mark.parametrize(("error", "raised"), [(MemoryError(), ResourceError), (ValueError("odd"), ModelOutputError)])
def test_failures_of_a_model_say_that_it_was_many(fixture_dataset: Dataset, error: Exception, raised: type[Exception]):
    class Failing(Company):
        def embed_faces_many(self, tracks: Sequence[Sequence[UInt8Array]]) -> list[Any]:
            raise error

    with pytest.raises(raised, match=r"tracks together (ran out of memory; use|failed in .*ValueError: odd)"):
        scored(Failing(), fixture_dataset, "clean", batch_frames=FRAMES)


def test_what_earlier_runs_embedded_is_taken_for_whole_batches(fixture_dataset: Dataset, tmp_path: Path):
    dataset = replace(fixture_dataset, tracks=fixture_dataset.tracks[:6])
    remembered = Remembered(tmp_path, 10**9, {})
    first = scored(Company(), dataset, "clean", batch_frames=10**6, memory=remembered.open(Company()))
    second = Company()
    check(scored(second, dataset, "clean", batch_frames=10**6, memory=remembered.open(second)), first, 0)
    assert second.batches == []
    gone = max(tmp_path.rglob("*.embedding"), key=lambda path: path.stat().st_size)
    gone.unlink()
    third = Company()
    check(scored(third, dataset, "clean", batch_frames=10**6, memory=remembered.open(third)), first, 0)
    assert third.batches in ([], [list(map(len, dataset.tracks))])


def go(data: Path, out: Path, suite: str = "modality", **settings: Any) -> asdbench.Run:
    given = {"batch_frames": FRAMES, "audit": "off", "resamples": "off", "progress": False, **settings}
    return asdbench.run(Company(), suite, data, out=out, **given)


def test_an_interrupted_run_ends_with_the_same_bytes(
    fixture_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole = go(fixture_root, tmp_path / "whole")
    assert whole.record["engine"]["batch_frames"] == FRAMES

    from asdbench.records.shards import Shards

    added: list[Any] = []
    add = Shards.add

    def add_some(shards: Shards, track: TrackScores) -> None:
        add(shards, track)
        added.append(track.key)
        if len(added) == stop:
            raise KeyboardInterrupt

    batches = batches_of(open_dataset(fixture_root).tracks, FRAMES)
    inside = next(number for number, batch in enumerate(batches) if len(batch) > 2)
    stop = sum(map(len, batches[:inside])) + 2  # in the midst of a batch
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Shards, "add", add_some)
        go(fixture_root, tmp_path / "killed")
    Company.calls, Company.dies_at = 0, 5
    with pytest.raises(KeyboardInterrupt):
        go(fixture_root, tmp_path / "killed")
    Company.dies_at = -1
    finished = go(fixture_root, tmp_path / "killed")
    assert finished.record["timings"]["tracks_from_earlier_starts"] >= stop
    assert content(tmp_path / "killed") == content(tmp_path / "whole")


def test_how_many_at_a_time_is_no_part_of_what_a_run_is(fixture_root: Path, tmp_path: Path):
    usual, asked, scratch = (
        go(fixture_root, tmp_path / name, "clean", limit=3, **settings)
        for name, settings in {"a": {"batch_frames": None}, "b": {}, "c": {"reuse": False}}.items()
    )
    assert usual.record["fingerprint"] == asked.record["fingerprint"]
    # Alone on a CPU by default, and where nothing is reused.
    assert [run.record["engine"].get("batch_frames") for run in (usual, asked, scratch)] == [None, FRAMES, None]
