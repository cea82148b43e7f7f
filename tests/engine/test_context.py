"""The engine shows a model that asks for it who is seen together with a track."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

import asdbench
from asdbench.adapters.base import Adapter, Needs
from asdbench.adapters.calibration import Additive
from asdbench.data import open_dataset
from asdbench.data.context import ContextFinder
from asdbench.engine.tracks import TrackEvaluator
from asdbench.errors import DataError, NotComparableError
from asdbench.perturb import plan
from asdbench.suites import load_suite
from asdbench.types import LIP_POINTS, ContextFaces, Dataset, Float32Array, Int16Array, UInt8Array


class Sociable(Additive):
    """Additive, but its scores fall with every bright neighbour; keeps what it was shown."""

    name, version = "sociable", 1
    needs = Needs(context_speakers=2)
    fingerprint = "sociable"

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[Sequence[UInt8Array], ContextFaces]] = []

    def embed_faces(self, faces: Sequence[UInt8Array], context: ContextFaces = ()) -> Float32Array:
        self.shown.append(([face.copy() for face in faces], [list(one) for one in context]))
        bright = [0.0 if face is None else float(face.mean()) / 255 for one in context for face in one]
        for one in context:  # careless
            for face in one:
                if face is not None:
                    face[:] = 0
        return super().embed_faces(faces) - np.float32(sum(bright))

    def score_track(
        self, audio: Int16Array, faces: Sequence[UInt8Array], fps: float, context: ContextFaces = ()
    ) -> Float32Array:
        return self.score(self.embed_audio(audio, len(faces), fps), self.embed_faces(faces, context))


class Whole:
    """The same scores in one piece."""

    name, version, needs = "whole", 1, Sociable.needs

    def score_track(
        self, audio: Int16Array, faces: Sequence[UInt8Array], fps: float, context: ContextFaces
    ) -> Float32Array:
        return Sociable().score_track(audio, faces, fps, context)


def evaluator(scorer: object, dataset: Dataset, suite: str, skip: bool = False) -> TrackEvaluator:
    resolved = plan(dataset.tracks, load_suite(suite))
    return TrackEvaluator(scorer, resolved, dataset.tracks, "test", skip)  # type: ignore[arg-type]


def accompanied(dataset: Dataset):
    """Tracks of the generated data set in whose videos somebody else is seen at the same time."""
    finder = ContextFinder(dataset.tracks, 2)
    return [(track, finder.neighbours(track)) for track in dataset.tracks if finder.neighbours(track)]


def test_every_condition_shows_the_same_neighbours_and_edits_the_target_alone(fixture_dataset: Dataset):
    pairs = accompanied(fixture_dataset)
    assert len(pairs) == 4
    for track, (other,) in pairs:
        scorer = Sociable()
        found = evaluator(scorer, fixture_dataset, "modality").evaluate(track)
        assert len(scorer.shown) == 6  # as they are, three masks, frozen, another's; joint conditions add none
        assert any((a != b).any() for a, b in zip(scorer.shown[0][0], scorer.shown[1][0], strict=True))
        # The model blackens what it is shown; the second time all must be there again.
        alone = TrackEvaluator(Additive(), plan(fixture_dataset.tracks, load_suite("modality")),
                               fixture_dataset.tracks, "test").evaluate(track)  # fmt: skip
        shift = {name: np.unique(np.round(found.scores[name] - alone.scores[name], 3)) for name in found.scores}
        assert len({float(values[0]) for values in shift.values()}) == 1
        assert all(len(values) <= 2 and values[0] < -1 for values in shift.values())
        assert other.video_id == track.video_id


def test_neighbours_come_aligned(fixture_dataset: Dataset):
    class Keeping(Sociable):
        def embed_faces(self, faces: Sequence[UInt8Array], context: ContextFaces = ()) -> Float32Array:
            self.kept = [[None if face is None else face.copy() for face in one] for one in context]
            return super().embed_faces(faces, context)

    for track, _ in accompanied(fixture_dataset):
        scorer = Keeping()
        evaluator(scorer, fixture_dataset, "clean").evaluate(track)
        wanted = ContextFinder(fixture_dataset.tracks, 2).context(track)
        assert len(scorer.kept) == len(wanted) == 1
        for found, face in zip(scorer.kept[0], wanted[0], strict=True):
            np.testing.assert_array_equal(found, face)


def test_a_model_in_one_piece_gets_the_same(fixture_dataset: Dataset):
    assert not isinstance(Whole(), Adapter)
    for track, _ in accompanied(fixture_dataset)[:2]:
        split = evaluator(Sociable(), fixture_dataset, "modality").evaluate(track)
        whole = evaluator(Whole(), fixture_dataset, "modality").evaluate(track)
        for name, scores in split.scores.items():
            np.testing.assert_array_equal(scores, whole.scores[name])


def test_the_seed_chooses_the_neighbours(fixture_dataset: Dataset):
    class Seeded(Sociable):
        needs = Needs(context_speakers=1, context_seed=7)

    made = evaluator(Seeded(), fixture_dataset, "clean")._context
    assert made is not None
    assert (made._speakers, made._seed) == (1, 7)


def test_who_is_alone_gets_an_empty_context(fixture_dataset: Dataset):
    busy = {track.key for track, _ in accompanied(fixture_dataset)}
    track = next(track for track in fixture_dataset.tracks if track.key not in busy)
    scorer = Sociable()
    found = evaluator(scorer, fixture_dataset, "clean").evaluate(track)
    assert scorer.shown[0][1] == []
    plain = evaluator(Additive(), fixture_dataset, "clean").evaluate(track)
    np.testing.assert_array_equal(found.scores["clean"], plain.scores["clean"])


def test_media_are_the_targets_but_the_stamp_covers_neighbours(fixture_dataset: Dataset):
    track, (other,) = accompanied(fixture_dataset)[0]
    with_context = evaluator(Sociable(), fixture_dataset, "clean").evaluate(track)
    without = evaluator(Additive(), fixture_dataset, "clean").evaluate(track)
    assert with_context.medium == without.medium
    assert without.stamp == track.media.stamp()
    assert track.media.stamp() in with_context.stamp
    assert other.media.stamp() in with_context.stamp


def crop_of(data: Path, video: str, entity: str) -> Path:
    return sorted((data / "clips_videos" / "val" / video / entity).iterdir())[0]


def test_a_broken_neighbour_stops_or_skips_with_its_path(fixture_copy: Path, tmp_path: Path):
    track, (other,) = accompanied(open_dataset(fixture_copy))[0]
    crop = crop_of(fixture_copy, *other.key)
    crop.write_bytes(b"")
    with pytest.raises(DataError) as caught:
        evaluator(Sociable(), open_dataset(fixture_copy), "clean").evaluate(track)
    assert str(crop) in str(caught.value)
    assert f"The track {track.entity_id!r}" in str(caught.value)
    run = asdbench.run(Sociable(), "clean", fixture_copy, out=tmp_path / "run", on_error="skip", progress=False)
    assert run.record["counts"]["skipped_tracks"] == 2  # the broken one, and the one that is scored with it


def test_scores_are_not_taken_for_those_of_other_neighbours(fixture_copy: Path, tmp_path: Path):
    dataset = open_dataset(fixture_copy)
    track, (other,) = accompanied(dataset)[0]
    first = [one.key for one in dataset.tracks].index(track.key) + 1
    assert other.key > track.key  # so beyond the limit, and no target itself

    def go() -> asdbench.Run:
        return asdbench.run(Sociable(), "clean", fixture_copy, out=tmp_path / "run", limit=first, progress=False)

    before = go().predictions()["score"]
    assert (go().predictions()["score"] == before).all()
    crop = crop_of(fixture_copy, *other.key)
    crop.rename(crop.with_suffix(".gone"))
    crop.with_suffix(".gone").rename(crop)
    with pytest.raises(NotComparableError, match="have changed since they were scored"):
        go()


class LipReader(Additive):
    """Additive; keeps the landmarks that it was shown."""

    name, version, fingerprint = "lip-reader", 1, "lip-reader"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.needs = Needs(context_speakers=2, landmarks=str(path))
        self.shown: list[Float32Array] = []

    def embed_faces(self, faces: Sequence[UInt8Array], context: ContextFaces, landmarks: Float32Array) -> Float32Array:
        assert len(landmarks) == 1 + len(context)
        self.shown.append(landmarks)
        return super().embed_faces(faces)


def test_landmarks_come_from_the_file_and_not_from_masked_lips(fixture_dataset: Dataset, tmp_path: Path):
    points = {}
    rows = []
    for number, track in enumerate(fixture_dataset.tracks):
        for frame, time in enumerate(track.timestamps_ms.tolist()):
            points[track.key, time] = number + frame / 1000
            numbers = [points[track.key, time]] * 2 * LIP_POINTS
            rows.append(
                {"video_id": track.video_id, "entity_id": track.entity_id, "timestamp_ms": time, "points": numbers}
            )
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "lips.parquet")
    reader = LipReader(tmp_path / "lips.parquet")
    scoring = evaluator(reader, fixture_dataset, "modality")
    finder = ContextFinder(fixture_dataset.tracks, 2)
    track = next(track for track in fixture_dataset.tracks if finder.neighbours(track))
    scoring.evaluate(track)
    clean, masked, *_ = reader.shown  # in the order of the suite
    for place, other in enumerate((track, *finder.neighbours(track))):
        wanted = [points.get((other.key, time), -1) for time in track.timestamps_ms.tolist()]
        np.testing.assert_allclose(clean[place, :, 0, 0], wanted, rtol=1e-6)
    np.testing.assert_array_equal(masked[1:], clean[1:])
    assert (masked[0] == -1).all()
    before = scoring.stamp(track)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows[::-1]), tmp_path / "lips.parquet", compression="none")
    assert scoring.stamp(track) != before
