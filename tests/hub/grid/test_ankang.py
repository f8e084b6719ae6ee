import json
from collections import Counter
from typing import Any

import pytest
import shapely

from hub.grid import ankang
from hub.grid.ankang import ankang_grids
from hub.grid.geodesy import metres_per_degree
from hub.grid.geojson import load_document, problems, read, read_areas
from hub.grid.grid import Grid
from hub.grid.index import GridIndex
from tests.shared import SHARED, needs_shared


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return ankang_grids()


@pytest.fixture(scope="module")
def drawn(document: dict[str, Any]) -> list[Grid]:
    return read(document).grids


def test_one_city_eight_towns_and_91_communities(drawn: list[Grid]) -> None:
    assert Counter(grid.level for grid in drawn) == {1: 1, 2: 8, 3: 91}
    assert Counter(grid.parent for grid in drawn if grid.level == 3) == {
        "ak-xincheng": 15,
        "ak-laocheng": 9,
        "ak-jiangbei": 8,
        "ak-jianmin": 1,
        "ak-zhangtan": 14,
        "ak-guanmiao": 12,
        "ak-wuli": 18,
        "ak-jihe": 14,
    }


def test_the_drawing_has_no_problem(document: dict[str, Any]) -> None:
    assert list(problems(document)) == []


def test_every_polygon_says_that_it_was_drawn(drawn: list[Grid]) -> None:
    for grid in drawn:
        assert grid.properties["synthetic"] is True
        assert grid.properties["boundary_source"] == "generated"
        assert grid.properties["note"] == "示意网格，非行政界线"


def test_community_codes_cannot_be_taken_for_real_ones(drawn: list[Grid]) -> None:
    codes = [str(grid.properties["community_code"]) for grid in drawn if grid.level == 3]
    assert len(set(codes)) == 91
    assert all(len(code) == 12 and code[9:] > "900" for code in codes)


def test_every_drawing_is_the_same(document: dict[str, Any]) -> None:
    ankang._grids.cache_clear()
    assert json.dumps(ankang_grids()) == json.dumps(document)


def test_a_point_has_one_grid_on_every_level(drawn: list[Grid]) -> None:
    index = GridIndex(drawn)
    for grid in drawn:
        point = shapely.point_on_surface(grid.geometry)
        community, town = index.locate_levels(point.y, point.x)[:0:-1]
        assert community is not None
        assert town is not None
        assert community.startswith(f"{town}-")


def test_unit_grids_of_one_community() -> None:
    document = ankang_grids(unit_grids_of="ak-laocheng-01")
    assert list(problems(document)) == []
    units = [grid for grid in read(document).grids if grid.level == 4]
    north, east = metres_per_degree(32.69)
    areas_m2 = [grid.geometry.area * north * east for grid in units]
    assert len(units) > 100
    assert [grid.code for grid in units] == [
        f"610902001901{number:03d}" for number in range(1, len(units) + 1)
    ]
    assert 9_000 < sum(areas_m2) / len(units) < 11_000
    assert min(areas_m2) > 3_900
    lats = [grid.geometry.centroid.y for grid in units]
    assert lats[0] > lats[-1]


def test_unit_grids_of_what_is_no_community_are_refused() -> None:
    with pytest.raises(ValueError, match="'ak-xincheng' is no third-level grid"):
        ankang_grids(unit_grids_of="ak-xincheng")


@needs_shared
def test_the_drawing_lies_in_the_county(drawn: list[Grid]) -> None:
    assert SHARED
    path = SHARED / "data/grids/boundaries/610902-hanbin.geojson"
    ((_, _, county),), found = read_areas(load_document(path))
    assert found == []
    assert county.contains(drawn[0].geometry)
