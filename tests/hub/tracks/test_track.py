from dataclasses import replace
from itertools import pairwise

from hub.grid.crossing import GridCrossing
from hub.grid.index import GridIndex
from hub.tracks.lifts import Lift
from hub.tracks.motion import Stop, Trip
from hub.tracks.point import Point
from hub.tracks.track import RULES, Event, TrackState, finish, follow, grid_rule
from tests.hub.grid.shapes import feature, grids, square
from tests.hub.tracks.reports import EAST, LAT, LON, at_s, drive, report, stand

WEST_EAST = GridIndex(
    grids(
        feature("west", square(LON - 0.01, LAT - 0.01, 0.01 + 1500 / EAST, 0.02)),
        feature("east", square(LON + 1500 / EAST, LAT - 0.01, 0.05, 0.02)),
    )
)
TREE = GridIndex(
    grids(
        feature("city", square(LON - 0.01, LAT - 0.01, 0.08, 0.02), level=1),
        feature("east", square(LON + 1500 / EAST, LAT - 0.01, 0.01, 0.02), level=2, parent="city"),
    )
)
WAY = drive(0, 300, 0, 3000) + stand(305, 700, 3000)


def crossings(points: list[Point], index: GridIndex) -> list[tuple[str, str, float]]:
    events = follow(points, TrackState(), [grid_rule(index)])
    return [
        (event.kind, event.grid, (event.at - at_s(0)).total_seconds())
        for event in events
        if isinstance(event, GridCrossing)
    ]


def everything(points: list[Point]) -> list[Event]:
    state = TrackState()
    return [*follow(points, state), *finish(state)]


def test_crossings_of_a_flat_set() -> None:
    assert crossings(WAY, WEST_EAST) == [
        ("enter", "west", 0),
        ("exit", "west", 155),
        ("enter", "east", 155),
    ]


def test_crossings_of_levels() -> None:
    assert crossings(WAY, TREE) == [
        ("enter", "city", 0),
        ("enter", "east", 150),
        ("exit", "east", 245),
    ]


def test_a_stray_fix_crosses_nothing() -> None:
    points = [*stand(0, 100, 0), report(105, 4000), *stand(110, 200, 0)]
    assert crossings(points, WEST_EAST) == [("enter", "west", 0)]


def test_one_point_after_the_other_says_the_same_as_all_at_once() -> None:
    state = TrackState()
    rules = [*RULES, grid_rule(WEST_EAST)]
    said = [event for point in WAY for event in follow([point], state, rules)]
    said += finish(state, rules)
    at_once = TrackState()
    assert said == [*follow(WAY, at_once, rules), *finish(at_once, rules)]
    assert {type(event) for event in said} == {GridCrossing, Trip, Stop}


def test_switches_count_where_the_position_does_not() -> None:
    """A lift whose reports have no position is judged at the last believed place."""
    lost = [
        replace(report(n * 10.0, hopper=n in {2, 3}, load=3 if n < 3 else 0), lat=0.0, lon=0.0)
        for n in range(1, 12)
    ]
    lifts = [e for e in everything([report(0, 70, hopper=False), *lost]) if isinstance(e, Lift)]
    (lift,) = lifts
    assert (lift.start, lift.end) == (at_s(20), at_s(40))
    assert lift.lon == report(0, 70).lon
    assert (lift.load_before, lift.load_after) == (3, 0)


def test_two_reports_at_one_moment_both_say_how_the_hopper_is() -> None:
    points = [
        report(0, hopper=False, load=3),
        report(10, hopper=False, load=3),
        report(10, hopper=True, load=3),
        report(20, hopper=False, load=0),
    ]
    (lift,) = [event for event in everything(points) if isinstance(event, Lift)]
    assert (lift.start, lift.end, lift.load_after) == (at_s(10), at_s(20), 0)


def test_stops_and_trips_follow_each_other() -> None:
    way = WAY + drive(705, 1000, 3000, 6000) + stand(1005, 1400, 6000)
    spans = [event for event in everything(way) if isinstance(event, Stop | Trip)]
    assert [type(span) for span in spans] == [Trip, Stop, Trip, Stop]
    assert all(before.end == after.start for before, after in pairwise(spans))
