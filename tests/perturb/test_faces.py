"""What holds of every perturbation of faces."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.errors import UsageError
from asdbench.perturb.catalogue import PERTURBATIONS
from asdbench.perturb.edits import FaceEdit, digest, edit_faces
from asdbench.types import Dataset, UInt8Array
from tests.perturb.seen import CORRUPTIONS, HOLDING, MASKS, NOBODY, edit, loss, pattern, track

ALL = (*MASKS, "freeze", *CORRUPTIONS)
SEVERITIES = (1, 2, 3, 4, 5)
INEXACT = {"lip_blur", "defocus", "low_resolution", "jpeg", "h264"}

# A face in the middle of a larger crop.
INNER = (0.25, 0.2, 0.75, 0.8)


def all_equal(faces: list[UInt8Array], others: list[UInt8Array]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(faces, others, strict=True))


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=12)
@given(sizes=st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=1, max_size=6), inner=st.booleans())
def test_crops_of_any_size_stay_as_many_and_as_large(name: str, sizes: list[tuple[int, int]], inner: bool) -> None:
    faces = [pattern(*size, number) for number, size in enumerate(sizes)]
    before = [face.copy() for face in faces]
    boxes = np.tile(np.array(INNER, np.float32), (len(faces), 1)) if inner else None
    made = edit(name, track(len(faces)))
    edited = list(edit_faces(faces, [made], NOBODY, boxes))
    assert all_equal(faces, before)
    assert [face.dtype for face in edited] == [np.uint8] * len(faces)
    if name in HOLDING:  # whole crops, as they were cut
        assert all(any(face is given for given in faces) for face in edited)
    else:
        assert [face.shape for face in edited] == sizes
    again = msgspec.json.decode(msgspec.json.encode(made), type=type(made))
    assert again == made
    assert all_equal(edited, list(edit_faces(before, [again], NOBODY, boxes)))


@pytest.mark.parametrize("name", ALL)
def test_one_pixel(name: str) -> None:
    for severity in SEVERITIES if name in CORRUPTIONS else (None,):
        options = {} if severity is None else {"severity": severity}
        (face,) = edit_faces([np.array([[100]], np.uint8)], [edit(name, track(1), **options)], NOBODY)
        assert (face.shape, face.dtype) == ((1, 1), np.uint8)


@pytest.mark.parametrize("name", ALL)
def test_read_only_crops_of_a_view_will_do(name: str) -> None:
    faces = [pattern(40, 60, number)[3:-2, ::2] for number in range(3)]
    for face in faces:
        face.flags.writeable = False
    plain = [face.copy() for face in faces]
    made = edit(name, track(3))
    assert all_equal(list(edit_faces(faces, [made], NOBODY)), list(edit_faces(plain, [made], NOBODY)))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_severity_stands_for_an_amount_that_may_be_given(name: str) -> None:
    target = track()
    options = PERTURBATIONS[name].options
    (given,) = set(options.__struct_fields__) - {"severity", "scope", "period_s"}
    if name == "exposure":
        assert edit(name, target, stops=-3.0).gain == pytest.approx(2 ** (-3 / 2.2), abs=1e-4)  # type: ignore[attr-defined]
        return
    amounts = [getattr(edit(name, target, severity=severity), given) for severity in SEVERITIES]
    assert amounts in (sorted(set(amounts)), sorted(set(amounts), reverse=True))
    assert edit(name, target, **{given: amounts[4]}) == edit(name, target, severity=5)
    assert edit(name, target) == edit(name, target, severity=3)
    for wrong in (0, 6):
        with pytest.raises(UsageError, match="severity"):
            edit(name, target, severity=wrong)


@pytest.mark.parametrize("name", [*ALL, "replace_faces"])
def test_inexact_edits_and_no_others_name_what_they_are_made_with(name: str) -> None:
    assert PERTURBATIONS[name].exact == (name not in INEXACT)
    if name != "replace_faces":
        assert hasattr(edit(name, track()), "made_with") == (name in INEXACT)


@pytest.mark.parametrize("name", ALL)
def test_scope_is_in_the_edit_and_its_digest(name: str) -> None:
    here, scene = edit(name, track()), edit(name, track(), scope="scene")
    assert (here.scene, scene.scene) == (False, True)
    assert digest([here]) != digest([scene])
    assert msgspec.structs.replace(scene, scene=False) == here
    with pytest.raises(UsageError, match="scope"):
        edit(name, track(), scope="run")


CHOSEN = ("gaussian_noise", "motion_blur", "occlusion", "hand", "crop_jitter", "off_centre", "frame_drop")


@pytest.mark.parametrize("name", CHOSEN)
def test_choices_depend_on_seed_and_track_but_not_on_severity(name: str) -> None:
    def chosen(made: FaceEdit) -> object:
        return getattr(made, "seed", None) or made.way  # type: ignore[attr-defined]

    made = chosen(edit(name, track()))
    assert made == chosen(edit(name, track(), severity=1))
    assert made != chosen(edit(name, track(), seed=2))
    assert made != chosen(edit(name, track(name="v:1")))


@pytest.mark.parametrize("name", ["gaussian_noise", "occlusion", "hand", "crop_jitter"])
def test_a_face_beside_the_target_has_noise_of_its_own(name: str) -> None:
    faces = [pattern(50, 50)] * 8
    made = edit(name, track(8))
    one, other = (list(edit_faces(faces, [made.beside(who)], NOBODY)) for who in ("a", "b"))
    assert not all_equal(one, other)
    assert not all_equal(one, list(edit_faces(faces, [made], NOBODY)))


# --- on faces of the demo data ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(demo_faces: list[list[UInt8Array]]) -> list[list[UInt8Array]]:
    return [faces[20:60] for faces in demo_faces]


@pytest.mark.parametrize("name", sorted({*CORRUPTIONS} - {*HOLDING, "off_centre"}))
def test_severities_hurt_real_faces_more_and_more(name: str, real: list[list[UInt8Array]]) -> None:
    for number, faces in enumerate(real):
        target = track(len(faces), f"v:{number}")
        lost = [loss(edit_faces(faces, [edit(name, target, severity=s)], NOBODY), faces) for s in SEVERITIES]
        assert lost[0] > 2
        assert lost == sorted(set(lost)), name
        # Something of the face is left: a picture without any would lose all of its variance, and more.
        if name not in ("gaussian_noise", "crop_jitter", "exposure"):
            assert lost[4] < 1.5 * np.mean([face.var() for face in faces]), lost


def resized(faces: list[UInt8Array], size: int) -> list[UInt8Array]:
    import cv2

    return [np.asarray(cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA)) for face in faces]


LIKE = sorted(
    {*CORRUPTIONS, "lip_blur"} - set(HOLDING) - {"jpeg", "h264", "gaussian_noise", "low_resolution", "pixelate"}
)


@pytest.mark.parametrize("name", LIKE)
def test_small_and_large_crops_are_hurt_alike(name: str, real: list[list[UInt8Array]]) -> None:
    import cv2

    faces = resized(real[0][:8], 120)
    small, large = resized(faces, 40), [np.asarray(cv2.resize(face, (480, 480))) for face in faces]
    made = edit(name, track(8))
    lost = [
        loss(resized(list(edit_faces(crops, [made], NOBODY)), 40), resized(crops, 40))
        for crops in (small, large)
    ]  # fmt: skip
    assert max(lost) < 1.6 * min(lost), lost


def test_grain_grows_with_the_face() -> None:
    flat = [np.full((480, 480), 128, np.uint8)]
    noisy = edit_faces(flat, [edit("gaussian_noise", track(1))], NOBODY)[0].astype(float)
    # What is left of the noise when a model shrinks the crop to 112 pixels.
    shrunk = resized([noisy.astype(np.uint8)], 112)[0]
    assert shrunk.std() > 0.8 * noisy.std()
    assert noisy.std() == pytest.approx(28, rel=0.05)


def test_the_suite_of_every_perturbation_runs_on_the_fixture(fixture_dataset: Dataset) -> None:
    target = fixture_dataset.tracks[0]
    faces = target.media.faces()
    changed = {name: edit_faces(faces, [edit(name, target)], NOBODY) for name in ALL}
    assert not [name for name, edited in changed.items() if all_equal(list(edited), faces)]
