"""Alerts over HTTP."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, Field, model_validator
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Connection

from hub import audit, inbox
from hub.alerts.alert import ACTIVE, DECISIONS, Alert
from hub.alerts.attention import Snooze
from hub.alerts.attention_store import is_put_off, snoozed as snoozed_alerts
from hub.alerts.store import (
    Picture,
    alerts,
    is_there,
    load,
    pictures_of,
    to_alert,
    with_joined,
)
from hub.auth import need
from hub.errors import not_found
from hub.evidence.items import EvidenceItem, evidence_item
from hub.exports import FILES, MOST, AskedForm, Source, matter_name, sheet, worded
from hub.grid.places import GridRef, GridStep, Places
from hub.http import ERRORS, Body, CodedText, Listing, Page, Utc, coded_of, page
from hub.matters import matter
from hub.people import person_names
from hub.roles import Actor, Right
from hub.scope import Reach, within
from hub.store import Store, lies_in, now


class MatterRef(BaseModel):
    """A matter by code and names."""

    code: str
    name_zh: str
    name_en: str


class CaseRef(BaseModel):
    """The case of an alert."""

    id: int
    number: str
    state: str


class BoxItem(BaseModel):
    """A rectangle in the picture; x, y = top-left corner, all four as fractions."""

    label: str
    score: float
    x: float
    y: float
    w: float
    h: float


class SnoozeItem(BaseModel):
    """By whom an alert is put off, and until when; `until_seen`: or until it is seen again."""

    by: str
    at: Utc
    until: Utc
    until_seen: bool
    note: str


class AlertItem(BaseModel):
    """An alert as it stands.

    `snooze`: put off by a person; it waits in no queue until that is over.

    `suppressed_until`: held back, because people judged its place false again and again
    (`suppressed_by` names the suppression); it opens no case and waits in no queue.

    `last_clean`: the last look before `since` that showed its place clean, null when nobody can
    tell. `duplicate_of`: the alert that told of the same thing before; `times_seen` counts there,
    and `state` and `ended_at` are those of the thing: it lasts while one of them does.
    """

    id: str
    device: str
    source: str
    source_name: str
    label: str
    matter: MatterRef | None
    zone: str
    state: Literal["active", "ended"]
    decision: Literal["confirmed", "false_alarm"] | None
    decided_by: str | None
    decided_at: Utc | None
    level: int
    since: Utc
    last_clean: Utc | None
    at: Utc
    ended_at: Utc | None
    received_at: Utc
    delayed: bool
    clock_suspect: bool
    lat: float
    lon: float
    acc_m: float
    place: Literal["ground", "camera", "vehicle", "last"]
    grid: GridRef | None
    grids: list[GridStep]
    score: float
    model: str
    boxes: list[BoxItem]
    evidence: list[EvidenceItem]
    case: CaseRef | None
    times_seen: int
    duplicate_of: str | None
    suppressed_by: int | None
    suppressed_until: Utc | None
    snooze: SnoozeItem | None
    generated: bool


class AlertEvent(BaseModel):
    """A step of an alert's history."""

    at: Utc
    actor: str
    what: str
    note: str
    coded: dict[str, CodedText] = {}


class AlertDetail(AlertItem):
    """An alert with its history."""

    history: list[AlertEvent]


class Merge(Body):
    """What an alert is of: the thing of another alert, or an open case by its id."""

    alert: Annotated[str, Field(max_length=20)] | None = None
    case: int | None = None
    note: Annotated[str, Field(max_length=1000)] = ""

    @model_validator(mode="after")
    def one_of_both(self) -> "Merge":
        """Exactly one of the two is named."""
        if (self.alert is None) == (self.case is None):
            raise ValueError("either `alert` or `case` is needed")
        return self


class Decision(Body):
    """What a person says of an alert."""

    decision: Literal["confirmed", "false_alarm"]
    note: Annotated[str, Field(max_length=1000)] = ""


COLUMNS: Mapping[str, Source] = {
    "id": "id", "label": worded("label", "label"), "matter": "matter.code",
    "matter_name": matter_name, "state": worded("state", "alertState"),
    "decision": worded("decision", "alert"), "decided_by": "decided_by",
    "decided_at": "decided_at", "level": worded("level", "level"), "since": "since", "at": "at",
    "ended_at": "ended_at", "device": "device", "source": "source",
    "source_name": "source_name", "grid": "grid.code", "grid_name": "grid.name", "lat": "lat",
    "lon": "lon", "score": "score", "case": "case.number", "times_seen": "times_seen",
    "generated": "generated",
}  # fmt: skip

CaseRefs = Callable[[Connection, Collection[int]], dict[int, CaseRef]]
Decide = Callable[[str, str, str, Actor], None]
MergeInto = Callable[[str, Merge, Actor], None]


def visible(actor: Actor) -> ColumnElement[bool]:
    """The alerts that the actor's posts cover."""
    return within(actor, Right.READ, path=alerts.c.path, matter=alerts.c.matter)


def matter_ref(code: str | None) -> MatterRef | None:
    """A matter's code with its names."""
    known = matter(code)
    if known is None:
        return None
    return MatterRef(code=known.code, name_zh=known.name_zh, name_en=known.name_en)


def alert_items(
    tx: Connection, places: Places, case_refs: CaseRefs, which: Sequence[str]
) -> dict[str, AlertItem]:
    """Alerts by id."""
    found = load(tx, which)
    return {item.id: item for item in _items(tx, list(found.values()), places, case_refs)}


def router(
    store: Store, places: Places, case_refs: CaseRefs, decide: Decide, merge: MergeInto
) -> APIRouter:
    """Alerts. What people say of them is done by `decide` and `merge`."""
    api = APIRouter(prefix="/api", tags=["alerts"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ))]

    @api.get("/alerts")
    def list_alerts(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        part: Annotated[Page, Depends(page)],
        which: Annotated[list[ColumnElement[bool]], Depends(_filters)],
    ) -> Listing[AlertItem]:
        which.append(visible(actor))
        found = select(alerts).where(*which)
        with store.read() as tx:
            total = tx.execute(select(func.count()).select_from(alerts).where(*which)).scalar_one()
            newest = found.order_by(alerts.c.at.desc(), alerts.c.id)
            rows = tx.execute(newest.limit(part.limit).offset(part.offset)).all()
            items = _items(tx, [to_alert(row) for row in rows], places, case_refs)
        return Listing(items=items, total=total)

    @api.get("/alert-table", response_class=Response, responses=FILES)
    def alert_table(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        which: Annotated[list[ColumnElement[bool]], Depends(_filters)],
        form: AskedForm,
    ) -> Response:
        """The list as a table, the newest first."""
        found = list_alerts(actor, Page(limit=MOST, offset=0), which)
        with store.read() as tx:
            who = person_names.column(tx, found.items, "decided_by")
        return sheet("alerts", found.items, {**COLUMNS, "decided_by": who}, form)

    @api.get("/alerts/{alert}")
    def one(alert: str, _actor: reader) -> AlertDetail:
        return detail(store, places, case_refs, alert)

    @api.post("/alerts/{alert}/decision")
    def decision(
        alert: str, said: Decision, actor: Annotated[Actor, Depends(need(Right.DECIDE))]
    ) -> AlertDetail:
        decide(alert, said.decision, said.note.strip(), actor)
        return detail(store, places, case_refs, alert)

    @api.post("/alerts/{alert}/merge")
    def merge_into(
        alert: str, into: Merge, actor: Annotated[Actor, Depends(need(Right.DECIDE))]
    ) -> AlertDetail:
        merge(alert, into, actor)
        return detail(store, places, case_refs, alert)

    return api


def _filters(
    state: Literal["active", "ended"] | None = None,
    decision: Literal["confirmed", "false_alarm", "none"] | None = None,
    label: str | None = None,
    matter: str | None = None,
    source: str | None = None,
    grid: str | None = None,
    duplicates: Annotated[bool, Query()] = True,
    suppressed: bool | None = None,
    snoozed: bool | None = None,
    from_at: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until_at: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> list[ColumnElement[bool]]:
    which: list[ColumnElement[bool]] = []
    if state is not None:
        lasts = is_there()
        which.append(lasts if state == ACTIVE else ~lasts)
    if decision is not None:
        which.append(alerts.c.decision == (decision if decision in DECISIONS else None))
    if label is not None:
        which.append(alerts.c.label == label)
    if matter is not None:
        which.append(alerts.c.matter == matter)
    if source is not None:
        device, _, camera = source.rpartition("/")
        which.append(alerts.c.source == camera)
        if device:
            which.append(alerts.c.device == device)
    if grid is not None:
        which.append(lies_in(alerts.c.path, grid))
    if not duplicates:
        which.append(alerts.c.duplicate_of.is_(None))
    if suppressed is not None:
        held = alerts.c.suppressed_until
        which.append(held.is_not(None) if suppressed else held.is_(None))
    if snoozed is not None:
        put_off = is_put_off(alerts, now())
        which.append(put_off if snoozed else ~put_off)
    if from_at is not None:
        which.append(alerts.c.at >= from_at)
    if until_at is not None:
        which.append(alerts.c.at <= until_at)
    return which


def detail(store: Store, places: Places, case_refs: CaseRefs, alert: str) -> AlertDetail:
    """One alert with its history."""
    with store.read() as tx:
        item = alert_items(tx, places, case_refs, [alert]).get(alert)
        if item is None:
            raise not_found("alert", alert)
        said = [
            AlertEvent(at=at, actor=device, what=json.loads(body).get("state", ""), note="")
            for at, device, body in inbox.of(tx, alert)
        ]
        done = [
            AlertEvent(
                at=act.at,
                actor=act.actor,
                what=act.action,
                note=act.note,
                coded=coded_of({"note": act.note}),
            )
            for act in audit.of(tx, "alert", alert)
        ]
    history = sorted([*said, *done], key=lambda event: event.at)
    return AlertDetail(**item.model_dump(), history=history)


def _items(
    tx: Connection, found: Sequence[Alert], places: Places, case_refs: CaseRefs
) -> list[AlertItem]:
    shown = pictures_of(tx, [alert.id for alert in found], with_sealed=True)
    cases = case_refs(tx, {alert.case_id for alert in found if alert.case_id is not None})
    put_off = snoozed_alerts(tx, [alert.id for alert in found if alert.decision is None])
    found = with_joined(tx, found)
    at = now()
    return [
        _item(alert, shown[alert.id], places, cases.get(alert.case_id or 0), snooze)
        for alert in found
        for snooze in [_holding(put_off.get(alert.id), alert, at)]
    ]


def _holding(snooze: Snooze | None, alert: Alert, at: datetime) -> SnoozeItem | None:
    if snooze is None or not snooze.holds(alert, at):
        return None
    return SnoozeItem(**vars(snooze), until_seen=snooze.times_seen is not None)


def _item(
    alert: Alert,
    shown: Sequence[Picture],
    places: Places,
    case: CaseRef | None,
    snooze: SnoozeItem | None,
) -> AlertItem:
    values: dict[str, Any] = {
        name: getattr(alert, name) for name in AlertItem.model_fields if hasattr(alert, name)
    }
    values |= {
        "matter": matter_ref(alert.matter),
        "grid": places.ref(alert.path),
        "grids": places.steps(alert.path),
        "boxes": [
            BoxItem(label=b.label, score=b.score, x=b.x, y=b.y, w=b.w, h=b.h) for b in alert.boxes
        ],
        "evidence": [evidence_item(picture) for picture in shown],
        "case": case,
        "snooze": snooze,
    }
    return AlertItem(**values)
