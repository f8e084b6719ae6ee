"""What people ask, grant, demand and answer of a case; what the hub does of it by itself."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Connection

from hub import audit, events
from hub.calendar import store as calendar_store
from hub.calendar.limit import TimeLimit
from hub.cases import clock_store, record_store, store as case_store
from hub.cases.case import Case, State, WantedStep, advance, case_is
from hub.cases.clock import extended
from hub.cases.clock_store import clocks
from hub.cases.dispatching import serving
from hub.cases.record import (
    READ_LIMIT,
    RUNNING,
    Kind,
    NotNow,
    Record,
    RecordState,
    may_answer,
    may_assign,
    may_decide,
    may_escalate,
    may_extend,
    may_settle,
    may_supervise,
    may_suspend,
    of_kind,
)
from hub.cases.recording import check_reason, clock_of, records_of, refused
from hub.cases.stepping import clocked, written_down
from hub.cases.store import cases
from hub.departments.api import in_force
from hub.duty import on_duty
from hub.duty.duty import HEADS, PersonRole
from hub.errors import ANOTHER_PERSON, Problem, not_found
from hub.events import Change
from hub.pipeline import Site
from hub.roles import SYSTEM, Actor, Role, too_little
from hub.steps import look_again, stepped_on
from hub.store import Store, now
from wire.coded import coded, joined, remarked

AT_ONCE = 500
GRID, OFFICER = "grid", "officer"


@dataclass(frozen=True)
class WantedRecord:
    """What somebody wants recorded. `version`: of the case he saw; the rest as Record has it."""

    kind: Kind
    version: int
    note: str = ""
    until: datetime | None = None
    extra: TimeLimit | None = None
    reason: str = ""
    department: str | None = None
    officer: str | None = None


@dataclass(frozen=True)
class Occasion:
    """Who does something with a case, where and when, in which transaction."""

    tx: Connection
    site: Site
    case: Case
    actor: Actor
    at: datetime


def record(store: Store, site: Site, case_id: int, wanted: WantedRecord, actor: Actor) -> None:
    """Keep a record of a case, unless somebody changed the case since.

    Raises Problem for one that is not allowed as the case stands.
    """
    with store.write(urgent=True) as tx:
        on = Occasion(tx, site, look_again(tx, case_id, wanted.version), actor, now())
        _need(wanted.note, coded("record_words", "{record}: say it in words", record=wanted.kind))
        try:
            after, action, note = _record(on, wanted)
        except NotNow as fault:
            raise refused(fault) from None
        _keep(on, after, action, note)


@dataclass(frozen=True)
class Said:
    """What somebody says to a record. `version`: of the case he saw."""

    version: int
    note: str = ""


def decide(
    store: Store, site: Site, record_id: int, said: Said, *, approve: bool, actor: Actor
) -> int:
    """Approve or refuse what was asked for; returns the case.

    Raises Problem where it does not wait, or this person may not.
    """
    with store.write(urgent=True) as tx:
        asked = _record_of(tx, record_id)
        on = Occasion(tx, site, look_again(tx, asked.case_id, said.version), actor, now())
        try:
            may_decide(asked, actor)
            if not approve:
                _need(said.note, coded("refusal_reason", "a refusal needs its reason"))
                _decided(on, asked, RecordState.REFUSED, said.note)
                _keep(on, on.case, f"refuse_{asked.kind}", said.note)
            elif asked.kind is Kind.EXTENSION:
                _extend(on, asked, said.note)
            else:
                _suspend(on, asked, said.note)
        except NotNow as fault:
            raise refused(fault) from None
    return asked.case_id


def answer(store: Store, site: Site, record_id: int, said: Said, *, actor: Actor) -> int:
    """A partner's opinion, the answer to a supervision, the receipt of a report; the case.

    Raises Problem where no answer is waited for.
    """
    with store.write(urgent=True) as tx:
        asked = _record_of(tx, record_id)
        on = Occasion(tx, site, look_again(tx, asked.case_id, said.version), actor, now())
        if asked.department is not None:
            _is_theirs(on, asked.department)
        try:
            may_answer(asked)
        except NotNow as fault:
            raise refused(fault) from None
        _need(said.note, coded("answer_words", "an answer needs its words"))
        _decided(on, asked, RecordState.ANSWERED, said.note)
        after = on.case
        if asked.kind is Kind.JOINT and actor.name not in after.handlers:
            after = replace(after, handlers=(*after.handlers, actor.name))
        who = f"{asked.department}: " if asked.department else ""
        _keep(on, after, f"answer_{asked.kind}", who + said.note)
    return asked.case_id


def _need(note: str, why: str) -> None:
    if not note.strip():
        raise Problem(422, "reason_needed", why, coded("note_words", "words in note"))


def resume_suspended(store: Store, site: Site, at: datetime) -> int:
    """Let the clocks of suspensions that are over run on from their end; returns how many."""
    zone = site.config.zone
    resumed = 0
    with store.write() as tx:
        for each in record_store.over(tx, at, AT_ONCE):
            case = case_store.lock(tx, each.case_id)
            record_store.save(tx, replace(each, state=RecordState.DONE))
            if case is None or case.state is not State.SUSPENDED or each.until is None:
                continue
            stepped = advance(case, "resume", SYSTEM, "", at)
            clock = clocked(tx, zone, case, replace(stepped, updated_at=each.until))
            clock_store.save(tx, {case.id: clock}, at)
            case_store.save(tx, stepped, case.version)
            note = coded(
                "suspended_until", "suspended until {until:%Y-%m-%d %H:%M} UTC", until=each.until
            )
            written_down(tx, case, stepped, "resume", actor=SYSTEM, note=note)
            events.record(tx, [Change("case", str(case.id))], at)
            resumed += 1
    return resumed


def escalate_overdue(store: Store, site: Site, at: datetime) -> int:
    """Pass cases up that have been overdue for long at their level; returns how many."""
    settings = site.config.escalation
    if not settings.on_overdue:
        return 0
    limit = TimeLimit(settings.after.number, settings.after.unit)
    raised = 0
    with store.write() as tx:
        calendar = calendar_store.calendar(tx, site.config.zone)
        for case_id, due_at in _overdue(tx, at):
            case = case_store.lock(tx, case_id)
            if case is None:
                continue
            ups = of_kind(records_of(tx, case), Kind.ESCALATION)
            since = max([due_at, *(each.at for each in ups)])
            if calendar.due(since, limit).at > at:
                continue
            note = coded("overdue_since", "overdue since {since:%Y-%m-%d %H:%M} UTC", since=due_at)
            wanted = WantedRecord(Kind.ESCALATION, case.version, note)
            on = Occasion(tx, site, case, SYSTEM, at)
            after, action, said = _escalate(on, wanted)
            _keep(on, after, action, said)
            raised += 1
    return raised


def say_unanswered(store: Store, at: datetime) -> int:
    """Say once of each supervision that its answer is overdue; returns of how many."""
    with store.write() as tx:
        late = record_store.unanswered(tx, at, AT_ONCE)
        if not late:
            return 0
        of_cases = case_store.load(tx, {each.case_id for each in late})
        entries = []
        for each in late:
            record_store.save(tx, replace(each, overdue_at=at))
            state = of_cases[each.case_id].state.value
            note = coded(
                "no_answer_until",
                "{department}: no answer until {until:%Y-%m-%d %H:%M} UTC",
                department=each.department or "",
                until=each.answer_due,
            )
            entries.append(
                audit.Entry(at, SYSTEM.name, SYSTEM.role, "case", str(each.case_id),
                            "supervision_overdue", state, state, note)
            )  # fmt: skip
        audit.append(tx, entries)
        events.record(tx, [Change("case", str(each.case_id)) for each in late], at)
    return len(late)


def _overdue(tx: Connection, at: datetime) -> list[tuple[int, datetime]]:
    late = (
        clocks.c.done_at.is_(None)
        & (clocks.c.due_at < at)
        & (cases.c.at_level > 1)
        & cases.c.state.in_([state.value for state in RUNNING])
    )
    joined = cases.join(clocks, clocks.c.case_id == cases.c.id)
    found = select(cases.c.id, clocks.c.due_at).select_from(joined).where(late)
    rows = tx.execute(found.order_by(clocks.c.due_at).limit(10 * AT_ONCE))
    return [(row.id, row.due_at) for row in rows]


_Recorded = tuple[Case, str, str]
"""A case after a record, the word of its history, and what it says."""


def _record(on: Occasion, wanted: WantedRecord) -> _Recorded:
    make = {
        Kind.EXTENSION: _ask_extension,
        Kind.SUSPENSION: _ask_suspension,
        Kind.SUPERVISION: _supervise,
        Kind.ESCALATION: _escalate,
        Kind.DUAL_REPORT: _dual_report,
        Kind.MADE_SAFE: _make_safe,
        Kind.SETTLEMENT: _settle,
        Kind.ASSIGNMENT: _assign,
        Kind.WITHDRAWAL: _assign,
    }.get(wanted.kind)
    if make is None:
        raise Problem(
            422,
            "bad_kind",
            coded("begins_by_step", "{record} begins with the step join", record=wanted.kind),
            coded("step_join", "the step join"),
        )
    return make(on, wanted)


def _new(on: Occasion, wanted: WantedRecord) -> Record:
    return Record(0, on.case.id, wanted.kind, RecordState.DONE, on.at, on.actor.name, wanted.note)


def _is_theirs(on: Occasion, *departments: str | None) -> None:
    """Raises Problem where somebody speaks for a department that is not his."""
    own = {post.department for post in on.actor.posts} - {None}
    if own and not own.intersection(departments):
        message = coded(
            "person_of",
            "{who} is of {departments}",
            who=on.actor.name,
            departments=", ".join(sorted(map(str, own))),
        )
        raise Problem(
            403,
            "forbidden",
            message,
            coded(
                "somebody_of", "somebody of {department}", department=departments[0] or "nobody yet"
            ),
        )


def _ask_extension(on: Occasion, wanted: WantedRecord) -> _Recorded:
    _is_theirs(on, on.case.department)
    may_extend(on.case, clock_of(on.tx, on.case), records_of(on.tx, on.case), on.at)
    if wanted.extra is None:
        raise Problem(
            422,
            "bad_limit",
            coded("how_long", "number and unit: by how much"),
            coded("such_as_days", "such as 2 work_day"),
        )
    asked = replace(_new(on, wanted), state=RecordState.ASKED, extra=wanted.extra)
    record_store.add(on.tx, asked)
    length = coded(
        "so_long", "{number:g} {unit}", number=wanted.extra.number, unit=wanted.extra.unit
    )
    note = remarked(length, wanted.note)
    return on.case, "ask_extension", note


def _ask_suspension(on: Occasion, wanted: WantedRecord) -> _Recorded:
    _is_theirs(on, on.case.department)
    check_reason(wanted.reason)
    clock, known = clock_of(on.tx, on.case), records_of(on.tx, on.case)
    may_suspend(on.case, clock, known, until=wanted.until, at=on.at)
    asked = replace(
        _new(on, wanted),
        state=RecordState.ASKED,
        until=wanted.until,
        reason=wanted.reason,
    )
    record_store.add(on.tx, asked)
    text = "{reason} until {until:%Y-%m-%d %H:%M} UTC"
    wish = coded("for_until", text, reason=wanted.reason, until=wanted.until)
    note = remarked(wish, wanted.note)
    return on.case, "ask_suspension", note


def _need_role(on: Occasion, least: Role) -> None:
    if message := too_little(on.actor, least):
        raise Problem(403, "forbidden", message, ANOTHER_PERSON)


def _supervise(on: Occasion, wanted: WantedRecord) -> _Recorded:
    _need_role(on, Role.SUPERVISOR)
    may_supervise(on.case, wanted.until, on.at)
    demanded = replace(
        _new(on, wanted),
        state=RecordState.OPEN,
        until=wanted.until,
        department=on.case.department,
    )
    record_store.add(on.tx, demanded)
    text = "answer until {until:%Y-%m-%d %H:%M} UTC"
    due = coded("answer_until", text, until=wanted.until)
    return on.case, "supervise", remarked(due, wanted.note)


def _escalate(on: Occasion, wanted: WantedRecord) -> _Recorded:
    """Up one level, to who serves the ground there, with the clock running."""
    level = may_escalate(on.case)
    above = tuple(
        step.code
        for step in on.site.places.steps(on.case.path)
        if step.level is None or step.level <= level
    )
    code = in_force(on.tx, wanted.department).code if wanted.department else None
    department = code or serving(on.tx, above[-1:]) or on.case.department
    record_store.add(
        on.tx,
        replace(
            _new(on, wanted),
            department=department,
            from_level=on.case.at_level,
            to_level=level,
        ),
    )
    after = replace(on.case, at_level=level, department=department)
    if department != on.case.department:
        after = replace(after, officer=None, dispatched_by_rule=None)
    raised = coded("level_to", "level {least} to {most}", least=on.case.at_level, most=level)
    if department != on.case.department:
        text = "{what} to {department}"
        raised = coded("level_to_department", text, what=raised, department=department)
    return after, "escalate", remarked(raised, wanted.note)


def _dual_report(on: Occasion, wanted: WantedRecord) -> _Recorded:
    """To the community's grid and to the officer posted there, each of whom says it was read."""
    roster = on_duty.load(on.tx)
    grid = on_duty.at_post(roster, [*HEADS, PersonRole.GRID_WORKER], on.case.path)
    officer = on_duty.at_post(roster, [PersonRole.OFFICER], on.case.path)
    told = []
    calendar = calendar_store.calendar(on.tx, on.site.config.zone)
    until = calendar.due(on.at, READ_LIMIT).at
    for whom, person in ((GRID, grid), (OFFICER, officer)):
        name = person.name if person is not None else ""
        note = f"{name}: {wanted.note}" if name else wanted.note
        one = replace(
            _new(on, wanted), state=RecordState.OPEN, reason=whom, note=note, until=until,
            person=person.id if person is not None else None,
        )  # fmt: skip
        record_store.add(on.tx, one)
        told.append(coded("told_person", "{reason} {name}", reason=whom, name=name or "?"))
    return on.case, "dual_report", remarked(joined(told), wanted.note)


def _make_safe(on: Occasion, wanted: WantedRecord) -> _Recorded:
    if not on.case.is_open:
        message = case_is(on.case)
        raise NotNow("illegal_record", message, coded("work_left", "a case with work left"))
    record_store.add(on.tx, _new(on, wanted))
    return on.case, "make_safe", wanted.note


def _settle(on: Occasion, wanted: WantedRecord) -> _Recorded:
    _need_role(on, Role.OPERATOR)
    may_settle(on.case, records_of(on.tx, on.case))
    if wanted.department is None:
        raise Problem(
            422,
            "bad_department",
            coded("owner_needed", "department: who owns it"),
            coded("department_its_code", "a department's code"),
        )
    department = in_force(on.tx, wanted.department)
    record_store.add(on.tx, replace(_new(on, wanted), department=department.code))
    return on.case, "settle", f"{department.code}: {wanted.note}"


def _assign(on: Occasion, wanted: WantedRecord) -> _Recorded:
    """The department sends one of its people, or calls him back."""
    _is_theirs(on, on.case.department)
    may_assign(on.case, records_of(on.tx, on.case), wanted.kind)
    if wanted.kind is Kind.ASSIGNMENT and not (wanted.officer or "").strip():
        raise Problem(
            422,
            "bad_officer",
            coded("officer_needed", "officer: who is sent"),
            coded("person_name", "a person's name"),
        )
    who = (wanted.officer or "").strip() if wanted.kind is Kind.ASSIGNMENT else on.case.officer
    note = f"{who}: {wanted.note}"
    made = replace(_new(on, wanted), department=on.case.department, note=note)
    record_store.add(on.tx, made)
    if wanted.kind is Kind.ASSIGNMENT:
        return replace(on.case, officer=who), "assign", note
    return replace(on.case, officer=None), "withdraw", note


def _extend(on: Occasion, asked: Record, note: str) -> None:
    clock = clock_of(on.tx, on.case)
    if clock.due_at is None or clock.done_at is not None or asked.extra is None:
        message = coded(
            "clock_stands",
            "case {number} is {state}; its clock does not run",
            number=on.case.number,
            state=on.case.state,
        )
        raise NotNow(
            "illegal_record",
            message,
            coded("refuse_or_wait", "refuse it, or wait until the clock runs"),
        )
    calendar = calendar_store.calendar(on.tx, on.site.config.zone)
    longer = extended(clock, calendar, asked.extra, on.at)
    clock_store.save(on.tx, {on.case.id: longer}, on.at)
    granted = replace(asked, until=longer.due_at)
    _decided(on, granted, RecordState.APPROVED, note)
    text = "{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
    moved = coded("due_moved", text, first=clock.due_at, last=longer.due_at)
    _keep(on, on.case, "extend", remarked(moved, note))


def _suspend(on: Occasion, asked: Record, note: str) -> None:
    wanted = WantedStep(
        "suspend",
        on.case.version,
        note or asked.note,
        until=asked.until,
        reason=asked.reason,
    )
    stepped = stepped_on(on.tx, on.site, on.case, wanted, actor=on.actor, at=on.at)
    case_store.save(on.tx, stepped, on.case.version)
    events.record(on.tx, [Change("case", str(on.case.id))], on.at)


def _decided(on: Occasion, asked: Record, state: RecordState, note: str) -> None:
    done = replace(asked, state=state, decided_at=on.at, decided_by=on.actor.name, decision=note)
    record_store.save(on.tx, done)


def _keep(on: Occasion, after: Case, action: str, note: str) -> None:
    """A record moves no state, but the case is newer, and its history says so."""
    newer = replace(after, version=on.case.version + 1, updated_at=on.at)
    case_store.save(on.tx, newer, on.case.version)
    written_down(on.tx, on.case, newer, action, actor=on.actor, note=note)
    events.record(on.tx, [Change("case", str(on.case.id))], on.at)


def _record_of(tx: Connection, record_id: int) -> Record:
    found = record_store.listed(tx, record_store.records.c.id == record_id)
    if not found:
        raise not_found("record", record_id)
    return found[0]
