"""Fences: an area, a circle, a corridor along a route; what they hold, what passes through.

A fence holds its border. All positions are WGS-84, latitude first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely import LineString, MultiPolygon, Point, Polygon

from hub.grid.errors import GridError
from hub.grid.geodesy import distance_m, distances_m, distances_to_route_m, metres_per_degree
from wire.coded import coded

# Up to here the mid-latitude formula is good to a metre.
MAX_REACH_M = 100_000.0
CHUNK = 4096

Bools = NDArray[np.bool_]


class Fence(Protocol):
    """Something a vehicle can be inside of."""

    def contains_many(self, lats: ArrayLike, lons: ArrayLike) -> Bools:
        """Whether each of the points lies inside or on the border; NaN does not."""
        ...

    def passes(self, lat1: float, lon1: float, lat2: float, lon2: float) -> bool:
        """Whether the straight way between two points touches the fence."""
        ...


def contains(fence: Fence, lat: float, lon: float) -> bool:
    """Whether the point lies inside the fence or on its border."""
    return bool(fence.contains_many([lat], [lon])[0])


@dataclass(frozen=True, slots=True)
class Area:
    """A polygon with holes, or several."""

    geometry: Polygon | MultiPolygon

    def __post_init__(self) -> None:
        if not shapely.is_valid(self.geometry):
            why = shapely.is_valid_reason(self.geometry)
            raise GridError(coded("invalid_polygon", "fence: invalid polygon: {why}", why=why))

    def contains_many(self, lats: ArrayLike, lons: ArrayLike) -> Bools:
        """Whether each of the points lies in it; see Fence."""
        return np.asarray(shapely.intersects_xy(self.geometry, np.asarray(lons), np.asarray(lats)))

    def passes(self, lat1: float, lon1: float, lat2: float, lon2: float) -> bool:
        """Whether the way between two points touches it."""
        return bool(shapely.intersects(self.geometry, LineString([(lon1, lat1), (lon2, lat2)])))


@dataclass(frozen=True, slots=True)
class Circle:
    """All points within `radius_m` metres of a centre, along the ellipsoid."""

    lat: float
    lon: float
    radius_m: float

    def __post_init__(self) -> None:
        _check_positions("circle", [(self.lat, self.lon)])
        _check_reach("circle: radius_m", self.radius_m)

    def contains_many(self, lats: ArrayLike, lons: ArrayLike) -> Bools:
        """Whether each of the points lies in it; see Fence."""
        y, x = np.asarray(lats, dtype=float), np.asarray(lons, dtype=float)
        return np.asarray(distances_m(self.lat, self.lon, y, x) <= self.radius_m)

    def passes(self, lat1: float, lon1: float, lat2: float, lon2: float) -> bool:
        """Whether the way between two points touches it."""
        way = np.array([(lat1, lon1), (lat2, lon2)])
        centre = np.array([self.lat]), np.array([self.lon])
        return bool(distances_to_route_m(*centre, way)[0] <= self.radius_m)


@dataclass(frozen=True, slots=True)
class Corridor:
    """All points within `half_width_m` metres of a route of (lat, lon) vertices."""

    route: tuple[tuple[float, float], ...]
    half_width_m: float
    _vertices: NDArray[np.float64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_positions("corridor", self.route)
        _check_reach("corridor: half_width_m", self.half_width_m)
        if len(set(self.route)) < 2:
            message = "corridor: a route needs two different vertices or more"
            raise GridError(coded("short_route", message))
        object.__setattr__(self, "_vertices", np.array(self.route, dtype=float))

    def contains_many(self, lats: ArrayLike, lons: ArrayLike) -> Bools:
        """Whether each of the points lies in it; see Fence."""
        return np.asarray(self.deviations_m(lats, lons) <= self.half_width_m)

    def deviations_m(self, lats: ArrayLike, lons: ArrayLike) -> NDArray[np.float64]:
        """How far each point lies from the middle of the route, in metres."""
        y, x = np.asarray(lats, dtype=float), np.asarray(lons, dtype=float)
        parts = [
            distances_to_route_m(y[at : at + CHUNK], x[at : at + CHUNK], self._vertices)
            for at in range(0, len(y), CHUNK)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    def passes(self, lat1: float, lon1: float, lat2: float, lon2: float) -> bool:
        """Whether the way between two points touches it."""
        north, east = metres_per_degree((lat1 + lat2) / 2)
        route = LineString(self._vertices[:, ::-1] * (east, north))
        way = LineString([(lon1 * east, lat1 * north), (lon2 * east, lat2 * north)])
        return bool(shapely.distance(route, way) <= self.half_width_m)


def _check_positions(what: str, positions: Sequence[tuple[float, float]]) -> None:
    for lat, lon in positions:
        if not (abs(lat) <= 90 and abs(lon) <= 180):
            raise GridError(
                coded(
                    "no_place_of",
                    "{what}: {lat}, {lon} is no position (lat -90 to 90, lon -180 to 180)",
                    what=what,
                    lat=lat,
                    lon=lon,
                )
            )


def _check_reach(what: str, reach_m: float) -> None:
    if not (math.isfinite(reach_m) and 0 < reach_m <= MAX_REACH_M):
        raise GridError(
            coded(
                "bad_reach",
                "{what} {given} is not allowed (above 0, up to {most} m)",
                what=what,
                given=reach_m,
                most=f"{MAX_REACH_M:.0f}",
            )
        )


def away_m(fence: Fence, lat: float, lon: float) -> float:
    """How far a point lies from the fence in metres, 0 inside it."""
    match fence:
        case Circle():
            return max(0.0, distance_m(lat, lon, fence.lat, fence.lon) - fence.radius_m)
        case Corridor():
            return max(0.0, float(fence.deviations_m([lat], [lon])[0]) - fence.half_width_m)
        case Area():
            north, east = metres_per_degree(lat)
            scaled = shapely.transform(fence.geometry, lambda xy: (xy - (lon, lat)) * (east, north))
            return float(shapely.distance(scaled, Point(0, 0)))
        case _:
            return 0.0 if contains(fence, lat, lon) else math.inf
