"""Vehicles and their fixes in the database.

Fixes are kept as they came, a batch a row: a row a fix would cost ten times as much. The seqs of
one vehicle's rows never overlap, so that a fix is stored once however it is batched again.

`vehicles.heard` counts the transactions that stored fixes of a vehicle and numbers their rows
(`arrival`); `judged` is the newest of them that its rules have seen, and `unjudged_ms` the earliest
fix of those after it. They move together with the fixes, so nothing is judged twice or never.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    bindparam,
    delete,
    func,
    select,
    type_coerce,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.events import Change
from hub.inbox import Received, Refusal, replayed
from hub.positions import Position
from hub.roles import Spot
from hub.store import (
    GridPath,
    Instant,
    in_parts,
    insert_new,
    metadata,
    path_of,
    path_text,
    put,
    to_ms,
    upsert,
)
from wire.codec import Code, Refused
from wire.coded import coded
from wire.status import Birth
from wire.track import Track, TrackPoint

MAX_AHEAD = timedelta(hours=24)
CLOCK_TOLERANCE = timedelta(minutes=2)
PHONE, PHONES = "patrol_phone", "@phone"
"""Kind and device of what people carry on patrol; no device can have this name."""

vehicles = Table(
    "vehicles",
    metadata,
    Column("id", String(140), primary_key=True),
    Column("device", String(64), nullable=False, index=True),
    Column("vehicle", String(64), nullable=False),
    Column("plate", String(200), nullable=False, server_default=""),
    Column("kind", String(64), nullable=False, server_default=""),
    Column("epoch", String(16), nullable=False, server_default=""),
    Column("top", BigInteger, nullable=False, server_default="-1"),
    Column("at", Instant),
    Column("lat", Float),
    Column("lon", Float),
    Column("speed_kmh", Float),
    Column("heading_deg", Float),
    Column("body", Integer, nullable=False, server_default="0"),
    Column("alarm", BigInteger, nullable=False, server_default="0"),
    Column("grid_path", GridPath, nullable=False, server_default="\n"),
    Column("updated_at", Instant, nullable=False, index=True),
    Column("retired_at", Instant),
    Column("heard", BigInteger, nullable=False, server_default="0"),
    Column("judged", BigInteger, nullable=False, server_default="0"),
    Column("unjudged_ms", BigInteger),
)
Index(
    "ix_vehicles_unjudged",
    vehicles.c.unjudged_ms,
    sqlite_where=vehicles.c.unjudged_ms.is_not(None),
    postgresql_where=vehicles.c.unjudged_ms.is_not(None),
)
IS_VEHICLE = vehicles.c.kind != PHONE
"""The rows that are vehicles: where a person went on patrol is shown to few, by `hub.patrol`."""
batches = Table(
    "track_batches",
    metadata,
    Column("device", String(64), primary_key=True),
    Column("epoch", String(16), primary_key=True),
    Column("vehicle", String(140), primary_key=True),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("hist", Boolean, nullable=False),
    Column("fixes", LargeBinary, nullable=False),
    Column("arrival", BigInteger, nullable=False, server_default="0"),
    Index("ix_track_batches_time", "vehicle", "until_ms"),
)
crossings = Table(
    "crossings",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("vehicle", String(140), nullable=False),
    Column("grid", String(64), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_crossings_vehicle", "vehicle", "at"),
    Index("ix_crossings_grid", "grid", "at"),
)

Lane = tuple[str, str, str]
_encode = msgspec.json.Encoder().encode
decode_fixes = msgspec.json.Decoder(list[TrackPoint]).decode

# Built once: these run for every gathered batch.
_IDS = vehicles.c.id.in_(bindparam("ids", expanding=True))
_KNOWN = (
    select(
        *(
            vehicles.c[name]
            for name in ("id", "epoch", "top", "at", "grid_path", "heard", "unjudged_ms")
        )
    )
    .where(_IDS)
    .order_by(vehicles.c.id)
    .with_for_update()
)
_PLATES = select(vehicles.c.id, vehicles.c.plate).where(_IDS)


@dataclass(frozen=True)
class Vehicle:
    """What is known of a vehicle before new fixes: `top` is the highest seq stored of `epoch`.

    `fix` is its last position and `path` its grids there; None before the first.
    """

    id: str
    epoch: str = ""
    top: int = -1
    at_ms: int = -1
    path: tuple[str, ...] = ()
    heard: int = 0
    unjudged_ms: int | None = None


@dataclass(frozen=True)
class Run:
    """Fixes of one vehicle stored for the first time, in ascending order of seq."""

    received: Received[Track]
    vehicle: str
    fixes: list[TrackPoint]


@dataclass
class Kept:
    """What became of track messages: new runs of fixes; numbers stored, and refused for good."""

    runs: list[Run] = field(default_factory=list)
    stored: list[tuple[Received[Track], list[int]]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    tops: dict[str, tuple[str, int]] = field(default_factory=dict)


def vehicle_id(device: str, vehicle: str) -> str:
    """A vehicle's id: two devices cannot speak for the same one."""
    return f"{device}/{vehicle}"


def known_vehicles(tx: Connection, arrived: Sequence[Received[Track]]) -> dict[str, Vehicle]:
    """The vehicles that messages speak of, kept from other members until the transaction ends."""
    speakers = {vehicle_id(each.dev, each.message.vehicle): each for each in arrived}
    names = sorted(speakers)
    if tx.dialect.name != "sqlite":
        fresh = [_fresh(name, speakers[name]) for name in names]
        insert_new(tx, vehicles, fresh, ["id"])
    known = {name: Vehicle(name) for name in names}
    for part in in_parts(names):
        for row in tx.execute(_KNOWN, {"ids": part}):
            at_ms = -1 if row.at is None else to_ms(row.at)
            known[row.id] = Vehicle(
                row.id, row.epoch, row.top, at_ms, row.grid_path, row.heard, row.unjudged_ms
            )
    return known


def _fresh(name: str, each: Received[Track]) -> dict[str, object]:
    return {
        "id": name,
        "device": each.dev,
        "vehicle": each.message.vehicle,
        "updated_at": each.received_at,
    }


def keep(tx: Connection, arrived: Sequence[Received[Track]], known: Mapping[str, Vehicle]) -> Kept:
    """Store the fixes that are not here yet."""
    kept = Kept(tops={name: (vehicle.epoch, vehicle.top) for name, vehicle in known.items()})
    pending: dict[Lane, list[Run]] = {}
    for each in arrived:
        fixes = _credible(each, kept.refused)
        if not fixes:
            continue
        message = each.message
        lane = (each.dev, message.epoch, vehicle_id(each.dev, message.vehicle))
        epoch, top = kept.tops[lane[2]]
        runs, stored = [fixes], [fix.seq for fix in fixes]
        if not epoch:  # never heard before
            epoch = message.epoch
        if epoch != message.epoch or fixes[0].seq <= top:
            changed: set[int] = set()
            runs = _unknown(tx, lane, fixes, pending.get(lane, ()), changed)
            kept.refused += [Refusal(each, replayed("track", seq), seq) for seq in sorted(changed)]
            stored = [seq for seq in stored if seq not in changed]
        kept.stored.append((each, stored))
        new = [Run(each, lane[2], run) for run in runs]
        kept.runs += new
        pending.setdefault(lane, []).extend(new)
        if new and epoch != message.epoch:
            epoch, top = message.epoch, _highest(tx, lane)
        if epoch == message.epoch:
            kept.tops[lane[2]] = (epoch, max(top, fixes[-1].seq))
    put(tx, batches, _BATCH, [_batch(run, known[run.vehicle].heard + 1) for run in kept.runs])
    return kept


def move(
    tx: Connection,
    kept: Kept,
    moved: Mapping[str, tuple[TrackPoint, tuple[str, ...]]],
    known: Mapping[str, Vehicle],
) -> None:
    """Set the tops of the vehicles that were heard, and the positions of those that `moved`."""
    heard = {run.vehicle: run for run in kept.runs}
    unjudged = _unjudged(kept.runs, known)
    with_place, without = [], []
    for name, run in heard.items():
        received = run.received
        epoch, top = kept.tops[name]
        at_ms = to_ms(received.received_at)
        count = (known[name].heard + 1, unjudged[name])
        row = (name, received.dev, received.message.vehicle, epoch, top, at_ms, *count)
        if name in moved:
            fix, path = moved[name]
            place = (fix.ts, fix.lat, fix.lon, fix.speed_kmh, fix.heading_deg)
            with_place.append((*row, *place, fix.body, fix.alarm, path_text(path)))
        else:
            without.append(row)
    put(tx, vehicles, _HEARD, without, ("id",))
    put(tx, vehicles, (*_HEARD, *_PLACE), with_place, ("id",))


def _unjudged(runs: Iterable[Run], known: Mapping[str, Vehicle]) -> dict[str, int]:
    """The earliest fix of each vehicle that its rules have not seen."""
    earliest: dict[str, int] = {}
    for run in runs:
        first = min(fix.ts for fix in run.fixes)
        before = earliest.get(run.vehicle, known[run.vehicle].unjudged_ms)
        earliest[run.vehicle] = first if before is None else min(first, before)
    return earliest


def cross(tx: Connection, rows: Sequence[tuple[str, str, str, int]]) -> None:
    """Store crossings: (vehicle, grid code, enter or exit, ms UTC)."""
    put(tx, crossings, ("vehicle", "grid", "kind", "at"), rows)


def take_birth(tx: Connection, received: Received[Birth]) -> list[Change]:
    """The vehicles of a device; those it does not name any more are retired (not by `more`)."""
    rows = [
        {
            "id": vehicle_id(received.dev, vehicle.id),
            "device": received.dev,
            "vehicle": vehicle.id,
            "plate": vehicle.plate,
            "kind": vehicle.kind,
            "updated_at": received.received_at,
            "retired_at": None,
        }
        for vehicle in received.message.vehicles
    ]
    upsert(tx, vehicles, rows, ["id"], ("plate", "kind", "updated_at", "retired_at"))
    named = [row["id"] for row in rows]
    if rows and not received.message.more:
        here = (vehicles.c.device == received.dev) & vehicles.c.id.not_in(named)
        tx.execute(
            update(vehicles)
            .where(here, vehicles.c.retired_at.is_(None))
            .values(retired_at=received.received_at)
        )
    return [Change("vehicle", str(name)) for name in named]


def plates(tx: Connection, ids: Collection[str]) -> dict[str, str]:
    """Number plates of vehicles by id."""
    return {row.id: row.plate for row in tx.execute(_PLATES, {"ids": list(ids)})}


_MOVED = select(
    vehicles.c.id, type_coerce(vehicles.c.at, BigInteger), vehicles.c.lat, vehicles.c.lon,
    vehicles.c.speed_kmh, vehicles.c.heading_deg, type_coerce(vehicles.c.grid_path, String),
    vehicles.c.plate, vehicles.c.kind, vehicles.c.body, vehicles.c.alarm,
).where(
    vehicles.c.updated_at >= bindparam("since", type_=Instant), vehicles.c.at.is_not(None),
    IS_VEHICLE,
)  # fmt: skip


def moved_since(tx: Connection, since: datetime) -> list[Position]:
    """Where the vehicles are that were heard of since then."""
    paths: dict[str, Spot] = {}
    moved = []
    for name, at_ms, lat, lon, speed, heading, path, *rest in tx.execute(_MOVED, {"since": since}):
        spot = paths.get(path) or paths.setdefault(path, Spot(path_of(path)))
        row = name, at_ms, round(lat, 6), round(lon, 6), speed, heading
        moved.append(Position(row, spot, (path, *rest)))
    return moved


def fixes_between(
    tx: Connection, vehicle: str, from_at: datetime, until_at: datetime
) -> list[TrackPoint]:
    """A vehicle's fixes of a span, in order of time whatever the order they came in."""
    first, last = to_ms(from_at), to_ms(until_at)
    found = select(batches.c.fixes).where(
        batches.c.vehicle == vehicle,
        batches.c.until_ms >= first,
        batches.c.from_ms <= last,
    )
    fixes = [
        fix
        for body in tx.execute(found).scalars()
        for fix in decode_fixes(body)
        if first <= fix.ts <= last
    ]
    return sorted(fixes, key=lambda fix: (fix.ts, fix.seq))


def forget_old(tx: Connection, before: datetime) -> None:
    """Delete fixes older than the retention."""
    tx.execute(delete(batches).where(batches.c.until_ms < to_ms(before)))
    tx.execute(delete(crossings).where(crossings.c.at < before))


_LANE = ("device", "epoch", "vehicle")
_BATCH = (*_LANE, "first", "last", "from_ms", "until_ms", "received_ms", "hist", "fixes", "arrival")
_HEARD = ("id", "device", "vehicle", "epoch", "top", "updated_at", "heard", "unjudged_ms")
_PLACE = ("at", "lat", "lon", "speed_kmh", "heading_deg", "body", "alarm", "grid_path")


def _credible(each: Received[Track], refused: list[Refusal]) -> list[TrackPoint]:
    fixes = each.message.fixes
    if fixes[0].seq != each.message.seq or any(a.seq >= b.seq for a, b in pairwise(fixes)):
        fault = Refused(
            Code.SCHEMA,
            coded("fixes_in_order", "track: fixes must ascend in seq, from the envelope's seq on"),
        )
        refused.extend(Refusal(each, fault, fix.seq) for fix in fixes)
        return []
    latest = to_ms(each.received_at + MAX_AHEAD)
    if all(fix.ts <= latest for fix in fixes):
        return fixes
    for fix in fixes:
        if fix.ts > latest:
            text = "track: fix {seq} is more than 24 h ahead of the hub"
            fault = Refused(Code.TIME, coded("fix_ahead", text, seq=fix.seq))
            refused.append(Refusal(each, fault, fix.seq))
    return [fix for fix in fixes if fix.ts <= latest]


def _unknown(
    tx: Connection,
    lane: Lane,
    fixes: list[TrackPoint],
    pending: Iterable[Run],
    changed: set[int],
) -> list[list[TrackPoint]]:
    """The runs of `fixes` between those that are stored already; notes those that differ."""
    stored = {fix.seq: fix for fix in _overlapping(tx, lane, fixes[0].seq, fixes[-1].seq)}
    stored |= {fix.seq: fix for run in pending for fix in run.fixes}
    runs: list[list[TrackPoint]] = [[]]
    for fix in fixes:
        known = stored.get(fix.seq)
        if known is None:
            runs[-1].append(fix)
            continue
        runs.append([])
        if known != fix:
            changed.add(fix.seq)
    return [run for run in runs if run]


def _overlapping(tx: Connection, lane: Lane, first: int, last: int) -> list[TrackPoint]:
    here = [batches.c[name] == value for name, value in zip(_LANE, lane, strict=True)]
    inside = select(batches.c.fixes).where(*here, batches.c.first.between(first, last))
    before = select(batches.c.fixes).where(*here, batches.c.first < first)
    bodies = [
        *tx.execute(inside).scalars(),
        *tx.execute(before.order_by(batches.c.first.desc()).limit(1)).scalars(),
    ]
    return [fix for body in bodies for fix in decode_fixes(body)]


def _highest(tx: Connection, lane: Lane) -> int:
    here = [batches.c[name] == value for name, value in zip(_LANE, lane, strict=True)]
    highest = tx.execute(select(func.max(batches.c.last)).where(*here)).scalar()
    return -1 if highest is None else highest


def _batch(run: Run, arrival: int) -> tuple[object, ...]:
    fixes, received = run.fixes, run.received
    times = [fix.ts for fix in fixes]
    message = received.message
    return (
        message.dev,
        message.epoch,
        run.vehicle,
        fixes[0].seq,
        fixes[-1].seq,
        min(times),
        max(times),
        to_ms(received.received_at),
        message.hist,
        _encode(fixes),
        arrival,
    )


def relocate(tx: Connection, located: Sequence[tuple[str, tuple[str, ...]]]) -> None:
    """Set the grids of vehicles, after the grids have changed."""
    if located:
        tx.execute(
            update(vehicles).where(vehicles.c.id == bindparam("key")),
            [{"key": name, "grid_path": path} for name, path in located],
        )


def placed(tx: Connection) -> Sequence[Row[Any, Any, Any]]:
    """All vehicles with a position: (id, lat, lon)."""
    columns = select(vehicles.c.id, vehicles.c.lat, vehicles.c.lon)
    return tx.execute(columns.where(vehicles.c.lat.is_not(None))).all()
