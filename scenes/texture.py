"""Procedural surfaces: noise, cloth, carton, plaster, goods. Pictures are BGR floats in 0..1."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[Any]
Rng = np.random.Generator
Colour = tuple[float, float, float]
Box = tuple[float, float, float, float]


LARGE_PX = 60_000


def fbm(shape: tuple[int, int], rng: Rng, cell: float = 32.0, octaves: int = 4) -> Picture:
    """Cloudy noise, mean 0, roughly -1..1, of (height, width); `cell` px is the widest cloud."""
    height, width = shape
    if height * width > LARGE_PX and cell > 8:
        small = fbm((height // 2 + 1, width // 2 + 1), rng, cell / 2, octaves)
        return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    total = np.zeros(shape, np.float32)
    weight = 1.0
    for _ in range(octaves):
        rows, cols = int(height / cell) + 3, int(width / cell) + 3
        grid = rng.standard_normal((rows, cols)).astype(np.float32)
        large = cv2.resize(
            grid, (int(cols * cell) + 1, int(rows * cell) + 1), interpolation=cv2.INTER_CUBIC
        )
        total += weight * large[:height, :width]
        weight *= 0.55
        cell = max(cell / 2, 1.0)
        if cell <= 1.0:
            break
    return total * 0.55


def plain(shape: tuple[int, int], colour: Colour) -> Picture:
    """One colour."""
    return np.full((*shape, 3), colour, np.float32)


def rough(picture: Picture, rng: Rng, cell: float, strength: float) -> Picture:
    """The picture with cloudy brightness."""
    return picture * (1 + strength * fbm(picture.shape[:2], rng, cell))[..., None]


def any_colour(rng: Rng, dull: float = 0.5) -> Colour:
    """A random colour; `dull` 0 = vivid, 1 = grey."""
    hue, value = rng.uniform(0, 180), rng.uniform(0.25, 0.95)
    saturation = rng.uniform(0.3, 1.0) * (1 - dull)
    pixel = np.array([[[hue * 2, saturation, value]]], np.float32)
    blue, green, red = cv2.cvtColor(pixel, cv2.COLOR_HSV2BGR)[0, 0]
    return float(blue), float(green), float(red)


def pick(rng: Rng, colours: list[Colour], spread: float = 0.06) -> Colour:
    """One of the colours, a little off."""
    base = np.array(colours[int(rng.integers(len(colours)))]) + rng.uniform(-spread, spread, 3)
    blue, green, red = np.clip(base, 0.02, 0.98)
    return float(blue), float(green), float(red)


def stripes(shape: tuple[int, int], first: Colour, second: Colour, count: int) -> Picture:
    """Vertical stripes of cloth."""
    column = (np.arange(shape[1]) * count // shape[1]) % 2
    row = np.where(column[:, None] == 0, np.array(first), np.array(second))
    return np.broadcast_to(row.astype(np.float32), (*shape, 3)).copy()


def cloth(shape: tuple[int, int], rng: Rng, colour: Colour, second: Colour | None) -> Picture:
    """Tarpaulin or awning: colour or stripes, with folds and dirt."""
    base = (
        stripes(shape, colour, second, int(rng.integers(5, 14))) if second else plain(shape, colour)
    )
    folds = fbm((1, shape[1]), rng, max(4.0, shape[1] / 7), 3)
    shade = 1 + 0.14 * np.repeat(folds, shape[0], axis=0)
    return np.clip(rough(base * shade[..., None], rng, shape[0] / 2 + 2, 0.1), 0, 1)


def glyphs(picture: Picture, rng: Rng, colour: Colour, count: int, box: Box) -> None:
    """Strokes that look like lettering from afar, in `box` = x, y, width, height of pixels."""
    left, top, width, height = box
    step = width / max(count, 1)
    for index in range(count):
        size = min(0.84 * step, height)
        corner = (left + (index + 0.5) * step - size / 2, top + (height - size) / 2)
        _glyph(picture, rng, colour, corner, size)


def _glyph(
    picture: Picture, rng: Rng, colour: Colour, corner: tuple[float, float], size: float
) -> None:
    """A square sign of one or two parts, each a box, a ladder, a cross or a fan of strokes."""
    x, y = corner
    thick = max(1, round(size / 11))
    halves = [(0.0, 0.0, 1.0, 1.0)]
    roll = rng.random()
    if roll < 0.5:
        halves = [(0.0, 0.0, 0.4, 1.0), (0.46, 0.0, 0.54, 1.0)]
    elif roll < 0.85:
        halves = [(0.0, 0.0, 1.0, 0.42), (0.0, 0.5, 1.0, 0.5)]
    for u, v, w, h in halves:
        for start, end in STROKES[int(rng.integers(len(STROKES)))]:
            a, b = (
                (round(x + (u + p * w) * size), round(y + (v + q * h) * size))
                for p, q in (start, end)
            )
            cv2.line(picture, a, b, colour, thick, cv2.LINE_AA)


Stroke = tuple[tuple[float, float], tuple[float, float]]
STROKES: tuple[tuple[Stroke, ...], ...] = (
    (
        ((0.1, 0.1), (0.9, 0.1)),
        ((0.9, 0.1), (0.9, 0.9)),
        ((0.9, 0.9), (0.1, 0.9)),
        ((0.1, 0.9), (0.1, 0.1)),
        ((0.1, 0.5), (0.9, 0.5)),
    ),
    (((0.0, 0.2), (1.0, 0.2)), ((0.0, 0.55), (1.0, 0.55)), ((0.5, 0.0), (0.5, 1.0))),
    (
        ((0.0, 0.3), (1.0, 0.3)),
        ((0.5, 0.0), (0.45, 0.4)),
        ((0.45, 0.4), (0.0, 1.0)),
        ((0.5, 0.45), (1.0, 1.0)),
    ),
    (
        ((0.2, 0.0), (0.0, 0.4)),
        ((0.15, 0.3), (0.15, 1.0)),
        ((0.3, 0.25), (1.0, 0.25)),
        ((0.65, 0.0), (0.65, 1.0)),
        ((0.4, 0.6), (0.95, 0.6)),
    ),
    (
        ((0.0, 0.0), (1.0, 0.0)),
        ((0.1, 0.3), (0.9, 0.3)),
        ((0.1, 0.6), (0.9, 0.6)),
        ((0.0, 1.0), (1.0, 1.0)),
        ((0.5, 0.0), (0.5, 1.0)),
    ),
    (
        ((0.1, 0.2), (0.3, 0.4)),
        ((0.0, 0.6), (0.25, 0.75)),
        ((0.1, 1.0), (0.35, 0.7)),
        ((0.5, 0.1), (1.0, 0.1)),
        ((0.75, 0.1), (0.75, 0.9)),
        ((0.5, 0.9), (1.0, 0.9)),
    ),
)


FRUIT: list[Colour] = [
    (0.12, 0.2, 0.72),
    (0.08, 0.45, 0.92),
    (0.1, 0.7, 0.9),
    (0.15, 0.55, 0.3),
    (0.2, 0.4, 0.15),
    (0.35, 0.15, 0.35),
    (0.25, 0.65, 0.5),
    (0.7, 0.85, 0.92),
    (0.1, 0.3, 0.55),
]


def pile(shape: tuple[int, int], rng: Rng, colour: Colour, radius: float) -> Picture:
    """A tray of round goods seen from above."""
    height, width = shape
    picture = plain(shape, tuple(0.35 * c for c in colour))  # type: ignore[arg-type]
    count = int(1.6 * height * width / (radius * radius * 3.14)) + 4
    xs, ys = rng.uniform(0, width, count), rng.uniform(0, height, count)
    tint = rng.uniform(0.75, 1.15, (count, 3)) * rng.uniform(0.85, 1.1, (count, 1))
    for x, y, factor in zip(xs, ys, tint, strict=True):
        r = radius * rng.uniform(0.8, 1.15)
        body = np.clip(np.array(colour) * factor, 0, 1)
        centre = (int(x * 8), int(y * 8))
        cv2.circle(picture, centre, int(r * 8), (body * 0.62).tolist(), -1, cv2.LINE_AA, 3)
        lit = (int((x - 0.18 * r) * 8), int((y - 0.22 * r) * 8))
        cv2.circle(picture, lit, int(r * 6), body.tolist(), -1, cv2.LINE_AA, 3)
        shine = np.clip(body * 1.25 + 0.12, 0, 1).tolist()
        glint = (int((x - 0.3 * r) * 8), int((y - 0.35 * r) * 8))
        cv2.circle(picture, glint, int(r * 2), shine, -1, cv2.LINE_AA, 3)
    return picture


def goods(rng: Rng, kind: str, shape: tuple[int, int] = (72, 160)) -> Picture:
    """What lies on a stall, seen from above: `fruit`, `clothes`, `trinkets` or `food`."""
    height, width = shape
    picture = plain(shape, any_colour(rng, 0.7))
    if kind == "clothes":
        for _ in range(26):
            centre = (rng.uniform(0, width), rng.uniform(0, height))
            size = (rng.uniform(16, 34), rng.uniform(10, 24))
            corners = cv2.boxPoints((centre, size, rng.uniform(-40, 40))).astype(np.int32)
            cv2.fillConvexPoly(picture, corners, any_colour(rng, 0.3), cv2.LINE_AA)
        return np.clip(rough(picture, rng, 10, 0.22), 0, 1)
    columns, rows = int(rng.integers(3, 7)), int(rng.integers(2, 4))
    for row in range(rows):
        for column in range(columns):
            x0, x1 = width * column // columns, width * (column + 1) // columns
            y0, y1 = height * row // rows, height * (row + 1) // rows
            picture[y0:y1, x0:x1] = _tray(rng, kind, (y1 - y0, x1 - x0))
            edge = (0.75, 0.78, 0.8) if kind == "food" else any_colour(rng, 0.75)
            cv2.rectangle(picture, (x0, y0), (x1 - 1, y1 - 1), edge, 1)
    return np.clip(rough(picture, rng, 8, 0.08), 0, 1)


def _tray(rng: Rng, kind: str, shape: tuple[int, int]) -> Picture:
    if kind == "fruit":
        return pile(shape, rng, pick(rng, FRUIT), rng.uniform(3, 6.5))
    if kind == "food":
        browns: list[Colour] = [(0.2, 0.4, 0.6), (0.15, 0.3, 0.55), (0.5, 0.7, 0.8)]
        return pile(shape, rng, pick(rng, browns), rng.uniform(2, 4))
    picture = plain(shape, any_colour(rng, 0.4))
    for _ in range(int(rng.integers(5, 14))):
        x, y = rng.uniform(0, shape[1]), rng.uniform(0, shape[0])
        corner = (int(x + rng.uniform(2, 9)), int(y + rng.uniform(2, 7)))
        cv2.rectangle(picture, (int(x), int(y)), corner, any_colour(rng, 0.25), -1)
    return picture


def carton(shape: tuple[int, int], rng: Rng) -> Picture:
    """Corrugated board with tape, a print and stains."""
    browns: list[Colour] = [(0.38, 0.55, 0.7), (0.3, 0.46, 0.62), (0.6, 0.68, 0.74)]
    picture = plain(shape, pick(rng, browns))
    height, width = shape
    if rng.random() < 0.7:
        y = int(height * rng.uniform(0.3, 0.6))
        picture[y : y + max(2, height // 9)] *= np.array([0.9, 1.05, 1.12], np.float32)
    if rng.random() < 0.5:
        box = (width * 0.15, height * 0.15, width * 0.5, height * 0.25)
        glyphs(picture, rng, any_colour(rng, 0.3), 3, box)
    return np.clip(rough(picture, rng, height / 2, 0.12), 0, 1)


def corrugated(shape: tuple[int, int], colour: Colour, rng: Rng, waves: int = 24) -> Picture:
    """Colour-steel sheet: vertical waves, rust and dirt towards the foot."""
    height, width = shape
    wave = 1 + 0.13 * np.sin(np.arange(width) * 2 * np.pi * waves / width)
    picture = plain(shape, colour) * wave[None, :, None].astype(np.float32)
    rust = np.clip(fbm(shape, rng, height / 3) - 0.45, 0, 1)[..., None]
    picture = picture * (1 - rust) + rust * np.array([0.15, 0.28, 0.45], np.float32)
    foot = 1 - 0.25 * np.linspace(0, 1, height)[:, None, None] ** 4
    return np.clip(rough(picture * foot, rng, height / 2, 0.08), 0, 1).astype(np.float32)


def planks(shape: tuple[int, int], rng: Rng, colour: Colour, count: int = 8) -> Picture:
    """Boards side by side."""
    picture = plain(shape, colour)
    edges = np.linspace(0, shape[1], count + 1).astype(int)
    for left, right in pairwise(edges):
        picture[:, left:right] *= rng.uniform(0.7, 1.15)
        cv2.line(picture, (left, 0), (left, shape[0]), tuple(0.3 * c for c in colour), 1)
    return np.clip(rough(picture, rng, 18, 0.15), 0, 1)


def bricks(shape: tuple[int, int], rng: Rng, colour: Colour, course: int = 6) -> Picture:
    """A brick wall; `course` px is the height of a row."""
    height, width = shape
    picture = plain(shape, (0.55, 0.6, 0.62))
    for row, y in enumerate(range(0, height, course)):
        offset = -(row % 2) * course
        for x in range(offset, width, course * 2):
            tone = (np.array(colour) * rng.uniform(0.8, 1.15)).tolist()
            corner = (x + course * 2 - 2, y + course - 2)
            cv2.rectangle(picture, (x, y), corner, tone, -1)
    return np.clip(rough(picture, rng, 30, 0.1), 0, 1)


def blobs(rng: Rng, size: int = 128, crease: float = 0.6) -> tuple[Picture, Picture]:
    """A tied bag as a height field: unit normals (size, size, 3) and alpha (size, size)."""
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    angle = np.arctan2(y, x)
    edge = np.full_like(x, 0.74)
    for order in range(2, 7):
        edge += rng.uniform(-0.05, 0.05) * np.cos(order * angle + rng.uniform(0, 6.3))
    squat = rng.uniform(0.75, 1.05)
    radius = np.sqrt(x**2 + (y / squat) ** 2) / edge
    body = np.sqrt(np.clip(1 - radius**2, 0, 1))
    ridges = np.abs(fbm((size, size), rng, size / 5, 3))
    height = body * (1 - 0.35 * crease * ridges)
    height += 0.25 * crease * fbm((size, size), rng, size / 3, 2) * body
    mask = cv2.GaussianBlur((radius < 1).astype(np.float32), (0, 0), 1.0)
    if rng.random() < 0.8:
        knot_x = rng.uniform(-0.2, 0.2)
        knot = ((x - knot_x) / 0.13) ** 2 + ((y + squat * 0.78) / 0.2) ** 2
        mask = np.maximum(mask, cv2.GaussianBlur((knot < 1).astype(np.float32), (0, 0), 1))
        height = np.maximum(height, 0.4 * np.sqrt(np.clip(1 - knot, 0, 1)))
    smooth = cv2.GaussianBlur(height, (0, 0), 1.2)
    gx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3) * size / 16
    gy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3) * size / 16
    normal = np.stack([-gx, -gy, np.ones_like(gx)], axis=2)
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    return normal, mask
