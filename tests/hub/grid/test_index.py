import json
from datetime import datetime
from typing import TypeAlias

import numpy as np
import pytest
import shapely
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray
from shapely import MultiPolygon, Polygon

from hub.grid.geojson import load_grids
from hub.grid.grid import Grid, GridError
from hub.grid.index import GridIndex
from tests.hub.grid.points import read_points
from tests.hub.grid.shapes import feature, grids, parts, square
from tests.shared import SHARED, needs_shared

Floats = NDArray[np.float64]
Area: TypeAlias = Polygon | MultiPolygon


def first_holding(polygons: list[Area], x: Floats, y: Floats) -> NDArray[np.int64]:
    """What shapely says: the lowest number of those that intersect the point, or -1."""
    tree = shapely.STRtree(polygons)
    point, polygon = tree.query(shapely.points(x, y), predicate="intersects")
    found = np.full(len(x), len(polygons))
    np.minimum.at(found, point, polygon)
    return np.where(found == len(polygons), -1, found)


def assert_same(polygons: list[Area], x: Floats, y: Floats) -> None:
    index = GridIndex(Grid(str(n), polygon) for n, polygon in enumerate(polygons))
    expected = first_holding(polygons, x, y)
    np.testing.assert_array_equal(index.locate_many(y, x), expected)
    one_by_one = [index.locate(lat, lon) for lon, lat in zip(x.tolist(), y.tolist(), strict=True)]
    assert one_by_one == [str(n) if n >= 0 else None for n in expected]


def telling_points(polygons: list[Area], seed: int) -> tuple[Floats, Floats]:
    """Vertices, points on and beside edges, points on the level of vertices, random points."""
    rng = np.random.default_rng(seed)
    vertices = shapely.get_coordinates(polygons)
    x0, y0, x1, y1 = shapely.total_bounds(polygons)
    middles = (vertices[1:] + vertices[:-1]) / 2
    beside = np.nextafter(middles, rng.choice([-np.inf, np.inf], middles.shape))
    level = np.stack([rng.uniform(x0 - 0.1, x1 + 0.1, len(vertices)), vertices[:, 1]], axis=1)
    anywhere = rng.uniform((x0 - 0.01, y0 - 0.01), (x1 + 0.01, y1 + 0.01), (400, 2))
    corners = np.array([(x0, y0), (x1, y1), (x0, y1), (x1, y0)])
    points = np.concatenate([vertices, middles, beside, level, anywhere, corners])
    return points[:, 0], points[:, 1]


@st.composite
def stars(draw: st.DrawFn) -> Polygon:
    """A star-shaped polygon with coordinates of a few digits, so that borders often meet."""
    digits = draw(st.sampled_from([1, 2, 3, 7]))
    x = draw(st.floats(109, 109.5))
    y = draw(st.floats(32, 32.5))
    radii = np.array(draw(st.lists(st.floats(0.02, 0.3), min_size=3, max_size=12)))
    angles = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    ring: Floats = np.stack([x + radii * np.cos(angles), y + radii * np.sin(angles)], axis=1)
    return Polygon(np.round(ring, digits))


@st.composite
def areas(draw: st.DrawFn) -> Area | None:
    """A star, perhaps with another cut out or added."""
    first, second = draw(stars()), draw(stars())
    if not (first.is_valid and second.is_valid):
        return None
    join = draw(st.sampled_from([None, shapely.difference, shapely.union]))
    area: Area = first if join is None else join(first, second)
    if not isinstance(area, Polygon | MultiPolygon) or area.is_empty or not area.is_valid:
        return None
    return area


@settings(max_examples=80, deadline=None)
@given(st.lists(areas(), min_size=1, max_size=6), st.integers(0, 2**32))
def test_answers_equal_shapely_on_overlapping_areas(shapes: list[Area | None], seed: int) -> None:
    polygons = [shape for shape in shapes if shape is not None]
    if polygons:
        assert_same(polygons, *telling_points(polygons, seed))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(109, 110), st.floats(32, 33)), min_size=4, max_size=40),
    st.integers(0, 2**32),
)
def test_answers_equal_shapely_on_cells_that_share_borders(
    seeds: list[tuple[float, float]], seed: int
) -> None:
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(seeds)))
    polygons = [cell for cell in cells if cell.is_valid and cell.area > 0]
    if polygons:
        assert_same(polygons, *telling_points(polygons, seed))


def test_squares_with_points_on_every_corner_and_side() -> None:
    """Unit grids drawn as squares: the worst case of points exactly on borders."""
    steps = np.arange(12) * 0.01 + 109
    polygons: list[Area] = [
        shapely.box(x, y - 77, x + 0.01, y - 76.99) for x in steps for y in steps
    ]
    x, y = (each.ravel() for each in np.meshgrid(np.arange(109, 109.13, 0.005), steps - 77))
    assert_same(polygons, x, y)


@pytest.mark.parametrize("side", [1e-13, 1e-9, 1e-3, 50.0])
def test_small_and_large_polygons(side: float) -> None:
    """Down to a few steps of the numbers themselves, where only exact arithmetic is right."""
    dice = np.random.default_rng(3)
    for seed in range(80):
        ring = dice.uniform((109 - side, 32 - side), (109 + side, 32 + side), (seed % 4 + 3, 2))
        if Polygon(ring).is_valid and Polygon(ring).area > 0:
            assert_same([Polygon(ring)], *telling_points([Polygon(ring)], seed))


RING = square(109, 32, 0.04, 0.04)
HOLE = square(109.01, 32.01, 0.02, 0.02)
INNER = square(109.015, 32.015, 0.01, 0.01)
FAR = square(109.5, 32.5)


@pytest.mark.parametrize(
    ("lat", "lon", "code"),
    [
        pytest.param(32.005, 109.005, "ring", id="inside"),
        pytest.param(32.012, 109.012, None, id="in the hole"),
        pytest.param(32.02, 109.02, "inner", id="in the enclave in the hole"),
        pytest.param(32.01, 109.02, "ring", id="on the hole's edge"),
        pytest.param(32.0, 109.0, "ring", id="on a corner"),
        pytest.param(32.505, 109.505, "ring", id="in the second part"),
        pytest.param(32.25, 109.25, None, id="between the parts"),
        pytest.param(32.04, 109.045, "next", id="beside"),
        pytest.param(32.02, 109.04, "ring", id="shared border: the first of the set"),
        pytest.param(31.999999, 109.0, None, id="below"),
        pytest.param(float("nan"), 109.0, None, id="no number"),
        pytest.param(float("inf"), 109.0, None, id="infinite"),
        pytest.param(109.0, 32.0, None, id="swapped"),
    ],
)
def test_holes_parts_enclaves_and_borders(lat: float, lon: float, code: str | None) -> None:
    given = grids(
        parts("ring", [RING, HOLE], [FAR]),
        feature("inner", INNER),
        feature("next", square(109.04, 32.0, 0.01, 0.05)),
    )
    index = GridIndex(given)
    number = index.locate_many([lat], [lon])[0]
    assert index.locate(lat, lon) == code
    assert (given[number].code if number >= 0 else None) == code


def test_levels_are_answered_each_and_the_deepest_first() -> None:
    index = GridIndex(
        grids(
            feature("a1", square(109, 32), level=2, parent="a"),
            feature("a", square(109, 32, 0.02), level=1),
        )
    )
    assert index.levels == (1, 2)
    assert index.locate(32.005, 109.005) == "a1"
    assert index.locate(32.005, 109.015) == "a"
    assert index.locate_levels(32.005, 109.005) == ("a", "a1")
    assert index.locate_levels(32.005, 109.015) == ("a", None)
    lats, lons = [32.005, 32.005, 0.0], [109.005, 109.015, 0.0]
    assert index.locate_many(lats, lons).tolist() == [0, 1, -1]
    assert index.locate_levels_many(lats, lons).tolist() == [[1, 0], [1, -1], [-1, -1]]


def test_no_grids_hold_nothing() -> None:
    index = GridIndex([])
    assert index.locate(32, 109) is None
    assert index.locate_many([32.0], [109.0]).tolist() == [-1]
    assert index.locate_levels_many([32.0], [109.0]).shape == (1, 0)


def test_an_invalid_polygon_is_refused_by_name() -> None:
    bow_tie = Polygon([(109, 32), (110, 33), (110, 32), (109, 33)])
    with pytest.raises(GridError, match=r"'x'.*Self-intersection"):
        GridIndex([Grid("x", bow_tie)])


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(GridError, match="equally long"):
        GridIndex([]).locate_many([1.0, 2.0], [1.0])


@needs_shared
@pytest.mark.parametrize("track", ["geolife_000.csv", "geolife_003.csv"])
def test_runs_of_real_tracks(track: str) -> None:
    assert SHARED
    folder = SHARED / "data/gps"
    expect = json.loads((folder / "geofence/expect_grid.json").read_text())[track]
    index = GridIndex(load_grids(folder / "geofence/communities_91.geojson"))
    times, lats, lons = read_points(folder / "tracks" / track)
    located = index.locate_many(lats, lons)
    expected = np.full(len(times), -2)
    for number, first, last, first_at, last_at in expect["runs"]:
        expected[first : last + 1] = number
        assert times[first] == datetime.fromisoformat(first_at)
        assert times[last] == datetime.fromisoformat(last_at)
    differing = set(np.nonzero(located != expected)[0].tolist())
    assert differing <= set(expect["near_boundary_rows"])
    assert len(located) == expect["points"]


@needs_shared
def test_the_enclave_and_the_two_parts() -> None:
    assert SHARED
    given = load_grids(SHARED / "data/gps/geofence/communities_91.geojson")
    polygons = [grid.geometry for grid in given]
    index = GridIndex(given)
    for number in (10, 20, 90):
        for part in shapely.get_parts(polygons[number]):
            lon, lat = shapely.get_coordinates(shapely.point_on_surface(part))[0]
            assert index.locate(lat, lon) == given[number].code
    assert_same(polygons, *telling_points(polygons, 91))
