"""What a true visit of a grid is, and the visits of a track.

Driving past is no visit: what counts are the seconds spent in a grid at the pace of somebody who
looks. Half of a leg from one grid to another counts for each of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from hub.grid.geodesy import metres_per_degree
from hub.patrol.errors import PatrolError
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
    sooner is still at the same visit.
    """

    pace_kmh: float = 20.0
    dwell_s: float = 20.0
    leg_max_s: float = 120.0
    again_s: float = 900.0

    def __post_init__(self) -> None:
        """Raises PatrolError for a setting that is no positive number."""
        for setting in fields(self):
            value = getattr(self, setting.name)
            if not 0 < value < float("inf"):
                raise PatrolError(f"{setting.name} {value!r} is not allowed (a number above 0)")


DEFAULT_VISIT = VisitSettings()


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit of a grid; `slow_s` are the seconds at the pace of somebody who looks."""

    grid: str
    start: datetime
    end: datetime
    slow_s: float


@dataclass(frozen=True, slots=True)
class Legs:
    """The ways between the believed points of a track.

    `start_ms`, `end_ms` and `kmh` of each; leg i goes from point i to point i + 1.
    """

    start_ms: Ints
    end_ms: Ints
    kmh: Floats

    @classmethod
    def of(cls, points: Sequence[Point]) -> "Legs":
        """The legs of points in order of time."""
        ms = np.array([to_ms(point.at) for point in points], dtype=np.int64)
        lats = np.array([point.lat for point in points])
        lons = np.array([point.lon for point in points])
        seconds = np.diff(ms) / 1000
        north, east = metres_per_degree(float(lats.mean())) if len(lats) else (0.0, 0.0)
        metres = np.hypot(np.diff(lats) * north, np.diff(lons) * east)
        kmh = np.divide(metres * KMH, seconds, out=np.full(len(seconds), np.inf), where=seconds > 0)
        return cls(ms[:-1], ms[1:], kmh)

    def are_at_pace(self, settings: VisitSettings) -> NDArray[np.bool_]:
        """Which of them somebody went who looks."""
        seconds = (self.end_ms - self.start_ms) / 1000
        known = (seconds > 0) & (seconds <= settings.leg_max_s)
        return np.asarray(known & (self.kmh <= settings.pace_kmh))


def visits(
    points: Sequence[Point],
    codes: Sequence[str | None],
    settings: VisitSettings = DEFAULT_VISIT,
) -> list[Visit]:
    """The visits of a track, by start.

    `points` are believed points in order of time, `codes` the grid of each, None outside.
    """
    names = [code for code in dict.fromkeys(codes) if code is not None]
    number: dict[str | None, int] = {code: n for n, code in enumerate(names)}
    numbers = np.array([number.get(code, OUTSIDE) for code in codes], dtype=np.int64)
    return visits_of_legs(Legs.of(points), numbers, names, settings)


def visits_of_legs(
    legs: Legs, numbers: Ints, names: Sequence[str], settings: VisitSettings = DEFAULT_VISIT
) -> list[Visit]:
    """The visits of a track, by start; `numbers` says for each point its grid within `names`."""
    at_pace = np.nonzero(legs.are_at_pace(settings))[0]
    start, end = legs.start_ms[at_pace], legs.end_ms[at_pace]
    middle = (start + end) // 2
    grid = np.stack([numbers[:-1][at_pace], numbers[1:][at_pace]], axis=1).ravel()
    begin = np.stack([start, middle], axis=1).ravel()
    until = np.stack([middle, end], axis=1).ravel()
    stays = _joined(grid, begin, until, settings)
    found = [
        Visit(names[number], from_ms(first), from_ms(last), slow_ms / 1000)
        for number, first, last, slow_ms in stays
        if slow_ms >= settings.dwell_s * 1000
    ]
    return sorted(found, key=lambda visit: (visit.start, visit.grid))


def _joined(
    grid: Ints, begin: Ints, until: Ints, settings: VisitSettings
) -> list[tuple[int, int, int, int]]:
    """Stays in one grid that follow each other soon enough: (grid, from ms, until ms, slow ms)."""
    inside = np.nonzero(grid != OUTSIDE)[0]
    if not len(inside):
        return []
    order = inside[np.lexsort((begin[inside], grid[inside]))]
    grid, begin, until = grid[order], begin[order], until[order]
    far = begin[1:] - until[:-1] > settings.again_s * 1000
    first = np.append(0, np.nonzero((grid[1:] != grid[:-1]) | far)[0] + 1)
    last = np.append(first[1:], len(grid)) - 1
    slow_ms = np.add.reduceat(until - begin, first)
    columns = (grid[first], begin[first], until[last], slow_ms)
    return list(zip(*(column.tolist() for column in columns), strict=True))
