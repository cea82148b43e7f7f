"""Film a scene: heads side by side before one camera, and a box around each face."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from tools.demo_data.assets import Assets
from tools.demo_data.head import Camera, Head, Landmarks, draw_light
from tools.demo_data.motion import perform, wander
from tools.demo_data.mouth import SHAPES, frame_shapes, mouth_shapes
from tools.demo_data.person import Person, draw_person
from tools.demo_data.script import FPS, SECONDS, Role, Scene
from tools.demo_data.speech import speaking_intervals

SEAT_WIDTH, HEIGHT = 176, 208
_SUPERSAMPLING = 2
_FACE = 70  # pixels from the eyes' centre to the chin
_BOX = 1.5  # side of a face box, in the same distance
_BOTTOM = 0.88  # how far below the eyes a box ends, in that distance with the mouth open: tight, as AVA's boxes are


@dataclass(frozen=True)
class Film:
    """Frames ``[T, H, W, 3]`` uint8 (blue, green, red); boxes ``[faces, T, 4]``: left, top, right, bottom in pixels."""

    frames: NDArray[np.uint8]
    boxes: NDArray[np.float64]


def speaks(role: Role) -> NDArray[np.bool_]:
    """Return in which frames a role's lips speak, ``[T]``."""
    times = (np.arange(round(SECONDS * FPS)) + 0.5) / FPS
    spoken = np.zeros(len(times), bool)
    for start, end in speaking_intervals(role.lips.phonemes) if role.lips else ():
        spoken |= (times >= start) & (times <= end)
    return spoken


def shoot(scene: Scene, assets: Assets, rng: np.random.Generator) -> Film:
    """Render a scene."""
    count = round(SECONDS * FPS)
    heads = [Head(assets, draw_person(rng, assets, role.sex)) for role in scene.roles]
    performances = [_performance(rng, role, head.person) for role, head in zip(scene.roles, heads, strict=True)]
    light, background = draw_light(rng), _background(rng, len(heads))
    zoom = [rng.normal(1, 0.04) * (1 + wander(rng, count, 0.012, 0.6, FPS)) for _ in heads]
    distance = rng.uniform(6, 14)
    sway = 0.02 + 0.10 * scene.shake  # of the distance from eyes to chin
    shake = np.stack([wander(rng, count, sway, 0.15 if scene.shake else 0.6, FPS, 0.04) for _ in "xy"], axis=1) * _FACE
    poses = [list(performance.poses()) for performance in performances]
    frames = np.empty((count, HEIGHT, SEAT_WIDTH * len(heads), 3), np.uint8)
    marks: list[list[Landmarks]] = [[] for _ in heads]
    finish = _Finish(rng, scene.shake > 0)
    for i in range(count):
        picture = _moved(background, shake[i])
        for seat, head in enumerate(heads):
            camera = _camera(head.person, seat, shake[i], float(zoom[seat][i]), distance)
            marks[seat].append(head.draw(picture, poses[seat][i], light, camera))
        frames[i] = finish(picture, shake[i] - shake[max(0, i - 1)])
    return Film(frames, np.stack([_boxes(rng, landmarks, scene.shake, frames.shape[1:3]) for landmarks in marks]))


def _performance(rng: np.random.Generator, role: Role, person: Person):  # type: ignore[no-untyped-def]
    count = round(SECONDS * FPS)
    mouth = np.zeros((count, len(SHAPES)))
    if role.lips:
        shapes = mouth_shapes(role.lips.phonemes, role.lips.audio, SECONDS, person.articulation)
        mouth = frame_shapes(shapes, count, FPS)
    return perform(rng, person, role.activity, mouth, speaks(role), FPS)


def _camera(person: Person, seat: int, shake: NDArray[np.float64], zoom: float, distance: float) -> Camera:
    x = (seat + 0.5) * SEAT_WIDTH + shake[0]
    y = 0.51 * HEIGHT + shake[1]
    pixels = _FACE * zoom / person.scale
    return Camera((x * _SUPERSAMPLING, y * _SUPERSAMPLING), pixels * _SUPERSAMPLING, distance)


def _background(rng: np.random.Generator, seats: int) -> NDArray[np.float32]:
    """Return a blurred room with a margin for the camera's shake."""
    height, width = HEIGHT * _SUPERSAMPLING, SEAT_WIDTH * seats * _SUPERSAMPLING
    margin = height // 4
    tone = rng.uniform(25, 200)
    room = np.full((height + 2 * margin, width + 2 * margin, 3), tone, np.float32)
    for _ in range(rng.integers(3, 10) * seats):
        corner = rng.integers(0, (width + margin, height + margin))
        size = rng.integers(height // 8, height, 2)
        colour = np.clip(tone + rng.normal(0, 40) + rng.normal(0, 12, 3), 0, 255)
        cv2.rectangle(room, corner.tolist(), (corner + size).tolist(), colour.tolist(), -1)
    room = cv2.GaussianBlur(room, (0, 0), rng.uniform(2, height / 25))
    grain = cv2.GaussianBlur(rng.normal(0, 1, room.shape).astype(np.float32), (0, 0), 2)
    return np.clip(room + 8 * grain, 0, 255)


def _moved(background: NDArray[np.float32], shake: NDArray[np.float64]) -> NDArray[np.float32]:
    height = HEIGHT * _SUPERSAMPLING
    margin = height // 4
    x, y = (margin - np.clip(np.round(shake * _SUPERSAMPLING), -margin, margin)).astype(int)
    width = background.shape[1] - 2 * margin
    return background[y : y + height, x : x + width].copy()


class _Finish:
    """What lens and sensor do to a picture; one setting for a whole video."""

    def __init__(self, rng: np.random.Generator, egocentric: bool) -> None:
        self.rng, self.egocentric = rng, egocentric
        self.blur = rng.uniform(0, 0.9) + (0.3 if egocentric else 0)
        self.noise = rng.uniform(0, 3.5)

    def __call__(self, picture: NDArray[np.float32], step: NDArray[np.float64]) -> NDArray[np.uint8]:
        size = (picture.shape[1] // _SUPERSAMPLING, picture.shape[0] // _SUPERSAMPLING)
        small = cv2.resize(np.clip(picture, 0, 255), size, interpolation=cv2.INTER_AREA)
        if self.egocentric and np.hypot(*step) > 1:
            small = cv2.filter2D(small, -1, _motion_kernel(step))
        if self.blur > 0.3:
            small = cv2.GaussianBlur(small, (0, 0), self.blur)
        grain = self.rng.normal(0, self.noise, small.shape[:2])[..., None]
        return np.round(np.clip(small + grain, 0, 255)).astype(np.uint8)


def _motion_kernel(step: NDArray[np.float64]) -> NDArray[np.float32]:
    kernel = np.zeros((9, 9), np.float32)
    reach = np.clip(step / 2, -4, 4)
    start, end = (np.round(4 + sign * reach).astype(int).tolist() for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0)
    return kernel / kernel.sum()


def _boxes(
    rng: np.random.Generator, landmarks: list[Landmarks], shake: float, shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return a square box per frame ``[T, 4]``, from forehead to chin, as a face detector and tracker would give.

    The size follows the lowest chin of the last and next frames, so that no mouth leaves its box and the box does not
    beat time with the mouth.
    """
    eyes, chin = (np.stack([getattr(mark, name) for mark in landmarks]) / _SUPERSAMPLING for name in ("eyes", "chin"))
    reach = gaussian_filter1d(maximum_filter1d(np.linalg.norm(chin - eyes, axis=1), 15), 4)
    # Upright faces: the middle lies below the eyes, tilted as little as a detector's box would be.
    middle = gaussian_filter1d(0.5 * eyes + 0.5 * chin, 3, axis=0)
    middle[:, 1] = gaussian_filter1d(eyes[:, 1], 3) + reach * (_BOTTOM - _BOX / 2)
    count = len(landmarks)
    jitter = np.stack([wander(rng, count, 0.014, 0.5, FPS) for _ in "xy"], axis=1)
    if shake:
        jitter += np.stack([wander(rng, count, 0.035 * shake, 0.15, FPS, 0.04) for _ in "xy"], axis=1)
    half = 0.5 * _BOX * reach * (1 + wander(rng, count, 0.012, 0.6, FPS))
    middle += jitter * _BOX * reach[:, None]
    boxes = np.concatenate([middle - half[:, None], middle + half[:, None]], axis=1)
    height, width = shape
    return np.clip(boxes, 0, (width, height, width, height))
