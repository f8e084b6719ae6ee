"""Vehicles: car, van, bus, muck truck, motorcycle, bicycle, cargo tricycle."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np

from scenes import texture
from scenes.people import Look, Posture, any_look, person
from scenes.solid import Piece, Pole, Stand, block, slab, spoked, vector, wheel
from scenes.stalls import frame_tricycle
from scenes.texture import Colour, Rng

GLASS: Colour = (0.2, 0.18, 0.16)
LABELS = {
    "car": "car",
    "van": "car",
    "pickup": "truck",
    "truck": "truck",
    "bus": "bus",
    "motorcycle": "motorcycle",
    "bicycle": "bicycle",
    "tricycle": "tricycle",
}
LENGTHS = {
    "car": 4.5,
    "van": 4.8,
    "pickup": 5.4,
    "truck": 8.2,
    "bus": 10.5,
    "motorcycle": 1.9,
    "bicycle": 1.75,
    "tricycle": 2.6,
}
WIDTHS = {
    "car": 1.8,
    "van": 1.8,
    "pickup": 2.0,
    "truck": 2.5,
    "bus": 2.5,
    "motorcycle": 0.7,
    "bicycle": 0.6,
    "tricycle": 1.0,
}
PAINT: list[Colour] = [
    (0.88, 0.88, 0.88),
    (0.1, 0.1, 0.1),
    (0.5, 0.5, 0.5),
    (0.15, 0.12, 0.55),
    (0.45, 0.25, 0.12),
    (0.72, 0.74, 0.74),
    (0.3, 0.35, 0.4),
]


@dataclass(frozen=True)
class Vehicle:
    """A vehicle by kind and seed; its nose points to +x before it is turned."""

    kind: str = "car"
    seed: int = 0
    rider: Look | None = None
    lamps: bool = False


def any_vehicle(rng: Rng, kind: str | None = None, *, ridden: bool = True) -> Vehicle:
    """A random vehicle."""
    chosen = kind or str(
        rng.choice(list(LABELS), p=[0.34, 0.14, 0.06, 0.1, 0.06, 0.14, 0.08, 0.08])
    )
    two_wheeled = chosen in ("motorcycle", "bicycle", "tricycle")
    rider = any_look(rng) if two_wheeled and ridden else None
    return Vehicle(chosen, int(rng.integers(1 << 30)), rider)


@lru_cache(maxsize=128)
def build(vehicle: Vehicle, facing: str = "right") -> tuple[Piece, ...]:
    """The vehicle's pieces around the middle of its footprint; `facing` is where a rider looks."""
    rng = np.random.default_rng(vehicle.seed)
    pieces = BUILDERS[vehicle.kind](rng)
    if vehicle.lamps and vehicle.kind != "bicycle":
        pieces += _lamps(vehicle.kind)
    if vehicle.rider:
        seat = Posture(facing, sitting=True, reach=1.0)
        rider = person(vehicle.rider, seat, -0.15, 0.0, layer=0)
        pieces += _lifted(rider, 0.38 if vehicle.kind != "bicycle" else 0.45)
    return tuple(pieces)


def _lifted(piece: Piece, z: float) -> list[Piece]:
    if isinstance(piece, Stand):
        return [replace(piece, foot=piece.foot + vector(0, 0, z))]
    return [piece]


def _lamps(kind: str) -> list[Piece]:
    nose, half = LENGTHS[kind] / 2 + 0.02, WIDTHS[kind] * 0.36
    pieces: list[Piece] = []
    for y in (-half, half):
        for x, colour in ((nose, (0.95, 0.98, 1.0)), (-nose, (0.1, 0.1, 0.95))):
            lamp = [
                (x, y - 0.12, 0.78),
                (x, y + 0.12, 0.78),
                (x, y + 0.12, 0.6),
                (x, y - 0.12, 0.6),
            ]
            pieces.append(slab(lamp, colour, glow=1.0, layer=1))
    return pieces


HEART = (0.0, 0.0, 0.7)
Station = tuple[float, float, float, float, float, float]
SEDAN: tuple[Station, ...] = (
    (-2.30, 0.42, 0.78, 0.70, 0.82, 0.66),
    (-2.18, 0.28, 0.90, 0.82, 0.97, 0.74),
    (-1.60, 0.22, 0.94, 0.88, 1.03, 0.78),
    (-1.00, 0.20, 0.95, 0.90, 1.39, 0.62),
    (-0.35, 0.20, 0.94, 0.91, 1.46, 0.61),
    (0.30, 0.20, 0.93, 0.91, 1.44, 0.61),
    (1.05, 0.20, 0.91, 0.90, 1.02, 0.74),
    (1.35, 0.21, 0.88, 0.88, 0.95, 0.76),
    (2.00, 0.26, 0.76, 0.82, 0.82, 0.70),
    (2.28, 0.36, 0.62, 0.66, 0.66, 0.58),
)
"""Cross sections of a car: x, sill, belt line, half width there, top, half width there (m)."""
HATCH: tuple[Station, ...] = (
    (-2.00, 0.42, 0.82, 0.74, 0.90, 0.70),
    (-1.92, 0.28, 0.98, 0.84, 1.10, 0.76),
    (-1.55, 0.22, 1.00, 0.88, 1.46, 0.66),
    (-0.60, 0.20, 0.98, 0.90, 1.56, 0.64),
    (0.15, 0.20, 0.96, 0.90, 1.53, 0.64),
    (0.90, 0.20, 0.94, 0.89, 1.06, 0.74),
    (1.20, 0.22, 0.90, 0.87, 0.98, 0.76),
    (1.75, 0.27, 0.78, 0.80, 0.84, 0.70),
    (2.02, 0.36, 0.64, 0.66, 0.68, 0.58),
)
SUV: tuple[Station, ...] = (
    (-2.28, 0.48, 0.95, 0.78, 1.05, 0.74),
    (-2.18, 0.34, 1.08, 0.88, 1.20, 0.80),
    (-1.85, 0.28, 1.10, 0.92, 1.64, 0.72),
    (-0.60, 0.26, 1.08, 0.94, 1.72, 0.70),
    (0.25, 0.26, 1.07, 0.94, 1.69, 0.70),
    (0.95, 0.26, 1.06, 0.93, 1.18, 0.80),
    (1.30, 0.27, 1.03, 0.92, 1.10, 0.82),
    (2.00, 0.32, 0.94, 0.88, 1.00, 0.78),
    (2.28, 0.42, 0.78, 0.74, 0.84, 0.66),
)
MINIBUS: tuple[Station, ...] = (
    (-2.30, 0.36, 1.00, 0.80, 1.70, 0.68),
    (-2.22, 0.30, 1.05, 0.84, 1.88, 0.72),
    (-1.00, 0.26, 1.05, 0.85, 1.94, 0.74),
    (0.30, 0.26, 1.05, 0.85, 1.93, 0.74),
    (1.05, 0.26, 1.05, 0.85, 1.84, 0.72),
    (1.72, 0.27, 1.02, 0.84, 1.14, 0.76),
    (2.05, 0.30, 0.92, 0.82, 0.98, 0.74),
    (2.28, 0.38, 0.74, 0.72, 0.78, 0.64),
)


def _loft(stations: tuple[Station, ...], paint: Colour) -> list[Piece]:
    """Paintwork between the stations: sills, flanks, pillars, bonnet and roof."""

    def low(s: Station, side: int) -> tuple[float, float, float]:
        return s[0], side * s[3] * 0.97, s[1]

    def belt(s: Station, side: int) -> tuple[float, float, float]:
        return s[0], side * s[3], s[2]

    def middle(s: Station, side: int) -> tuple[float, float, float]:
        return s[0], side * (s[3] + 0.02), (s[1] + 1.6 * s[2]) / 2.6

    def high(s: Station, side: int) -> tuple[float, float, float]:
        return s[0], side * s[5], s[4]

    pieces: list[Piece] = []
    for a, b in pairwise(stations):
        for side in (-1, 1):
            for upper, lower in ((high, belt), (belt, middle), (middle, low)):
                corners = [upper(a, side), upper(b, side), lower(b, side), lower(a, side)]
                pieces.append(slab(corners, paint, around=HEART, gloss=0.55))
        roof = [high(a, 1), high(b, 1), high(b, -1), high(a, -1)]
        pieces.append(slab(roof, paint, around=HEART, gloss=0.55))
    for end in (stations[0], stations[-1]):
        cap = [high(end, -1), high(end, 1), belt(end, 1), low(end, 1), low(end, -1), belt(end, -1)]
        pieces.append(slab(cap, paint, around=HEART, gloss=0.4))
    return pieces


def _glazing(stations: tuple[Station, ...], rear: int, front: int) -> list[Piece]:
    """Side windows with pillars between stations `rear` and `front`, windscreen and rear window."""
    pieces: list[Piece] = []
    cabin = stations[rear : front + 1]
    xs = [s[0] for s in cabin]

    def edge(x: float, share: float, side: int) -> tuple[float, float, float]:
        belt, half, top, narrow = (
            float(np.interp(x, xs, [s[k] for s in cabin])) for k in (2, 3, 4, 5)
        )
        z = belt + share * (top - belt)
        return x, side * (half + share * (narrow - half) + 0.012), z

    spans = np.linspace(xs[0] + 0.22, xs[-1] - 0.18, 3 if xs[-1] - xs[0] < 3.2 else 4)
    for a, b in pairwise(spans):
        x0, x1 = float(a) + 0.045, float(b) - 0.045
        for side in (-1, 1):
            steps = np.linspace(x0, x1, 5)
            top = [edge(float(x), 0.88, side) for x in steps]
            pane = [*top, edge(x1, 0.06, side), edge(x0, 0.06, side)]
            pieces.append(slab(pane, GLASS, around=HEART, gloss=0.7, layer=1))
    for first, second, inner in ((front, front - 1, 0.06), (rear, rear + 1, 0.06)):
        a, b = stations[first], stations[second]
        x0, x1 = a[0] + (b[0] - a[0]) * inner, a[0] + (b[0] - a[0]) * 0.94
        z0, z1 = a[4] + (b[4] - a[4]) * inner + 0.015, a[4] + (b[4] - a[4]) * 0.94 + 0.015
        w0, w1 = a[5] - 0.05, b[5] - 0.04
        pane = [(x1, -w1, z1), (x1, w1, z1), (x0, w0, z0), (x0, -w0, z0)]
        pieces.append(slab(pane, GLASS, around=HEART, gloss=0.8, layer=1))
    return pieces


def _trim(stations: tuple[Station, ...], rng: Rng) -> list[Piece]:
    """Lamps, plates, grille, bumpers, door gaps, mirrors."""
    tail, nose = stations[0], stations[-1]
    pieces: list[Piece] = []
    for side in (-1, 1):
        a, b = stations[-2], nose
        lamp = [
            (a[0] + 0.06, side * a[3] * 0.93, a[2] - 0.02),
            (b[0] + 0.015, side * b[3] * 0.72, b[2] + 0.02),
            (b[0] + 0.015, side * b[3] * 0.78, b[2] - 0.12),
            (a[0] + 0.06, side * (a[3] * 0.97), a[2] - 0.14),
        ]
        pieces.append(slab(lamp, (0.85, 0.87, 0.87), around=HEART, gloss=0.6, layer=1))
        c, d = stations[1], tail
        back = [
            (c[0] - 0.02, side * (c[3] + 0.01), c[2] - 0.02),
            (d[0] - 0.015, side * d[3] * 0.72, d[2] + 0.03),
            (d[0] - 0.015, side * d[3] * 0.8, d[2] - 0.14),
            (c[0] - 0.02, side * (c[3] + 0.01), c[2] - 0.18),
        ]
        pieces.append(slab(back, (0.08, 0.06, 0.55), around=HEART, gloss=0.4, layer=1))
        y = side * 0.955 * max(s[3] for s in stations) + side * 0.05
        for x, half, low, top, tone in (
            (-0.95, 0.008, 0.32, 0.86, 0.05),
            (0.02, 0.008, 0.28, 0.88, 0.05),
            (0.98, 0.008, 0.3, 0.86, 0.05),
            (-0.62, 0.09, 0.79, 0.82, 0.55),
            (0.3, 0.09, 0.79, 0.82, 0.55),
        ):
            gap = [(x - half, y, top), (x + half, y, top), (x + half, y, low), (x - half, y, low)]
            pieces.append(slab(gap, (tone, tone, tone), around=HEART, layer=1))
        pieces += block(
            (0.95, side * (max(s[3] for s in stations) + 0.08), 0.93),
            (0.12, 0.16, 0.12),
            (0.15, 0.15, 0.15),
        )
    for s, out in ((nose, 0.02), (tail, -0.02)):
        x = s[0] + out
        plate = [
            (x, -0.22, s[1] + 0.18),
            (x, 0.22, s[1] + 0.18),
            (x, 0.22, s[1] + 0.05),
            (x, -0.22, s[1] + 0.05),
        ]
        pieces.append(
            slab(
                plate,
                (0.62, 0.3, 0.08) if rng.random() < 0.8 else (0.35, 0.65, 0.3),
                around=HEART,
                layer=1,
            )
        )
    x = nose[0] + 0.015
    grille = [
        (x, -0.34, nose[2] - 0.02),
        (x, 0.34, nose[2] - 0.02),
        (x, 0.3, nose[1] + 0.2),
        (x, -0.3, nose[1] + 0.2),
    ]
    pieces.append(slab(grille, (0.06, 0.06, 0.06), around=HEART, gloss=0.2, layer=1))
    return pieces


def _motor_car(
    rng: Rng,
    stations: tuple[Station, ...],
    paint: Colour,
    cabin: tuple[int, int],
    axles: tuple[float, float],
) -> list[Piece]:
    stretch = float(rng.uniform(0.96, 1.04))
    shape = tuple((x * stretch, *rest) for x, *rest in stations)
    pieces = _loft(shape, paint)  # type: ignore[arg-type]
    pieces += _glazing(shape, *cabin)  # type: ignore[arg-type]
    pieces += _trim(shape, rng)  # type: ignore[arg-type]
    under = [(-1.9, -0.8, 0.12), (1.9, -0.8, 0.12), (1.9, 0.8, 0.12), (-1.9, 0.8, 0.12)]
    pieces.append(slab(under, (0.02, 0.02, 0.02), layer=-2))
    for x in axles:
        for side in (-1, 1):
            pieces += _road_wheel(x, side * (max(s[3] for s in stations) + 0.005), side, 0.33)
    return pieces


def _road_wheel(x: float, y: float, side: int, radius: float) -> list[Piece]:
    """Arch, tyre and alloy rim on one side of a car."""
    turns = np.linspace(0, 2 * np.pi, 19)[:-1]
    ring = np.stack([np.cos(turns), np.zeros(18), np.sin(turns)], axis=1)
    centre = vector(x, y, radius)
    arch = centre + ring * (radius + 0.06) * np.array([1, 1, 1.0])
    spokes: list[Piece] = [
        slab(arch.tolist(), (0.03, 0.03, 0.03), around=HEART, layer=1),
        slab(
            (centre + ring * radius + vector(0, side * 0.05, 0)).tolist(),
            (0.09, 0.09, 0.09),
            around=HEART,
            layer=1,
        ),
        slab(
            (centre + ring * radius * 0.64 + vector(0, side * 0.1, 0)).tolist(),
            (0.5, 0.5, 0.5),
            around=HEART,
            gloss=0.3,
            layer=1,
        ),
    ]
    for turn in np.arange(5) * 2 * np.pi / 5 + 0.3:
        a, b = (
            centre
            + radius * 0.6 * np.array([math.cos(turn + k), 0, math.sin(turn + k)])
            + vector(0, side * 0.15, 0)
            for k in (0.35, 0.95)
        )
        hub = centre + vector(0, side * 0.15, 0)
        spokes.append(
            slab([hub.tolist(), a.tolist(), b.tolist()], (0.12, 0.12, 0.12), around=HEART, layer=1)
        )
    return spokes


def _car(rng: Rng) -> list[Piece]:
    paint = texture.pick(rng, PAINT, 0.05)
    roll = rng.random()
    if roll < 0.45:
        pieces = _motor_car(rng, SEDAN, paint, (2, 6), (-1.38, 1.38))
        if rng.random() < 0.25:
            pieces += block((-0.1, 0, 1.45), (0.3, 0.55, 0.14), (0.3, 0.75, 0.9))
        return pieces
    if roll < 0.7:
        return _motor_car(rng, HATCH, paint, (1, 5), (-1.25, 1.25))
    return _motor_car(rng, SUV, paint, (1, 5), (-1.4, 1.4))


def _van(rng: Rng) -> list[Piece]:
    paint = texture.pick(
        rng, [(0.85, 0.86, 0.86), (0.65, 0.66, 0.66), (0.5, 0.45, 0.4), (0.25, 0.25, 0.3)], 0.05
    )
    return _motor_car(rng, MINIBUS, paint, (0, 5), (-1.45, 1.4))


def _bus(rng: Rng) -> list[Piece]:
    paint = texture.pick(
        rng, [(0.2, 0.55, 0.25), (0.75, 0.55, 0.2), (0.15, 0.3, 0.75), (0.85, 0.85, 0.8)], 0.05
    )
    side = texture.plain((70, 300), paint)
    side[8:38] = (0.17, 0.16, 0.15)
    side[8:22] *= 1.35
    for pillar in range(0, 300, 38):
        side[8:38, pillar : pillar + 3] = paint
    side[46:50] = texture.any_colour(rng, 0.1)
    for door in (70, 96, 190, 216):
        side[10:66, door : door + 2] = 0.08
    texture.glyphs(side, rng, (0.95, 0.95, 0.95), 5, (100, 50, 80, 14))
    pieces = block(
        (0, 0, 0.35), (10.5, 2.5, 2.7), paint, texture=texture.rough(side, rng, 40, 0.05)
    )
    for x in (-5.26, 5.26):
        screen = [(x, -1.1, 2.6), (x, 1.1, 2.6), (x, 1.15, 1.45), (x, -1.15, 1.45)]
        pieces.append(slab(screen, GLASS, around=HEART, gloss=0.7, layer=1))
        sign = texture.plain((20, 100), (0.05, 0.05, 0.06))
        texture.glyphs(sign, rng, (0.2, 0.55, 0.95), 5, (20, 2, 60, 16))
        board = [(x, -0.9, 2.95), (x, 0.9, 2.95), (x, 0.9, 2.68), (x, -0.9, 2.68)]
        pieces.append(slab(board, (0, 0, 0), texture=sign, around=HEART, glow=0.3, layer=1))
        front = x > 0
        for y in (-0.95, 0.95):
            lamp = [
                (x, y - 0.15, 0.95),
                (x, y + 0.15, 0.95),
                (x, y + 0.15, 0.75),
                (x, y - 0.15, 0.75),
            ]
            tone = (0.9, 0.92, 0.92) if front else (0.1, 0.08, 0.6)
            pieces.append(slab(lamp, tone, around=HEART, layer=1))
    for y in (-1.0, 1.0):
        pieces += block((5.45, y * 1.1, 1.9), (0.1, 0.25, 0.45), (0.1, 0.1, 0.1))
    pieces += block((1.0, 0, 3.05), (2.6, 1.6, 0.2), (0.8, 0.8, 0.8))
    return pieces + _axles((-3.2, 3.4), 1.255, 0.48)


def _axles(xs: tuple[float, ...], half: float, radius: float) -> list[Piece]:
    return [
        piece for x in xs for side in (-1, 1) for piece in _road_wheel(x, side * half, side, radius)
    ]


def _cab(x: float, size: tuple[float, float, float], low: float, paint: Colour) -> list[Piece]:
    """A truck's cab around x: `size` along, across, up; windscreen towards +x."""
    long, wide, high = size
    heart, nose, half = (x, 0.0, low + high / 2), x + long / 2, wide / 2
    lean = 0.12 * long
    profile = [
        (x - long / 2, low + high),
        (nose - lean, low + high),
        (nose, low + 0.5 * high),
        (nose, low),
        (x - long / 2, low),
    ]
    pieces: list[Piece] = [
        slab([(px, side * half, pz) for px, pz in profile], paint, around=heart, gloss=0.4)
        for side in (-1, 1)
    ]
    for (x0, z0), (x1, z1) in pairwise([*profile, profile[0]]):
        pieces.append(
            slab(
                [(x0, -half, z0), (x0, half, z0), (x1, half, z1), (x1, -half, z1)],
                paint,
                around=heart,
                gloss=0.4,
            )
        )
    top, sill = low + 0.93 * high, low + 0.53 * high
    screen = [
        (nose - lean + 0.03, -0.44 * wide, top),
        (nose - lean + 0.03, 0.44 * wide, top),
        (nose + 0.01, 0.46 * wide, sill),
        (nose + 0.01, -0.46 * wide, sill),
    ]
    pieces.append(slab(screen, GLASS, around=heart, gloss=0.8, layer=1))
    for side in (-1, 1):
        y = side * (half + 0.01)
        pane = [
            (x - 0.2 * long, y, top),
            (nose - lean - 0.1, y, top),
            (nose - 0.1, y, sill),
            (x - 0.2 * long, y, sill),
        ]
        pieces.append(slab(pane, GLASS, around=heart, gloss=0.7, layer=1))
        gap = [
            (x - 0.25 * long, y, top),
            (x - 0.24 * long, y, top),
            (x - 0.24 * long, y, low + 0.1),
            (x - 0.25 * long, y, low + 0.1),
        ]
        pieces.append(slab(gap, (0.05, 0.05, 0.05), around=heart, layer=1))
        pieces += block(
            (nose - 0.05, side * (half + 0.14), sill), (0.08, 0.2, 0.4), (0.1, 0.1, 0.1)
        )
        lamp = [
            (nose + 0.02, side * 0.3 * wide, low + 0.26 * high),
            (nose + 0.02, side * 0.46 * wide, low + 0.26 * high),
            (nose + 0.02, side * 0.46 * wide, low + 0.12 * high),
            (nose + 0.02, side * 0.3 * wide, low + 0.12 * high),
        ]
        pieces.append(slab(lamp, (0.9, 0.92, 0.92), around=heart, layer=1))
    grille = [
        (nose + 0.02, -0.26 * wide, low + 0.42 * high),
        (nose + 0.02, 0.26 * wide, low + 0.42 * high),
        (nose + 0.02, 0.26 * wide, low + 0.15 * high),
        (nose + 0.02, -0.26 * wide, low + 0.15 * high),
    ]
    pieces.append(slab(grille, (0.1, 0.1, 0.1), around=heart, layer=1))
    pieces += block((nose - 0.1, 0, low - 0.15), (0.3, wide, 0.25), (0.3, 0.3, 0.3))
    return pieces


def _truck(rng: Rng) -> list[Piece]:
    """A muck truck: cab, ribbed body with a heap or a cover on top, three axles."""
    paint = texture.pick(
        rng,
        [
            (0.15, 0.55, 0.85),
            (0.15, 0.15, 0.6),
            (0.55, 0.35, 0.12),
            (0.35, 0.5, 0.25),
            (0.75, 0.75, 0.75),
        ],
        0.05,
    )
    pieces = _cab(3.1, (1.9, 2.35, 2.1), 0.6, paint)
    body = texture.rough(texture.plain((60, 160), paint), rng, 30, 0.1)
    for x in range(8, 160, 20):
        body[:, x : x + 4] *= 0.72
        body[:, x + 4 : x + 6] *= 1.15
    body[:4] *= 0.75
    texture.glyphs(body, rng, (0.9, 0.9, 0.9), 4, (30, 18, 100, 22))
    dirt = np.linspace(0, 0.5, 60, dtype=np.float32)[:, None, None]
    body = body * (1 - dirt) + dirt * np.array([0.3, 0.4, 0.48], np.float32)
    top: Colour = (0.22, 0.32, 0.42) if rng.random() < 0.5 else (0.3, 0.45, 0.2)
    load = texture.rough(texture.plain((40, 90), top), rng, 12, 0.25)
    pieces += block((-1.2, 0, 0.95), (5.9, 2.45, 1.45), paint, texture=body, top=load)
    pieces += block((-0.5, 0, 0.55), (7.2, 0.9, 0.35), (0.15, 0.15, 0.15))
    for y in (-0.85, 0.85):
        lamp = [
            (-4.17, y - 0.2, 0.9),
            (-4.17, y + 0.2, 0.9),
            (-4.17, y + 0.2, 0.72),
            (-4.17, y - 0.2, 0.72),
        ]
        pieces.append(slab(lamp, (0.1, 0.08, 0.6), around=HEART, layer=1))
    return pieces + _axles((-3.2, -1.9, 2.9), 1.2, 0.5)


def _pickup(rng: Rng) -> list[Piece]:
    """A light truck with an open body, some load on it."""
    paint = texture.pick(rng, [(0.6, 0.35, 0.15), (0.85, 0.85, 0.85), (0.2, 0.2, 0.55)], 0.05)
    pieces = _cab(1.8, (1.5, 1.75, 1.55), 0.42, paint)
    panel = texture.rough(texture.plain((30, 90), paint), rng, 12, 0.08)
    panel[:, ::15] *= 0.75
    pieces += block(
        (-0.85, 0, 0.62), (3.6, 1.85, 0.55), paint, texture=panel, top=panel * np.float32(0.4)
    )
    pieces += block((-0.4, 0, 0.42), (4.4, 0.7, 0.22), (0.12, 0.12, 0.12))
    for _ in range(int(rng.integers(0, 5))):
        x, y = rng.uniform(-2.2, 0.4), rng.uniform(-0.5, 0.5)
        pieces += block((x, y, 1.1), rng.uniform(0.4, 0.8, 3), texture.any_colour(rng, 0.6))
    return pieces + _axles((-1.6, 1.75), 0.9, 0.36)


def _motorcycle(rng: Rng) -> list[Piece]:
    paint = texture.pick(
        rng,
        [(0.15, 0.15, 0.7), (0.1, 0.1, 0.1), (0.85, 0.85, 0.85), (0.6, 0.35, 0.1), (0.3, 0.6, 0.8)],
    )
    pieces = wheel(vector(-0.62, 0, 0.24), 0.24) + wheel(vector(0.62, 0, 0.24), 0.24)
    pieces += block((-0.35, 0, 0.32), (0.8, 0.26, 0.4), paint)
    pieces += block((0.05, 0, 0.25), (0.4, 0.24, 0.1), paint)
    pieces += block((-0.3, 0, 0.72), (0.65, 0.26, 0.08), (0.08, 0.08, 0.08))
    pieces += block((0.48, 0, 0.35), (0.14, 0.3, 0.55), paint)
    pieces.append(Pole(vector(0.62, 0, 0.24), vector(0.42, 0, 1.0), 0.035, (0.2, 0.2, 0.2)))
    pieces.append(Pole(vector(0.42, -0.3, 1.0), vector(0.42, 0.3, 1.0), 0.02, (0.1, 0.1, 0.1)))
    if rng.random() < 0.35:
        pieces += block(
            (-0.72, 0, 0.75),
            (0.36, 0.36, 0.32),
            texture.pick(rng, [(0.6, 0.45, 0.1), (0.1, 0.6, 0.85)]),
        )
    return pieces


def _bicycle(rng: Rng) -> list[Piece]:
    paint = texture.any_colour(rng, 0.3)
    pieces = spoked(vector(-0.55, 0, 0.33), 0.33, (0.5, 0.5, 0.5))
    pieces += spoked(vector(0.55, 0, 0.33), 0.33, (0.5, 0.5, 0.5))
    seat, crank, head = vector(-0.2, 0, 0.85), vector(-0.05, 0, 0.32), vector(0.42, 0, 0.85)
    for start, end in (
        (vector(-0.55, 0, 0.33), crank),
        (crank, seat),
        (crank, head),
        (seat, head),
        (head, vector(0.55, 0, 0.33)),
        (vector(-0.55, 0, 0.33), seat),
    ):
        pieces.append(Pole(start, end, 0.02, paint))
    pieces.append(Pole(vector(0.4, -0.25, 0.98), vector(0.4, 0.25, 0.98), 0.015, (0.1, 0.1, 0.1)))
    pieces += block((-0.2, 0, 0.86), (0.24, 0.14, 0.06), (0.1, 0.1, 0.1))
    return pieces


def _tricycle(rng: Rng) -> list[Piece]:
    colour = texture.pick(rng, [(0.6, 0.3, 0.12), (0.15, 0.15, 0.6), (0.2, 0.45, 0.2)])
    pieces = frame_tricycle(rng, colour)
    for _ in range(int(rng.integers(0, 4))):
        x, y = rng.uniform(-1.0, -0.2), rng.uniform(-0.25, 0.25)
        pieces += block((x, y, 0.72), rng.uniform(0.25, 0.5, 3), (0.38, 0.55, 0.7))
    return pieces


BUILDERS = {
    "car": _car,
    "van": _van,
    "pickup": _pickup,
    "truck": _truck,
    "bus": _bus,
    "motorcycle": _motorcycle,
    "bicycle": _bicycle,
    "tricycle": _tricycle,
}
