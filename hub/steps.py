"""What people do with cases: one step at a time, with its clocks and its history."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from hub import audit, events
from hub.alerts import store as alert_store
from hub.calendar import store as calendar_store
from hub.calendar.work_calendar import WorkCalendar
from hub.cases import clock_store, store as case_store
from hub.cases.case import (
    BEFORE_FILING,
    Case,
    IllegalStep,
    NotYourStep,
    ReasonNeeded,
    State,
    WantedStep,
    advance,
)
from hub.cases.clock import Clock, ClockState, after_step, filed, opened
from hub.cases.condition import USUAL, ConditionNeeded, pick
from hub.departments.api import in_force
from hub.errors import Problem, not_found
from hub.events import Change
from hub.intake import store as intake_store
from hub.pipeline import Site
from hub.roles import SYSTEM, Actor
from hub.store import Store, now

MARKED_AT_ONCE = 500


def take_step(store: Store, site: Site, case_id: int, wanted: WantedStep, actor: Actor) -> None:
    """A person takes a case one step on, unless somebody did since he looked."""
    with store.write(urgent=True) as tx:
        case = case_store.lock(tx, case_id)
        if case is None:
            raise not_found("case", case_id)
        if case.version != wanted.version:
            raise Problem(
                409,
                "stale",
                f"case {case.number} was changed since: it is {case.state}, version {case.version}",
                "look again and repeat if still right",
            )
        at = now()
        try:
            stepped = advance(case, wanted.action, actor, wanted.note, at)
        except IllegalStep as fault:
            raise Problem(409, "illegal_step", str(fault), "an action of the list") from None
        except NotYourStep as fault:
            raise Problem(403, "forbidden", str(fault), "another person") from None
        except ReasonNeeded as fault:
            raise Problem(422, "reason_needed", str(fault), "a reason in note") from None
        stepped = sent(tx, stepped, wanted)
        clock_store.save(tx, {case.id: clocked(tx, site, case, stepped, wanted.condition)}, at)
        changes = [Change("case", str(case_id))]
        if stepped.state is State.MERGED:
            changes += _merge(tx, case, wanted.into)
        if not case_store.save(tx, stepped, wanted.version):
            raise Problem(409, "stale", f"case {case.number} was changed since", "look again")
        note = wanted.note or wanted.into
        if stepped.state is State.DISPATCHED and stepped.department:
            note = f"{_addressee(stepped)}{f': {note}' if note else ''}"
        written_down(tx, case, stepped, wanted.action, actor=actor, note=note)
        events.record(tx, changes, at)


def sent(tx: Connection, stepped: Case, wanted: WantedStep) -> Case:
    """A case after its dispatch, with whom it was sent to; who is not named stays.

    Raises Problem for a department that is not there, or a step that sends nothing.
    """
    if wanted.department is None and wanted.officer is None:
        return stepped
    if stepped.state is not State.DISPATCHED:
        message = f"{wanted.action} of case {stepped.number} sends it to nobody"
        raise Problem(422, "not_sent", message, "department and officer with dispatch alone")
    if wanted.department is None:
        return replace(stepped, officer=wanted.officer)
    department = in_force(tx, wanted.department)
    return replace(stepped, department=department.code, officer=wanted.officer)


def _addressee(case: Case) -> str:
    return f"{case.department}{f' / {case.officer}' if case.officer else ''}"


def clocked(
    tx: Connection, site: Site, before: Case, after: Case, condition: int | None = None
) -> Clock:
    """The case's clocks after a step.

    Raises Problem when a condition must be chosen, or time that has run out would be stopped.
    """
    at = after.updated_at
    calendar = calendar_store.calendar(tx, site.config.zone)
    clock = _clock(tx, before, calendar)
    if after.state is State.FILED and before.state in BEFORE_FILING:
        conditions = clock_store.conditions_of(tx, before.standard_ref, before.matter)
        try:
            clock = filed(clock, pick(conditions, condition), USUAL[before.level])
        except ConditionNeeded as fault:
            allowed = "condition: a number of GET /api/conditions?matter=…"
            raise Problem(422, "condition_needed", str(fault), allowed) from None
    if after.state is State.SUSPENDED and clock.state(at) is ClockState.OVERDUE:
        raise Problem(
            409,
            "overdue",
            f"case {before.number} was due {clock.due_at:%Y-%m-%d %H:%M} UTC",
            "only a case whose time has not run out may be suspended",
        )
    return after_step(clock, before.state, after.state, calendar, at)


def _clock(tx: Connection, case: Case, calendar: WorkCalendar) -> Clock:
    known = clock_store.load(tx, [case.id]).get(case.id)
    return known or opened(USUAL[case.level], calendar, case.opened_at)


def say_what_is_due(store: Store, at: datetime) -> int:
    """Note once of each case that it is nearly due, overdue or silent; returns of how many."""
    with store.write() as tx:
        due = clock_store.to_be_marked(tx, at, MARKED_AT_ONCE)
        if not due:
            return 0
        cases = case_store.load(tx, due)
        entries = [
            audit.Entry(at, SYSTEM.name, SYSTEM.role, "case", str(case_id), mark, state, state)
            for case_id, clock in due.items()
            for mark in sorted(clock.due_marks(at))
            if (state := cases[case_id].state.value)
        ]
        audit.append(tx, entries)
        said = {i: replace(c, marks=c.marks | c.due_marks(at)) for i, c in due.items()}
        clock_store.save_marks(tx, said)
        events.record(tx, [Change("case", str(case_id)) for case_id in due], at)
    return len(due)


def _merge(tx: Connection, case: Case, into: str) -> list[Change]:
    other = case_store.by_number(tx, into)
    if other is None or other.id == case.id or not other.is_open:
        raise Problem(
            422, "bad_case", f"into: {into!r} is not another open case", "the number of a case"
        )
    alerts = alert_store.of_case(tx, [case.id])[case.id]
    alert_store.set_case(tx, alerts, other.id)
    intake_store.move_to_case(tx, case.id, other.id)
    return [Change("case", str(other.id)), *(Change("alert", name) for name in alerts)]


def written_down(
    tx: Connection, before: Case, after: Case, action: str, *, actor: Actor, note: str
) -> None:
    """A step in the case's history."""
    entry = audit.Entry(
        after.updated_at,
        actor.name,
        actor.role,
        "case",
        str(after.id),
        action,
        before.state,
        after.state,
        note,
    )
    audit.append(tx, [entry])
