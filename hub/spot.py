"""What is known of a spot: earlier alerts and cases, permits valid there, what is held back."""

from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import ColumnElement, Table, and_, or_, select
from sqlalchemy.engine import Connection

from hub.alerts.alert import FALSE_ALARM
from hub.alerts.api import CaseRef, MatterRef, matter_ref, visible as alerts_visible
from hub.alerts.store import alerts, pictures_of, to_alert, with_joined
from hub.alerts.suppression_store import in_force
from hub.auth import need
from hub.cases.api import visible as cases_visible
from hub.cases.case import FINISHED
from hub.cases.store import cases, load as load_cases, to_case
from hub.evidence.items import evidence_url
from hub.grid.fence import away_m
from hub.grid.geodesy import distance_m, metres_per_degree
from hub.http import ERRORS, Body, Utc
from hub.permits import store as permit_store
from hub.permits.permit import Permit
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, now
from hub.tracks import fence_store
from hub.tracks.fence_store import Fences

MOST = 20
MOST_COMPARED = 2000


class Asked(Body):
    """A spot and a moment (now when not given), how far around, how far back.

    `without`: an alert that is not told of, nor what it was joined to.
    """

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    at: AwareDatetime | None = None
    radius_m: Annotated[float, Field(ge=5, le=500)] = 100
    days: Annotated[float, Field(gt=0, le=366)] = 90
    without: Annotated[str, Field(max_length=64)] = ""


class NearAlert(BaseModel):
    """An alert of another thing there; `picture`: the address of one, where there is any."""

    id: str
    matter: MatterRef | None
    label: str
    source_name: str
    level: int
    since: Utc
    at: Utc
    state: str
    decision: str | None
    decided_by: str | None
    times_seen: int
    case: CaseRef | None
    picture: str | None
    distance_m: float


class NearCase(BaseModel):
    """A case there."""

    id: int
    number: str
    title: str
    matter: MatterRef | None
    state: str
    is_open: bool
    opened_at: Utc
    closed_at: Utc | None
    version: int
    distance_m: float


class NearPermit(BaseModel):
    """A permit valid that day whose site or route is there; `place` says which of them.

    `open_now`: whether the moment lies in its hours.
    """

    number: str
    place: str
    name: str
    vehicles: list[str]
    open_now: bool
    distance_m: float


class NearSuppression(BaseModel):
    """What is held back at a camera that saw something there."""

    id: int
    camera: str
    label: str
    until: Utc


class Spot(BaseModel):
    """What is known of a spot, the nearest first, at most 20 of each.

    `false_alarms`: how many of the alerts people judged false.
    """

    radius_m: float
    since: Utc
    alerts: list[NearAlert]
    cases: list[NearCase]
    permits: list[NearPermit]
    false_alarms: int
    suppressions: list[NearSuppression]


def router(store: Store, zone: tzinfo) -> APIRouter:
    """What is known of a spot; `zone`: where days begin."""
    api = APIRouter(prefix="/api", tags=["overview"], responses=ERRORS)

    @api.get("/spot")
    def spot(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        asked: Annotated[Asked, Query()],
    ) -> Spot:
        until = asked.at or now()
        since = until - timedelta(days=asked.days)
        place, radius_m = (asked.lat, asked.lon), asked.radius_m
        with store.read() as tx:
            found, false_alarms, sources = _alerts(
                tx, place, radius_m, (since, until), asked.without, mine=alerts_visible(actor)
            )
            return Spot(
                radius_m=radius_m,
                since=since,
                alerts=found,
                cases=_cases(tx, place, radius_m, since, cases_visible(actor)),
                permits=_permits(tx, place, radius_m, until, zone),
                false_alarms=false_alarms,
                suppressions=_suppressions(tx, sources, until),
            )

    return api


def _within(table: Table, place: tuple[float, float], radius_m: float) -> ColumnElement[bool]:
    """A square that holds the circle."""
    lat, lon = place
    north, east = metres_per_degree(lat)
    d_lat, d_lon = radius_m / north, radius_m / max(east, 1.0)
    return and_(
        table.c.lat.between(lat - d_lat, lat + d_lat), table.c.lon.between(lon - d_lon, lon + d_lon)
    )


def _of(row: object, model: type[BaseModel]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in model.model_fields if hasattr(row, name)}


def _alerts(
    tx: Connection,
    place: tuple[float, float],
    radius_m: float,
    span: tuple[datetime, datetime],
    without: str,
    *,
    mine: ColumnElement[bool],
) -> tuple[list[NearAlert], int, set[tuple[str, str, str]]]:
    """The alerts, how many of all were false, and the cameras and labels of all."""
    known = select(alerts.c.duplicate_of).where(alerts.c.id == without)
    head = tx.execute(known).scalar() or without
    near = select(alerts).where(
        _within(alerts, place, radius_m),
        mine,
        alerts.c.at >= span[0],
        alerts.c.since <= span[1],
        alerts.c.duplicate_of.is_(None),
        alerts.c.id.not_in([without, head]),
    )
    rows = tx.execute(near.order_by(alerts.c.at.desc()).limit(MOST_COMPARED)).all()
    away = {row.id: distance_m(*place, row.lat, row.lon) for row in rows}
    there = [row for row in rows if away[row.id] <= radius_m]
    shown = with_joined(tx, [to_alert(row) for row in there[:MOST]])
    pictures = pictures_of(tx, [row.id for row in shown])
    of_cases = load_cases(tx, {row.case_id for row in shown if row.case_id is not None})
    refs = {c.id: CaseRef(id=c.id, number=c.number, state=c.state) for c in of_cases.values()}

    def picture(name: str) -> str | None:
        held = [each for each in pictures[name] if each.held and "image" in each.type]
        best = sorted(held, key=lambda each: each.role != "annotated")
        return evidence_url(best[0].sha256) if best else None

    items = [
        NearAlert(
            **_of(row, NearAlert)
            | {
                "matter": matter_ref(row.matter),
                "case": refs.get(row.case_id or 0),
                "picture": picture(row.id),
                "distance_m": round(away[row.id], 1),
            }
        )
        for row in shown
    ]
    false_alarms = sum(row.decision == FALSE_ALARM for row in there)
    return items, false_alarms, {(row.device, row.source, row.label) for row in there}


def _cases(
    tx: Connection,
    place: tuple[float, float],
    radius_m: float,
    since: datetime,
    mine: ColumnElement[bool],
) -> list[NearCase]:
    recent = or_(
        cases.c.updated_at >= since, cases.c.state.not_in([state.value for state in FINISHED])
    )
    rows = tx.execute(select(cases).where(_within(cases, place, radius_m), mine, recent)).all()
    items = [
        NearCase(
            **_of(row, NearCase)
            | {
                "matter": matter_ref(row.matter),
                "is_open": to_case(row).is_open,
                "distance_m": round(distance_m(*place, row.lat, row.lon), 1),
            }
        )
        for row in rows
    ]
    there = [item for item in items if item.distance_m <= radius_m]
    return sorted(there, key=lambda item: (not item.is_open, item.distance_m))[:MOST]


def _permits(
    tx: Connection, place: tuple[float, float], radius_m: float, at: datetime, zone: tzinfo
) -> list[NearPermit]:
    fences = Fences()
    fence_store.refresh(tx, fences)
    found = []
    for version in permit_store.listed(tx):
        permit = version.permit
        if (
            permit.is_valid(at, zone)
            and (nearest := _nearest(permit, fences, place))[0] <= radius_m
        ):
            away, kind, name = nearest
            found.append(
                NearPermit(
                    number=permit.number,
                    place=kind,
                    name=name,
                    vehicles=sorted(permit.vehicles)[:MOST],
                    open_now=permit.hours.are_open(at, zone),
                    distance_m=round(away, 1),
                )
            )
    return sorted(found, key=lambda item: item.distance_m)[:MOST]


def _nearest(permit: Permit, fences: Fences, place: tuple[float, float]) -> tuple[float, str, str]:
    """How near the permit's sites or route are: metres, which of them, its name."""
    ways: list[tuple[float, str, str]] = [(float("inf"), "", "")]
    for kind, name in (("loading_site", permit.loading_site), ("dump_site", permit.dump_site)):
        if (fence := fences.named(name)) is not None:
            ways.append((away_m(fence.shape, *place), kind, fence.name))
    if (corridor := permit.corridor()) is not None:
        ways.append((away_m(corridor, *place), "route", ""))
    return min(ways)


def _suppressions(
    tx: Connection, sources: set[tuple[str, str, str]], at: datetime
) -> list[NearSuppression]:
    devices = {device for device, _, _ in sources}
    held = in_force(tx, devices, at) if devices else []
    return [
        NearSuppression(
            id=one.id, camera=f"{one.device}/{one.source}", label=one.label, until=one.until
        )
        for one in held
        if (one.device, one.source, one.label) in sources
    ][:MOST]
