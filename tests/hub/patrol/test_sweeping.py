import math
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from shapely import Polygon

from hub.grid.geodesy import metres_per_degree
from hub.patrol.errors import PatrolError
from hub.patrol.sweeping import SweepSettings, band, sweeping_passes, swept
from hub.tracks.point import Point
from tests.hub.tracks.reports import LAT, LON, at_s

NORTH, EAST = metres_per_degree(LAT)
SETTINGS = SweepSettings()


def at(seconds, east_m, north_m):
    return Point(at_s(seconds), LAT + north_m / NORTH, LON + east_m / EAST)


def driven(start_s, *corners, kmh=9.0):
    """A report a second along straight lines between corners in metres."""
    points, clock = [at(start_s, *corners[0])], float(start_s)
    for (x1, y1), (x2, y2) in pairwise(corners):
        length = math.hypot(x2 - x1, y2 - y1)
        steps = max(1, round(length / (kmh / 3.6)))
        for n in range(1, steps + 1):
            clock += length / steps / (kmh / 3.6)
            points.append(at(clock, x1 + (x2 - x1) * n / steps, y1 + (y2 - y1) * n / steps))
    return points


def field(x0, y0, x1, y1):
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    return Polygon([(LON + x / EAST, LAT + y / NORTH) for x, y in corners])


STREET = field(0, -5, 200, 5)  # 200 m long and 10 m wide


@pytest.mark.parametrize(
    ("points", "width_m", "once_m2", "twice_m2", "passes"),
    [
        pytest.param(driven(0, (0, 0), (200, 0)), 3, 600, 0, 1, id="once along"),
        pytest.param(driven(0, (-50, 0), (250, 0)), 3, 600, 0, 1, id="only what lies within"),
        pytest.param(driven(0, (0, 0), (200, 0)), 10, 2000, 0, 1, id="as wide as the street"),
        pytest.param(
            driven(0, (0, 0), (200, 0)) + driven(600, (0, 0), (200, 0)), 3, 600, 600, 2, id="again"
        ),
        pytest.param(
            driven(0, (0, -3), (200, -3)) + driven(600, (200, 3), (0, 3)), 3, 1200, 0, 1, id="lanes"
        ),
        pytest.param(
            driven(0, (0, -1), (200, -1)) + driven(600, (200, 1), (0, 1)), 3, 1000, 200, 1.2,
            id="lanes that overlap by a metre",
        ),
        pytest.param(
            driven(0, (0, 0), (220, 0), (220, 2), (0, 2)), 3, 1000, 200, 1.2,
            id="there and back without a stop",
        ),
        pytest.param(driven(0, (0, 0), (200, 0), kmh=40), 3, 0, 0, 0, id="on the way to work"),
        pytest.param(driven(0, (0, 0), (200, 0))[::70], 3, 0, 0, 0, id="reports too rare"),
        pytest.param([at(n, 50, 0) for n in range(300)], 3, 0, 0, 0, id="standing"),
        pytest.param(
            driven(0, (0, 0), (100, 0)) + driven(41, (100, 0), (200, 0), kmh=50), 3, 300, 0, 1,
            id="half of it swept, half driven",
        ),
    ],
)  # fmt: skip
def test_areas_of_drawn_tracks(points, width_m, once_m2, twice_m2, passes):
    found = swept(STREET, sweeping_passes(points, width_m, SETTINGS))
    assert found.swept_m2 == pytest.approx(once_m2, rel=0.01, abs=12)
    assert found.twice_m2 == pytest.approx(twice_m2, rel=0.06, abs=12)
    assert found.passes == pytest.approx(passes, abs=0.03)
    assert found.area_m2 == pytest.approx(2000, rel=1e-4)
    assert found.share == pytest.approx(once_m2 / 2000, abs=0.01)


def test_round_the_block_twice_is_two_passes_everywhere():
    block = [(0, 0), (100, 0), (100, 80), (0, 80)]
    points = driven(0, *block, *block, (0, 0))
    found = swept(field(-50, -50, 150, 130), sweeping_passes(points, 3, SETTINGS))
    ring = 3 * (100 + 80 + 100 + 80)
    assert found.swept_m2 == pytest.approx(ring, rel=0.02)
    assert found.passes == pytest.approx(2, abs=0.05)
    assert found.length_m == pytest.approx(720, rel=0.01)


def test_a_bend_is_not_swept_twice():
    points = driven(0, (0, 0), (100, 0), (100, 100))
    found = swept(field(-50, -50, 150, 150), sweeping_passes(points, 4, SETTINGS))
    assert found.twice_m2 == 0


def test_a_pass_says_when_how_long_and_how_wide():
    (one,) = sweeping_passes(driven(0, (0, 0), (90, 0)), 2.5, SETTINGS)
    assert (one.start, one.width_m) == (at_s(0), 2.5)
    assert one.length_m == pytest.approx(90, abs=0.01)
    assert one.end - one.start == pytest.approx(timedelta(seconds=36), abs=timedelta(seconds=1))
    assert isinstance(one.end, datetime)
    assert band(one).contains(one.line.centroid)


@pytest.mark.parametrize("width_m", [0, -1, 100, float("nan")])
def test_a_width_that_no_vehicle_has_is_refused(width_m):
    with pytest.raises(PatrolError, match="width_m"):
        sweeping_passes([], width_m, SETTINGS)


def test_speeds_the_wrong_way_are_refused():
    with pytest.raises(PatrolError, match="most_kmh 5"):
        SweepSettings(least_kmh=6, most_kmh=5)
