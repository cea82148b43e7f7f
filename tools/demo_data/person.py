"""Who is seen: a head drawn from MakeHuman's shape targets, with skin, eyes, hair and clothes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from tools.demo_data.assets import BROWS, Assets
from tools.demo_data.rasterise import vertex_normals

_ORIGINS = ("african", "asian", "caucasian")
_HAIR_COLOURS = np.array(  # factors of the hair textures' blue, green, red
    [[0.25, 0.25, 0.27], [0.5, 0.6, 0.8], [0.9, 1.0, 1.1], [0.35, 0.4, 0.5], [0.5, 0.5, 0.5], [1.2, 1.2, 1.2]]
)
_HAIR_COLOUR_SHARES = (0.3, 0.25, 0.12, 0.15, 0.1, 0.08)
_MALE_HAIR = ("short01", "short04", "short04", "short01", "short02", "afro01", None)
_FEMALE_HAIR = ("long01", "ponytail01", "short02", "long01", "ponytail01", "afro01")
_DETAIL_SHARE, _DETAIL_SPREAD, _DETAIL_LIMIT = 0.55, 0.28, 0.7
_SKIN_PIXELS = 1024


@dataclass(frozen=True)
class Person:
    """One identity, neutral and at rest.

    Attributes:
        sex: ``female`` or ``male``.
        vertices: ``[n, 3]`` decimetres, neutral face.
        occlusion: ``[n]``: how much light reaches each vertex, from its curvature.
        left_eye, right_eye, mouth: Centres, ``[3]``.
        chin: Index of the lowest vertex at the front of the jaw.
        scale: Distance between the eyes' centre and the chin, in decimetres.
        skin, iris: Textures ``[h, w, 4]`` float32.
        hair: Name of a part of the assets, if any.
        hair_colour: ``[3]`` factors.
        brow: Name of a part of the assets.
        shirt: ``[3]``, colour.
        articulation: How clearly the person speaks, around 1.
        resting_smile: Weight of the smile at rest.
    """

    sex: str
    vertices: NDArray[np.float32]
    occlusion: NDArray[np.float32]
    left_eye: NDArray[np.float32]
    right_eye: NDArray[np.float32]
    mouth: NDArray[np.float32]
    chin: int
    scale: float
    skin: NDArray[np.float32]
    iris: NDArray[np.float32]
    hair: str | None
    hair_colour: NDArray[np.float64]
    brow: str
    shirt: NDArray[np.float64]
    articulation: float
    resting_smile: float

    @property
    def eyes(self) -> NDArray[np.float32]:
        """Centre between the eyes."""
        return (self.left_eye + self.right_eye) / 2


def draw_person(rng: np.random.Generator, assets: Assets, sex: str) -> Person:
    """Draw an identity at random."""
    origins = rng.dirichlet([0.35] * 3)
    vertices = _shape(rng, assets, sex, origins)
    dark = _ORIGINS[int(origins.argmax())] == "african"
    left, right = (vertices[assets.groups[f"{side} eye"]].mean(axis=0) for side in ("left", "right"))
    teeth = assets.parts["teeth"].anchors
    assert teeth is not None
    teeth_centre = vertices[teeth[0].ravel()].mean(axis=0)
    chin = _chin(vertices, assets, teeth_centre)
    irises = assets.parts["eye"].textures
    light_eyes = _ORIGINS[int(origins.argmax())] == "caucasian" and rng.random() < 0.6
    iris = irises[sorted(irises)[rng.integers(len(irises))] if light_eyes else "brown_eye"].astype(np.float32)
    iris[..., :3] = (iris[..., :3] + iris[..., :3].mean(axis=2, keepdims=True)) / 2  # the textures are too vivid
    hair = (_MALE_HAIR if sex == "male" else _FEMALE_HAIR)[rng.integers(6 if sex == "female" else 7)]
    return Person(
        sex=sex,
        vertices=vertices,
        occlusion=_occlusion(vertices, assets.parts["skin"].triangles, float(vertices[chin, 1])),
        left_eye=left,
        right_eye=right,
        mouth=teeth_centre,
        chin=chin,
        scale=float(np.linalg.norm((left + right) / 2 - vertices[chin])),
        skin=_skin(rng, assets, sex, dark),
        iris=iris,
        hair=f"hair-{hair}" if hair else None,
        hair_colour=_HAIR_COLOURS[0 if dark else rng.choice(len(_HAIR_COLOURS), p=_HAIR_COLOUR_SHARES)],
        brow=f"brow-{BROWS[rng.integers(len(BROWS))]}",
        shirt=rng.uniform(20, 200, 3),
        articulation=rng.uniform(0.85, 1.2),
        resting_smile=rng.normal(0.03, 0.05),
    )


def _shape(rng: np.random.Generator, assets: Assets, sex: str, origins: NDArray[np.float64]) -> NDArray[np.float32]:
    vertices = assets.vertices.copy()

    def apply(target: tuple[NDArray[np.int32], NDArray[np.float32]], weight: float) -> None:
        vertices[target[0]] += np.float32(weight) * target[1]

    old = rng.uniform(0, 0.5) if rng.random() < 0.3 else rng.uniform(0, 0.15)
    for origin, weight in zip(_ORIGINS, origins, strict=True):
        apply(assets.macro[f"{origin}-{sex}-young"], weight * (1 - old))
        apply(assets.macro[f"{origin}-{sex}-old"], weight * old)
    build = rng.uniform()
    shares = {"average": 1 - 2 * abs(build - 0.5), "min": max(0, 0.5 - build) * 1.2, "max": max(0, build - 0.5) * 1.2}
    for name, weight in shares.items():
        apply(assets.macro[f"universal-{sex}-young-averagemuscle-{name}weight"], weight)
    for stem, names in _opposites(assets).items():
        name = names[rng.integers(len(names))]
        if stem.startswith("asym"):
            if rng.random() < 0.3:
                apply(assets.identity[name], rng.uniform(0, 0.3))
        elif rng.random() < _DETAIL_SHARE:
            weight = min(abs(rng.normal(0, _DETAIL_SPREAD)), _DETAIL_LIMIT)
            weight *= 0.5 if "ear" in stem else 0.6 if "mouth" in stem or "lip" in stem else 1
            apply(assets.identity[name], weight)
            if name.startswith("r-"):  # faces are symmetric but for the asymmetry targets
                apply(assets.identity["l-" + name[2:]], weight)
    return vertices


def _chin(vertices: NDArray[np.float32], assets: Assets, mouth: NDArray[np.float32]) -> int:
    index, moves = assets.face_units["jawOpen"]
    lowered = index[np.isin(index, assets.groups["body"]) & (moves[:, 1] < 0.6 * moves[:, 1].min())]
    offset = vertices[lowered] - mouth
    front = lowered[(np.abs(offset[:, 0]) < 0.1) & (offset[:, 2] > -0.3)]
    return int(front[np.argmin(vertices[front, 1])])


def _opposites(assets: Assets) -> dict[str, list[str]]:
    """Group targets that exclude each other, such as wide and narrow; the left side follows the right one."""
    groups: dict[str, list[str]] = {}
    for name in sorted(assets.identity):
        if not name.startswith("l-") and "eyebrows-angle" not in name:  # angled brows look angry
            groups.setdefault(name.rpartition("-")[0], []).append(name)
    return groups


def _skin(rng: np.random.Generator, assets: Assets, sex: str, dark: bool) -> NDArray[np.float32]:
    textures = assets.parts["skin"].textures
    names = [name for name in sorted(textures) if name.startswith(f"{sex}-{'dark' if dark else 'light'}-")]
    skin = textures[names[rng.integers(len(names))]][..., :3].astype(np.float32)
    other = textures[names[rng.integers(len(names))]][..., :3].astype(np.float32)
    if rng.random() < 0.5:
        skin = (skin + other) / 2
    if dark:  # the dark textures are very dark and very red
        skin = 0.7 * skin + 0.3 * skin.mean(axis=2, keepdims=True)
    skin *= (1 + rng.normal(0, 0.025, 3)) * (rng.uniform(1.1, 1.6) if dark else rng.uniform(0.85, 1.05))
    skin = cv2.resize(skin.clip(0, 255), (_SKIN_PIXELS, _SKIN_PIXELS), interpolation=cv2.INTER_CUBIC)
    noise = rng.normal(0, 1, skin.shape[:2]).astype(np.float32)
    pores = 1.6 * cv2.GaussianBlur(noise, (0, 0), 0.8) + 6 * cv2.GaussianBlur(noise, (0, 0), 3)
    skin = np.clip(skin * (1 + 0.022 * pores[..., None]), 0, 255)
    return np.dstack([skin, np.full(skin.shape[:2], 255, np.float32)]).astype(np.float32)


def _occlusion(vertices: NDArray[np.float32], triangles: NDArray[np.int32], chin: float) -> NDArray[np.float32]:
    """Approximate ambient occlusion: darker where smoothing the surface would lift it, at three scales.

    Below the height of the chin, where a neck is hollow by this measure, it counts half.
    """
    rows, columns = triangles[:, [0, 1, 2, 1, 2, 0]].ravel(), triangles[:, [1, 2, 0, 0, 1, 2]].ravel()
    adjacency = sparse.coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(vertices),) * 2).tocsr()
    adjacency.data[:] = 1
    smooth = sparse.diags(1 / np.maximum(np.asarray(adjacency.sum(axis=1)).ravel(), 1)) @ adjacency
    normals = vertex_normals(vertices, triangles)
    smoothed, hollow = vertices.astype(np.float64), np.zeros(len(vertices))
    for step in range(1, 25):
        smoothed = smooth @ smoothed
        if step in (4, 10, 24):
            lift = ((smoothed - vertices) * normals).sum(axis=1)
            hollow += np.clip(lift / (0.03 + 0.02 * (step - 1) / 6), -0.3, 1) / 3
    strength = np.where(vertices[:, 1] < chin, 0.35, 0.75)
    return np.clip(1 - strength * np.clip(hollow, -0.15, 1), 0.35, 1.08).astype(np.float32)
