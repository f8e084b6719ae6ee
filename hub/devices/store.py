"""Devices, their cameras, blind time and gaps in the database."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.devices.device import Device, is_blind, is_newer
from hub.events import Change
from hub.inbox import Received
from hub.store import GridPath, Instant, from_ms, insert_new, metadata, upsert
from wire.status import Birth, CameraState, Gap, Health, State

devices = Table(
    "devices",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("enrolled_at", Instant),
    Column("first_seen_at", Instant),
    Column("last_seen_at", Instant),
    Column("online", Boolean, nullable=False),
    Column("state_since", Instant),
    Column("epoch", String(16), nullable=False),
    Column("session", BigInteger, nullable=False),
    Column("agent", String(200), nullable=False),
    Column("model", String(200), nullable=False),
    Column("config_rev", String(200), nullable=False),
    Column("generated", Boolean, nullable=False),
    Column("health", Text, nullable=False),
    Column("revoked_at", Instant),
    Column("health_at", Instant),
)
cameras = Table(
    "cameras",
    metadata,
    Column("id", String(140), primary_key=True),
    Column("device", String(64), nullable=False, index=True),
    Column("camera", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
    Column("heading_deg", Float),
    Column("fov_deg", Float),
    Column("zones", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("state_since", Instant, nullable=False),
    Column("grid_path", GridPath, nullable=False),
    Column("retired_at", Instant),
)
blind_spans = Table(
    "blind_spans",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("camera", String(140), nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("from_at", Instant, nullable=False),
    Column("until_at", Instant),
)
gaps = Table(
    "gaps",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device", String(64), nullable=False),
    Column("epoch", String(16), nullable=False),
    Column("stream", String(64), nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("why", String(200), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_gaps_device", "device", "at"),
)

Locate = Callable[[Sequence[tuple[float, float]]], Sequence[tuple[str, ...]]]

_NEW: dict[str, object] = {
    "online": False,
    "epoch": "",
    "session": -1,
    "agent": "",
    "model": "",
    "config_rev": "",
    "generated": False,
    "health": "{}",
}


_BY_ID = select(devices).where(devices.c.id.in_(bindparam("ids", expanding=True)))
_NAMES = select(cameras.c.id, cameras.c.name).where(
    cameras.c.id.in_(bindparam("ids", expanding=True))
)


def known(tx: Connection, ids: Collection[str]) -> dict[str, Device]:
    """The devices of these ids that are in the list."""
    return {row.id: _device(row) for row in tx.execute(_BY_ID, {"ids": list(ids)})}


def admit(
    tx: Connection, ids: Iterable[str], at: datetime, *, open_to_all: bool
) -> dict[str, Device]:
    """The devices whose messages are taken; an unknown one is added where all may come.

    Marks each as seen at `at`.
    """
    names = set(ids)
    here = known(tx, names)
    if open_to_all and (missing := names - here.keys()):
        rows = [{"id": name, "first_seen_at": at, "last_seen_at": at, **_NEW} for name in missing]
        insert_new(tx, devices, rows, ["id"])
        here |= known(tx, missing)
    taken = {
        name: device
        for name, device in here.items()
        if (open_to_all or device.enrolled) and not device.revoked
    }
    if taken:
        seen_before = devices.c.last_seen_at.is_(None) | (devices.c.last_seen_at < at)
        heard = devices.c.id.in_(taken) & seen_before
        tx.execute(update(devices).where(heard).values(last_seen_at=at))
    return taken


def enrol(tx: Connection, name: str, at: datetime) -> None:
    """Put a device on the list."""
    insert_new(tx, devices, [{"id": name, **_NEW}], ["id"])
    on_list = {"enrolled_at": at, "revoked_at": None}
    tx.execute(update(devices).where(devices.c.id == name).values(on_list))


def revoke(tx: Connection, name: str, at: datetime) -> list[Change]:
    """Take a device off the list. Nothing of it is heard from now on: what it watched is unseen."""
    off_list = {"enrolled_at": None, "revoked_at": at}
    tx.execute(update(devices).where(devices.c.id == name).values(off_list))
    return _lose(tx, name, at) if known(tx, [name])[name].online else []


def camera_names(tx: Connection, ids: Collection[str]) -> dict[str, str]:
    """Names of cameras by DEVICE/CAMERA."""
    return {row.id: row.name for row in tx.execute(_NAMES, {"ids": list(ids)})}


def take_state(tx: Connection, received: Received[State]) -> list[Change]:
    """Online or offline, unless the word is an old one."""
    state, at = received.message, received.received_at
    device = known(tx, [received.dev])[received.dev]
    if not is_newer(state, device):
        return []
    values: dict[str, object] = {"epoch": state.epoch, "session": state.session}
    if state.online != device.online or device.state_since is None:
        values |= {"online": state.online, "state_since": at}
    tx.execute(update(devices).where(devices.c.id == received.dev).values(values))
    changes = [Change("device", received.dev)]
    if not state.online:
        changes += _set_cameras(tx, received.dev, CameraState.UNREACHABLE, at)
    elif not device.online:
        changes += _set_cameras(tx, received.dev, CameraState.STARTING, at)
    return changes


def silence(tx: Connection, before: datetime, at: datetime) -> list[Change]:
    """Devices not heard of since `before` are offline, whatever their last word was."""
    quiet = devices.c.online & (devices.c.last_seen_at < before)
    changes = []
    for name in tx.execute(select(devices.c.id).where(quiet)).scalars().all():
        changes += _lose(tx, name, at)
    return changes


def _lose(tx: Connection, name: str, at: datetime) -> list[Change]:
    tx.execute(update(devices).where(devices.c.id == name).values(online=False, state_since=at))
    return [Change("device", name), *_set_cameras(tx, name, CameraState.UNREACHABLE, at)]


def take_birth(tx: Connection, received: Received[Birth], locate: Locate) -> list[Change]:
    """What the device is now; its cameras not named any more are retired."""
    birth, at = received.message, received.received_at
    device = known(tx, [received.dev])[received.dev]
    if birth.epoch == device.epoch and birth.session < device.session:
        return []
    came_back = {} if device.online else {"online": True, "state_since": at}
    tx.execute(
        update(devices)
        .where(devices.c.id == received.dev)
        .values(
            epoch=birth.epoch,
            session=birth.session,
            agent=birth.agent,
            model=birth.model,
            config_rev=birth.config_rev,
            generated=birth.generated,
            **came_back,
        )
    )
    paths = locate([(camera.lat, camera.lon) for camera in birth.cameras])
    rows = [
        {
            "id": f"{received.dev}/{camera.id}",
            "device": received.dev,
            "camera": camera.id,
            "name": camera.name,
            "lat": camera.lat,
            "lon": camera.lon,
            "heading_deg": camera.heading_deg,
            "fov_deg": camera.fov_deg,
            "zones": msgspec.json.encode(camera.zones).decode(),
            "state": CameraState.STARTING.value,
            "state_since": at,
            "grid_path": path,
            "retired_at": None,
        }
        for camera, path in zip(birth.cameras, paths, strict=True)
    ]
    steady = ("name", "lat", "lon", "heading_deg", "fov_deg", "zones", "grid_path", "retired_at")
    before = _cameras_of(tx, received.dev)
    upsert(tx, cameras, rows, ["id"], steady)
    ids = {str(row["id"]) for row in rows}
    gone = before.keys() - ids
    if gone:
        tx.execute(update(cameras).where(cameras.c.id.in_(gone)).values(retired_at=at))
        _end_blind(tx, gone, at)
    for new in ids - before.keys():
        _begin_blind(tx, new, CameraState.STARTING, at)
    changed = [Change("camera", each) for each in sorted(ids | gone)]
    return [Change("device", received.dev), *changed]


def take_health(tx: Connection, received: Received[Health]) -> list[Change]:
    """How the device is; a camera's change of state begins or ends its blind time."""
    health, at = received.message, received.received_at
    said: dict[str, object] = {"health": msgspec.json.encode(health).decode(), "health_at": at}
    if health.model is not None:  # since its birth it may have got another
        said["model"] = f"{health.model.name} {health.model.version}".strip()[:64]
    tx.execute(update(devices).where(devices.c.id == received.dev).values(said))
    device = known(tx, [received.dev])[received.dev]
    if not device.online:  # it was taken for lost, but speaks
        back = update(devices).where(devices.c.id == received.dev)
        tx.execute(back.values(online=True, state_since=at))
    before = _cameras_of(tx, received.dev)
    changes = [Change("device", received.dev)]
    for camera in health.cameras:
        name = f"{received.dev}/{camera.id}"
        if name in before and before[name] != camera.state:
            since = min(from_ms(camera.since), at)
            changes += _set_camera(tx, name, before[name], camera.state, since)
    return changes


def take_gap(tx: Connection, received: Received[Gap]) -> list[Change]:
    """What the device had to discard."""
    gap = received.message
    tx.execute(
        gaps.insert().values(
            device=received.dev,
            epoch=gap.epoch,
            stream=gap.stream,
            first=gap.first,
            last=gap.last,
            why=gap.why,
            at=received.received_at,
        )
    )
    return [Change("device", received.dev)]


def move_cameras(tx: Connection, locate: Locate) -> None:
    """Find the grids of all cameras again, after the grids have changed."""
    rows = tx.execute(select(cameras.c.id, cameras.c.lat, cameras.c.lon)).all()
    paths = locate([(row.lat, row.lon) for row in rows])
    if rows:
        tx.execute(
            update(cameras).where(cameras.c.id == bindparam("key")),
            [{"key": row.id, "grid_path": path} for row, path in zip(rows, paths, strict=True)],
        )


def gaps_of(tx: Connection, ids: Collection[str], each: int = 20) -> dict[str, list[Row[Any]]]:
    """The newest gaps of each device."""
    found: dict[str, list[Row[Any]]] = {name: [] for name in ids}
    newest = select(gaps).where(gaps.c.device.in_(ids)).order_by(gaps.c.at.desc())
    for row in tx.execute(newest.limit(each * max(1, len(found)))):
        if len(found[row.device]) < each:
            found[row.device].append(row)
    return found


def _device(row: Row[tuple[object, ...]]) -> Device:
    return Device(
        id=row.id,
        enrolled=row.enrolled_at is not None,
        revoked=row.revoked_at is not None,
        online=row.online,
        state_since=row.state_since,
        epoch=row.epoch,
        session=row.session,
        generated=row.generated,
    )


def _cameras_of(tx: Connection, device: str) -> dict[str, str]:
    found = select(cameras.c.id, cameras.c.state).where(
        cameras.c.device == device, cameras.c.retired_at.is_(None)
    )
    return {row.id: row.state for row in tx.execute(found)}


def _set_cameras(tx: Connection, device: str, state: CameraState, at: datetime) -> list[Change]:
    changes = []
    for name, before in _cameras_of(tx, device).items():
        if before != state:
            changes += _set_camera(tx, name, before, state, at)
    return changes


def _set_camera(
    tx: Connection, name: str, before: str, state: CameraState, at: datetime
) -> list[Change]:
    tx.execute(update(cameras).where(cameras.c.id == name).values(state=state, state_since=at))
    if is_blind(before):
        _end_blind(tx, [name], at)
    if is_blind(state):
        _begin_blind(tx, name, state, at)
    return [Change("camera", name)]


def _begin_blind(tx: Connection, camera: str, state: CameraState, at: datetime) -> None:
    tx.execute(blind_spans.insert().values(camera=camera, state=state.value, from_at=at))


def _end_blind(tx: Connection, names: Collection[str], at: datetime) -> None:
    is_open = blind_spans.c.camera.in_(names) & blind_spans.c.until_at.is_(None)
    tx.execute(update(blind_spans).where(is_open).values(until_at=at))
