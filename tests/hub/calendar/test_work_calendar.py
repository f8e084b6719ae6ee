from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from hub.calendar.limit import TimeLimit, Unit
from hub.calendar.work_calendar import BadCalendar, WorkCalendar, Year

XIAN = ZoneInfo("Asia/Shanghai")
HOURS = ((time(8), time(12)), (time(14), time(18)))
OCTOBER = Year(
    frozenset(date(2026, 10, day) for day in range(1, 8)),
    frozenset({date(2026, 9, 20), date(2026, 10, 10)}),
)
CALENDAR = WorkCalendar(7, XIAN, HOURS, {2026: OCTOBER})


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=XIAN)


@pytest.mark.parametrize(
    ("begins", "limit", "due"),
    [
        # Monday 9 March 2026.
        ("2026-03-09 09:00", "2工作时", "2026-03-09 11:00"),
        ("2026-03-09 11:00", "2工作时", "2026-03-09 15:00"),
        ("2026-03-09 13:00", "2工作时", "2026-03-09 16:00"),
        ("2026-03-09 17:00", "4工作时", "2026-03-10 11:00"),
        ("2026-03-13 17:00", "4工作时", "2026-03-16 11:00"),  # over a weekend
        ("2026-03-09 10:00", "1工作日", "2026-03-10 10:00"),
        ("2026-03-09 08:00", "1工作日", "2026-03-09 18:00"),
        ("2026-03-09 21:00", "1工作日", "2026-03-10 18:00"),
        ("2026-03-13 17:00", "2自然日", "2026-03-15 17:00"),
        ("2026-03-14 23:00", "2紧急工作时", "2026-03-15 01:00"),
        # Into National Day: off from 1 to 7 October, Saturday the 10th is worked.
        ("2026-09-30 17:00", "2工作时", "2026-10-08 09:00"),
        ("2026-10-09 17:00", "2工作时", "2026-10-10 09:00"),
        ("2026-09-19 12:00", "1工作时", "2026-09-20 09:00"),  # a worked Sunday
    ],
)
def test_a_limit_runs_in_working_time(begins, limit, due):
    found = CALENDAR.due(local(begins), TimeLimit.read(limit))
    assert found.at == local(due)
    assert found.at.tzinfo is UTC
    assert not found.is_provisional


def test_a_year_without_a_published_table_is_guessed_and_said_to_be():
    new_year = CALENDAR.due(local("2026-12-31 17:00"), TimeLimit.read("2工作时"))
    assert new_year.is_provisional
    assert new_year.at == local("2027-01-04 09:00")  # 1 January is a Friday and a holiday anyway
    assert not CALENDAR.due(local("2026-12-31 16:00"), TimeLimit.read("2工作时")).is_provisional
    assert not CALENDAR.due(local("2026-12-31 16:00"), TimeLimit.read("5自然日")).is_provisional


@pytest.mark.parametrize(
    "spans",
    [
        (),
        ((time(12), time(8)),),
        ((time(8), time(12)), (time(11), time(18))),
        ((time(8), time(8)),),
    ],
)
def test_hours_out_of_order_are_refused(spans):
    with pytest.raises(BadCalendar, match="working hours"):
        WorkCalendar(1, XIAN, spans, {})


def test_where_nobody_ever_works_a_limit_is_refused_not_sought_for_ever():
    year = {n: Year(frozenset(_days(n)), frozenset()) for n in range(2026, 2030)}
    calendar = WorkCalendar(1, XIAN, HOURS, year)
    with pytest.raises(BadCalendar, match="nobody works"):
        calendar.due(local("2026-03-09 09:00"), TimeLimit.read("1工作时"))


def _days(year):
    first = date(year, 1, 1)
    return (first + timedelta(days=n) for n in range(366))


moments = st.integers(0, 500 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
limits = st.builds(TimeLimit, st.floats(0.05, 30, allow_nan=False), st.sampled_from(list(Unit)))


@settings(max_examples=150, deadline=None)
@given(moments, limits)
def test_what_is_counted_until_a_limit_is_due_is_the_limit(at, limit):
    due = CALENDAR.due(at, limit).at
    assert CALENDAR.counted_s(at, due, limit.unit) == pytest.approx(
        CALENDAR.length_s(limit), abs=1e-3
    )


@settings(max_examples=150, deadline=None)
@given(moments, st.floats(60, 400_000), st.floats(60, 400_000), st.sampled_from(list(Unit)))
def test_a_clock_stopped_and_started_again_is_due_as_if_it_had_run_through(at, first, then, unit):
    middle = CALENDAR.after(at, first, unit).at
    whole = CALENDAR.after(at, first + then, unit).at
    assert abs(CALENDAR.after(middle, then, unit).at - whole) < timedelta(milliseconds=5)


@settings(max_examples=100, deadline=None)
@given(moments, limits, st.floats(1, 500_000))
def test_who_begins_later_is_never_due_earlier(at, limit, later_s):
    later = at + timedelta(seconds=later_s)
    assert CALENDAR.due(at, limit).at <= CALENDAR.due(later, limit).at
