"""Permits in the database: versions like those of fences, and the view that judging shares."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    String,
    Table,
    Text,
    func,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.grid.hours import Hours
from hub.permits.permit import Permit, plate_key
from hub.permits.rules import Haul, Warrant
from hub.store import Instant, metadata
from hub.tracks.fence_store import Fences

permits = Table(
    "permits",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("vehicles", Text, nullable=False),
    Column("first", String(10), nullable=False),
    Column("last", String(10), nullable=False),
    Column("document", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    Column("actor", String(100), nullable=False),
    Index("ix_permits_number", "number", "version", unique=True),
)
IN_FORCE = permits.c.until.is_(None)


class _Document(msgspec.Struct):
    loading_site: str
    dump_site: str
    hours: tuple[tuple[int, int], ...]
    route: tuple[tuple[float, float], ...]
    half_width_m: float


@dataclass(frozen=True)
class Version:
    """A permit as it was from one moment until another (None: still)."""

    permit: Permit
    version: int
    since: datetime
    until: datetime | None
    actor: str


class Permits:
    """The permits in force, by plate: replaced whole, never changed."""

    def __init__(self) -> None:
        """Begin with none."""
        self.revision: tuple[int, int] = (-1, -1)
        self._by_plate: dict[str, list[Permit]] = {}

    def take(self, revision: tuple[int, int], in_force: Iterable[Permit]) -> None:
        """Take these permits."""
        by_plate: dict[str, list[Permit]] = {}
        for permit in in_force:
            for plate in permit.vehicles:
                by_plate.setdefault(plate, []).append(permit)
        self._by_plate, self.revision = by_plate, revision

    @property
    def are_kept(self) -> bool:
        """Whether the city keeps permits here at all: without any, nobody lacks one."""
        return bool(self._by_plate)

    def of(self, names: Collection[str]) -> list[Permit]:
        """The permits of a vehicle by its plate or id."""
        found = [p for name in names for p in self._by_plate.get(plate_key(name), ())]
        return sorted(set(found), key=lambda permit: permit.number)


def haul_of(found: Iterable[Permit], fences: Fences, zone: Any) -> Haul:
    """What a truck with these permits is judged by."""
    warrants = [
        Warrant(p, fences.named(p.loading_site), fences.named(p.dump_site), p.corridor())
        for p in found
    ]
    return Haul(warrants, fences.index, zone)


def refresh(tx: Connection, view: Permits) -> bool:
    """Bring the view up to date; whether it had to change."""
    row = tx.execute(select(func.max(permits.c.id), func.count(permits.c.until))).one()
    newest = (row[0] or 0, row[1])
    if newest == view.revision:
        return False
    view.take(newest, [each.permit for each in listed(tx)])
    return True


def listed(
    tx: Connection,
    which: Collection[ColumnElement[bool]] = (),
    limit: int | None = None,
    offset: int = 0,
) -> list[Version]:
    """Permits in force, by number."""
    found = select(permits).where(IN_FORCE, *which).order_by(permits.c.number)
    if limit is not None:
        found = found.limit(limit).offset(offset)
    return [_version(row) for row in tx.execute(found)]


def count(tx: Connection, which: Collection[ColumnElement[bool]] = ()) -> int:
    """How many permits are in force."""
    found = select(func.count()).select_from(permits).where(IN_FORCE, *which)
    return int(tx.execute(found).scalar_one())


def for_vehicle(plate: str) -> ColumnElement[bool]:
    """The condition that a permit names a plate."""
    return permits.c.vehicles.contains(f"\n{plate_key(plate)}\n", autoescape=True)


def one(tx: Connection, number: str) -> Version | None:
    """A permit in force."""
    row = tx.execute(select(permits).where(permits.c.number == number, IN_FORCE)).one_or_none()
    return None if row is None else _version(row)


def history(tx: Connection, number: str) -> list[Version]:
    """Every version of a permit, newest first."""
    found = select(permits).where(permits.c.number == number).order_by(permits.c.version.desc())
    return [_version(row) for row in tx.execute(found)]


def put(tx: Connection, wanted: Iterable[Permit], actor: str, at: datetime) -> int:
    """Put permits in force, new ones or new versions; returns how many were new or different."""
    changed = 0
    for permit in wanted:
        found = select(permits).where(permits.c.number == permit.number)
        newest = tx.execute(found.order_by(permits.c.version.desc())).first()
        if newest is not None and newest.until is None:
            if _version(newest).permit == permit:
                continue
            remove(tx, permit.number, at)
        version = 1 if newest is None else newest.version + 1
        row = _row(permit) | {"version": version, "since": at, "actor": actor}
        tx.execute(permits.insert().values(**row))
        changed += 1
    return changed


def remove(tx: Connection, number: str, at: datetime) -> bool:
    """End a permit; False when there is none."""
    ended = update(permits).where(permits.c.number == number, IN_FORCE).values(until=at)
    return bool(tx.execute(ended).rowcount)


def _row(permit: Permit) -> dict[str, object]:
    document = _Document(
        permit.loading_site,
        permit.dump_site,
        permit.hours.intervals,
        permit.route,
        permit.half_width_m,
    )
    return {
        "number": permit.number,
        "vehicles": "\n" + "".join(f"{plate}\n" for plate in sorted(permit.vehicles)),
        "first": permit.first.isoformat(),
        "last": permit.last.isoformat(),
        "document": msgspec.json.encode(document).decode(),
    }


def _version(row: Row[Any]) -> Version:
    known = msgspec.json.decode(row.document, type=_Document)
    permit = Permit(
        number=row.number,
        vehicles=frozenset(row.vehicles.split("\n")[1:-1]),
        loading_site=known.loading_site,
        dump_site=known.dump_site,
        first=date.fromisoformat(row.first),
        last=date.fromisoformat(row.last),
        hours=Hours(known.hours),
        route=known.route,
        half_width_m=known.half_width_m,
    )
    return Version(permit, row.version, row.since, row.until, row.actor)
