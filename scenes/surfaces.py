"""What every pixel of the empty street shows, found by casting a ray through it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera, Floats, Size
from scenes.front import FRONT_PX_PER_M, front_map
from scenes.ground import FIRST_X, FIRST_Y, GROUND_PX_PER_M, ground_map
from scenes.street import HALF_LENGTH_M, Building, Street, buildings
from scenes.texture import Picture

SKY, GROUND, FRONT, SIDE = 0, 1, 2, 3
FAR_M = 1e6
END_HEIGHT_M = 16.0
LEVELS = 5
ROW_LIMIT = 30_000


@dataclass(frozen=True)
class Surfaces:
    """What every pixel of the empty street shows: colour, glow, kind and place in metres."""

    albedo: Picture
    glow: Picture
    kind: NDArray[np.uint8]
    x: Picture
    y: Picture
    z: Picture
    depth: Picture


@lru_cache(maxsize=6)
def surfaces(street: Street, camera: Camera, size: Size) -> Surfaces:
    """Cast a ray through every pixel."""
    cast = _Cast(camera, size)
    row = buildings(street)
    for number, house in enumerate(row):
        cast.front(number, house, street.front_y + house.setback_m)
    for number, house in enumerate(row):
        if house.setback_m:
            span = (street.front_y, street.front_y + house.setback_m)
            for edge, neighbour in ((house.left, number - 1), (house.right, number + 1)):
                if 0 <= neighbour < len(row):
                    cast.side(neighbour, edge, row[neighbour].height_m, span)
    for end in (-HALF_LENGTH_M, HALF_LENGTH_M):
        cast.side(-1, end, END_HEIGHT_M, (-FAR_M, FAR_M))
    return cast.painted(street, row)


class _Cast:
    """The nearest surface along every ray so far."""

    def __init__(self, camera: Camera, size: Size) -> None:
        self.camera, self.size = camera, size
        rays = camera.rays(size)
        self.dx, self.dy, self.dz = rays[..., 0], rays[..., 1], rays[..., 2]
        down = self.dz < -1e-4
        self.depth: Floats = np.where(down, -camera.height_m / np.where(down, self.dz, -1), FAR_M)
        self.kind: NDArray[Any] = np.where(down, GROUND, SKY).astype(np.uint8)
        self.index: NDArray[Any] = np.full(self.depth.shape, -1, np.int32)

    def front(self, number: int, house: Building, y: float) -> None:
        """A wall along the street."""
        ahead = self.dy > 1e-3
        reach = np.where(ahead, y / np.where(ahead, self.dy, 1), FAR_M)
        x = self.dx * reach
        inside = (x >= house.left) & (x < house.right)
        self._take(reach, inside, house.height_m, FRONT, number)

    def side(self, number: int, x: float, height_m: float, span: tuple[float, float]) -> None:
        """A wall across the street between two y."""
        ahead = self.dx * x > 1e-3
        reach = np.where(ahead, x / np.where(ahead, self.dx, 1), FAR_M)
        y = self.dy * reach
        self._take(reach, (y > span[0]) & (y < span[1]), height_m, SIDE, number)

    def _take(
        self, reach: Floats, inside: NDArray[Any], height_m: float, kind: int, number: int
    ) -> None:
        z = self.camera.height_m + self.dz * reach
        hit = inside & (reach < self.depth) & (z <= height_m) & (z >= 0)
        self.depth[hit], self.kind[hit], self.index[hit] = reach[hit], kind, number

    def painted(self, street: Street, row: tuple[Building, ...]) -> Surfaces:
        """Colours and places of what was hit."""
        x, y = self.dx * self.depth, self.dy * self.depth
        z = self.camera.height_m + self.dz * self.depth
        albedo = np.zeros((*x.shape, 3), np.float32)
        glow = np.zeros(x.shape, np.float32)
        wall = self.kind == SIDE
        albedo[wall] = (0.55, 0.57, 0.58)
        albedo[wall] *= (0.9 + 0.1 * np.sin(z[wall] * 20))[:, None]
        self._ground(albedo, street, x, y)
        for number, house in enumerate(row):
            on = (self.index == number) & (self.kind == FRONT)
            if on.any():
                albedo[on], glow[on] = self._front(house, x[on], z[on], self.depth[on])
        return Surfaces(albedo, glow, self.kind, x, y, z, self.depth)

    def _ground(self, albedo: Picture, street: Street, x: Floats, y: Floats) -> None:
        """Sample the ground, from a coarser picture where a pixel covers much of it."""
        on = self.kind == GROUND
        depth = self.depth
        wide = depth / self.camera.focal_px(self.size)
        wide = wide * np.sqrt(np.clip(depth / self.camera.height_m, 1, 30))
        level = np.clip(np.round(np.log2(np.maximum(wide * GROUND_PX_PER_M, 1))), 0, LEVELS - 1)
        span = -2 * FIRST_X
        across = np.abs((x - FIRST_X) % (2 * span))
        u = np.where(across > span, 2 * span - across, across) * GROUND_PX_PER_M
        v = (y - FIRST_Y) * GROUND_PX_PER_M
        picture = ground_map(street)
        for step in range(LEVELS):
            chosen = on & (level == step)
            if chosen.any():
                scale = 1 / (1 << step)
                albedo[chosen] = _sampled(picture, u[chosen] * scale, v[chosen] * scale)
            picture = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)

    def _front(
        self, house: Building, x: Floats, z: Floats, depth: Floats
    ) -> tuple[Picture, Picture]:
        wall, shine = front_map(house)
        texels = FRONT_PX_PER_M * float(np.median(depth)) / self.camera.focal_px(self.size)
        if texels > 1:
            small = (max(4, int(wall.shape[1] / texels)), max(4, int(wall.shape[0] / texels)))
            wall = cv2.resize(wall, small, interpolation=cv2.INTER_AREA)
            shine = cv2.resize(shine, small, interpolation=cv2.INTER_AREA)
        u = (x - house.left) / (house.right - house.left) * wall.shape[1] - 0.5
        v = (house.height_m - z) / house.height_m * wall.shape[0] - 0.5
        return _sampled(wall, u, v), _sampled(shine, u, v)


def _sampled(picture: Picture, u: Floats, v: Floats) -> Picture:
    """The picture at a list of places, however long (cv2.remap takes 32,767 rows)."""
    parts = []
    for start in range(0, len(u), ROW_LIMIT):
        rows = slice(start, start + ROW_LIMIT)
        at_u, at_v = (part[rows].astype(np.float32).reshape(-1, 1) for part in (u, v))
        found = cv2.remap(picture, at_u, at_v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        parts.append(found[:, 0])
    return np.concatenate(parts)
