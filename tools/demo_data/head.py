"""One person in front of a camera: pose the head, light it, draw it, and say where eyes, mouth and chin are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.demo_data.assets import Assets
from tools.demo_data.person import Person
from tools.demo_data.rasterise import CUT_OUT, OPAQUE, draw, vertex_normals

_NECK = np.array([0, -0.35, -0.7], np.float32)  # what the head turns about, seen from the eyes
_FAR = 1e9


class Light(NamedTuple):
    """A key light, a fill light, and what comes from everywhere."""

    key: NDArray[np.float32]
    key_colour: NDArray[np.float32]
    fill: NDArray[np.float32]
    fill_strength: float
    ambient: float


class Camera(NamedTuple):
    """Where a person stands: ``centre`` in picture pixels, ``pixels`` per decimetre, ``distance`` in decimetres."""

    centre: tuple[float, float]
    pixels: float
    distance: float


class Landmarks(NamedTuple):
    """Points of the picture in pixels, each ``[2]``."""

    eyes: NDArray[np.float32]
    mouth: NDArray[np.float32]
    chin: NDArray[np.float32]


@dataclass(frozen=True)
class Pose:
    """One frame of one head: face unit weights, turn of head and eyes in radians."""

    units: Mapping[str, float]
    yaw: float
    pitch: float
    roll: float
    gaze: tuple[float, float]


def draw_light(rng: np.random.Generator) -> Light:
    """Draw the light of a scene."""

    def direction(azimuth: float, elevation: float) -> NDArray[np.float32]:
        level = np.cos(elevation)
        return np.array([np.sin(azimuth) * level, np.sin(elevation), np.cos(azimuth) * level], np.float32)

    strength = rng.uniform(0.4, 0.9)
    key = direction(rng.uniform(-1.2, 1.2), rng.uniform(-0.1, 1.0))
    colour = (strength * (1 + rng.normal(0, 0.05, 3))).astype(np.float32)
    fill = direction(rng.uniform(-1.5, 1.5), rng.uniform(-0.3, 0.6))
    return Light(key, colour, fill, rng.uniform(0.1, 0.4), rng.uniform(0.18, 0.4))


def _rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float32]:
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(angle), np.sin(angle)) for angle in (yaw, pitch, roll))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return (about_y @ about_x @ about_z).astype(np.float32)


def _shade(normals: NDArray[np.float32], light: Light, shine: float) -> NDArray[np.float32]:
    """Return ``[n, 4]``: wrapped Lambert for both lights, and a highlight."""
    shaded = np.empty((len(normals), 4), np.float32)
    key = np.clip((normals @ light.key + 0.25) / 1.25, 0, None)[:, None] * light.key_colour
    fill = np.clip((normals @ light.fill + 0.4) / 1.4, 0, None)[:, None] * light.fill_strength
    shaded[:, :3] = key + fill + light.ambient * (0.75 + 0.25 * normals[:, 1:2])
    half = light.key + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    shaded[:, 3] = shine * 255 * light.key_colour.mean() * np.clip(normals @ half, 0, 1) ** 18
    return shaded


class Head:
    """Draws one person, frame after frame."""

    def __init__(self, assets: Assets, person: Person) -> None:
        self.assets, self.person = assets, person
        self._textures: dict[str, NDArray[np.float32]] = {}

    def draw(self, picture: NDArray[np.float32], pose: Pose, light: Light, camera: Camera) -> Landmarks:
        """Draw the head over ``picture`` ``[H, W, 3]`` float32 and return its landmarks."""
        at_rest = self._deformed(pose)
        # A turn of the head fades out towards the shoulders.
        pivot = self.person.eyes + _NECK
        turned = (at_rest - pivot) @ _rotation(pose.yaw, pose.pitch, pose.roll).T
        upright = (at_rest - pivot) @ _rotation(0.2 * pose.yaw, 0, 0.3 * pose.roll).T
        world = turned * self._follows + upright * (1 - self._follows)
        canvas = _Canvas(picture, np.full(picture.shape[:2], _FAR, np.float32), camera)
        lips = self._front_of_lips(at_rest)
        self._draw_skin(canvas, world, at_rest, light, lips)
        for name, scale, shine in (("teeth", 0.95, 0.12), ("tongue", 0.8, 0.08)):
            self._draw_part(canvas, name, world, light, scale, shine, inside=(at_rest, lips))
        self._draw_part(canvas, "eye", world, light, 0.72, 0.22, texture=self.person.iris)
        self._draw_part(canvas, self.person.brow, world, light, np.minimum(self.person.hair_colour, 0.6), 0, lift=0.012)
        self._draw_part(canvas, "lash", world, light, 0.5, 0, lift=0.005)
        if self.person.hair:
            self._draw_part(canvas, self.person.hair, world, light, self.person.hair_colour, 0.02, lift=0.02)
        rotation = _rotation(pose.yaw, pose.pitch, pose.roll).T
        points = (
            np.stack([self.person.eyes - pivot, self.person.mouth - pivot, at_rest[self.person.chin] - pivot])
            @ rotation
        )
        return Landmarks(*canvas.project(points.astype(np.float32))[:, :2])

    def _deformed(self, pose: Pose) -> NDArray[np.float32]:
        vertices = self.person.vertices.copy()
        for name, weight in pose.units.items():
            if abs(weight) > 1e-3 and name in self.assets.face_units:
                index, moves = self.assets.face_units[name]
                vertices[index] += np.float32(weight) * moves
        for group, centre in (("left eye", self.person.left_eye), ("right eye", self.person.right_eye)):
            index = self.assets.groups[group]
            vertices[index] = (vertices[index] - centre) @ _rotation(*pose.gaze, 0).T + centre
        tip = pose.units.get("tongueUp", 0)
        if tip:
            tongue = self.assets.groups["tongue"]
            front = vertices[tongue, 2]
            vertices[tongue, 1] += np.float32(0.12 * tip) * np.clip((front - front.max() + 0.5) / 0.5, 0, 1)
        return vertices

    def _front_of_lips(self, vertices: NDArray[np.float32]) -> float:
        return float(vertices[self._lip_region, 2].max())

    def _draw_skin(
        self, canvas: _Canvas, world: NDArray[np.float32], at_rest: NDArray[np.float32], light: Light, lips: float
    ) -> None:
        shaded = _shade(vertex_normals(world, self.assets.parts["skin"].triangles), light, 0.1)
        shaded *= self.person.occlusion[:, None]
        inner = self._inner_mouth
        depth = np.clip(lips - at_rest[inner, 2] - 0.16, 0, None)
        shaded[inner] *= 0.8 * np.clip(np.exp(-depth / 0.16), 0.05, 1)[:, None]
        points = canvas.project(world)
        shaded[self._clothed, 3] = 0
        for triangles, uv, texture in self._surfaces:
            draw(canvas.picture, canvas.depth, points, triangles, uv, shaded, texture, OPAQUE)

    def _draw_part(
        self,
        canvas: _Canvas,
        name: str,
        world: NDArray[np.float32],
        light: Light,
        scale: float | NDArray[np.float64],
        shine: float,
        *,
        texture: NDArray[np.float32] | None = None,
        lift: float = 0,
        inside: tuple[NDArray[np.float32], float] | None = None,
    ) -> None:
        part = self.assets.parts[name]
        assert part.anchors is not None
        references, weights, _ = part.anchors
        vertices = (world[references] * weights[..., None]).sum(axis=1) + self._offsets(name)
        normals = vertex_normals(vertices.astype(np.float32), part.triangles)
        if lift:  # hair is thin: it is lit from either side
            normals *= np.where(normals[:, 2:] < 0, np.float32(-1), np.float32(1))
        shaded = _shade(normals, light, shine)
        shaded[:, :3] *= np.asarray(scale, np.float32)
        if inside is not None:
            at_rest, lips = inside
            forward = (at_rest[references, 2] * weights).sum(axis=1)
            shaded *= 0.85 * np.exp(-np.clip(lips - forward - 0.14, 0, None) / 0.38)[:, None]
        points = canvas.project(vertices.astype(np.float32))
        points[:, 2] -= lift
        picture = self._texture(name) if texture is None else texture
        draw(
            canvas.picture, canvas.depth, points, part.triangles, part.uv, shaded, picture, CUT_OUT if lift else OPAQUE
        )

    def _offsets(self, name: str) -> NDArray[np.float32]:
        anchors = self.assets.parts[name].anchors
        assert anchors is not None
        return anchors[2]

    def _texture(self, name: str) -> NDArray[np.float32]:
        if name not in self._textures:
            textures = self.assets.parts[name].textures
            self._textures[name] = textures[min(textures)].astype(np.float32)
        return self._textures[name]

    @cached_property
    def _follows(self) -> NDArray[np.float32]:
        """How far each vertex follows the head: 1 above the chin, 0 at the shoulders."""
        below = self.person.vertices[self.person.chin, 1] - self.person.vertices[:, 1]
        return np.clip(1 - (below - 0.2) / 0.9, 0, 1)[:, None].astype(np.float32)

    @cached_property
    def _lip_region(self) -> NDArray[np.int32]:
        body = self.assets.groups["body"]
        offset = np.abs(self.person.vertices[body, :2] - self.person.mouth[:2])
        return body[(offset[:, 0] < 0.15) & (offset[:, 1] < 0.25)]

    @cached_property
    def _inner_mouth(self) -> NDArray[np.intp]:
        """Skin vertices inside the mouth: the red patch of the skin textures."""
        skin = self.assets.parts["skin"]
        u, v = skin.uv[..., 0], skin.uv[..., 1]
        return np.unique(skin.triangles[(u > 0.74) & (u < 0.94) & (v < 0.15)])

    @cached_property
    def _clothed(self) -> NDArray[np.bool_]:
        """Below a round collar."""
        x, y = (self.person.vertices[:, :2] - self.person.vertices[self.person.chin, :2]).T
        return y < -0.95 + 0.5 * np.clip((np.abs(x) - 0.4) / 0.6, 0, 1)

    @cached_property
    def _surfaces(self) -> list[tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]]:
        skin = self.assets.parts["skin"]
        clothed = self._clothed[skin.triangles].all(axis=1)
        shirt = np.full((2, 2, 4), 255, np.float32)
        shirt[..., :3] = self.person.shirt
        return [
            (skin.triangles[~clothed], skin.uv[~clothed], self.person.skin),
            (skin.triangles[clothed], skin.uv[clothed], shirt),
        ]


class _Canvas(NamedTuple):
    picture: NDArray[np.float32]
    depth: NDArray[np.float32]
    camera: Camera

    def project(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Project points, given from the pivot of the head, to pixels and distance."""
        scale = self.camera.pixels * self.camera.distance / (self.camera.distance - points[:, 2])
        x = self.camera.centre[0] + points[:, 0] * scale
        y = self.camera.centre[1] - points[:, 1] * scale
        return np.stack([x, y, -points[:, 2]], axis=1).astype(np.float32)
