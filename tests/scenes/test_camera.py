from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from scenes.camera import Camera
from scenes.stage import any_stage

CAMERAS = [
    Camera(),
    Camera(height_m=5.0, yaw_deg=-40, pitch_deg=12, roll_deg=5, hfov_deg=90, bearing_deg=200),
    any_stage(3).camera,
]


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize(("x", "y"), list(product((0.1, 0.5, 0.9), (0.7, 0.95))))
def test_picture_to_ground_and_back(camera: Camera, x: float, y: float) -> None:
    assert camera.fraction_of(*camera.ground_at(x, y)) == pytest.approx((x, y), abs=1e-4)


@pytest.mark.parametrize("camera", CAMERAS)
def test_ground_to_earth_and_back(camera: Camera) -> None:
    lat, lon = camera.to_wgs84(7.5, 12.0)
    assert camera.from_wgs84(lat, lon) == pytest.approx((7.5, 12.0), abs=1e-6)


def test_headings_are_compass_bearings() -> None:
    camera = Camera(yaw_deg=0, bearing_deg=90, lat=32.7, lon=109.0)
    lat, lon = camera.to_wgs84(0, 100)
    assert lat == pytest.approx(32.7)
    assert lon > 109.001
    lat, _ = camera.to_wgs84(100, 0)
    assert lat < 32.6995
    assert replace(camera, yaw_deg=30).heading_deg == pytest.approx(120)


def test_above_the_horizon_there_is_no_ground() -> None:
    with pytest.raises(ValueError, match="above the horizon"):
        Camera(pitch_deg=0).ground_at(0.5, 0.4)


@pytest.mark.parametrize("seed", range(6))
def test_ground_points_fix_a_plane_that_gives_places_back(seed: int) -> None:
    """A homography through the camera file's points finds other places of the same street."""
    camera, points = any_stage(seed).camera, any_stage(seed).ground_points()
    rows = []
    for point in points:
        x, y = camera.from_wgs84(point["lat"], point["lon"])
        u, v = point["x"], point["y"]
        rows += [[u, v, 1, 0, 0, 0, -x * u, -x * v, -x], [0, 0, 0, u, v, 1, -y * u, -y * v, -y]]
    plane = np.linalg.svd(np.array(rows))[2][-1].reshape(3, 3)
    found = plane @ np.array([0.4, 0.75, 1.0])
    assert found[:2] / found[2] == pytest.approx(camera.ground_at(0.4, 0.75), abs=0.02)
