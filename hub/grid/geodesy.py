"""Metres on the WGS-84 ellipsoid over the distances of a city.

The same formulas serve single numbers (`math`) and columns of them (`numpy`).
"""

import math
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

SEMI_MAJOR_AXIS_M = 6378137.0
ECCENTRICITY_SQUARED = 0.00669437999014132

Floats = NDArray[np.float64]


def metres_per_degree(lat: float) -> tuple[float, float]:
    """Length of a degree of latitude and of a degree of longitude at `lat`, in metres."""
    north, east = _degree(lat, math)
    return north, east


def distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Distance in metres by the mid-latitude formula: within 2 mm at 10 km, 2 m at 100 km."""
    return float(_distance(lat1, lon1, lat2, lon2, math))


def distances_m(lat: float, lon: float, lats: Floats, lons: Floats) -> Floats:
    """Distance in metres from one point to each of many."""
    return np.asarray(_distance(lat, lon, lats, lons, np))


def legs_m(lats: Floats, lons: Floats) -> Floats:
    """Distance in metres from each point to the next."""
    return np.asarray(_distance(lats[:-1], lons[:-1], lats[1:], lons[1:], np))


def distances_to_route_m(lats: Floats, lons: Floats, route: Floats) -> Floats:
    """Distance in metres from each point to a route of (lat, lon) vertices, shape (n, 2).

    Measured on the plane that touches the Earth at the point: exact near the route, which is
    where it matters. Between vertices the route is straight in degrees.
    """
    north, east = (scale[:, None] for scale in _degree(lats, np))
    y = (route[None, :, 0] - lats[:, None]) * north
    x = (route[None, :, 1] - lons[:, None]) * east
    dx, dy = np.diff(x, axis=1), np.diff(y, axis=1)
    squared = dx * dx + dy * dy
    along = -(x[:, :-1] * dx + y[:, :-1] * dy) / np.where(squared > 0, squared, 1.0)
    along = np.clip(along, 0.0, 1.0)
    off = np.hypot(x[:, :-1] + along * dx, y[:, :-1] + along * dy)
    return np.asarray(off.min(axis=1))


def _degree(lat: Any, m: ModuleType) -> tuple[Any, Any]:
    latitude = m.radians(lat)
    w = 1.0 - ECCENTRICITY_SQUARED * m.sin(latitude) ** 2
    normal = SEMI_MAJOR_AXIS_M / m.sqrt(w)
    meridian = normal * (1.0 - ECCENTRICITY_SQUARED) / w
    return m.radians(meridian), m.radians(normal * m.cos(latitude))


def _distance(lat1: Any, lon1: Any, lat2: Any, lon2: Any, m: ModuleType) -> Any:
    north, east = _degree((lat1 + lat2) / 2.0, m)
    shrink = m.cos(m.radians(lon2 - lon1) / 2.0)
    return m.hypot((lat2 - lat1) * north * shrink, (lon2 - lon1) * east)
