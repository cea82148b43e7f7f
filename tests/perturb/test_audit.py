"""The audit: silent where all is as the suite says, and loud at every fault that is made here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from asdbench.errors import AuditError, DataError
from asdbench.perturb import audit as auditing
from asdbench.perturb import plan
from asdbench.perturb.absence import LipMaskEdit, SilenceEdit
from asdbench.perturb.audit import Audit, audit
from asdbench.perturb.audit_faces import FACES
from asdbench.perturb.audit_sound import SOUND
from asdbench.perturb.catalogue import PERTURBATIONS
from asdbench.perturb.noise import WhiteNoiseEdit
from asdbench.perturb.synchrony import MisalignEdit, MismatchEdit, RespliceEdit
from asdbench.suites import load_suite
from asdbench.types import Condition, Dataset, Int16Array, Suite, UInt8Array
from tests.lenders import LendingTracks

SEED = 20261120
CLEAN = Condition("clean", role="reference")


def audited(dataset: Dataset, *conditions: Condition, sample: int = 3) -> Audit:
    suite = Suite("test", 1, SEED, "", (CLEAN, *conditions), "")
    return audit(plan(dataset.tracks, suite), dataset.tracks, LendingTracks(dataset.tracks), sample, SEED)


def one(perturbation: str, **more: Any) -> Condition:
    return Condition("it", perturbation, **more)


def failed(dataset: Dataset, condition: Condition) -> set[str]:
    return {row.check for row in audited(dataset, condition).failed}


# --- as it should be ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["unsync", "modality", "published-synctalknet", "published-laser", "egocentric"])
def test_shipped_suites_are_what_they_say(fixture_dataset: Dataset, name: str) -> None:
    suite = load_suite(name)
    found = audit(
        plan(fixture_dataset.tracks, suite), fixture_dataset.tracks, LendingTracks(fixture_dataset.tracks), 2, SEED
    )
    assert found.failed == ()
    assert {row.condition for row in found.rows} == {c.name for c in suite.conditions[1:]}
    found.require()


def test_every_perturbation_has_measures_of_its_own() -> None:
    assert set(SOUND) | set(FACES) == set(PERTURBATIONS) - {"joint"}


def test_what_is_measured(fixture_dataset: Dataset) -> None:
    rows = {row.check: row for row in audited(fixture_dataset, one("shift", options={"ms": 200})).rows}
    assert (rows["shift"].lowest, rows["shift"].highest) == pytest.approx((200, 200))
    assert rows["shift error"].lowest == rows["shift error"].highest == 0
    assert rows["faces changed"].wanted == "0"
    rows = {row.check: row for row in audited(fixture_dataset, one("lip_mask", options={"fraction": 0.4})).rows}
    assert rows["black share of the face"].lowest == pytest.approx(0.4)
    rows = {row.check: row for row in audited(fixture_dataset, one("white_noise", options={"snr_db": 12.0})).rows}
    assert abs(rows["SNR above the asked"].lowest or 0) < 0.2


def test_the_sample_depends_on_names_alone(fixture_dataset: Dataset) -> None:
    suite = load_suite("unsync")
    whole = plan(fixture_dataset.tracks, suite)
    lender = LendingTracks(fixture_dataset.tracks)
    again = [
        audit(whole, tracks, lender, 2, SEED).to_dict()
        for tracks in (fixture_dataset.tracks, fixture_dataset.tracks[::-1])
    ]
    assert again[0] == again[1]
    assert audit(whole, fixture_dataset.tracks, lender, 1, SEED).tracks < again[0]["tracks"]


def test_broken_media_are_counted_not_judged(fixture_dataset: Dataset) -> None:
    class Deaf(LendingTracks):
        def audio(self, key: Any) -> Int16Array:
            raise DataError("gone")

    suite = Suite("test", 1, SEED, "", (CLEAN, one("mismatch", labels="negative")), "")
    found = audit(plan(fixture_dataset.tracks, suite), fixture_dataset.tracks, Deaf(fixture_dataset.tracks), 3, SEED)
    assert (found.tracks, found.unreadable, found.failed) == (0, 3, ())


# --- faults ------------------------------------------------------------------------------------------------------


Apply = Callable[..., Any]


def patched(monkeypatch: pytest.MonkeyPatch, kind: type, change: Callable[[Apply], Apply]) -> None:
    monkeypatch.setattr(kind, "apply", change(kind.apply))  # type: ignore[attr-defined]


def later(apply: Apply) -> Apply:
    """The whole result 10 ms later than it should be."""
    return lambda self, original, media, lender: np.roll(apply(self, original, media, lender), 160)


def residue(apply: Apply) -> Apply:
    """A thousandth of the own sound stays."""
    return lambda self, original, media, lender: (original // 1000 + apply(self, original, media, lender)).astype(
        np.int16
    )


def half_own(apply: Apply) -> Apply:
    def faulty(self: Any, original: Int16Array, media: Any, lender: Any) -> Int16Array:
        return (original * 0.9 + 0.1 * apply(self, original, media, lender)).astype(np.int16)

    return faulty


def louder(apply: Apply) -> Apply:
    def faulty(self: Any, original: Int16Array, media: Any, lender: Any) -> Int16Array:
        changed = apply(self, original, media, lender).astype(np.float64)
        return (original + 1.5 * (changed - original)).clip(-32768, 32767).astype(np.int16)

    return faulty


def quieter(apply: Apply) -> Apply:
    return lambda self, *rest: (apply(self, *rest) * 0.5).astype(np.int16)


SOUND_FAULTS = {
    "a shift of another amount": ("misalign", {}, MisalignEdit, later, "shift error"),
    "a fixed shift of another amount": ("shift", {"ms": -300}, MisalignEdit, later, "shift"),
    "silence that leaves residue": ("silence", {}, SilenceEdit, residue, "energy left"),
    "own voice under the donor's": ("mismatch", {}, MismatchEdit, half_own, "likeness to the own sound"),
    "a donor too quiet": ("mismatch", {}, MismatchEdit, quieter, "level above the own"),
    "own voice lost in the control": ("resplice", {}, RespliceEdit, quieter, "own sound kept"),
    "too much noise": ("white_noise", {"severity": 2}, WhiteNoiseEdit, louder, "SNR above the asked"),
}


@pytest.mark.parametrize("fault", SOUND_FAULTS)
def test_faults_of_sound_are_found(monkeypatch: pytest.MonkeyPatch, fixture_dataset: Dataset, fault: str) -> None:
    name, options, kind, change, check = SOUND_FAULTS[fault]
    assert failed(fixture_dataset, one(name, options=options)) == set()
    patched(monkeypatch, kind, change)
    assert check in failed(fixture_dataset, one(name, options=options))


def masking(fraction: float) -> Callable[[Apply], Apply]:
    def change(apply: Apply) -> Apply:
        def faulty(self: LipMaskEdit, faces: Sequence[UInt8Array], boxes: Any, lender: Any) -> Any:
            return apply(LipMaskEdit(version=1, fraction=fraction), faces, boxes, lender)

        return faulty

    return change


def in_place(apply: Apply) -> Apply:
    def faulty(self: Any, faces: Sequence[UInt8Array], boxes: Any, lender: Any) -> Any:
        for face in faces:
            face[-3:] = 0
        return faces

    return faulty


def resized(apply: Apply) -> Apply:
    return lambda self, faces, boxes, lender: [face[1:] for face in apply(self, faces, boxes, lender)]


def fewer(apply: Apply) -> Apply:
    return lambda self, faces, boxes, lender: list(apply(self, faces, boxes, lender))[:-1]


FACE_FAULTS: dict[str, tuple[Callable[[Apply], Apply], str]] = {
    "too little": (masking(0.2), "black share of the face"),
    "too much": (masking(0.5), "pixels changed outside"),
    "in place": (in_place, "own media spoilt"),
    "another size": (resized, "crops of another size"),
    "a crop lost": (fewer, "crops missing or odd"),
}


@pytest.mark.parametrize("fault", FACE_FAULTS)
def test_faults_of_faces_are_found(monkeypatch: pytest.MonkeyPatch, fixture_dataset: Dataset, fault: str) -> None:
    change, check = FACE_FAULTS[fault]
    patched(monkeypatch, LipMaskEdit, change)
    assert check in failed(fixture_dataset, one("lip_mask"))


def leaking(edit_audio: Apply) -> Apply:
    def faulty(original: Int16Array, edits: Any, media: Any, lender: Any) -> Int16Array:
        changed: Int16Array = edit_audio(original, edits, media, lender)
        span = edits[0].span(original)
        changed[span[1] : span[1] + 5] += 7
        changed[max(span[0] - 5, 0) : span[0]] += 7
        return changed

    return faulty


def test_a_leak_out_of_the_span_is_found(monkeypatch: pytest.MonkeyPatch, fixture_dataset: Dataset) -> None:
    monkeypatch.setattr(auditing, "edit_audio", leaking(auditing.edit_audio))
    assert failed(fixture_dataset, one("mismatch", labels="negative")) == {"sound changed outside"}


def test_sound_of_another_length_is_found(monkeypatch: pytest.MonkeyPatch, fixture_dataset: Dataset) -> None:
    whole = auditing.edit_audio
    monkeypatch.setattr(auditing, "edit_audio", lambda *given: whole(*given)[:-3])
    assert failed(fixture_dataset, one("silence")) == {"length"}


def test_the_other_modality_is_watched(monkeypatch: pytest.MonkeyPatch, fixture_dataset: Dataset) -> None:
    both = Condition("it", "joint", options={"parts": [{"perturbation": "silence"}, {"perturbation": "face_mask"}]})
    suite = Suite("test", 1, SEED, "", (CLEAN, both), "")
    whole = plan(fixture_dataset.tracks, suite)
    for name, check in (("silence", "faces changed"), ("lip_mask", "sound changed")):
        disguised = [
            type(each)(Condition("it", name), each.decisions) if each.decisions else each for each in whole.conditions
        ]
        found = audit(
            type(whole)(tuple(disguised), ""), fixture_dataset.tracks, LendingTracks(fixture_dataset.tracks), 2, SEED
        )
        assert check in {row.check for row in found.failed}


def test_another_share_than_asked_is_found(fixture_dataset: Dataset) -> None:
    suite = Suite("test", 1, SEED, "", (CLEAN, one("mismatch", labels="negative", proportion=0.0)), "")
    whole = plan(fixture_dataset.tracks, suite)
    claimed = type(whole.conditions[1])(one("mismatch", labels="negative"), whole.conditions[1].decisions)
    disguised = type(whole)((whole.conditions[0], claimed), "")
    found = audit(disguised, fixture_dataset.tracks, LendingTracks(fixture_dataset.tracks), 2, SEED)
    assert {row.check for row in found.failed} == {"targets changed"}


def test_a_severity_that_is_milder_than_the_one_before_is_found(
    monkeypatch: pytest.MonkeyPatch, fixture_dataset: Dataset
) -> None:
    grades = [
        Condition(f"white_noise@s{severity}", "white_noise", options={"severity": severity}) for severity in (1, 2, 3)
    ]
    assert audited(fixture_dataset, *grades).failed == ()

    def confused(apply: Apply) -> Apply:
        def faulty(self: WhiteNoiseEdit, *rest: Any) -> Any:
            return apply(WhiteNoiseEdit(version=1, seed=self.seed, snr_db=15.0 - self.snr_db), *rest)

        return faulty

    patched(monkeypatch, WhiteNoiseEdit, confused)
    found = {(row.condition, row.check) for row in audited(fixture_dataset, *grades).failed}
    assert {(f"white_noise@s{severity}", "difference against the milder one") for severity in (2, 3)} <= found


def test_the_error_names_condition_measure_and_track(monkeypatch: pytest.MonkeyPatch, fixture_dataset: Dataset) -> None:
    patched(monkeypatch, SilenceEdit, residue)
    found = audited(fixture_dataset, one("silence"))
    with pytest.raises(AuditError, match=r"condition 'it' .*energy left .* RMS, wanted 0 \(first at .+/.+\)") as caught:
        found.require()
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 1


# --- what may be odd in the data ---------------------------------------------------------------------------------


def test_one_donor_with_the_same_sound_is_no_fault(monkeypatch: pytest.MonkeyPatch, fixture_dataset: Dataset) -> None:
    seen = []

    def once(apply: Apply) -> Apply:
        def faulty(self: Any, original: Int16Array, media: Any, lender: Any) -> Int16Array:
            seen.append(self)
            changed: Int16Array = original.copy() if len(seen) == 1 else apply(self, original, media, lender)
            return changed

        return faulty

    patched(monkeypatch, MismatchEdit, once)
    found = audited(fixture_dataset, one("mismatch", options={"scope": "track"}), sample=6)
    row = next(row for row in found.rows if row.check == "likeness to the own sound")
    assert (row.ok, row.highest) == (True, pytest.approx(1))
    assert row.where
