from typing import Any

import pytest

from hub.grid.geojson import problems
from hub.grid.topology import DEFAULT_TOLERANCES, Tolerances
from tests.hub.grid.shapes import collection, feature, square

CITY = feature("city", square(109, 32, 0.02, 0.02), level=1)
WEST = feature("west", square(109, 32, 0.01, 0.02), level=2, parent="city")
EAST = feature("east", square(109.01, 32, 0.01, 0.02), level=2, parent="city")
METRE = 1 / 94_000  # of longitude at 32 N


def changed(given: dict[str, Any], ring: object = None, **properties: Any) -> dict[str, Any]:
    geometry = given["geometry"] if ring is None else {"type": "Polygon", "coordinates": [ring]}
    return {**given, "properties": {**given["properties"], **properties}, "geometry": geometry}


def found(
    *features: Any, tolerances: Tolerances = DEFAULT_TOLERANCES
) -> list[tuple[str, str | None]]:
    document = collection(*features)
    return [(each.problem, each.code) for each in problems(document, tolerances)]


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        pytest.param([CITY, WEST, EAST], [], id="a good tree"),
        pytest.param([WEST, CITY, EAST], [], id="children before their parent"),
        pytest.param([CITY], [], id="a parent without children"),
        pytest.param(
            [changed(WEST, parent=None), changed(EAST, parent=None)], [], id="top level is 2"
        ),
        pytest.param(
            [CITY, changed(WEST, level=None), EAST], [("missing_level", "west")], id="no level"
        ),
        pytest.param(
            [CITY, changed(WEST, parent=None), EAST],
            [("missing_parent", "west"), ("gap", "city")],
            id="no parent",
        ),
        pytest.param(
            [CITY, changed(WEST, parent="town"), EAST],
            [("unknown_parent", "west"), ("gap", "city")],
            id="unknown parent",
        ),
        pytest.param(
            [CITY, changed(WEST, level=3), EAST], [("wrong_level", "west")], id="level skipped"
        ),
        pytest.param(
            [changed(WEST, parent="east"), changed(EAST, parent="west")],
            [
                ("wrong_level", "west"),
                ("wrong_level", "east"),
                ("cycle", "west"),
                ("outside_parent", "west"),
                ("outside_parent", "east"),
                ("gap", "west"),
                ("gap", "east"),
            ],
            id="cycle",
        ),
        pytest.param(
            [CITY, WEST, changed(EAST, parent="east")],
            [("wrong_level", "east"), ("cycle", "east"), ("gap", "city")],
            id="its own parent",
        ),
        pytest.param(
            [CITY, changed(WEST, square(109, 32, 0.01 + 2 * METRE, 0.02)), EAST],
            [("overlap", "west")],
            id="siblings overlap",
        ),
        pytest.param(
            [CITY, changed(WEST, square(109, 32, 0.01 - 2 * METRE, 0.02)), EAST],
            [("gap", "city")],
            id="gap between siblings",
        ),
        pytest.param(
            [CITY, WEST, changed(EAST, square(109.01, 32, 0.01 + 2 * METRE, 0.02))],
            [("outside_parent", "east")],
            id="child overhangs",
        ),
        pytest.param(
            [
                CITY,
                changed(WEST, square(109, 32, 0.01 + 0.3 * METRE, 0.02)),
                changed(EAST, square(109.01, 32, 0.01 - 0.3 * METRE, 0.02)),
            ],
            [],
            id="borders 30 cm apart",
        ),
        pytest.param(
            [feature("a", square(109, 32)), feature("b", square(109.005, 32))],
            [("overlap", "a")],
            id="a flat set overlaps",
        ),
        pytest.param(
            [
                feature("w", square(109, 32, 0.01, 0.03)),
                feature("s", square(109.01, 32, 0.02, 0.01)),
                feature("e", square(109.02, 32.01, 0.01, 0.02)),
                feature("n", square(109.01, 32.02, 0.01, 0.01)),
            ],
            [("gap", "w")],
            id="a flat set leaves a hole",
        ),
        pytest.param(
            [feature("a", square(109, 32), square(109.002, 32.002, 0.001, 0.001))],
            [],
            id="one polygon with a hole",
        ),
        pytest.param(
            [
                feature("d1", square(109, 32), kind="duty_grid"),
                feature("u1", square(109, 32), kind="unit_grid"),
            ],
            [],
            id="different kinds may lie on each other",
        ),
    ],
)
def test_problems_of_a_set(features: list[Any], expected: list[tuple[str, str]]) -> None:
    assert found(*features) == expected


def test_a_broken_child_makes_no_second_problem_of_a_gap() -> None:
    broken = changed(WEST, [[109, 32], [109.01, 32.02], [109.01, 32], [109, 32.02], [109, 32]])
    assert found(CITY, broken, EAST) == [("self_intersection", "west")]


def test_children_of_a_broken_parent_are_not_blamed() -> None:
    assert found(changed(CITY, square(109, 32)[:-1]), WEST, EAST) == [("invalid_ring", "city")]


def test_a_problem_of_borders_says_where_and_how_much() -> None:
    wider = changed(WEST, square(109, 32, 0.015, 0.02))
    overlap = next(problems(collection(CITY, wider, EAST)))
    assert overlap.details["others"] == ["east"]
    assert overlap.details["area_m2"] == pytest.approx(0.005 * 94_494 * 0.02 * 110_899, rel=0.01)
    assert overlap.where.startswith("west at 32.01")


def test_tolerances_are_settings() -> None:
    narrower = changed(WEST, square(109, 32, 0.01 - 2 * METRE, 0.02))
    assert found(CITY, narrower, EAST, tolerances=Tolerances(strip_m=3)) == []
    assert found(CITY, narrower, EAST, tolerances=Tolerances(gap_m2=10_000)) == []
