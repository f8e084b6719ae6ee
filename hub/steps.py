"""What people do with cases: one step at a time, with its clocks and its history."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from hub import audit, events
from hub.alerts import store as alert_store
from hub.cases import clock_store, store as case_store
from hub.cases.case import (
    REDIRECT,
    Case,
    IllegalStep,
    NotYourStep,
    ReasonNeeded,
    State,
    WantedStep,
    advance,
    steps_of,
)
from hub.cases.dispatching import addressee, dispatched, with_nobody
from hub.cases.recording import check_step, recorded, said
from hub.cases.stepping import clocked, written_down
from hub.errors import ANOTHER_PERSON, LOOK_AGAIN, Problem, not_found
from hub.events import Change
from hub.intake import store as intake_store
from hub.pipeline import Site
from hub.proof import checking
from hub.proof.photo import FixPhoto, Use
from hub.roles import SYSTEM, Actor, Right
from hub.store import Store, now
from wire.coded import coded, words_of

MARKED_AT_ONCE = 500


def take_step(store: Store, site: Site, case_id: int, wanted: WantedStep, actor: Actor) -> None:
    """A person takes a case one step on, unless somebody did since he looked."""
    with store.write(urgent=True) as tx:
        case = look_again(tx, case_id, wanted.version)
        check_addressee(wanted)
        at = now()
        changes = [Change("case", str(case_id))]
        stepped = case
        for action in _steps(case, wanted):
            one = replace(wanted, action=action)
            stepped = stepped_on(tx, site, stepped, one, actor=actor, at=at)
            if stepped.state is State.MERGED:
                changes += _merge(tx, case, wanted.into, actor)
        photos = checked_photos(tx, site, case, wanted, at)
        if not case_store.save(tx, stepped, wanted.version):
            raise Problem(
                409,
                "stale",
                coded("case_changed_since", "case {number} was changed since", number=case.number),
                coded("look_once_more", "look again"),
            )
        if wanted.action == "feedback":
            _, asked = checking.examine(tx, site.proof, stepped, photos=photos, actor=actor)
            changes += asked
        elif case.state in checking.CHECKED_IN and stepped.state not in checking.CHECKED_IN:
            checking.withdraw(tx, case_id, at, wanted.action)
        events.record(tx, changes, at)


def look_again(tx: Connection, case_id: int, version: int) -> Case:
    """A case, kept from others, as somebody saw it.

    Raises Problem when it is not there or was changed since.
    """
    case = case_store.lock(tx, case_id)
    if case is None:
        raise not_found("case", case_id)
    if case.version != version:
        raise Problem(
            409,
            "stale",
            coded(
                "case_changed",
                "case {number} was changed since: it is {state}, version {version}",
                number=case.number,
                state=case.state,
                version=case.version,
            ),
            LOOK_AGAIN,
        )
    return case


def checked_photos(
    tx: Connection, site: Site, case: Case, wanted: WantedStep, at: datetime
) -> list[FixPhoto]:
    """The photos that prove a feedback.

    Raises Problem for photos that are missing or refused, and for a closing that nothing proves.
    """
    if wanted.action == "close" and case.state is State.VERIFYING_RESULT:
        checking.check_closable(tx, site.proof, case)
    if wanted.action != "feedback":
        if wanted.photos:
            raise Problem(
                422,
                "no_photos",
                coded("takes_no_photos", "{action} takes no photos", action=wanted.action),
                coded("feedback_alone", "feedback"),
            )
        return []
    if not wanted.photos and site.config.proof.photos == "required":
        message = coded(
            "feedback_photo",
            "feedback of case {number}: a photo with time and place is needed",
            number=case.number,
        )
        raise Problem(
            422,
            "photo_needed",
            message,
            coded("case_photos", "photos: POST /api/cases/{case}/photos", case=case.id),
        )
    return site.proof.claimed(tx, case, wanted.photos, Use.CLAIM, at)


def check_addressee(wanted: WantedStep) -> None:
    """Raises Problem where a step that sends a case to nobody names somebody."""
    named = wanted.department is not None and wanted.action != "join"
    if (named or wanted.officer is not None) and wanted.action not in ("dispatch", REDIRECT):
        message = coded("sends_nobody", "{action} sends a case to nobody", action=wanted.action)
        raise Problem(
            422,
            "not_sent",
            message,
            coded("dispatch_alone", "department and officer with dispatch alone"),
        )


def _steps(case: Case, wanted: WantedStep) -> tuple[str, ...]:
    """The steps that are wanted, one after the other.

    Raises Problem for a correction that names nobody new.
    """
    if wanted.action == REDIRECT and wanted.department in (None, case.department):
        message = coded(
            "case_with",
            "case {number} is with {department}",
            number=case.number,
            department=case.department or "nobody",
        )
        raise Problem(
            422, "not_corrected", message, coded("another_department", "another department")
        )
    return steps_of(wanted.action, case.state)


def stepped_on(
    tx: Connection, site: Site, case: Case, wanted: WantedStep, *, actor: Actor, at: datetime
) -> Case:
    """A case after one step, with its clock, its dispatch and its history kept.

    Raises Problem for a step that may not be taken.
    """
    try:
        stepped = advance(case, wanted.action, actor, wanted.note, at)
    except IllegalStep as fault:
        raise Problem(
            409, "illegal_step", words_of(fault), coded("listed_action", "an action of the list")
        ) from None
    except NotYourStep as fault:
        raise Problem(403, "forbidden", words_of(fault), ANOTHER_PERSON) from None
    except ReasonNeeded as fault:
        raise Problem(
            422, "reason_needed", words_of(fault), coded("reason_in_note", "a reason in note")
        ) from None
    check_step(tx, case, wanted, at)
    zone = site.config.zone
    clock = clocked(tx, zone, case, stepped, wanted.condition)
    clock_store.save(tx, {case.id: clock}, at)
    note = said(wanted)
    stepped = recorded(tx, zone, case, stepped, wanted, actor)
    if wanted.action == "correct":
        stepped = with_nobody(stepped)
        note = ": ".join(filter(None, (addressee(tx, case), note)))
    elif wanted.action == "dispatch":
        stepped = dispatched(tx, zone, case, stepped, wanted=wanted, actor=actor)
        note = ": ".join(filter(None, (addressee(tx, stepped), note)))
    written_down(tx, case, stepped, wanted.action, actor=actor, note=note)
    return stepped


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


def _merge(tx: Connection, case: Case, into: str, actor: Actor) -> list[Change]:
    other = case_store.by_number(tx, into)
    if other is None or other.id == case.id or not other.is_open:
        raise Problem(
            422,
            "bad_case",
            coded("into_not_open", "into: {given!r} is not another open case", given=into),
            coded("case_number", "the number of a case"),
        )
    if actor.at([other.spot], Right.ACT) is None:
        raise Problem(
            403,
            "elsewhere",
            coded(
                "into_uncovered",
                "into: {who}'s posts do not cover {number}",
                who=actor.name,
                number=into,
            ),
            coded("covered_case", "a case they cover"),
        )
    alerts = alert_store.of_case(tx, [case.id])[case.id]
    alert_store.set_case(tx, alerts, other.id)
    intake_store.move_to_case(tx, case.id, other.id)
    return [Change("case", str(other.id)), *(Change("alert", name) for name in alerts)]
