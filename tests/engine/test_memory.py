"""Embeddings of earlier runs: the same scores, no look at the faces; and every condition scored from nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import asdbench
from asdbench.adapters.calibration import Additive
from asdbench.adapters.light_asd import LightASD
from asdbench.data import open_dataset
from asdbench.data.prepare import PrepareOptions
from asdbench.data.store import StoreMedia
from asdbench.data.store_build import build_store
from asdbench.engine.how import How
from asdbench.engine.medium import LazyFaces, Medium, Sight, faces_digest
from asdbench.engine.memory import Remembered
from asdbench.engine.tracks import TrackEvaluator
from asdbench.errors import UsageError
from asdbench.networks.light_asd import LightASD as LightASDNetwork
from asdbench.networks.seeded import seeded_state
from asdbench.perturb import plan
from asdbench.records.shards import TrackScores
from asdbench.suites import load_suite
from asdbench.types import Dataset, Track, UInt8Array

_MANY = 10**9


class Blindfolded(Additive):
    """Additive, which may not look at faces."""

    def embed_faces(self, faces: Sequence[UInt8Array]) -> Any:
        raise RuntimeError("looked")


@pytest.fixture
def light() -> LightASD:
    network = LightASDNetwork()
    network.load_state_dict(seeded_state(network))
    return LightASD(network)


def _evaluated(scorer: Any, dataset: Dataset, suite: str, track: Track, **more: Any) -> TrackScores:
    resolved = plan(dataset.tracks, load_suite(suite))
    return TrackEvaluator(scorer, resolved, dataset.tracks, "test", how=How(**more)).evaluate(track)


def _close(found: TrackScores, wanted: TrackScores, tolerance: float = 0.0) -> None:
    assert found.scores.keys() == wanted.scores.keys()
    for name, scores in wanted.scores.items():
        bound = tolerance * np.maximum(1, np.abs(scores))
        assert (np.abs(found.scores[name] - scores) <= bound).all(), name


@pytest.mark.parametrize("first", ["clean", "modality"])
def test_another_suite_starts_from_what_is_there(fixture_dataset: Dataset, tmp_path: Path, first: str):
    memory = Remembered(tmp_path, _MANY, {"adapter": "additive"})
    track = fixture_dataset.tracks[0]
    _evaluated(Additive(), fixture_dataset, first, track, memory=memory.open(Additive()))
    opened = memory.open(Additive())
    # unsync changes sound alone
    found = _evaluated(Blindfolded(), fixture_dataset, "unsync", track, memory=opened)
    _close(found, _evaluated(Additive(), fixture_dataset, "unsync", track))
    assert opened.counts() == {"cache_hits": 1, "cache_misses": 0}


def test_other_models_and_other_faces_are_no_hits(fixture_dataset: Dataset, tmp_path: Path):
    one, two = fixture_dataset.tracks[:2]
    _evaluated(Additive(), fixture_dataset, "clean", one, memory=Remembered(tmp_path, _MANY, {"a": 1}).open(Additive()))
    for model, track in (({"a": 1}, two), ({"a": 2}, one)):
        memory = Remembered(tmp_path, _MANY, model).open(Additive())
        _close(
            _evaluated(Additive(), fixture_dataset, "clean", track, memory=memory),
            _evaluated(Additive(), fixture_dataset, "clean", track),
        )
        assert memory.counts()["cache_hits"] == 0


def test_edited_faces_are_found_by_what_they_show(fixture_dataset: Dataset, tmp_path: Path):
    remembered, track = Remembered(tmp_path, _MANY, {}), fixture_dataset.tracks[1]
    for _ in range(2):
        memory = remembered.open(Additive())
        found = _evaluated(Additive(), fixture_dataset, "modality", track, memory=memory)
        _close(found, _evaluated(Additive(), fixture_dataset, "modality", track))
    assert memory.counts()["cache_misses"] == 0
    assert memory.counts()["cache_hits"] > 3


def test_tensors_return_to_the_model(fixture_dataset: Dataset, tmp_path: Path, light: LightASD):
    remembered, track = Remembered(tmp_path, _MANY, {}), min(fixture_dataset.tracks, key=len)
    wanted = _evaluated(light, fixture_dataset, "unsync", track, memory=remembered.open(light))
    light.embed_faces = Blindfolded().embed_faces  # type: ignore[method-assign]
    _close(_evaluated(light, fixture_dataset, "unsync", track, memory=remembered.open(light)), wanted)


def test_nothing_reused_gives_the_same_scores(fixture_dataset: Dataset, light: LightASD):
    track = min(fixture_dataset.tracks, key=len)
    wanted = _evaluated(light, fixture_dataset, "unsync", track)
    calls: list[int] = []
    embed = light.embed_faces
    light.embed_faces = lambda faces: calls.append(1) or embed(faces)  # type: ignore[func-returns-value, method-assign]
    _close(_evaluated(light, fixture_dataset, "unsync", track, reuse=False), wanted, 1e-5)
    assert len(calls) == len(wanted.scores) > 5


def test_a_model_forgets_between_conditions_where_nothing_is_reused(fixture_dataset: Dataset):
    class Keeping(Additive):
        forgotten = 0

        def forget(self) -> None:
            self.forgotten += 1

    models = Keeping(), Keeping()
    for model, reuse in zip(models, (True, False), strict=True):
        found = _evaluated(model, fixture_dataset, "unsync", fixture_dataset.tracks[0], reuse=reuse)
    assert [model.forgotten for model in models] == [0, len(found.scores) - 1]


def test_a_store_knows_the_identity_that_reading_would_give(fixture_dataset: Dataset, tmp_path: Path):
    build_store(fixture_dataset, tmp_path / "store", options=PrepareOptions(workers=1, progress=False))
    stored = open_dataset(tmp_path / "store")
    for one, two in zip(fixture_dataset.tracks, stored.tracks, strict=True):
        assert faces_digest(one.media.faces()) == two.media.faces_id  # type: ignore[attr-defined]
    known = LazyFaces(len(two), two.media.faces, two.media.faces_id)  # type: ignore[attr-defined]
    read = LazyFaces(len(one), one.media.faces)
    assert Medium(two.media.audio(), Sight(known)).identity == Medium(one.media.audio(), Sight(read)).identity
    assert "made" not in vars(known)


def test_a_run_from_a_store_and_a_cache_reads_no_face(
    fixture_dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    build_store(fixture_dataset, tmp_path / "store", options=PrepareOptions(workers=1, progress=False))

    def go(suite: str, name: str, **settings: Any) -> asdbench.Run:
        settings |= {"audit": "off", "resamples": "off", "progress": False, "out": tmp_path / name}
        return asdbench.run("additive", suite, tmp_path / "store", **settings)

    wanted = go("unsync", "wanted")
    cache = tmp_path / "cache"
    filling = go("clean", "filling", cache=cache, cache_limit="50MB")
    assert filling.record["engine"]["cache_hits"] == 0
    monkeypatch.setattr(StoreMedia, "faces", lambda _: pytest.fail("faces were read"))
    found = go("unsync", "found", cache=cache)
    assert found.metrics == wanted.metrics
    assert found.record["data"]["media_digest"] == wanted.record["data"]["media_digest"]
    assert found.record["engine"]["cache_misses"] == 0
    assert found.record["engine"]["cache_hits"] == 3 * len(fixture_dataset.tracks)  # embedding, sharpness, lip motion
    assert found.record["fingerprint"] == wanted.record["fingerprint"]


def test_what_makes_no_sense_is_refused_before_anything_is_written(fixture_root: Path, tmp_path: Path):
    def go(model: Any = "additive", **settings: Any) -> None:
        asdbench.run(model, "clean", fixture_root, out=tmp_path / "run", **settings)

    with pytest.raises(UsageError, match="leave one out"):
        go(cache=tmp_path / "cache", reuse=False)
    with pytest.raises(UsageError, match="--cache-limit is for a cache"):
        go(cache_limit="1GB")
    with pytest.raises(UsageError, match="expected a size"):
        go(cache=tmp_path / "cache", cache_limit="much")
    with pytest.raises(UsageError, match="without a fingerprint"):
        go(Additive(), cache=tmp_path / "cache")
    assert not list(tmp_path.iterdir())
