"""What vehicles did, over HTTP: one list for all of them."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel
from sqlalchemy import ColumnElement, func, select

from hub.auth import need
from hub.exports import FILES, MOST, AskedForm, Several, Source, Word, sheet, worded
from hub.http import ERRORS, Listing, Page, Utc, page
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store
from hub.tracks.api import visible
from hub.tracks.episode import Fact, Kind
from hub.tracks.judged_store import vehicle_events
from hub.tracks.store import vehicles


class VehicleEvent(BaseModel):
    """Something a vehicle did.

    `over` false: it lasts, and `end` is when that was established. `late`: found by judging again
    after a late fix. `superseded_at`: late fixes have shown that it was not so. `certainty` below
    1: something was presumed. `alert`: the alert it raised or joined.
    """

    id: int
    vehicle: str
    kind: Kind
    subject: str
    start: Utc
    end: Utc
    over: bool
    lat: float
    lon: float
    certainty: float
    facts: Mapping[str, Fact]
    late: bool
    superseded_at: Utc | None
    alert: str | None


def router(store: Store) -> APIRouter:
    """Events of vehicles."""
    api = APIRouter(prefix="/api", tags=["vehicles"], responses=ERRORS)

    @api.get("/vehicle-events")
    def list_events(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        part: Annotated[Page, Depends(page)],
        which: Annotated[list[ColumnElement[bool]], Depends(_filters)],
    ) -> Listing[VehicleEvent]:
        event = vehicle_events.c
        if actor.is_limited(Right.READ):
            mine = select(vehicles.c.id).where(visible(actor))
            which.append(event.vehicle.in_(mine))
        found = select(vehicle_events).where(*which).order_by(event.start.desc(), event.id.desc())
        counted = select(func.count()).select_from(vehicle_events).where(*which)
        with store.read() as tx:
            total = tx.execute(counted).scalar_one()
            rows = tx.execute(found.limit(part.limit).offset(part.offset)).all()
        return Listing(items=[event_item(row) for row in rows], total=total)

    @api.get("/vehicle-event-table", response_class=Response, responses=FILES)
    def event_table(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        which: Annotated[list[ColumnElement[bool]], Depends(_filters)],
        form: AskedForm,
    ) -> Response:
        """The list as a table, the newest first."""
        found = list_events(actor, Page(limit=MOST, offset=0), which)
        return sheet("vehicle-events", found.items, COLUMNS, form)

    return api


COLUMNS: Mapping[str, Source] = {
    "id": "id", "vehicle": "vehicle", "kind": worded("kind", "event"),
    "subject": worded("subject", "alarm"), "start": "start",
    "end": "end", "over": "over", "lat": "lat", "lon": "lon", "certainty": "certainty",
    "facts": lambda event: facts_cell(event.facts),
    "late": "late", "superseded_at": "superseded_at", "alert": "alert",
}  # fmt: skip


def facts_cell(facts: Mapping[str, Fact]) -> Several:
    """The cell of what a rule measured."""
    return Several(
        [
            Several((Word(name, ("fact",)), _fact(value)), "=", kept=True)
            for name, value in facts.items()
        ]
    )


def _fact(value: Fact) -> object:
    match value:
        case bool():
            return Word("yes" if value else "no", ("yesNo",))
        case float():
            return f"{value:g}"
        case str():
            return Word(value, ("verdict", "load", "purpose"))
        case _:
            return value


def event_item(row: Any) -> VehicleEvent:
    """A row of events as an answer."""
    values = {name: getattr(row, name) for name in VehicleEvent.model_fields if name != "facts"}
    return VehicleEvent(**values, facts=msgspec.json.decode(row.facts))


def _filters(
    vehicle: str | None = None,
    kind: Annotated[list[Kind] | None, Query()] = None,
    subject: str | None = None,
    late: bool | None = None,
    superseded: bool = False,
    from_at: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until_at: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> list[ColumnElement[bool]]:
    event = vehicle_events.c
    gone = event.superseded_at
    which: list[ColumnElement[bool]] = [gone.is_not(None) if superseded else gone.is_(None)]
    if vehicle is not None:
        which.append(event.vehicle == vehicle)
    if kind:
        which.append(event.kind.in_([each.value for each in kind]))
    if subject is not None:
        which.append(event.subject == subject)
    if late is not None:
        which.append(event.late.is_(late))
    if from_at is not None:
        which.append(event.end >= from_at)
    if until_at is not None:
        which.append(event.start <= until_at)
    return which
