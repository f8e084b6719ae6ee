"""One side of a street as a fixed camera sees it: ground, shopfronts, trees, lamps, sky."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes import texture
from scenes.camera import Camera, Size
from scenes.light import LAMP_COLOUR, Light
from scenes.refuse import bin_
from scenes.solid import (
    Patch,
    Piece,
    Pole,
    Relief,
    Stand,
    block,
    picture_of,
    place,
    shadow_of,
    slab,
    vector,
)
from scenes.texture import Colour, Picture, Rng

Floats = NDArray[np.floating]
GROUND_PX_PER_M = 24
FRONT_PX_PER_M = 40
HALF_LENGTH_M = 110.0
NEAR_ROW_Y = -6.0
SKY, GROUND, FRONT, SIDE = 0, 1, 2, 3


@dataclass(frozen=True)
class Street:
    """A street by its seed. `clear` lists x ranges (metres) where no tree or lamp may stand.

    `vacant` is the x range of a plot set back from the row of buildings, or None.
    """

    seed: int = 0
    kerb_y: float = 2.0
    road_m: float = 7.0
    pavement_m: float = 4.5
    clear: tuple[tuple[float, float], ...] = ()
    vacant: tuple[float, float] | None = None
    trees: float = 1.0
    far: bool = True

    @property
    def far_kerb_y(self) -> float:
        """The kerb on the other side."""
        return self.kerb_y + self.road_m

    @property
    def front_y(self) -> float:
        """The row of shopfronts."""
        return self.far_kerb_y + self.pavement_m


@dataclass(frozen=True)
class Building:
    """One house of the row."""

    left: float
    right: float
    height_m: float
    setback_m: float
    seed: int
    plain: bool = False


def any_street(rng: Rng) -> Street:
    """A random street."""
    vacant = None
    if rng.random() < 0.3:
        left = rng.uniform(-12, 8)
        vacant = (left, left + rng.uniform(8, 14))
    return Street(
        seed=int(rng.integers(1 << 30)),
        kerb_y=rng.uniform(1.5, 3.5),
        road_m=rng.uniform(4.5, 10.5),
        pavement_m=rng.uniform(2.8, 6.5),
        vacant=vacant,
        trees=float(rng.choice([0.0, 0.5, 1.0])),
    )


@lru_cache(maxsize=32)
def buildings(street: Street) -> tuple[Building, ...]:
    """The row from left to right."""
    rng = np.random.default_rng(street.seed + 11)
    row: list[Building] = []
    x = -HALF_LENGTH_M
    while x < HALF_LENGTH_M:
        right = x + rng.uniform(9, 22)
        if street.vacant and x < street.vacant[0] < right:
            right = street.vacant[0]
        if street.vacant and abs(x - street.vacant[0]) < 0.01:
            right = street.vacant[1]
            row.append(Building(x, right, 2.4, 9.0, int(rng.integers(1 << 30)), plain=True))
        else:
            height = float(rng.choice([4.5, 7.5, 10.5, 14, 18], p=[0.12, 0.28, 0.3, 0.2, 0.1]))
            row.append(Building(x, right, height + rng.uniform(0, 1.2), 0.0, int(rng.integers(1 << 30))))
        x = right
    return tuple(row)


# ---------------------------------------------------------------- pictures of surfaces


@lru_cache(maxsize=6)
def ground_map(street: Street) -> Picture:
    """The ground from above at 24 px/m; row 0 is y = -6 m, column 0 is x = -60 m."""
    rng = np.random.default_rng(street.seed + 23)
    depth = street.front_y + 12 + 6
    shape = (int(depth * GROUND_PX_PER_M), 120 * GROUND_PX_PER_M)
    tone = rng.uniform(0.27, 0.45)
    asphalt = (tone * 1.02, tone, tone * rng.uniform(0.96, 1.02))
    picture = texture.plain(shape, asphalt)
    grain = rng.normal(0, 0.03, shape).astype(np.float32)
    picture *= (1 + 0.07 * texture.fbm(shape, rng, 160) + grain)[..., None]
    _road(picture, street, rng)
    near = texture.pick(rng, [(0.55, 0.56, 0.57), (0.5, 0.55, 0.62), (0.42, 0.5, 0.6), (0.6, 0.6, 0.58)], 0.04)
    _pavement(picture, rng, (-6.0, street.kerb_y), near)
    _pavement(picture, rng, (street.far_kerb_y, street.front_y + 12), near)
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
    return int((y + 6) * GROUND_PX_PER_M)


def _road(picture: Picture, street: Street, rng: Rng) -> None:
    width = picture.shape[1]
    top, bottom = _row(street.kerb_y), _row(street.far_kerb_y)
    for lane in (0.22, 0.38, 0.62, 0.78):
        y = int(top + lane * (bottom - top))
        picture[y - 8 : y + 8] *= 1.05
    for _ in range(int(rng.integers(2, 8))):
        x, y = int(rng.integers(width)), int(rng.integers(top, bottom - 10))
        size = rng.integers(20, 90, 2)
        picture[y : min(y + int(size[1]) // 2, bottom), x : x + int(size[0])] *= rng.uniform(0.75, 0.9)
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
    picture[top:bottom] = asphalt_mix(picture[top:bottom], worn)
    for _ in range(int(rng.integers(4, 12))):
        points = np.cumsum(rng.normal(0, 9, (14, 2)), axis=0)
        points += [rng.uniform(0, width), rng.uniform(top, bottom)]
        points[:, 1] = np.clip(points[:, 1], top, bottom)
        cv2.polylines(picture, [points.astype(np.int32)], False, (0.17, 0.17, 0.17), 1, cv2.LINE_AA)
    for _ in range(4):
        spot = (int(rng.integers(width)), int(rng.uniform(top + 10, bottom - 10)))
        cv2.circle(picture, spot, 8, (0.2, 0.2, 0.21), -1, cv2.LINE_AA)
        cv2.circle(picture, spot, 8, (0.33, 0.33, 0.33), 1, cv2.LINE_AA)


def asphalt_mix(picture: Picture, worn: Picture) -> Picture:
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


@lru_cache(maxsize=96)
def front_map(building: Building) -> tuple[Picture, Picture]:
    """The front of a house at 40 px/m: colours, and what glows at night (0..1)."""
    rng = np.random.default_rng(building.seed)
    width = int((building.right - building.left) * FRONT_PX_PER_M)
    height = int(building.height_m * FRONT_PX_PER_M)
    shape = (height, max(width, 8))
    glow = np.zeros(shape, np.float32)
    if building.plain:
        brick = texture.pick(rng, [(0.35, 0.42, 0.6), (0.55, 0.57, 0.58)], 0.05)
        wall = texture.bricks(shape, rng, brick, 5)
        wall[: FRONT_PX_PER_M // 5] = (0.6, 0.6, 0.6)
        return texture.rough(wall, rng, 80, 0.12), glow
    colour = texture.pick(
        rng,
        [(0.7, 0.74, 0.76), (0.62, 0.68, 0.74), (0.75, 0.75, 0.72), (0.5, 0.56, 0.66), (0.45, 0.5, 0.62), (0.66, 0.62, 0.58)],
        0.05,
    )
    wall = texture.plain(shape, colour)
    if rng.random() < 0.55:
        step = int(rng.integers(5, 10))
        wall[::step] *= 0.93
        wall[:, ::step] *= 0.95
    wall = texture.rough(wall, rng, 120, 0.07)
    streaks = np.clip(texture.fbm((1, shape[1]), rng, 30, 3), 0, 1)
    wall *= 1 - 0.16 * streaks[..., None] * np.linspace(0.4, 1, height)[:, None, None].astype(np.float32)
    shop = int(rng.uniform(3.2, 3.9) * FRONT_PX_PER_M)
    _upper_floors(wall, glow, rng, height - shop)
    _shops(wall, glow, rng, max(0, height - shop))
    return np.clip(wall, 0, 1).astype(np.float32), glow


def _upper_floors(wall: Picture, glow: Picture, rng: Rng, foot: int) -> None:
    storey, width = int(3.0 * FRONT_PX_PER_M), wall.shape[1]
    pitch = int(rng.uniform(2.4, 4.2) * FRONT_PX_PER_M)
    pane_w, pane_h = int(pitch * rng.uniform(0.4, 0.65)), int(storey * rng.uniform(0.42, 0.58))
    frame = texture.pick(rng, [(0.85, 0.85, 0.85), (0.25, 0.25, 0.25), (0.5, 0.6, 0.5)])
    caged = rng.random() < 0.4
    for y in range(foot - storey, -storey // 2, -storey):
        if rng.random() < 0.4:
            wall[max(0, y + storey - 4) : max(0, y + storey)] *= 0.85
        for x in range((pitch - pane_w) // 2, width - pane_w, pitch):
            top = y + (storey - pane_h) // 2
            if top < 4:
                continue
            _window(wall, glow, rng, (x, top, pane_w, pane_h), frame)
            if caged and rng.random() < 0.7:
                bars = (0.45, 0.46, 0.47)
                for bar in range(x, x + pane_w, 7):
                    cv2.line(wall, (bar, top - 4), (bar, top + pane_h + 8), bars, 1)
                cv2.rectangle(wall, (x - 3, top - 4), (x + pane_w + 3, top + pane_h + 8), bars, 2)
            if rng.random() < 0.45:
                _air_conditioner(wall, rng, x + int(rng.uniform(-0.2, 0.7) * pane_w), top + pane_h + 14)


def _window(wall: Picture, glow: Picture, rng: Rng, box: tuple[int, int, int, int], frame: Colour) -> None:
    x, y, width, height = box
    pane = texture.plain((height, width), (0.3, 0.27, 0.24))
    shine = np.linspace(rng.uniform(0.9, 1.6), rng.uniform(0.5, 0.9), height, dtype=np.float32)
    pane *= shine[:, None, None] * rng.uniform(0.6, 1.2)
    if rng.random() < 0.4:
        pane[:, : width // 3] = texture.any_colour(rng, 0.7)
    wall[y : y + height, x : x + width] = pane
    cv2.rectangle(wall, (x, y), (x + width, y + height), frame, 3)
    cv2.line(wall, (x + width // 2, y), (x + width // 2, y + height), frame, 2)
    wall[y + height + 2 : y + height + 7, max(0, x - 3) : x + width + 3] *= 1.08
    wall[y + height + 7 : y + height + 11, max(0, x - 3) : x + width + 3] *= 0.7
    if rng.random() < 0.3:
        glow[y : y + height, x : x + width] = rng.uniform(0.2, 0.6)


def _air_conditioner(wall: Picture, rng: Rng, x: int, y: int) -> None:
    corner = (x + 32, y + 22)
    cv2.rectangle(wall, (x + 3, y + 5), (corner[0] + 4, corner[1] + 6), (0.3, 0.3, 0.3), -1)
    cv2.rectangle(wall, (x, y), corner, (0.78, 0.79, 0.78), -1)
    cv2.circle(wall, (x + 20, y + 11), 8, (0.45, 0.45, 0.45), -1, cv2.LINE_AA)
    if rng.random() < 0.5:
        cv2.line(wall, (x + 6, y + 22), (x + 6, y + 60), (0.3, 0.3, 0.3), 1)


def _shops(wall: Picture, glow: Picture, rng: Rng, top: int) -> None:
    height, width = wall.shape[:2]
    x = 0
    while x < width - 40:
        unit = min(int(rng.uniform(2.8, 5.5) * FRONT_PX_PER_M), width - x)
        if width - x - unit < 60:
            unit = width - x
        _shop(wall, glow, rng, (x, top, unit, height - top))
        x += unit


def _shop(wall: Picture, glow: Picture, rng: Rng, box: tuple[int, int, int, int]) -> None:
    x, top, width, high = box
    board = int(rng.uniform(0.7, 1.1) * FRONT_PX_PER_M)
    foot, inner = top + high, top + board + 6
    wall[top:foot, x : x + width] *= 0.95
    opening = slice(inner, foot - 3), slice(x + 8, x + width - 8)
    shape = (opening[0].stop - opening[0].start, opening[1].stop - opening[1].start)
    if min(shape) < 12:
        return
    roll = rng.random()
    if roll < 0.3:
        tone = texture.pick(rng, [(0.6, 0.61, 0.6), (0.45, 0.46, 0.5), (0.5, 0.42, 0.32)], 0.04)
        slats = texture.plain(shape, tone)
        slats[::5] *= 0.78
        slats[1::5] *= 1.06
        wall[opening] = texture.rough(slats, rng, 40, 0.08)
    else:
        wall[opening], inside = _interior(rng, shape)
        glow[opening] = inside
        for k in range(1, max(2, shape[1] // 50)):
            bar = x + 8 + k * shape[1] // max(2, shape[1] // 50)
            cv2.line(wall, (bar, inner), (bar, foot), (0.3, 0.3, 0.3), 2)
        if roll > 0.8:
            wall[foot - 22 : foot, x + 8 : x + width - 8] = texture.any_colour(rng, 0.7)
    vivid: list[Colour] = [(0.12, 0.12, 0.65), (0.5, 0.25, 0.08), (0.15, 0.4, 0.1), (0.1, 0.5, 0.8), (0.85, 0.85, 0.85), (0.15, 0.15, 0.17)]
    back = texture.pick(rng, vivid, 0.05)
    letters: Colour = (0.2, 0.2, 0.6) if sum(back) > 2 else texture.pick(rng, [(0.92, 0.92, 0.92), (0.3, 0.85, 0.95)])
    sign = texture.rough(texture.plain((board, width - 6), back), rng, 30, 0.05)
    count = int(rng.integers(3, 8))
    texture.glyphs(sign, rng, letters, count, (width * 0.1, board * 0.15, width * 0.75, board * 0.7))
    wall[top : top + board, x + 3 : x + width - 3] = sign
    glow[top : top + board, x + 3 : x + width - 3] = rng.choice([0.0, 0.5, 0.8])
    wall[top + board : top + board + 5, x : x + width] *= 0.6


def _interior(rng: Rng, shape: tuple[int, int]) -> tuple[Picture, float]:
    """Behind the glass: shelves, dim colours, a doorway."""
    small = rng.uniform(0.06, 0.26, (max(2, shape[0] // 30), max(2, shape[1] // 24), 1))
    small = (small * rng.uniform(0.75, 1.1, (*small.shape[:2], 3))).astype(np.float32)
    picture = cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    for y in range(10, shape[0] - 30, 20):
        if rng.random() < 0.6:
            for x in range(2, shape[1] - 8, 9):
                if rng.random() < 0.7:
                    tone = np.array(texture.any_colour(rng, 0.55)) * 0.45
                    picture[y : y + 11, x : x + 7] = tone
            picture[y + 12 : y + 14] = 0.3
    shade = np.linspace(0.55, 1.1, shape[0], dtype=np.float32)[:, None, None]
    return np.clip(picture * shade, 0, 1), float(rng.uniform(0.3, 0.9))


@lru_cache(maxsize=24)
def crown(seed: int) -> Relief:
    """The crown of a tree: leaves in clusters, each with its own normal."""
    rng = np.random.default_rng(seed)
    size = 160
    albedo = np.zeros((size, size, 3), np.float32)
    normal = np.zeros((size, size, 3), np.float32)
    alpha = np.zeros((size, size), np.float32)
    green = np.array(texture.pick(rng, [(0.12, 0.34, 0.2), (0.14, 0.4, 0.26), (0.1, 0.3, 0.24)], 0.04))
    clusters = int(rng.integers(14, 24))
    centres = rng.normal(0, 0.42, (clusters, 2)) * np.array([1.0, 0.75])
    centres = centres[np.argsort(rng.uniform(size=clusters))]
    for cx, cy in np.clip(centres, -0.68, 0.68):
        radius = rng.uniform(0.2, 0.32)
        for _ in range(60):
            u, v = rng.normal(0, 0.45, 2)
            x, y = (cx + u * radius + 1) * size / 2, (cy + v * radius + 1) * size / 2
            lean = np.array([u * 0.9 + cx * 0.4, v * 0.9 + cy * 0.4 - 0.2, 0.75]) + rng.normal(0, 0.25, 3)
            lean /= np.linalg.norm(lean)
            tone = np.clip(green * rng.uniform(0.55, 1.35), 0, 1)
            spot, axes = (int(x), int(y)), (int(rng.integers(2, 6)), int(rng.integers(1, 4)))
            turn = float(rng.uniform(0, 180))
            for canvas, value in ((albedo, tone), (normal, lean), (alpha, (1.0,))):
                cv2.ellipse(canvas, spot, axes, turn, 0, 360, [float(c) for c in value], -1)
    return Relief(albedo, normal, alpha)


def tree(seed: int, height_m: float, width_m: float) -> list[Piece]:
    """A street tree."""
    bark = (0.22, 0.27, 0.32)
    fork = height_m * 0.42
    pieces: list[Piece] = [Pole(vector(0, 0, 0), vector(0, 0, height_m * 0.75), 0.11, bark)]
    for dx in (-0.7, 0.6):
        pieces.append(Pole(vector(0, 0, fork), vector(dx, 0, height_m * 0.75), 0.05, bark))
    foot = vector(0, 0, height_m * 0.32)
    pieces.append(Stand(foot, width_m, height_m * 0.75, crown(seed % 24), layer=1))
    return pieces


def lamp_post(height_m: float = 7.5) -> list[Piece]:
    """A street lamp whose arm reaches over the road."""
    grey = (0.5, 0.5, 0.5)
    return [
        Pole(vector(0, 0, 0), vector(0, 0, height_m), 0.07, grey),
        Pole(vector(0, 0, height_m), vector(0, -1.6, height_m + 0.3), 0.04, grey),
        *block((0, -1.8, height_m + 0.25), (0.25, 0.6, 0.1), (0.7, 0.7, 0.7)),
    ]


@lru_cache(maxsize=32)
def props(street: Street) -> tuple[tuple[float, float, tuple[Piece, ...]], ...]:
    """What stands in the street for good: (x, y, pieces in place)."""
    rng = np.random.default_rng(street.seed + 37)
    found: list[tuple[float, float, tuple[Piece, ...]]] = []

    def stand(x: float, y: float, pieces: list[Piece], wide: float) -> None:
        taken = any(low - wide < x < high + wide for low, high in street.clear)
        if not taken:
            found.append((x, y, tuple(place(pieces, x, y))))

    step = rng.uniform(6, 10)
    kind, kerb = int(rng.integers(1000)), street.far_kerb_y + 0.7
    tall = rng.uniform(4, 7.5)
    for x in np.arange(-70, 70, step):
        if rng.random() < 0.85 * street.trees:
            size = tall * rng.uniform(0.85, 1.15)
            stand(x + rng.normal(0, 0.4), kerb, tree(kind + int(x), size, size * 0.72), 2.0)
    for x in np.arange(-66, 66, 22.0):
        stand(x + 3, kerb + 0.1, lamp_post(), 0.3)
    for _ in range(int(rng.integers(2, 8))):
        x = rng.uniform(-25, 25)
        y = rng.choice([kerb, street.front_y - 0.6])
        stand(x, float(y), _furniture(rng), 1.0)
    return tuple(sorted(found, key=lambda item: -item[1]))


def _furniture(rng: Rng) -> list[Piece]:
    roll = rng.random()
    if roll < 0.25:
        return bin_(int(rng.integers(1000)))
    if roll < 0.5:
        green = texture.pick(rng, [(0.35, 0.5, 0.35), (0.6, 0.6, 0.58)])
        return block((0, 0, 0), (0.9, 0.45, 1.3), green)
    if roll < 0.75:
        pot = block((0, 0, 0), (1.4, 0.5, 0.45), (0.45, 0.5, 0.55))
        shrub = Stand(vector(0, 0, 0.3), 1.7, 1.0, crown(int(rng.integers(24))), layer=1)
        return [*pot, shrub]
    board = texture.plain((60, 44), texture.any_colour(rng, 0.2))
    texture.glyphs(board, rng, (0.95, 0.95, 0.95), 2, (4, 6, 36, 26))
    return [slab([(-0.3, 0.2, 0.95), (0.3, 0.2, 0.95), (0.35, 0, 0), (-0.35, 0, 0)], (1, 1, 1), texture=board)]


# ---------------------------------------------------------------- the picture


@dataclass(frozen=True)
class Surfaces:
    """What every pixel of the empty street shows: colour, glow, kind and place."""

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
    rays = camera.rays(size)
    dx, dy, dz = rays[..., 0], rays[..., 1], rays[..., 2]
    shape = dx.shape
    far = np.float32(1e6)
    depth = np.where(dz < -1e-4, -camera.height_m / np.minimum(dz, -1e-4), far)
    kind = np.where(depth < far, GROUND, SKY).astype(np.uint8)
    ahead = np.where(dy > 1e-3, 1 / np.maximum(dy, 1e-3), far)
    index = np.full(shape, -1, np.int32)
    row = buildings(street)
    for number, house in enumerate(row):
        reach = (street.front_y + house.setback_m) * ahead
        x, z = dx * reach, camera.height_m + dz * reach
        hit = (x >= house.left) & (x < house.right) & (z <= house.height_m) & (reach < depth)
        depth[hit], index[hit], kind[hit] = reach[hit], number, FRONT
    for number, house in enumerate(row):
        if house.setback_m:
            _flanks(row, number, street, camera, rays, depth, index, kind)
    for end in (-HALF_LENGTH_M, HALF_LENGTH_M):
        reach = np.where(dx * end > 1e-3, end / np.where(dx == 0, 1, dx), far)
        z = camera.height_m + dz * reach
        hit = (reach < depth) & (z < 16)
        depth[hit], kind[hit], index[hit] = reach[hit], SIDE, -1
    x, y = dx * depth, dy * depth
    z = camera.height_m + dz * depth
    albedo = np.zeros((*shape, 3), np.float32)
    glow = np.zeros(shape, np.float32)
    albedo[kind == SIDE] = (0.55, 0.55, 0.55)
    _paint_ground(albedo, street, camera, size, kind == GROUND, x, y, depth)
    for number, house in enumerate(row):
        _paint_front(albedo, glow, house, camera, size, (index == number) & (kind == FRONT), x, z, depth)
    flank = (kind == SIDE) & (index >= 0)
    albedo[flank] = np.array([0.55, 0.58, 0.6]) * (0.9 + 0.1 * np.sin(z[flank] * 20))[:, None]
    return Surfaces(albedo, glow, kind, x, y, z, depth)


def _flanks(
    row: tuple[Building, ...], number: int, street: Street, camera: Camera, rays: Floats,
    depth: Floats, index: Floats, kind: Floats,
) -> None:
    house = row[number]
    for edge, neighbour in ((house.left, number - 1), (house.right, number + 1)):
        if not 0 <= neighbour < len(row):
            continue
        dx = rays[..., 0]
        reach = np.where(dx * edge > 1e-3, edge / np.where(dx == 0, 1, dx), 1e6)
        y, z = rays[..., 1] * reach, camera.height_m + rays[..., 2] * reach
        hit = (reach < depth) & (y > street.front_y) & (y < street.front_y + house.setback_m)
        hit &= (z < row[neighbour].height_m) & (z >= 0)
        depth[hit], kind[hit], index[hit] = reach[hit], SIDE, neighbour


def _paint_ground(
    albedo: Picture, street: Street, camera: Camera, size: Size, on: NDArray[np.bool_],
    x: Picture, y: Picture, depth: Picture,
) -> None:
    level_map = ground_map(street)
    wide = (depth / camera.focal_px(size)) * np.sqrt(np.clip(depth / camera.height_m, 1, 30))
    level = np.clip(np.round(np.log2(np.maximum(wide * GROUND_PX_PER_M, 1))), 0, 4)
    u = np.abs((x + 60) % 240 - 0) * GROUND_PX_PER_M
    period = 240 * GROUND_PX_PER_M
    u = np.where(u > period / 2, period - u, u)
    v = (y + 6) * GROUND_PX_PER_M
    for step in range(5):
        chosen = on & (level == step)
        if chosen.any():
            scale = 1 / (1 << step)
            mapped = cv2.remap(
                level_map,
                (u[chosen] * scale).astype(np.float32).reshape(-1, 1),
                (v[chosen] * scale).astype(np.float32).reshape(-1, 1),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            ) if chosen.sum() < 32_000 else _remap_long(level_map, u[chosen] * scale, v[chosen] * scale)
            albedo[chosen] = mapped.reshape(-1, 3)
        level_map = cv2.resize(level_map, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def _remap_long(picture: Picture, u: Floats, v: Floats) -> Picture:
    """cv2.remap for long lists: rows of at most 32,000."""
    parts = []
    for start in range(0, len(u), 30_000):
        rows = slice(start, start + 30_000)
        parts.append(
            cv2.remap(
                picture,
                u[rows].astype(np.float32).reshape(-1, 1),
                v[rows].astype(np.float32).reshape(-1, 1),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            ).reshape(-1, 3)
        )
    return np.concatenate(parts)


def _paint_front(
    albedo: Picture, glow: Picture, house: Building, camera: Camera, size: Size,
    on: NDArray[np.bool_], x: Picture, z: Picture, depth: Picture,
) -> None:
    if not on.any():
        return
    wall, shine = front_map(house)
    texels = FRONT_PX_PER_M * float(np.median(depth[on])) / camera.focal_px(size)
    scale = 1 / max(1.0, texels)
    if scale < 1:
        small = (max(4, int(wall.shape[1] * scale)), max(4, int(wall.shape[0] * scale)))
        wall = cv2.resize(wall, small, interpolation=cv2.INTER_AREA)
        shine = cv2.resize(shine, small, interpolation=cv2.INTER_AREA)
    across = (x[on] - house.left) / (house.right - house.left) * wall.shape[1]
    down = (house.height_m - z[on]) / house.height_m * wall.shape[0]
    albedo[on] = _remap_long(wall, across - 0.5, down - 0.5)
    glow[on] = _remap_long(np.repeat(shine[..., None], 3, axis=2), across - 0.5, down - 0.5)[:, 0]


def _near_heights(street: Street, x: Floats) -> Floats:
    """Heights of the unseen row behind the camera, which throws shadows."""
    rng = np.random.default_rng(street.seed + 53)
    heights = rng.choice([0.0, 4.0, 7.0, 10.0], 24)
    return np.asarray(heights[np.clip(((x + 120) / 10).astype(int), 0, 23)])


def _shade(street: Street, surface: Surfaces, light: Light) -> Picture:
    """How much of every pixel lies in the shadow of houses, 0..1."""
    sx, sy, sz = light.towards_sun
    shadow = np.zeros(surface.x.shape, np.float32)
    if abs(sy) < 0.02:
        return shadow
    if sy > 0:
        reach = np.clip(street.front_y - surface.y, 0, None) / sy
        along = surface.x + sx * reach
        row = buildings(street)
        edges = np.array([house.left for house in row])
        highs = np.array([house.height_m if not house.setback_m else 0.0 for house in row])
        high = highs[np.clip(np.searchsorted(edges, along) - 1, 0, len(row) - 1)]
        shadow = np.where(surface.kind == GROUND, 1 / (1 + np.exp(np.clip((sz * reach - high) * 5, -20, 20))), 1.0)
    else:
        reach = np.clip(surface.y - NEAR_ROW_Y, 0, 60) / -sy
        high = _near_heights(street, surface.x + sx * reach)
        above = np.clip((surface.z + sz * reach - high) * 5, -20, 20)
        shadow = np.where(high > 0, 1 / (1 + np.exp(above)), 0.0)
    return cv2.GaussianBlur(shadow.astype(np.float32), (0, 0), 1.2)


def sky(light: Light, shape: tuple[int, int], seed: int) -> Picture:
    """Sky with some cloud."""
    rng = np.random.default_rng(seed + 71)
    bright = 0.25 + 0.75 * min(1.0, light.sky + 0.5 * light.sun)
    if light.lamps > 0.3:
        bright = 0.09
    clear = np.array([0.9, 0.78, 0.68]) if light.sun > 0.2 else np.array([0.86, 0.85, 0.84])
    cloud = np.clip(0.5 + 0.5 * texture.fbm(shape, rng, shape[1] / 3), 0, 1)[..., None]
    picture = clear + (1 - clear) * cloud * 0.8
    return np.clip(picture * bright, 0, 1).astype(np.float32)


def lit_street(street: Street, camera: Camera, light: Light, size: Size) -> Picture:
    """The empty street without its furniture, 0..1."""
    surface = surfaces(street, camera, size)
    shadow = _shade(street, surface, light)[..., None]
    sun, dome = np.array(light.sun_colour, np.float32), np.array(light.sky_colour, np.float32)
    facing = np.zeros((4, 1), np.float32)
    towards = light.towards_sun
    facing[GROUND], facing[FRONT] = max(0.0, towards[2]), max(0.0, -towards[1])
    facing[SIDE] = abs(towards[0]) * 0.5
    ambient = np.array([[1.0], [1.0], [0.66], [0.6]], np.float32)
    direct = light.sun * facing[surface.kind] * (1 - shadow) * sun
    diffuse = light.sky * ambient[surface.kind] * dome * (1 - 0.25 * shadow * min(1.0, light.sun * 2))
    lamp = _lamp_light(street, surface) * light.lamps
    picture = surface.albedo * (direct + diffuse + lamp[..., None] * LAMP_COLOUR.astype(np.float32))
    picture += surface.albedo * (surface.glow * light.lamps * 2.6)[..., None]
    occluded = np.exp(-np.clip(street.front_y - surface.y, 0, 9) / 0.5) * (surface.kind == GROUND)
    picture *= (1 - 0.35 * occluded)[..., None]
    above = surface.kind == SKY
    backdrop = sky(light, above.shape, street.seed)
    picture = np.where(above[..., None], backdrop, picture)
    if light.rain > 0:
        picture = _wet(picture, street, camera, surface, light, size)
    veil = (1 - np.exp(-np.minimum(surface.depth, 1e3) * light.haze / 160))[..., None] * ~above[..., None]
    tone = backdrop.mean(axis=(0, 1)) * 0.9
    return np.clip(picture + veil * (tone - picture), 0, 1).astype(np.float32)


def _lamp_light(street: Street, surface: Surfaces) -> Picture:
    total = np.full(surface.x.shape, 0.18, np.float32)
    middle = street.far_kerb_y - 1.2
    for x in np.arange(-63, 67, 22.0):
        away = (surface.x - x) ** 2 + (surface.y - middle) ** 2
        total += np.exp(-away / 60).astype(np.float32)
    total += 0.35 * np.exp(-((surface.y - street.front_y) ** 2) / 6) * (surface.kind == GROUND)
    return total


def _wet(
    picture: Picture, street: Street, camera: Camera, surface: Surfaces, light: Light, size: Size
) -> Picture:
    """Wet ground: darker, and mirroring the fronts."""
    ground = surface.kind == GROUND
    rays = camera.rays(size)
    reach = (street.front_y - surface.y) / np.maximum(rays[..., 1], 1e-3)
    mirrored = np.stack(
        [
            surface.x + rays[..., 0] * reach,
            np.full_like(surface.x, street.front_y),
            np.clip(-rays[..., 2] * reach, 0, 30),
        ],
        axis=-1,
    )
    pixels, _ = camera.project(mirrored, size)
    spots = pixels.reshape(*ground.shape, 2).astype(np.float32)
    soft = cv2.GaussianBlur(picture, (0, 0), size[0] / 320)
    mirror = cv2.remap(
        soft, spots[..., 0], spots[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    rng = np.random.default_rng(street.seed + 97)
    pools = np.clip(0.35 + 0.5 * texture.fbm(ground.shape, rng, size[0] / 8), 0.05, 0.9)
    share = (light.rain * 0.55 * pools * ground * (surface.y < street.front_y))[..., None]
    dark = picture * (1 - 0.3 * light.rain * ground[..., None])
    return np.asarray(dark * (1 - share) + mirror * share, np.float32)


@dataclass(frozen=True)
class Backdrop:
    """The empty street as a picture, and what may stand before an actor.

    `cover` is the alpha of street furniture, `cover_y` how far across the street it stands,
    `light` the light as exposed by the camera: actors take this one.
    """

    bgr: NDArray[np.uint8]
    cover: Picture
    cover_y: Picture
    light: Light


OVERSAMPLING = 2


@lru_cache(maxsize=96)
def backdrop(street: Street, camera: Camera, light: Light, size: Size) -> Backdrop:
    """The empty street under a light."""
    large = (size[0] * OVERSAMPLING, size[1] * OVERSAMPLING)
    full = lit_street(street, camera, light, large)
    picture = cv2.resize(full, size, interpolation=cv2.INTER_AREA)
    exposure = _exposure(picture, light)
    picture = np.clip(picture * exposure, 0, 1)
    light = replace(
        light, sun=light.sun * exposure, sky=light.sky * exposure, lamps=light.lamps * exposure
    )
    frame = (picture * 255).astype(np.uint8)
    cover = np.zeros(size[::-1], np.float32)
    cover_y = np.full(size[::-1], np.inf, np.float32)
    standing = props(street)
    for _, _, pieces in standing:
        darken(frame, shadow_of(pieces, camera, light, size))
    for _, y, pieces in standing:
        patch = picture_of(pieces, camera, light, size)
        if patch is not None:
            _stand_before(frame, cover, cover_y, patch, y)
    return Backdrop(frame, cover, cover_y, light)


def _exposure(picture: Picture, light: Light) -> float:
    """What the camera's automatic exposure multiplies the light by."""
    target = 0.47 - 0.22 * min(1.0, light.lamps * 2)
    return float(np.clip(target / max(float(picture.mean()), 1e-3), 0.75, 3.0)) * light.gain


def darken(frame: NDArray[np.uint8], shadow: Patch | None) -> None:
    """Darken the frame by a shadow patch, in place."""
    if shadow is None:
        return
    height, width = shadow.alpha.shape
    window = frame[shadow.top : shadow.top + height, shadow.left : shadow.left + width]
    window[:] = (window * (1 - shadow.alpha[..., None])).astype(np.uint8)


def _stand_before(
    frame: NDArray[np.uint8], cover: Picture, cover_y: Picture, patch: Patch, y: float
) -> None:
    height, width = patch.alpha.shape
    rows = slice(patch.top, patch.top + height)
    cols = slice(patch.left, patch.left + width)
    mask = patch.alpha[..., None]
    window = frame[rows, cols]
    window[:] = (window + mask * (patch.bgr.astype(np.float32) - window)).astype(np.uint8)
    cover[rows, cols] = np.maximum(cover[rows, cols], patch.alpha)
    nearer = patch.alpha > 0.3
    cover_y[rows, cols][nearer] = y


def eye_level(street: Street, rng: Rng) -> Camera:
    """A hand-held view across the street, as extra variety for training."""
    return Camera(
        height_m=rng.uniform(1.5, 3.0),
        yaw_deg=rng.uniform(-50, 50),
        pitch_deg=rng.uniform(2, 9),
        hfov_deg=rng.uniform(45, 70),
    )


def street_angle(street: Street, x: float) -> float:
    """Yaw in degrees towards a point of the far pavement."""
    return math.degrees(math.atan2(x, street.far_kerb_y + 1))
