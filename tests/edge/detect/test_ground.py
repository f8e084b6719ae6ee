import math

import pytest

from edge.config import CameraConfig, Position
from edge.detect.errors import BadGround
from edge.detect.ground import CAMERA_RADIUS_M, Ground, ground_of, place_of
from tests.edge.detect.scripted import box
from wire.zone import GroundPoint

LAT, LON = 32.6849, 109.0290
EAST_M = 111_412.84 * math.cos(math.radians(LAT)) - 93.5 * math.cos(3 * math.radians(LAT))
NORTH_M = (
    111_132.92 - 559.82 * math.cos(2 * math.radians(LAT)) + 1.175 * math.cos(4 * math.radians(LAT))
)
"""Metres a degree by the series of NIMA TR8350.2, independent of the code's formula."""


def _seen_from_a_pole(east: float, north: float) -> tuple[float, float]:
    """A camera 6 m up, looking north, 12 degrees down; focal length 0.9 of the picture's width."""
    tilt, height = math.radians(12), 6.0
    depth = north * math.cos(tilt) + height * math.sin(tilt)
    down = height * math.cos(tilt) - north * math.sin(tilt)
    return 0.5 + 0.9 * east / depth, 0.5 + 0.9 * 16 / 9 * down / depth


def _point(east: float, north: float, off_m: float = 0.0) -> GroundPoint:
    x, y = _seen_from_a_pole(east, north)
    return GroundPoint(x=x, y=y, lat=LAT + (north + off_m) / NORTH_M, lon=LON + east / EAST_M)


CORNERS = [_point(-4, 11), _point(4, 11), _point(8, 30), _point(-8, 30)]


@pytest.mark.parametrize(("east", "north"), [(0, 15), (3, 20), (-5, 28), (2, 12)])
def test_a_foot_on_the_ground_is_found_to_a_few_centimetres(east, north):
    place = Ground(CORNERS).locate(*_seen_from_a_pole(east, north))
    error_m = math.hypot((place.lon - LON) * EAST_M - east, (place.lat - LAT) * NORTH_M - north)
    assert error_m < 0.05
    assert place.source == "ground"
    assert place.acc_m >= 0.5


def test_the_error_grows_with_the_distance():
    ground = Ground(CORNERS)
    near, far = (ground.locate(*_seen_from_a_pole(0, north)).acc_m for north in (12, 60))
    assert far > 3 * near


def test_the_sky_is_nowhere():
    assert Ground(CORNERS).locate(0.5, 0.02) is None


def test_more_points_even_out_and_show_in_the_error():
    ground = Ground([*CORNERS, _point(0, 20, off_m=1.5)])
    assert ground.locate(*_seen_from_a_pole(0, 20)).acc_m > 1.0


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (CORNERS[:3], "3 given"),
        ([_point(0, n) for n in (12, 15, 20, 30)], "in line"),
        ([CORNERS[0]] * 4, "in line"),
        ([*CORNERS[:3], CORNERS[0]], "in line"),
        ([*CORNERS, _point(0, 20, off_m=9)], "is off by"),
        (
            [
                GroundPoint(x=a.x, y=a.y, lat=b.lat, lon=b.lon)
                for a, b in zip(CORNERS, [CORNERS[i] for i in (0, 2, 1, 3)], strict=True)
            ],
            "contradict",
        ),
    ],
)
def test_points_that_fix_nothing_are_refused_by_name(points, words):
    with pytest.raises(BadGround, match=words):
        Ground(points)


def test_without_a_mapping_a_thing_is_where_its_camera_hangs():
    position = Position(lat=LAT, lon=LON)
    assert ground_of(CameraConfig(id="a")) is None
    place = place_of(box("garbage", 0.4, 0.4), None, position)
    assert (place.lat, place.lon, place.acc_m) == (LAT, LON, CAMERA_RADIUS_M)
    assert place.source == "camera"
    assert place_of(box("garbage", 0.4, 0.4), None, None) is None


def test_a_thing_before_the_sky_is_where_its_camera_hangs():
    position = Position(lat=LAT, lon=LON)
    assert place_of(box("garbage", 0.4, 0.0, h=0.02), Ground(CORNERS), position).source == "camera"
