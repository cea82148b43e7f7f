"""The same scores on a real Ray cluster of several workers, also where one of them is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asdbench.adapters.calibration import Additive
from asdbench.engine.how import How
from asdbench.engine.loop import score_tracks
from asdbench.engine.ray_engine import MAX_DEATHS, Cluster, RayEngine
from asdbench.engine.tracks import TrackEvaluator
from asdbench.errors import DataError, MissingDependencyError, ModelOutputError, ResourceError
from asdbench.perturb import plan
from asdbench.perturb.plan import Plan
from asdbench.records.shards import Shards
from asdbench.suites import load_suite
from asdbench.types import Dataset, Float32Array, Track

ray = pytest.importorskip("ray", reason="Ray is not installed")

# Ray warns in its own code, and each worker takes seconds to start.
pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    yield
    ray.shutdown()


class Deadly(Additive):
    """Ends its process once over the track with so many frames, or over each such track."""

    def __init__(self, marker: Path | None, always: bool = False) -> None:
        super().__init__()
        self.marker, self.always = marker, always

    def score_track(self, audio: Any, faces: Any, fps: float) -> Float32Array:
        return super().score_track(audio, faces, fps)

    def embed_faces(self, faces: Any) -> Any:
        if self.marker is not None and (self.always or not self.marker.exists()):
            self.marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().embed_faces(faces)


class Nan(Additive):
    def score(self, audio_embedding: Any, face_embedding: Any) -> Float32Array:
        return super().score(audio_embedding, face_embedding) * np.float32(np.nan)


@dataclass(frozen=True)
class Build:
    scorer: Any
    plan: Plan
    tracks: tuple[Track, ...]
    batch_frames: int = 0

    def __call__(self) -> TrackEvaluator:
        how = How(batch_frames=self.batch_frames)
        return TrackEvaluator(self.scorer, self.plan, self.tracks, "test", how=how)


def _build(dataset: Dataset, scorer: Any) -> Build:
    return Build(scorer, plan(dataset.tracks, load_suite("unsync")), dataset.tracks)


def _scores(folder: Path, engine: Any, dataset: Dataset) -> dict[str, dict[Any, Float32Array]]:
    names = tuple(condition.name for condition in load_suite("unsync").conditions)
    shards = Shards(folder, names)
    assert score_tracks(engine, dataset.tracks, shards, progress=False) == ()
    return {name: shards.scores(name) for name in names}


def _equal(one: dict[str, dict[Any, Float32Array]], two: dict[str, dict[Any, Float32Array]]) -> None:
    assert one.keys() == two.keys()
    for name, scores in one.items():
        assert scores.keys() == two[name].keys()
        for key, values in scores.items():
            np.testing.assert_array_equal(values, two[name][key])


def test_same_scores_as_in_this_process(fixture_dataset: Dataset, tmp_path: Path) -> None:
    build = _build(fixture_dataset, Additive())
    engine = RayEngine(build, Cluster(workers=2))
    _equal(_scores(tmp_path / "here", build(), fixture_dataset), _scores(tmp_path / "ray", engine, fixture_dataset))
    assert engine.timings.decode > 0
    assert len(engine.seconds) == 2


class Company(Additive):
    """Additive, whose embeddings depend a little on what else is embedded."""

    def embed_faces_many(self, tracks: Any) -> list[Any]:
        return [self.embed_faces(faces) + np.float32(1e-6 * len(tracks)) for faces in tracks]


def test_batches_are_those_of_one_process(fixture_dataset: Dataset, tmp_path: Path) -> None:
    frames = 3 * max(map(len, fixture_dataset.tracks))
    build = replace(_build(fixture_dataset, Company()), batch_frames=frames)
    engine = RayEngine(build, Cluster(workers=2), batch_frames=frames)
    _equal(_scores(tmp_path / "here", build(), fixture_dataset), _scores(tmp_path / "ray", engine, fixture_dataset))
    assert engine.record()["batch_frames"] == frames


def test_a_killed_worker_loses_nothing(fixture_dataset: Dataset, tmp_path: Path) -> None:
    wanted = _scores(tmp_path / "here", _build(fixture_dataset, Additive())(), fixture_dataset)
    marker = tmp_path / "dead"
    engine = RayEngine(_build(fixture_dataset, Deadly(marker)), Cluster(workers=2))
    _equal(wanted, _scores(tmp_path / "ray", engine, fixture_dataset))
    assert marker.exists()


def test_workers_that_keep_dying_end_the_run(fixture_dataset: Dataset, tmp_path: Path) -> None:
    engine = RayEngine(_build(fixture_dataset, Deadly(tmp_path / "dead", always=True)), Cluster(workers=1))
    with pytest.raises(ResourceError, match=rf"died {MAX_DEATHS} times over the track .* is kept"):
        _scores(tmp_path / "ray", engine, fixture_dataset)


def test_errors_arrive_as_they_are(fixture_dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ModelOutputError, match="NaN or infinite"):
        _scores(tmp_path / "ray", RayEngine(_build(fixture_dataset, Nan()), Cluster(workers=2)), fixture_dataset)


def test_broken_media_stop_or_are_skipped(fixture_copy: Path, tmp_path: Path) -> None:
    from asdbench.data import open_dataset

    dataset = open_dataset(fixture_copy)
    track = dataset.tracks[3]
    next((fixture_copy / "clips_videos" / "val" / track.video_id / track.entity_id).iterdir()).unlink()
    build = Build(Additive(), plan(dataset.tracks, load_suite("clean")), dataset.tracks)
    engine = RayEngine(build, Cluster(workers=2))
    with pytest.raises(DataError, match="face crop is missing"):
        score_tracks(engine, dataset.tracks, Shards(tmp_path / "a", ("clean",)), progress=False)
    shards = Shards(tmp_path / "b", ("clean",))
    (skipped,) = score_tracks(engine, dataset.tracks, shards, "skip", progress=False)
    assert skipped.key == track.key
    assert shards.done() == {other.key for other in dataset.tracks} - {track.key}


def test_no_room_is_one_sentence(fixture_dataset: Dataset, tmp_path: Path) -> None:
    engine = RayEngine(_build(fixture_dataset, Additive()), Cluster(gpus=1.0))
    with pytest.raises(ResourceError, match="0 GPUs, too few for one worker"):
        _scores(tmp_path, engine, fixture_dataset)


def test_without_ray_the_error_says_how_to_get_it(fixture_dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'asdbench\[ray\]'"):
        RayEngine(_build(fixture_dataset, Additive()), Cluster())
