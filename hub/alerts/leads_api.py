"""The reverse lookup: which trucks stood near what a camera saw, before it was there to be seen."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel
from sqlalchemy import or_, select
from sqlalchemy.engine import Connection

from hub.alerts import store as alert_store
from hub.alerts.alert import Alert, is_in_passing
from hub.auth import need
from hub.devices.store import blind_spans
from hub.errors import Problem, not_found
from hub.http import ERRORS, Utc
from hub.roles import Actor, Right
from hub.store import Store, from_ms, to_ms
from hub.tracks.api import LOADS
from hub.tracks.judged_store import were_in
from hub.tracks.judgement import cells_around
from hub.tracks.leads import LOOK_AROUND_MS, Lead, leads_of
from hub.tracks.settings import TrackSettings
from hub.tracks.store import fixes_between, vehicles
from hub.tracks.thinning import thin
from wire.coded import coded

UNSEEN_FOR = timedelta(minutes=30)
UNWATCHED_FOR = timedelta(hours=24)
SLACK = timedelta(minutes=1)
"""Clocks of cameras and terminals may differ by so much."""

LONGEST = timedelta(hours=48)
MOST_ACCURACY_M = 200.0
NOTE = (
    "Leads, not findings: these vehicles stood near the place in the time in question. "
    "An officer has to look at the evidence."
)
Load = Literal["empty", "half", "full"]
Basis = Literal["asked", "clean", "blind", "watched", "passing"]


class LeadPoint(BaseModel):
    """A point of the stretch of track."""

    at: Utc
    lat: float
    lon: float
    speed_kmh: float | None


class LeadItem(BaseModel):
    """A vehicle that stood near: when, how long, how near; null where it did not say."""

    vehicle: str
    plate: str
    kind: str
    start: Utc
    end: Utc
    stood_s: float
    distance_m: float
    lat: float
    lon: float
    load_before: Load | None
    load_after: Load | None
    unloaded: bool | None
    hopper_raised: bool | None
    track: list[LeadPoint]


class Leads(BaseModel):
    """Vehicles that stood near what a camera saw; leads for an officer and no verdicts (`note`).

    Looked for from `last_clean` until `first_dirty`. `basis` says why from then: `asked` for by the
    caller; the camera saw the place `clean` (at `clean_at`, a minute later); or nobody can tell
    when it last was, and the span is as wide as that needs: the camera was `blind`, it would have
    seen it within half an hour (`watched`), or it passed in a vehicle (`passing`) and the thing
    may have been there for a day. `clean_at` lies before `last_clean` where 48 hours are too few.
    """

    alert: str
    note: str
    last_clean: Utc
    first_dirty: Utc
    clean_at: Utc | None
    basis: Basis
    radius_m: float
    items: list[LeadItem]
    total: int


def router(store: Store, settings: TrackSettings, trucks: Collection[str]) -> APIRouter:
    """Leads; `trucks`: the kinds of vehicle that may be asked for."""
    api = APIRouter(prefix="/api", tags=["alerts"], responses=ERRORS)

    @api.get("/alerts/{alert}/trucks-near")
    def trucks_near(
        alert: str,
        _actor: Annotated[Actor, Depends(need(Right.EVIDENCE))],
        radius_m: Annotated[float, Query(ge=5, le=500)] = 60.0,
        from_at: Annotated[AwareDatetime | None, Query(alias="from")] = None,
        until_at: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    ) -> Leads:
        with store.read() as tx:
            seen = alert_store.load(tx, [alert]).get(alert)
            if seen is None:
                raise not_found("alert", alert)
            if seen.place == "vehicle" and not is_in_passing(seen.label, seen.place):
                raise Problem(
                    422,
                    "no_camera",
                    coded("alert_of_vehicle", "alert {alert} is a vehicle's", alert=alert),
                    coded("camera_alert", "an alert of a camera"),
                )
            if seen.duplicate_of is not None:
                seen = alert_store.load(tx, [seen.duplicate_of]).get(seen.duplicate_of, seen)
            first, last, basis = _span(tx, seen, from_at, until_at)
            reach_m = radius_m + min(seen.acc_m, MOST_ACCURACY_M)
            found = _leads(tx, seen, (first, last), reach_m, settings, trucks)
            items = [_item(tx, lead) for lead in found]
        return Leads(
            alert=alert,
            note=NOTE,
            last_clean=first,
            first_dirty=last,
            clean_at=seen.last_clean,
            basis=basis,
            radius_m=reach_m,
            items=items,
            total=len(items),
        )

    return api


def _span(
    tx: Connection, alert: Alert, from_at: datetime | None, until_at: datetime | None
) -> tuple[datetime, datetime, Basis]:
    """From the last clean look until the first dirty one; where it is not known, from before it."""
    last = until_at or alert.since + SLACK
    if from_at is not None:
        if not timedelta(0) < last - from_at <= LONGEST:
            raise Problem(
                422,
                "bad_span",
                coded("from_until", "{first} to {last}", first=from_at, last=last),
                coded("span_48", "a span of up to 48 hours"),
            )
        return from_at, last, "asked"
    if alert.last_clean is not None:
        return max(alert.last_clean - SLACK, last - LONGEST), last, "clean"
    if is_in_passing(alert.label, alert.place):
        return alert.since - UNWATCHED_FOR, last, "passing"
    first = alert.since - UNSEEN_FOR
    span = blind_spans.c
    blind = select(span.from_at).where(
        span.camera == f"{alert.device}/{alert.source}",
        span.from_at <= alert.since,
        or_(span.until_at.is_(None), span.until_at >= first),
    )
    since = [each - UNSEEN_FOR for each in tx.execute(blind).scalars()]
    if since and min(since) < first:
        return max(min(since), last - LONGEST), last, "blind"
    return first, last, "watched"


def _leads(
    tx: Connection,
    alert: Alert,
    between: tuple[datetime, datetime],
    reach_m: float,
    settings: TrackSettings,
    trucks: Collection[str],
) -> list[Lead]:
    """What looks most like tipping first: unloaded, hopper up, then the nearest."""
    span = (to_ms(between[0]), to_ms(between[1]))
    around = timedelta(milliseconds=LOOK_AROUND_MS)
    there = were_in(tx, cells_around(alert.lat, alert.lon, reach_m), *span)
    asked = select(vehicles.c.id).where(vehicles.c.id.in_(there), vehicles.c.kind.in_(trucks))
    found: list[Lead] = []
    for name in tx.execute(asked).scalars():
        fixes = fixes_between(tx, name, between[0] - around, between[1] + around)
        place = (alert.lat, alert.lon)
        found += leads_of(name, fixes, place, reach_m, span, standing_kmh=settings.standing_kmh)
    return sorted(
        found,
        key=lambda lead: (not lead.has_unloaded, not lead.hopper_raised, lead.distance_m),
    )


def _item(tx: Connection, lead: Lead) -> LeadItem:
    found = select(vehicles.c.plate, vehicles.c.vehicle, vehicles.c.kind)
    row = tx.execute(found.where(vehicles.c.id == lead.vehicle)).one()
    return LeadItem(
        vehicle=lead.vehicle,
        plate=row.plate or row.vehicle,
        kind=row.kind,
        start=lead.start,
        end=lead.end,
        stood_s=lead.stood_s,
        distance_m=round(lead.distance_m, 1),
        lat=lead.lat,
        lon=lead.lon,
        load_before=_load(lead.load_before),
        load_after=_load(lead.load_after),
        unloaded=lead.has_unloaded,
        hopper_raised=lead.hopper_raised,
        track=[
            LeadPoint(at=from_ms(fix.ts), lat=fix.lat, lon=fix.lon, speed_kmh=fix.speed_kmh)
            for fix in thin(lead.fixes, 3.0, 300)
        ],
    )


def _load(load: int | None) -> Load | None:
    return None if load is None else LOADS.get(load)
