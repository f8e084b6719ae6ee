"""Actors with a timeline: who is where at which second, and what they look like then."""

from __future__ import annotations

import math
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from scenes import people, refuse, sheds, stalls, traffic
from scenes.camera import Camera
from scenes.people import Look, Posture
from scenes.picture import Thing
from scenes.refuse import Heap
from scenes.sheds import Shed
from scenes.solid import Piece, Stand, place
from scenes.stalls import Stall
from scenes.traffic import Vehicle

STRIDE_M = 1.35
WALK_M_S = 1.25
FIDGET_S = 2.4
CLEAN_SHARE = 0.12


@dataclass(frozen=True)
class Bins:
    """A row of wheeled bins that may overflow with `pieces_n` things."""

    seed: int = 0
    bins: int = 2
    pieces_n: int = 12


@dataclass(frozen=True)
class Bag:
    """One bag or a few, left somewhere."""

    seed: int = 0
    count: int = 2


Spec = Look | Stall | Heap | Bins | Bag | Shed | Vehicle
Track = tuple[tuple[float, float, float], ...]
Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Actor:
    """Something that appears, moves, grows and goes.

    `track`: (second, x, y) in street metres; the actor exists from the first to the last.
    `growth`: (second, 0..1), how far it is set up, filled or built; always 1 when empty.
    `tended`: spans in which a stall's seller stands in it; the stall's whole life when None.
    """

    id: str
    spec: Spec
    track: Track
    growth: Curve = ()
    turn_deg: float = 0.0
    tended: tuple[tuple[float, float], ...] | None = None
    facing: str | None = None

    @property
    def from_s(self) -> float:
        """When it appears."""
        return self.track[0][0]

    @property
    def until_s(self) -> float:
        """When it is gone."""
        return self.track[-1][0]

    def things(self, at_s: float, camera: Camera) -> list[Thing]:
        """What there is to draw at this second."""
        if not self.from_s <= at_s < self.until_s:
            return []
        match self.spec:
            case Look():
                made = [self._person(self.spec, at_s, camera)]
            case Stall():
                made = self._stall(self.spec, at_s)
            case Vehicle():
                made = self._vehicle(self.spec, at_s, camera)
            case Shed():
                made = self._grown(self.spec, at_s, "illegal_structure", 0.0)
            case Bins():
                made = self._grown(self.spec, at_s, "garbage", CLEAN_SHARE)
            case Heap() | Bag():
                made = self._grown(self.spec, at_s, "garbage", 0.0)
        return made

    def at(self, at_s: float) -> tuple[float, float]:
        """Where it is, in street metres."""
        times = [t for t, _, _ in self.track]
        return (
            float(np.interp(at_s, times, [x for _, x, _ in self.track])),
            float(np.interp(at_s, times, [y for _, _, y in self.track])),
        )

    def _share(self, at_s: float) -> float:
        if not self.growth:
            return 1.0
        share = np.interp(at_s, [t for t, _ in self.growth], [g for _, g in self.growth])
        return float(math.floor(share * 24 + 0.5) / 24)

    def _going(self, at_s: float) -> tuple[float, float, float]:
        """Direction (x, y) and speed in m/s of the present leg."""
        times = [t for t, _, _ in self.track]
        leg = min(max(bisect_right(times, at_s), 1), len(times) - 1)
        (t0, x0, y0), (t1, x1, y1) = self.track[leg - 1], self.track[leg]
        span = max(t1 - t0, 1e-6)
        return x1 - x0, y1 - y0, math.hypot(x1 - x0, y1 - y0) / span

    def _chance(self, at_s: float) -> int:
        return zlib.crc32(f"{self.id}/{int(at_s // FIDGET_S)}".encode())

    def _person(self, look: Look, at_s: float, camera: Camera) -> Thing:
        x, y = self.at(at_s)
        dx, dy, speed = self._going(at_s)
        walking = speed > 0.15
        if walking:
            phase = (speed * (at_s - self.from_s) / STRIDE_M) % 1.0
            posture = Posture(facing(dx, dy, camera), phase, walking=True)
        else:
            chance = self._chance(at_s)
            stance = self.facing or ("front", "left", "right")[zlib.crc32(self.id.encode()) % 3]
            posture = Posture(stance, reach=(chance % 5) / 8)
        return Thing(self.id, (("person", self.id),), (people.person(look, posture, x, y),))

    def _stall(self, stall: Stall, at_s: float) -> list[Thing]:
        x, y = self.at(at_s)
        share = self._share(at_s)
        box = ("street_vending", self.id)
        key = (self.id, stall, round(x, 2), round(y, 2), share)
        pieces = place(stalls.build(stall, share), x, y, self.turn_deg)
        pool = stalls.lamp_pool(stall, x, y)
        lamp = stalls.LAMP if pool else 0.0
        made = [Thing(self.id, (box,), tuple(pieces), key, pool, lamp)]
        if self.tended is None or any(a <= at_s < b for a, b in self.tended):
            chance = self._chance(at_s)
            reach, turned = (chance % 5) / 4, (chance >> 8) % 4
            stand = place(stalls.seller(stall, reach=reach, turned=turned), x, y, self.turn_deg)
            name = f"{self.id}-seller"
            if stand:
                pose = (name, round(x, 2), round(y, 2), reach, turned)
                made.append(Thing(name, (box, ("person", name)), tuple(stand), pose, (), lamp))
        return made

    def _grown(
        self, spec: Heap | Bins | Bag | Shed, at_s: float, label: str, least: float
    ) -> list[Thing]:
        share = self._share(at_s)
        x, y = self.at(at_s)
        key = (self.id, spec, round(x, 2), round(y, 2), share)
        labels = ((label, self.id),) if share > least else ()
        pieces = place(_built(spec, share), x, y, self.turn_deg)
        return [Thing(self.id, labels, tuple(pieces), key)]

    def _vehicle(self, vehicle: Vehicle, at_s: float, camera: Camera) -> list[Thing]:
        x, y = self.at(at_s)
        dx, dy, speed = self._going(at_s)
        turn = self.turn_deg
        if speed > 0.3:
            turn = math.degrees(math.atan2(dy, dx))
        c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        pieces = place(traffic.build(vehicle, facing(c, s, camera)), x, y, turn)
        body = tuple(piece for piece in pieces if not isinstance(piece, Stand))
        rider = tuple(piece for piece in pieces if isinstance(piece, Stand))
        key = None if speed > 0.01 else (self.id, round(x, 2), round(y, 2))
        label = traffic.LABELS[vehicle.kind]
        beam = _beam(x, y, turn, traffic.LENGTHS[vehicle.kind]) if vehicle.lamps else ()
        made = [Thing(self.id, ((label, self.id),), body, key, beam)]
        if rider:
            name = f"{self.id}-rider"
            made.append(Thing(name, (("person", name),), rider))
        return made


@lru_cache(maxsize=64)
def _built(spec: Heap | Bins | Bag | Shed, share: float) -> tuple[Piece, ...]:
    match spec:
        case Heap():
            pieces = refuse.heap(spec, share)
        case Bins():
            pieces = refuse.overflowing(spec.seed, spec.bins, share, spec.pieces_n)
        case Bag():
            rng = np.random.default_rng(spec.seed)
            pieces = [
                refuse.bag(spec.seed * 7 + i, rng.normal(0, 0.28), rng.normal(0, 0.15), 0.0, 0.6)
                for i in range(spec.count)
            ]
        case Shed():
            pieces = sheds.build(spec, share)
    return tuple(pieces)


def facing(dx: float, dy: float, camera: Camera) -> str:
    """How a body that goes in a direction of the street is seen: left, right, front or back."""
    right = float(np.array([dx, dy, 0.0]) @ camera.rotation[0])
    away = float(np.array([dx, dy, 0.0]) @ camera.rotation[2])
    if abs(right) > 0.5 * abs(away):
        return "right" if right > 0 else "left"
    return "back" if away > 0 else "front"


def _beam(x: float, y: float, turn_deg: float, length: float) -> tuple[tuple[float, float], ...]:
    c, s = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    nose = length / 2 + 0.3
    shape = ((nose, -0.6), (nose + 7, -2.2), (nose + 9, 0.0), (nose + 7, 2.2), (nose, 0.6))
    return tuple((x + a * c - b * s, y + a * s + b * c) for a, b in shape)
