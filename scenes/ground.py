"""The ground of a street from above: asphalt, markings, kerbs, tiles, stains."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from scenes import texture
from scenes.street import Street
from scenes.texture import Colour, Picture, Rng

GROUND_PX_PER_M = 24
FIRST_Y, FIRST_X = -6.0, -42.0
BEHIND_FRONT_M = 12.0


@lru_cache(maxsize=6)
def ground_map(street: Street) -> Picture:
    """The ground from above at 24 px/m; row 0 is y = -6 m, column 0 is x = -60 m."""
    rng = np.random.default_rng(street.seed + 23)
    depth = street.front_y + BEHIND_FRONT_M - FIRST_Y
    shape = (int(depth * GROUND_PX_PER_M), int(-2 * FIRST_X) * GROUND_PX_PER_M)
    tone = rng.uniform(0.27, 0.45)
    asphalt = (tone * 1.02, tone, tone * rng.uniform(0.96, 1.02))
    picture = texture.plain(shape, asphalt)
    grain = rng.normal(0, 0.03, shape).astype(np.float32)
    picture *= (1 + 0.07 * texture.fbm(shape, rng, 160) + grain)[..., None]
    _road(picture, street, rng)
    near = texture.pick(
        rng, [(0.55, 0.56, 0.57), (0.5, 0.55, 0.62), (0.42, 0.5, 0.6), (0.6, 0.6, 0.58)], 0.04
    )
    _pavement(picture, rng, (FIRST_Y, street.kerb_y), near)
    _pavement(picture, rng, (street.far_kerb_y, street.front_y + BEHIND_FRONT_M), near)
    for y, sign in ((street.kerb_y, -1), (street.far_kerb_y, 1)):
        row = _row(y)
        wide = max(2, int(0.16 * GROUND_PX_PER_M))
        low, high = sorted((row, row + sign * wide))
        picture[low:high] = np.array([0.62, 0.63, 0.64]) * rng.uniform(0.85, 1.05)
        picture[row - 1 : row + 1] *= 0.55
        joints = np.arange(0, shape[1], GROUND_PX_PER_M)
        picture[low:high, joints] *= 0.7
    _stains(picture, rng)
    return np.clip(picture, 0, 1).astype(np.float32)


def _row(y: float) -> int:
    return int((y - FIRST_Y) * GROUND_PX_PER_M)


def _road(picture: Picture, street: Street, rng: Rng) -> None:
    width = picture.shape[1]
    top, bottom = _row(street.kerb_y), _row(street.far_kerb_y)
    for lane in (0.22, 0.38, 0.62, 0.78):
        y = int(top + lane * (bottom - top))
        picture[y - 8 : y + 8] *= 1.05
    for _ in range(int(rng.integers(2, 8))):
        x, y = int(rng.integers(width)), int(rng.integers(top, bottom - 10))
        size = rng.integers(20, 90, 2)
        picture[y : min(y + int(size[1]) // 2, bottom), x : x + int(size[0])] *= rng.uniform(
            0.75, 0.9
        )
    paint = (0.3, 0.72, 0.85) if rng.random() < 0.5 else (0.82, 0.83, 0.83)
    middle = (top + bottom) // 2
    if street.road_m > 5.5:
        dashed = rng.random() < 0.6
        for x in range(0, width, 6 * GROUND_PX_PER_M):
            end = x + (3 if dashed else 6) * GROUND_PX_PER_M
            picture[middle - 2 : middle + 2, x:end] = paint
    if rng.random() < 0.4:
        edge = bottom - int(0.35 * GROUND_PX_PER_M)
        picture[edge : edge + 3] = (0.3, 0.7, 0.85)
    if rng.random() < 0.35:
        start = int(rng.uniform(0.1, 0.9) * width)
        for y in range(top + 6, bottom - 6, 22):
            picture[y : y + 11, start : start + 3 * GROUND_PX_PER_M] = (0.8, 0.81, 0.82)
    worn = np.clip(1.0 - 0.5 * np.clip(texture.fbm((bottom - top, width), rng, 60), 0, 1), 0.4, 1)
    picture[top:bottom] = _worn(picture[top:bottom], worn)
    for _ in range(int(rng.integers(4, 12))):
        points = np.cumsum(rng.normal(0, 9, (14, 2)), axis=0)
        points += [rng.uniform(0, width), rng.uniform(top, bottom)]
        points[:, 1] = np.clip(points[:, 1], top, bottom)
        cv2.polylines(picture, [points.astype(np.int32)], False, (0.17, 0.17, 0.17), 1, cv2.LINE_AA)
    for _ in range(4):
        spot = (int(rng.integers(width)), int(rng.uniform(top + 10, bottom - 10)))
        cv2.circle(picture, spot, 8, (0.2, 0.2, 0.21), -1, cv2.LINE_AA)
        cv2.circle(picture, spot, 8, (0.33, 0.33, 0.33), 1, cv2.LINE_AA)


def _worn(picture: Picture, worn: Picture) -> Picture:
    """Paint worn down towards the road's own tone."""
    tone = np.median(picture.reshape(-1, 3), axis=0)
    return np.asarray(tone + (picture - tone) * worn[..., None], np.float32)


def _pavement(picture: Picture, rng: Rng, band: tuple[float, float], colour: Colour) -> None:
    top, bottom = _row(band[0]), min(_row(band[1]), picture.shape[0])
    shape = (bottom - top, picture.shape[1])
    tiles = texture.plain(shape, colour)
    tile = int(rng.choice([7, 10, 12, 14, 20]))
    rows, cols = shape[0] // tile + 1, shape[1] // tile + 1
    tone = 1 + rng.normal(0, 0.045, (rows, cols)).astype(np.float32)
    tone[rng.random((rows, cols)) < 0.01] *= 0.8
    large = np.repeat(np.repeat(tone, tile, 0), tile, 1)[: shape[0], : shape[1]]
    tiles *= large[..., None]
    tiles[::tile] *= 0.82
    tiles[:, ::tile] *= 0.82
    if rng.random() < 0.6:
        y = int(shape[0] * rng.uniform(0.1, 0.25))
        strip = texture.plain((8, shape[1]), (0.25, 0.62, 0.75))
        strip[::2, ::2] *= 0.85
        tiles[y : y + 8] = strip
    tiles *= (1 + 0.09 * texture.fbm(shape, rng, 90) + rng.normal(0, 0.02, shape))[..., None]
    picture[top:bottom] = tiles


def _stains(picture: Picture, rng: Rng) -> None:
    height, width = picture.shape[:2]
    mask = np.zeros((height, width), np.float32)
    for _ in range(90):
        spot = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.integers(3, 26)), int(rng.integers(2, 14)))
        cv2.ellipse(mask, spot, axes, 0, 0, 360, rng.uniform(0.08, 0.35), -1, cv2.LINE_AA)
    for _ in range(500):
        spot = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(mask, spot, 1, 0.3, -1, cv2.LINE_AA)
    picture *= 1 - cv2.GaussianBlur(mask, (0, 0), 2.0)[..., None]
