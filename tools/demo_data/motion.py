"""How a head moves: noise with a memory for head and gaze, blinks, and what faces do that do not speak."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from tools.demo_data.head import Pose
from tools.demo_data.mouth import SHAPES
from tools.demo_data.person import Person

Activity = Literal["speak", "idle", "chew", "smile"]

_PAIRED = {  # mouth shapes with a face unit on either side
    "press": "mouthPress", "stretch": "mouthStretch", "smile": "mouthSmile", "lower_down": "mouthLowerDown",
    "upper_up": "mouthUpperUp",
}  # fmt: skip
_SINGLE = {
    "jaw": "jawOpen", "close": "mouthClose", "funnel": "mouthFunnel", "pucker": "mouthPucker",
    "roll_lower": "mouthRollLower", "roll_upper": "mouthRollUpper", "tongue_up": "tongueUp", "tongue_out": "tongueOut",
}  # fmt: skip
_BLINK = (0.5, 1.0, 0.95, 0.6, 0.2)


def wander(
    rng: np.random.Generator, count: int, spread: float, seconds: float, fps: float, smooth: float = 0.12
) -> NDArray[np.float64]:
    """Return an Ornstein-Uhlenbeck path ``[count]`` of this spread and correlation time, low-passed."""
    warm_up = 50
    decay = np.exp(-1 / (fps * seconds))
    path = np.zeros(count + warm_up)
    steps = rng.normal(0, np.sqrt(1 - decay**2), len(path))
    for i in range(1, len(path)):
        path[i] = decay * path[i - 1] + steps[i]
    smoothed: NDArray[np.float64] = gaussian_filter1d(path, smooth * fps)[warm_up:] * spread
    return smoothed


@dataclass(frozen=True)
class Performance:
    """All frames of one face: face unit weights by name, and head and gaze angles in radians, each ``[frames]``."""

    units: dict[str, NDArray[np.float64]]
    yaw: NDArray[np.float64]
    pitch: NDArray[np.float64]
    roll: NDArray[np.float64]
    gaze: NDArray[np.float64]

    def poses(self) -> Iterator[Pose]:
        """Yield one pose per frame."""
        for i in range(len(self.yaw)):
            weights = {name: float(path[i]) for name, path in self.units.items()}
            gaze = (float(self.gaze[i, 0]), float(self.gaze[i, 1]))
            yield Pose(weights, float(self.yaw[i]), float(self.pitch[i]), float(self.roll[i]), gaze)


def perform(
    rng: np.random.Generator,
    person: Person,
    activity: Activity,
    mouth: NDArray[np.float64],
    speaking: NDArray[np.bool_],
    fps: float,
) -> Performance:
    """Let a person act.

    Args:
        rng: Source of chance.
        person: Who.
        activity: What the face does besides what ``mouth`` says.
        mouth: ``[frames, len(SHAPES)]`` mouth shapes of speech; zeros where the face is silent.
        speaking: ``[frames]``; who speaks moves the head more.
        fps: Frames per second.
    """
    count = len(mouth)
    lively = rng.uniform(0.6, 1.4)
    talk = gaussian_filter1d(speaking.astype(float), 3)

    def turn(offset: float, slow: tuple[float, float], fast: tuple[float, float]) -> NDArray[np.float64]:
        path = offset + wander(rng, count, slow[0] * lively, slow[1], fps)
        return path + talk * wander(rng, count, fast[0], fast[1], fps)

    yaw = turn(rng.normal(0, 0.2), (0.10, 1.2), (0.06, 0.35))
    pitch = turn(rng.normal(0, 0.07), (0.055, 0.9), (0.045, 0.3))
    roll = turn(rng.normal(0, 0.04), (0.035, 1.2), (0.025, 0.35))
    units = _mouth_units(mouth)
    _add_upper_face(rng, person, units, count, fps)
    if activity == "chew":
        _chew(rng, units, count, fps)
    elif activity == "smile":
        _smile(rng, units, count, fps)
    saccades = np.repeat(rng.normal(0, (0.12, 0.05), (count // 12 + 2, 2)), 12, axis=0)[:count]
    saccades[:, 0] -= 0.4 * yaw  # eyes stay with what they look at while the head turns
    return Performance(units, yaw, pitch, roll, saccades)


def _mouth_units(mouth: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    units = {unit: mouth[:, SHAPES.index(shape)].copy() for shape, unit in _SINGLE.items()}
    for shape, unit in _PAIRED.items():
        for side in ("Left", "Right"):
            units[unit + side] = mouth[:, SHAPES.index(shape)].copy()
    return units


def _add(units: dict[str, NDArray[np.float64]], name: str, path: NDArray[np.float64], *, paired: bool = True) -> None:
    for side in ("Left", "Right") if paired else ("",):
        units[name + side] = units.get(name + side, 0) + path


def _add_upper_face(
    rng: np.random.Generator, person: Person, units: dict[str, NDArray[np.float64]], count: int, fps: float
) -> None:
    blink = np.zeros(count + len(_BLINK))
    moment = rng.uniform(0.5, 2.5)
    while moment * fps < count:
        span = slice(int(moment * fps), int(moment * fps) + len(_BLINK))
        blink[span] = np.maximum(blink[span], _BLINK)
        moment += 0.6 + rng.exponential(2.6)
    brows, outer = wander(rng, count, 0.35, 1.5, fps), wander(rng, count, 0.25, 2.0, fps)
    smile = np.clip(person.resting_smile + wander(rng, count, 0.07, 2.5, fps), -0.1, 0.6)
    press = np.clip(wander(rng, count, 0.06, 1.2, fps), 0, 1) * (rng.random() < 0.6)
    _add(units, "eyeBlink", blink[:count])
    _add(units, "eyeSquint", 0.1 + 0.3 * np.maximum(0, smile))
    _add(units, "browOuterUp", np.maximum(0, outer))
    _add(units, "browDown", np.maximum(0, -brows))
    _add(units, "browInnerUp", np.maximum(0, brows), paired=False)
    _add(units, "mouthSmile", np.maximum(0, smile))
    _add(units, "mouthFrown", np.maximum(0, -smile))
    _add(units, "mouthPress", press)


def _chew(rng: np.random.Generator, units: dict[str, NDArray[np.float64]], count: int, fps: float) -> None:
    """Chew with closed lips, with a rest after every few bites."""
    phase = 2 * np.pi * rng.uniform(1.0, 1.7) * np.arange(count) / fps + rng.uniform(0, 6)
    rhythm = np.repeat(np.where(np.arange(count // 60 + 1) % 3 == 2, 0.15, 1.0), 60)[:count]
    active = gaussian_filter1d(rhythm, 3)
    bite = (0.5 - 0.5 * np.cos(phase)) * active
    _add(units, "jawOpen", 0.28 * bite, paired=False)
    _add(units, "mouthClose", 0.30 * bite, paired=False)
    _add(units, "jawLeft", 0.35 * active * np.sin(phase), paired=False)
    _add(units, "cheekPuff", 0.2 * bite, paired=False)
    _add(units, "mouthPress", np.full(count, 0.25))


def _smile(rng: np.random.Generator, units: dict[str, NDArray[np.float64]], count: int, fps: float) -> None:
    """Smile broadly now and then; at its height, laugh without a sound."""
    amount = 0.5 + 0.5 * np.sin(2 * np.pi * np.arange(count) / (3.6 * fps) + rng.uniform(0, 6))
    laugh = np.where(amount > 0.7, np.sin(1.5 * np.arange(count) * 25 / fps), 0)
    _add(units, "mouthSmile", 0.75 * amount)
    _add(units, "cheekSquint", 0.5 * amount)
    _add(units, "mouthUpperUp", 0.25 * amount)
    _add(units, "mouthLowerDown", 0.15 * amount)
    _add(units, "jawOpen", 0.10 * amount * (1 + 0.4 * laugh), paired=False)
