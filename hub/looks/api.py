"""Looks again over HTTP: asked for, and listed with their alert or case."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from hub.alerts import store as alert_store
from hub.alerts.alert import Alert
from hub.auth import need
from hub.cases import store as case_store
from hub.devices.orders.desk import OrderDesk
from hub.devices.orders.order import OrderState, Subject
from hub.errors import Problem, not_found
from hub.evidence import refs, store as evidence_store
from hub.evidence.items import EvidenceItem, evidence_item
from hub.evidence.order_key import key_of
from hub.evidence.refs import Picture
from hub.http import ERRORS, Body, Listing, Utc
from hub.looks import store as look_store
from hub.looks.look import OP, Look, arguments, look_of, valid_for
from hub.roles import Actor, Right
from hub.store import Store
from wire.coded import coded

MOST = 100


class LookItem(BaseModel):
    """A look again: `answer` is null while it is awaited; `cannot_tell` is never rounded.

    `confidence`: 0 to 1. `looks` were taken, of which `clear` could be judged and in `hidden`
    somebody stood before the place. `evidence`: what everybody may see; its sealed `original` is
    opened as an alert's.
    """

    order: str
    state: OrderState
    alert: str
    camera: str
    by: str
    asked_at: Utc
    seconds: float
    answer: Literal["present", "gone", "cannot_tell"] | None
    confidence: float
    reasons: list[str]
    details: list[str]
    began_at: Utc | None
    ended_at: Utc | None
    looks: int
    clear: int
    hidden: int
    model: str
    evidence: list[EvidenceItem]


class NewLook(Body):
    """`looks` fresh looks are spread over `seconds`."""

    seconds: Annotated[float, Field(ge=2, le=600)] = 60
    looks: Annotated[int, Field(ge=3, le=60)] = 12


class NewCaseLook(NewLook):
    """`alert`: which of the case's; the newest one of a camera otherwise."""

    alert: str | None = None


def router(store: Store, desk: OrderDesk) -> APIRouter:
    """Looks of alerts and cases."""
    api = APIRouter(prefix="/api", tags=["looks"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ))]
    asker = Annotated[Actor, Depends(need(Right.ACT))]

    @api.post("/alerts/{alert}/look", status_code=201)
    def look_at_alert(alert: str, wanted: NewLook, actor: asker) -> LookItem:
        with store.read() as tx:
            known = _alert(tx, alert)
        return ask(known, wanted, actor, Subject("alert", alert))

    @api.post("/cases/{case}/look", status_code=201)
    def look_at_case(case: int, wanted: NewCaseLook, actor: asker) -> LookItem:
        with store.read() as tx:
            _case(tx, case)
            known = _of_case(tx, case, wanted.alert)
        return ask(known, wanted, actor, Subject("case", str(case)))

    @api.get("/alerts/{alert}/looks")
    def looks_of_alert(alert: str, _actor: reader) -> Listing[LookItem]:
        with store.read() as tx:
            known = _alert(tx, alert)
            mine = look_store.of_alert(tx, known, MOST)
            return _listing(tx, mine, {(known.device, known.alert): known})

    @api.get("/cases/{case}/looks")
    def looks_of_case(case: int, _actor: reader) -> Listing[LookItem]:
        with store.read() as tx:
            _case(tx, case)
            members = alert_store.load(tx, alert_store.of_case(tx, [case])[case])
            known = {(each.device, each.alert): each for each in members.values()}
            return _listing(tx, look_store.of_case(tx, case, members, MOST), known)

    def ask(alert: Alert, wanted: NewLook, actor: Actor, subject: Subject) -> LookItem:
        given = arguments(alert, wanted.seconds, wanted.looks)
        valid_s = round(valid_for(wanted.seconds).total_seconds())
        order = desk.give(alert.device, OP, given, actor, valid_s=valid_s, subject=subject)
        with store.read() as tx:
            known = {(alert.device, alert.alert): alert}
            return _listing(tx, [look_of(order)], known).items[0]

    return api


def _alert(tx: Connection, name: str) -> Alert:
    found = alert_store.load(tx, [name]).get(name)
    if found is None:
        raise not_found("alert", name)
    return found


def _case(tx: Connection, case: int) -> None:
    if case not in case_store.load(tx, [case]):
        raise not_found("case", case)


def _of_case(tx: Connection, case: int, wanted: str | None) -> Alert:
    """The alert of a case whose place is to be looked at."""
    members = alert_store.load(tx, alert_store.of_case(tx, [case])[case])
    if wanted is not None:
        if wanted not in members:
            raise Problem(
                422,
                "bad_alert",
                coded("alert_elsewhere", "alert {alert} is not of this case", alert=wanted),
                coded("own_alert", "one of its own"),
            )
        return members[wanted]
    seen = [each for each in members.values() if each.place != "vehicle" and each.boxes]
    if not seen:
        raise Problem(
            422,
            "no_camera",
            coded("case_uncamera", "case {case} has no alert of a fixed camera", case=case),
            coded("case_with_one", "a case with one"),
        )
    return max(seen, key=lambda each: (each.since, each.id))


def _listing(
    tx: Connection, looks: Sequence[Look], alerts: Mapping[tuple[str, str], Alert]
) -> Listing[LookItem]:
    noted = refs.pictures_of(tx, [key_of(look.order.id) for look in looks], with_sealed=True)
    held = evidence_store.held(
        tx, {str(file["sha256"]) for look in looks for file in look.evidence}
    )
    items = []
    for look in looks:
        pictures = noted[key_of(look.order.id)] or _of_before(look, held)
        items.append(_item(look, alerts, [each for each in pictures if not each.sealed]))
    return Listing(items=items, total=len(items))


def _of_before(look: Look, held: set[str]) -> list[Picture]:
    """The pictures of a look that came when none were noted yet."""
    return [
        Picture(
            role=str(file.get("role", "")),
            type=str(file.get("type", "")),
            sha256=str(file["sha256"]),
            held=file["sha256"] in held,
            sealed=bool(file.get("sealed")),
        )
        for file in look.evidence
    ]


def _item(
    look: Look, alerts: Mapping[tuple[str, str], Alert], pictures: Sequence[Picture]
) -> LookItem:
    order = look.order
    alert = alerts.get((order.device, look.alert))
    return LookItem(
        order=order.id,
        state=order.state,
        alert=alert.id if alert is not None else "",
        camera=f"{order.device}/{order.args.get('camera', '')}",
        by=order.by,
        asked_at=order.made_at,
        seconds=float(order.args.get("seconds", 0)),
        answer=look.answer,  # type: ignore[arg-type]
        confidence=look.confidence,
        reasons=list(look.reasons),
        details=list(look.details),
        began_at=look.began_at,
        ended_at=look.ended_at,
        looks=look.looks,
        clear=look.clear,
        hidden=look.hidden,
        model=look.model,
        evidence=[evidence_item(each) for each in pictures],
    )
