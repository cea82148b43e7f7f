"""Faces beside the target under ``scope = "scene"``, as the engine shows them to a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from asdbench.adapters.base import Needs
from asdbench.adapters.calibration import Additive
from asdbench.data.context import ContextFinder
from asdbench.engine.tracks import TrackEvaluator
from asdbench.perturb import lip_mask, plan
from asdbench.suites import load_suite
from asdbench.types import LIP_POINTS, Condition, ContextFaces, Dataset, Float32Array, Track, UInt8Array

INNER = np.array([0.25, 0.25, 0.75, 0.75], np.float32)


class Watcher(Additive):
    """Additive; keeps what it is shown, and scores fall with every bright neighbour."""

    name, version, fingerprint = "watcher", 1, "watcher"

    def __init__(self, landmarks: str | None = None) -> None:
        super().__init__()
        self.needs = Needs(context_speakers=2, landmarks=landmarks)
        self.shown: list[tuple[Sequence[UInt8Array], ContextFaces]] = []
        self.points: list[Float32Array] = []

    def embed_faces(
        self, faces: Sequence[UInt8Array], context: ContextFaces = (), landmarks: Float32Array | None = None
    ) -> Float32Array:
        self.shown.append((faces, context))
        if landmarks is not None:
            self.points.append(landmarks)
        bright = sum(float(face.mean()) for one in context for face in one if face is not None)
        return super().embed_faces(faces) - np.float32(bright / 1000)


@pytest.fixture(scope="module")
def tracks(fixture_dataset: Dataset) -> tuple[Track, ...]:
    """The generated tracks, of which every second lies within a larger crop."""
    inner = [np.tile(INNER, (len(track), 1)) for track in fixture_dataset.tracks]
    pairs = enumerate(zip(fixture_dataset.tracks, inner, strict=True))
    return tuple(replace(track, face_in_crop=box if number % 2 else None) for number, (track, box) in pairs)


def accompanied(tracks: Sequence[Track], inner: bool) -> tuple[Track, Track]:
    """A track and its neighbour, of which the latter lies within a larger crop, or not."""
    finder = ContextFinder(tracks, 2)
    pairs = [(track, finder.neighbours(track)) for track in tracks]
    return next((one, near[0]) for one, near in pairs if near and (near[0].face_in_crop is not None) == inner)


def evaluate(scorer: Any, tracks: Sequence[Track], target: Track, *conditions: tuple[str, dict[str, Any]]) -> Any:
    clean = load_suite("clean")
    made = [Condition(str(number), name, options=options) for number, (name, options) in enumerate(conditions)]
    suite = replace(clean, conditions=(*clean.conditions, *made))
    return TrackEvaluator(scorer, plan(tracks, suite), tracks, "test").evaluate(target).scores


def equal(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


SCENE = ("lip_mask", {"scope": "scene"})


@pytest.mark.parametrize("inner", [False, True])
def test_a_scene_changes_the_neighbours_in_their_own_boxes_and_a_track_does_not(
    tracks: tuple[Track, ...], inner: bool
) -> None:
    target, other = accompanied(tracks, inner)
    watcher = Watcher()
    scores = evaluate(watcher, tracks, target, ("lip_mask", {}), SCENE)
    (clean, (near,)), (alone, (left,)), (masked, (changed,)) = watcher.shown
    assert equal(alone, masked)
    assert not equal(alone, clean)
    assert equal(left, near)
    box = tuple(INNER.tolist()) if inner else (0.0, 0.0, 1.0, 1.0)
    assert equal(changed, [None if face is None else lip_mask(face, box=box) for face in near])
    assert any(face is not None for face in near)
    assert other.face_in_crop is not None or not inner
    # Darker neighbours raise the scores of this model.
    assert (scores["1"] > scores["0"]).all()


def test_embeddings_are_reused_for_equal_edits_only(tracks: tuple[Track, ...]) -> None:
    target, _ = accompanied(tracks, False)
    watcher = Watcher()
    both = ("joint", {"parts": [{"perturbation": "silence"}, {"perturbation": "lip_mask", "options": SCENE[1]}]})
    only = ("joint", {"parts": [{"perturbation": "silence"}, {"perturbation": "lip_mask"}]})
    scores = evaluate(watcher, tracks, target, SCENE, both, ("lip_mask", {}), only, SCENE)
    assert len(watcher.shown) == 3  # clean, of the scene, of the track
    assert not np.array_equal(scores["0"], scores["2"])
    np.testing.assert_array_equal(scores["0"], scores["4"])
    alone = Watcher()
    for name, condition in (("0", both), ("1", only)):
        fresh = evaluate(alone, tracks, target, both, only)[name]
        np.testing.assert_array_equal(fresh, scores["1" if condition is both else "3"])


class InOnePiece:
    """The same in one piece, for which nothing is reused."""

    name, version, needs = "piece", 1, Needs(context_speakers=2)

    def score_track(self, audio: Any, faces: Any, fps: float, context: ContextFaces) -> Float32Array:
        model = Watcher()
        return model.score(model.embed_audio(audio, len(faces), fps), model.embed_faces(faces, context))


def test_a_model_in_one_piece_is_shown_the_same(tracks: tuple[Track, ...]) -> None:
    target, _ = accompanied(tracks, True)
    conditions = SCENE, ("gaussian_noise", {"scope": "scene"}), ("joint", {"parts": [
        {"perturbation": "silence"}, {"perturbation": "hand", "options": {"scope": "scene"}}]})  # fmt: skip
    split, whole = (evaluate(model, tracks, target, *conditions) for model in (Watcher(), InOnePiece()))
    for name, scores in split.items():
        np.testing.assert_array_equal(scores, whole[name])


def test_noise_of_neighbours_is_their_own(tracks: tuple[Track, ...]) -> None:
    target, _ = accompanied(tracks, False)
    watcher = Watcher()
    evaluate(watcher, tracks, target, ("gaussian_noise", {"scope": "scene", "severity": 1}))
    (clean, (near,)), (noisy, (beside,)) = watcher.shown
    frame = next(n for n, face in enumerate(near) if face is not None)
    own, theirs = (now[frame].astype(int) - was[frame] for now, was in ((noisy, clean), (beside, near)))
    assert 4 < theirs.std() < 12
    size = min(own.size, theirs.size)
    assert abs(np.corrcoef(own.ravel()[:size], theirs.ravel()[:size])[0, 1]) < 0.2


def test_a_model_without_context_scores_a_scene_as_a_track(tracks: tuple[Track, ...]) -> None:
    target, _ = accompanied(tracks, False)
    scores = evaluate(Additive(), tracks, target, ("lip_mask", {}), SCENE)
    np.testing.assert_array_equal(scores["0"], scores["1"])


def test_nobody_finds_lips_in_changed_neighbours(tracks: tuple[Track, ...], tmp_path: Path) -> None:
    rows = [
        {"video_id": each.video_id, "entity_id": each.entity_id, "timestamp_ms": time, "points": [0.5] * 2 * LIP_POINTS}
        for each in tracks
        for time in each.timestamps_ms.tolist()
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "lips.parquet")
    watcher = Watcher(str(tmp_path / "lips.parquet"))
    target, _ = accompanied(tracks, False)
    evaluate(watcher, tracks, target, ("lip_mask", {}), SCENE, ("frame_rate", {"scope": "scene"}))
    clean, alone, scene, held = watcher.points
    seen = clean[1, :, 0, 0] > 0
    assert seen.any()
    np.testing.assert_array_equal(alone[1], clean[1])
    assert (alone[0] == -1).all()
    assert (scene == -1).all()
    # Every second to fifth picture is held; the first of each is what it was.
    near = watcher.shown[0][1][0], watcher.shown[3][1][0]
    changed = [not np.array_equal(was, now) for was, now in zip(*near, strict=True)]
    np.testing.assert_array_equal(held[1, changed], -1)
    np.testing.assert_array_equal(held[1, ~np.array(changed)], clean[1, ~np.array(changed)])
    assert any(changed)
    assert not all(changed)
