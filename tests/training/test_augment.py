"""Changes to clips: as large as they say, nothing where they are off, the same for the same generator."""

from __future__ import annotations

import cv2
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.errors import UsageError
from asdbench.training.augment import (
    changed_faces,
    changed_sound,
    changes_faces,
    changes_sound,
    check_augment,
    coloured,
    level,
    warped,
    with_sound,
)
from asdbench.training.recipe import Augment
from asdbench.types import Int16Array, UInt8Array
from tests.training.made_tracks import made_recipe

RNG = np.random.default_rng(0)
SOUND = RNG.integers(-3000, 3000, 8000).astype(np.int16)
OTHER = RNG.integers(-300, 300, 8000).astype(np.int16)
FACES = cv2.GaussianBlur(RNG.integers(0, 256, (48, 48)).astype(np.uint8), (0, 0), 3)[None].repeat(5, 0)
EVERYTHING = Augment(
    voice=1,
    noise=1,
    level=6,
    flip=0.5,
    crop=0.7,
    rotate=15,
    scale=(0.9, 1.1),
    shift=0.05,
    contrast=(0.8, 1.2),
    brightness=20,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def other(_: np.random.Generator, samples: int) -> Int16Array:
    return OTHER[:samples]


def never(_: np.random.Generator, samples: int) -> Int16Array:
    raise AssertionError("asked for another track's sound")


def ratio_db(clean: Int16Array, mixed: Int16Array) -> float:
    return 20 * float(np.log10(level(clean) / level(mixed.astype(np.float64) - clean)))


def test_off_changes_no_bit_of_anything() -> None:
    assert changed_sound(SOUND, Augment(), rng(), never) is SOUND
    mfcc = RNG.normal(size=(8, 13)).astype(np.float32)
    assert coloured(mfcc, np.ones(13, np.float32), 0.0, rng()) is mfcc
    assert np.array_equal(changed_faces(FACES, Augment(), rng()), FACES)
    assert not changes_faces(Augment()) and not changes_sound(Augment())


@given(st.integers(0, 2**32), st.floats(-10, 20), st.floats(0, 10))
def test_another_voice_has_the_ratio_that_was_asked_for(seed: int, low: float, width: float) -> None:
    augment = Augment(voice=1.0, voice_snr=(low, low + width))
    found = changed_sound(SOUND, augment, rng(seed), other)
    assert found.dtype == np.int16 and len(found) == len(SOUND)
    assert low - 0.05 <= ratio_db(SOUND, found) <= low + width + 0.05
    added = found.astype(np.float64) - SOUND
    assert np.corrcoef(added, OTHER)[0, 1] > 0.99


def test_noise_is_white_and_as_loud_as_asked_for() -> None:
    found = changed_sound(SOUND, Augment(noise=1.0, noise_snr=(3.0, 3.0)), rng(1), never)
    assert ratio_db(SOUND, found) == pytest.approx(3.0, abs=0.05)
    power = np.abs(np.fft.rfft(found.astype(np.float64) - SOUND)) ** 2
    bands = [part.mean() for part in np.array_split(power, 4)]
    assert max(bands) / min(bands) < 1.2


def test_the_level_changes_evenly_in_decibels() -> None:
    found = [changed_sound(SOUND, Augment(level=6.0), rng(seed), never) for seed in range(400)]
    decibels = np.array([20 * np.log10(level(each) / level(SOUND)) for each in found])
    assert -6.01 < decibels.min() < -5.5 and 5.5 < decibels.max() < 6.01 and abs(decibels.mean()) < 0.5


def test_chances_are_kept() -> None:
    changed = [changed_sound(SOUND, Augment(voice=0.3), rng(seed), other) is not SOUND for seed in range(1000)]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.05)


def test_what_is_too_loud_is_cut_off_and_not_turned_over() -> None:
    loud = np.array([32767, -32768] * 4000, np.int16)
    found = changed_sound(loud, Augment(noise=1.0, noise_snr=(-5.0, -5.0)), rng(), never)
    assert found.max() == 32767 and found.min() == -32768
    assert np.array_equal(changed_sound(loud, Augment(level=6.0), rng(3), never)[:2] > 0, [True, False])


def test_silence_stays_silent_beside_silence_and_gains_nothing() -> None:
    silence = np.zeros(100)
    assert not with_sound(silence, OTHER[:100], 0.0).any()
    assert np.array_equal(with_sound(SOUND[:100].astype(np.float64), silence, 0.0), SOUND[:100])


def test_colour_is_one_constant_per_coefficient_and_a_third_for_the_loudness() -> None:
    mfcc, spread = RNG.normal(size=(20, 13)).astype(np.float32), np.linspace(1, 4, 13).astype(np.float32)
    offsets = []
    for seed in range(600):
        found = coloured(mfcc, spread, 0.5, rng(seed))
        assert found.dtype == np.float32
        offsets.append((found - mfcc).mean(0))
        assert np.ptp(found - mfcc, axis=0).max() < 1e-4
    wanted = 0.5 * spread * np.array([1 / 3] + [1.0] * 12)
    np.testing.assert_allclose(np.std(offsets, axis=0), wanted, rtol=0.12)


def test_a_mirrored_clip_is_mirrored_exactly_in_all_frames() -> None:
    faces = RNG.integers(0, 256, (6, 20, 20)).astype(np.uint8)
    assert np.array_equal(changed_faces(faces, Augment(flip=1.0), rng()), faces[:, :, ::-1])


@given(st.integers(0, 2**32), st.floats(0.5, 1.0))
def test_a_crop_is_a_square_cut_out_and_resized(seed: int, crop: float) -> None:
    """Compared with OpenCV's own resize where the cut falls onto whole pixels."""
    faces = FACES[:1]
    draw = rng(seed)
    draw.random(), draw.uniform(), draw.uniform(), draw.uniform(size=2)
    share = draw.uniform(crop, 1)
    left, top = draw.uniform(0, 1 - share, 2) * 48
    found = changed_faces(faces, Augment(crop=crop), rng(seed))[0].astype(int)
    grid = np.arange(48) * share + 0.5 * share - 0.5
    wanted = cv2.remap(
        faces[0],
        *np.meshgrid((grid + left).astype(np.float32), (grid + top).astype(np.float32)),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    assert np.abs(found - wanted).max() <= 3  # positions are rounded to 1/32 of a pixel


@pytest.mark.parametrize("augment", [Augment(rotate=15.0), Augment(scale=(1.2, 1.2)), Augment(shift=0.1)], ids=str)
def test_faces_move_as_far_as_asked_for_at_most(augment: Augment) -> None:
    """A bright spot is followed: its place says how the picture was turned, scaled and shifted."""
    picture = np.zeros((1, 65, 65), np.uint8)
    picture[0, 30:35, 44:49] = 255  # centre at 32, 46: fourteen to the right of the middle
    places = []
    for seed in range(60):
        found = changed_faces(picture, augment, rng(seed))[0].astype(float)
        rows, columns = np.indices(found.shape)
        places.append(((found * columns).sum() / found.sum() - 32, (found * rows).sum() / found.sum() - 32))
    x, y = np.array(places).T
    if augment.rotate:
        turned = np.degrees(np.arctan2(y, x))
        assert 12 < np.abs(turned).max() < 15.5 and abs(turned.mean()) < 4
    elif augment.shift:
        assert 5 < np.abs(x - 14).max() < 6.7 and 5 < np.abs(y).max() < 6.7
    else:
        assert np.abs(x - 16.8).max() < 0.2 and np.abs(y).max() < 0.2


def test_contrast_and_brightness_are_the_same_for_all_pixels() -> None:
    faces = np.arange(256, dtype=np.uint8).reshape(1, 16, 16).repeat(3, 0)
    found = changed_faces(faces, Augment(contrast=(0.5, 0.5)), rng())
    assert np.array_equal(found[0], found[2])
    assert found[0, 0, 0] == 64 and found[0, 8, 0] == 128 and found[0, 15, 15] == 192
    brighter = [changed_faces(faces, Augment(brightness=20.0), rng(seed)).astype(int) - faces for seed in range(50)]
    middle = np.array([each[0, 8, 0] for each in brighter])
    assert -20 <= middle.min() < -14 and 14 < middle.max() <= 20
    clipped = changed_faces(faces, Augment(contrast=(3.0, 3.0)), rng())
    assert clipped.min() == 0 and clipped.max() == 255 and (np.diff(clipped[0].ravel().astype(int)) >= 0).all()


def test_all_frames_of_a_clip_change_alike_and_keep_shape_and_type() -> None:
    for seed in range(20):
        found: UInt8Array = changed_faces(FACES, EVERYTHING, rng(seed))
        assert found.dtype == np.uint8 and found.shape == FACES.shape and found.flags.c_contiguous
        assert all(np.array_equal(found[0], frame) for frame in found)


def test_the_same_generator_gives_the_same_and_another_something_else() -> None:
    for change in (
        lambda seed: changed_sound(SOUND, EVERYTHING, rng(seed), other),
        lambda seed: changed_faces(FACES, EVERYTHING, rng(seed)),
        lambda seed: coloured(np.ones((4, 13), np.float32), np.ones(13, np.float32), 1.0, rng(seed)),
    ):
        assert np.array_equal(change(5), change(5))
        assert not np.array_equal(change(5), change(6))


def test_what_was_given_is_left_as_it_was() -> None:
    sound, faces = SOUND.copy(), FACES.copy()
    changed_sound(sound, EVERYTHING, rng(), other)
    changed_faces(faces, EVERYTHING, rng())
    warped(faces[:, :, ::-1], np.eye(2, 3))
    assert np.array_equal(sound, SOUND) and np.array_equal(faces, FACES)


SOUND_ONLY = {"voice", "voice_snr", "noise", "noise_snr", "level", "colour"}


@pytest.mark.parametrize("name", Augment.__struct_fields__)
def test_every_change_is_known_as_one_of_faces_or_of_sound(name: str) -> None:
    """A field that is added and not told apart would let faces be computed ahead that change."""
    value = {"crop": 0.5}.get(name, (0.3, 0.4) if isinstance(getattr(Augment(), name), tuple) else 0.5)
    augment = msgspec.structs.replace(Augment(), **{name: value})
    assert changes_faces(augment) == (name not in SOUND_ONLY)
    assert changes_sound(augment) == (name in {"voice", "noise", "level"})


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        (Augment(scale=(1.1, 0.9)), r"augment\.scale = \[1\.1, 0\.9\]"),
        (Augment(scale=(0.0, 1.0)), r"augment\.scale = \[0, 1\]"),
        (Augment(contrast=(-1.0, 1.0)), r"augment\.contrast"),
        (Augment(voice_snr=(5.0, -5.0)), r"augment\.voice_snr"),
        (Augment(noise_snr=(0.0, float("nan"))), r"augment\.noise_snr"),
    ],
)
def test_ranges_that_make_no_sense_are_refused(augment: Augment, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_augment(made_recipe(augment=augment), "mfcc")


def test_colour_is_refused_where_no_mfcc_are_heard() -> None:
    check_augment(made_recipe(augment=Augment(colour=1.0)), "mfcc")
    for sound in ("mel", "none"):
        with pytest.raises(UsageError, match="does not hear"):
            check_augment(made_recipe(augment=Augment(colour=1.0)), sound)
