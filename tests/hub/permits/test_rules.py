from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.grid.fence import Circle
from hub.grid.geodesy import metres_per_degree
from hub.grid.hours import ALWAYS, Hours
from hub.permits.permit import Permit
from hub.permits.rules import Haul, Warrant, permit_rule
from hub.tracks.geofence import Geofence, Purpose
from hub.tracks.point import Point
from hub.tracks.presence import FenceIndex
from hub.tracks.track import TrackState, finish, follow

NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
LAT, LON = 32.69, 109.02
NORTH, EAST = metres_per_degree(LAT)


def at_m(east_m, north_m=0.0):
    return LAT + north_m / NORTH, LON + east_m / EAST


def site(code, east_m, purpose):
    return Geofence(code, code, Circle(*at_m(east_m), 150), purpose=purpose)


PIT, TIP = site("pit", 0, Purpose.LOADING), site("tip", 10_000, Purpose.DUMP)
OTHER_PIT = site("pit2", -3000, Purpose.LOADING)
OTHER_TIP = site("tip2", 5000, Purpose.DUMP)
SITES = (PIT, TIP, OTHER_PIT, OTHER_TIP)


def permit(**changes):
    given = {
        "number": "p1",
        "vehicles": frozenset({"陕G00001"}),
        "loading_site": "pit",
        "dump_site": "tip",
        "first": date(2026, 9, 1),
        "last": date(2026, 10, 31),
        "hours": ALWAYS,
        "route": (at_m(0), at_m(10_000)),
    }
    return Permit(**(given | changes))


def told(points, *permits):
    warrants = [Warrant(each, PIT, TIP, each.corridor()) for each in permits]
    rule = permit_rule(Haul(warrants, FenceIndex(SITES), ZONE))
    state = TrackState()
    events = [*follow(points, state, [rule]), *finish(state, [rule])]
    by_key = {event.key: event for event in events}
    return [(e.kind.value, e.subject, e.certainty, e.over) for e in by_key.values()]


def way(start_s, seconds, from_m, to_m, *, north_m=0.0, kmh=40.0, **said):
    count = seconds // 10
    return [
        Point(
            NOON + timedelta(seconds=start_s + 10 * n),
            *at_m(from_m + (to_m - from_m) * n / count, north_m),
            kmh,
            **said,
        )
        for n in range(count + 1)
    ]


LOADED = way(0, 900, 0, 9950, load=3)


def test_a_haul_as_permitted_tells_nothing():
    unloading = way(910, 120, 10_000, 10_000, kmh=0.0, load=3, hopper=True)
    empty = way(1040, 600, 10_000, 3000, load=0)
    assert told([*LOADED, *unloading, *empty], permit()) == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param([], [("no_permit", "", 0.9, False)], id="none"),
        pytest.param(
            [permit(last=date(2026, 9, 30))], [("no_permit", "", 0.9, False)], id="run out"
        ),
        pytest.param(
            [permit(hours=Hours(((22 * 60, 5 * 60),)))],
            [("off_hours", "p1", 0.9, False)],
            id="by day with a permit for the night",
        ),
        pytest.param(
            [permit(hours=Hours(((22 * 60, 5 * 60),))), permit(number="p2")],
            [],
            id="another permit is open",
        ),
        pytest.param([permit(last=date(2026, 10, 1))], [], id="the last day counts"),
        pytest.param([permit(route=())], [], id="a free way"),
    ],
)
def test_a_loaded_truck_under_way(given, expected):
    assert told(LOADED, *given) == expected


def test_an_empty_truck_breaks_no_permit():
    assert told(way(0, 900, 0, 9950, load=0, cover_open=True)) == []


def test_off_the_route_for_long_enough():
    away = way(300, 200, 3000, 4000, north_m=400, load=3)
    back = way(510, 400, 4000, 9000, load=3)
    assert told([*way(0, 290, 0, 3000, load=3), *away, *back], permit()) == [
        ("off_route", "p1", 0.9, True)
    ]


def test_one_stray_point_is_no_other_way():
    points = way(0, 900, 0, 9950, load=3)
    points[40] = Point(points[40].at, *at_m(4000, 300), 40.0, load=3)
    assert told(points, permit()) == []


def test_a_load_under_an_open_cover():
    assert told(way(0, 300, 0, 3000, load=3, cover_open=True), permit()) == [
        ("uncovered_load", "p1", 0.9, False)
    ]
    assert told(way(0, 300, 0, 3000, load=3, cover_open=None), permit()) == []


def test_a_load_left_at_another_site():
    points = [
        *way(0, 500, 0, 5000, load=3),
        *way(510, 60, 5000, 5000, kmh=0.0, load=3, hopper=True),
        *way(580, 60, 5000, 5000, kmh=0.0, load=0, hopper=False),
    ]
    assert told(points, permit()) == [("wrong_site", "tip2", 0.9, True)]


def test_a_load_taken_at_another_site():
    points = [
        *way(0, 60, -3000, -3000, kmh=0.0, load=0),
        *way(70, 60, -3000, -3000, kmh=0.0, load=3),
    ]
    assert told(points, permit()) == [("wrong_site", "pit2", 0.9, True)]


def test_a_sensor_that_flickers_left_no_load():
    still = way(0, 60, 5000, 5000, kmh=0.0, load=3)
    flicker = way(70, 0 + 10, 5000, 5000, kmh=0.0, load=0)[:1]
    after = way(80, 60, 5000, 5000, kmh=0.0, load=3)
    assert told([*still, *flicker, *after], permit()) == []


def test_a_truck_that_does_not_tell_is_presumed_loaded_after_loading():
    silent = way(0, 900, 0, 9950)
    assert told(silent) == []
    loading = way(-240, 230, 0, 0, kmh=0.0)
    assert told([*loading, *silent]) == [("no_permit", "", 0.6, False)]
    unloaded = [*way(910, 300, 10_000, 10_000, kmh=0.0), *way(1220, 900, 10_000, 0)]
    assert told([*loading, *silent, *unloaded], permit(route=())) == []
    back = [*loading, *silent, *unloaded]
    assert told(back)[0] == ("no_permit", "", 0.6, True)


def test_passing_a_loading_site_presumes_nothing():
    assert told(way(0, 900, -300, 9950)) == []


def test_a_lifted_hopper_ends_the_presumption():
    loading = way(-240, 230, 0, 0, kmh=0.0)
    tipped = way(0, 60, 200, 200, kmh=0.0, hopper=True)
    assert told([*loading, *tipped, *way(70, 600, 200, 6000)]) == []
