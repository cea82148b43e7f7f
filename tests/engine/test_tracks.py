from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from asdbench.adapters.base import Adapter
from asdbench.adapters.calibration import Additive
from asdbench.engine.medium import media_digest
from asdbench.engine.tracks import TrackEvaluator
from asdbench.errors import DataError, ModelOutputError, ResourceError
from asdbench.perturb import plan
from asdbench.perturb.edits import digest, edit_audio, edit_faces, split_media
from asdbench.suites import load_suite
from asdbench.types import Dataset, Float32Array, Int16Array, TrackKey, UInt8Array
from tests.lenders import LendingTracks


class Counting(Additive):
    """Additive, counting how often each part is asked for."""

    def __init__(self) -> None:
        self.audio = self.faces = self.heads = 0

    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> Float32Array:
        self.audio += 1
        return super().embed_audio(audio, num_frames, fps)

    def embed_faces(self, faces: Sequence[UInt8Array]) -> Float32Array:
        self.faces += 1
        return super().embed_faces(faces)

    def score(self, audio_embedding: Float32Array, face_embedding: Float32Array) -> Float32Array:
        self.heads += 1
        return super().score(audio_embedding, face_embedding)


class Whole:
    """The same scores without a split: pays full price, gets the same numbers."""

    name, version = "whole", 1

    def score_track(self, audio: Int16Array, faces: Sequence[UInt8Array], fps: float) -> Float32Array:
        return Additive().score_track(audio, faces, fps)


def evaluator(scorer: object, dataset: Dataset, suite: str = "unsync") -> TrackEvaluator:
    return TrackEvaluator(scorer, plan(dataset.tracks, load_suite(suite)), dataset.tracks, "test")  # type: ignore[arg-type]


def test_each_embedding_is_computed_once(fixture_dataset: Dataset):
    for name in ("unsync", "modality"):
        resolved = plan(fixture_dataset.tracks, load_suite(name))
        for track in fixture_dataset.tracks:
            scorer = Counting()
            TrackEvaluator(scorer, resolved, fixture_dataset.tracks, "test").evaluate(track)
            media = [split_media(condition.edits(track.key)) for condition in resolved.conditions]
            assert scorer.audio == len({digest(audio) for audio, _ in media})
            assert scorer.faces == len({digest(faces) for _, faces in media})
            assert scorer.heads == len({(digest(audio), digest(faces)) for audio, faces in media})


@pytest.mark.parametrize("suite", ["unsync", "modality"])
def test_scores_equal_those_of_every_condition_from_scratch(fixture_dataset: Dataset, suite: str):
    resolved = plan(fixture_dataset.tracks, load_suite(suite))
    lender = LendingTracks(fixture_dataset.tracks)
    for track in fixture_dataset.tracks:
        found = evaluator(Additive(), fixture_dataset, suite).evaluate(track)
        for condition in resolved.conditions:
            audio_edits, face_edits = split_media(condition.edits(track.key))
            audio = edit_audio(track.media.audio(), audio_edits, track.media, lender)
            wanted = Additive().score_track(audio, edit_faces(track.media.faces(), face_edits, lender), track.fps)
            np.testing.assert_array_equal(found.scores[condition.condition.name], wanted)


def test_a_model_that_cannot_be_split_gets_the_same_scores(fixture_dataset: Dataset):
    assert not isinstance(Whole(), Adapter)
    for track in fixture_dataset.tracks[:4]:
        split = evaluator(Additive(), fixture_dataset).evaluate(track)
        whole = evaluator(Whole(), fixture_dataset).evaluate(track)
        for name, scores in split.scores.items():
            np.testing.assert_array_equal(scores, whole.scores[name])


def failing(result: object) -> object:
    class Failing:
        name, version = "failing", 1

        def score_track(self, audio: Int16Array, faces: Sequence[UInt8Array], fps: float) -> object:
            if isinstance(result, Exception):
                raise result
            return np.full(len(faces), 1.0) if result is None else result(len(faces))  # type: ignore[operator]

    return Failing()


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (lambda n: np.r_[np.nan, np.zeros(n - 1)], "1 of .* scores that are NaN or infinite"),
        (lambda n: np.full(n, np.inf), "NaN or infinite"),
        (lambda n: np.zeros(n - 1), "one score per frame"),
        (lambda n: np.zeros((n, 2)), "one score per frame"),
        (ValueError("shape trouble"), r"failed in .*test_tracks.py, line \d+: ValueError: shape trouble"),
    ],
)
def test_bad_output_names_model_and_track(fixture_dataset: Dataset, result: object, words: str):
    track = fixture_dataset.tracks[0]
    with pytest.raises(ModelOutputError, match=words) as caught:
        evaluator(failing(result), fixture_dataset).evaluate(track)
    assert "'test'" in str(caught.value)
    assert track.entity_id in str(caught.value)


def test_out_of_memory_is_a_resource_error(fixture_dataset: Dataset):
    with pytest.raises(ResourceError, match="out of memory"):
        evaluator(failing(MemoryError()), fixture_dataset).evaluate(fixture_dataset.tracks[0])


def test_a_donor_without_audio_is_bad_data(fixture_copy):
    from asdbench.data import open_dataset

    dataset = open_dataset(fixture_copy)
    resolved = plan(dataset.tracks, load_suite("unsync"))
    track, donor = next(
        (track, edit.donors[0])
        for track in dataset.tracks
        for edit in resolved["mismatch@1.00"].edits(track.key)
    )  # fmt: skip
    wav = fixture_copy / "clips_audios" / "val" / donor.video_id / f"{donor.entity_id}.wav"
    wav.unlink()
    with pytest.raises(DataError, match="audio file is missing") as caught:
        evaluator(Additive(), dataset).evaluate(track)
    assert str(wav) in str(caught.value)


def test_media_are_identified_by_content(fixture_dataset: Dataset):
    first, second = fixture_dataset.tracks[:2]
    found = {
        track.key: evaluator(Additive(), fixture_dataset, "clean").evaluate(track).medium for track in (first, second)
    }
    again = evaluator(Additive(), fixture_dataset, "clean").evaluate(first).medium
    assert again == found[first.key] != found[second.key]
    assert media_digest(found) == media_digest(dict(reversed(found.items())))
    assert media_digest(found) != media_digest(found | {TrackKey("x", "y"): "z"})


class InPlace(Whole):
    """Works on what it is given, as careless code does."""

    def score_track(self, audio: Int16Array, faces: Sequence[UInt8Array], fps: float) -> Float32Array:
        scores = super().score_track(audio, faces, fps)
        audio //= 2
        for face in faces:
            face[:] = 0
        return scores


def test_a_model_that_works_in_place_spoils_nothing(fixture_dataset: Dataset):
    for track in fixture_dataset.tracks[:3]:
        careless = evaluator(InPlace(), fixture_dataset).evaluate(track)
        careful = evaluator(Whole(), fixture_dataset).evaluate(track)
        for name, scores in careful.scores.items():
            np.testing.assert_array_equal(careless.scores[name], scores)


def test_scores_beyond_float32_are_refused_at_once(fixture_dataset: Dataset):
    with pytest.raises(ModelOutputError, match="NaN or infinite"):
        evaluator(failing(lambda n: np.full(n, 1e39)), fixture_dataset).evaluate(fixture_dataset.tracks[0])
    with pytest.raises(ModelOutputError, match=r"failed in .*ValueError"):
        evaluator(failing(lambda n: np.full(n, "loud")), fixture_dataset).evaluate(fixture_dataset.tracks[0])
