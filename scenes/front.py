"""The front of a house as a picture: windows, air conditioners, shops with their signs."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from scenes import texture
from scenes.street import Building
from scenes.texture import Colour, Picture, Rng

FRONT_PX_PER_M = 40
PixelBox = tuple[int, int, int, int]


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
        [
            (0.7, 0.74, 0.76),
            (0.62, 0.68, 0.74),
            (0.75, 0.75, 0.72),
            (0.5, 0.56, 0.66),
            (0.45, 0.5, 0.62),
            (0.66, 0.62, 0.58),
        ],
        0.05,
    )
    wall = texture.plain(shape, colour)
    if rng.random() < 0.55:
        step = int(rng.integers(5, 10))
        wall[::step] *= 0.93
        wall[:, ::step] *= 0.95
    wall = texture.rough(wall, rng, 120, 0.07)
    streaks = np.clip(texture.fbm((1, shape[1]), rng, 30, 3), 0, 1)
    wall *= 1 - 0.16 * streaks[..., None] * np.linspace(0.4, 1, height)[:, None, None].astype(
        np.float32
    )
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
                _air_conditioner(
                    wall, rng, x + int(rng.uniform(-0.2, 0.7) * pane_w), top + pane_h + 14
                )


def _window(wall: Picture, glow: Picture, rng: Rng, box: PixelBox, frame: Colour) -> None:
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


def _shop(wall: Picture, glow: Picture, rng: Rng, box: PixelBox) -> None:
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
    vivid: list[Colour] = [
        (0.12, 0.12, 0.65),
        (0.5, 0.25, 0.08),
        (0.15, 0.4, 0.1),
        (0.1, 0.5, 0.8),
        (0.85, 0.85, 0.85),
        (0.15, 0.15, 0.17),
    ]
    back = texture.pick(rng, vivid, 0.05)
    letters: Colour = (
        (0.2, 0.2, 0.6)
        if sum(back) > 2
        else texture.pick(rng, [(0.92, 0.92, 0.92), (0.3, 0.85, 0.95)])
    )
    sign = texture.rough(texture.plain((board, width - 6), back), rng, 30, 0.05)
    count = int(rng.integers(3, 8))
    texture.glyphs(
        sign, rng, letters, count, (width * 0.1, board * 0.15, width * 0.75, board * 0.7)
    )
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
