"""What the database sums up is what counting every visit by itself comes to."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.calendar import store as calendar_store
from hub.duty import store as duty_store
from hub.duty.duty import Person, PersonRole, Post
from hub.duty.shift import Shift, read_clock
from hub.duty.table import Duty
from hub.patrol import report, store as patrol_store
from hub.patrol.coverage import ANKANG_PLAN, Period, Span
from hub.patrol.report import Question
from hub.patrol.store import Judged
from hub.patrol.visit import Manner, Visit

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = date(2026, 11, 3)
TODAY = date(2026, 12, 9)
CARS = ("car-1/v1", "car-2/v1", "car-3/v1")
SHIFTS = [
    Shift("am", "早班", ("workdays",), read_clock("start", "07:00"), read_clock("end", "12:00")),
    Shift(
        "night", "夜班", ("mon", "thu"), read_clock("start", "22:00"), read_clock("end", "06:00")
    ),
    Shift("all", "全天", ("daily",), read_clock("start", "08:00"), read_clock("end", "08:00")),
]


@pytest.fixture
def visits(store, site):
    """Five weeks of visits to the city and its quarters, and to a grid that is there no more."""
    dice = random.Random(7)
    codes = [*[grid.code for grid in site.places.index[1].grids][:-1], "ended"]
    made = []
    for day in (FIRST + timedelta(days=n) for n in range(38)):
        midnight = datetime.combine(day, datetime.min.time(), ZONE).astimezone(UTC)
        for car in CARS:
            seconds = sorted(dice.sample(range(86_400), dice.randrange(4)))
            of_day = [
                Visit(
                    dice.choice(codes),
                    midnight + timedelta(seconds=second),
                    midnight + timedelta(seconds=second + dice.randrange(20, 9000)),
                    float(dice.randrange(20, 900)),
                    dice.choice(list(Manner)),
                )
                for second in seconds
            ]
            with store.write() as tx:
                patrol_store.replace_day(tx, (car, day), Judged(9, 1), of_day, [])
            made += [(car, visit) for visit in of_day]
    people = [Person("p", "王芳", PersonRole.GRID_WORKER, "with", "13900000000", CARS[:2])]
    posts = [Post("with", "有车", "q01", ("city",), ("am",)), Post("none", "无车", "q01")]
    with store.write() as tx:
        duty_store.put(tx, Duty(posts=posts, people=people, shifts=SHIFTS))
    return made


def one_by_one(store, site, made, asked):
    """Every visit looked at by itself, period by period, as (grid, figures)."""
    with store.read() as tx:
        calendar = calendar_store.calendar(tx, ZONE)
        begun = patrol_store.required_from(tx, ZONE)
    shift = next((each for each in SHIFTS if each.code == asked.shift), None)
    cars = {None: CARS, "with": CARS[:2], "none": ()}[asked.post]
    counts = (lambda day: shift.runs_on(day, calendar)) if shift else lambda _: True
    span = Span(asked.since, asked.until, ZONE, TODAY, counts)
    for grid in site.places.index[1].grids:
        if asked.level not in (None, grid.level) or grid.level not in ANKANG_PLAN:
            continue
        here = [
            visit
            for car, visit in made
            if visit.grid == grid.code
            and car in cars
            and (shift is None or shift.holds(visit.start, ZONE, calendar))
        ]
        on = Counter((each.start.astimezone(ZONE).date(), each.manner) for each in here)
        times = ANKANG_PLAN[grid.level].times
        figures = dict.fromkeys(("required", "made", "open"), 0)
        missed, parked, passed = [], [], []
        for first, end in span.periods(ANKANG_PLAN[grid.level].period):
            days = [first + timedelta(days=n) for n in range((end - first).days)]
            looked, stood, went = (
                sum(on[day, manner] for day in days)
                for manner in (Manner.LOOKED, Manner.PARKED, Manner.PASSED)
            )
            count = min(looked, times)
            waits = end > TODAY
            is_asked = waits or first >= begun[grid.code]
            figures["made"] += count
            figures["required"] += times if is_asked else count
            if count < times and waits:
                figures["open"] += times - count
            elif count < times and is_asked:
                missed.append(first)
                if stood:
                    parked.append(first)
                elif went:
                    passed.append(first)
        true = [
            each
            for each in here
            if each.manner is Manner.LOOKED
            and asked.since <= each.start.astimezone(ZONE).date() < asked.until
        ]
        seen = (
            len(true),
            sum(each.slow_s for each in true),
            max((v.end for v in true), default=None),
        )
        yield grid.code, *figures.values(), missed, parked, passed, *seen


@pytest.mark.parametrize("level", [None, 1, 2])
@pytest.mark.parametrize(
    ("shift", "post"),
    [(None, None), ("am", None), ("night", None), ("all", None), (None, "with"), ("am", "with"),
     (None, "none")],
)  # fmt: skip
def test_sums_are_what_the_visits_come_to(store, site, visits, monkeypatch, shift, post, level):
    spans = [(0, 31), (6, 7), (3, 12), (33, 40)]
    for most in (report.MOST_NAMED, 0):
        monkeypatch.setattr(report, "MOST_NAMED", most)
        for since, until in spans:
            days = FIRST + timedelta(days=since), FIRST + timedelta(days=until)
            asked = Question(*days, level=level, shift=shift, post=post)
            with store.read() as tx:
                found = report.rows(tx, site.config, site.places.index[1].grids, asked, TODAY)
            figures = [
                (row.grid.code, row.coverage.required, row.coverage.made, row.coverage.open,
                 list(row.coverage.missed), list(row.coverage.parked), list(row.coverage.passed),
                 row.visits, row.slow_s, row.last)
                for row in found
            ]  # fmt: skip
            expected = [
                each
                for each in one_by_one(store, site, visits, asked)
                if post != "none" or each[0] == "q01"
            ]
            assert figures == expected


def test_the_random_visits_have_every_case(store, site, visits):
    """Else the comparison would compare nothing."""
    asked = Question(FIRST, FIRST + timedelta(days=40))
    with store.read() as tx:
        rows = report.rows(tx, site.config, site.places.index[1].grids, asked, TODAY)
    covered = [row.coverage for row in rows]
    for name in ("made", "open", "missed", "parked", "passed"):
        assert any(getattr(each, name) for each in covered), name
    assert any(each.required > each.made + each.open for each in covered)
    assert Period.WEEK in {ANKANG_PLAN[row.grid.level].period for row in rows}
