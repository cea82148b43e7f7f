"""Clips changed a little each time: sound, its MFCC and faces; labels stay as they are.

Everything that is drawn comes from the generator that is passed in. What is off changes no bit.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from asdbench.errors import UsageError
from asdbench.training.recipe import Augment, Recipe
from asdbench.types import Float32Array, Int16Array, UInt8Array

_Float = NDArray[np.float64]

OtherSound = Callable[[np.random.Generator, int], Int16Array]
"""Draws so many samples of another track's sound; asked only where they are wanted."""

_LOUDNESS = 1 / 3  # of the others' change; the first coefficient is the log energy, which ``level`` changes
_SILENCE = 1e-9


def changes_sound(augment: Augment) -> bool:
    """Say whether any change to the samples is on."""
    return bool(augment.voice or augment.noise or augment.level)


def changes_faces(augment: Augment) -> bool:
    """Say whether any change to the faces is on."""
    plain = Augment()
    names = ("flip", "crop", "rotate", "scale", "shift", "contrast", "brightness")
    return any(getattr(augment, name) != getattr(plain, name) for name in names)


def check_augment(recipe: Recipe, sound: str) -> None:
    """Refuse what cannot be done.

    Args:
        recipe: Whose ``augment`` is meant.
        sound: What the network hears: ``mfcc``, ``mel`` or ``none``.

    Raises:
        UsageError: A range has its ends exchanged or reaches where it must not, or MFCC are to be changed that the
            network does not hear.
    """
    for name, least in (("voice_snr", -np.inf), ("noise_snr", -np.inf), ("scale", 1e-3), ("contrast", 0.0)):
        low, high = getattr(recipe.augment, name)
        if not least <= low <= high < np.inf:
            raise UsageError(
                f"recipe {recipe.name}: augment.{name} = [{low:g}, {high:g}]; expected the lowest and the highest"
                + (f", from {least:g} up." if least > -np.inf else ".")
            )
    if recipe.augment.colour and sound != "mfcc":
        raise UsageError(
            f"recipe {recipe.name}: augment.colour changes MFCC, which {recipe.model.architecture} does not hear; "
            "leave it out."
        )


def changed_sound(sound: Int16Array, augment: Augment, rng: np.random.Generator, other: OtherSound) -> Int16Array:
    """Change the level, add another track's sound, add white noise.

    The other sound is TalkNet's negative audio sampling (Tao et al., "Is Someone Speaking?", 2021, section 3.4): the
    face still speaks or still does not, so labels stay. All ratios are those of whole clips.

    Args:
        sound: ``[N]``.
        augment: Chances and ranges.
        rng: Makes every choice.
        other: See `OtherSound`.

    Returns:
        ``[N]``; what is too loud is cut off.
    """
    if not changes_sound(augment):
        return sound  # nothing is drawn, so that rows kept from an earlier epoch can stand for this call
    decibels = rng.uniform(-augment.level, augment.level)
    wanted = rng.random(2) < (augment.voice, augment.noise)
    ratios = rng.uniform(*augment.voice_snr), rng.uniform(*augment.noise_snr)
    if not (augment.level or wanted.any()):
        return sound
    mixed = sound * 10.0 ** (decibels / 20)
    if wanted[0]:
        mixed = with_sound(mixed, other(rng, len(sound)), ratios[0])
    if wanted[1]:
        mixed = with_sound(mixed, rng.standard_normal(len(sound)), ratios[1])
    return to_int16(mixed)


def with_sound(sound: _Float, added: NDArray[np.generic], ratio_db: float) -> _Float:
    """Add ``[M]`` to the first M of ``[N]`` samples, so much quieter than all of them; to silence add nothing."""
    mixed, extra = sound.copy(), added.astype(np.float64)
    mixed[: len(extra)] += extra * (level(sound) / max(level(extra), _SILENCE) * 10 ** (-ratio_db / 20))
    return mixed


def to_int16(sound: _Float) -> Int16Array:
    """Round to whole amplitudes; what is too loud is cut off."""
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def level(sound: NDArray[np.generic]) -> float:
    """Return the root of the mean square of ``[N]`` samples."""
    return float(np.sqrt(np.mean(sound.astype(np.float64) ** 2)))


def coloured(mfcc: Float32Array, spread: Float32Array, colour: float, rng: np.random.Generator) -> Float32Array:
    """Add a constant to each coefficient, as another channel or throat would; a third as much to the loudness.

    Voices can then be told apart less easily, and a network cannot remember which voice goes with which face.

    Args:
        mfcc: ``[rows, 13]``.
        spread: ``[13]``, their standard deviations in the data.
        colour: Deviation of the constants, in those.
        rng: Makes every choice.
    """
    if not colour:
        return mfcc
    offset = rng.normal(0, colour, len(spread)) * spread
    offset[0] *= _LOUDNESS
    return with_offset(mfcc, offset)


def with_offset(mfcc: Float32Array, offset: _Float) -> Float32Array:
    """Add ``[13]`` to each row of ``[rows, 13]``."""
    return (mfcc + offset).astype(np.float32)


def changed_faces(faces: UInt8Array, augment: Augment, rng: np.random.Generator) -> UInt8Array:
    """Change the faces of a clip, ``[T, side, side]``, all alike: mirror, turn, scale, shift, cut out, contrast."""
    side = faces.shape[1]
    mirror, angle = rng.random() < augment.flip, rng.uniform(-augment.rotate, augment.rotate)
    factor, move = rng.uniform(*augment.scale), rng.uniform(-augment.shift, augment.shift, 2) * side
    share = rng.uniform(augment.crop, 1)
    corner = rng.uniform(0, 1 - share, 2) * side
    contrast, brightness = rng.uniform(*augment.contrast), rng.uniform(-augment.brightness, augment.brightness)
    turn: _Float = np.array(cv2.getRotationMatrix2D(((side - 1) / 2,) * 2, angle, factor), np.float64)
    turn[:, 2] += move
    # A square cut out and resized: pixel centres lie at halves, as cv2.resize has them.
    turn /= share
    turn[:, 2] += (0.5 - corner) / share - 0.5
    pictures = faces[:, :, ::-1] if mirror else faces
    if not np.array_equal(turn, np.eye(2, 3)):
        pictures = warped(pictures, turn)
    if (contrast, brightness) != (1.0, 0.0):
        pictures = toned(pictures, contrast, brightness)
    return np.ascontiguousarray(pictures)


def warped(faces: UInt8Array, matrix: _Float) -> UInt8Array:
    """Move the pixels of ``[T, side, side]`` by an affine map ``[2, 3]``; the border goes on to the outside."""
    size = faces.shape[2], faces.shape[1]
    found = np.empty(faces.shape, np.uint8)
    for frame, picture in enumerate(faces):
        found[frame] = cv2.warpAffine(np.ascontiguousarray(picture), matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return found


def toned(faces: UInt8Array, contrast: float, brightness: float) -> UInt8Array:
    """Multiply the distance to middle gray (128), then add; what is too dark or too bright is cut off."""
    table = np.clip(np.rint((np.arange(256) - 128) * contrast + 128 + brightness), 0, 255).astype(np.uint8)
    changed: UInt8Array = table[faces]
    return changed
