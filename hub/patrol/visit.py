"""What a true visit of a grid is, what only looks like one, and the visits of a track.

Driving past is no visit, nor is parking: what counts are the seconds spent in a grid at the pace of
somebody who looks. Half of a leg from one grid to another counts for each of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from hub.grid.geodesy import metres_per_degree
from hub.patrol.errors import PatrolError
from hub.patrol.stand import Stand, stands
from hub.store import from_ms, to_ms
from hub.tracks.cleaning import KMH
from hub.tracks.point import Point

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OUTSIDE = -1


@dataclass(frozen=True, slots=True)
class VisitSettings:
    """What makes a visit.

    `pace_kmh`: nobody looks at a street when faster. `dwell_s`: so many seconds at that pace.
    `leg_max_s`: between points further apart in time nobody knows. `again_s`: whoever comes back
    sooner is still at the same visit. Who keeps within `stand_m` of a place for `stand_s` stands
    there; for longer than `park_s` he is parked, and looks at nothing.
    """

    pace_kmh: float = 20.0
    dwell_s: float = 20.0
    leg_max_s: float = 120.0
    again_s: float = 900.0
    stand_m: float = 20.0
    stand_s: float = 60.0
    park_s: float = 900.0

    def __post_init__(self) -> None:
        """Raises PatrolError for a setting that is no positive number."""
        for setting in fields(self):
            value = getattr(self, setting.name)
            if not 0 < value < float("inf"):
                raise PatrolError(f"{setting.name} {value!r} is not allowed (a number above 0)")


DEFAULT_VISIT = VisitSettings()


class Manner(StrEnum):
    """How somebody was in a grid: he looked long enough, was only parked there, or only passed.

    Only who `looked` made a visit that counts. Who passed was too fast or too short.
    """

    LOOKED = "looked"
    PARKED = "parked"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Way:
    """What somebody did in a grid: seconds, of those moving slowly and standing; metres so moved.

    `inside_s` less the others are the seconds too fast. `passes`: how often he came in.
    """

    inside_s: float
    moving_s: float
    standing_s: float
    slow_m: float
    passes: int


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody was in a grid; `slow_s` are the seconds at the pace of somebody who looks.

    `start`, `end`: the first and last such moment, of a token visit those of being there.
    `way` is None where it was judged before that was kept.
    """

    grid: str
    start: datetime
    end: datetime
    slow_s: float
    manner: Manner = Manner.LOOKED
    way: Way | None = None


@dataclass(frozen=True, slots=True)
class Legs:
    """The ways between the believed points of a track.

    `metres` and `kmh` of each; leg i goes from point i to point i + 1. `at_ms`, `east_m`,
    `north_m`: when and where the points are.
    """

    metres: Floats
    kmh: Floats
    at_ms: Ints
    east_m: Floats
    north_m: Floats

    @property
    def start_ms(self) -> Ints:
        """When each begins."""
        return self.at_ms[:-1]

    @property
    def end_ms(self) -> Ints:
        """When each ends."""
        return self.at_ms[1:]

    @classmethod
    def of(cls, points: Sequence[Point]) -> "Legs":
        """The legs of points in order of time."""
        ms = np.array([to_ms(point.at) for point in points], dtype=np.int64)
        lats = np.array([point.lat for point in points])
        lons = np.array([point.lon for point in points])
        seconds = np.diff(ms) / 1000
        north, east = metres_per_degree(float(lats.mean())) if len(lats) else (0.0, 0.0)
        y, x = lats * north, lons * east
        metres = np.hypot(np.diff(y), np.diff(x))
        kmh = np.divide(metres * KMH, seconds, out=np.full(len(seconds), np.inf), where=seconds > 0)
        return cls(metres, kmh, ms, x, y)


class Going(IntEnum):
    """How a leg was gone. What stands briefly still looks."""

    FAST = 0
    MOVING = 1
    STANDING = 2
    PARKED = 3


@dataclass(frozen=True, slots=True)
class Walk:
    """A track with what its legs say, whatever the grids.

    `known`: the numbers of those short enough to say anything; `going` of each of them (Going).
    """

    legs: Legs
    known: Ints
    going: Ints
    parked: tuple[Stand, ...]

    @classmethod
    def of(cls, points: Sequence[Point], settings: VisitSettings) -> "Walk":
        """The walk of believed points in order of time."""
        legs = Legs.of(points)
        stood = stands(
            legs.east_m.tolist(), legs.north_m.tolist(), legs.at_ms.tolist(),
            within_m=settings.stand_m, least_s=settings.stand_s, silence_s=settings.leg_max_s,
        )  # fmt: skip
        parked = tuple(each for each in stood if each.ms > settings.park_s * 1000)
        lasts = legs.end_ms - legs.start_ms
        known = np.nonzero((lasts > 0) & (lasts <= settings.leg_max_s * 1000))[0]
        going = np.full(len(lasts), Going.MOVING)
        for each in stood:
            going[each.first : each.last] = Going.STANDING
        going[legs.kmh > settings.pace_kmh] = Going.FAST
        for each in parked:
            going[each.first : each.last] = Going.PARKED
        return cls(legs, known, going[known], parked)


def visits(
    points: Sequence[Point],
    codes: Sequence[str | None],
    settings: VisitSettings = DEFAULT_VISIT,
) -> list[Visit]:
    """The visits of a track, true ones and token ones, by start.

    `points` are believed points in order of time, `codes` the grid of each, None outside.
    """
    names = [code for code in dict.fromkeys(codes) if code is not None]
    number: dict[str | None, int] = {code: n for n, code in enumerate(names)}
    numbers = np.array([number.get(code, OUTSIDE) for code in codes], dtype=np.int64)
    return visits_of_walk(Walk.of(points, settings), numbers, names, settings)


def visits_of_walk(
    walk: Walk, numbers: Ints, names: Sequence[str], settings: VisitSettings = DEFAULT_VISIT
) -> list[Visit]:
    """The visits of a walk, by start; `numbers` says for each point its grid within `names`."""
    found: list[Visit] = []
    here: dict[int, _Stay] = {}
    before = OUTSIDE
    for grid, piece in _pieces(walk, _settled(walk.parked, numbers)):
        if grid != OUTSIDE:
            stay = here.get(grid)
            if stay is not None and stay.is_over(piece, settings.again_s * 1000):
                found.append(stay.visit(names[grid], settings))
                stay = None
            if stay is None:
                stay = here[grid] = _Stay(piece.begin_ms)
            stay.add(piece, comes_in=grid != before)
        before = grid
    found += [stay.visit(names[grid], settings) for grid, stay in here.items()]
    return sorted(found, key=lambda visit: (visit.start, visit.grid))


@dataclass(frozen=True, slots=True)
class _Piece:
    """Halves of legs within one grid, one after another and gone alike."""

    going: int
    begin_ms: int
    until_ms: int
    metres: float


@dataclass(slots=True)
class _Stay:
    """What somebody did in a grid so far, milliseconds; None where he never did."""

    begin_ms: int
    until_ms: int = 0
    fast_ms: int = 0
    moving_ms: int = 0
    standing_ms: int = 0
    parked_ms: int = 0
    slow_m: float = 0.0
    passes: int = 0
    slow_until_ms: int | None = None
    looks_from_ms: int | None = None
    looks_until_ms: int = 0

    def is_over(self, piece: _Piece, again_ms: float) -> bool:
        """Whether who comes now makes another visit; racing past in between keeps none going."""
        if piece.begin_ms - self.until_ms > again_ms:
            return True
        if piece.going == Going.FAST or self.slow_until_ms is None:
            return False
        return piece.begin_ms - self.slow_until_ms > again_ms

    def add(self, piece: _Piece, *, comes_in: bool) -> None:
        begin_ms, until_ms, going = piece.begin_ms, piece.until_ms, piece.going
        self.until_ms = until_ms
        # After silence in the grid he may have come in again, which nobody knows.
        self.passes += comes_in or not self.passes
        if going == Going.FAST:
            self.fast_ms += until_ms - begin_ms
            return
        self.slow_until_ms = until_ms
        if going == Going.PARKED:
            self.parked_ms += until_ms - begin_ms
            return
        if self.looks_from_ms is None:
            self.looks_from_ms = begin_ms
        self.looks_until_ms = until_ms
        if going == Going.MOVING:
            self.moving_ms += until_ms - begin_ms
            self.slow_m += piece.metres
        else:
            self.standing_ms += until_ms - begin_ms

    def visit(self, grid: str, settings: VisitSettings) -> Visit:
        looks_ms = self.moving_ms + self.standing_ms
        way = Way(
            inside_s=(looks_ms + self.parked_ms + self.fast_ms) / 1000,
            moving_s=self.moving_ms / 1000,
            standing_s=(self.standing_ms + self.parked_ms) / 1000,
            slow_m=self.slow_m,
            passes=self.passes,
        )
        if looks_ms >= settings.dwell_s * 1000 and self.looks_from_ms is not None:
            start, end, manner = self.looks_from_ms, self.looks_until_ms, Manner.LOOKED
        else:
            start, end = self.begin_ms, self.until_ms
            manner = Manner.PARKED if self.parked_ms else Manner.PASSED
        return Visit(grid, from_ms(start), from_ms(end), looks_ms / 1000, manner, way)


def _settled(parked: Sequence[Stand], numbers: Ints) -> Ints:
    """The grids of the points, where who is parked is in the grid that most of his points are in.

    Receivers wander: at a border he would be in both.
    """
    settled = numbers.copy()
    for each in parked:
        here = numbers[each.first : each.last + 1]
        if (here != here[0]).any():
            found, counts = np.unique(here, return_counts=True)
            settled[each.first : each.last + 1] = found[counts.argmax()]
    return settled


def _pieces(walk: Walk, numbers: Ints) -> Iterator[tuple[int, _Piece]]:
    """The pieces of a walk with the grid of each, by time."""
    legs, known = walk.legs, walk.known
    if not len(known):
        return
    start, end = legs.start_ms[known], legs.end_ms[known]
    middle = (start + end) // 2
    begin = np.stack([start, middle], axis=1).ravel()
    until = np.stack([middle, end], axis=1).ravel()
    grid = np.stack([numbers[known], numbers[known + 1]], axis=1).ravel()
    going, metres = np.repeat(walk.going, 2), np.repeat(legs.metres[known] / 2, 2)
    differs = (grid[1:] != grid[:-1]) | (going[1:] != going[:-1]) | (begin[1:] != until[:-1])
    first = np.append(0, np.nonzero(differs)[0] + 1)
    last = np.append(first[1:], len(grid)) - 1
    columns = (going[first], begin[first], until[last], np.add.reduceat(metres, first))
    for number, *piece in zip(grid[first].tolist(), *(c.tolist() for c in columns), strict=True):
        yield number, _Piece(*piece)
