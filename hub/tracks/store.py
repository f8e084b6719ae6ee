"""Vehicles and their fixes in the database.

Fixes are kept as they came, a batch a row: a row a fix would cost ten times as much. The seqs of
one vehicle's rows never overlap, so that a fix is stored once however it is batched again.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

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
    select,
    tuple_,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.events import Change
from hub.inbox import Received, Refusal
from hub.store import GridPath, Instant, from_ms, insert_new, metadata, to_ms, upsert
from wire.codec import Code, Refused
from wire.status import Birth
from wire.track import VALID, Track, TrackPoint

MAX_AHEAD = timedelta(hours=24)
CLOCK_TOLERANCE = timedelta(minutes=2)
KEYS_A_QUERY = 5000

vehicles = Table(
    "vehicles",
    metadata,
    Column("id", String(140), primary_key=True),
    Column("device", String(64), nullable=False, index=True),
    Column("vehicle", String(64), nullable=False),
    Column("plate", String(200), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("at", Instant),
    Column("lat", Float),
    Column("lon", Float),
    Column("speed_kmh", Float),
    Column("heading_deg", Float),
    Column("grid_path", GridPath, nullable=False),
    Column("updated_at", Instant, nullable=False, index=True),
    Column("retired_at", Instant),
)
batches = Table(
    "track_batches",
    metadata,
    Column("device", String(64), primary_key=True),
    Column("epoch", String(16), primary_key=True),
    Column("vehicle", String(140), primary_key=True),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("from_at", Instant, nullable=False),
    Column("until_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("hist", Boolean, nullable=False),
    Column("fixes", LargeBinary, nullable=False),
    Index("ix_track_batches_time", "vehicle", "until_at"),
)
tops = Table(
    "track_tops",
    metadata,
    Column("device", String(64), primary_key=True),
    Column("epoch", String(16), primary_key=True),
    Column("vehicle", String(140), primary_key=True),
    Column("top", BigInteger, nullable=False),
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
_decode = msgspec.json.Decoder(list[TrackPoint]).decode


@dataclass(frozen=True)
class Position:
    """Where a vehicle was last; `path` is its grids."""

    id: str
    at: datetime | None
    path: tuple[str, ...]


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


def vehicle_id(device: str, vehicle: str) -> str:
    """A vehicle's id: two devices cannot speak for the same one."""
    return f"{device}/{vehicle}"


def keep(tx: Connection, arrived: Sequence[Received[Track]]) -> Kept:
    """Store the fixes that are not here yet."""
    known = _tops(tx, {_lane(each.message) for each in arrived})
    kept = Kept()
    pending: dict[Lane, list[Run]] = {}
    for each in arrived:
        lane = _lane(each.message)
        fixes = _credible(each, kept.refused)
        if not fixes:
            continue
        runs, stored = [fixes], [fix.seq for fix in fixes]
        if fixes[0].seq <= known[lane]:
            changed: set[int] = set()
            runs = _unknown(tx, lane, fixes, pending.get(lane, ()), changed)
            kept.refused += [Refusal(each, _replayed(seq), seq) for seq in sorted(changed)]
            stored = [seq for seq in stored if seq not in changed]
        kept.stored.append((each, stored))
        new = [Run(each, lane[2], run) for run in runs]
        kept.runs += new
        pending.setdefault(lane, []).extend(new)
        known[lane] = max(known[lane], fixes[-1].seq)
    if kept.runs:
        tx.execute(batches.insert(), [_batch(run) for run in kept.runs])
        upsert(
            tx,
            tops,
            [dict(zip(_LANE, lane, strict=True), top=known[lane]) for lane in sorted(pending)],
            _LANE,
        )
    return kept


def positions(tx: Connection, ids: Collection[str]) -> dict[str, Position]:
    """Last positions of the vehicles that are known."""
    columns = select(vehicles.c.id, vehicles.c.at, vehicles.c.grid_path)
    wanted = list(ids)
    found = {}
    for start in range(0, len(wanted), KEYS_A_QUERY):
        part = columns.where(vehicles.c.id.in_(wanted[start : start + KEYS_A_QUERY]))
        found |= {row.id: Position(row.id, row.at, row.grid_path) for row in tx.execute(part)}
    return found


def credible_at(fix: TrackPoint, received_at: datetime) -> datetime:
    """When a fix was taken; a clock ahead of ours is not believed."""
    at = from_ms(fix.ts)
    return at if at <= received_at + CLOCK_TOLERANCE else received_at


def newest(run: Run) -> TrackPoint | None:
    """The latest fix of a run that the receiver vouches for."""
    valid = [fix for fix in run.fixes if fix.flags & VALID]
    return max(valid, key=lambda fix: fix.ts, default=None)


def move(tx: Connection, moved: Iterable[tuple[Run, TrackPoint, tuple[str, ...]]]) -> None:
    """Set last positions: (run, its newest fix, the grids there). The caller has compared times."""
    rows = [
        {
            "id": run.vehicle,
            "device": run.received.dev,
            "vehicle": run.received.message.vehicle,
            "plate": "",
            "kind": "",
            "at": credible_at(fix, run.received.received_at),
            "lat": fix.lat,
            "lon": fix.lon,
            "speed_kmh": fix.speed_kmh,
            "heading_deg": fix.heading_deg,
            "grid_path": path,
            "updated_at": run.received.received_at,
        }
        for run, fix, path in moved
    ]
    place = ("at", "lat", "lon", "speed_kmh", "heading_deg", "grid_path", "updated_at")
    upsert(tx, vehicles, rows, ["id"], place)


def cross(tx: Connection, rows: Sequence[tuple[str, str, str, datetime]]) -> None:
    """Store crossings: (vehicle, grid code, enter or exit, at)."""
    names = ("vehicle", "grid", "kind", "at")
    if rows:
        tx.execute(crossings.insert(), [dict(zip(names, row, strict=True)) for row in rows])


def take_birth(tx: Connection, received: Received[Birth]) -> list[Change]:
    """The vehicles of a device; those it does not name any more are retired."""
    rows = [
        {
            "id": vehicle_id(received.dev, vehicle.id),
            "device": received.dev,
            "vehicle": vehicle.id,
            "plate": vehicle.plate,
            "kind": vehicle.kind,
            "grid_path": (),
            "updated_at": received.received_at,
            "retired_at": None,
        }
        for vehicle in received.message.vehicles
    ]
    upsert(tx, vehicles, rows, ["id"], ("plate", "kind", "updated_at", "retired_at"))
    named = [row["id"] for row in rows]
    if rows:
        here = (vehicles.c.device == received.dev) & vehicles.c.id.not_in(named)
        tx.execute(
            update(vehicles)
            .where(here, vehicles.c.retired_at.is_(None))
            .values(retired_at=received.received_at)
        )
    return [Change("vehicle", str(name)) for name in named]


def plates(tx: Connection, ids: Collection[str]) -> dict[str, str]:
    """Number plates of vehicles by id."""
    found = select(vehicles.c.id, vehicles.c.plate).where(vehicles.c.id.in_(ids))
    return {row.id: row.plate for row in tx.execute(found)}


def moved_since(tx: Connection, since: datetime) -> list[Change]:
    """The vehicles heard of since then."""
    found = select(vehicles.c.id).where(vehicles.c.updated_at >= since)
    return [Change("vehicle", name) for name in tx.execute(found).scalars()]


def fixes_between(
    tx: Connection, vehicle: str, from_at: datetime, until_at: datetime
) -> list[TrackPoint]:
    """A vehicle's fixes of a span, in order of time whatever the order they came in."""
    found = select(batches.c.fixes).where(
        batches.c.vehicle == vehicle,
        batches.c.until_at >= from_at,
        batches.c.from_at <= until_at,
    )
    first, last = to_ms(from_at), to_ms(until_at)
    fixes = [
        fix
        for body in tx.execute(found).scalars()
        for fix in _decode(body)
        if first <= fix.ts <= last
    ]
    return sorted(fixes, key=lambda fix: (fix.ts, fix.seq))


def forget_old(tx: Connection, before: datetime) -> None:
    """Delete fixes older than the retention."""
    tx.execute(delete(batches).where(batches.c.until_at < before))
    tx.execute(delete(crossings).where(crossings.c.at < before))


_LANE = ("device", "epoch", "vehicle")


def _lane(track: Track) -> Lane:
    return track.dev, track.epoch, vehicle_id(track.dev, track.vehicle)


def _tops(tx: Connection, lanes: Collection[Lane]) -> dict[Lane, int]:
    columns = [tops.c[name] for name in _LANE]
    ordered = sorted(lanes)
    if tx.dialect.name != "sqlite":  # another member may hold messages of the same vehicle
        insert_new(
            tx, tops, [dict(zip(_LANE, lane, strict=True), top=-1) for lane in ordered], _LANE
        )
    known = dict.fromkeys(ordered, -1)
    for start in range(0, len(ordered), KEYS_A_QUERY):
        part = ordered[start : start + KEYS_A_QUERY]
        wanted = select(*columns, tops.c.top).where(tuple_(*columns).in_(part))
        for row in tx.execute(wanted.order_by(*columns).with_for_update()):
            known[row.device, row.epoch, row.vehicle] = row.top
    return known


def _credible(each: Received[Track], refused: list[Refusal]) -> list[TrackPoint]:
    fixes = each.message.fixes
    if fixes[0].seq != each.message.seq or any(a.seq >= b.seq for a, b in pairwise(fixes)):
        fault = Refused(Code.SCHEMA, "track: fixes must ascend in seq, from the envelope's seq on")
        refused.extend(Refusal(each, fault, fix.seq) for fix in fixes)
        return []
    latest = to_ms(each.received_at + MAX_AHEAD)
    if all(fix.ts <= latest for fix in fixes):
        return fixes
    for fix in fixes:
        if fix.ts > latest:
            fault = Refused(Code.TIME, f"track: fix {fix.seq} is more than 24 h ahead of the hub")
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


def _replayed(seq: int) -> Refused:
    return Refused(Code.REPLAY, f"track {seq}: stored before with other content")


def _overlapping(tx: Connection, lane: Lane, first: int, last: int) -> list[TrackPoint]:
    here = [batches.c[name] == value for name, value in zip(_LANE, lane, strict=True)]
    inside = select(batches.c.fixes).where(*here, batches.c.first.between(first, last))
    before = select(batches.c.fixes).where(*here, batches.c.first < first)
    bodies = [
        *tx.execute(inside).scalars(),
        *tx.execute(before.order_by(batches.c.first.desc()).limit(1)).scalars(),
    ]
    return [fix for body in bodies for fix in _decode(body)]


def _batch(run: Run) -> dict[str, object]:
    times = [fix.ts for fix in run.fixes]
    message = run.received.message
    return {
        "device": message.dev,
        "epoch": message.epoch,
        "vehicle": run.vehicle,
        "first": run.fixes[0].seq,
        "last": run.fixes[-1].seq,
        "from_at": from_ms(min(times)),
        "until_at": from_ms(max(times)),
        "received_at": run.received.received_at,
        "hist": message.hist,
        "fixes": _encode(run.fixes),
    }


def relocate(tx: Connection, located: Sequence[tuple[str, tuple[str, ...]]]) -> None:
    """Set the grids of vehicles, after the grids have changed."""
    if located:
        tx.execute(
            update(vehicles).where(vehicles.c.id == bindparam("key")).values(grid_path=bindparam("p")),
            [{"key": name, "p": path} for name, path in located],
        )


def placed(tx: Connection) -> Sequence[Row[tuple[str, float, float]]]:
    """All vehicles with a position: (id, lat, lon)."""
    columns = select(vehicles.c.id, vehicles.c.lat, vehicles.c.lon)
    return tx.execute(columns.where(vehicles.c.lat.is_not(None))).all()
