"""Where on earth a spot of the picture lies: a plane mapping from surveyed ground points.

The mapping is a homography between the picture and a local east-north plane in metres around the
first point (ellipsoid WGS-84; over the few hundred metres a camera sees, its error is below a
centimetre). It holds on level ground.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge.config import CameraConfig, Position
from edge.detect.detection import Detection
from edge.detect.errors import BadGround
from wire.coded import coded
from wire.zone import GroundPoint, few_points

SEMI_MAJOR_M = 6_378_137.0
ECCENTRICITY_2 = 6.694379990141e-3
"""NIMA TR8350.2, WGS 84: semi-major axis and first eccentricity squared."""

FOOT_ERROR = 0.01
"""A detector's lower edge is good to about one hundredth of the picture."""

SURVEY_M = 0.5
"""No ground point is known better than this."""

CAMERA_RADIUS_M = 50.0
"""Without a mapping a thing is somewhere the camera sees: a street camera's useful range."""

LEAST_SPREAD = 0.02
"""Ground points span at least this area of the picture's unit square, else they are in line."""

FARTHEST_M = 2_000.0


@dataclass(frozen=True)
class GeoPlace:
    """Degrees WGS-84 and the radius in metres within which it lies; how it is known."""

    lat: float
    lon: float
    acc_m: float
    source: Literal["ground", "camera", "vehicle", "last"]


class Ground:
    """The mapping of one camera.

    Raises BadGround: fewer than four points, three of any four in line, or points that
    contradict each other.
    """

    def __init__(self, points: Sequence[GroundPoint]) -> None:
        """Fit the mapping to the points, all of them when there are more than four."""
        if len(points) < 4:
            raise BadGround(few_points(len(points)))
        self._origin = points[0]
        picture = np.array([(p.x, p.y) for p in points])
        plane = np.array([self._metres(p.lat, p.lon) for p in points])
        _check_spread(picture, coded("picture", "picture"), LEAST_SPREAD / 10)
        _check_spread(plane, coded("map", "map"), 0.5)
        self._matrix = _homography(picture, plane)
        if not self._is_below_horizon(picture):
            raise BadGround(
                coded(
                    "points_contradict",
                    "ground_points: the points contradict each other; check their order",
                )
            )
        residual = np.hypot(*(_map(self._matrix, picture) - plane).T)
        self._error_m = max(float(residual.max()), SURVEY_M)
        if self._error_m > 0.2 * float(np.ptp(plane, axis=0).max()):
            worst = int(residual.argmax())
            raise BadGround(
                coded(
                    "point_off",
                    "ground_points: point {point} is off by {m} m; "
                    "is each the same spot on the picture and on the map?",
                    point=worst + 1,
                    m=f"{residual[worst]:.1f}",
                )
            )

    def locate(self, x: float, y: float) -> GeoPlace | None:
        """The place of a spot on the ground, fractions of the picture; None above the horizon."""
        around = np.array(
            [(x, y), (x - FOOT_ERROR, y), (x + FOOT_ERROR, y), (x, y - FOOT_ERROR),
             (x, y + FOOT_ERROR)]
        )  # fmt: skip
        if not self._is_below_horizon(around):
            return None
        spots = _map(self._matrix, around)
        error_m = float(np.hypot(*(spots[1:] - spots[0]).T).max()) + self._error_m
        if error_m > FARTHEST_M or np.hypot(*spots[0]) > FARTHEST_M:
            return None
        lat, lon = self._degrees(*spots[0])
        return GeoPlace(float(lat), float(lon), round(float(error_m), 1), "ground")

    def footprint_m2(self, box: Detection) -> float | None:
        """The ground a thing covers; None where it stands above the horizon.

        As wide as its foot, and as deep as the ground its box hides, but no deeper than wide: of
        what stands upright the box hides more ground than the thing covers.
        """
        x, y = box.foot
        edge = np.array([(box.x, y), (box.x + box.w, y)])
        if not self._is_below_horizon(edge):
            return None
        left, right = _map(self._matrix, edge)
        wide_m = deep_m = float(np.hypot(*(right - left)))
        back = np.array([(x, box.y)])
        if self._is_below_horizon(back):
            foot = _map(self._matrix, np.array([(x, y)]))
            deep_m = float(np.hypot(*(_map(self._matrix, back) - foot)[0]))
        return wide_m * min(wide_m, deep_m)

    def box_at(
        self, lat: float, lon: float, half_m: float
    ) -> tuple[float, float, float, float] | None:
        """The rectangle (x, y, w, h) in which a thing of `half_m` on each side stands there.

        As high as wide; None where that spot is not in the picture.
        """
        east, north = self._metres(lat, lon)
        around = np.array([(east + dx, north + dy) for dx in (-half_m, half_m)
                           for dy in (-half_m, half_m)])  # fmt: skip
        spots = _map(np.asarray(np.linalg.inv(self._matrix), float), around)
        if not self._is_below_horizon(spots) or not np.isfinite(spots).all():
            return None
        left, right = float(spots[:, 0].min()), float(spots[:, 0].max())
        low = float(spots[:, 1].max())
        if left < 0 or right > 1 or not 0 < low <= 1:
            return None
        top = max(low - (right - left), 0.0)
        return left, top, right - left, low - top

    def _is_below_horizon(self, spots: NDArray[np.float64]) -> bool:
        """On the same side of the line that maps to infinity as the ground points are."""
        depth = np.column_stack([spots, np.ones(len(spots))]) @ self._matrix[2]
        side = np.array([self._origin.x, self._origin.y, 1.0]) @ self._matrix[2]
        return bool((depth * side > 0).all())

    def _metres(self, lat: float, lon: float) -> tuple[float, float]:
        east_m, north_m = _metres_per_degree(self._origin.lat)
        return (lon - self._origin.lon) * east_m, (lat - self._origin.lat) * north_m

    def _degrees(self, east: float, north: float) -> tuple[float, float]:
        east_m, north_m = _metres_per_degree(self._origin.lat)
        return self._origin.lat + north / north_m, self._origin.lon + east / east_m


def place_of(box: Detection, ground: Ground | None, position: Position | None) -> GeoPlace | None:
    """Where the foot of a thing is; without a mapping, where its camera hangs."""
    spot = ground.locate(*box.foot) if ground else None
    if spot is None and position is not None:
        return GeoPlace(position.lat, position.lon, CAMERA_RADIUS_M, "camera")
    return spot


def ground_of(camera: CameraConfig) -> Ground | None:
    """The camera's mapping, when it has ground points.

    Raises BadGround.
    """
    return Ground(camera.ground_points) if camera.ground_points else None


def _metres_per_degree(lat: float) -> tuple[float, float]:
    """East and north, from the radii of curvature at `lat`."""
    sine = np.sin(np.radians(lat))
    root = np.sqrt(1 - ECCENTRICITY_2 * sine**2)
    prime_vertical_m = SEMI_MAJOR_M / root
    meridian_m = SEMI_MAJOR_M * (1 - ECCENTRICITY_2) / root**3
    degree = np.radians(1)
    east_m = prime_vertical_m * np.cos(np.radians(lat)) * degree
    return float(east_m), float(meridian_m * degree)


def _check_spread(spots: NDArray[np.float64], where: str, least: float) -> None:
    """Four points must be found of which no three are in line."""
    for four in combinations(range(len(spots)), 4):
        if all(_triangle(spots[list(three)]) >= least for three in combinations(four, 3)):
            return
    raise BadGround(
        coded(
            "points_in_line",
            "ground_points: on the {where} no four of the {count} points are spread out "
            "(three are in line or together); choose the corners of a wide quadrangle",
            where=where,
            count=len(spots),
        )
    )


def _triangle(spots: NDArray[np.float64]) -> float:
    a, b = spots[1] - spots[0], spots[2] - spots[0]
    return abs(float(a[0] * b[1] - a[1] * b[0])) / 2


def _homography(picture: NDArray[np.float64], plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Direct linear transformation with normalised coordinates (Hartley & Zisserman, alg. 4.2)."""
    to_picture, to_plane = _normaliser(picture), _normaliser(plane)
    rows = []
    for (x, y), (u, v) in zip(_map(to_picture, picture), _map(to_plane, plane), strict=True):
        rows.append([-x, -y, -1, 0, 0, 0, u * x, u * y, u])
        rows.append([0, 0, 0, -x, -y, -1, v * x, v * y, v])
    matrix = np.linalg.svd(np.array(rows))[2][-1].reshape(3, 3)
    return np.asarray(np.linalg.inv(to_plane) @ matrix @ to_picture)


def _normaliser(spots: NDArray[np.float64]) -> NDArray[np.float64]:
    """Moves the centre to 0 and scales the mean distance to √2."""
    centre = spots.mean(axis=0)
    scale = np.sqrt(2) / np.hypot(*(spots - centre).T).mean()
    return np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1]])


def _map(matrix: NDArray[np.float64], spots: NDArray[np.float64]) -> NDArray[np.float64]:
    mapped = np.column_stack([spots, np.ones(len(spots))]) @ matrix.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:])
