"""A step in the database: the case, its clocks and the entry in its history, in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from hub import audit
from hub.calendar import store as calendar_store
from hub.calendar.work_calendar import WorkCalendar
from hub.cases import clock_store, store as case_store
from hub.cases.case import BEFORE_FILING, Case, State, advance, was_due
from hub.cases.clock import Clock, ClockState, after_step, filed, opened
from hub.cases.condition import USUAL, ConditionNeeded, pick
from hub.cases.record import SUSPEND_IN_TIME
from hub.errors import Problem
from hub.roles import SYSTEM, Actor
from wire.coded import coded, words_of


def step_by_itself(
    tx: Connection, zone: ZoneInfo, case: Case, action: str, *, note: str, at: datetime
) -> Case:
    """The hub takes a case one step on, one of those it may take; returns the case after it.

    `case` must be locked by the caller. Raises IllegalStep, NotYourStep.
    """
    (stepped,) = step_all(tx, zone, [case], action, note=note, at=at)
    return stepped


def step_all(
    tx: Connection, zone: ZoneInfo, cases: Sequence[Case], action: str, *, note: str, at: datetime
) -> list[Case]:
    """The same of many cases at once."""
    if not cases:
        return []
    stepped = [advance(case, action, SYSTEM, note, at) for case in cases]
    calendar = calendar_store.calendar(tx, zone)
    clocks = clock_store.load(tx, [case.id for case in cases])
    known = {case.id: clocks.get(case.id) or _opened(case, calendar) for case in cases}
    steps = list(zip(cases, stepped, strict=True))
    moved = {
        before.id: after_step(known[before.id], before.state, after.state, calendar, at)
        for before, after in steps
    }
    clock_store.save(tx, moved, at)
    for before, after in steps:
        case_store.save(tx, after, before.version)
    audit.append(tx, [_entry(before, after, action, SYSTEM, note) for before, after in steps])
    return stepped


def clocked(
    tx: Connection, zone: ZoneInfo, before: Case, after: Case, condition: int | None = None
) -> Clock:
    """The case's clocks after a step.

    Raises Problem when a condition must be chosen, or time that has run out would be stopped.
    """
    at = after.updated_at
    calendar = calendar_store.calendar(tx, zone)
    clock = _clock(tx, before, calendar)
    if after.state is State.FILED and before.state in BEFORE_FILING:
        conditions = clock_store.conditions_of(tx, before.standard_ref, before.matter)
        try:
            clock = filed(clock, pick(conditions, condition), USUAL[before.level])
        except ConditionNeeded as fault:
            allowed = coded(
                "condition_number", "condition: a number of GET /api/conditions?matter=…"
            )
            raise Problem(422, "condition_needed", words_of(fault), allowed) from None
    if after.state is State.SUSPENDED and clock.state(at) is ClockState.OVERDUE:
        raise Problem(409, "overdue", was_due(before, clock.due_at), SUSPEND_IN_TIME)
    return after_step(clock, before.state, after.state, calendar, at)


def _clock(tx: Connection, case: Case, calendar: WorkCalendar) -> Clock:
    return clock_store.load_one(tx, case.id) or _opened(case, calendar)


def _opened(case: Case, calendar: WorkCalendar) -> Clock:
    return opened(USUAL[case.level], calendar, case.opened_at)


def written_down(
    tx: Connection, before: Case, after: Case, action: str, *, actor: Actor, note: str
) -> None:
    """A step in the case's history."""
    audit.append(tx, [_entry(before, after, action, actor, note)])


def _entry(before: Case, after: Case, action: str, actor: Actor, note: str) -> audit.Entry:
    return audit.Entry(
        after.updated_at, actor.name, actor.role, "case", str(after.id), action, before.state,
        after.state, note,
    )  # fmt: skip
