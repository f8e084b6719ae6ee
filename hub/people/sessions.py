"""Sessions of pages: a cookie of 256 random bits, of which only the hash is kept.

A session ends after its life, when nobody used it for a while, when its person is disabled or
changes the password, and when he says so.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Column, ColumnElement, Index, String, Table, delete, or_, select, update
from sqlalchemy.engine import Connection

from hub.store import Instant, metadata

NOTED_EVERY = timedelta(minutes=1)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("name", String(64), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("address", String(64), nullable=False),
    Column("agent", String(200), nullable=False),
    Index("ix_sessions_name", "kind", "name"),
)


class Kind(StrEnum):
    """By what a session was opened."""

    USER = "user"
    SSO = "sso"
    TOKEN = "token"  # noqa: S105 - the word, not a secret
    DEMO = "demo"


OF_PEOPLE = (Kind.USER, Kind.SSO)
"""By password, and through the city's identity provider."""


@dataclass(frozen=True)
class Session:
    """A session. `hash` names it; `agent`: what the browser calls itself."""

    hash: str
    kind: Kind
    name: str
    opened_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    agent: str

    def is_over(self, at: datetime, idle: timedelta) -> bool:
        """Whether its life or its owner's patience is over."""
        return at >= self.expires_at or at - self.seen_at > idle


def add(tx: Connection, session: Session) -> None:
    """Open a session."""
    tx.execute(sessions.insert().values({**vars(session), "kind": session.kind.value}))


def load(tx: Connection, which: ColumnElement[bool]) -> list[Session]:
    """Sessions, the last used first."""
    rows = tx.execute(select(sessions).where(which).order_by(sessions.c.seen_at.desc()))
    return [Session(**{**row._mapping, "kind": Kind(row.kind)}) for row in rows]  # noqa: SLF001


def of_user(name: str) -> ColumnElement[bool]:
    """Those of a person."""
    return sessions.c.kind.in_([kind.value for kind in OF_PEOPLE]) & (sessions.c.name == name)


def touch(tx: Connection, hashed: str, at: datetime) -> None:
    """Note that a session is used."""
    stale = (sessions.c.hash == hashed) & (sessions.c.seen_at < at - NOTED_EVERY)
    tx.execute(update(sessions).where(stale).values(seen_at=at))


def end(tx: Connection, *which: ColumnElement[bool]) -> int:
    """End sessions; returns how many."""
    return tx.execute(delete(sessions).where(*which)).rowcount


def forget_old(tx: Connection, at: datetime, idle: timedelta) -> None:
    """Delete the sessions that are over."""
    over = or_(sessions.c.expires_at < at, sessions.c.seen_at < at - idle)
    tx.execute(delete(sessions).where(over))
