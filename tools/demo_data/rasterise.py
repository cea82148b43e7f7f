"""A z-buffer rasteriser: textured triangles with a colour per vertex, into float32 pictures."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

OPAQUE, CUT_OUT = 0, 1


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def draw(
    picture: NDArray[np.float32],
    depth: NDArray[np.float32],
    points: NDArray[np.float32],
    triangles: NDArray[np.int32],
    uv: NDArray[np.float32],
    light: NDArray[np.float32],
    texture: NDArray[np.float32],
    mode: int,
) -> None:
    """Draw a mesh over ``picture`` ``[H, W, 3]`` where it is nearer than ``depth`` ``[H, W]``; both are changed.

    Args:
        picture: Blue, green, red in 0 to 255.
        depth: Distance of what is drawn already.
        points: ``[n, 3]``: x and y in pixels, and distance.
        triangles: ``[t, 3]`` indices into points.
        uv: ``[t, 3, 2]`` texture coordinates; v points up.
        light: ``[n, 4]``: three factors of the texture's colour, and a highlight that is added.
        texture: ``[h, w, 4]`` with alpha, 0 to 255.
        mode: ``OPAQUE``, or ``CUT_OUT``: what is less than half covered is left out. Supersampling makes edges soft, so
            nothing has to be sorted or blended.
    """
    height, width = depth.shape
    rows, columns = texture.shape[0], texture.shape[1]
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0, x1, y1, x2, y2 = points[a, 0], points[a, 1], points[b, 0], points[b, 1], points[c, 0], points[c, 1]
        area = (y1 - y2) * (x0 - x2) + (x2 - x1) * (y0 - y2)
        if abs(area) < 1e-6 or (mode == OPAQUE and area > 0):  # seen from behind
            continue
        left, right = (
            max(0, math.ceil(min(x0, x1, x2) - 0.5)),
            min(width - 1, math.floor(max(x0, x1, x2) - 0.5)),
        )
        top, bottom = (
            max(0, math.ceil(min(y0, y1, y2) - 0.5)),
            min(height - 1, math.floor(max(y0, y1, y2) - 0.5)),
        )
        ax, ay = (y1 - y2) / area, (x2 - x1) / area
        bx, by = (y2 - y0) / area, (x0 - x2) / area
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                px, py = x + np.float32(0.5) - x2, y + np.float32(0.5) - y2
                wa, wb = ax * px + ay * py, bx * px + by * py
                wc = 1 - wa - wb
                if wa < -1e-5 or wb < -1e-5 or wc < -1e-5:
                    continue
                distance = wa * points[a, 2] + wb * points[b, 2] + wc * points[c, 2]
                if distance >= depth[y, x]:
                    continue
                u = wa * uv[t, 0, 0] + wb * uv[t, 1, 0] + wc * uv[t, 2, 0]
                v = 1 - (wa * uv[t, 0, 1] + wb * uv[t, 1, 1] + wc * uv[t, 2, 1])
                fu, fv = (u - math.floor(u)) * (columns - 1), (v - math.floor(v)) * (rows - 1)
                i, j = int(fv), int(fu)
                ii, jj = min(i + 1, rows - 1), min(j + 1, columns - 1)
                di, dj = fv - i, fu - j
                w00, w01, w10, w11 = (1 - di) * (1 - dj), (1 - di) * dj, di * (1 - dj), di * dj
                if mode == CUT_OUT:
                    alpha = w00 * texture[i, j, 3] + w01 * texture[i, jj, 3]
                    alpha += w10 * texture[ii, j, 3] + w11 * texture[ii, jj, 3]
                    if alpha < 96:
                        continue
                for k in range(3):
                    colour = w00 * texture[i, j, k] + w01 * texture[i, jj, k]
                    colour += w10 * texture[ii, j, k] + w11 * texture[ii, jj, k]
                    factor = wa * light[a, k] + wb * light[b, k] + wc * light[c, k]
                    picture[y, x, k] = colour * factor + wa * light[a, 3] + wb * light[b, 3] + wc * light[c, 3]
                depth[y, x] = distance


@njit(cache=True)  # type: ignore[untyped-decorator]
def vertex_normals(points: NDArray[np.float32], triangles: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return unit normals ``[n, 3]``, weighted by the area of the triangles that meet."""
    normals = np.zeros_like(points)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for corner in (a, b, c):
            normals[corner, 0] += nx
            normals[corner, 1] += ny
            normals[corner, 2] += nz
    for i in range(normals.shape[0]):
        length = math.sqrt(normals[i, 0] ** 2 + normals[i, 1] ** 2 + normals[i, 2] ** 2) + 1e-9
        for k in range(3):
            normals[i, k] /= length
    return normals
