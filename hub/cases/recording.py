"""What a step asks of a case's records, and what it leaves among them."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from hub.calendar import store as calendar_store
from hub.cases import clock_store, record_store
from hub.cases.case import Case, State, WantedStep
from hub.cases.clock import Clock
from hub.cases.power import settling_level
from hub.cases.record import (
    OPINION_LIMIT,
    WAITING,
    Kind,
    NotNow,
    Record,
    RecordState,
    SuspensionReason,
    may_close,
    may_report_done,
    may_return,
    may_suspend,
    of_kind,
    silent,
)
from hub.departments.api import in_force
from hub.errors import Problem, not_found
from hub.roles import Actor
from wire.coded import coded, remarked

REASONS = ", ".join(SuspensionReason)


def refused(fault: NotNow) -> Problem:
    """The answer for a record that is not allowed."""
    status = 403 if fault.forbidden else 422 if fault.code == "bad_end" else 409
    return Problem(status, fault.code, fault.message, fault.allowed)


def records_of(tx: Connection, case: Case) -> list[Record]:
    """The records of a case, oldest first."""
    return record_store.of_cases(tx, [case.id])[case.id]


def clock_of(tx: Connection, case: Case) -> Clock:
    """The clocks of a case.

    Raises Problem for a case that has none.
    """
    clock = clock_store.load(tx, [case.id]).get(case.id)
    if clock is None:
        raise not_found("clock of case", case.number)
    return clock


def check_step(tx: Connection, case: Case, wanted: WantedStep, at: datetime) -> None:
    """Raises Problem where the records of a case keep it from a step."""
    try:
        match wanted.action:
            case "feedback":
                powers = record_store.load_powers(tx)
                power = settling_level(case.matter, case.level, powers)
                may_report_done(case, records_of(tx, case), power, at)
            case "return":
                may_return(case, records_of(tx, case))
            case "close":
                may_close(case, records_of(tx, case))
            case "suspend" if case.state is not State.SUSPENDED:
                known = [each for each in records_of(tx, case) if not _asks_to_suspend(each)]
                may_suspend(case, clock_of(tx, case), known, until=wanted.until, at=at)
                check_reason(wanted.reason)
            case "join":
                _check_partners(tx, case, wanted, at)
    except NotNow as fault:
        raise refused(fault) from None


def check_reason(reason: str) -> None:
    """Raises Problem for a suspension without one of the reasons."""
    if reason not in list(SuspensionReason):
        raise Problem(
            422,
            "bad_reason",
            coded("no_reason", "reason: {reason!r} is none", reason=reason),
            REASONS,
        )


def recorded(  # noqa: PLR0917 - who, what and where of one step
    tx: Connection,
    zone: ZoneInfo,
    before: Case,
    after: Case,
    wanted: WantedStep,
    actor: Actor,
) -> Case:
    """A case after a step, with what the step leaves among its records."""
    if not after.is_open:
        lapse(tx, before, after)
    match wanted.action:
        case "file" if wanted.ownerless:
            return replace(after, ownerless=True)
        case "suspend":
            _suspended(tx, before, wanted, actor, after.updated_at)
        case "resume":
            for each in of_kind(records_of(tx, before), Kind.SUSPENSION, RecordState.APPROVED):
                record_store.save(tx, replace(each, state=RecordState.DONE))
        case "feedback":
            _went_on_without(tx, before, wanted, after.updated_at)
        case "join":
            return _joined(tx, zone, before, after, wanted=wanted, actor=actor)
    return after


def lapse(tx: Connection, before: Case, after: Case) -> None:
    """What still waits for a decision or an answer waits no longer: the case has ended."""
    for each in records_of(tx, before):
        if each.state in WAITING:
            _settled(tx, each, RecordState.LAPSED, f"the case is {after.state}", after.updated_at)


def _settled(tx: Connection, record: Record, state: RecordState, why: str, at: datetime) -> None:
    record_store.save(tx, replace(record, state=state, decided_at=at, decision=why))


def _went_on_without(tx: Connection, case: Case, wanted: WantedStep, at: datetime) -> None:
    for each in silent(records_of(tx, case), at, overdue=True):
        why = f"no opinion until {each.answer_due:%Y-%m-%d %H:%M} UTC; {wanted.note}"
        _settled(tx, each, RecordState.MISSED, why, at)


def _joined(
    tx: Connection, zone: ZoneInfo, before: Case, after: Case, *, wanted: WantedStep, actor: Actor
) -> Case:
    """Each partner gives its opinion by the end that was named, else in two working days."""
    at, until = after.updated_at, wanted.until
    if until is None:
        until = calendar_store.calendar(tx, zone).due(at, OPINION_LIMIT).at
    for partner in wanted.partners:
        record_store.add(
            tx,
            Record(
                0, before.id, Kind.JOINT, RecordState.OPEN, at, actor.name, wanted.note,
                until=until, department=partner,
            ),
        )  # fmt: skip
    return replace(after, department=wanted.department or before.department)


def said(wanted: WantedStep) -> str:
    """What a step says beside its note, for the history."""
    what = _what(wanted)
    return remarked(what, wanted.note) if what else wanted.note


def _what(wanted: WantedStep) -> str:
    if wanted.action == "suspend" and wanted.until is not None:
        text = "{reason} until {until:%Y-%m-%d %H:%M} UTC"
        return coded("for_until", text, reason=wanted.reason, until=wanted.until)
    if wanted.action == "join":
        partners = ", ".join(wanted.partners)
        if wanted.department is None:
            return coded("with_partners", "with {partners}", partners=partners)
        lead = wanted.department
        return coded("led_by", "{lead} with {partners}", lead=lead, partners=partners)
    if wanted.action == "file" and wanted.ownerless:
        return coded("ownerless", "ownerless")
    return wanted.into if wanted.action == "merge" else ""


def _asks_to_suspend(record: Record) -> bool:
    return record.kind is Kind.SUSPENSION and record.state is RecordState.ASKED


def _suspended(tx: Connection, case: Case, wanted: WantedStep, actor: Actor, at: datetime) -> None:
    """A suspension that was asked for is approved; one that was not is made by who approves it."""
    asked = next((each for each in records_of(tx, case) if _asks_to_suspend(each)), None)
    approved = Record(
        0, case.id, Kind.SUSPENSION, RecordState.APPROVED, at, actor.name, wanted.note,
        until=wanted.until, reason=wanted.reason, decided_at=at, decided_by=actor.name,
    )  # fmt: skip
    if asked is None:
        record_store.add(tx, approved)
        return
    kept = replace(approved, id=asked.id, at=asked.at, by=asked.by, note=asked.note)
    record_store.save(tx, replace(kept, decision=wanted.note))


def _check_partners(tx: Connection, case: Case, wanted: WantedStep, at: datetime) -> None:
    if wanted.until is not None and wanted.until <= at:
        message = coded("until_given", "until: {until:%Y-%m-%d %H:%M} UTC", until=wanted.until)
        raise Problem(
            422,
            "bad_end",
            message,
            coded("partners_until", "a moment after now, by which partners answer"),
        )
    lead = wanted.department or case.department
    if lead is None:
        raise Problem(
            422,
            "bad_partners",
            coded("nobody_leads", "department: nobody leads"),
            coded("lead_code", "the code of the lead"),
        )
    in_force(tx, lead)
    partners = list(dict.fromkeys(wanted.partners))
    if not partners or len(partners) != len(wanted.partners) or lead in partners:
        message = coded(
            "partners_are",
            "partners: {partners}, led by {lead}",
            partners=", ".join(wanted.partners) or "none",
            lead=lead,
        )
        raise Problem(
            422,
            "bad_partners",
            message,
            coded("partners_once", "one department or more, each once, no lead"),
        )
    for partner in partners:
        in_force(tx, partner, "partners")
