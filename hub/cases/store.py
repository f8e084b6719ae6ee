"""Cases in the database: numbers, optimistic versions."""

import json
from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    false,
    func,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.cases.case import FINISHED, Case, State
from hub.grid.geodesy import distance_m, metres_per_degree
from hub.scope import EVERYTHING
from hub.store import GridPath, Instant, count_on, metadata

cases = Table(
    "cases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", String(32), nullable=False, unique=True),
    Column("state", String(20), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("title", String(300), nullable=False),
    Column("label", String(64), nullable=False),
    Column("matter", String(5)),
    Column("standard_ref", String(40), nullable=False),
    Column("level", Integer, nullable=False),
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
    Column("path", GridPath, nullable=False),
    Column("source", String(16), nullable=False),
    Column("generated", Boolean, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("handlers", Text, nullable=False),
    Column("department", String(32), index=True),
    Column("officer", String(100)),
    Column("dispatched_by_rule", Integer),
    Column("at_level", Integer),
    Column("ownerless", Boolean, nullable=False, server_default=false()),
    Index("ix_cases_state", "state", "opened_at"),
    Index("ix_cases_opened_at", "opened_at"),
    Index("ix_cases_place", "matter", "lat"),
)
numbers = Table(
    "case_numbers",
    metadata,
    Column("day", String(8), primary_key=True),
    Column("last", Integer, nullable=False),
)

duties = Table(
    "case_duties",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("case_id", Integer, nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("department", String(32)),
    Column("officer", String(100)),
)
"""Whom each case was sent to, and when: append-only."""

_FIELDS = [field.name for field in fields(Case)]
_FIXED = {"id", "number", "source", "generated", "opened_at", "standard_ref"}
"""What a case keeps from its opening on."""

# Built once: they run for every step of every case.
_LOCK = select(cases).where(cases.c.id == bindparam("case_id")).with_for_update()
_SAVE = update(cases).where(
    cases.c.id == bindparam("case_id"), cases.c.version == bindparam("known_version")
)
_BY_ID = (
    select(cases)
    .where(cases.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(cases.c.opened_at.desc())
)
_OPEN_AROUND = select(cases).where(
    cases.c.matter == bindparam("matter"),
    cases.c.lat.between(bindparam("south"), bindparam("north")),
    cases.c.lon.between(bindparam("west"), bindparam("east")),
    cases.c.state.not_in([state.value for state in FINISHED]),
)
_IN_STATE_AROUND = select(cases).where(
    cases.c.matter == bindparam("matter"),
    cases.c.lat.between(bindparam("south"), bindparam("north")),
    cases.c.lon.between(bindparam("west"), bindparam("east")),
    cases.c.state.in_(bindparam("states", expanding=True)),
)
_ADD = cases.insert()
_DUTY = duties.insert()


def new_numbers(tx: Connection, prefix: str, at: datetime, zone: ZoneInfo, count: int) -> list[str]:
    """The next `count` case numbers of the site's day, such as AK20261123-0001."""
    day = at.astimezone(zone).strftime("%Y%m%d")
    last = count_on(tx, numbers, day, count)
    return [f"{prefix}{day}-{number:04d}" for number in range(last - count + 1, last + 1)]


def finished(tx: Connection, ids: Collection[int | None]) -> set[int]:
    """Those of the cases in which no work is left."""
    wanted = [number for number in ids if number is not None]
    if not wanted:
        return set()
    is_over = cases.c.state.in_([state.value for state in FINISHED])
    found = select(cases.c.id).where(cases.c.id.in_(wanted), is_over)
    return set(tx.execute(found).scalars())


def closed_at(tx: Connection, ids: Collection[int | None]) -> dict[int, datetime]:
    """When those of the cases were closed that were closed as solved."""
    wanted = [number for number in ids if number is not None]
    if not wanted:
        return {}
    solved = [State.CLOSED.value, State.WATCHING.value, State.ARCHIVED.value]
    found = select(cases.c.id, cases.c.closed_at).where(
        cases.c.id.in_(wanted), cases.c.state.in_(solved)
    )
    return {row.id: row.closed_at for row in tx.execute(found) if row.closed_at is not None}


def add(tx: Connection, new: Sequence[Case]) -> list[Case]:
    """Store new cases; returns them with their ids."""
    stored = []
    for case in new:
        values = _row(case)
        del values["id"]
        key = tx.execute(_ADD, values).inserted_primary_key
        stored.append(replace(case, id=key[0] if key else 0))
    return stored


def lock(tx: Connection, case_id: int) -> Case | None:
    """One case, kept from others until the transaction ends."""
    row = tx.execute(_LOCK, {"case_id": case_id}).one_or_none()
    return None if row is None else to_case(row)


def by_number(tx: Connection, number: str) -> Case | None:
    """One case by its number."""
    row = tx.execute(select(cases).where(cases.c.number == number)).one_or_none()
    return None if row is None else to_case(row)


def load(tx: Connection, ids: Collection[int]) -> dict[int, Case]:
    """Cases by id, newest first."""
    return {row.id: to_case(row) for row in tx.execute(_BY_ID, {"ids": list(ids)})}


def open_near(
    tx: Connection, matter: str | None, lat: float, lon: float, radius_m: float
) -> list[Case]:
    """Cases with work left, of a matter, within `radius_m` of a place, the nearest first."""
    if matter is None or radius_m <= 0:
        return []
    around = {"matter": matter, **_box(lat, lon, radius_m)}
    return _nearest([to_case(row) for row in tx.execute(_OPEN_AROUND, around)], lat, lon, radius_m)


def in_state_near(
    tx: Connection,
    states: Collection[State],
    matter: str,
    place: tuple[float, float],
    radius_m: float,
) -> list[Case]:
    """Cases of a matter in one of the states within `radius_m` of a place, the nearest first."""
    wanted = [state.value for state in states]
    around = {"matter": matter, "states": wanted, **_box(*place, radius_m)}
    found = [to_case(row) for row in tx.execute(_IN_STATE_AROUND, around)]
    return _nearest(found, *place, radius_m)


def _box(lat: float, lon: float, radius_m: float) -> dict[str, float]:
    north_m, east_m = metres_per_degree(lat)
    d_lat, d_lon = radius_m / north_m, radius_m / max(east_m, 1.0)
    return {
        "south": lat - d_lat,
        "north": lat + d_lat,
        "west": lon - d_lon,
        "east": lon + d_lon,
    }


def _nearest(found: Sequence[Case], lat: float, lon: float, radius_m: float) -> list[Case]:
    away_m = {case.id: distance_m(lat, lon, case.lat, case.lon) for case in found}
    within = [case for case in found if away_m[case.id] <= radius_m]
    return sorted(within, key=lambda case: (away_m[case.id], case.id))


def numbers_of(tx: Connection, ids: Sequence[int]) -> dict[int, str]:
    """Numbers of cases by id."""
    found = select(cases.c.id, cases.c.number).where(cases.c.id.in_(ids))
    return {row.id: row.number for row in tx.execute(found)}


def save(tx: Connection, case: Case, known_version: int) -> bool:
    """Overwrite a case unless somebody did so since `known_version`; whether it was written."""
    known = {"case_id": case.id, "known_version": known_version}
    changed = {name: value for name, value in _row(case).items() if name not in _FIXED}
    if tx.execute(_SAVE, {**changed, **known}).rowcount != 1:
        return False
    if case.state is State.DISPATCHED:
        tx.execute(_DUTY, _duty(case))
    return True


def counts(tx: Connection, mine: ColumnElement[bool] = EVERYTHING) -> tuple[int, dict[str, int]]:
    """Of `mine`: open cases, and all cases by state."""
    found = select(cases.c.state, func.count().label("n")).where(mine).group_by(cases.c.state)
    by_state = {row.state: row.n for row in tx.execute(found)}
    return sum(n for state, n in by_state.items() if State(state) not in FINISHED), by_state


def to_case(row: Row[tuple[object, ...]]) -> Case:
    """A row as the value it stands for."""
    values = {name: getattr(row, name) for name in _FIELDS}
    handlers = tuple(json.loads(row.handlers))
    return Case(**{**values, "state": State(row.state), "handlers": handlers})


def _row(case: Case) -> dict[str, object]:
    values = {name: getattr(case, name) for name in _FIELDS}
    return {
        **values,
        "state": case.state.value,
        "stage": case.stage.value,
        "handlers": json.dumps(case.handlers),
    }


def _duty(case: Case) -> dict[str, object]:
    return {
        "case_id": case.id,
        "at": case.updated_at,
        "department": case.department,
        "officer": case.officer,
    }
