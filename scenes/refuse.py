"""Rubbish: bags, cartons, bulky things, loose litter, bins that overflow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from scenes import texture
from scenes.solid import Ball, Piece, Pole, Relief, Stand, block, place, slab, vector, wheel
from scenes.texture import Colour, Rng

BAGS: list[Colour] = [
    (0.07, 0.07, 0.08),
    (0.07, 0.07, 0.08),
    (0.85, 0.86, 0.86),
    (0.75, 0.78, 0.8),
    (0.15, 0.15, 0.7),
    (0.6, 0.35, 0.12),
    (0.2, 0.55, 0.25),
    (0.35, 0.6, 0.75),
    (0.25, 0.25, 0.28),
]
BINS: list[Colour] = [
    (0.2, 0.42, 0.16),
    (0.5, 0.3, 0.12),
    (0.3, 0.3, 0.32),
    (0.1, 0.15, 0.6),
    (0.25, 0.5, 0.3),
]


@dataclass(frozen=True)
class Heap:
    """A heap by its seed: `pieces_n` things within `spread_m` of the middle."""

    seed: int = 0
    pieces_n: int = 14
    spread_m: float = 0.7
    cartons: float = 0.3
    litter: int = 20
    bulky: bool = False


@lru_cache(maxsize=64)
def _bag_shape(seed: int) -> tuple[texture.Picture, texture.Picture]:
    rng = np.random.default_rng(seed)
    return texture.blobs(rng, 96, crease=rng.uniform(0.4, 0.9))


@lru_cache(maxsize=256)
def bag_relief(seed: int) -> Relief:
    """The relief of one tied bag."""
    rng = np.random.default_rng(seed)
    normal, alpha = _bag_shape(int(rng.integers(48)))
    colour = np.array(texture.pick(rng, BAGS, 0.04), np.float32)
    albedo = np.broadcast_to(colour, normal.shape) * (
        1 + 0.1 * texture.fbm(alpha.shape, rng, 30)[..., None]
    )
    return Relief(albedo.astype(np.float32), normal, alpha, gloss=float(rng.uniform(0.15, 0.5)))


def bag(seed: int, x: float, y: float, z: float = 0.0, size_m: float = 0.6) -> Piece:
    """A tied bag."""
    foot = vector(x, y, z - 0.1 * size_m)
    return Stand(foot, size_m, size_m, bag_relief(seed % 200))


def box(rng: Rng, x: float, y: float, z: float) -> list[Piece]:
    """A carton, turned and perhaps open."""
    size = rng.uniform(0.22, 0.55, 3) * np.array([1.2, 1.0, 0.8])
    board = texture.carton((40, 56), rng)
    pieces = block((0, 0, z), size, (0.35, 0.5, 0.65), texture=board, top=board * np.float32(0.9))
    if rng.random() < 0.5:
        hx, hy, top = size[0] / 2, size[1] / 2, z + size[2]
        flap = [
            (-hx, -hy, top),
            (hx, -hy, top),
            (hx, -hy - 0.15, top - 0.08),
            (-hx, -hy - 0.15, top - 0.08),
        ]
        pieces.append(slab(flap, (0.4, 0.56, 0.7)))
    return place(pieces, x, y, rng.uniform(-50, 50))


def litter(rng: Rng, count: int, spread_m: float) -> list[Piece]:
    """Papers, bottles and scraps on the ground."""
    pieces: list[Piece] = []
    for _ in range(count):
        x, y = rng.normal(0, spread_m * 0.75), rng.normal(0, spread_m * 0.55)
        size = rng.uniform(0.05, 0.2)
        colour = texture.pick(
            rng,
            [
                (0.85, 0.85, 0.85),
                (0.35, 0.5, 0.65),
                (0.15, 0.15, 0.6),
                (0.6, 0.6, 0.58),
                (0.2, 0.5, 0.3),
            ],
            0.1,
        )
        angles = np.sort(rng.uniform(0, 2 * math.pi, 5))
        points = np.stack(
            [x + size * np.cos(angles), y + size * np.sin(angles), rng.uniform(0.01, 0.09, 5)],
            axis=1,
        )
        pieces.append(slab(points.tolist(), colour, layer=-1))
    return pieces


def heap(spec: Heap, grown: float = 1.0) -> list[Piece]:
    """The heap's pieces; `grown` 0..1 shows how much of it lies there already."""
    rng = np.random.default_rng(spec.seed)
    shown = max(1, round(spec.pieces_n * grown))
    pieces = litter(rng, spec.litter, spec.spread_m)[: max(2, round(spec.litter * grown))]
    if spec.bulky:
        pieces += _bulky(rng)
    for index in range(spec.pieces_n):
        radius = spec.spread_m * math.sqrt(rng.uniform(0.02, 1.0))
        angle = rng.uniform(0, 2 * math.pi)
        x, y = radius * math.cos(angle), 0.7 * radius * math.sin(angle)
        stack = min(0.28 * spec.pieces_n**0.5, 1.6) * max(0.0, 1 - radius / spec.spread_m)
        z = stack * rng.uniform(0.2, 0.9) if index > 4 else 0.0
        as_box, seed = rng.random() < spec.cartons, int(rng.integers(1 << 20))
        size = rng.uniform(0.38, 0.8)
        if index < shown:
            drawn = box(np.random.default_rng(seed), x, y, z * 0.7) if as_box else None
            pieces += drawn or [bag(seed, x, y, z, size)]
    return pieces


def _bulky(rng: Rng) -> list[Piece]:
    colour = texture.any_colour(rng, 0.5)
    if rng.random() < 0.5:
        sofa = block((0, 0, 0), (1.6, 0.75, 0.42), colour)
        sofa += block((0, 0.32, 0.42), (1.6, 0.18, 0.42), colour)
        for x in (-0.75, 0.75):
            sofa += block((x, 0, 0.42), (0.16, 0.75, 0.2), colour)
        return place(sofa, 0.2, 0.3, rng.uniform(-30, 30))
    pale = texture.pick(rng, [(0.75, 0.8, 0.82), (0.6, 0.65, 0.7)])
    sheet = texture.cloth((60, 90), rng, pale, texture.any_colour(rng, 0.6))
    lean = [(-0.9, 0.55, 1.3), (0.9, 0.55, 1.35), (0.95, 0.15, 0.0), (-0.9, 0.15, 0.0)]
    return [slab(lean, pale, texture=sheet)]


def bin_(seed: int, x: float = 0.0, y: float = 0.0, *, lid_open: bool = False) -> list[Piece]:
    """A 240-litre wheeled bin."""
    rng = np.random.default_rng(seed)
    colour = texture.pick(rng, BINS, 0.03)
    dark = (colour[0] * 0.7, colour[1] * 0.7, colour[2] * 0.7)
    pieces = block((0, 0, 0.08), (0.58, 0.7, 0.9), colour, taper=-0.15)
    label = [(-0.12, -0.36, 0.7), (0.12, -0.36, 0.7), (0.12, -0.36, 0.45), (-0.12, -0.36, 0.45)]
    pieces.append(slab(label, (0.85, 0.85, 0.85)))
    for side in (-0.3, 0.3):
        pieces += place(wheel(vector(0, 0, 0.1), 0.1), side, 0.3, 90)
    if lid_open:
        lid = [(-0.33, 0.42, 1.6), (0.33, 0.42, 1.6), (0.33, 0.36, 1.0), (-0.33, 0.36, 1.0)]
        pieces.append(slab(lid, dark, layer=-1))
        pieces.append(
            slab(
                [
                    (-0.3, 0.32, 0.985),
                    (0.3, 0.32, 0.985),
                    (0.3, -0.32, 0.985),
                    (-0.3, -0.32, 0.985),
                ],
                (0.03, 0.03, 0.03),
            )
        )
    else:
        pieces += block((0, -0.02, 0.98), (0.7, 0.8, 0.07), dark)
        pieces.append(Pole(vector(-0.3, 0.42, 0.98), vector(0.3, 0.42, 0.98), 0.03, dark))
    return place(pieces, x, y)


def overflowing(seed: int, bins: int = 2, grown: float = 1.0, pieces_n: int = 12) -> list[Piece]:
    """Bins in a row; `grown` 0..1 of the rubbish on and around them."""
    rng = np.random.default_rng(seed)
    pieces: list[Piece] = []
    for index in range(bins):
        lid_open = grown > 0.05 and index % 2 == 0
        pieces += bin_(seed + index // 3, (index - (bins - 1) / 2) * 0.8, 0.3, lid_open=lid_open)
    for index in range(pieces_n):
        turn, kind = int(rng.integers(1 << 20)), rng.random()
        x = rng.uniform(-0.55 * bins, 0.55 * bins)
        side, high = rng.uniform(-0.5, -0.15), rng.uniform(0.3, 0.6)
        if index >= round(pieces_n * grown):
            continue
        if index % 3 == 0:
            slot = (index // 3) % max(1, (bins + 1) // 2) * 2
            place_x = (slot - (bins - 1) / 2) * 0.8
            pieces.append(bag(turn, place_x, 0.25, 0.82 + 0.12 * (index // 6), high))
        elif kind < 0.3:
            pieces += box(np.random.default_rng(turn), x, side, 0.0)
        else:
            pieces.append(bag(turn, x, side, 0.0, high + 0.1))
    return pieces + litter(rng, round(16 * grown), 0.45 * bins)


def rubble(seed: int, grown: float = 1.0) -> list[Piece]:
    """Building rubble: stones, dust and boards."""
    rng = np.random.default_rng(seed)
    pieces: list[Piece] = []
    count = round(140 * grown) + 4
    for _ in range(count):
        radius = 1.1 * math.sqrt(rng.uniform(0, 1))
        angle = rng.uniform(0, 2 * math.pi)
        z = max(0.0, (1 - radius / 1.1)) * 0.7 * rng.uniform(0.2, 1)
        tone = rng.uniform(0.3, 0.75)
        colour = (tone * 0.92, tone * rng.uniform(0.9, 1), tone)
        if rng.random() < 0.25:
            colour = (0.25, 0.3, 0.55)
        spot = vector(radius * math.cos(angle), radius * 0.7 * math.sin(angle), z)
        if rng.random() < 0.3:
            pieces.append(Ball(spot, rng.uniform(0.03, 0.08), colour))
        else:
            chunk = block((0, 0, float(spot[2])), rng.uniform(0.08, 0.28, 3), colour)
            pieces += place(chunk, float(spot[0]), float(spot[1]), rng.uniform(0, 90))
    return pieces
