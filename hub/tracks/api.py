"""Vehicles and their tracks over HTTP."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Connection, Row

from hub.auth import need
from hub.errors import not_found
from hub.exports import FILES, MOST, AskedForm, Source, sheet, worded
from hub.grid.places import GridRef, GridStep, Places
from hub.http import ERRORS, Listing, Page, Utc, page
from hub.roles import Actor, Right
from hub.scope import Reach, within
from hub.store import Store, from_ms, lies_in, now
from hub.tracks.fence_api import DatumName, datum, in_datum
from hub.tracks.store import IS_VEHICLE, fixes_between, vehicles
from hub.tracks.thinning import thin
from wire.track import (
    EMPTY,
    FULL,
    HALF,
    VALID,
    alarm_names,
    cover_of,
    has_sensor_fault,
    hopper_of,
    lift_inhibited_of,
    load_of,
    locked_of,
    speed_limited_of,
)

SPAN = timedelta(hours=24)
LOADS: dict[int, Literal["empty", "half", "full"]] = {EMPTY: "empty", HALF: "half", FULL: "full"}


class BodyItem(BaseModel):
    """What a vehicle's body does; null where it does not say. `alarms`: those that stand."""

    load: Literal["empty", "half", "full"] | None
    hopper_raised: bool | None
    cover_open: bool | None
    lift_inhibited: bool | None
    locked: bool | None
    speed_limited: bool | None
    sensor_fault: bool
    alarms: list[str]


class VehicleItem(BaseModel):
    """A vehicle and its last position; the position is null before the first fix."""

    id: str
    device: str
    plate: str
    kind: str
    lat: float | None
    lon: float | None
    at: Utc | None
    speed_kmh: float | None
    heading_deg: float | None
    body: BodyItem
    online: bool
    grid: GridRef | None
    grids: list[GridStep]
    generated: bool


class FixItem(BaseModel):
    """A point of a track; `valid` when the receiver vouches for it."""

    at: Utc
    lat: float
    lon: float
    speed_kmh: float | None
    heading_deg: float | None
    body: BodyItem
    valid: bool


class DeviceFacts(BaseModel):
    """What a vehicle's device says for it."""

    online: bool
    generated: bool


DevicesOf = Callable[[Connection, Sequence[str]], dict[str, DeviceFacts]]
UNKNOWN = DeviceFacts(online=False, generated=False)


def vehicle_items(
    tx: Connection, places: Places, devices_of: DevicesOf, which: Sequence[str]
) -> dict[str, VehicleItem]:
    """Vehicles by id."""
    rows = tx.execute(select(vehicles).where(vehicles.c.id.in_(which), IS_VEHICLE)).all()
    return {item.id: item for item in _items(tx, rows, places, devices_of)}


COLUMNS: Mapping[str, Source] = {
    "id": "id", "device": "device", "plate": "plate", "kind": worded("kind", "vehicle"),
    "online": "online", "at": "at", "lat": "lat", "lon": "lon", "speed_kmh": "speed_kmh",
    "heading_deg": "heading_deg", "load": worded("body.load", "load"), "grid": "grid.code",
    "grid_name": "grid.name", "generated": "generated",
}  # fmt: skip


def router(
    store: Store, places: Places, devices_of: DevicesOf, online_ids: ColumnElement[bool]
) -> APIRouter:
    """Vehicles. `online_ids`: the condition on `vehicles.device` that its device is online."""
    api = APIRouter(prefix="/api", tags=["vehicles"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ))]

    @api.get("/vehicles")
    def list_vehicles(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        part: Annotated[Page, Depends(page)],
        kind: str | None = None,
        grid: str | None = None,
        online: bool | None = None,
    ) -> Listing[VehicleItem]:
        found = select(vehicles).where(vehicles.c.retired_at.is_(None), visible(actor))
        if kind is not None:
            found = found.where(vehicles.c.kind == kind)
        if grid is not None:
            found = found.where(lies_in(vehicles.c.grid_path, grid))
        if online is not None:
            found = found.where(online_ids if online else ~online_ids)
        with store.read() as tx:
            total = tx.execute(select(func.count()).select_from(found.subquery())).scalar_one()
            shown = found.order_by(vehicles.c.id).limit(part.limit).offset(part.offset)
            items = _items(tx, tx.execute(shown).all(), places, devices_of)
        return Listing(items=items, total=total)

    @api.get("/vehicle-table", response_class=Response, responses=FILES)
    def vehicle_table(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        form: AskedForm,
        kind: str | None = None,
        grid: str | None = None,
        online: bool | None = None,
    ) -> Response:
        """The list as a table."""
        found = list_vehicles(actor, Page(limit=MOST, offset=0), kind, grid, online)
        return sheet("vehicles", found.items, COLUMNS, form)

    @api.get("/vehicles/{vehicle:path}/track")
    def track(
        vehicle: str,
        _actor: reader,
        from_at: Annotated[AwareDatetime | None, Query(alias="from")] = None,
        until_at: Annotated[AwareDatetime | None, Query(alias="to")] = None,
        limit: Annotated[int, Query(ge=1, le=20_000)] = 5000,
        thin_m: Annotated[float | None, Query(gt=0, le=1000)] = None,
        named: Annotated[DatumName, Depends(datum)] = "wgs84",
    ) -> Listing[FixItem]:
        """The newest `limit` fixes of a span; with `thin_m`, all of it within so many metres."""
        until = until_at or now()
        since = from_at or until - SPAN
        with store.read() as tx:
            known = select(vehicles.c.id).where(vehicles.c.id == vehicle, IS_VEHICLE)
            if tx.execute(known).first() is None:
                raise not_found("vehicle", vehicle)
            fixes = fixes_between(tx, vehicle, since, until)
        shown = fixes[-limit:]
        if thin_m is not None:
            shown = thin([fix for fix in fixes if fix.flags & VALID], thin_m, limit)
        places_shown = in_datum([(fix.lat, fix.lon) for fix in shown], named)
        items = [
            FixItem(
                at=from_ms(fix.ts),
                lat=lat,
                lon=lon,
                speed_kmh=fix.speed_kmh,
                heading_deg=fix.heading_deg,
                body=_body(fix.body, fix.alarm),
                valid=bool(fix.flags & VALID),
            )
            for fix, (lat, lon) in zip(shown, places_shown, strict=True)
        ]
        return Listing(items=items, total=len(fixes))

    return api


def visible(actor: Actor) -> ColumnElement[bool]:
    """The vehicles that are where the actor's posts are."""
    return within(actor, Right.READ, path=vehicles.c.grid_path) & IS_VEHICLE


def counts(
    tx: Connection, online: ColumnElement[bool], mine: ColumnElement[bool]
) -> tuple[int, int]:
    """Of `mine`: vehicles in use, and those whose device is online."""
    here = select(func.count()).select_from(vehicles).where(vehicles.c.retired_at.is_(None), mine)
    return tx.execute(here).scalar_one(), tx.execute(here.where(online)).scalar_one()


def _items(
    tx: Connection, rows: Sequence[Row[Any]], places: Places, devices_of: DevicesOf
) -> list[VehicleItem]:
    facts = devices_of(tx, sorted({row.device for row in rows}))
    return [_item(row, places, facts.get(row.device, UNKNOWN)) for row in rows]


def _item(row: Row[Any], places: Places, device: DeviceFacts) -> VehicleItem:
    return VehicleItem(
        id=row.id,
        device=row.device,
        plate=row.plate or row.vehicle,
        kind=row.kind,
        lat=row.lat,
        lon=row.lon,
        at=row.at,
        speed_kmh=row.speed_kmh,
        heading_deg=row.heading_deg,
        body=_body(row.body, row.alarm),
        online=device.online,
        grid=places.ref(row.grid_path),
        grids=places.steps(row.grid_path),
        generated=device.generated,
    )


def _body(body: int, alarm: int) -> BodyItem:
    load = load_of(body)
    return BodyItem(
        load=None if load is None else LOADS.get(load),
        hopper_raised=hopper_of(body),
        cover_open=cover_of(body),
        lift_inhibited=lift_inhibited_of(body),
        locked=locked_of(body),
        speed_limited=speed_limited_of(body),
        sensor_fault=has_sensor_fault(body),
        alarms=alarm_names(alarm),
    )
