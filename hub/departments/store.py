"""Departments in the database: cases name them by code, so that none is ever deleted."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Integer,
    String,
    Table,
    bindparam,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.departments.department import Department
from hub.store import Instant, metadata, upsert

departments = Table(
    "departments",
    metadata,
    Column("code", String(32), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name_zh", String(100), nullable=False),
    Column("credit_code", String(18), nullable=False),
    Column("phone", String(40), nullable=False),
    Column("level", Integer),
    Column("grid", String(64)),
    Column("generated", Boolean, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("retired_at", Instant),
)

_FIELDS = [field.name for field in fields(Department)]
IN_FORCE = departments.c.retired_at.is_(None)

_ONE = select(departments).where(departments.c.code == bindparam("code"))


@dataclass(frozen=True, slots=True)
class Known:
    """A department as it is kept; `version` grows with every change."""

    department: Department
    version: int
    updated_at: datetime
    retired_at: datetime | None


def listed(tx: Connection, *which: ColumnElement[bool]) -> list[Known]:
    """Departments by code."""
    found = tx.execute(select(departments).where(*which).order_by(departments.c.code))
    return [_known(row) for row in found]


def one(tx: Connection, code: str) -> Known | None:
    """A department, retired or not."""
    row = tx.execute(_ONE, {"code": code}).one_or_none()
    return None if row is None else _known(row)


def names(tx: Connection, codes: Collection[str | None]) -> dict[str, str]:
    """The names of departments by code."""
    wanted = [code for code in codes if code]
    if not wanted:
        return {}
    found = select(departments.c.code, departments.c.name_zh)
    return {
        row.code: row.name_zh for row in tx.execute(found.where(departments.c.code.in_(wanted)))
    }


def changed(tx: Connection, wanted: Sequence[Department]) -> tuple[list[Department], int]:
    """Those that are not kept like this already, and how many of them are new."""
    before = {each.department.code: each for each in listed(tx)}
    differ = [
        each
        for each in wanted
        if (known := before.get(each.code)) is None
        or known.department != each
        or known.retired_at is not None
    ]
    return differ, sum(each.code not in before for each in differ)


def put(tx: Connection, wanted: Sequence[Department], at: datetime) -> None:
    """Keep departments, in force; each becomes one version newer."""
    codes = [each.code for each in wanted]
    found = select(departments.c.code, departments.c.version)
    before = {row.code: row.version for row in tx.execute(found) if row.code in set(codes)}
    rows = [
        {
            **{name: getattr(each, name) for name in _FIELDS},
            "version": before.get(each.code, 0) + 1,
            "updated_at": at,
            "retired_at": None,
        }
        for each in wanted
    ]
    upsert(tx, departments, rows, ["code"])


def retire(tx: Connection, code: str, version: int, at: datetime) -> None:
    """Send it no more cases."""
    unchanged = (departments.c.code == code) & (departments.c.version == version)
    values = {"retired_at": at, "updated_at": at, "version": version + 1}
    tx.execute(update(departments).where(unchanged).values(values))


def _known(row: Row[tuple[object, ...]]) -> Known:
    department = Department(**{name: getattr(row, name) for name in _FIELDS})
    return Known(department, row.version, row.updated_at, row.retired_at)
