"""Devices and cameras over HTTP."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Connection, Row

from hub import audit, events
from hub.auth import need
from hub.devices import keys as device_keys, store as devices_store
from hub.devices.store import blind_spans, cameras, devices
from hub.errors import Problem, not_found
from hub.exports import FILES, MOST, AskedForm, Source, sheet, worded
from hub.grid.places import GridRef, GridStep, Places
from hub.http import ERRORS, Body, Listing, Page, Utc, page
from hub.roles import Actor, Right
from hub.scope import Reach, within
from hub.store import Store, from_ms, lies_in, now
from wire.coded import coded
from wire.status import CameraState
from wire.topics import BadTopic, check_device_id

MOST_BLIND = 200
_IS_BLIND = cameras.c.retired_at.is_(None) & (cameras.c.state != CameraState.OK)

AddAccount = Callable[[str, str], bool]
RemoveAccount = Callable[[str], bool]
AcceptKey = Callable[[str, str, str, Actor], None]
Greet = Callable[[Connection, str, Actor], None]


class CameraItem(BaseModel):
    """A camera: where it hangs, what it watches, whether it sees."""

    id: str
    device: str
    name: str
    lat: float
    lon: float
    heading_deg: float | None
    fov_deg: float | None
    state: CameraState
    state_since: Utc
    last_seen_at: Utc | None
    online: bool
    zones: list[str]
    grid: GridRef | None
    grids: list[GridStep]
    generated: bool


class BlindCamera(BaseModel):
    """A camera nothing can be said of now: that it shows no alert does not mean all is well."""

    id: str
    name: str
    state: CameraState
    since: Utc


class BlindSpan(BaseModel):
    """A time in which a camera could not be judged by; `until_at` is null while it lasts."""

    camera: str
    state: CameraState
    from_at: Utc
    until_at: Utc | None
    seconds: float


class GapItem(BaseModel):
    """Numbers of a stream that a device had to discard."""

    stream: str
    first: int
    last: int
    why: str
    at: Utc


class DeviceItem(BaseModel):
    """A device: `lag` counts items without a receipt per stream, as it said last.

    `key`: what its evidence is signed with. `waiting_key`: another that it claims now; what is
    signed with that proves nothing until an admin accepts it. `clock_off_s`: how far its clock was
    ahead of ours as `health` came, less its way here; null before the first. `revoked_at`: it was
    taken off the list, and nothing of it is taken; `revoked_because`: why, as whoever did it wrote.
    """

    id: str
    online: bool
    state_since: Utc | None
    agent: str
    model: str
    generated: bool
    enrolled: bool
    revoked_at: Utc | None
    revoked_by: str | None
    revoked_because: str
    lag: dict[str, int]
    gaps: list[GapItem]
    last_seen_at: Utc | None
    health: dict[str, Any]
    health_at: Utc | None
    clock_off_s: float | None
    key: str | None
    waiting_key: str | None


REVOKE = "revoke"
"""The act of taking a device off the list, in the history."""
CAMERA_COLUMNS: Mapping[str, Source] = {
    "id": "id", "device": "device", "name": "name", "state": worded("state", "camera"),
    "state_since": "state_since", "online": "online", "last_seen_at": "last_seen_at",
    "lat": "lat", "lon": "lon", "heading_deg": "heading_deg", "zones": "zones",
    "grid": "grid.code", "grid_name": "grid.name", "generated": "generated",
}  # fmt: skip
DEVICE_COLUMNS = {
    "id": "id", "online": "online", "state_since": "state_since", "agent": "agent",
    "model": "model", "enrolled": "enrolled", "last_seen_at": "last_seen_at", "gaps": "gaps",
    "generated": "generated",
}  # fmt: skip


class Acceptance(Body):
    """A key that a device claims, and why it is believed (the box was replaced)."""

    key: Annotated[str, Field(min_length=1, max_length=64)]
    note: Annotated[str, Field(max_length=500)] = ""


class Revocation(Body):
    """Why a device is taken off the list."""

    note: Annotated[str, Field(min_length=1, max_length=500)]


class Enrolment(Body):
    """A device to put on the list."""

    id: Annotated[str, Field(min_length=3, max_length=64)]


class Enrolled(BaseModel):
    """A device on the list. `password` is shown once; `installed`: the broker knows it already."""

    id: str
    password: str
    installed: bool


def camera_items(
    tx: Connection, places: Places, which: Sequence[str] | None = None
) -> dict[str, CameraItem]:
    """Cameras by id, in the list's order."""
    found = _cameras()
    if which is not None:
        found = found.where(cameras.c.id.in_(which))
    return {row.id: _camera(row, places) for row in tx.execute(found)}


def device_items(tx: Connection, which: Sequence[str]) -> dict[str, DeviceItem]:
    """Devices by id."""
    rows = tx.execute(select(devices).where(devices.c.id.in_(which)).order_by(devices.c.id)).all()
    gaps = devices_store.gaps_of(tx, [row.id for row in rows])
    names = [row.id for row in rows]
    pinned, waiting = device_keys.current(tx, names), device_keys.waiting(tx, names)
    off_list = [row.id for row in rows if row.revoked_at is not None]
    revoked = audit.latest(tx, "device", off_list, REVOKE)
    return {
        row.id: _device(
            row,
            gaps[row.id],
            pinned.get(row.id),
            waiting.get(row.id),
            revoked=revoked.get(row.id),
        )
        for row in rows
    }


def visible(actor: Actor) -> ColumnElement[bool]:
    """The cameras that the actor's posts cover."""
    return within(actor, Right.READ, path=cameras.c.grid_path)


def counts(tx: Connection, mine: ColumnElement[bool]) -> tuple[int, int]:
    """Of `mine`: cameras in use, and those that see."""
    total = tx.execute(
        select(func.count()).select_from(cameras).where(cameras.c.retired_at.is_(None), mine)
    ).scalar_one()
    blind = select(func.count()).select_from(cameras).where(_IS_BLIND, mine)
    return total, total - tx.execute(blind).scalar_one()


def blind_now(tx: Connection, mine: ColumnElement[bool]) -> list[BlindCamera]:
    """Of `mine`: the cameras nothing can be said of, the longest blind first."""
    found = select(cameras).where(_IS_BLIND, mine).order_by(cameras.c.state_since, cameras.c.id)
    return [
        BlindCamera(id=row.id, name=row.name or row.camera, state=row.state, since=row.state_since)
        for row in tx.execute(found.limit(MOST_BLIND))
    ]


def router(
    store: Store,
    places: Places,
    add_account: AddAccount,
    remove_account: RemoveAccount,
    accept_key: AcceptKey,
    greet: Greet,
) -> APIRouter:
    """Cameras and devices.

    `add_account` tells the broker of a new one or its new password, if it can; `remove_account`
    tells everyone that nothing of a device is to be taken. `accept_key(device, key, note, actor)`
    is the evidence's. `greet` has one that spoke before it was on the list say who it is.
    """
    api = APIRouter(prefix="/api", tags=["devices"], responses=ERRORS)

    @api.get("/cameras")
    def list_cameras(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        part: Annotated[Page, Depends(page)],
        state: str | None = None,
        grid: str | None = None,
    ) -> Listing[CameraItem]:
        which: list[ColumnElement[bool]] = [visible(actor)]
        if state is not None:
            which.append(cameras.c.state == state)
        if grid is not None:
            which.append(lies_in(cameras.c.grid_path, grid))
        found = _cameras().where(*which)
        with store.read() as tx:
            total = tx.execute(select(func.count()).select_from(found.subquery())).scalar_one()
            rows = tx.execute(found.limit(part.limit).offset(part.offset)).all()
        return Listing(items=[_camera(row, places) for row in rows], total=total)

    @api.get("/camera-table", response_class=Response, responses=FILES)
    def camera_table(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        form: AskedForm,
        state: str | None = None,
        grid: str | None = None,
    ) -> Response:
        """The list as a table."""
        found = list_cameras(actor, Page(limit=MOST, offset=0), state, grid)
        return sheet("cameras", found.items, CAMERA_COLUMNS, form)

    @api.get("/blind-spans")
    def list_blind_spans(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        part: Annotated[Page, Depends(page)],
        camera: str | None = None,
        from_at: Annotated[AwareDatetime | None, Query(alias="from")] = None,
        until_at: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    ) -> Listing[BlindSpan]:
        mine = select(cameras.c.id).where(visible(actor))
        which: list[ColumnElement[bool]] = []
        if actor.is_limited(Right.READ):
            which.append(blind_spans.c.camera.in_(mine))
        if camera is not None:
            which.append(blind_spans.c.camera == camera)
        if from_at is not None:
            which.append(blind_spans.c.until_at.is_(None) | (blind_spans.c.until_at >= from_at))
        if until_at is not None:
            which.append(blind_spans.c.from_at <= until_at)
        found = select(blind_spans).where(*which)
        with store.read() as tx:
            total = tx.execute(select(func.count()).select_from(found.subquery())).scalar_one()
            newest = found.order_by(blind_spans.c.from_at.desc(), blind_spans.c.id.desc())
            rows = tx.execute(newest.limit(part.limit).offset(part.offset)).all()
        at = now()
        return Listing(items=[_blind_span(row, at) for row in rows], total=total)

    @api.get("/devices")
    def list_devices(
        _actor: Annotated[Actor, Depends(need(Right.READ))],
        part: Annotated[Page, Depends(page)],
        online: bool | None = None,
    ) -> Listing[DeviceItem]:
        found = select(devices.c.id)
        if online is not None:
            found = found.where(devices.c.online == online)
        with store.read() as tx:
            total = tx.execute(select(func.count()).select_from(found.subquery())).scalar_one()
            shown = found.order_by(devices.c.id).limit(part.limit).offset(part.offset)
            items = device_items(tx, tx.execute(shown).scalars().all())
        return Listing(items=list(items.values()), total=total)

    @api.get("/device-table", response_class=Response, responses=FILES)
    def device_table(
        actor: Annotated[Actor, Depends(need(Right.READ))],
        form: AskedForm,
        online: bool | None = None,
    ) -> Response:
        """The list as a table."""
        found = list_devices(actor, Page(limit=MOST, offset=0), online)
        return sheet("devices", found.items, DEVICE_COLUMNS, form)

    def one(device: str) -> DeviceItem:
        with store.read() as tx:
            found = device_items(tx, [device])
        if device not in found:
            raise not_found("device", device)
        return found[device]

    @api.get("/devices/{device}")
    def the_device(device: str, _actor: Annotated[Actor, Depends(need(Right.READ))]) -> DeviceItem:
        return one(device)

    @api.post("/devices/{device}/key")
    def key(
        device: str, wanted: Acceptance, actor: Annotated[Actor, Depends(need(Right.ADMIN))]
    ) -> DeviceItem:
        accept_key(device, wanted.key, wanted.note.strip(), actor)
        return one(device)

    @api.post("/devices/{device}/password")
    def new_password(device: str, actor: Annotated[Actor, Depends(need(Right.ADMIN))]) -> Enrolled:
        """Another password for a device on the list; the old one holds no more."""
        with store.write() as tx:
            known = devices_store.known(tx, [device])
            if device not in known:
                raise not_found("device", device)
            if not known[device].enrolled:
                raise Problem(
                    409,
                    "not_listed",
                    coded("not_listed", "device {device} is not on the list", device=device),
                    coded("enrol_it", "enrol it"),
                )
            _write_down(tx, device, "password", actor)
        password = secrets.token_urlsafe(24)
        return Enrolled(id=device, password=password, installed=add_account(device, password))

    @api.post("/devices/{device}/revoke")
    def revoke(
        device: str,
        wanted: Revocation,
        actor: Annotated[Actor, Depends(need(Right.ADMIN))],
    ) -> DeviceItem:
        """Take a device off the list: what it sends is refused from now on."""
        with store.write() as tx:
            known = devices_store.known(tx, [device])
            if device not in known:
                raise not_found("device", device)
            if known[device].revoked:
                raise Problem(
                    409,
                    "revoked",
                    coded("off_list", "device {device} is off the list", device=device),
                    coded("enrol_first", "enrol it first"),
                )
            at = now()
            events.record(tx, devices_store.revoke(tx, device, at), at)
            _write_down(tx, device, REVOKE, actor, wanted.note.strip())
        remove_account(device)
        return one(device)

    @api.post("/devices", status_code=201)
    def enrol(wanted: Enrolment, actor: Annotated[Actor, Depends(need(Right.ADMIN))]) -> Enrolled:
        try:
            name = check_device_id(wanted.id)
        except BadTopic as fault:
            raise Problem(422, "invalid", str(fault), "a-z 0-9 . _ -") from None
        password = secrets.token_urlsafe(24)
        with store.write() as tx:
            known = devices_store.known(tx, [name])
            if name in known and known[name].enrolled:
                raise Problem(
                    409,
                    "taken",
                    coded("on_list", "device {device} is on the list", device=name),
                    coded("new_id", "a new id"),
                )
            devices_store.enrol(tx, name, now())
            _write_down(tx, name, "enrol", actor)
            greet(tx, name, actor)
        return Enrolled(id=name, password=password, installed=add_account(name, password))

    return api


def _write_down(tx: Connection, device: str, action: str, actor: Actor, note: str = "") -> None:
    act = audit.Entry(now(), actor.name, actor.role, "device", device, action, note=note)
    audit.append(tx, [act])


def _clock_off_s(row: Row[Any], health: dict[str, Any]) -> float | None:
    if row.health_at is None or "ts" not in health:
        return None
    ahead: timedelta = from_ms(health["ts"]) - row.health_at
    return round(ahead.total_seconds(), 1)


def _cameras() -> Any:
    return (
        select(cameras, devices.c.online, devices.c.last_seen_at, devices.c.generated)
        .join(devices, devices.c.id == cameras.c.device)
        .where(cameras.c.retired_at.is_(None))
        .order_by(cameras.c.id)
    )


def _camera(row: Row[Any], places: Places) -> CameraItem:
    return CameraItem(
        id=row.id,
        device=row.device,
        name=row.name or row.camera,
        lat=row.lat,
        lon=row.lon,
        heading_deg=row.heading_deg,
        fov_deg=row.fov_deg,
        state=row.state,
        state_since=row.state_since,
        last_seen_at=row.last_seen_at,
        online=row.online,
        zones=json.loads(row.zones),
        grid=places.ref(row.grid_path),
        grids=places.steps(row.grid_path),
        generated=row.generated,
    )


def _blind_span(row: Row[Any], at: datetime) -> BlindSpan:
    lasted = (row.until_at or at) - row.from_at
    return BlindSpan(
        camera=row.camera,
        state=row.state,
        from_at=row.from_at,
        until_at=row.until_at,
        seconds=max(0.0, round(lasted.total_seconds(), 3)),
    )


def _device(
    row: Row[Any],
    gaps: Sequence[Row[Any]],
    key: str | None,
    waiting_key: str | None,
    *,
    revoked: audit.Entry | None,
) -> DeviceItem:
    health = json.loads(row.health)
    return DeviceItem(
        id=row.id,
        online=row.online,
        state_since=row.state_since,
        agent=row.agent,
        model=row.model,
        generated=row.generated,
        enrolled=row.enrolled_at is not None,
        revoked_at=row.revoked_at,
        revoked_by=revoked.actor if revoked else None,
        revoked_because=revoked.note if revoked else "",
        lag=health.get("outbox_depth", {}),
        gaps=[
            GapItem(stream=g.stream, first=g.first, last=g.last, why=g.why, at=g.at) for g in gaps
        ],
        last_seen_at=row.last_seen_at,
        health=health,
        health_at=row.health_at,
        clock_off_s=_clock_off_s(row, health),
        key=key,
        waiting_key=waiting_key,
    )
