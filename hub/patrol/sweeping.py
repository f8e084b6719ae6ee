"""Sweeping: the band a sweeper leaves behind, as wide as its brooms, and how much of a grid it is.

A pass is a run of legs driven at sweeping speed, until it turns back; its band is the way buffered
by half the width, with flat ends. A strip is swept twice where two passes overlap: the legs of one
pass overlap in every bend, so a pass counts once for itself, and ends where it could come back over
its own band.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString
from shapely.geometry.base import BaseGeometry

from hub.grid.geodesy import metres_per_degree
from hub.patrol.errors import PatrolError
from hub.patrol.visit import Legs
from hub.store import from_ms
from hub.tracks.point import Point

Floats = NDArray[np.float64]

COURSE_M = 6.0
"""Over so many metres a direction is sure enough; receivers wander by two or three."""
TURNED_DEG = 120.0


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """What counts as sweeping.

    `least_kmh`, `most_kmh`: slower it stands, faster its brooms are up. `width_m`: of a vehicle
    whose width nobody has set. `leg_max_s`: between points further apart in time nobody knows.
    `least_m`: a shorter run is manoeuvring.
    """

    least_kmh: float = 1.5
    most_kmh: float = 20.0
    width_m: float = 3.0
    leg_max_s: float = 60.0
    least_m: float = 10.0

    def __post_init__(self) -> None:
        """Raises PatrolError for a setting that is no positive number, or speeds the wrong way."""
        for setting in fields(self):
            value = getattr(self, setting.name)
            if not 0 < value < float("inf"):
                raise PatrolError(f"{setting.name} {value!r} is not allowed (a number above 0)")
        if self.most_kmh <= self.least_kmh:
            raise PatrolError(
                f"most_kmh {self.most_kmh:g} is not allowed (above least_kmh {self.least_kmh:g})"
            )


@dataclass(frozen=True, slots=True)
class Pass:
    """One run at sweeping speed. `line` is its way, degrees, longitude first."""

    start: datetime
    end: datetime
    line: LineString
    width_m: float
    length_m: float


@dataclass(frozen=True, slots=True)
class Swept:
    """What passes did to one area.

    `swept_m2`: swept at least once; `twice_m2`: at least twice. `passes`: how often the swept
    part was swept on average, 0 where none was.
    """

    area_m2: float
    swept_m2: float
    twice_m2: float
    passes: float
    length_m: float

    @property
    def share(self) -> float:
        """Swept of the area, 0 to 1."""
        return min(self.swept_m2 / self.area_m2, 1.0) if self.area_m2 else 0.0


def sweeping_passes(points: Sequence[Point], width_m: float, settings: SweepSettings) -> list[Pass]:
    """The passes of a sweeper; `points` are believed points in order of time."""
    if not 0 < width_m < 100:
        raise PatrolError(f"width_m {width_m!r} is not allowed (above 0, below 100)")
    if len(points) < 2:
        return []
    legs = Legs.of(points)
    seconds = (legs.end_ms - legs.start_ms) / 1000
    sweeps = (
        (seconds > 0)
        & (seconds <= settings.leg_max_s)
        & (legs.kmh >= settings.least_kmh)
        & (legs.kmh <= settings.most_kmh)
    )
    edges = np.diff(np.concatenate([[0], sweeps.astype(np.int8), [0]]))
    runs = zip(np.nonzero(edges == 1)[0], np.nonzero(edges == -1)[0], strict=True)
    pieces = ((a, b) for first, last in runs for a, b in _pieces(points, int(first), int(last)))
    found = (_pass(points, legs, a, b, width_m) for a, b in pieces)
    return [each for each in found if each.length_m >= settings.least_m]


def swept(area: BaseGeometry, passes: Iterable[Pass]) -> Swept:
    """How much of an area (degrees, longitude first) the bands of the passes cover."""
    plane = Plane.around(area)
    within = plane.metres(area)
    shapely.prepare(within)
    bands, length_m = [], 0.0
    for each in passes:
        line = plane.metres(each.line)
        reach = line.buffer(each.width_m / 2, cap_style="flat", join_style="round")
        band = shapely.intersection(reach, within)
        if band.area > 0:
            bands.append(band)
            length_m += float(shapely.intersection(line, within).length)
    once = shapely.union_all(bands).area if bands else 0.0
    return Swept(
        area_m2=float(within.area),
        swept_m2=float(once),
        twice_m2=_twice(bands),
        passes=float(sum(band.area for band in bands) / once) if once else 0.0,
        length_m=length_m,
    )


def band(each: Pass) -> BaseGeometry:
    """The band of one pass in degrees, for a map."""
    plane = Plane.around(each.line)
    reach = plane.metres(each.line).buffer(each.width_m / 2, cap_style="flat")
    return plane.degrees(reach)


@dataclass(frozen=True, slots=True)
class Plane:
    """Metres on a plane that touches the Earth at (`lat`, `lon`)."""

    lat: float
    lon: float

    @classmethod
    def around(cls, shape: BaseGeometry) -> "Plane":
        """The plane that touches in the middle of a shape's bounds."""
        x0, y0, x1, y1 = shape.bounds
        return cls((y0 + y1) / 2, (x0 + x1) / 2)

    def metres(self, shape: BaseGeometry) -> BaseGeometry:
        """A shape in degrees, in metres."""
        north, east = metres_per_degree(self.lat)
        origin, scale = np.array([self.lon, self.lat]), np.array([east, north])
        return shapely.transform(shape, lambda positions: (positions - origin) * scale)

    def degrees(self, shape: BaseGeometry) -> BaseGeometry:
        """A shape in metres, in degrees."""
        north, east = metres_per_degree(self.lat)
        origin, scale = np.array([self.lon, self.lat]), np.array([east, north])
        return shapely.transform(shape, lambda positions: positions / scale + origin)


def _pieces(points: Sequence[Point], first: int, last: int) -> Iterator[tuple[int, int]]:
    """A run of points cut where it has turned back against the direction it began with."""
    north, east = metres_per_degree(points[first].lat)
    begun, since, course = first, first, None
    for number in range(first + 1, last + 1):
        x = (points[number].lon - points[since].lon) * east
        y = (points[number].lat - points[since].lat) * north
        if math.hypot(x, y) < COURSE_M:
            continue
        heading = math.degrees(math.atan2(x, y))
        if course is None:
            course = heading
        elif abs((heading - course + 180) % 360 - 180) > TURNED_DEG:
            yield begun, since
            begun, course = since, heading
        since = number
    yield begun, last


def _pass(points: Sequence[Point], legs: Legs, first: int, last: int, width_m: float) -> Pass:
    way = [(point.lon, point.lat) for point in points[first : last + 1]]
    seconds = (legs.end_ms[first:last] - legs.start_ms[first:last]) / 1000
    length_m = float((legs.kmh[first:last] / 3.6 * seconds).sum())
    start, end = int(legs.start_ms[first]), int(legs.end_ms[last - 1])
    return Pass(from_ms(start), from_ms(end), LineString(way), width_m, length_m)


def _twice(bands: Sequence[BaseGeometry]) -> float:
    """Area under at least two of the bands."""
    if len(bands) < 2:
        return 0.0
    shapes = np.array(bands, dtype=object)
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = first < second
    if not pairs.any():
        return 0.0
    shared = shapely.intersection(shapes[first[pairs]], shapes[second[pairs]])
    return float(shapely.union_all(shared).area)
