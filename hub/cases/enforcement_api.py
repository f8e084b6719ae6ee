"""The record of a penalty over HTTP: step by step, and what of it everybody may read."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from hub import audit, events
from hub.auth import need
from hub.calendar import store as calendar_store
from hub.cases import enforcement_store, store as case_store
from hub.cases.enforcement import (
    NAMES_ZH,
    BadProcedure,
    Enforcement,
    Procedure,
    PublicText,
    Taken,
    may_publish,
    may_take,
)
from hub.errors import LOOK_AGAIN, Problem, not_found
from hub.events import Change
from hub.http import ERRORS, Body, Utc
from hub.roles import Actor, Right, Role, too_little
from hub.store import Store, now
from wire.coded import coded

Name = Annotated[str, Field(min_length=1, max_length=100)]
Text = Annotated[str, Field(max_length=4000)]


class Registration(Body):
    """Begin the record of a case. `party`: whom it is about, a person or a firm."""

    party: Annotated[str, Field(min_length=1, max_length=200)]
    note: Annotated[str, Field(max_length=2000)] = ""


class WantedProcedure(Body):
    """The next step, with its paper; `version` is the one the caller saw.

    `officers`: two or more who investigate. `hearing_applies`: said with notify. `waived`: the
    party gave its hearing up in writing.
    """

    version: int
    step: Procedure
    document: Annotated[str, Field(max_length=200)] = ""
    note: Annotated[str, Field(max_length=2000)] = ""
    officers: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    hearing_applies: bool | None = None
    waived: bool = False


class WantedText(Body):
    """What everybody may read of it once a supervisor says `publish`; false takes it back."""

    version: int
    basis: Text = ""
    matter: Text = ""
    discretion: Text = ""
    result: Text = ""
    publish: bool = False


class ProcedureItem(BaseModel):
    """A step that was taken."""

    step: Procedure
    step_zh: str
    at: Utc
    by: str
    document: str
    note: str
    officers: list[str]
    hearing_applies: bool | None
    waived: bool


class EnforcementItem(BaseModel):
    """The record of a penalty. `party` is masked for those who do not work on cases."""

    case: int
    version: int
    party: str
    steps: list[ProcedureItem]
    following: list[Procedure]
    basis: str
    matter: str
    discretion: str
    result: str
    published_at: Utc | None
    published_by: str | None


def router(store: Store, zone: ZoneInfo) -> APIRouter:
    """Penalties."""
    api = APIRouter(prefix="/api", tags=["enforcement"], responses=ERRORS)
    worker = Annotated[Actor, Depends(need(Right.ACT))]

    @api.get("/cases/{case_id}/enforcement")
    def one(
        case_id: int, actor: Annotated[Actor, Depends(need(Right.READ))]
    ) -> EnforcementItem | None:
        """The record of a case; null for a case without one, as most are."""
        with store.read() as tx:
            record = enforcement_store.load(tx, [case_id]).get(case_id)
            if record is None and not case_store.numbers_of(tx, [case_id]):
                raise not_found("case", case_id)
        return None if record is None else _item(record, actor)

    @api.post("/cases/{case_id}/enforcement", status_code=201)
    def register(case_id: int, wanted: Registration, actor: worker) -> EnforcementItem:
        with store.write() as tx:
            if case_store.lock(tx, case_id) is None:
                raise not_found("case", case_id)
            if enforcement_store.load(tx, [case_id]):
                message = coded(
                    "document_there", "case {case} has its record already", case=case_id
                )
                raise Problem(
                    409, "taken", message, coded("next_document", "the next step of that record")
                )
            begun = Enforcement(case_id, 0, wanted.party.strip())
            step = Taken(Procedure.REGISTER, now(), actor.name, note=wanted.note)
            return _item(_took(tx, begun, step, actor), actor)

    @api.post("/cases/{case_id}/enforcement/steps")
    def take(case_id: int, wanted: WantedProcedure, actor: worker) -> EnforcementItem:
        step = Taken(
            wanted.step,
            now(),
            actor.name,
            wanted.document.strip(),
            wanted.note,
            wanted.officers,
            wanted.hearing_applies if wanted.step is Procedure.NOTIFY else None,
            wanted.waived,
        )
        with store.write() as tx:
            record = _as_seen(tx, case_id, wanted.version)
            try:
                may_take(record, step, calendar_store.calendar(tx, zone))
            except BadProcedure as fault:
                raise _refused(fault) from None
            return _item(_took(tx, record, step, actor), actor)

    @api.put("/cases/{case_id}/enforcement/public")
    def publish(case_id: int, wanted: WantedText, actor: worker) -> EnforcementItem:
        at = now()
        text = PublicText(wanted.basis, wanted.matter, wanted.discretion, wanted.result)
        with store.write() as tx:
            record = _as_seen(tx, case_id, wanted.version)
            is_out = wanted.publish or record.published_at is not None
            if is_out and (message := too_little(actor, Role.SUPERVISOR)):
                raise Problem(
                    403,
                    "forbidden",
                    message,
                    coded("another_publishes", "another person publishes"),
                )
            if wanted.publish:
                try:
                    may_publish(record, text)
                except BadProcedure as fault:
                    raise _refused(fault) from None
            changed = replace(
                record,
                version=record.version + 1,
                text=text,
                published_at=at if wanted.publish else None,
                published_by=actor.name if wanted.publish else None,
            )
            enforcement_store.save(tx, changed)
            action = "publish" if wanted.publish else "withdraw" if is_out else "write"
            _note(tx, changed, action, text.result, actor, at)
            events.record(tx, [Change("case", str(case_id))], at)
            return _item(changed, actor)

    return api


def _took(tx: Connection, record: Enforcement, step: Taken, actor: Actor) -> Enforcement:
    after = replace(record, version=record.version + 1, steps=(*record.steps, step))
    enforcement_store.save(tx, after, step)
    note = ": ".join(filter(None, (step.document, step.note)))
    act = audit.Entry(
        step.at,
        actor.name,
        actor.role,
        "enforcement",
        str(record.case_id),
        step.step,
        record.last or "",
        step.step,
        note,
    )
    audit.append(tx, [act])
    events.record(tx, [Change("case", str(record.case_id))], step.at)
    return after


def _note(
    tx: Connection, record: Enforcement, action: str, note: str, actor: Actor, at: datetime
) -> None:
    state = record.last or ""
    subject = str(record.case_id)
    act = audit.Entry(
        at, actor.name, actor.role, "enforcement", subject, action, state, state, note
    )
    audit.append(tx, [act])


def _known(tx: Connection, case_id: int) -> Enforcement:
    record = enforcement_store.load(tx, [case_id]).get(case_id)
    if record is None:
        raise not_found("enforcement record of case", case_id)
    return record


def _as_seen(tx: Connection, case_id: int, version: int) -> Enforcement:
    case_store.lock(tx, case_id)
    record = _known(tx, case_id)
    if record.version != version:
        message = coded(
            "document_changed",
            "the record of case {case} was changed since: it is version {version}",
            case=case_id,
            version=record.version,
        )
        raise Problem(409, "stale", message, LOOK_AGAIN)
    return record


def _refused(fault: BadProcedure) -> Problem:
    status = {"not_your_step": 403, "illegal_step": 409, "no_hearing": 409, "hearing_open": 409}
    return Problem(status.get(fault.code, 422), fault.code, fault.message, fault.allowed)


def _item(record: Enforcement, actor: Actor) -> EnforcementItem:
    party = record.party if actor.may(Right.ACT) else f"{record.party[:1]}**"
    return EnforcementItem(
        case=record.case_id,
        version=record.version,
        party=party,
        steps=[
            ProcedureItem(
                step=each.step,
                step_zh=NAMES_ZH[each.step],
                at=each.at,
                by=each.by,
                document=each.document,
                note=each.note if actor.may(Right.ACT) else "",
                officers=list(each.officers),
                hearing_applies=each.hearing_applies,
                waived=each.waived,
            )
            for each in record.steps
        ],
        following=list(record.following),
        basis=record.text.basis,
        matter=record.text.matter,
        discretion=record.text.discretion,
        result=record.text.result,
        published_at=record.published_at,
        published_by=record.published_by,
    )
