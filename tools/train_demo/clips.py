"""Training clips: tracks held in memory, windows drawn from them, changed a little each time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from asdbench.adapters.torch_adapter import resized_crops
from asdbench.errors import DataError
from asdbench.features import mfcc_for_frames
from asdbench.training.augment import to_int16, toned, warped, with_offset, with_sound
from asdbench.types import SAMPLE_RATE, Int16Array, Track, UInt8Array

FACE_SIZE = 56
"""Side of the faces that the demo checkpoints read, in pixels."""

FPS = 25.0
"""Frame rate of the demo data; 640 samples and exactly four MFCC rows for each frame."""

_SAMPLES = round(SAMPLE_RATE / FPS)
_LAST_ROW = 240  # samples that the last MFCC row of a frame reaches into the next


@dataclass(frozen=True)
class Example:
    """One track in memory: ``[T, 56, 56]`` uint8, its int16 sound, ``[T]`` labels."""

    track: Track
    faces: UInt8Array
    audio: Int16Array
    labels: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.labels)

    def mfcc(self) -> Tensor:
        """Return ``[4T, 13]``, as the adapter computes it."""
        return torch.from_numpy(mfcc_for_frames(self.audio, len(self), FPS))


@dataclass(frozen=True)
class Batch:
    """B clips of T frames.

    Attributes:
        mfcc: ``[B, 4S, 13]``: the sound of the clip and of the time around it, S >= T frames.
        faces: ``[B, T, 56, 56]`` float32, 0..255; or what the visual encoder makes of them, ``[B, T, 128]``.
        labels: ``[B, T]`` int64.
        offsets: ``[B]``: the frame of the sound at which the clip begins.
    """

    mfcc: Tensor
    faces: Tensor
    labels: Tensor
    offsets: Tensor


def load_examples(tracks: Iterable[Track]) -> list[Example]:
    """Decode tracks, faces reduced to 56 x 56.

    Raises:
        DataError: A track that is broken, or not at 25 frames per second.
    """
    examples = []
    for track in tracks:
        if abs(track.fps - FPS) > 0.01:
            raise DataError(f"{track.video_id}: {track.fps:g} frames per second; the demo trains at {FPS:g} only.")
        faces = resized_crops(track.media.faces(), FACE_SIZE)
        examples.append(Example(track, faces, track.media.audio(), track.labels))
    return examples


@dataclass(frozen=True)
class Shape:
    """Shape of a batch.

    Attributes:
        clips: B.
        frames: T.
        around: Frames of sound on each side of a clip.
        speaking: Chance that the frame around which a clip is drawn is a speaking one.
    """

    clips: int
    frames: int
    around: int
    speaking: float = 0.5

    @property
    def sound(self) -> int:
        """S: frames of sound per clip."""
        return self.frames + 2 * self.around


class ClipSampler:
    """Draws batches: each clip holds a frame that is speaking, or one that is not, with the chance of the shape.

    Args:
        examples: All tracks at least ``shape.sound`` frames long take part.
        shape: Of each batch.
        rng: Makes every choice.
        embedded: ``[T, 128]`` per example, to be given in place of its faces.

    Raises:
        DataError: No track is long enough, or there is no speaking or no other frame.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        shape: Shape,
        rng: np.random.Generator,
        embedded: Sequence[Tensor] | None = None,
    ) -> None:
        kept = [index for index, example in enumerate(examples) if len(example) >= shape.sound]
        self._examples = [examples[index] for index in kept]
        self.embedded = None if embedded is None else [embedded[index] for index in kept]
        self._shape = shape
        self._rng = rng
        self._frames = tuple(
            np.array([(i, t) for i, e in enumerate(self._examples) for t in np.flatnonzero(e.labels == label)])
            for label in (0, 1)
        )
        if not all(map(len, self._frames)):
            raise DataError(
                f"among {len(examples)} tracks, {len(self._examples)} have the {shape.sound} frames that a clip and "
                "the sound around it need; they must hold speaking and other frames."
            )

        self._spread = np.concatenate([example.mfcc().numpy() for example in self._examples[::6]]).std(axis=0)

    def draw(self) -> Batch:
        """Return the next batch, augmented."""
        clips = [self._clip() for _ in range(self._shape.clips)]
        mfcc, faces, labels, offsets = zip(*clips, strict=True)
        return Batch(
            torch.from_numpy(np.stack(mfcc)),
            torch.stack(faces),
            torch.from_numpy(np.stack(labels).astype(np.int64)),
            torch.tensor(offsets),
        )

    def _clip(self) -> tuple[NDArray[np.float32], Tensor, NDArray[np.int8], int]:
        rows = self._frames[int(self._rng.random() < self._shape.speaking)]
        index, frame = rows[self._rng.integers(len(rows))]
        example, length = self._examples[index], self._shape.frames
        first = int(np.clip(frame - self._rng.integers(length), 0, len(example) - length))
        heard = int(np.clip(first - self._shape.around, 0, len(example) - self._shape.sound))
        sound = noisy(self._sound(index, heard), self._other_sound(index), self._rng)
        mfcc = coloured(mfcc_for_frames(sound, self._shape.sound, FPS), self._spread, self._rng)
        span = slice(first, first + length)
        if self.embedded is not None:
            return mfcc, self.embedded[index][span], example.labels[span], first - heard
        faces = torch.from_numpy(moved(example.faces[span], self._rng)).float()
        return mfcc, faces, example.labels[span], first - heard

    def _sound(self, index: int, first: int) -> Int16Array:
        return self._examples[index].audio[first * _SAMPLES : (first + self._shape.sound) * _SAMPLES + _LAST_ROW]

    def _other_sound(self, index: int) -> Int16Array:
        other = (index + self._rng.integers(1, max(2, len(self._examples)))) % len(self._examples)
        return self._sound(other, int(self._rng.integers(len(self._examples[other]) - self._shape.sound + 1)))


def noisy(sound: Int16Array, other: Int16Array, rng: np.random.Generator) -> Int16Array:
    """Change the level by up to 6 dB; one time in three each, add another track's sound and white noise.

    The other sound is TalkNet's negative audio augmentation: labels stay, as the face still speaks or still does not.
    """
    mixed = sound.astype(np.float64) * 10 ** (rng.uniform(-6, 6) / 20)
    length = min(len(sound), len(other))
    for added in (other[:length], rng.standard_normal(length)):
        ratio_db, wanted = rng.uniform(5, 20), rng.random() < 1 / 3
        if wanted:
            mixed = with_sound(mixed, added, ratio_db)
    return to_int16(mixed)


def coloured(mfcc: NDArray[np.float32], spread: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Add a constant to each coefficient ``[rows, 13]``, as another channel or throat would; least to the loudness.

    Voices can then be told apart less easily, and a network cannot remember which voice goes with which face.
    """
    offset = rng.normal(0, 1, len(spread)) * spread
    offset[0] *= 0.3
    return with_offset(mfcc, offset)


def moved(faces: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    """Change a clip's faces ``[T, 56, 56]`` alike: mirror, shift, turn, scale, brightness, contrast."""
    side = faces.shape[1]
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2,) * 2, rng.uniform(-8, 8), rng.uniform(0.92, 1.12))
    matrix[:, 2] += rng.uniform(-3, 3, 2)
    contrast, brightness, mirror = rng.uniform(0.75, 1.25), rng.uniform(-20, 20), rng.random() < 0.5
    pictures = warped(faces[:, :, ::-1] if mirror else faces, matrix)
    return toned(pictures, contrast, brightness)
