from collections.abc import Iterable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.grid.ankang import ankang_grids
from hub.grid.geojson import read
from hub.grid.grid import Grid
from hub.grid.index import GridIndex
from hub.patrol.coverage import ANKANG_PLAN, Coverage, Frequency, Period, Span, coverage
from hub.patrol.errors import PatrolError
from hub.patrol.visit import DEFAULT_VISIT, Manner, Visit, VisitSettings, Way, visits
from hub.tracks.point import Point
from tests.hub.grid.shapes import feature, grids, square
from tests.hub.tracks.reports import EAST, LAT, LON, at_s, drive, report, stand

ANKANG = ZoneInfo("Asia/Shanghai")
# Cells of 100 m along the road: c0 from 0 to 100 m east, c1 from 100 to 200 m, and so on.
ROAD = grids(
    *(
        feature(f"c{n}", square(LON + n * 100 / EAST, LAT - 0.001, 100 / EAST, 0.002), level=4)
        for n in range(10)
    )
)


def visited(points: list[Point], settings: VisitSettings = DEFAULT_VISIT) -> list[str]:
    index = GridIndex(ROAD)
    codes = [index.locate(point.lat, point.lon) for point in points]
    found = visits(points, codes, settings)
    return [visit.grid for visit in found if visit.manner is Manner.LOOKED]


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([report(0, 50)], [], id="one point"),
        pytest.param(drive(0, 180, 50, 250), ["c0", "c1", "c2"], id="on foot"),
        pytest.param(drive(0, 60, 0, 999), [], id="at 60 km/h"),
        pytest.param(drive(0, 240, 0, 999), [f"c{n}" for n in range(10)], id="at 15 km/h"),
        pytest.param(stand(0, 20, 150), ["c1"], id="standing for 20 s"),
        pytest.param(stand(0, 15, 150), [], id="standing for 15 s"),
        pytest.param(stand(0, 600, 150, every_s=150), [], id="reports too rare to know"),
        pytest.param(stand(0, 60, -50), [], id="outside all"),
        pytest.param(
            stand(0, 10, 150) + stand(15, 25, 190) + stand(30, 40, 150), ["c1"], id="noise inside"
        ),
        pytest.param(
            stand(0, 30, 150) + stand(800, 830, 150), ["c1"], id="back within a quarter of an hour"
        ),
        pytest.param(stand(0, 30, 150) + stand(1000, 1030, 150), ["c1", "c1"], id="back later"),
        pytest.param(
            [*drive(0, 10, 0, 160), *stand(15, 40, 160), *drive(45, 60, 170, 500)],
            ["c1"],
            id="fast, a look, fast",
        ),
    ],
)
def test_what_counts_as_a_visit(points: list[Point], expected: list[str]) -> None:
    assert visited(points) == expected


def test_a_visit_says_when_and_how_long() -> None:
    index = GridIndex(ROAD)
    points = stand(0, 60, 150)
    codes = [index.locate(point.lat, point.lon) for point in points]
    way = Way(inside_s=60.0, moving_s=0.0, standing_s=60.0, slow_m=0.0, passes=1)
    assert visits(points, codes) == [Visit("c1", at_s(0), at_s(60), 60.0, Manner.LOOKED, way)]


def test_settings_decide() -> None:
    assert visited(drive(0, 60, 0, 999), VisitSettings(pace_kmh=70, dwell_s=5))
    assert not visited(stand(0, 60, 150), VisitSettings(dwell_s=61))


MONDAY = date(2026, 9, 28)


def by_day(visits: Iterable[Visit]) -> dict[str, dict[Manner, list[date]]]:
    found: dict[str, dict[Manner, list[date]]] = {}
    for visit in visits:
        day = visit.start.astimezone(ANKANG).date()
        found.setdefault(visit.grid, {}).setdefault(visit.manner, []).append(day)
    return found


def visit_on(day: date, hour_utc: int = 4, grid: str = "a") -> Visit:
    noon = at_s(0).replace(year=day.year, month=day.month, day=day.day, hour=hour_utc)
    return Visit(grid, noon, noon + timedelta(minutes=1), 60)


def days(*numbers: int) -> list[date]:
    return [MONDAY + timedelta(days=number) for number in numbers]


@pytest.mark.parametrize(
    ("frequency", "visit_days", "since_until", "expected"),
    [
        (Frequency(1, Period.DAY), days(0, 1, 2), days(0, 3), (3, 3, [])),
        (Frequency(1, Period.DAY), days(0, 2), days(0, 3), (3, 2, days(1))),
        (Frequency(1, Period.DAY), days(0, 0, 0), days(0, 3), (3, 1, days(1, 2))),
        (Frequency(2, Period.DAY), days(0, 0, 1), days(0, 2), (4, 3, days(1))),
        (Frequency(1, Period.WEEK), days(6), days(0, 14), (2, 1, days(7))),
        (Frequency(1, Period.WEEK), days(3, 10), days(2, 14), (1, 1, [])),
        (Frequency(1, Period.WEEK), days(10), days(10, 11), (1, 1, [])),
        (Frequency(1, Period.DAY), [], days(0, 1), (1, 0, days(0))),
    ],
)
def test_coverage_of_a_grid(
    frequency: Frequency,
    visit_days: list[date],
    since_until: list[date],
    expected: tuple[int, int, list[date]],
) -> None:
    since, until = since_until
    (found,) = coverage(
        grids(feature("a", square(109, 32), level=3)),
        by_day(visit_on(day) for day in visit_days),
        {3: frequency},
        Span(since, until, ANKANG),
    )
    due, made, missed = expected
    assert found == Coverage("a", due, made, tuple(missed))
    assert found.share == made / due


def test_a_visit_counts_for_its_local_day() -> None:
    (found,) = coverage(
        grids(feature("a", square(109, 32), level=3)),
        by_day([visit_on(MONDAY, hour_utc=17)]),
        ANKANG_PLAN,
        Span(MONDAY, MONDAY + timedelta(days=2), ANKANG),
    )
    assert found.missed == (MONDAY,)


def test_the_citys_plan_asks_every_level_for_what_the_paper_says() -> None:
    every: list[Grid] = read(ankang_grids()).grids
    found = coverage(every, {}, ANKANG_PLAN, Span(MONDAY, MONDAY + timedelta(days=7), ANKANG))
    assert sum(each.due for each in found) == 1 + (8 + 91) * 7


def test_a_span_without_a_day_is_refused() -> None:
    with pytest.raises(PatrolError, match="no day"):
        Span(MONDAY, MONDAY, ANKANG)


def test_weeks_belong_to_the_span_they_begin_in() -> None:
    """So that two months side by side count no week twice; one day alone has its week."""

    def weeks(first: int, last: int) -> list[date]:
        span = Span(*days(first, last), ANKANG)
        return [start for start, _ in span.periods(Period.WEEK)]

    assert weeks(0, 7) == days(0)
    assert weeks(0, 8) == days(0, 7)
    assert weeks(2, 10) == days(7)
    assert weeks(10, 14) == days(7)
    assert weeks(3, 4) == days(0)


def test_what_still_can_be_made_is_not_missed() -> None:
    (found,) = coverage(
        grids(feature("a", square(109, 32), level=3)),
        {},
        {3: Frequency(2, Period.DAY)},
        Span(MONDAY, MONDAY + timedelta(days=2), ANKANG, today=MONDAY + timedelta(days=1)),
    )
    assert (found.required, found.due, found.open, found.missed) == (4, 2, 2, (MONDAY,))
    assert found.share == 0


def test_days_without_the_shift_ask_for_nothing() -> None:
    (found,) = coverage(
        grids(feature("a", square(109, 32), level=3)),
        by_day([visit_on(MONDAY)]),
        {3: Frequency(1, Period.DAY)},
        Span(MONDAY, MONDAY + timedelta(days=7), ANKANG, counts=lambda day: day.weekday() < 2),
    )
    assert (found.required, found.made, found.missed) == (2, 1, tuple(days(1)))


def test_a_plan_of_no_visits_is_refused() -> None:
    with pytest.raises(PatrolError, match="0 visits"):
        Frequency(0, Period.DAY)


def test_nothing_is_due_before_a_grid_was_known() -> None:
    (found,) = coverage(
        grids(feature("a", square(109, 32), level=3)),
        by_day([visit_on(MONDAY)]),
        ANKANG_PLAN,
        Span(*days(0, 5), ANKANG, today=MONDAY + timedelta(days=4)),
        {"a": MONDAY + timedelta(days=2)},
    )
    assert (found.due, found.made, found.open, found.missed) == (3, 1, 1, tuple(days(2, 3)))


def token(day: date, manner: Manner) -> Visit:
    noon = at_s(0).replace(year=day.year, month=day.month, day=day.day)
    return Visit("a", noon, noon + timedelta(minutes=1), 0.0, manner)


@pytest.mark.parametrize(
    ("made", "missed", "parked", "passed"),
    [
        pytest.param([], days(0, 1), (), (), id="nobody came"),
        pytest.param([token(MONDAY, Manner.PASSED)], days(0, 1), (), days(0), id="passed"),
        pytest.param(
            [token(MONDAY, Manner.PASSED), token(MONDAY, Manner.PARKED)],
            days(0, 1), days(0), (), id="parked is nearer to a visit than passing",
        ),
        pytest.param(
            [token(MONDAY, Manner.PARKED), visit_on(MONDAY)], days(1), (), (),
            id="who also looked missed nothing",
        ),
        pytest.param([token(d, Manner.PARKED) for d in days(-1, 2)], days(0, 1), (), (),
                     id="on other days"),
    ],
)  # fmt: skip
def test_a_missed_day_says_who_was_there_without_looking(made, missed, parked, passed) -> None:
    (found,) = coverage(
        grids(feature("a", square(109, 32), level=3)),
        by_day(made),
        {3: Frequency(1, Period.DAY)},
        Span(MONDAY, MONDAY + timedelta(days=2), ANKANG),
    )
    assert (found.missed, found.parked, found.passed) == (
        tuple(missed),
        tuple(parked),
        tuple(passed),
    )
    assert found.due == 2
