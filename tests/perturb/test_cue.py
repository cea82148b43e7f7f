"""The cue check: what sound alone tells of a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from asdbench.perturb import cue, plan
from asdbench.perturb.absence import SilenceEdit
from asdbench.perturb.cue import FLAG, Cue, cue_check
from asdbench.perturb.cue_features import features
from asdbench.types import Condition, Int16Array, Suite, Track, UInt8Array
from tests.lenders import LendingTracks

CLEAN = Condition("clean", role="reference")
SEED = 20261120
HEARD: list[str] = []


@dataclass(frozen=True)
class Voice:
    """Noise in syllables, another one for every name."""

    name: str
    samples: int

    def audio(self) -> Int16Array:
        HEARD.append(self.name)
        rng = np.random.default_rng(crc32(self.name.encode()))
        times = np.arange(self.samples) / 16_000
        loud = 0.05 + np.clip(np.sin(2 * np.pi * (3 + rng.random()) * times + 6 * rng.random()), 0, None)
        noise = np.convolve(rng.normal(size=self.samples), np.ones(4) / 4, mode="same")
        return np.rint(3000 * loud * noise).astype(np.int16)

    def audio_window(self, start: int, stop: int) -> Int16Array:
        return self.audio()[max(start, 0) : max(stop, 0)]

    def faces(self) -> list[UInt8Array]:
        raise AssertionError("the cue check sees no faces")

    def stamp(self) -> str:
        return self.name


def voices(tracks: int, sources: int, frames: int = 50) -> list[Track]:
    labels = np.zeros(frames, np.int8)
    labels[10:40] = 1
    samples = (frames - 1) * 640
    return [
        Track(
            video_id=f"v{number:02d}", entity_id=f"v{number:02d}:0", source_id=f"s{number % sources:02d}",
            timestamps_ms=np.arange(frames, dtype=np.int64) * 40, labels=labels, fps=25.0, num_samples=samples,
            media=Voice(f"v{number:02d}", samples),
        )
        for number in range(tracks)
    ]  # fmt: skip


def check(
    tracks: Sequence[Track], *conditions: Condition, most: int = 100, in_all: int | None = None
) -> tuple[Cue, ...]:
    HEARD.clear()
    suite = Suite("test", 1, SEED, "", (CLEAN, *conditions), "")
    return cue_check(plan(tracks, suite), tracks, LendingTracks(tracks), most, SEED, in_all)


def test_what_is_plain_to_hear_is_told_and_flagged() -> None:
    (found,) = check(voices(30, 15), Condition("silence", "silence"))
    assert (found.auroc, found.tracks, found.sources, found.flagged) == (1.0, 30, 15, True)


def test_what_changes_nothing_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SilenceEdit, "apply", lambda self, original, media, lender: original.copy())
    (found,) = check(voices(30, 15), Condition("silence", "silence"))
    assert (found.auroc, found.low, found.high, found.flagged) == (0.5, 0.5, 0.5, False)


def test_sound_of_the_same_kind_is_hardly_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def another(self: Any, original: Int16Array, media: Voice, lender: Any) -> Int16Array:
        return Voice(f"{media.name} anew", media.samples).audio()

    monkeypatch.setattr(SilenceEdit, "apply", another)
    (found,) = check(voices(80, 80), Condition("other", "silence"))
    assert found.auroc is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.auroc <= found.high
    assert 0.35 < found.auroc < 0.65


def watched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[Any], list[Any]]]:
    """The pairs that each classifier learns from and judges."""
    seen: list[tuple[list[Any], list[Any]]] = []
    fitted = cue._fitted

    def recorded(learn: Any, judge: Any) -> float:
        seen.append((learn, judge))
        return fitted(learn, judge)

    monkeypatch.setattr(cue, "_fitted", recorded)
    return seen


def test_sources_are_never_known_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watched(monkeypatch)
    (found,) = check(voices(24, 12), Condition("silence", "silence"))
    assert len(seen) == 5
    for learn, judge in seen:
        assert not {pair.source for pair in learn} & {pair.source for pair in judge}
    assert sorted(pair.source for _, judge in seen for pair in judge) == sorted(f"s{n % 12:02d}" for n in range(24))
    assert not found.donors_heard


def test_who_lends_sound_is_not_learnt_from_where_there_are_others(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watched(monkeypatch)
    (found,) = check(voices(90, 90), Condition("other", "mismatch", labels="negative"))
    assert not found.donors_heard
    for learn, judge in seen:
        own, lent = {pair.source for pair in judge}, {source for pair in judge for source in pair.lenders}
        assert lent
        assert not any(pair.source in lent or pair.lenders & own for pair in learn)
    assert check(voices(20, 20), Condition("other", "mismatch", labels="negative"))[0].donors_heard


@pytest.mark.parametrize(("tracks", "sources"), [(30, 9), (19, 19)])
def test_too_few_sources_or_tracks_are_undefined_and_not_heard(tracks: int, sources: int) -> None:
    (found,) = check(voices(tracks, sources), Condition("silence", "silence"))
    assert (found.auroc, found.flagged) == (None, False)
    assert f"{tracks} changed tracks of {sources} sources" in found.undefined
    assert HEARD == []


def test_conditions_with_the_same_sound_share_a_value() -> None:
    both = {"parts": [{"perturbation": "silence"}, {"perturbation": "face_mask"}]}
    found = check(
        voices(30, 15),
        Condition("misalign@0.50", "misalign", proportion=0.5, labels="negative"),
        Condition("misalign@1.00", "misalign", labels="negative"),
        Condition("silence", "silence"),
        Condition("silence+face_mask", "joint", options=both),
        Condition("lip_mask", "lip_mask"),
    )
    assert [each.conditions for each in found] == [("misalign@1.00", "misalign@0.50"), ("silence", "silence+face_mask")]


def test_no_more_is_heard_than_asked_for() -> None:
    (few,) = check(voices(30, 15), Condition("silence", "silence"), most=22)
    assert few.tracks == 22
    found = check(
        voices(30, 15), Condition("silence", "silence"), Condition("late", "shift", options={"ms": 300}), in_all=48
    )
    assert [each.tracks for each in found] == [24, 24]


def test_the_same_data_give_the_same_numbers() -> None:
    tracks = voices(30, 15)
    conditions = (Condition("other", "replace_audio"),)
    assert check(tracks, *conditions) == check(tracks[::-1], *conditions)


# --- features ----------------------------------------------------------------------------------------------------


def speech(seconds: float = 2.0) -> Int16Array:
    return Voice("a voice", round(16_000 * seconds)).audio()


def test_a_click_stands_out() -> None:
    own, clicked = speech(), speech()
    clicked[9_000] = 30_000
    assert features(clicked)["sharpest click"] > features(own)["sharpest click"] + 0.5


def test_a_loop_is_heard() -> None:
    own = speech()
    looped = np.resize(own[4_000:10_000], len(own))
    assert features(own)["repetition"] < 0.5 < 0.95 < features(looped)["repetition"]


def test_zeros_and_clipping_are_counted() -> None:
    own = speech()
    own[:8_000], own[8_000:12_000] = 0, 32_767
    found = features(own)
    assert found["digital silence"] == pytest.approx(0.25, abs=0.02)
    assert found["clipped"] == pytest.approx(0.125, abs=0.01)


def test_a_floor_of_another_room_is_heard() -> None:
    own, mended = speech(4.0), speech(4.0)
    mended[20_000:40_000] += np.rint(400 * np.random.default_rng(1).normal(size=20_000)).astype(np.int16)
    assert features(mended)["floor moves most"] > features(own)["floor moves most"] + 1


@pytest.mark.parametrize("samples", [1, 399, 400, 1_600, 5_000])
@pytest.mark.parametrize("level", [0, 500, 32_767])
def test_any_sound_has_finite_features(samples: int, level: int) -> None:
    found = features(np.full(samples, level, np.int16))
    assert all(np.isfinite(value) for value in found.values())
    assert list(found) == list(features(speech()))


def test_the_limit_is_the_one_of_the_method() -> None:
    assert FLAG == 0.60
