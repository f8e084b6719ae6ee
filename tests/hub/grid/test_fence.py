import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely

from hub.grid.errors import GridError
from hub.grid.fence import Area, Circle, Corridor, Fence, contains
from hub.grid.geodesy import distance_m, metres_per_degree
from tests.hub.grid.points import read_points
from tests.shared import SHARED, needs_shared

TRACKS = ("geolife_000.csv", "geolife_003.csv")
NORTH = 1 / 110_900  # a metre in degrees of latitude at 32.69 N


def expected(kind: str) -> list[dict[str, Any]]:
    if SHARED is None:
        return []
    path = SHARED / "data/gps/geofence/expect_circle_corridor.json"
    shapes: list[dict[str, Any]] = json.loads(path.read_text())[kind]
    return shapes


@pytest.mark.parametrize(
    ("from_", "to", "metres"),
    [
        # Geodesics by Karney's algorithm.
        ((32.69, 109.02), (32.69, 109.12), 9377.865),
        ((32.69, 109.02), (32.78, 109.02), 9980.978),
        ((32.69, 109.02), (32.74, 109.08), 7898.671),
        ((32.69, 109.02), (32.69, 109.02), 0.0),
    ],
)
def test_distances(from_: tuple[float, float], to: tuple[float, float], metres: float) -> None:
    assert distance_m(*from_, *to) == pytest.approx(metres, abs=0.01)


@pytest.mark.parametrize(
    ("fence", "lat", "lon", "inside"),
    [
        (Circle(32.69, 109.02, 100), 32.69, 109.02, True),
        (Circle(32.69, 109.02, 100), 32.69 + 99 * NORTH, 109.02, True),
        (Circle(32.69, 109.02, 100), 32.69 + 101 * NORTH, 109.02, False),
        (Circle(32.69, 109.02, 100), float("nan"), 109.02, False),
        (Corridor(((32.6, 109.0), (32.7, 109.0)), 50), 32.65, 109.0, True),
        (Corridor(((32.6, 109.0), (32.7, 109.0)), 50), 32.7 + 49 * NORTH, 109.0, True),
        (Corridor(((32.6, 109.0), (32.7, 109.0)), 50), 32.7 + 51 * NORTH, 109.0, False),
        (Corridor(((32.6, 109.0), (32.6, 109.0), (32.7, 109.0)), 50), 32.65, 109.0006, False),
        (Area(shapely.box(109, 32, 110, 33)), 33.0, 110.0, True),
        (Area(shapely.box(109, 32, 110, 33)), 33.1, 110.0, False),
    ],
)
def test_what_a_fence_holds(fence: Fence, lat: float, lon: float, inside: bool) -> None:
    assert contains(fence, lat, lon) is inside


@pytest.mark.parametrize(
    ("fence", "passes"),
    [
        (Circle(32.69, 109.02, 100), True),
        (Circle(32.692, 109.02, 100), False),
        (Corridor(((32.6, 109.02), (32.8, 109.02)), 5), True),
        (Corridor(((32.6, 109.05), (32.8, 109.05)), 5), False),
        (Area(shapely.box(109.019, 32.6, 109.021, 32.8)), True),
        (Area(shapely.box(109.019, 32.7, 109.021, 32.8)), False),
    ],
)
def test_a_way_from_west_to_east_passes_through(fence: Fence, passes: bool) -> None:
    assert not contains(fence, 32.69, 109.01)
    assert fence.passes(32.69, 109.01, 32.69, 109.03) is passes


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Circle(91, 109, 10), "no position"),
        (lambda: Circle(float("nan"), 109, 10), "no position"),
        (lambda: Circle(32, 109, 0), "radius_m 0"),
        (lambda: Circle(32, 109, 1e6), "radius_m"),
        (lambda: Corridor(((32, 109), (32, 109)), 10), "two different vertices"),
        (lambda: Corridor(((32, 109), (33, 109)), float("inf")), "half_width_m inf"),
        (lambda: Area(shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])), "Self-intersection"),
    ],
)
def test_a_fence_that_cannot_be_is_refused(make: Any, said: str) -> None:
    with pytest.raises(GridError, match=said):
        make()


def test_degrees_shrink_towards_the_pole() -> None:
    assert metres_per_degree(0) == pytest.approx((110_574.3, 111_319.5), abs=0.1)
    assert metres_per_degree(60) == pytest.approx((111_412.3, 55_800.0), abs=0.1)


@needs_shared
@pytest.mark.parametrize("shape", expected("circles"), ids=lambda shape: str(shape["center"]))
def test_circles_over_real_tracks(shape: dict[str, Any]) -> None:
    assert SHARED
    _, lats, lons = read_points(SHARED / "data/gps/tracks" / shape["track"])
    lat, lon = shape["center"]
    circle = Circle(lat, lon, shape["radius_m"])
    inside = circle.contains_many(lats, lons)
    assert abs(int(inside.sum()) - shape["inside"]) <= shape["within_half_metre_of_edge"]
    assert int(np.nonzero(inside)[0][0]) == shape["first_inside"]
    steps = list(pairwise(inside.tolist()))
    assert steps.count((False, True)) == shape["enters"]
    assert steps.count((True, False)) == shape["exits"]


@needs_shared
@pytest.mark.parametrize("shape", expected("corridors"), ids=lambda shape: shape["track"])
def test_corridors_over_real_tracks(shape: dict[str, Any]) -> None:
    assert SHARED
    _, lats, lons = read_points(SHARED / "data/gps/tracks" / shape["track"])
    run = slice(shape["from_row"], shape["to_row"] + 1)
    route = tuple((lat, lon) for lon, lat in shape["route_lonlat"])
    corridor = Corridor(route, shape["half_width_m"])
    outside = np.nonzero(~corridor.contains_many(lats[run], lons[run]))[0] + shape["from_row"]
    assert len(outside) == shape["rows_outside"]
    ((first, last, most_m),) = shape["outside_runs"]
    assert (outside[0], outside[-1]) == (first, last)
    assert corridor.deviations_m(lats[run], lons[run]).max() == pytest.approx(most_m, rel=5e-4)
