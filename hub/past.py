"""The map as it was: where vehicles stood, which alerts and cases there were at a past moment."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.engine import Connection

from hub.alerts.alert import FALSE_ALARM
from hub.alerts.api import visible as visible_alerts
from hub.alerts.store import alerts, is_there
from hub.audit import entries
from hub.auth import need
from hub.cases.api import visible as visible_cases
from hub.cases.case import FINISHED, State
from hub.cases.store import cases
from hub.errors import Problem
from hub.http import ERRORS, Utc
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, from_ms, now, to_ms
from hub.tracks.api import visible as visible_vehicles
from hub.tracks.store import batches, decode_fixes, vehicles
from wire.coded import coded
from wire.track import VALID, TrackPoint

HEARD_WITHIN = timedelta(minutes=10)
"""A vehicle silent for longer is not shown: nobody knows where it was."""
LONGEST_BATCH = timedelta(hours=2)
ALERTS_WITHIN = timedelta(days=7)
MOST = 5000
AT_ONCE = 500


class PastVehicle(BaseModel):
    """Where a vehicle was last heard of before the moment."""

    id: str
    at: Utc
    lat: float
    lon: float
    speed_kmh: float | None
    heading_deg: float | None


class PastAlert(BaseModel):
    """An alert that was there; `decision` as it stood then."""

    id: str
    level: int
    lat: float
    lon: float
    place: str
    decision: str | None


class PastCase(BaseModel):
    """A case with work left, in the state that it was in."""

    id: int
    number: str
    state: str
    lat: float
    lon: float


class Past(BaseModel):
    """The map at a moment, at most 5,000 of each."""

    at: Utc
    vehicles: list[PastVehicle]
    alerts: list[PastAlert]
    cases: list[PastCase]


def router(store: Store) -> APIRouter:
    """The map at a past moment."""
    api = APIRouter(prefix="/api", tags=["overview"], responses=ERRORS)

    @api.get("/past")
    def past(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))], at: AwareDatetime
    ) -> Past:
        if at > now():
            raise Problem(
                422,
                "bad_time",
                coded("not_past", "at: {at} is not past", at=at.isoformat()),
                coded("past_moment", "a past moment"),
            )
        with store.read() as tx:
            return Past(
                at=at,
                vehicles=list(_vehicles(tx, at, visible_vehicles(actor))),
                alerts=list(_alerts(tx, at, visible_alerts(actor))),
                cases=list(_cases(tx, at, visible_cases(actor))),
            )

    return api


def _vehicles(tx: Connection, at: datetime, mine: ColumnElement[bool]) -> Iterable[PastVehicle]:
    known = list(tx.execute(select(vehicles.c.id).where(mine).limit(MOST)).scalars())
    at_ms, since_ms = to_ms(at), to_ms(at - HEARD_WITHIN)
    latest: dict[str, TrackPoint] = {}
    for start in range(0, len(known), AT_ONCE):
        found = select(batches.c.vehicle, batches.c.fixes).where(
            batches.c.vehicle.in_(known[start : start + AT_ONCE]),
            batches.c.until_ms.between(since_ms, to_ms(at + LONGEST_BATCH)),
            batches.c.from_ms <= at_ms,
        )
        for row in tx.execute(found):
            for fix in decode_fixes(row.fixes):
                before = latest.get(row.vehicle)
                is_then = since_ms <= fix.ts <= at_ms and fix.flags & VALID
                if is_then and (before is None or before.ts < fix.ts):
                    latest[row.vehicle] = fix
    for name, fix in latest.items():
        yield PastVehicle(
            id=name, at=from_ms(fix.ts), lat=fix.lat, lon=fix.lon,
            speed_kmh=fix.speed_kmh, heading_deg=fix.heading_deg,
        )  # fmt: skip


def _alerts(tx: Connection, at: datetime, mine: ColumnElement[bool]) -> Iterable[PastAlert]:
    there = select(alerts).where(
        alerts.c.duplicate_of.is_(None),
        alerts.c.since <= at,
        alerts.c.since > at - ALERTS_WITHIN,
        is_there(at),
        mine,
    )
    for row in tx.execute(there.order_by(alerts.c.since.desc()).limit(MOST)):
        decided = row.decision if row.decided_at and row.decided_at <= at else None
        if decided != FALSE_ALARM:
            yield PastAlert(
                id=row.id, level=row.level, lat=row.lat, lon=row.lon,
                place=row.place, decision=decided,
            )  # fmt: skip


def _cases(tx: Connection, at: datetime, mine: ColumnElement[bool]) -> Iterable[PastCase]:
    there = select(cases).where(
        cases.c.opened_at <= at, or_(cases.c.closed_at.is_(None), cases.c.closed_at > at), mine
    )
    rows = tx.execute(there.order_by(cases.c.opened_at.desc()).limit(MOST)).all()
    states = _states(tx, [str(row.id) for row in rows], at)
    over = {state.value for state in FINISHED}
    for row in rows:
        state = states.get(str(row.id), State.REPORTED.value)
        if state not in over:
            yield PastCase(id=row.id, number=row.number, state=state, lat=row.lat, lon=row.lon)


def _states(tx: Connection, ids: Sequence[str], at: datetime) -> Mapping[str, str]:
    """The state each case was in, by its history."""
    states: dict[str, str] = {}
    for start in range(0, len(ids), AT_ONCE):
        steps = select(entries.c.subject, entries.c.to_state).where(
            entries.c.kind == "case",
            entries.c.subject.in_(ids[start : start + AT_ONCE]),
            entries.c.at <= at,
            entries.c.to_state != "",
        )
        for row in tx.execute(steps.order_by(entries.c.id)):
            states[row.subject] = row.to_state
    return states
