"""Things built of faces, poles, balls and sprites, and the picture a camera takes of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera
from scenes.texture import Colour, Picture

Floats = NDArray[Any]


@dataclass(frozen=True)
class Face:
    """A flat polygon; four corners clockwise from the top left carry a texture.

    `glow` is its own light, `gloss` how much of sky and sun it mirrors (paint, glass). A face with
    an `outward` direction is seen from that side only.
    """

    points: Floats
    colour: Colour
    texture: Picture | None = None
    glow: float = 0.0
    layer: int = 0
    alpha: float = 1.0
    gloss: float = 0.0
    outward: Floats | None = None


@dataclass(frozen=True)
class Pole:
    """A round bar between two points."""

    start: Floats
    end: Floats
    radius_m: float
    colour: Colour
    layer: int = 0


@dataclass(frozen=True)
class Ball:
    """A sphere."""

    centre: Floats
    radius_m: float
    colour: Colour
    layer: int = 0


@dataclass(frozen=True, eq=False)
class Relief:
    """A flat picture with a height field's normals: lit like a solid thing.

    `albedo` (h, w, 3), `normal` (h, w, 3) as right, down, towards the viewer, `alpha` (h, w).
    """

    albedo: Picture
    normal: Picture
    alpha: Picture
    gloss: float = 0.0


@dataclass(frozen=True)
class Stand:
    """A relief standing upright on `foot`, turned to the camera."""

    foot: Floats
    width_m: float
    height_m: float
    relief: Relief
    layer: int = 0


Piece = Face | Pole | Ball | Stand


def turned(points: Floats, x: float, y: float, turn_deg: float) -> Floats:
    """Points turned about the vertical (counter-clockwise from above) and moved to (x, y)."""
    c, s = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    spin = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    return np.asarray(np.asarray(points, float) @ spin + np.array([x, y, 0.0]))


def place(pieces: Iterable[Piece], x: float, y: float, turn_deg: float = 0.0) -> list[Piece]:
    """The pieces at a place of the street."""
    placed: list[Piece] = []
    for piece in pieces:
        match piece:
            case Face():
                points = turned(piece.points, x, y, turn_deg)
                outward = piece.outward
                if outward is not None:
                    outward = turned(outward[None], 0, 0, turn_deg)[0]
                placed.append(replace(piece, points=points, outward=outward))
            case Pole():
                ends = turned(np.stack([piece.start, piece.end]), x, y, turn_deg)
                placed.append(replace(piece, start=ends[0], end=ends[1]))
            case Ball():
                centre = turned(piece.centre[None], x, y, turn_deg)[0]
                placed.append(replace(piece, centre=centre))
            case Stand():
                placed.append(replace(piece, foot=turned(piece.foot[None], x, y, turn_deg)[0]))
    return placed


def vector(x: float, y: float, z: float) -> Floats:
    """A point or direction."""
    return np.array([x, y, z], float)


def block(
    centre: Floats | Sequence[float],
    size: Floats | Sequence[float],
    colour: Colour,
    *,
    texture: Picture | None = None,
    top: Picture | None = None,
    layer: int = 0,
    taper: float = 0.0,
) -> list[Piece]:
    """A box: `centre` of its foot (x, y, z), `size` (x, y, z); `taper` narrows the top in x."""
    cx, cy, z0 = centre
    hx, hy, z1 = size[0] / 2, size[1] / 2, z0 + size[2]
    tx = hx * (1 - taper)
    low = [(cx - hx, cy - hy), (cx + hx, cy - hy), (cx + hx, cy + hy), (cx - hx, cy + hy)]
    high = [(cx - tx, cy - hy), (cx + tx, cy - hy), (cx + tx, cy + hy), (cx - tx, cy + hy)]
    faces: list[Piece] = []
    for i in range(4):
        j = (i + 1) % 4
        corners = [(*high[i], z1), (*high[j], z1), (*low[j], z0), (*low[i], z0)]
        middle = vector((low[i][0] + low[j][0]) / 2 - cx, (low[i][1] + low[j][1]) / 2 - cy, 0)
        faces.append(Face(np.array(corners), colour, texture, layer=layer, outward=middle))
    lid = [(*high[3], z1), (*high[2], z1), (*high[1], z1), (*high[0], z1)]
    faces.append(Face(np.array(lid), colour, top, layer=layer, outward=vector(0, 0, 1)))
    return faces


def slab(
    corners: Sequence[Floats | Sequence[float]],
    colour: Colour,
    *,
    around: Floats | Sequence[float] | None = None,
    **more: object,
) -> Face:
    """A polygon by its corners; with `around`, a part of a closed hull about that point."""
    points = np.array(corners, float)
    outward = None
    if around is not None:
        outward = np.cross(points[1] - points[0], points[-1] - points[0])
        if outward @ (points.mean(axis=0) - np.array(around)) < 0:
            outward = -outward
    return Face(points, colour, outward=outward, **more)  # type: ignore[arg-type]


def wheel(centre: Floats, radius_m: float, colour: Colour = (0.1, 0.1, 0.1)) -> list[Piece]:
    """A wheel in the local x-z plane: tyre and hub, the hub towards -y."""
    angles = np.linspace(0, 2 * np.pi, 15)[:-1]
    ring = np.stack([np.cos(angles), np.zeros(14), np.sin(angles)], axis=1)
    return [
        Face(centre + ring * radius_m, colour),
        Face(centre + ring * radius_m * 0.55 + vector(0, -0.02, 0), (0.55, 0.55, 0.55)),
    ]


def spoked(centre: Floats, radius_m: float, colour: Colour) -> list[Piece]:
    """A bicycle wheel in the local x-z plane."""
    angles = np.linspace(0, 2 * np.pi, 13)
    ring = centre + radius_m * np.stack([np.cos(angles), np.zeros(13), np.sin(angles)], axis=1)
    rim: list[Piece] = [Pole(ring[i], ring[i + 1], 0.025, (0.08, 0.08, 0.08)) for i in range(12)]
    rim += [Pole(centre, ring[i], 0.006, colour) for i in range(0, 12, 3)]
    return rim


def level(direction: Floats) -> Floats:
    """The unit vector of a direction laid flat."""
    flat = np.array([direction[0], direction[1], 0.0])
    return np.asarray(flat / max(float(np.linalg.norm(flat)), 1e-9))


def upright(stand: Stand, camera: Camera) -> Floats:
    """The four corners of a standing relief, top left first."""
    facing = level(camera.position - stand.foot)
    right = np.array([-facing[1], facing[0], 0.0]) * stand.width_m / 2
    up = vector(0, 0, stand.height_m)
    foot = stand.foot
    return np.stack([foot - right + up, foot + right + up, foot + right, foot - right])


def outline(piece: Piece, camera: Camera) -> Floats:
    """Points that enclose a piece."""
    match piece:
        case Face():
            return piece.points
        case Pole():
            return np.stack([piece.start, piece.end])
        case Ball():
            spread = piece.radius_m * np.array(
                [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], float
            )
            return np.asarray(piece.centre + spread)
        case Stand():
            return upright(piece, camera)
