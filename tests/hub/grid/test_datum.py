import numpy as np
import pytest
import shapely

from hub.grid.datum import Datum, convert, convert_area
from hub.grid.errors import GridError
from hub.grid.geodesy import distance_m

WGS84, GCJ02, BD09 = Datum.WGS84, Datum.GCJ02, Datum.BD09

# Place: lat, lon in WGS-84, in GCJ-02, in BD-09.
PLACES = [
    ("Beijing", 39.908722, 116.397499, 39.91012550, 116.40374258, 39.91646475, 116.41011557),
    ("Wuxi", 31.491169, 120.311910, 31.48927986, 120.31651862, 31.49504840, 120.32309020),
    ("Shanghai", 31.230416, 121.473701, 31.22847374, 121.47822406, 31.23432658, 121.48478247),
    ("Shenzhen", 22.543096, 114.057865, 22.54037875, 114.06297896, 22.54603740, 114.06952896),
    ("Urumqi", 43.825592, 87.616848, 43.82679744, 87.61969800, 43.83294127, 87.62614810),
    ("Lhasa", 29.652491, 91.172110, 29.64970159, 91.17357736, 29.65575553, 91.18007005),
    ("Harbin", 45.803775, 126.534967, 45.80575661, 126.54100747, 45.81137088, 126.54762635),
    ("Sanya", 18.252847, 109.511909, 18.25114175, 109.51599327, 18.25692363, 109.52254079),
    ("Kashgar", 39.470400, 75.989755, 39.47062689, 75.99270984, 39.47659031, 75.99921822),
    ("Tokyo", 35.681236, 139.767125, 35.68123600, 139.76712500, 35.68717723, 139.77365717),
]


def at(lat: float, lon: float, source: Datum, target: Datum) -> tuple[float, float]:
    lats, lons = convert([lat], [lon], source, target)
    return float(lats[0]), float(lons[0])


@pytest.mark.parametrize("place", PLACES, ids=lambda place: str(place[0]))
def test_known_places(place: tuple[str, float, float, float, float, float, float]) -> None:
    wgs84, gcj02, bd09 = place[1:3], place[3:5], place[5:7]
    assert at(*wgs84, WGS84, GCJ02) == pytest.approx(gcj02, abs=1e-8)
    assert at(*gcj02, GCJ02, BD09) == pytest.approx(bd09, abs=2e-8)
    assert at(*wgs84, WGS84, BD09) == pytest.approx(bd09, abs=1e-8)
    assert at(*bd09, BD09, WGS84) == pytest.approx(wgs84, abs=3e-8)


@pytest.mark.parametrize("far", [GCJ02, BD09])
def test_there_and_back_is_the_same_place(far: Datum) -> None:
    dice = np.random.default_rng(4)
    lats, lons = dice.uniform(4, 53, 20_000), dice.uniform(74, 135, 20_000)
    back = convert(*convert(lats, lons, WGS84, far), far, WGS84)
    np.testing.assert_allclose(back, (lats, lons), rtol=0, atol=1e-9)


@pytest.mark.parametrize("far", [GCJ02, BD09])
def test_back_and_there_is_the_same_place(far: Datum) -> None:
    dice = np.random.default_rng(5)
    lats, lons = dice.uniform(4, 53, 20_000), dice.uniform(74, 135, 20_000)
    again = convert(*convert(lats, lons, far, WGS84), WGS84, far)
    np.testing.assert_allclose(again, (lats, lons), rtol=0, atol=1e-9)


def test_neighbours_stay_neighbours() -> None:
    dice = np.random.default_rng(6)
    for lat, lon in dice.uniform((19, 80), (48, 130), (500, 2)).tolist():
        near = at(lat, lon, WGS84, GCJ02)
        other = at(lat + 9e-6, lon, WGS84, GCJ02)
        assert distance_m(*near, *other) == pytest.approx(1.0, abs=0.02)


def test_at_the_rim_of_the_rectangle_nothing_runs_away() -> None:
    lats, lons = np.full(200, 30.0), np.linspace(72.0, 72.02, 200)
    back = convert(lats, lons, GCJ02, WGS84)
    assert np.all(np.abs(back[0] - lats) < 0.01)
    assert np.all(np.abs(back[1] - lons) < 0.01)


def test_a_polygon_keeps_its_vertices_and_direction() -> None:
    ring = [(109, 32), (109.1, 32), (109.1, 32.1), (109, 32.1)]
    area = shapely.Polygon(ring, [[(109.02, 32.02), (109.02, 32.04), (109.04, 32.04)]])
    moved = convert_area(area, WGS84, GCJ02)
    assert shapely.get_num_coordinates(moved) == shapely.get_num_coordinates(area)
    assert moved.exterior.is_ccw == area.exterior.is_ccw
    assert 300 < distance_m(32, 109, *moved.exterior.coords[0][::-1]) < 700


def test_the_same_datum_changes_nothing_and_any_shape_goes() -> None:
    lats, lons = convert([[32.0], [33.0]], [[109.0], [110.0]], WGS84, WGS84)
    assert (lats.tolist(), lons.tolist()) == ([[32.0], [33.0]], [[109.0], [110.0]])
    assert convert(32.0, 109.0, WGS84, GCJ02)[0].shape == ()
    assert convert([], [], BD09, WGS84)[0].shape == (0,)


@pytest.mark.parametrize(
    ("lat", "lon"), [(109.0, 32.0), (float("nan"), 109.0), (32.0, float("inf")), (32.0, 181.0)]
)
def test_what_is_no_position_is_refused(lat: float, lon: float) -> None:
    with pytest.raises(GridError, match="is no position"):
        convert([32.0, lat], [109.0, lon], WGS84, GCJ02)


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(GridError, match="equal shapes"):
        convert([32.0], [109.0, 110.0], WGS84, GCJ02)
