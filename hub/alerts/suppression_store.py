"""Suppressions in the database, and the alerts they hold back."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import (
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.alerts.alert import ACTIVE, Alert
from hub.alerts.store import alerts, to_alert
from hub.alerts.suppression import Area, Suppression, area_of, covers
from hub.store import Instant, metadata

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device", String(64), nullable=False),
    Column("source", String(64), nullable=False),
    Column("label", String(64), nullable=False),
    Column("x", Float, nullable=False),
    Column("y", Float, nullable=False),
    Column("w", Float, nullable=False),
    Column("h", Float, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("alerts", Text, nullable=False),
    Column("lifted_at", Instant),
    Column("lifted_by", String(100)),
    Index("ix_suppressions_source", "device", "source", "label", "until"),
)

_OF_DEVICES = select(suppressions).where(
    suppressions.c.device.in_(bindparam("devices", expanding=True)),
    suppressions.c.lifted_at.is_(None),
    suppressions.c.until > bindparam("at", type_=Instant),
)


def in_force(tx: Connection, devices: Collection[str], at: datetime) -> list[Suppression]:
    """What is held back at cameras of these devices at `at` or later."""
    rows = tx.execute(_OF_DEVICES, {"devices": list(devices), "at": at})
    return [to_suppression(row) for row in rows]


def judged_like(tx: Connection, alert: Alert, since: datetime) -> list[Alert]:
    """What the same camera said of the same label and people have decided on since."""
    found = select(alerts).where(
        alerts.c.device == alert.device,
        alerts.c.source == alert.source,
        alerts.c.label == alert.label,
        alerts.c.decided_at > since,
    )
    return [to_alert(row) for row in tx.execute(found.order_by(alerts.c.decided_at.desc()))]


def hold_back(
    tx: Connection, grounds: Sequence[Alert], *, at: datetime, days: float, overlap: float
) -> Suppression:
    """Hold back what comes where `grounds` were; where that is done already, for longer."""
    until, first = at + timedelta(days=days), grounds[0]
    area = area_of(grounds)
    ids = tuple(sorted(alert.id for alert in grounds))
    values = {"until": until, "alerts": msgspec.json.encode(ids).decode()}
    for known in in_force(tx, [first.device], at):
        if covers(known, replace(first, at=at, level=1), overlap):
            tx.execute(update(suppressions).where(suppressions.c.id == known.id).values(**values))
            return replace(known, until=until, alerts=ids)
    row = {
        "device": first.device,
        "source": first.source,
        "label": first.label,
        "since": at,
        **vars(area),
        **values,
    }
    (number,) = tx.execute(suppressions.insert().values(row)).inserted_primary_key or (0,)
    return Suppression(number, first.device, first.source, first.label, area, at, until, ids)


def lock(tx: Connection, number: int) -> Suppression | None:
    """One, kept from others until the transaction ends."""
    found = select(suppressions).where(suppressions.c.id == number).with_for_update()
    row = tx.execute(found).one_or_none()
    return None if row is None else to_suppression(row)


def expired(tx: Connection, at: datetime) -> list[Suppression]:
    """Those whose time is over and that still hold something back."""
    holding = select(alerts.c.suppressed_by).where(
        alerts.c.suppressed_until <= at,
        alerts.c.state == ACTIVE,
        alerts.c.decision.is_(None),
    )
    found = select(suppressions).where(suppressions.c.id.in_(holding))
    return [to_suppression(row) for row in tx.execute(found)]


def end(tx: Connection, number: int, *, by: str, at: datetime) -> None:
    """Note that a person has lifted it."""
    lifted = update(suppressions).where(suppressions.c.id == number)
    tx.execute(lifted.values(lifted_at=at, lifted_by=by))


def release(tx: Connection, number: int, *, active_only: bool) -> list[Alert]:
    """Let what it held back and nobody judged wait for a decision again."""
    held = [alerts.c.suppressed_by == number, alerts.c.decision.is_(None)]
    if active_only:
        held.append(alerts.c.state == ACTIVE)
    freed = [to_alert(row) for row in tx.execute(select(alerts).where(*held))]
    ids = [alert.id for alert in freed]
    values = {"suppressed_by": None, "suppressed_until": None}
    tx.execute(update(alerts).where(alerts.c.id.in_(ids)).values(values))
    return [replace(alert, suppressed_by=None, suppressed_until=None) for alert in freed]


def held_counts(tx: Connection, numbers: Collection[int]) -> dict[int, int]:
    """How many alerts each has kept from the queue."""
    held = select(alerts.c.suppressed_by, func.count()).where(alerts.c.suppressed_by.in_(numbers))
    return {row[0]: row[1] for row in tx.execute(held.group_by(alerts.c.suppressed_by))}


def to_suppression(row: Row[tuple[object, ...]]) -> Suppression:
    """A row as the value it stands for."""
    return Suppression(
        id=row.id,
        device=row.device,
        source=row.source,
        label=row.label,
        area=Area(row.x, row.y, row.w, row.h),
        since=row.since,
        until=row.until,
        alerts=msgspec.json.decode(row.alerts, type=tuple[str, ...]),
        lifted_at=row.lifted_at,
        lifted_by=row.lifted_by,
    )
