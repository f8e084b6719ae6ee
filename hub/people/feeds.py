"""Secret addresses of people's own calendars: 256 random bits, of which only the hash is kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, String, Table, delete, or_, select, update
from sqlalchemy.engine import Connection

from hub.store import Instant, metadata

NOTED_EVERY = timedelta(minutes=10)

feeds = Table(
    "calendar_feeds",
    metadata,
    Column("user", String(64), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("made_at", Instant, nullable=False),
    Column("used_at", Instant),
)


@dataclass(frozen=True)
class Feed:
    """That somebody has an address, since when, and when it was last asked."""

    user: str
    made_at: datetime
    used_at: datetime | None


def of(tx: Connection, user: str) -> Feed | None:
    """The feed of a person."""
    return _first(tx, feeds.c.user == user)


def by_hash(tx: Connection, hashed: str) -> Feed | None:
    """Whose address it is."""
    return _first(tx, feeds.c.hash == hashed)


def put(tx: Connection, user: str, hashed: str, at: datetime) -> None:
    """Give a person an address; an earlier one ends."""
    end(tx, user)
    tx.execute(feeds.insert().values(user=user, hash=hashed, made_at=at))


def end(tx: Connection, user: str) -> bool:
    """End a person's address; whether there was one."""
    return bool(tx.execute(delete(feeds).where(feeds.c.user == user)).rowcount)


def note_use(tx: Connection, user: str, at: datetime) -> None:
    """Note that it is used, to ten minutes."""
    stale = or_(feeds.c.used_at.is_(None), feeds.c.used_at < at - NOTED_EVERY)
    tx.execute(update(feeds).where(feeds.c.user == user, stale).values(used_at=at))


def _first(tx: Connection, which: object) -> Feed | None:
    row = tx.execute(select(feeds.c.user, feeds.c.made_at, feeds.c.used_at).where(which)).first()  # type: ignore[arg-type]
    return None if row is None else Feed(row.user, row.made_at, row.used_at)
