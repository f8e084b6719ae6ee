"""What people do with cases: one step at a time, with its clocks and its history."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from hub import audit, events
from hub.alerts import store as alert_store
from hub.cases import clock_store, store as case_store
from hub.cases.case import (
    Case,
    IllegalStep,
    NotYourStep,
    ReasonNeeded,
    State,
    WantedStep,
    advance,
)
from hub.cases.stepping import clocked, written_down
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
        clock = clocked(tx, site.config.zone, case, stepped, wanted.condition)
        clock_store.save(tx, {case.id: clock}, at)
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
