"""Resolved edits applied to media."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import msgspec
import numpy as np
import pytest

from asdbench.perturb import lip_mask, misalign, mismatch, plan, resplice
from asdbench.perturb.absence import LipMaskEdit, SilenceEdit
from asdbench.perturb.edits import Donor, Edit, edit_audio, edit_faces, split_media
from asdbench.perturb.synchrony import MisalignEdit, MismatchEdit, RespliceEdit
from asdbench.suites import load_suite
from asdbench.types import Dataset, Int16Array, TrackKey, UInt8Array
from tests.lenders import Lending, LendingTracks


class Film:
    """Media of a track that lies within a longer recording."""

    def __init__(self, samples: Int16Array, start: int, stop: int) -> None:
        self.samples, self.start, self.stop = samples, start, stop

    def audio(self) -> Int16Array:
        return self.samples[self.start : self.stop]

    def audio_window(self, start: int, stop: int) -> Int16Array:
        return self.samples[max(start + self.start, 0) : max(stop + self.start, 0)]

    def faces(self) -> list[UInt8Array]:
        return []


def noise(length: int, seed: int = 0) -> Int16Array:
    return np.random.default_rng(seed).integers(100, 2000, length).astype(np.int16)


FILM = Film(noise(40_000), 10_000, 30_000)
DONOR_AUDIO = noise(30_000, seed=1)


LENDER = Lending({TrackKey("v", "e:1"): DONOR_AUDIO})


DONOR = Donor("v", "e:1", 1000, 21_000)


# --- one edit ----------------------------------------------------------------------------------------------------


def test_mismatch_edit_reads_its_donors() -> None:
    edit = MismatchEdit(version=1, start=2000, stop=9000, donors=(DONOR,), match_level=False)
    expected = mismatch(FILM.audio(), 2000, 9000, [DONOR_AUDIO[1000:21_000]], match_level=False)
    np.testing.assert_array_equal(edit_audio(FILM.audio(), [edit], FILM, LENDER), expected)


def test_resplice_edit_reads_its_donor() -> None:
    edit = RespliceEdit(version=1, start=2000, stop=9000, donors=(DONOR,))
    expected = resplice(FILM.audio(), 2000, 9000, DONOR_AUDIO, [DONOR_AUDIO[1000:21_000]])
    np.testing.assert_array_equal(edit_audio(FILM.audio(), [edit], FILM, LENDER), expected)


@pytest.mark.parametrize("shift", [6000, -6000, 15_000, -15_000, 24_000, -24_000])
@pytest.mark.parametrize(("start", "stop"), [(0, 7000), (6000, 14_000), (15_000, 20_000), (0, 20_000)])
def test_misalign_edit_reads_the_film_beyond_the_track(shift: int, start: int, stop: int) -> None:
    edit = MisalignEdit(version=1, start=start, stop=stop, shift=shift)
    before, after = FILM.samples[:10_000], FILM.samples[30_000:]
    expected = misalign(FILM.audio(), start, stop, shift, before=before, after=after)
    np.testing.assert_array_equal(edit_audio(FILM.audio(), [edit], FILM, LENDER), expected)


def test_misalign_edit_within_the_track_opens_no_film() -> None:
    class Closed(Film):
        def audio_window(self, start: int, stop: int) -> Int16Array:
            raise AssertionError("opened")

    edit = MisalignEdit(version=1, start=6000, stop=9000, shift=4000)
    edit_audio(FILM.audio(), [edit], Closed(FILM.samples, 10_000, 30_000), LENDER)


def test_silence_edit_is_the_whole_track() -> None:
    result = edit_audio(FILM.audio(), [SilenceEdit(version=1)], FILM, LENDER)
    assert len(result) == 20_000
    assert not result.any()


def test_lip_mask_edit() -> None:
    faces = [noise(600, seed).reshape(30, 20).astype(np.uint8) | 1 for seed in range(3)]
    before = [face.copy() for face in faces]
    edited = edit_faces(faces, [LipMaskEdit(version=1, fraction=0.5)], LENDER)
    for got, was in zip(edited, before, strict=True):
        np.testing.assert_array_equal(got, lip_mask(was, 0.5))
    for now, was in zip(faces, before, strict=True):
        np.testing.assert_array_equal(now, was)
    assert edit_faces(faces, [], LENDER) is faces


def test_split_media() -> None:
    silent, masked = SilenceEdit(version=1), LipMaskEdit(version=1, fraction=0.3)
    assert split_media([masked, silent]) == ((silent,), (masked,))
    assert split_media([]) == ((), ())


# --- several edits -----------------------------------------------------------------------------------------------


def test_no_edits_give_an_equal_copy() -> None:
    own = FILM.audio()
    result = edit_audio(own, [], FILM, LENDER)
    np.testing.assert_array_equal(result, own)
    assert not np.shares_memory(result, own)


@pytest.mark.parametrize("reverse", [False, True])
def test_each_edit_sees_the_original(reverse: bool) -> None:
    own = FILM.audio().copy()
    replaced = MismatchEdit(version=1, start=1000, stop=5000, donors=(DONOR,))
    # This window reaches back into what the other edit replaces.
    delayed = MisalignEdit(version=1, start=6000, stop=10_000, shift=4500)
    edits = [delayed, replaced] if reverse else [replaced, delayed]
    result = edit_audio(own, edits, FILM, LENDER)
    expected = own.copy()
    expected[1000:5000] = mismatch(own, 1000, 5000, [DONOR_AUDIO[1000:21_000]])[1000:5000]
    expected[6000:10_000] = misalign(own, 6000, 10_000, 4500)[6000:10_000]
    np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(own, FILM.audio())


EDITS_TO_THE_END: dict[str, Callable[[int, int], Edit]] = {
    "mismatch": lambda start, stop: MismatchEdit(version=1, start=start, stop=stop, donors=(DONOR,)),
    "misalign late": lambda start, stop: MisalignEdit(version=1, start=start, stop=stop, shift=3000),
    "misalign early": lambda start, stop: MisalignEdit(version=1, start=start, stop=stop, shift=-3000),
    "resplice": lambda start, stop: RespliceEdit(version=1, start=start, stop=stop, donors=(DONOR,)),
}


@pytest.mark.parametrize("name", EDITS_TO_THE_END)
def test_wav_one_frame_shorter_than_its_annotation(name: str) -> None:
    short = Film(noise(20_000 - 640), 0, 20_000 - 640)
    edit = EDITS_TO_THE_END[name](12_000, 20_000)
    result = edit_audio(short.audio(), [edit], short, LENDER)  # type: ignore[list-item]
    assert len(result) == 20_000 - 640
    np.testing.assert_array_equal(result[:12_000], short.audio()[:12_000])
    assert (result[12_000:] != short.audio()[12_000:]).mean() > 0.9


@pytest.mark.parametrize("name", EDITS_TO_THE_END)
def test_span_wholly_beyond_the_wav_changes_nothing(name: str) -> None:
    short = Film(noise(12_000), 0, 12_000)
    result = edit_audio(short.audio(), [EDITS_TO_THE_END[name](12_100, 20_000)], short, LENDER)  # type: ignore[list-item]
    np.testing.assert_array_equal(result, short.audio())


# --- every edit of the suites, on the generated data set ---------------------------------------------------------


@pytest.fixture(scope="module")
def load_fixture(fixture_dataset: Dataset) -> Callable[[TrackKey], Int16Array]:
    media = {track.key: track.media for track in fixture_dataset.tracks}
    return cache(lambda key: media[key].audio())


CONDITIONS = [(name, c.name) for name in ("unsync", "modality") for c in load_suite(name).conditions[1:]]


@pytest.mark.parametrize(("suite", "name"), CONDITIONS)
def test_every_edit_changes_exactly_its_span(
    fixture_dataset: Dataset, load_fixture: Callable[[TrackKey], Int16Array], suite: str, name: str
) -> None:
    condition = plan(fixture_dataset.tracks, load_suite(suite))[name]
    assert any(condition.edits(track.key) for track in fixture_dataset.tracks)
    for track in fixture_dataset.tracks:
        sounds, visions = split_media(condition.edits(track.key))
        own, changed = load_fixture(track.key), np.zeros(track.num_samples, dtype=bool)
        for decision in condition.decisions.get(track.key, ()):
            if decision.changed and sounds:
                span = slice(decision.target.start_sample, decision.target.end_sample)
                changed[span] = True
        result = edit_audio(own, sounds, track.media, LendingTracks(fixture_dataset.tracks))
        differs = result != own
        assert not differs[~changed].any()
        # Equal samples happen by chance, and where the gain of resplice's background is small.
        assert not changed.any() or differs[changed].mean() > 0.5
        if visions:
            faces = track.media.faces()
            edited = edit_faces(faces, visions, LendingTracks(fixture_dataset.tracks))
            assert len(edited) == len(faces)
            assert any(not np.array_equal(*pair) for pair in zip(edited, faces, strict=True))
            if name == "lip_mask":
                assert_masked(faces, list(edited))


def assert_masked(faces: list[UInt8Array], masked: list[UInt8Array]) -> None:  # type: ignore[type-arg]
    for face, result in zip(faces, masked, strict=True):
        top = int(0.7 * len(face))
        np.testing.assert_array_equal(result[:top], face[:top])
        assert not result[top:].any()
        assert face[top:].any()


@pytest.mark.parametrize("suite", ["unsync", "modality"])
def test_edits_from_json_apply_identically(
    fixture_dataset: Dataset, load_fixture: Callable[[TrackKey], Int16Array], suite: str
) -> None:
    whole, lender = plan(fixture_dataset.tracks, load_suite(suite)), LendingTracks(fixture_dataset.tracks)
    for condition in whole.conditions[1:]:
        for track in fixture_dataset.tracks:
            edits = condition.edits(track.key)
            again = tuple(msgspec.json.decode(msgspec.json.encode(edit), type=type(edit)) for edit in edits)
            own = load_fixture(track.key)
            results = [edit_audio(own, split_media(e)[0], track.media, lender) for e in (edits, again)]
            np.testing.assert_array_equal(*results)
            assert split_media(edits)[1] == split_media(again)[1]


def test_misalign_on_the_fixture_is_the_own_shifted_audio(
    fixture_dataset: Dataset, load_fixture: Callable[[TrackKey], Int16Array]
) -> None:
    condition = plan(fixture_dataset.tracks, load_suite("unsync"))["misalign@1.00"]
    compared = 0
    for track in fixture_dataset.tracks:
        own = load_fixture(track.key)
        result = edit_audio(
            own, split_media(condition.edits(track.key))[0], track.media, LendingTracks(fixture_dataset.tracks)
        )
        for decision in condition.decisions.get(track.key, ()):
            edit = decision.outcome.edits[0] if decision.outcome.edits else None
            if not isinstance(edit, MisalignEdit):
                continue
            where = np.arange(edit.start + 80, min(edit.stop or 0, len(own)) - 80)
            inside = where[(where - edit.shift >= 80) & (where - edit.shift < len(own) - 80)]
            np.testing.assert_array_equal(result[inside], own[inside - edit.shift])
            compared += len(inside)
    assert compared > 50_000
