"""Records of cases, and the table of who may settle what, in the database."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.calendar.limit import TimeLimit, Unit
from hub.cases.power import Power
from hub.cases.record import Kind, Record, RecordState
from hub.cases.store import cases
from hub.store import Instant, metadata

records = Table(
    "case_records",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", Integer, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("by", String(100), nullable=False),
    Column("note", Text, nullable=False),
    Column("until", Instant),
    Column("department", String(32)),
    Column("number", Float),
    Column("unit", String(16)),
    Column("reason", String(32), nullable=False),
    Column("from_level", Integer),
    Column("to_level", Integer),
    Column("decided_at", Instant),
    Column("decided_by", String(100)),
    Column("decision", Text, nullable=False),
    Column("person", String(64)),
    Column("overdue_at", Instant),
    Index("ix_case_records_waiting", "state", "kind", "until"),
)
powers = Table(
    "settling_powers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("matter", String(5)),
    Column("level_from", Integer, nullable=False),
    Column("level_to", Integer, nullable=False),
    Column("grid_level", Integer, nullable=False),
)

# Built once: they run in steps of cases.
_OF_CASES = (
    select(records)
    .where(records.c.case_id.in_(bindparam("cases", expanding=True)))
    .order_by(records.c.id)
)
_POWERS = select(powers).order_by(powers.c.id)
_SAME = (
    "case_id", "at", "by", "note", "until", "department", "reason", "from_level", "to_level",
    "decided_at", "decided_by", "decision", "person", "overdue_at",
)  # fmt: skip


def add(tx: Connection, record: Record) -> Record:
    """Keep a new record; returns it with its id."""
    statement = records.insert().values(_row(record)).returning(records.c.id)
    return replace(record, id=tx.execute(statement).scalar_one())


def save(tx: Connection, record: Record) -> None:
    """Overwrite a record."""
    tx.execute(update(records).where(records.c.id == record.id).values(_row(record)))


def of_cases(tx: Connection, cases: Collection[int]) -> dict[int, list[Record]]:
    """The records of cases, oldest first."""
    found: dict[int, list[Record]] = {case: [] for case in cases}
    if found:
        for row in tx.execute(_OF_CASES, {"cases": list(found)}):
            found[row.case_id].append(_record(row))
    return found


def listed(
    tx: Connection, *which: ColumnElement[bool], limit: int | None = None, offset: int = 0
) -> list[Record]:
    """Records, oldest first."""
    statement = select(records).where(*which).order_by(records.c.id).limit(limit).offset(offset)
    return [_record(row) for row in tx.execute(statement)]


def count(tx: Connection, *which: ColumnElement[bool]) -> int:
    """How many records there are."""
    return tx.execute(select(func.count()).select_from(records).where(*which)).scalar_one()


def has_to_do(department: str) -> ColumnElement[bool]:
    """Cases that a department was sent to, or takes part in."""
    partner = (records.c.kind == Kind.JOINT.value) & (records.c.department == department)
    joined = select(records.c.case_id).where(partner)
    return (cases.c.department == department) | cases.c.id.in_(joined)


def partners(tx: Connection, ids: Collection[int]) -> dict[int, frozenset[str]]:
    """The departments that take part in cases."""
    joint = (records.c.kind == Kind.JOINT.value) & records.c.case_id.in_(ids)
    found: dict[int, set[str]] = {}
    for row in tx.execute(select(records.c.case_id, records.c.department).where(joint)):
        found.setdefault(row.case_id, set()).add(row.department)
    return {case: frozenset(codes) for case, codes in found.items()}


def over(tx: Connection, at: datetime, limit: int) -> list[Record]:
    """Suspensions in force whose end has come."""
    ended = (
        (records.c.state == RecordState.APPROVED.value)
        & (records.c.kind == Kind.SUSPENSION.value)
        & (records.c.until <= at)
    )
    return listed(tx, ended, limit=limit)


def unanswered(tx: Connection, at: datetime, limit: int) -> list[Record]:
    """Supervisions whose time to answer is over, of which nobody was told yet."""
    late = (
        (records.c.state == RecordState.OPEN.value)
        & (records.c.kind == Kind.SUPERVISION.value)
        & (records.c.until < at)
        & records.c.overdue_at.is_(None)
    )
    return listed(tx, late, limit=limit)


def load_powers(tx: Connection) -> list[Power]:
    """The table of who may settle what."""
    return [
        Power(row.matter, row.level_from, row.level_to, row.grid_level)
        for row in tx.execute(_POWERS)
    ]


def put_powers(tx: Connection, wanted: Sequence[Power]) -> None:
    """Replace the table."""
    tx.execute(delete(powers))
    rows = [
        {
            "matter": each.matter,
            "level_from": each.level_from,
            "level_to": each.level_to,
            "grid_level": each.grid_level,
        }
        for each in wanted
    ]
    if rows:
        tx.execute(powers.insert(), rows)


def _record(row: Row[tuple[object, ...]]) -> Record:
    extra = TimeLimit(row.number, Unit(row.unit)) if row.unit else None
    same = {name: getattr(row, name) for name in _SAME}
    return Record(id=row.id, kind=Kind(row.kind), state=RecordState(row.state), extra=extra, **same)


def _row(record: Record) -> dict[str, object]:
    return {
        **{name: getattr(record, name) for name in _SAME},
        "kind": record.kind.value,
        "state": record.state.value,
        "number": record.extra.number if record.extra else None,
        "unit": record.extra.unit.value if record.extra else None,
    }
