"""Who drives: drivers' cards as terminals read them, in the database."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Column, String, Table, delete, func, select
from sqlalchemy.engine import Connection, Row

from hub.events import Change
from hub.inbox import Received, moment
from hub.store import Instant, insert_new, metadata
from hub.tracks.store import vehicle_id
from wire.driver import DriverCard

READ = "read"

cards = Table(
    "driver_cards",
    metadata,
    Column("vehicle", String(140), primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("inserted", Boolean, primary_key=True),
    Column("received_at", Instant, nullable=False),
    Column("read", String(32), nullable=False),
    Column("driver", String(200), nullable=False),
    Column("certificate", String(64), nullable=False),
    Column("issuer", String(200), nullable=False),
    Column("expires_on", String(10), nullable=False),
)


@dataclass(frozen=True)
class Driver:
    """Who drives a vehicle since when; `expires_on` the last day of his certificate, if known."""

    name: str
    since: datetime
    expires_on: date | None


def keep(tx: Connection, arrived: Sequence[Received[DriverCard]]) -> list[Change]:
    """Store cards; one that a terminal told of twice is stored once."""
    rows = [_row(each) for each in arrived]
    insert_new(tx, cards, rows, ["vehicle", "at", "inserted"])
    return [Change("vehicle", name) for name in dict.fromkeys(row["vehicle"] for row in rows)]


def present(tx: Connection, vehicles: Collection[str]) -> dict[str, Driver]:
    """Who drives these vehicles now: those whose last card was put in and could be read."""
    latest = (
        select(cards.c.vehicle, func.max(cards.c.at).label("at"))
        .where(cards.c.vehicle.in_(vehicles))
        .group_by(cards.c.vehicle)
        .subquery()
    )
    found = select(cards).join(
        latest, (cards.c.vehicle == latest.c.vehicle) & (cards.c.at == latest.c.at)
    )
    # Of two cards in one second the one taken out is the later: it comes last.
    last = {row.vehicle: row for row in tx.execute(found.order_by(cards.c.inserted.desc()))}
    return {
        name: Driver(row.driver, row.at, day_of(row.expires_on))
        for name, row in last.items()
        if row.inserted and row.read == READ and row.driver
    }


def of(tx: Connection, vehicle: str, limit: int, offset: int) -> tuple[list[Row[Any]], int]:
    """Cards of a vehicle, newest first, and how many there are."""
    here = cards.c.vehicle == vehicle
    total = tx.execute(select(func.count()).select_from(cards).where(here)).scalar_one()
    newest = select(cards).where(here).order_by(cards.c.at.desc(), cards.c.inserted)
    return list(tx.execute(newest.limit(limit).offset(offset))), total


def forget_old(tx: Connection, before: datetime) -> None:
    """Delete cards older than the retention of tracks."""
    tx.execute(delete(cards).where(cards.c.at < before))


def day_of(text: str) -> date | None:
    """Read a day as a terminal told it; None for none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def masked(name: str) -> str:
    """A name for those who need not know it: 王＊."""
    return name[:1] + "＊" if name else ""


def _row(each: Received[DriverCard]) -> dict[str, Any]:
    card = each.message
    return {
        "vehicle": vehicle_id(each.dev, card.vehicle),
        "at": moment(card, each.received_at)[0],
        "inserted": card.inserted,
        "received_at": each.received_at,
        "read": card.read,
        "driver": card.driver,
        "certificate": card.certificate,
        "issuer": card.issuer,
        "expires_on": card.expires_on,
    }
