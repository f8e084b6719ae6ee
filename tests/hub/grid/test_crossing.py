import pytest

from hub.grid.crossing import Crossing, GridCrossing, GridStay, Presence, move, step
from hub.grid.fence import Circle
from tests.hub.grid.points import at_s

CIRCLE = Circle(32.69, 109.02, 100)
IN, WEST, EAST, NORTH = (32.69, 109.02), (32.69, 109.01), (32.69, 109.03), (32.70, 109.02)

Place = tuple[float, float]


def words(*points: tuple[float, Place]) -> list[str]:
    state: Presence | None = None
    said = []
    for seconds, place in points:
        state, word = step(CIRCLE, state, at_s(seconds), *place)
        said.append(str(word))
    return said


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([(0, WEST)], ["outside"]),
        ([(0, IN)], ["enter"]),
        ([(0, WEST), (5, IN), (10, IN), (15, EAST)], ["outside", "enter", "inside", "exit"]),
        ([(0, WEST), (60, EAST)], ["outside", "cross"]),
        ([(0, WEST), (60, NORTH)], ["outside", "outside"]),
        ([(0, WEST), (121, EAST)], ["outside", "outside"]),
        ([(0, WEST), (5, IN), (3, WEST)], ["outside", "enter", "None"]),
        ([(0, WEST), (0, IN)], ["outside", "enter"]),
    ],
)
def test_the_word_for_each_point(points: list[tuple[float, Place]], expected: list[str]) -> None:
    assert words(*points) == expected


def test_a_late_point_changes_nothing() -> None:
    state, _ = step(CIRCLE, None, at_s(10), *IN)
    assert step(CIRCLE, state, at_s(5), *WEST) == (state, None)


def test_presence_knows_since_when() -> None:
    state, _ = step(CIRCLE, None, at_s(0), *WEST)
    for seconds in (5, 10, 15):
        state, _ = step(CIRCLE, state, at_s(seconds), *IN)
    assert (state.inside, state.since, state.at) == (True, at_s(5), at_s(15))


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["a", "a"], [("enter", "a", 0, None)]),
        ([None, None], []),
        ([None, "a"], [("enter", "a", 1, 0)]),
        (["a", None], [("enter", "a", 0, None), ("exit", "a", 1, 0)]),
        (["a", "b"], [("enter", "a", 0, None), ("exit", "a", 1, 0), ("enter", "b", 1, 0)]),
    ],
)
def test_moving_through_grids(
    codes: list[str | None], expected: list[tuple[str, str, int, int | None]]
) -> None:
    state: GridStay | None = None
    said: list[GridCrossing] = []
    for seconds, code in enumerate(codes):
        state, events = move(state, at_s(seconds), code)
        said.extend(events)
    assert said == [
        GridCrossing(Crossing(kind), grid, at_s(at), None if last is None else at_s(last))
        for kind, grid, at, last in expected
    ]


def test_a_late_point_moves_nothing_through_grids() -> None:
    state = GridStay("a", at_s(0), at_s(10))
    assert move(state, at_s(5), "b") == (state, ())
