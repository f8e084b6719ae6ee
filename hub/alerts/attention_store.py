"""Claims of alerts and what is put off, in the database."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    String,
    Table,
    Text,
    delete,
    exists,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection

from hub.alerts.attention import LEASE, Claim, Snooze
from hub.store import Instant, insert_new, metadata, upsert

KEEP = timedelta(days=1)

claims = Table(
    "alert_claims",
    metadata,
    Column("alert", String(20), primary_key=True),
    Column("by", String(100), nullable=False),
    Column("page", String(40), nullable=False),
    Column("until", Instant, nullable=False),
    Index("ix_alert_claims_until", "until"),
)
snoozes = Table(
    "alert_snoozes",
    metadata,
    Column("alert", String(20), primary_key=True),
    Column("by", String(100), nullable=False),
    Column("at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("note", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("times_seen", Integer),
    Index("ix_alert_snoozes_until", "until"),
)


def claim(tx: Connection, alert: str, by: str, page: str, at: datetime) -> Claim:
    """The claim that stands after this page asked: its own, or that of the page before it."""
    row = {"alert": alert, "by": by, "page": page, "until": at + LEASE}
    free = (claims.c.alert == alert) & or_(claims.c.until <= at, claims.c.page == page)
    if not tx.execute(update(claims).where(free).values(row)).rowcount:
        insert_new(tx, claims, [row], ["alert"])
    found = tx.execute(select(claims).where(claims.c.alert == alert)).one()
    return Claim(*found)


def release(tx: Connection, alert: str, page: str) -> bool:
    """The page shows the alert no longer; False when it had no claim."""
    held = (claims.c.alert == alert) & (claims.c.page == page)
    return bool(tx.execute(delete(claims).where(held)).rowcount)


def claimed(tx: Connection, at: datetime, alerts: Collection[str] | None = None) -> list[Claim]:
    """The claims that stand at a moment."""
    found = select(claims).where(claims.c.until > at)
    if alerts is not None:
        found = found.where(claims.c.alert.in_(alerts))
    return [Claim(*row) for row in tx.execute(found.order_by(claims.c.alert))]


def put_off(tx: Connection, snooze: Snooze) -> None:
    """Put an alert off, or off anew."""
    row = {name: getattr(snooze, name) for name in snoozes.c.keys()}  # noqa: SIM118
    upsert(tx, snoozes, [row], ["alert"])


def bring_back(tx: Connection, alert: str) -> bool:
    """An alert is put off no longer; False when it was not."""
    return bool(tx.execute(delete(snoozes).where(snoozes.c.alert == alert)).rowcount)


def snoozed(tx: Connection, alerts: Collection[str]) -> dict[str, Snooze]:
    """What was put off, by alert, whether it still holds or not."""
    found = select(snoozes).where(snoozes.c.alert.in_(alerts))
    return {row.alert: Snooze(*row) for row in tx.execute(found)}


def is_put_off(alerts: Table, at: datetime) -> ColumnElement[bool]:
    """The condition `Snooze.holds` on rows of alerts."""
    return exists().where(
        snoozes.c.alert == alerts.c.id,
        snoozes.c.until > at,
        snoozes.c.level >= alerts.c.level,
        or_(snoozes.c.times_seen.is_(None), snoozes.c.times_seen >= alerts.c.times_seen),
    )


def forget_old(tx: Connection, at: datetime) -> None:
    """What ended a day ago is of no use."""
    tx.execute(delete(claims).where(claims.c.until < at - KEEP))
    tx.execute(delete(snoozes).where(snoozes.c.until < at - KEEP))
