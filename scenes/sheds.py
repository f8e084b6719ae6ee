"""Building work: sheds that grow from frame to roof, huts, scaffolding, unfinished storeys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenes import texture
from scenes.solid import Face, Piece, Pole, block, slab, vector
from scenes.texture import Colour, Rng

KINDS = ("steel", "hut", "tarp", "scaffold", "concrete", "container")
RUST: Colour = (0.2, 0.3, 0.5)
STEEL: Colour = (0.45, 0.45, 0.45)
SHEETS: list[Colour] = [
    (0.7, 0.4, 0.12),
    (0.72, 0.45, 0.15),
    (0.15, 0.15, 0.6),
    (0.8, 0.8, 0.78),
    (0.35, 0.5, 0.25),
    (0.6, 0.6, 0.6),
]


@dataclass(frozen=True)
class Shed:
    """A structure by kind and seed; sizes in metres."""

    kind: str = "steel"
    seed: int = 0
    width_m: float = 5.0
    depth_m: float = 3.0
    height_m: float = 2.8


def any_shed(rng: Rng, kind: str | None = None) -> Shed:
    """A random structure."""
    chosen = kind or str(rng.choice(KINDS, p=[0.34, 0.16, 0.14, 0.2, 0.1, 0.06]))
    seed = int(rng.integers(1 << 30))
    if chosen == "scaffold":
        return Shed(chosen, seed, rng.uniform(4, 9), 1.2, rng.uniform(3.5, 8))
    if chosen == "concrete":
        return Shed(chosen, seed, rng.uniform(4, 8), rng.uniform(3, 4.5), rng.uniform(3, 6.4))
    return Shed(chosen, seed, rng.uniform(2.6, 6), rng.uniform(2, 3.4), rng.uniform(2.2, 3.1))


def build(shed: Shed, progress: float = 1.0) -> list[Piece]:
    """The structure's pieces; `progress` 0..1 goes from posts over walls to the roof."""
    rng = np.random.default_rng(shed.seed)
    return BUILDERS[shed.kind](rng, shed, float(np.clip(progress, 0.02, 1.0)))


def _corners(shed: Shed) -> list[tuple[float, float]]:
    hx, hy = shed.width_m / 2, shed.depth_m / 2
    return [(-hx, -hy), (hx, -hy), (hx, hy), (-hx, hy)]


def _frame(shed: Shed, done: float, colour: Colour, bays: int) -> list[Piece]:
    """Posts first, then beams."""
    hx, hy, high = shed.width_m / 2, shed.depth_m / 2, shed.height_m
    posts: list[Piece] = []
    for y in (hy, -hy):
        for bay in range(bays + 1):
            x = -hx + 2 * hx * bay / bays
            rise = high + (0.35 if y > 0 else 0.0)
            posts.append(Pole(vector(x, y, 0), vector(x, y, rise), 0.05, colour))
    beams: list[Piece] = []
    for y, rise in ((hy, high + 0.35), (-hy, high)):
        beams.append(Pole(vector(-hx, y, rise), vector(hx, y, rise), 0.05, colour))
        beams.append(Pole(vector(-hx, y, rise / 2), vector(hx, y, rise / 2), 0.03, colour))
    for bay in range(bays + 1):
        x = -hx + 2 * hx * bay / bays
        beams.append(Pole(vector(x, -hy, high), vector(x, hy, high + 0.35), 0.04, colour))
    parts = posts + beams
    return parts[: max(1, round(len(parts) * min(done, 1.0)))]


def _wall(
    shed: Shed, colour: Colour, sheet: texture.Picture, side: int, share: float = 1.0
) -> Face:
    corners = _corners(shed)
    (x0, y0), (x1, y1) = corners[side], corners[(side + 1) % 4]
    x1, y1 = x0 + (x1 - x0) * share, y0 + (y1 - y0) * share
    z0 = shed.height_m + (0.35 if y0 > 0 else 0.0)
    z1 = shed.height_m + (0.35 if y1 > 0 else 0.0)
    return slab([(x0, y0, z0), (x1, y1, z1), (x1, y1, 0), (x0, y0, 0)], colour, texture=sheet)


def _roof(shed: Shed, sheet: texture.Picture, colour: Colour, share: float) -> Face:
    hx, hy, z = shed.width_m / 2 + 0.2, shed.depth_m / 2 + 0.25, shed.height_m
    right = -hx + 2 * hx * share
    lay = [(-hx, hy, z + 0.4), (right, hy, z + 0.4), (right, -hy, z - 0.02), (-hx, -hy, z - 0.02)]
    return slab(lay, colour, texture=sheet, layer=2)


def _steel(rng: Rng, shed: Shed, progress: float) -> list[Piece]:
    """Colour-steel shed: 0–0.35 frame, 0.35–0.75 walls, then the roof; a door at the front."""
    bays = max(2, round(shed.width_m / 1.6))
    rust = texture.pick(rng, [RUST, STEEL], 0.03)
    wall_colour, roof_colour = texture.pick(rng, SHEETS, 0.04), texture.pick(rng, SHEETS[:3], 0.04)
    waves = round(shed.width_m * 5)
    walls = [texture.corrugated((120, 240), wall_colour, rng, waves) for _ in range(4)]
    if rng.random() < 0.35:
        brick = texture.pick(rng, [(0.28, 0.35, 0.6), (0.5, 0.52, 0.55)], 0.04)
        walls = [texture.bricks((120, 240), rng, brick) for _ in range(4)]
    _openings(walls[0], rng)
    pieces = _frame(shed, progress / 0.35, rust, bays)
    if progress < 0.8:
        pieces += _materials(shed, wall_colour)
    for index, side in enumerate((2, 3, 1, 0)):
        share = (progress - 0.35 - 0.1 * index) / 0.1
        if share > 0.05:
            pieces.append(_wall(shed, wall_colour, walls[side], side, min(share, 1.0)))
    if progress > 0.78:
        roof = texture.corrugated((80, 200), roof_colour, rng, waves)
        pieces.append(_roof(shed, roof, roof_colour, min(1.0, (progress - 0.75) / 0.2)))
    return pieces


def _openings(wall: texture.Picture, rng: Rng) -> None:
    height, width = wall.shape[:2]
    left = int(width * rng.uniform(0.1, 0.6))
    span = int(width * rng.uniform(0.15, 0.3))
    wall[int(height * 0.28) :, left : left + span] = rng.uniform(0.05, 0.3)
    wall[int(height * 0.28) : int(height * 0.28) + 3, left : left + span] = 0.6
    if rng.random() < 0.6:
        x = (left + span + 15) % max(1, width - 50)
        wall[int(height * 0.3) : int(height * 0.55), x : x + 36] = (0.35, 0.3, 0.28)


def _materials(shed: Shed, colour: Colour) -> list[Piece]:
    """Sheets and sacks that lie ready."""
    x, y = shed.width_m / 2 + 0.7, -shed.depth_m / 2 + 0.4
    stack = block((x, y, 0), (0.9, 1.4, 0.25), colour)
    for index in range(3):
        stack += block(
            (x - 0.2, y - 1.0 + 0.1 * index, 0.16 * index), (0.6, 0.4, 0.15), (0.6, 0.64, 0.66)
        )
    return stack


def _hut(rng: Rng, shed: Shed, progress: float) -> list[Piece]:
    """A hut of boards and odd sheets."""
    brown = texture.pick(rng, [(0.25, 0.38, 0.5), (0.3, 0.4, 0.45), (0.5, 0.55, 0.58)], 0.06)
    pieces = _frame(shed, progress / 0.3, (0.2, 0.3, 0.42), 2)
    for index, side in enumerate((2, 3, 1, 0)):
        share = (progress - 0.3 - 0.12 * index) / 0.12
        if share <= 0.05:
            continue
        if rng.random() < 0.65:
            boards = texture.planks((100, 160), rng, brown, int(rng.integers(7, 16)))
        else:
            boards = texture.corrugated((100, 160), texture.pick(rng, SHEETS), rng, 16)
        if side == 0:
            _openings(boards, rng)
        pieces.append(_wall(shed, brown, boards, side, min(share, 1.0)))
    if progress > 0.8:
        tarp = texture.cloth(
            (80, 120),
            rng,
            texture.pick(rng, [(0.7, 0.35, 0.1), (0.4, 0.45, 0.5), (0.2, 0.4, 0.2)]),
            None,
        )
        sheet = (
            tarp
            if rng.random() < 0.5
            else texture.corrugated((80, 160), (0.5, 0.52, 0.55), rng, 20)
        )
        pieces.append(_roof(shed, sheet, (0.5, 0.5, 0.5), 1.0))
        for _ in range(4):
            x, y = (
                rng.uniform(-1, 1) * shed.width_m / 2.4,
                rng.uniform(-0.8, 0.8) * shed.depth_m / 2.4,
            )
            z = shed.height_m + 0.2 + 0.13 * y
            pieces += block((x, y, z), (0.3, 0.18, 0.12), (0.3, 0.35, 0.55), layer=3)
    return pieces


def _tarp(rng: Rng, shed: Shed, progress: float) -> list[Piece]:
    """Tarpaulin over poles, open at the front."""
    colour = texture.pick(
        rng, [(0.75, 0.4, 0.12), (0.25, 0.45, 0.2), (0.6, 0.62, 0.65), (0.15, 0.2, 0.6)], 0.05
    )
    pieces = _frame(shed, progress / 0.5, (0.3, 0.42, 0.5), 2)
    if progress <= 0.5:
        return pieces
    sheet = texture.cloth(
        (90, 140), rng, colour, (0.85, 0.85, 0.85) if rng.random() < 0.35 else None
    )
    pieces.append(_roof(shed, sheet, colour, min(1.0, (progress - 0.5) / 0.25)))
    for side in (2, 3, 1):
        if progress > 0.75:
            pieces.append(_wall(shed, colour, sheet * np.float32(0.85), side, 1.0))
    for _ in range(int(rng.integers(3, 8))):
        x, y = rng.uniform(-0.4, 0.4) * shed.width_m, rng.uniform(-0.1, 0.4) * shed.depth_m
        pieces += block((x, y, 0), rng.uniform(0.4, 0.9, 3), texture.any_colour(rng, 0.6))
    return pieces


def _scaffold(rng: Rng, shed: Shed, progress: float) -> list[Piece]:
    """Tube scaffolding with planks and, often, green netting."""
    hx, hy = shed.width_m / 2, shed.depth_m / 2
    levels, bays = max(1, round(shed.height_m / 1.9)), max(2, round(shed.width_m / 1.8))
    colour = texture.pick(rng, [STEEL, (0.2, 0.5, 0.75), RUST], 0.04)
    pieces: list[Piece] = []
    top = shed.height_m * progress
    for bay in range(bays + 1):
        x = -hx + 2 * hx * bay / bays
        pieces += [Pole(vector(x, y, 0), vector(x, y, top), 0.03, colour) for y in (-hy, hy)]
    for level in range(1, levels + 1):
        z = shed.height_m * level / levels
        if z > top + 0.05:
            break
        for y in (-hy, hy):
            pieces.append(Pole(vector(-hx, y, z), vector(hx, y, z), 0.025, colour))
            pieces.append(Pole(vector(-hx, y, z - 0.9), vector(hx, y, z - 0.9), 0.02, colour))
        pieces += block((0, 0, z - 0.08), (2 * hx, 2 * hy, 0.06), (0.3, 0.45, 0.6))
    for bay in range(0, bays, 2):
        x0, x1 = (-hx + 2 * hx * b / bays for b in (bay, bay + 1))
        pieces.append(Pole(vector(x0, -hy, 0), vector(x1, -hy, top), 0.02, colour))
    if rng.random() < 0.6 and progress > 0.7:
        net = texture.pick(rng, [(0.3, 0.5, 0.15), (0.3, 0.45, 0.2), (0.65, 0.4, 0.15)], 0.04)
        low = 0.0 if rng.random() < 0.5 else 2.0
        sheet = [
            (-hx, -hy - 0.05, top),
            (hx, -hy - 0.05, top),
            (hx, -hy - 0.05, low),
            (-hx, -hy - 0.05, low),
        ]
        pieces.append(slab(sheet, net, alpha=float(rng.uniform(0.55, 0.9)), layer=1))
    return pieces


def _concrete(rng: Rng, shed: Shed, progress: float) -> list[Piece]:
    """Storeys of columns and slabs with bare brick and starter bars."""
    grey: Colour = texture.pick(rng, [(0.52, 0.54, 0.55), (0.6, 0.61, 0.61)], 0.03)
    storeys = max(1, round(shed.height_m / 3.0))
    hx, hy = shed.width_m / 2, shed.depth_m / 2
    pieces: list[Piece] = []
    bays = max(2, round(shed.width_m / 2.5))
    for storey in range(storeys):
        base = storey * 3.0
        if progress < (storey + 0.3) / storeys:
            break
        for bay in range(bays + 1):
            x = -hx + 2 * hx * bay / bays
            for y in (-hy, hy):
                pieces += block((x, y, base), (0.28, 0.28, 2.8), grey)
        if progress > (storey + 0.6) / storeys:
            pieces += block((0, 0, base + 2.8), (2 * hx + 0.4, 2 * hy + 0.4, 0.2), grey)
        wall = texture.bricks(
            (90, 160), rng, texture.pick(rng, [(0.28, 0.35, 0.62), (0.5, 0.52, 0.55)])
        )
        back = [(-hx, hy, base + 2.8), (hx, hy, base + 2.8), (hx, hy, base), (-hx, hy, base)]
        pieces.append(slab(back, grey, texture=wall))
        if rng.random() < 0.6:
            bay = int(rng.integers(bays))
            x0, x1 = (-hx + 2 * hx * b / bays for b in (bay, bay + 1))
            rise = base + rng.uniform(0.8, 2.6)
            front = [(x0, -hy, rise), (x1, -hy, rise), (x1, -hy, base), (x0, -hy, base)]
            pieces.append(slab(front, grey, texture=wall))
    top = storeys * 3.0 * (1.0 if progress > 0.9 else progress)
    for bay in range(bays + 1):
        x = -hx + 2 * hx * bay / bays
        for k in (-0.08, 0.08):
            pieces.append(Pole(vector(x + k, -hy, top), vector(x + k, -hy, top + 0.8), 0.012, RUST))
    return pieces


def _container(rng: Rng, shed: Shed, progress: float) -> list[Piece]:
    """A site container."""
    del progress
    colour = texture.pick(
        rng, [(0.8, 0.8, 0.78), (0.6, 0.35, 0.12), (0.2, 0.25, 0.6), (0.3, 0.45, 0.25)], 0.05
    )
    side = texture.corrugated((100, 240), colour, rng, 40)
    _openings(side, rng)
    length = max(4.0, shed.width_m)
    return block((0, 0, 0.1), (length, 2.4, 2.5), colour, texture=side)


BUILDERS = {
    "steel": _steel,
    "hut": _hut,
    "tarp": _tarp,
    "scaffold": _scaffold,
    "concrete": _concrete,
    "container": _container,
}
