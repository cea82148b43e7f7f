"""Voice, activity floor, lips and sharpness, measured beside the scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from asdbench.adapters.calibration import Additive, Deaf
from asdbench.adapters.lip_motion import lip_motion
from asdbench.adapters.vad_lip import VadLip, VadLipOptions, lip_log_odds
from asdbench.engine.activity import LIPS, SHARPNESS, Meter, wants_activity
from asdbench.engine.tracks import TrackEvaluator
from asdbench.errors import ModelOutputError
from asdbench.perturb import plan
from asdbench.perturb.edits import edit_audio, edit_faces, split_media
from asdbench.records.shards import TrackScores
from asdbench.suites import load_suite
from asdbench.types import Condition, Dataset, Float32Array, Int16Array, Scorer, Track, UInt8Array
from tests.lenders import LendingTracks


def evaluator(
    scorer: Scorer, dataset: Dataset, suite: str = "unsync", *, annotated: bool = False, skip: bool = False
) -> TrackEvaluator:
    resolved = plan(dataset.tracks, load_suite(suite))
    meter = Meter(scorer, load_suite(suite).conditions, annotated)
    return TrackEvaluator(scorer, resolved, dataset.tracks, "test", skip, meter)


class WithHead(Additive):
    """Has a head over its faces."""

    def score_faces(self, face_embedding: Float32Array) -> Float32Array | None:
        return 2 * face_embedding


class CountingFloor(VadLip):
    """The activity floor, counting how often sound is listened to."""

    heard = 0

    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> Any:
        CountingFloor.heard += 1
        return super().embed_audio(audio, num_frames, fps)


def only(evaluator: TrackEvaluator, track: Track) -> dict[str, Any]:
    return dict(evaluator.evaluate(track).columns)


@pytest.mark.parametrize(("suite", "tracks"), [("unsync", 4), ("sync-curve", 1)])
def test_the_floor_scores_what_the_model_is_shown(fixture_dataset: Dataset, suite: str, tracks: int) -> None:
    resolved, floor = plan(fixture_dataset.tracks, load_suite(suite)), VadLip()
    lender, changed = LendingTracks(fixture_dataset.tracks), 0
    for track in fixture_dataset.tracks[:tracks]:
        found = only(evaluator(Additive(), fixture_dataset, suite), track)
        for condition in resolved.conditions:
            name = condition.condition.name
            if not wants_activity(condition.condition):
                assert f"voiced:{name}" not in found
                assert f"activity:{name}" not in found
                continue
            audio_edits, face_edits = split_media(condition.edits(track.key))
            changed += bool(audio_edits)
            audio = edit_audio(track.media.audio(), audio_edits, track.media, lender)
            voice = floor.embed_audio(audio, len(track), track.fps)
            motion = floor.embed_faces(edit_faces(track.media.faces(), face_edits, lender))
            np.testing.assert_array_equal(found[f"activity:{name}"], floor.score(voice, motion))
            np.testing.assert_array_equal(found[f"voiced:{name}"], (voice.probability >= 0.5).astype(np.int8))
    assert changed, "nothing was edited, so nothing is tested"


def test_scores_are_those_without_it(fixture_dataset: Dataset) -> None:
    resolved = plan(fixture_dataset.tracks, load_suite("modality"))
    for track in fixture_dataset.tracks[:3]:
        alone = TrackEvaluator(Additive(), resolved, fixture_dataset.tracks, "test").evaluate(track)
        beside = evaluator(Additive(), fixture_dataset, "modality").evaluate(track)
        assert alone.columns == {}
        for name, scores in alone.scores.items():
            np.testing.assert_array_equal(beside.scores[name], scores)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> type[CountingFloor]:
    CountingFloor.heard = 0
    monkeypatch.setattr("asdbench.adapters.vad_lip.VadLip", CountingFloor)
    return CountingFloor


def sounds(dataset: Dataset, suite: str, track: Track) -> set[Any]:
    wanted = [p for p in plan(dataset.tracks, load_suite(suite)).conditions if wants_activity(p.condition)]
    return {split_media(p.edits(track.key))[0] for p in wanted}


@pytest.mark.parametrize("scorer", [Additive, CountingFloor])
def test_every_sound_is_heard_once(
    fixture_dataset: Dataset, counting: type[CountingFloor], scorer: type[Scorer]
) -> None:
    """Also where the model is the floor itself, whose embeddings then serve both."""
    for track in fixture_dataset.tracks[:4]:
        counting.heard = 0
        found = evaluator(scorer(), fixture_dataset).evaluate(track)
        extra = 1 if scorer is CountingFloor else 0  # resplice, of which only the model's own scores are wanted
        few = len(sounds(fixture_dataset, "unsync", track))
        assert few <= counting.heard <= few + extra
        if scorer is CountingFloor:
            np.testing.assert_array_equal(found.columns["activity:mismatch@1.00"], found.scores["mismatch@1.00"])


def test_a_floor_with_other_options_is_measured_against_the_plain_one(fixture_dataset: Dataset) -> None:
    track = fixture_dataset.tracks[0]
    found = evaluator(VadLip(VadLipOptions(smoothing_ms=0)), fixture_dataset).evaluate(track)
    plain = VadLip().score_track(track.media.audio(), track.media.faces(), track.fps)
    np.testing.assert_array_equal(found.columns["activity:clean"], plain)
    assert not np.array_equal(found.scores["clean"], plain)


def test_lips_are_the_models_own_head_or_lip_motion(fixture_dataset: Dataset) -> None:
    track = fixture_dataset.tracks[0]
    own = only(evaluator(WithHead(), fixture_dataset), track)[LIPS]
    np.testing.assert_array_equal(own, 2 * WithHead().embed_faces(track.media.faces()))
    motion = only(evaluator(Additive(), fixture_dataset), track)[LIPS]
    wanted = lip_log_odds(lip_motion(track.media.faces()), track.fps)
    np.testing.assert_allclose(motion, wanted, rtol=1e-6)


def test_a_head_that_gives_no_scores_is_told(fixture_dataset: Dataset) -> None:
    class Broken(Additive):
        def score_faces(self, face_embedding: Float32Array) -> Float32Array | None:
            return face_embedding[:-1]

    with pytest.raises(ModelOutputError, match="one score per frame"):
        evaluator(Broken(), fixture_dataset).evaluate(fixture_dataset.tracks[0])


def without_silero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asdbench.adapters.vad_lip.find_spec", lambda _: None)


def test_without_silero_the_columns_are_absent_and_the_record_says_why(
    fixture_dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_silero(monkeypatch)
    found = evaluator(Additive(), fixture_dataset)
    assert set(only(found, fixture_dataset.tracks[0])) == {SHARPNESS, LIPS}
    meter = Meter(Additive(), load_suite("unsync").conditions)
    assert meter.columns == (SHARPNESS, LIPS)
    assert "pip install 'asdbench[vad]'" in meter.record()["missing"]
    assert meter.record()["lips"] == "lip motion"


def test_the_record_names_what_measured() -> None:
    clean = load_suite("clean").conditions
    record = Meter(WithHead(), clean).record()
    assert record["voice"].startswith("silero-vad 6.")
    assert (record["floor"], record["lips"]) == ("vad-lip", "own head")
    assert Meter(WithHead(), clean, annotated=True).record()["voice"] == "annotation"


@pytest.mark.parametrize("installed", [True, False])
def test_annotated_voices_take_the_place_of_detected_ones_in_unchanged_sound(
    fixture_dataset: Dataset, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    if not installed:
        without_silero(monkeypatch)
    told = [np.arange(len(track)) % 3 == 0 for track in fixture_dataset.tracks]
    tracks = tuple(replace(t, voiced=heard) for t, heard in zip(fixture_dataset.tracks, told, strict=True))
    dataset = replace(fixture_dataset, tracks=tracks)
    scored = evaluator(Additive(), dataset, annotated=True)
    plain = evaluator(Additive(), fixture_dataset)
    edited = 0
    for track in dataset.tracks[:3]:
        found, detected = only(scored, track), only(plain, track)
        np.testing.assert_array_equal(found["voiced:clean"], track.voiced)
        if not installed:
            assert set(found) == {SHARPNESS, LIPS, "voiced:clean"}
            continue
        name = "voiced:mismatch@1.00"
        if plan(dataset.tracks, load_suite("unsync"))["mismatch@1.00"].edits(track.key):
            edited += 1
            np.testing.assert_array_equal(found[name], detected[name])
        else:
            np.testing.assert_array_equal(found[name], track.voiced)
    assert edited or not installed


class Silent:
    """Media without a sample of sound."""

    def __init__(self, track: Track) -> None:
        self._media = track.media

    def audio(self) -> Int16Array:
        return np.zeros(0, np.int16)

    def audio_window(self, start: int, stop: int) -> Int16Array:
        return np.zeros(0, np.int16)

    def faces(self) -> Sequence[UInt8Array]:
        return self._media.faces()

    def stamp(self) -> str:
        return "silent"


def test_what_cannot_be_measured_is_unknown_and_stops_no_run(fixture_dataset: Dataset) -> None:
    track = replace(fixture_dataset.tracks[0], media=Silent(fixture_dataset.tracks[0]))  # type: ignore[arg-type]
    found = evaluator(Deaf(), fixture_dataset, "clean").evaluate(track)
    assert np.isfinite(found.scores["clean"]).all()
    assert found.columns["voiced:clean"].tolist() == [-1] * len(track)
    assert np.isnan(found.columns["activity:clean"]).all()
    assert np.isfinite(found.columns[LIPS]).all()


def test_a_condition_that_could_not_be_made_is_unknown(fixture_dataset: Dataset) -> None:
    resolved = plan(fixture_dataset.tracks, load_suite("unsync"))
    track, donor = next(
        (track, edit.donors[0].key)  # type: ignore[union-attr]
        for track in fixture_dataset.tracks
        for edit in resolved["mismatch@1.00"].edits(track.key)
    )
    tracks = tuple(replace(t, media=Broken(t)) if t.key == donor else t for t in fixture_dataset.tracks)  # type: ignore[arg-type]
    found: TrackScores = evaluator(Additive(), replace(fixture_dataset, tracks=tracks), skip=True).evaluate(track)
    assert "mismatch@1.00" in found.failure
    assert found.columns["voiced:mismatch@1.00"].tolist() == [-1] * len(track)
    assert np.isnan(found.columns["activity:mismatch@1.00"]).all()
    assert (found.columns["voiced:clean"] >= 0).all()


class Broken(Silent):
    """Media whose sound is damaged."""

    def audio(self) -> Int16Array:
        from asdbench.errors import DataError

        raise DataError("the wav is damaged.")


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        (Condition("clean", role="reference"), True),
        (Condition("a", "mismatch", labels="negative"), True),
        (Condition("a", "mismatch", labels="keep", role="diagnostic"), False),
        (Condition("a", "shift", labels="keep", role="diagnostic"), True),
        (Condition("a", "shift@1", labels="keep", role="diagnostic"), True),
        (Condition("a", "laser_shift", labels="keep", role="diagnostic"), True),
        (Condition("a", "shift", labels="ignore", role="test"), False),
        (Condition("a", "resplice", labels="keep", role="control"), False),
        (Condition("dubbed", "dubbed", labels="negative"), True),
    ],
)
def test_where_it_is_measured(condition: Condition, wanted: bool) -> None:
    assert wants_activity(condition) == wanted
