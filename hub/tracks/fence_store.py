"""Fences in the database: what is in force, what was, who changed it.

A changed fence is a new version from now on; the one before keeps judging what lies before. The
view that threads share is made anew when the table has changed.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Column, Index, Integer, String, Table, Text, and_, func, or_, select, update
from sqlalchemy.engine import Connection, Row

from hub.store import Instant, metadata
from hub.tracks.geofence import Geofence, Purpose, feature_of, read_fences
from hub.tracks.presence import FenceIndex
from hub.tracks.sites import Site

KEEP_JUDGING = timedelta(days=8)
"""Fixes come this late at the most: so long ended versions stay in the view."""

fences = Table(
    "fences",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", String(200), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("feature", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    Column("actor", String(100), nullable=False),
    Index("ix_fences_code", "code", "version", unique=True),
)
IN_FORCE = fences.c.until.is_(None)


@dataclass(frozen=True)
class Version:
    """A fence as it was from one moment until another (None: still)."""

    fence: Geofence
    version: int
    since: datetime
    until: datetime | None
    actor: str


class Fences:
    """The fences in force, shared by threads: replaced whole, never changed."""

    def __init__(self) -> None:
        """Begin with none."""
        self.revision: tuple[int, int] = (-1, -1)
        self.index = FenceIndex(())
        self.sites: tuple[Site, ...] | None = None
        self.loading: tuple[Geofence, ...] = ()

    def take(self, revision: tuple[int, int], in_force: Sequence[Geofence]) -> None:
        """Take these fences."""
        dumps = [fence for fence in in_force if fence.purpose is Purpose.DUMP]
        self.index = FenceIndex(in_force)
        self.sites = tuple(dump_site(fence) for fence in dumps) or None
        self.loading = tuple(f for f in in_force if f.purpose is Purpose.LOADING)
        self.revision = revision

    def named(self, name: str) -> Geofence | None:
        """A fence by its code or name."""
        known = self.index.fences
        return next((fence for fence in known if name in {fence.code, fence.name}), None)


def dump_site(fence: Geofence) -> Site:
    """A dump fence as the site that lifts are judged by."""
    return Site(fence.name, fence.shape, fence.hours, fence)


def refresh(tx: Connection, view: Fences) -> bool:
    """Bring the view up to date; whether it had to change."""
    revision = tx.execute(select(func.max(fences.c.id), func.count(fences.c.until))).one()
    newest = (revision[0] or 0, revision[1])
    if newest == view.revision:
        return False
    rows = tx.execute(select(fences).where(IN_FORCE).order_by(fences.c.code)).all()
    view.take(newest, [_version(row).fence for row in rows])
    return True


def listed(tx: Connection, *, purpose: Purpose | None = None) -> list[Version]:
    """The fences in force, by code."""
    found = select(fences).where(IN_FORCE)
    if purpose is not None:
        found = found.where(fences.c.purpose == purpose.value)
    return [_version(row) for row in tx.execute(found.order_by(fences.c.code))]


def names(tx: Connection, codes: Collection[str]) -> dict[str, str]:
    """The names of fences in force, by code."""
    found = select(fences.c.code, fences.c.name).where(fences.c.code.in_(codes), IN_FORCE)
    return {row.code: row.name for row in tx.execute(found)}


def one(tx: Connection, code: str) -> Version | None:
    """A fence in force."""
    row = tx.execute(select(fences).where(fences.c.code == code, IN_FORCE)).one_or_none()
    return None if row is None else _version(row)


def history(tx: Connection, code: str) -> list[Version]:
    """Every version of a fence, newest first."""
    found = select(fences).where(fences.c.code == code).order_by(fences.c.version.desc())
    return [_version(row) for row in tx.execute(found)]


def put(tx: Connection, wanted: Iterable[Geofence], actor: str, at: datetime) -> int:
    """Put fences in force, new ones or new versions; returns how many were new or different."""
    changed = 0
    for fence in wanted:
        newest = tx.execute(
            select(fences).where(fences.c.code == fence.code).order_by(fences.c.version.desc())
        ).first()
        if newest is not None and newest.until is None:
            if newest.feature == _text(fence):
                continue
            _end(tx, fence.code, at)
        row = {
            "code": fence.code,
            "version": 1 if newest is None else newest.version + 1,
            "name": fence.name,
            "purpose": fence.purpose.value,
            "feature": _text(fence),
            "since": at,
            "actor": actor,
        }
        tx.execute(fences.insert().values(**row))
        changed += 1
    return changed


def remove(tx: Connection, code: str, at: datetime) -> bool:
    """End a fence; False when there is none."""
    return _end(tx, code, at)


def in_force_between(tx: Connection, since: datetime, until: datetime) -> list[Version]:
    """Every version that was in force at some moment of a span."""
    overlaps = and_(fences.c.since <= until, or_(fences.c.until.is_(None), fences.c.until >= since))
    return [_version(row) for row in tx.execute(select(fences).where(overlaps))]


def _end(tx: Connection, code: str, at: datetime) -> bool:
    done = update(fences).where(fences.c.code == code, IN_FORCE).values(until=at)
    return bool(tx.execute(done).rowcount)


def _text(fence: Geofence) -> str:
    return msgspec.json.encode(feature_of(fence)).decode()


def _version(row: Row[Any]) -> Version:
    (fence,) = read_fences(msgspec.json.decode(row.feature))
    return Version(fence, row.version, row.since, row.until, row.actor)
