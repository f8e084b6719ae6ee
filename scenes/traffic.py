"""Vehicles: car, van, bus, muck truck, motorcycle, bicycle, cargo tricycle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenes import texture
from scenes.people import Look, Posture, any_look, person
from scenes.solid import Piece, Pole, block, place, slab, spoked, vector, wheel
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


def build(vehicle: Vehicle) -> list[Piece]:
    """The vehicle's pieces around the middle of its footprint."""
    rng = np.random.default_rng(vehicle.seed)
    pieces = BUILDERS[vehicle.kind](rng)
    if vehicle.lamps and vehicle.kind not in ("bicycle",):
        pieces += _lamps(vehicle.kind)
    if vehicle.rider:
        seat = Posture("right", sitting=True, reach=1.0)
        rider = person(vehicle.rider, seat, -0.15, 0.0, layer=0)
        pieces += _lifted(rider, 0.38 if vehicle.kind != "bicycle" else 0.45)
    return pieces


def _lifted(piece: Piece, z: float) -> list[Piece]:
    from dataclasses import replace

    from scenes.solid import Stand

    if isinstance(piece, Stand):
        return [replace(piece, foot=piece.foot + vector(0, 0, z))]
    return [piece]


def _lamps(kind: str) -> list[Piece]:
    nose, half = LENGTHS[kind] / 2 + 0.02, WIDTHS[kind] * 0.36
    pieces: list[Piece] = []
    for y in (-half, half):
        for x, colour in ((nose, (0.95, 0.98, 1.0)), (-nose, (0.1, 0.1, 0.95))):
            lamp = [(x, y - 0.12, 0.78), (x, y + 0.12, 0.78), (x, y + 0.12, 0.6), (x, y - 0.12, 0.6)]
            pieces.append(slab(lamp, colour, glow=1.0, layer=1))
    return pieces


def _wheels(xs: tuple[float, ...], half: float, radius: float) -> list[Piece]:
    pieces: list[Piece] = []
    for x in xs:
        for y in (-half, half):
            pieces += wheel(vector(x, y, radius), radius)
    return pieces


def _prism(profile: list[tuple[float, float]], half: float, inset: float, colour: Colour) -> list[Piece]:
    """A shape of constant profile (x, z) along y; the upper part leans in by `inset`."""
    top = max(z for _, z in profile)
    low = min(z for _, z in profile)

    def at(x: float, z: float, side: float) -> tuple[float, float, float]:
        return x, side * (half - inset * (z - low) / (top - low)), z

    pieces: list[Piece] = [slab([at(x, z, side) for x, z in profile], colour) for side in (-1, 1)]
    for (x0, z0), (x1, z1) in zip(profile, profile[1:] + profile[:1], strict=True):
        pieces.append(slab([at(x0, z0, -1), at(x1, z1, -1), at(x1, z1, 1), at(x0, z0, 1)], colour))
    return pieces


def _car(rng: Rng) -> list[Piece]:
    paint = texture.pick(rng, PAINT, 0.05)
    roof = rng.uniform(1.4, 1.65)
    body = [(-2.2, 0.3), (-2.25, 0.85), (-1.9, 0.95), (1.1, 0.92), (2.1, 0.72), (2.2, 0.3)]
    cabin = [(-1.95, 0.93), (-1.4, roof), (0.35, roof), (1.15, 0.91)]
    pieces = _prism(body, 0.88, 0.06, paint)
    pieces += [_bias(p, 0) for p in _prism(cabin, 0.82, 0.18, paint)]
    for side in (-1, 1):
        y0, y1 = side * 0.83, side * 0.67
        window = [(-1.65, y0, 0.98), (-1.3, y1, roof - 0.08), (0.3, y1, roof - 0.08), (0.85, y0, 0.98)]
        pieces.append(slab(window, GLASS, layer=0))
    screen = [(1.1, -0.74, 0.96), (0.42, -0.62, roof - 0.06), (0.42, 0.62, roof - 0.06), (1.1, 0.74, 0.96)]
    rear = [(-1.93, -0.7, 1.0), (-1.46, -0.6, roof - 0.07), (-1.46, 0.6, roof - 0.07), (-1.93, 0.7, 1.0)]
    pieces += [slab(screen, GLASS, layer=0), slab(rear, GLASS, layer=0)]
    for y in (-0.6, 0.6):
        front = [(2.2, y - 0.18, 0.7), (2.2, y + 0.18, 0.7), (2.22, y + 0.18, 0.56), (2.22, y - 0.18, 0.56)]
        back = [(-2.26, y - 0.16, 0.84), (-2.26, y + 0.16, 0.84), (-2.25, y + 0.16, 0.66), (-2.25, y - 0.16, 0.66)]
        pieces += [slab(front, (0.9, 0.92, 0.92)), slab(back, (0.1, 0.1, 0.65))]
    plate = [(2.24, -0.22, 0.5), (2.24, 0.22, 0.5), (2.24, 0.22, 0.38), (2.24, -0.22, 0.38)]
    pieces.append(slab(plate, (0.6, 0.3, 0.1)))
    return pieces + _wheels((-1.35, 1.35), 0.86, 0.32)


def _bias(piece: Piece, layer: int) -> Piece:
    from dataclasses import replace

    return replace(piece, layer=layer)


def _van(rng: Rng) -> list[Piece]:
    paint = texture.pick(rng, [(0.85, 0.86, 0.86), (0.65, 0.66, 0.66), (0.5, 0.45, 0.4)], 0.05)
    shape = [(-2.35, 0.3), (-2.35, 1.75), (-2.2, 1.92), (1.1, 1.92), (1.75, 1.15), (2.35, 0.95), (2.38, 0.3)]
    pieces = _prism(shape, 0.86, 0.1, paint)
    for side in (-1, 1):
        y0, y1 = side * 0.83, side * 0.785
        for x0, x1, x2, x3 in ((0.2, 0.2, 0.95, 1.5), (-1.0, -1.0, 0.05, 0.05), (-2.1, -2.1, -1.15, -1.15)):
            pane = [(x0, y0, 1.15), (x1, y1, 1.72), (x2, y1, 1.72), (x3, y0, 1.15)]
            pieces.append(slab(pane, GLASS))
    screen = [(1.72, -0.72, 1.2), (1.15, -0.66, 1.85), (1.15, 0.66, 1.85), (1.72, 0.72, 1.2)]
    rear = [(-2.37, -0.66, 1.15), (-2.37, -0.62, 1.7), (-2.37, 0.62, 1.7), (-2.37, 0.66, 1.15)]
    pieces += [slab(screen, GLASS), slab(rear, GLASS)]
    return pieces + _wheels((-1.5, 1.5), 0.84, 0.32)


def _bus(rng: Rng) -> list[Piece]:
    paint = texture.pick(rng, [(0.2, 0.55, 0.25), (0.75, 0.55, 0.2), (0.15, 0.3, 0.75), (0.85, 0.85, 0.8)], 0.05)
    side = texture.plain((70, 300), paint)
    side[8:38] = (0.14, 0.13, 0.12)
    for x in range(0, 300, 38):
        side[8:38, x : x + 3] = paint
    side[46:50] = texture.any_colour(rng, 0.1)
    texture.glyphs(side, rng, (0.95, 0.95, 0.95), 5, (90, 48, 110, 16))
    side = texture.rough(side, rng, 40, 0.05)
    pieces = block((0, 0, 0.35), (10.5, 2.5, 2.7), paint, texture=side)
    return pieces + _wheels((-3.2, 3.4), 1.27, 0.48)


def _truck(rng: Rng) -> list[Piece]:
    """A muck truck: cab, high sides, a heap or a cover on top."""
    paint = texture.pick(rng, [(0.15, 0.55, 0.85), (0.15, 0.15, 0.6), (0.55, 0.35, 0.12), (0.35, 0.5, 0.25)], 0.05)
    pieces = block((3.1, 0, 0.5), (1.9, 2.35, 2.2), paint)
    screen = [(4.06, -1.0, 2.5), (4.06, 1.0, 2.5), (4.06, 1.0, 1.6), (4.06, -1.0, 1.6)]
    pieces.append(slab(screen, GLASS, layer=1))
    for side in (-1, 1):
        y = side * 1.185
        pane = [(2.6, y, 2.4), (3.8, y, 2.4), (3.8, y, 1.65), (2.6, y, 1.65)]
        pieces.append(slab(pane, GLASS, layer=1))
    panel = texture.corrugated((60, 160), paint, rng, 9)
    soil = texture.rough(texture.plain((40, 90), (0.22, 0.32, 0.42)), rng, 12, 0.3)
    pieces += block((-1.2, 0, 0.95), (5.9, 2.45, 1.45), paint, texture=panel, top=soil)
    pieces += block((-0.5, 0, 0.55), (7.2, 0.9, 0.35), (0.15, 0.15, 0.15))
    return pieces + _wheels((-3.2, -1.9, 2.9), 1.2, 0.5)


def _pickup(rng: Rng) -> list[Piece]:
    paint = texture.pick(rng, [(0.6, 0.35, 0.15), (0.85, 0.85, 0.85), (0.2, 0.2, 0.55)], 0.05)
    pieces = block((1.7, 0, 0.4), (1.5, 1.7, 1.6), paint, taper=0.12)
    screen = [(2.4, -0.7, 1.85), (2.4, 0.7, 1.85), (2.46, 0.7, 1.2), (2.46, -0.7, 1.2)]
    pieces.append(slab(screen, GLASS, layer=1))
    for side in (-0.86, 0.86):
        pane = [(1.3, side, 1.8), (2.2, side, 1.8), (2.3, side, 1.2), (1.2, side, 1.2)]
        pieces.append(slab(pane, GLASS, layer=1))
    panel = texture.rough(texture.plain((30, 90), paint), rng, 12, 0.1)
    pieces += block((-0.85, 0, 0.6), (3.5, 1.8, 0.7), paint, texture=panel, top=panel * np.float32(0.5))
    return pieces + _wheels((-1.6, 1.7), 0.85, 0.36)


def _motorcycle(rng: Rng) -> list[Piece]:
    paint = texture.pick(rng, [(0.15, 0.15, 0.7), (0.1, 0.1, 0.1), (0.85, 0.85, 0.85), (0.6, 0.35, 0.1), (0.3, 0.6, 0.8)])
    pieces = wheel(vector(-0.62, 0, 0.24), 0.24) + wheel(vector(0.62, 0, 0.24), 0.24)
    pieces += block((-0.35, 0, 0.32), (0.8, 0.26, 0.4), paint)
    pieces += block((0.05, 0, 0.25), (0.4, 0.24, 0.1), paint)
    pieces += block((-0.3, 0, 0.72), (0.65, 0.26, 0.08), (0.08, 0.08, 0.08))
    pieces += block((0.48, 0, 0.35), (0.14, 0.3, 0.55), paint)
    pieces.append(Pole(vector(0.62, 0, 0.24), vector(0.42, 0, 1.0), 0.035, (0.2, 0.2, 0.2)))
    pieces.append(Pole(vector(0.42, -0.3, 1.0), vector(0.42, 0.3, 1.0), 0.02, (0.1, 0.1, 0.1)))
    if rng.random() < 0.35:
        pieces += block((-0.72, 0, 0.75), (0.36, 0.36, 0.32), texture.pick(rng, [(0.6, 0.45, 0.1), (0.1, 0.6, 0.85)]))
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

__all__ = ["LABELS", "LENGTHS", "WIDTHS", "Vehicle", "any_vehicle", "build", "place"]
