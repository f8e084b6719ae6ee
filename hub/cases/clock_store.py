"""Clocks of cases and the city's table of conditions in the database."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.calendar.limit import TimeLimit, Unit
from hub.cases.clock import Clock, Mark
from hub.cases.condition import Condition
from hub.store import Instant, in_parts, metadata, put, to_ms

conditions = Table(
    "conditions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("standard_ref", String(40), nullable=False),
    Column("matter", String(5), nullable=False, index=True),
    Column("opening", String(500), nullable=False),
    Column("closing", String(500), nullable=False),
    Column("number", Float, nullable=False),
    Column("unit", String(16), nullable=False),
    Column("department", String(100), nullable=False),
    Column("retired_at", Instant),
    Column("added_at", Instant),
    Column("added_by", String(100), nullable=False),
    Column("retired_by", String(100), nullable=False),
)
clocks = Table(
    "case_clocks",
    metadata,
    Column("case_id", Integer, primary_key=True, autoincrement=False),
    Column("condition", Integer),
    Column("opening", String(500), nullable=False),
    Column("closing", String(500), nullable=False),
    Column("number", Float, nullable=False),
    Column("unit", String(16), nullable=False),
    Column("started_at", Instant),
    Column("due_at", Instant, index=True),
    Column("warn_at", Instant),
    Column("calendar_version", Integer, nullable=False),
    Column("is_provisional", Boolean, nullable=False),
    Column("stopped_at", Instant),
    Column("left_s", Float),
    Column("done_at", Instant),
    Column("stage_due_at", Instant),
    Column("silent_at", Instant),
    Column("marks", Text, nullable=False),
    Column("next_mark_at", Instant, index=True),
)

history = Table(
    "clock_history",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("case_id", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("stage_due_at", Instant),
    Column("stopped_at", Instant),
    Column("done_at", Instant),
    Column("number", Float, nullable=False),
    Column("unit", String(16), nullable=False),
    Column("calendar_version", Integer, nullable=False),
    Index("ix_clock_history_case", "case_id", "at"),
    Index("ix_clock_history_at", "at"),
    Index("ix_clock_history_due_at", "due_at"),
    Index("ix_clock_history_stage_due_at", "stage_due_at"),
)
"""What each clock said after each of its changes: append-only, so that any past day can be judged
by the deadlines that held on it."""

_ROW = tuple(column.name for column in clocks.columns)
_SAID = tuple(column.name for column in history.columns if column.name != "id")

_BY_CASE = select(clocks).where(clocks.c.case_id.in_(bindparam("cases", expanding=True)))
_OF_CASE = select(clocks).where(clocks.c.case_id == bindparam("case"))
_IN_FORCE = (
    select(conditions)
    .where(
        conditions.c.standard_ref == bindparam("standard_ref"), conditions.c.retired_at.is_(None)
    )
    .order_by(conditions.c.matter, conditions.c.id)
)
_OF_MATTER = _IN_FORCE.where(conditions.c.matter == bindparam("matter"))
_SAME = (
    "condition", "opening", "closing", "started_at", "due_at", "warn_at", "calendar_version",
    "is_provisional", "stopped_at", "left_s", "done_at", "stage_due_at", "silent_at",
)  # fmt: skip


def save(tx: Connection, of_cases: Mapping[int, Clock], at: datetime) -> None:
    """Keep the clocks of cases by their ids, as they stand from `at` on."""
    save_marks(tx, of_cases)
    if of_cases:
        at_ms = to_ms(at)
        put(tx, history, _SAID, [_said(case, clock, at_ms) for case, clock in of_cases.items()])


def save_marks(tx: Connection, of_cases: Mapping[int, Clock]) -> None:
    """Keep clocks of which only what has been said of them has changed."""
    rows = [_row(case_id, clock) for case_id, clock in of_cases.items()]
    put(tx, clocks, _ROW, rows, ("case_id",))


def load(tx: Connection, cases: Collection[int]) -> dict[int, Clock]:
    """The clocks of cases."""
    found: dict[int, Clock] = {}
    for part in in_parts(list(cases)):
        rows = tx.execute(_BY_CASE, {"cases": part})
        found |= {row.case_id: _clock(row) for row in rows}
    return found


def load_one(tx: Connection, case: int) -> Clock | None:
    """The clock of one case."""
    row = tx.execute(_OF_CASE, {"case": case}).one_or_none()
    return None if row is None else _clock(row)


def to_be_marked(tx: Connection, at: datetime, limit: int) -> dict[int, Clock]:
    """The clocks of which something is to be said by `at`, the longest overdue first."""
    due = select(clocks).where(clocks.c.next_mark_at < at)
    found = tx.execute(due.order_by(clocks.c.next_mark_at).limit(limit))
    return {row.case_id: _clock(row) for row in found}


def conditions_of(tx: Connection, standard_ref: str, matter: str | None) -> list[Condition]:
    """The conditions in force for a matter, in the table's order."""
    if matter is None:
        return []
    wanted = {"standard_ref": standard_ref, "matter": matter}
    return [_condition(row) for row in tx.execute(_OF_MATTER, wanted)]


def all_conditions(tx: Connection, standard_ref: str) -> list[Condition]:
    """The table in force, by matter."""
    return [_condition(row) for row in tx.execute(_IN_FORCE, {"standard_ref": standard_ref})]


@dataclass(frozen=True, slots=True)
class KeptCondition:
    """A row with who put it in force when, and who took it out; None before that was kept."""

    condition: Condition
    since: datetime | None
    by: str
    until: datetime | None
    ended_by: str


def kept_conditions(
    tx: Connection, standard_ref: str, matter: str | None = None, *, ended: bool = False
) -> list[KeptCondition]:
    """The table in force by matter, or with `ended` all there ever was, the newest first."""
    found = select(conditions).where(conditions.c.standard_ref == standard_ref)
    if matter is not None:
        found = found.where(conditions.c.matter == matter)
    if ended:
        found = found.order_by(conditions.c.id.desc())
    else:
        found = found.where(conditions.c.retired_at.is_(None))
        found = found.order_by(conditions.c.matter, conditions.c.id)
    return [_kept(row) for row in tx.execute(found)]


def kept_condition(tx: Connection, number: int) -> KeptCondition | None:
    """A row of any time."""
    row = tx.execute(select(conditions).where(conditions.c.id == number)).one_or_none()
    return None if row is None else _kept(row)


def _kept(row: Row[tuple[object, ...]]) -> KeptCondition:
    return KeptCondition(
        _condition(row), row.added_at, row.added_by, row.retired_at, row.retired_by
    )


@dataclass(frozen=True, slots=True)
class TableChange:
    """What a new table brings: rows that are not in force yet, and ids of rows to be retired."""

    new: Sequence[Condition]
    retired: Sequence[int]


def changes(tx: Connection, standard_ref: str, wanted: Sequence[Condition]) -> TableChange:
    """What makes `wanted` the table in force; a row that stays as it was keeps its id."""
    before = {replace(each, id=0): each.id for each in all_conditions(tx, standard_ref)}
    rows = dict.fromkeys(wanted)
    return TableChange(
        [each for each in rows if each not in before],
        [number for each, number in before.items() if each not in rows],
    )


def put_in_force(tx: Connection, change: TableChange, at: datetime, by: str) -> list[int]:
    """Retire and add rows; cases keep what they were filed under. Returns the new rows' ids."""
    if change.retired:
        gone = conditions.c.id.in_(change.retired)
        tx.execute(update(conditions).where(gone).values(retired_at=at, retired_by=by))
    added = conditions.insert().returning(conditions.c.id)
    rows = _condition_rows(change.new, at, by)
    return [tx.execute(added.values(row)).scalar_one() for row in rows]


def _condition_rows(wanted: Iterable[Condition], at: datetime, by: str) -> list[dict[str, object]]:
    return [
        {
            "added_at": at,
            "added_by": by,
            "retired_by": "",
            "standard_ref": each.standard_ref,
            "matter": each.matter,
            "opening": each.opening,
            "closing": each.closing,
            "number": each.limit.number,
            "unit": each.limit.unit.value,
            "department": each.department,
        }
        for each in wanted
    ]


def _condition(row: Row[tuple[object, ...]]) -> Condition:
    limit = TimeLimit(row.number, Unit(row.unit))
    return Condition(
        row.id, row.standard_ref, row.matter, row.opening, row.closing, limit, row.department
    )


def _clock(row: Row[tuple[object, ...]]) -> Clock:
    marks = frozenset(Mark(each) for each in json.loads(row.marks))
    same = {name: getattr(row, name) for name in _SAME}
    return Clock(limit=TimeLimit(row.number, Unit(row.unit)), marks=marks, **same)


def _row(case_id: int, clock: Clock) -> tuple[object, ...]:
    return (
        case_id,
        clock.condition,
        clock.opening,
        clock.closing,
        clock.limit.number,
        clock.limit.unit.value,
        _ms(clock.started_at),
        _ms(clock.due_at),
        _ms(clock.warn_at),
        clock.calendar_version,
        clock.is_provisional,
        _ms(clock.stopped_at),
        clock.left_s,
        _ms(clock.done_at),
        _ms(clock.stage_due_at),
        _ms(clock.silent_at),
        json.dumps(sorted(clock.marks)),
        _ms(clock.next_mark_at),
    )


def _said(case_id: int, clock: Clock, at_ms: int) -> tuple[object, ...]:
    return (
        case_id,
        at_ms,
        _ms(clock.due_at),
        _ms(clock.stage_due_at),
        _ms(clock.stopped_at),
        _ms(clock.done_at),
        clock.limit.number,
        clock.limit.unit.value,
        clock.calendar_version,
    )


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)
