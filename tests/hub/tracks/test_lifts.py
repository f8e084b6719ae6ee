from itertools import chain
from zoneinfo import ZoneInfo

import pytest
import shapely

from hub.grid.fence import Area
from hub.grid.hours import ALWAYS, Hours
from hub.tracks.lifts import Lift, LiftState, Verdict, finish, follow, verdict
from hub.tracks.point import Point
from hub.tracks.settings import DEFAULTS
from hub.tracks.sites import Site
from tests.hub.tracks.reports import LAT, LON, at_s, report

ANKANG = ZoneInfo("Asia/Shanghai")
HERE = Area(shapely.box(LON - 0.001, LAT - 0.001, LON + 0.001, LAT + 0.001))
ELSEWHERE = Area(shapely.box(LON + 1, LAT, LON + 1.1, LAT + 0.1))
MORNING, MIDDAY = Hours(((6 * 60, 10 * 60),)), Hours(((11 * 60, 13 * 60),))


def lifts(points: list[Point]) -> list[Lift]:
    state: LiftState | None = None
    found: list[Lift] = []
    for point in points:
        state, done = follow(state, point, DEFAULTS)
        found += done
    return [*found, *finish(state, DEFAULTS)]


def spans(points: list[Point]) -> list[tuple[float, float, int | None, int | None, bool]]:
    return [
        (
            (lift.start - at_s(0)).total_seconds(),
            (lift.end - at_s(0)).total_seconds(),
            lift.load_before,
            lift.load_after,
            lift.is_over,
        )
        for lift in lifts(points)
    ]


def reports(hoppers: str, loads: str, every_s: float = 10.0) -> list[Point]:
    """A report each 10 s: `^` hopper up, `_` down, `?` not said; the digit is the load."""
    said = {"^": True, "_": False, "?": None}
    return [
        report(n * every_s, hopper=said[hopper], load=None if load == "?" else int(load))
        for n, (hopper, load) in enumerate(zip(hoppers, loads, strict=True))
    ]


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        pytest.param(reports("____", "3333"), [], id="never up"),
        pytest.param(reports("_^^_", "3310"), [(10, 30, 3, 0, True)], id="unloading"),
        pytest.param(reports("_^^_", "0000"), [(10, 30, 0, 0, True)], id="washing"),
        pytest.param(reports("_^^?", "33??"), [(10, 20, 3, 3, False)], id="the track ends"),
        pytest.param(reports("_^?^_", "33???"), [(10, 40, 3, 3, True)], id="once not said"),
        pytest.param(
            reports("_^_^__", "331000"), [(10, 40, 3, 0, True)], id="shaken: still one lift"
        ),
        pytest.param(
            reports("_^____^_", "33000011"),
            [(10, 20, 3, 0, True), (60, 70, 0, 1, True)],
            id="two lifts",
        ),
        pytest.param(
            reports("_^_" + "_" * 9, "333333" + "0" * 6),
            [(10, 20, 3, 0, True)],
            id="the load sensor is slow",
        ),
        pytest.param(
            reports("_^____", "333000", every_s=120),
            [(120, 240, 3, 0, True)],
            id="reports are rare",
        ),
        pytest.param(
            [*reports("_^^", "333"), report(2000, hopper=False, load=0)],
            [(10, 20, 3, 3, False)],
            id="silence ends what is known",
        ),
        pytest.param(reports("^^_", "300"), [(0, 20, 3, 0, True)], id="up from the beginning"),
        pytest.param(reports("_^_", "???"), [(10, 20, None, None, True)], id="no load sensor"),
    ],
)
def test_lifts(
    points: list[Point], expected: list[tuple[float, float, int | None, int | None, bool]]
) -> None:
    assert spans(points) == expected


def lift(
    load_before: int | None = 3,
    load_after: int | None = 0,
    *,
    speed_kmh: float = 0.0,
    start_s: float = 0,
) -> Lift:
    end = at_s(start_s + 90)
    return Lift(at_s(start_s), end, LAT, LON, speed_kmh, load_before, load_after, is_over=True)


OPEN, CLOSED = Site("open", HERE, MIDDAY), Site("closed", HERE, MORNING)
FAR = Site("far", ELSEWHERE, ALWAYS)


@pytest.mark.parametrize(
    ("given", "sites", "expected"),
    [
        pytest.param(lift(), [OPEN], ("approved", "open"), id="open site"),
        pytest.param(lift(), [Site("s", HERE)], ("approved", "s"), id="site without hours"),
        pytest.param(lift(), [CLOSED], ("outside_hours", "closed"), id="closed site"),
        pytest.param(lift(), [CLOSED, OPEN], ("approved", "open"), id="one of two is open"),
        pytest.param(lift(), [FAR], ("illegal_place", None), id="no site here"),
        pytest.param(lift(), [], ("illegal_place", None), id="no site at all"),
        pytest.param(lift(), None, (None, None), id="sites not known"),
        pytest.param(lift(3, 1), [FAR], ("illegal_place", None), id="half of the load"),
        pytest.param(lift(3, 3), [FAR], ("lift_without_unloading", None), id="load unchanged"),
        pytest.param(lift(0, 0), [OPEN], ("lift_without_unloading", None), id="empty in a site"),
        pytest.param(lift(0, 3), [FAR], ("lift_without_unloading", None), id="loaded"),
        pytest.param(lift(3, 3), None, ("lift_without_unloading", None), id="sites not needed"),
        pytest.param(lift(None, None), [FAR], ("illegal_place", None), id="load not known"),
        pytest.param(lift(speed_kmh=16), [OPEN], ("lift_while_moving", None), id="moving"),
        pytest.param(lift(speed_kmh=4.9), [FAR], ("illegal_place", None), id="creeping"),
        pytest.param(lift(start_s=3599), [OPEN], ("approved", "open"), id="just before closing"),
        pytest.param(lift(start_s=3600), [OPEN], ("outside_hours", "open"), id="at closing"),
    ],
)
def test_verdicts(
    given: Lift, sites: list[Site] | None, expected: tuple[str | None, str | None]
) -> None:
    found, site = verdict(given, sites, ANKANG, DEFAULTS)
    assert (found, site.name if site else None) == expected


def test_the_time_zone_decides_what_is_open() -> None:
    assert verdict(lift(), [OPEN], ZoneInfo("UTC"), DEFAULTS)[0] == Verdict.OUTSIDE_HOURS


@pytest.mark.parametrize(
    ("speeds", "metres", "expected"),
    [
        ([0.0, 0.0, 30.0], [0, 0, 0], 0.0),
        ([None, None, None], [0, 50, 100], 18.0),
        ([None, None, None], [0, 3, 0], 0.54),
        ([None], [0], 0.0),
    ],
)
def test_speed_of_a_lift(speeds: list[float | None], metres: list[float], expected: float) -> None:
    points = [
        report(n * 10.0, east_m, speed_kmh=speed, hopper=True)
        for n, (speed, east_m) in enumerate(zip(speeds, metres, strict=True))
    ]
    (found,) = lifts(points)
    assert found.speed_kmh == pytest.approx(expected, rel=0.01)


def test_a_stray_fix_does_not_move_a_lift() -> None:
    points = [report(n * 10.0, 0 if n != 2 else 5000, hopper=n < 5) for n in range(6)]
    assert lifts(points)[0].lon == pytest.approx(LON)


def test_a_stuck_sensor_is_one_long_lift() -> None:
    points = [report(n * 10.0, hopper=True) for n in range(5000)]
    assert spans([*points, report(50_000, hopper=False)]) == [(0, 50_000, None, None, True)]


def test_a_state_can_be_kept_between_points() -> None:
    points = reports("_^^_______", "3310000000")
    state: LiftState | None = None
    steps = []
    for point in points:
        state, done = follow(state, point, DEFAULTS)
        steps.append(done)
    assert [len(done) for done in steps] == [0] * 9 + [1]
    assert list(chain(*steps)) == lifts(points)
