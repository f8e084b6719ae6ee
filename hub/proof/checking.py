"""After a feedback somebody looks whether it is true: a camera that sees the place, or a person.

Every function works in the caller's transaction and returns what changed. `present` goes back to
the handler as rework, `gone` is proposed for closing, which a person does; what a camera cannot
tell a person goes to see.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from hub import audit
from hub.alerts import store as alert_store
from hub.alerts.alert import FALSE_ALARM, Alert
from hub.cases import store as case_store
from hub.cases.case import Case, State, case_is
from hub.cases.stepping import step_by_itself
from hub.config import Proof
from hub.devices.ops import OPS
from hub.devices.orders import store as order_store
from hub.devices.orders.desk import place
from hub.devices.orders.order import Order, Subject
from hub.errors import ANOTHER_PERSON, Problem
from hub.events import Change
from hub.looks.look import OP, Look, arguments, look_of, valid_for
from hub.proof import store as proof_store
from hub.proof.check import Check, Means, Result
from hub.proof.desk import ProofDesk
from hub.proof.photo import FixPhoto, Verdict
from hub.roles import SYSTEM, Actor, Role
from wire.coded import coded

CHECKED_IN = frozenset({State.HANDLED, State.VERIFYING_RESULT})
_CHECKED_IN = coded("states", "{state}", state=", ".join(sorted(CHECKED_IN)))
SETTLED_AT_ONCE = 200


def examine(
    tx: Connection,
    desk: ProofDesk,
    case: Case,
    *,
    photos: Sequence[FixPhoto],
    actor: Actor,
) -> tuple[Case, list[Change]]:
    """A case was reported done: a camera looks, or a person is to go; the case after that."""
    at = case.updated_at
    proof_store.use_photos(tx, photos, at)
    is_proved = any(photo.verdict is Verdict.GOOD for photo in photos)
    is_forced = not is_proved and (bool(photos) or desk.config.proof.photos == "required")
    new = Check(0, case.id, at, actor.name, Means.VISIT, at)
    look, changes = _ask_camera(tx, desk, case)
    if look is not None:
        proof_store.add_check(tx, replace(new, means=Means.LOOK, look=look.id))
        case = step_by_itself(
            tx, desk.config.zone, case, "verify_result", note=f"look {look.id}", at=at
        )
    if look is None or is_forced:
        proof_store.add_check(tx, replace(new, is_forced=is_forced))
    return case, changes


def answered(tx: Connection, desk: ProofDesk, order: Order, at: datetime) -> list[Change]:
    """What a camera said of its look, or that it will not say anything any more."""
    if order.op != OP or order.is_open:
        return []
    check = proof_store.of_look(tx, order.id)
    return [] if check is None or not check.is_awaited else _settle(tx, desk, check, order, at)


def settle_all(tx: Connection, desk: ProofDesk, at: datetime) -> list[Change]:
    """Checks whose look is over and that nobody has settled: their orders ran out."""
    awaited = proof_store.awaited_looks(tx)[:SETTLED_AT_ONCE]
    orders = order_store.load(tx, [check.look for check in awaited])
    changes = []
    for check in awaited:
        order = orders.get(check.look)
        if order is not None and not order.is_open:
            changes += _settle(tx, desk, check, order, at)
    return changes


def visited(
    tx: Connection,
    desk: ProofDesk,
    case: Case,
    check: Check,
    *,
    result: Result,
    photos: Sequence[FixPhoto],
    note: str,
    actor: Actor,
    at: datetime,
) -> list[Change]:
    """Somebody of the supervision side went and saw.

    Raises Problem for one who handled the case himself, or a check that nobody waits for.
    """
    if check.means is not Means.VISIT or not check.is_awaited:
        raise Problem(
            409,
            "not_awaited",
            coded("visit_unawaited", "check {check} waits for no visit", check=check.id),
            coded("awaited_check", "an awaited one"),
        )
    is_handling = actor.role is Role.HANDLER or actor.department in {case.department} - {None}
    if is_handling or actor.name in {*case.handlers, check.claimed_by}:
        message = coded(
            "of_handlers",
            "{who} is of those who handle case {number} and may not check it",
            who=actor.name,
            number=case.number,
        )
        raise Problem(403, "forbidden", message, ANOTHER_PERSON)
    if case.state not in CHECKED_IN:
        message = case_is(case)
        raise Problem(409, "illegal_step", message, _CHECKED_IN)
    proof_store.use_photos(tx, photos, at)
    done = replace(
        check,
        result=result,
        checked_at=at,
        checked_by=actor.name,
        photos=tuple(photo.id for photo in photos),
        note=note,
    )
    proof_store.save_check(tx, done)
    _write(tx, done, actor)
    said = f"visit by {actor.name}: {result}{f', {note}' if note else ''}"
    _conclude(tx, desk, case, done, said)
    return [Change("case", str(case.id))]


def ask_to_visit(
    tx: Connection, case: Case, assignee: str, *, actor: Actor, at: datetime
) -> tuple[Check, list[Change]]:
    """Somebody is to go and see; the awaited visit gets its assignee.

    Raises Problem when nothing is claimed that could be checked.
    """
    if case.state not in CHECKED_IN:
        message = coded(
            "nothing_claimed",
            "case {number} is {state}: nothing is claimed",
            number=case.number,
            state=case.state,
        )
        raise Problem(409, "illegal_step", message, _CHECKED_IN)
    if assignee and assignee in case.handlers:
        message = coded(
            "handled_it",
            "{who} handled case {number} and may not check it",
            who=assignee,
            number=case.number,
        )
        raise Problem(422, "bad_assignee", message, ANOTHER_PERSON)
    known = proof_store.checks_of(tx, [case.id])[case.id]
    check = next((c for c in known if c.is_awaited and c.means is Means.VISIT), None)
    if check is None:
        claimed_at, claimed_by = _claim(tx, case)
        new = Check(0, case.id, claimed_at, claimed_by, Means.VISIT, at, is_forced=True)
        check = proof_store.add_check(tx, new)
    check = replace(check, assignee=assignee, is_forced=True)
    proof_store.save_check(tx, check)
    note = f"{check.id} {assignee}".strip()
    act = audit.Entry(at, actor.name, actor.role, "case", str(case.id), "ask_to_visit", note=note)
    audit.append(tx, [act])
    return check, [Change("case", str(case.id))]


def check_closable(tx: Connection, desk: ProofDesk, case: Case) -> None:
    """Raises Problem for a case that nobody has found solved, or somebody is still to see."""
    checks = current(proof_store.checks_of(tx, [case.id])[case.id])
    forced = [check for check in checks if check.is_awaited and check.is_forced]
    if forced:
        message = coded(
            "visit_awaited",
            "case {number}: visit {check} is awaited, nothing else proves it",
            number=case.number,
            check=forced[0].id,
        )
        raise Problem(
            409,
            "check_needed",
            message,
            coded("result_of_check", "the result of check {check}", check=forced[0].id),
        )
    done = [check for check in checks if check.result in (Result.GONE, Result.PRESENT)]
    is_gone = bool(done) and done[-1].result is Result.GONE
    if desk.config.proof.check != "required":
        return
    allowed = coded("look_or_visit", "a look or POST /api/cases/{case}/visits", case=case.id)
    if not is_gone:
        message = coded(
            "not_found_gone", "case {number}: no check has found it gone", number=case.number
        )
        raise Problem(409, "check_needed", message, allowed)
    back = come_since(tx, case, done[-1].checked_at)
    if back is not None:
        message = coded(
            "alert_since",
            "case {number}: alert {alert} has told of it since check {check}",
            number=case.number,
            alert=back.id,
            check=done[-1].id,
        )
        raise Problem(409, "check_needed", message, allowed)


def come_since(tx: Connection, case: Case, checked_at: datetime | None) -> Alert | None:
    """What a camera has seen come since the check: once closed, it would be no rebound."""
    members = alert_store.load(tx, alert_store.of_case(tx, [case.id])[case.id])
    came = (
        each
        for each in members.values()
        if each.decision != FALSE_ALARM and checked_at is not None and each.since > checked_at
    )
    return max(came, key=lambda each: each.since, default=None)


def withdraw(tx: Connection, case_id: int, at: datetime, why: str) -> None:
    """Checks that nobody needs any more, since a person decided or the case went on."""
    proof_store.end_awaited(tx, case_id, at, SYSTEM.name, why)


def current(checks: Sequence[Check]) -> list[Check]:
    """The checks of the newest claim."""
    newest = max((check.claimed_at for check in checks), default=None)
    return [check for check in checks if check.claimed_at == newest]


def _ask_camera(tx: Connection, desk: ProofDesk, case: Case) -> tuple[Order | None, list[Change]]:
    """An order to the camera that saw the case's newest alert; None where no camera sees it."""
    proof = desk.config.proof
    members = alert_store.load(tx, alert_store.of_case(tx, [case.id])[case.id])
    seen = [each for each in members.values() if each.place != "vehicle" and each.boxes]
    if not proof.look or not seen:
        return None, []
    alert = max(seen, key=lambda each: (each.since, each.id))
    try:
        order = _order(tx, proof, alert, Subject("case", str(case.id)))
    except Problem:  # the device is not there any more, or cannot be asked about this one
        return None, []
    return order, [Change("order", order.id)]


def _order(tx: Connection, proof: Proof, alert: Alert, subject: Subject) -> Order:
    given = arguments(alert, proof.look_s, proof.looks)
    valid_s = round(valid_for(proof.look_s).total_seconds())
    return place(tx, OPS, alert.device, OP, given, actor=SYSTEM, valid_s=valid_s, subject=subject)


def _settle(
    tx: Connection, desk: ProofDesk, check: Check, order: Order, at: datetime
) -> list[Change]:
    look = look_of(order)
    result = Result(look.answer or Result.CANNOT_TELL)
    done = replace(
        check,
        result=result,
        reasons=look.reasons,
        checked_at=at,
        checked_by=order.device,
        note="; ".join(look.details)[:1000],
    )
    proof_store.save_check(tx, done)
    case = case_store.lock(tx, check.case_id)
    if case is None:
        return []
    _write(tx, done, SYSTEM)
    if _is_current(tx, case, check):
        _conclude(tx, desk, case, done, _said(look))
    return [Change("case", str(case.id))]


def _conclude(tx: Connection, desk: ProofDesk, case: Case, done: Check, said: str) -> None:
    """What follows from a result, as far as the hub may take it: no closing."""
    zone, at = desk.config.zone, done.checked_at or case.updated_at
    if case.state is State.HANDLED and done.result in (Result.PRESENT, Result.GONE):
        case = step_by_itself(tx, zone, case, "verify_result", note=said, at=at)
    if done.result is Result.PRESENT and case.state is State.VERIFYING_RESULT:
        step_by_itself(tx, zone, case, "rework", note=said, at=at)
        withdraw(tx, case.id, at, "found present")
    elif done.result is Result.CANNOT_TELL:
        waits = proof_store.checks_of(tx, [case.id])[case.id]
        if not any(c.is_awaited and c.means is Means.VISIT for c in waits):
            visit = Check(0, case.id, done.claimed_at, done.claimed_by, Means.VISIT, at)
            proof_store.add_check(tx, visit)


def _is_current(tx: Connection, case: Case, check: Check) -> bool:
    if case.state not in CHECKED_IN:
        return False
    known = current(proof_store.checks_of(tx, [case.id])[case.id])
    return any(each.id == check.id for each in known)


def _claim(tx: Connection, case: Case) -> tuple[datetime, str]:
    """When and by whom the case was last reported done."""
    acts = [act for act in audit.of(tx, "case", str(case.id)) if act.action == "feedback"]
    return (acts[-1].at, acts[-1].actor) if acts else (case.updated_at, "")


def _said(look: Look) -> str:
    return f"look {look.order.id}: {look.answer} ({', '.join(look.reasons) or '-'})"


def _write(tx: Connection, done: Check, actor: Actor) -> None:
    at, subject = done.checked_at or done.asked_at, str(done.case_id)
    note = f"{done.id} {done.means}: {done.result}"
    act = audit.Entry(at, actor.name, actor.role, "case", subject, "check", note=note)
    audit.append(tx, [act])
