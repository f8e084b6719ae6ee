"""What the rules made of the fixes, in the database: states, episodes, and who was near what.

Everything here can be made anew from the fixes.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
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
    LargeBinary,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.store import Instant, from_ms, insert_new, metadata, to_ms, upsert
from hub.tracks.episode import Episode, Kind
from hub.tracks.judgement import HOUR_MS, Cell, Heard
from hub.tracks.store import batches, cross, crossings, vehicles
from wire.track import TrackPoint

KEEP_HOURS = 48

states = Table(
    "track_states",
    metadata,
    Column("vehicle", String(140), primary_key=True),
    Column("last_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
hours = Table(
    "track_hours",
    metadata,
    Column("vehicle", String(140), primary_key=True),
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
vehicle_events = Table(
    "vehicle_events",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("vehicle", String(140), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("start", Instant, nullable=False),
    Column("end", Instant, nullable=False),
    Column("over", Boolean, nullable=False),
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
    Column("certainty", Float, nullable=False),
    Column("facts", Text, nullable=False),
    Column("begun_ms", BigInteger, nullable=False),
    Column("known_ms", BigInteger, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("judged_at", Instant, nullable=False),
    Column("superseded_at", Instant),
    Column("alert", String(20)),
    Index("ix_vehicle_events_vehicle", "vehicle", "start"),
    Index("ix_vehicle_events_known", "vehicle", "known_ms"),
    Index("ix_vehicle_events_kind", "kind", "start"),
)
cells = Table(
    "track_cells",
    metadata,
    Column("cell", BigInteger, primary_key=True, autoincrement=False),
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("vehicle", String(140), primary_key=True),
)

# Built once: these run for every vehicle in every round.
_HEARD = select(batches.c.fixes, batches.c.epoch, batches.c.received_ms, batches.c.hist).where(
    batches.c.vehicle == bindparam("name"),
    batches.c.until_ms >= bindparam("since_ms"),
    batches.c.arrival > bindparam("after"),
    batches.c.arrival <= bindparam("until"),
)
_STATE = select(states.c.body).where(states.c.vehicle == bindparam("name"))
_JUDGED = (
    update(vehicles)
    .where(vehicles.c.id == bindparam("name"), vehicles.c.judged == bindparam("was"))
    .values(
        judged=bindparam("heard_until"),
        unjudged_ms=select(func.min(batches.c.from_ms))
        .where(
            batches.c.vehicle == bindparam("name"),
            batches.c.until_ms >= bindparam("since_ms"),
            batches.c.arrival > bindparam("heard_until"),
        )
        .scalar_subquery(),
    )
)
_OF_STARTS = select(vehicle_events).where(
    vehicle_events.c.vehicle == bindparam("name"),
    vehicle_events.c.superseded_at.is_(None),
    vehicle_events.c.start.in_(bindparam("starts", expanding=True)),
)
_ADD = vehicle_events.insert()

_fixes = msgspec.json.Decoder(list[TrackPoint]).decode
_facts = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Pending:
    """A vehicle with fixes that its rules have not seen, as it stood when we looked."""

    id: str
    device: str
    vehicle: str
    plate: str
    kind: str
    heard: int
    judged: int
    unjudged_ms: int


@dataclass(frozen=True)
class Stored:
    """An episode in the database, with the row's number and what else it keeps."""

    id: int
    episode: Episode
    begun_ms: int
    known_ms: int
    alert: str | None


def pending(tx: Connection, limit: int) -> list[Pending]:
    """Vehicles whose fixes wait for the rules, the longest waiting first."""
    names = ("id", "device", "vehicle", "plate", "kind", "heard", "judged", "unjudged_ms")
    waiting = (
        select(*(vehicles.c[name] for name in names))
        .where(vehicles.c.unjudged_ms.is_not(None))
        .order_by(vehicles.c.unjudged_ms)
        .limit(limit)
    )
    return [Pending(**row._mapping) for row in tx.execute(waiting)]  # noqa: SLF001


def facts_of(tx: Connection, vehicle: str) -> Pending | None:
    """One vehicle, waiting or not."""
    names = ("id", "device", "vehicle", "plate", "kind", "heard", "judged", "unjudged_ms")
    found = select(*(vehicles.c[name] for name in names)).where(vehicles.c.id == vehicle)
    row = tx.execute(found).one_or_none()
    return None if row is None else Pending(**{**row._mapping, "unjudged_ms": 0})  # noqa: SLF001


def heard_since(
    tx: Connection, vehicle: str, since_ms: int, *, after: int = -1, until: int
) -> list[Heard]:
    """Fixes not before a moment, from the arrivals after one number until another, in order.

    Those later than their arrival are no part of history: a clock was wrong.
    """
    wanted = {"name": vehicle, "since_ms": since_ms, "after": after, "until": until}
    every = (
        Heard(fix, row.epoch, row.received_ms, row.hist)
        for row in tx.execute(_HEARD, wanted)
        for fix in _fixes(row.fixes)
        if fix.ts >= since_ms
    )
    heard = [each for each in every if not each.is_future]
    heard.sort(key=lambda each: each.key)
    return heard


def heard_between(tx: Connection, vehicle: str, first_ms: int, last_ms: int) -> list[Heard]:
    """Every fix stamped with a span, the end excluded, in order; also those from the future."""
    found = select(batches.c.fixes, batches.c.epoch, batches.c.received_ms, batches.c.hist).where(
        batches.c.vehicle == vehicle, batches.c.until_ms >= first_ms, batches.c.from_ms < last_ms
    )
    heard = [
        Heard(fix, row.epoch, row.received_ms, row.hist)
        for row in tx.execute(found)
        for fix in _fixes(row.fixes)
        if first_ms <= fix.ts < last_ms
    ]
    heard.sort(key=lambda each: each.key)
    return heard


def state_of(tx: Connection, vehicle: str) -> bytes | None:
    """The state after the newest fix judged."""
    body: bytes | None = tx.execute(_STATE, {"name": vehicle}).scalar()
    return body


def state_before(tx: Connection, vehicle: str, hour: int) -> tuple[int, bytes] | None:
    """The newest state from the beginning of an hour not after this one, and that hour."""
    found = (
        select(hours.c.hour, hours.c.body)
        .where(hours.c.vehicle == vehicle, hours.c.hour <= hour)
        .order_by(hours.c.hour.desc())
        .limit(1)
    )
    row = tx.execute(found).one_or_none()
    return None if row is None else (row.hour, row.body)


def mark_judged(tx: Connection, seen: Pending) -> bool:
    """Say that all that was `seen` has been judged; False when somebody else did meanwhile."""
    wanted = {
        "name": seen.id,
        "was": seen.judged,
        "heard_until": seen.heard,
        "since_ms": seen.unjudged_ms,
    }
    return bool(tx.execute(_JUDGED, wanted).rowcount)


def keep_state(
    tx: Connection, vehicle: str, last_ms: int, body: bytes, hourly: Sequence[tuple[int, bytes]]
) -> None:
    """Keep the state, and those from before the first fix of each hour."""
    upsert(tx, states, [{"vehicle": vehicle, "last_ms": last_ms, "body": body}], ["vehicle"])
    rows = [{"vehicle": vehicle, "hour": hour, "body": each} for hour, each in hourly]
    upsert(tx, hours, rows, ["vehicle", "hour"])


def forget_hours(tx: Connection, vehicle: str, after: int) -> None:
    """Drop the states of the hours after this one: they stand on a history that has changed."""
    tx.execute(delete(hours).where(hours.c.vehicle == vehicle, hours.c.hour > after))


def note_cells(tx: Connection, vehicle: str, found: Collection[Cell]) -> None:
    """Note the squares in which a vehicle was, by the hour."""
    rows = [{"cell": cell, "hour": hour, "vehicle": vehicle} for cell, hour in dict.fromkeys(found)]
    insert_new(tx, cells, rows, ["cell", "hour", "vehicle"])


def were_in(tx: Connection, squares: Collection[int], first_ms: int, last_ms: int) -> list[str]:
    """The vehicles that were in any of the squares in the hours of a span."""
    found = select(cells.c.vehicle).where(
        cells.c.cell.in_(squares),
        cells.c.hour.between(first_ms // HOUR_MS, last_ms // HOUR_MS),
    )
    return sorted(tx.execute(found.distinct()).scalars())


def open_or_known_since(tx: Connection, vehicle: str, since_ms: int) -> list[Stored]:
    """Episodes in force that last, or whose latest word came with fixes from a moment on."""
    event = vehicle_events.c
    found = select(vehicle_events).where(
        event.vehicle == vehicle,
        event.superseded_at.is_(None),
        or_(event.known_ms >= since_ms, event.over.is_(False)),
    )
    return [_stored(row) for row in tx.execute(found)]


def of_starts(tx: Connection, vehicle: str, starts: Collection[datetime]) -> list[Stored]:
    """Episodes in force that began at these moments."""
    wanted = {"name": vehicle, "starts": list(starts)}
    return [_stored(row) for row in tx.execute(_OF_STARTS, wanted)]


def add(
    tx: Connection,
    vehicle: str,
    episode: Episode,
    *,
    begun_ms: int,
    known_ms: int,
    late: bool,
    at: datetime,
    alert: str | None = None,
) -> int:
    """Store an episode; returns its number."""
    row = {
        "vehicle": vehicle,
        **_values(episode),
        "kind": episode.kind.value,
        "subject": episode.subject,
        "start": episode.start,
        "begun_ms": begun_ms,
        "known_ms": known_ms,
        "late": late,
        "judged_at": at,
        "alert": alert,
    }
    done = tx.execute(_ADD, row)
    return int((done.inserted_primary_key or (0,))[0])


def change(tx: Connection, number: int, episode: Episode, known_ms: int, at: datetime) -> None:
    """The later word about an episode that went on as it should."""
    tx.execute(
        update(vehicle_events)
        .where(vehicle_events.c.id == number)
        .values(**_values(episode), known_ms=known_ms, judged_at=at)
    )


def supersede(tx: Connection, numbers: Collection[int], at: datetime) -> None:
    """Say that episodes are not what happened, as late fixes have shown; they stay to be seen."""
    if numbers:
        gone = vehicle_events.c.id.in_(numbers)
        tx.execute(update(vehicle_events).where(gone).values(superseded_at=at))


def link(tx: Connection, number: int, alert: str) -> None:
    """Say which alert an episode raised or joined."""
    chosen = vehicle_events.c.id == number
    tx.execute(update(vehicle_events).where(chosen).values(alert=alert))


def last_alert(
    tx: Connection, vehicle: str, kind: Kind, subject: str, between: tuple[datetime, datetime]
) -> str | None:
    """The alert that the newest episode of a cause, begun in a span, belongs to."""
    event = vehicle_events.c
    found = (
        select(event.alert)
        .where(
            event.vehicle == vehicle,
            event.start.between(*between),
            event.kind == kind.value,
            event.subject == subject,
            event.alert.is_not(None),
        )
        .order_by(event.start.desc())
        .limit(1)
    )
    alert: str | None = tx.execute(found).scalar()
    return alert


def replace_crossings(
    tx: Connection,
    vehicle: str,
    span: tuple[int, int],
    rows: Iterable[tuple[str, str, int]],
) -> None:
    """Put right what a vehicle crossed after one moment until another: (grid, kind, ms)."""
    column = crossings.c
    first, last = (from_ms(each) for each in span)
    stale = (column.vehicle == vehicle) & (column.at > first) & (column.at <= last)
    tx.execute(delete(crossings).where(stale))
    cross(tx, [(vehicle, grid, kind, at) for grid, kind, at in rows])


def silent(tx: Connection, since: datetime, before: datetime, limit: int) -> list[str]:
    """Vehicles in use whose newest judged fix lies between two moments, the newest first."""
    found = (
        select(states.c.vehicle)
        .join(vehicles, vehicles.c.id == states.c.vehicle)
        .where(
            states.c.last_ms.between(to_ms(since), to_ms(before)),
            vehicles.c.unjudged_ms.is_(None),
            vehicles.c.retired_at.is_(None),
        )
        .order_by(states.c.last_ms.desc())
        .limit(limit)
    )
    return list(tx.execute(found).scalars())


def forget_old(tx: Connection, before: datetime, now: datetime) -> None:
    """Delete what is older than the retention; of older hours keep the first of each day (UTC)."""
    hour = to_ms(before) // HOUR_MS
    tx.execute(delete(cells).where(cells.c.hour < hour))
    tx.execute(delete(hours).where(hours.c.hour < hour))
    tx.execute(delete(vehicle_events).where(vehicle_events.c.end < before))
    aged = to_ms(now) // HOUR_MS - KEEP_HOURS
    daily = (
        select(hours.c.vehicle, func.min(hours.c.hour).label("hour"))
        .where(hours.c.hour < aged)
        .group_by(hours.c.vehicle, hours.c.hour // 24)
        .subquery()
    )
    kept = select(daily.c.hour).where(daily.c.vehicle == hours.c.vehicle)
    tx.execute(delete(hours).where(hours.c.hour < aged, hours.c.hour.not_in(kept)))


def _stored(row: Row[Any]) -> Stored:
    return Stored(row.id, to_episode(row), row.begun_ms, row.known_ms, row.alert)


def to_episode(row: Row[Any]) -> Episode:
    """A row as the value it stands for."""
    return Episode(
        Kind(row.kind),
        row.start,
        row.end,
        row.lat,
        row.lon,
        row.subject,
        row.over,
        row.certainty,
        msgspec.json.decode(row.facts),
    )


def _values(episode: Episode) -> dict[str, object]:
    return {
        "end": episode.end,
        "over": episode.over,
        "lat": episode.lat,
        "lon": episode.lon,
        "certainty": episode.certainty,
        "facts": _facts(episode.facts).decode(),
    }
