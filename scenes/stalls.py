"""Street stalls: table, tent, food cart, tricycle, cloth on the ground, clothes rail."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from scenes import texture
from scenes.people import Look, Posture, any_look, person
from scenes.solid import Ball, Piece, Pole, block, place, slab, spoked, vector, wheel
from scenes.texture import Colour, Rng

KINDS = ("table", "tent", "cart", "tricycle", "cloth", "rail")
METAL: Colour = (0.55, 0.56, 0.56)


@dataclass(frozen=True)
class Stall:
    """A stall by its kind and seed; the customer's side faces the camera (-y)."""

    kind: str = "table"
    seed: int = 0
    seller: Look | None = None

    @property
    def footprint(self) -> tuple[float, float]:
        """Length along the front and depth in metres."""
        return FOOTPRINTS[self.kind]


FOOTPRINTS = {
    "table": (2.0, 1.9),
    "tent": (3.0, 2.6),
    "cart": (1.7, 1.7),
    "tricycle": (2.6, 1.8),
    "cloth": (2.0, 1.7),
    "rail": (2.3, 1.7),
}


def any_stall(rng: Rng, kind: str | None = None) -> Stall:
    """A random stall."""
    chosen = kind or str(rng.choice(KINDS, p=[0.26, 0.18, 0.17, 0.17, 0.12, 0.1]))
    return Stall(chosen, int(rng.integers(1 << 30)), any_look(rng, seller=True))


LAMP = 0.45
"""How strongly a stall's own lamp lights it in the dark."""


def lamp_pool(stall: Stall, x: float, y: float) -> tuple[tuple[float, float], ...]:
    """The ground that the lamp of a stall at (x, y) lights up; three in four have one."""
    if stall.seed % 4 == 0:
        return ()
    turns = (2 * math.pi * step / 12 for step in range(12))
    return tuple((x + 1.9 * math.cos(a), y + 1.5 * math.sin(a)) for a in turns)


@lru_cache(maxsize=64)
def build(stall: Stall, progress: float = 1.0) -> tuple[Piece, ...]:
    """The stall's pieces around its centre; `progress` 0..1 shows it being set up."""
    parts = BUILDERS[stall.kind](np.random.default_rng(stall.seed))
    shown = max(1, math.ceil(len(parts) * min(progress, 1.0)))
    return tuple(piece for part in parts[:shown] for piece in part)


def seller(stall: Stall, *, reach: float = 0.0, turned: int = 0) -> list[Piece]:
    """The seller in place; `reach` lifts the arms, `turned` picks where the seller looks."""
    if not stall.seller:
        return []
    facing = ("front", "left", "right", "front")[turned % 4]
    sitting = stall.kind == "cloth" and stall.seed % 2 == 0
    x, y = _spot(stall)
    body = person(stall.seller, Posture(facing, sitting=sitting, reach=reach), x, y)
    stool = block((x, y + 0.05, 0), (0.3, 0.28, 0.38), (0.3, 0.35, 0.6)) if sitting else []
    return [*stool, body]


def _spot(stall: Stall) -> tuple[float, float]:
    side = -1 if stall.seed % 3 == 0 else 1
    match stall.kind:
        case "tricycle":
            return side * 0.5, 0.75
        case "tent":
            return side * 0.6, 0.65
        case "cloth":
            return side * 0.3, 0.75
        case _:
            return side * 0.35, 0.7


def umbrella(rng: Rng, x: float, y: float, radius: float, height: float) -> list[Piece]:
    """A market umbrella on a pole."""
    first = texture.any_colour(rng, rng.uniform(0.1, 0.6))
    second = first if rng.random() < 0.45 else texture.any_colour(rng, 0.35)
    top, sides = height + radius * 0.32, 8
    pieces: list[Piece] = [Pole(vector(x, y, 0), vector(x, y, top), 0.025, METAL, -1)]
    for index in range(sides):
        a0, a1 = (2 * math.pi * (index + k) / sides for k in (0, 1))
        rim = [(x + radius * math.cos(a), y + radius * math.sin(a), height) for a in (a0, a1)]
        colour = first if index % 2 else second
        pieces.append(slab([(x, y, top), *rim], colour, layer=2))
        hang = [(px, py, height - 0.13) for px, py, _ in reversed(rim)]
        pieces.append(
            slab([*rim, *hang], (colour[0] * 0.85, colour[1] * 0.85, colour[2] * 0.85), layer=1)
        )
    return pieces


def canopy(rng: Rng, width: float, depth: float, height: float) -> list[Piece]:
    """A folding tent: four posts, a pyramid roof and a valance."""
    base = texture.pick(
        rng,
        [
            (0.15, 0.12, 0.7),
            (0.7, 0.25, 0.1),
            (0.2, 0.5, 0.15),
            (0.85, 0.85, 0.85),
            (0.1, 0.55, 0.85),
        ],
    )
    second = (0.88, 0.88, 0.88) if rng.random() < 0.3 else None
    hx, hy = width / 2, depth / 2
    corners = [(-hx, -hy), (hx, -hy), (hx, hy), (-hx, hy)]
    pieces: list[Piece] = [
        Pole(vector(cx, cy, 0), vector(cx, cy, height), 0.03, METAL, -1 if cy > 0 else 1)
        for cx, cy in corners
    ]
    top = height + 0.28 * depth
    for i in range(4):
        (x0, y0), (x1, y1) = corners[i], corners[(i + 1) % 4]
        cloth = texture.cloth((48, 96), rng, base, second)
        roof = [
            (x0 * 0.12, y0 * 0.12, top),
            (x1 * 0.12, y1 * 0.12, top),
            (x1, y1, height),
            (x0, y0, height),
        ]
        pieces.append(slab(roof, base, texture=cloth, layer=2))
        valance = [
            (x0, y0, height),
            (x1, y1, height),
            (x1, y1, height - 0.22),
            (x0, y0, height - 0.22),
        ]
        strip = texture.cloth((24, 96), rng, base, second)
        if rng.random() < 0.5:
            texture.glyphs(strip, rng, (0.95, 0.95, 0.95), 6, (4, 3, 88, 18))
        pieces.append(slab(valance, base, texture=strip, layer=2))
    return pieces


def _kind_of_goods(rng: Rng) -> str:
    return str(rng.choice(["fruit", "clothes", "trinkets", "food"], p=[0.45, 0.15, 0.25, 0.15]))


def _tabletop(
    rng: Rng, size: tuple[float, float], height: float, y: float, kind: str, *, tilt: float = 0.0
) -> list[Piece]:
    """Goods on a board: a tray picture and things that stand out of it."""
    width, depth = size
    hx, y0, y1 = width / 2, y - depth / 2, y + depth / 2
    top = texture.goods(rng, kind)
    lay = [(-hx, y1, height + tilt), (hx, y1, height + tilt), (hx, y0, height), (-hx, y0, height)]
    pieces: list[Piece] = [slab(lay, (0.5, 0.5, 0.5), texture=top)]
    for _ in range(int(rng.integers(4, 14))):
        x, across = rng.uniform(-hx + 0.1, hx - 0.1), rng.uniform(y0 + 0.1, y1 - 0.1)
        z = height + tilt * (across - y0) / depth
        colour = (
            texture.pick(rng, texture.FRUIT) if kind == "fruit" else texture.any_colour(rng, 0.3)
        )
        if kind == "fruit" and rng.random() < 0.8:
            radius = rng.uniform(0.05, 0.1)
            pieces.append(Ball(vector(x, across, z + radius * 0.7), radius, colour))
        else:
            pieces += block((x, across, z), rng.uniform(0.1, 0.28, 3), colour)
    return pieces


def _table(rng: Rng) -> list[list[Piece]]:
    width, depth, height = rng.uniform(1.4, 2.2), rng.uniform(0.65, 0.95), rng.uniform(0.65, 0.85)
    colour = texture.any_colour(rng, 0.4)
    striped = texture.any_colour(rng, 0.5) if rng.random() < 0.3 else None
    skirt = texture.cloth((48, 120), rng, colour, striped)
    frame: list[Piece]
    if rng.random() < 0.65:
        frame = block((0, -0.2, 0), (width, depth, height), colour, texture=skirt)
    else:
        frame = block((0, -0.2, height - 0.06), (width, depth, 0.06), (0.4, 0.5, 0.6))
        for sx in (-1, 1):
            for sy in (-1, 1):
                foot = vector(sx * width * 0.46, -0.2 + sy * depth * 0.42, 0)
                frame.append(Pole(foot, foot + vector(0, 0, height - 0.05), 0.02, METAL))
        for _ in range(int(rng.integers(1, 4))):
            box = (rng.uniform(-width / 3, width / 3), -0.15, 0)
            frame += block(
                box, (0.45, 0.35, 0.3), (0.35, 0.5, 0.65), texture=texture.carton((32, 48), rng)
            )
    parts = [
        frame,
        _tabletop(
            rng, (width, depth), height + 0.01, -0.2, _kind_of_goods(rng), tilt=rng.uniform(0, 0.15)
        ),
    ]
    roll = rng.random()
    if roll < 0.7:
        parts.append(
            umbrella(
                rng, rng.uniform(-0.4, 0.4), 0.35, rng.uniform(1.05, 1.5), rng.uniform(1.95, 2.25)
            )
        )
    if rng.random() < 0.7:
        parts.append(_crates(rng, width))
    return parts


def _crates(rng: Rng, width: float) -> list[Piece]:
    pieces: list[Piece] = []
    for _ in range(int(rng.integers(1, 4))):
        x = rng.choice([-1, 1]) * (width / 2 + rng.uniform(0.1, 0.35))
        y = rng.uniform(-0.5, 0.3)
        if rng.random() < 0.5:
            board = texture.carton((32, 48), rng)
            pieces += block(
                (x, y, 0), (0.45, 0.35, rng.uniform(0.25, 0.4)), (0.35, 0.5, 0.65), texture=board
            )
        else:
            colour = texture.any_colour(rng, 0.15)
            filled = texture.pile((32, 40), rng, texture.pick(rng, texture.FRUIT), 4)
            pieces += block((x, y, 0), (0.5, 0.36, 0.28), colour, top=filled)
    return pieces


def _tent(rng: Rng) -> list[list[Piece]]:
    width, depth = rng.uniform(2.4, 3.0), rng.uniform(2.0, 2.6)
    parts = [canopy(rng, width, depth, rng.uniform(1.95, 2.2))]
    kind = _kind_of_goods(rng)
    colour = texture.any_colour(rng, 0.4)
    skirt = texture.cloth((48, 120), rng, colour, None)
    front = -depth / 2 + 0.45
    table = block((0, front, 0), (width - 0.3, 0.7, 0.75), colour, texture=skirt)
    parts.append(table)
    parts.append(_tabletop(rng, (width - 0.3, 0.7), 0.76, front, kind, tilt=0.08))
    if rng.random() < 0.4:
        back = texture.cloth((64, 96), rng, texture.any_colour(rng, 0.5), None)
        wall = [
            (-width / 2, depth / 2, 2),
            (width / 2, depth / 2, 2),
            (width / 2, depth / 2, 0.2),
            (-width / 2, depth / 2, 0.2),
        ]
        parts.insert(0, [slab(wall, colour, texture=back, layer=-2)])
    return parts


def _cart(rng: Rng) -> list[list[Piece]]:
    colour = texture.pick(
        rng, [(0.7, 0.72, 0.74), (0.2, 0.2, 0.7), (0.15, 0.5, 0.85), (0.35, 0.55, 0.3)]
    )
    width, depth = rng.uniform(1.2, 1.7), rng.uniform(0.6, 0.8)
    sign = texture.plain((30, 100), texture.any_colour(rng, 0.05))
    texture.glyphs(sign, rng, (0.95, 0.95, 0.95), 4, (4, 3, 92, 24))
    body = block((0, -0.1, 0.28), (width, depth, 0.6), colour, texture=_panel(rng, colour))
    for sx in (-0.6, 0.6):
        body += wheel(vector(sx * width / 2 * 1.1, -0.1 - depth / 2 - 0.01, 0.17), 0.17)
    parts: list[list[Piece]] = [body, _tabletop(rng, (width, depth), 0.89, -0.1, "food")]
    glass: list[Piece] = []
    for x in (-width / 2, width / 2):
        glass += [
            Pole(vector(x, y, 0.88), vector(x, y, 1.75), 0.02, METAL)
            for y in (-0.1 - depth / 2, -0.1 + depth / 2)
        ]
    front = -0.1 - depth / 2
    pane = [
        (-width / 2, front, 1.45),
        (width / 2, front, 1.45),
        (width / 2, front, 0.9),
        (-width / 2, front, 0.9),
    ]
    glass.append(slab(pane, (0.75, 0.75, 0.72), alpha=0.25, layer=1))
    parts.append(glass)
    roof = block(
        (0, -0.1, 1.75), (width + 0.25, depth + 0.3, 0.05), texture.any_colour(rng, 0.3), layer=1
    )
    board = [
        (-width / 2, front - 0.1, 2.08),
        (width / 2, front - 0.1, 2.08),
        (width / 2, front - 0.1, 1.74),
        (-width / 2, front - 0.1, 1.74),
    ]
    roof.append(slab(board, (1, 1, 1), texture=sign, glow=0.15, layer=2))
    parts.append(roof)
    if rng.random() < 0.4:
        parts.append(umbrella(rng, 0.3, 0.4, 1.1, 2.05))
    return parts


def _panel(rng: Rng, colour: Colour) -> texture.Picture:
    picture = texture.plain((48, 100), colour)
    if rng.random() < 0.7:
        texture.glyphs(
            picture, rng, texture.any_colour(rng, 0.1), int(rng.integers(3, 6)), (8, 12, 84, 24)
        )
    return texture.rough(picture, rng, 24, 0.08)


def frame_tricycle(rng: Rng, colour: Colour) -> list[Piece]:
    """A cargo tricycle without its load, front wheel to the right."""
    pieces: list[Piece] = []
    for y in (-0.42, 0.42):
        pieces += spoked(vector(-0.75, y, 0.3), 0.3, METAL)
    pieces += spoked(vector(1.05, 0, 0.3), 0.3, METAL)
    pieces += [
        Pole(vector(1.05, 0, 0.3), vector(0.9, 0, 1.0), 0.025, colour),
        Pole(vector(0.95, 0, 0.75), vector(0.2, 0, 0.4), 0.03, colour),
        Pole(vector(0.2, 0, 0.4), vector(0.35, 0, 0.85), 0.025, colour),
        Pole(vector(0.9, -0.28, 1.02), vector(0.9, 0.28, 1.02), 0.02, (0.1, 0.1, 0.1)),
        Pole(vector(0.2, 0, 0.4), vector(-0.7, 0, 0.4), 0.04, colour),
    ]
    pieces += block((0.35, 0, 0.85), (0.28, 0.2, 0.07), (0.1, 0.1, 0.1))
    pieces += block((-0.6, 0, 0.45), (1.3, 0.95, 0.32), colour, texture=_panel(rng, colour))
    return pieces


def _tricycle(rng: Rng) -> list[list[Piece]]:
    colour = texture.pick(
        rng, [(0.6, 0.3, 0.12), (0.15, 0.15, 0.6), (0.2, 0.45, 0.2), (0.5, 0.5, 0.5)]
    )
    parts: list[list[Piece]] = [frame_tricycle(rng, colour)]
    heap: list[Piece] = []
    if rng.random() < 0.6:
        tone, radius = texture.pick(rng, texture.FRUIT), rng.uniform(0.06, 0.13)
        for level in range(3):
            count = int(26 - level * 9)
            for _ in range(count):
                x = rng.uniform(-0.58 + 0.12 * level, 0.58 - 0.12 * level) - 0.6
                y = rng.uniform(-0.42 + 0.1 * level, 0.42 - 0.1 * level)
                shade = np.clip(np.array(tone) * rng.uniform(0.8, 1.2), 0, 1)
                spot = vector(x, y, 0.76 + radius * (0.6 + 1.3 * level))
                heap.append(Ball(spot, radius, (float(shade[0]), float(shade[1]), float(shade[2]))))
    else:
        board = _tabletop(rng, (1.5, 1.05), 0.8, 0.0, _kind_of_goods(rng), tilt=0.1)
        heap = place(board, -0.6, 0.0)
    parts.append(heap)
    if rng.random() < 0.6:
        parts.append(umbrella(rng, -0.4, 0.4, rng.uniform(1.0, 1.3), 2.0))
    if rng.random() < 0.4:
        sign = texture.plain((40, 50), texture.pick(rng, [(0.3, 0.45, 0.6), (0.9, 0.9, 0.9)]))
        texture.glyphs(sign, rng, (0.1, 0.1, 0.5), 3, (4, 4, 42, 32))
        front = [(-1.0, -0.52, 0.95), (-0.4, -0.52, 0.95), (-0.4, -0.52, 0.5), (-1.0, -0.52, 0.5)]
        parts.append([slab(front, (1, 1, 1), texture=sign)])
    return parts


def _cloth(rng: Rng) -> list[list[Piece]]:
    width, depth = rng.uniform(1.4, 2.2), rng.uniform(0.8, 1.3)
    hx, front = width / 2, -0.2 - depth / 2
    sheet = texture.cloth((60, 100), rng, texture.any_colour(rng, 0.3), None)
    kind = _kind_of_goods(rng)
    lay = [
        (-hx, front + depth, 0.02),
        (hx, front + depth, 0.02),
        (hx, front, 0.02),
        (-hx, front, 0.02),
    ]
    parts: list[list[Piece]] = [[slab(lay, (0.5, 0.5, 0.5), texture=sheet, layer=-2)]]
    parts.append(_tabletop(rng, (width * 0.86, depth * 0.84), 0.05, -0.2, kind))
    heaps: list[Piece] = []
    for _ in range(int(rng.integers(3, 8))):
        x, y = rng.uniform(-hx + 0.2, hx - 0.2), rng.uniform(front + 0.2, front + depth - 0.2)
        if rng.random() < 0.5:
            filled = texture.pile((32, 40), rng, texture.pick(rng, texture.FRUIT), 4)
            heaps += block(
                (x, y, 0.03), (0.42, 0.32, 0.2), texture.any_colour(rng, 0.2), top=filled
            )
        else:
            tone = texture.pick(rng, texture.FRUIT)
            for _ in range(12):
                spot = vector(x + rng.normal(0, 0.11), y + rng.normal(0, 0.09), 0.09)
                heaps.append(Ball(spot, 0.07, tone))
    parts.append(heaps)
    if rng.random() < 0.35:
        parts.append(umbrella(rng, 0.2, 0.6, rng.uniform(1.0, 1.3), 1.9))
    return parts


def _rail(rng: Rng) -> list[list[Piece]]:
    width, height = rng.uniform(1.6, 2.3), rng.uniform(1.5, 1.75)
    frame: list[Piece] = []
    for x in (-width / 2, width / 2):
        frame.append(Pole(vector(x, 0.1, 0), vector(x, 0.1, height), 0.02, METAL))
        frame.append(Pole(vector(x, -0.2, 0.02), vector(x, 0.4, 0.02), 0.02, METAL))
    frame.append(Pole(vector(-width / 2, 0.1, height), vector(width / 2, 0.1, height), 0.02, METAL))
    clothes: list[Piece] = []
    x = -width / 2 + 0.08
    while x < width / 2 - 0.1:
        span, drop = rng.uniform(0.12, 0.4), rng.uniform(0.6, 1.05)
        cloth = texture.cloth((40, 20), rng, texture.any_colour(rng, 0.3), None)
        hang = [
            (x + span * 0.2, 0.1, height - 0.04),
            (x + span * 0.8, 0.1, height - 0.04),
            (x + span, 0.06, height - drop),
            (x, 0.06, height - drop),
        ]
        clothes.append(slab(hang, (0.5, 0.5, 0.5), texture=cloth))
        x += span * rng.uniform(0.5, 0.95)
    parts: list[list[Piece]] = [frame, clothes]
    low = _tabletop(rng, (width * 0.8, 0.6), 0.45, -0.5, "clothes")
    stand = block((0, -0.5, 0), (width * 0.8, 0.6, 0.44), texture.any_colour(rng, 0.6))
    if rng.random() < 0.6:
        parts += [stand, low]
    return parts


BUILDERS = {
    "table": _table,
    "tent": _tent,
    "cart": _cart,
    "tricycle": _tricycle,
    "cloth": _cloth,
    "rail": _rail,
}
