"""What stands in a street for good: trees, lamps, bins, planters, boards."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from scenes import texture
from scenes.refuse import bin_
from scenes.solid import Piece, Pole, Relief, Stand, block, place, slab, vector
from scenes.street import Street
from scenes.texture import Rng


@lru_cache(maxsize=24)
def crown(seed: int) -> Relief:
    """The crown of a tree: leaves in clusters, each with its own normal."""
    rng = np.random.default_rng(seed)
    size = 160
    albedo = np.zeros((size, size, 3), np.float32)
    normal = np.zeros((size, size, 3), np.float32)
    alpha = np.zeros((size, size), np.float32)
    green = np.array(
        texture.pick(rng, [(0.12, 0.34, 0.2), (0.14, 0.4, 0.26), (0.1, 0.3, 0.24)], 0.04)
    )
    clusters = int(rng.integers(14, 24))
    centres = rng.normal(0, 0.42, (clusters, 2)) * np.array([1.0, 0.75])
    centres = centres[np.argsort(rng.uniform(size=clusters))]
    for cx, cy in np.clip(centres, -0.68, 0.68):
        radius = rng.uniform(0.2, 0.32)
        for _ in range(60):
            u, v = rng.normal(0, 0.45, 2)
            x, y = (cx + u * radius + 1) * size / 2, (cy + v * radius + 1) * size / 2
            lean = np.array([u * 0.9 + cx * 0.4, v * 0.9 + cy * 0.4 - 0.2, 0.75]) + rng.normal(
                0, 0.25, 3
            )
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
    pieces += [
        Pole(vector(0, 0, fork), vector(dx, 0, height_m * 0.75), 0.05, bark) for dx in (-0.7, 0.6)
    ]
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
    for number, x in enumerate(np.arange(-70, 70, step)):
        if rng.random() < 0.85 * street.trees:
            size = tall * rng.uniform(0.85, 1.15)
            stand(x + rng.normal(0, 0.4), kerb, tree(kind + number % 3, size, size * 0.72), 2.0)
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
    return [
        slab(
            [(-0.3, 0.2, 0.95), (0.3, 0.2, 0.95), (0.35, 0, 0), (-0.35, 0, 0)],
            (1, 1, 1),
            texture=board,
        )
    ]
