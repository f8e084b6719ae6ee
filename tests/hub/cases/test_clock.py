from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from hub.calendar.limit import TimeLimit, Unit
from hub.calendar.work_calendar import WorkCalendar, Year
from hub.cases.case import NEXT, State
from hub.cases.clock import Clock, ClockState, Mark, after_step, filed, opened
from hub.cases.condition import USUAL, Condition, ConditionNeeded, pick

XIAN = ZoneInfo("Asia/Shanghai")
HOURS = ((time(8), time(12)), (time(14), time(18)))
CALENDAR = WorkCalendar(3, XIAN, HOURS, {2026: Year(frozenset(), frozenset())})
FOUR_HOURS = TimeLimit(4, Unit.WORK_HOUR)


def local(text):
    """A moment of March 2026: the 9th is a Monday."""
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=XIAN)


def walked(*steps, limit=FOUR_HOURS):
    """The clocks of a case reported on Monday at 08:00 and taken through states at times."""
    clock = replace(opened(limit, CALENDAR, local("09 08:00")))
    before = State.REPORTED
    for state, at in steps:
        clock = after_step(clock, before, state, CALENDAR, local(at))
        before = state
    return clock


DISPATCHED = (State.DISPATCHED, "09 09:00")
HANDLING = (State.HANDLING, "09 09:30")


def test_the_handling_clock_starts_at_the_first_dispatch():
    assert walked().state(local("09 08:01")) is ClockState.WAITING
    clock = walked(DISPATCHED)
    assert clock.due_at == local("09 15:00")
    assert clock.calendar_version == 3


def test_a_return_does_not_start_it_anew():
    clock = walked(DISPATCHED, (State.RETURNED, "09 10:00"), (State.DISPATCHED, "09 11:00"))
    assert clock.due_at == local("09 15:00")


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("09 09:00", ClockState.RUNNING),
        ("09 14:11", ClockState.RUNNING),
        ("09 14:12", ClockState.WARNING),  # four fifths of four hours: 3 h 12 min of work
        ("09 15:00", ClockState.WARNING),
        ("09 15:01", ClockState.OVERDUE),
    ],
)
def test_it_warns_before_it_runs_out(at, state):
    assert walked(DISPATCHED, HANDLING).state(local(at)) is state


@pytest.mark.parametrize(
    ("done", "state"), [("09 14:30", ClockState.IN_TIME), ("09 15:30", ClockState.LATE)]
)
def test_what_counts_is_when_it_was_reported_done(done, state):
    clock = walked(DISPATCHED, HANDLING, (State.HANDLED, done))
    assert clock.state(local("20 12:00")) is state


def test_a_rework_goes_on_against_the_same_deadline():
    clock = walked(
        DISPATCHED, HANDLING, (State.HANDLED, "09 14:30"), (State.VERIFYING_RESULT, "09 14:40"),
        (State.REWORK, "09 16:00"),
    )  # fmt: skip
    assert clock.due_at == local("09 15:00")
    assert clock.state(local("09 16:00")) is ClockState.OVERDUE


def test_a_suspended_clock_stands_still_and_keeps_what_was_left():
    clock = walked(DISPATCHED, HANDLING, (State.SUSPENDED, "09 11:00"))
    assert clock.left_s == 2 * 3600
    assert clock.state(local("31 12:00")) is ClockState.STOPPED
    clock = after_step(clock, State.SUSPENDED, State.HANDLING, CALENDAR, local("16 17:00"))
    assert clock.due_at == local("17 09:00")
    assert clock.state(local("16 17:30")) is ClockState.RUNNING


def test_a_reopened_case_gets_a_new_deadline():
    clock = walked(
        DISPATCHED, HANDLING, (State.HANDLED, "09 14:00"), (State.VERIFYING_RESULT, "09 14:10"),
        (State.CLOSED, "09 14:20"), (State.REOPENED, "11 08:00"), (State.DISPATCHED, "11 09:00"),
    )  # fmt: skip
    assert clock.due_at == local("11 15:00")
    assert clock.done_at is None


def test_a_cancelled_case_has_no_deadline():
    clock = walked(DISPATCHED, (State.RETURNED, "09 10:00"), (State.CANCELLED, "09 11:00"))
    assert clock.due_at is None
    assert clock.next_mark_at is None


@pytest.mark.parametrize(
    ("steps", "due"),
    [
        ((), "09 08:15"),
        (((State.VERIFYING_REPORT, "09 09:00"),), "09 09:30"),
        (((State.FILED, "09 17:50"),), "10 08:05"),
        ((DISPATCHED,), None),
        ((DISPATCHED, HANDLING, (State.HANDLED, "09 11:50")), "09 14:20"),
    ],
)
def test_each_stage_of_the_two_centres_has_its_own_limit(steps, due):
    assert walked(*steps).stage_due_at == (local(due) if due else None)


def test_everything_is_said_once_and_silence_again_after_a_word():
    clock = walked(DISPATCHED)
    at = local("10 09:01")
    assert clock.due_marks(at) == {Mark.WARNED, Mark.OVERDUE, Mark.SILENT}
    said = replace(clock, marks=clock.due_marks(at))
    assert said.due_marks(at) == frozenset()
    assert said.next_mark_at is None

    spoken = after_step(said, State.DISPATCHED, State.HANDLING, CALENDAR, at)
    assert spoken.silent_at == local("11 09:01")
    assert spoken.due_marks(local("11 09:02")) == {Mark.SILENT}


def a_condition(number, opening="on the pavement"):
    return Condition(number, "GB", "06010", opening, "cleared", FOUR_HOURS)


def test_the_only_condition_of_a_matter_needs_no_choice_and_several_do():
    one, two = a_condition(1), a_condition(2, "in a river")
    assert pick([one], None) == one
    assert pick([one, two], 2) == two
    assert pick([], None) is None
    with pytest.raises(ConditionNeeded, match="1 = on the pavement; 2 = in a river"):
        pick([one, two], None)
    with pytest.raises(ConditionNeeded, match="condition 3 is not of this matter"):
        pick([one, two], 3)


def test_a_case_is_filed_with_the_limit_of_its_condition_or_the_usual_one():
    clock = opened(USUAL[1], CALENDAR, local("09 08:00"))
    assert filed(clock, a_condition(5), USUAL[1]).limit == FOUR_HOURS
    assert filed(clock, a_condition(5), USUAL[1]).closing == "cleared"
    assert filed(clock, None, USUAL[3]).limit == USUAL[3]


STEPS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 400_000)), max_size=25)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_on_any_way_through_the_table_time_is_never_won(choices):
    """A clock that runs is due no later than the limit after start plus what it stood still."""
    state, at = State.REPORTED, local("09 08:00")
    clock, counted_s = opened(FOUR_HOURS, CALENDAR, at), 0.0
    for choice, seconds in choices:
        ways = [to for (come, _), to in NEXT.items() if come is state]
        if not ways:
            break
        later = at + timedelta(seconds=seconds)
        if clock.due_at is not None:
            counted_s += CALENDAR.counted_s(at, later, FOUR_HOURS.unit)
        after = ways[choice % len(ways)]
        if after is State.SUSPENDED and clock.state(later) is ClockState.OVERDUE:
            break  # refused where steps are taken
        before_start = clock.started_at
        clock, state, at = after_step(clock, state, after, CALENDAR, later), after, later
        if clock.started_at != before_start:
            counted_s = 0.0
        if clock.due_at is not None:
            left_s = CALENDAR.counted_s(at, clock.due_at, FOUR_HOURS.unit)
            assert left_s <= max(CALENDAR.length_s(FOUR_HOURS) - counted_s, 0) + 1


def test_new_year_is_provisional():
    clock = opened(TimeLimit(1, Unit.WORK_DAY), CALENDAR, local("09 08:00"))
    at = datetime(2026, 12, 31, 17, tzinfo=XIAN)
    clock = after_step(clock, State.FILED, State.DISPATCHED, CALENDAR, at)
    assert clock.is_provisional
    assert clock.due_at.astimezone(XIAN).date() == date(2027, 1, 4)


def test_clocks_of_nothing_say_nothing():
    assert Clock(FOUR_HOURS).due_marks(local("31 12:00")) == frozenset()
