"""Dispatch rules, every version of them, and every dispatch in the database."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.cases.dispatch import Conditions, Rule, Target
from hub.store import Instant, metadata

dispatch_rules = Table(
    "dispatch_rules",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", Integer, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("matter", String(5)),
    Column("grid", String(64)),
    Column("level_from", Integer, nullable=False),
    Column("level_to", Integer, nullable=False),
    Column("hours", String(11), nullable=False),
    Column("department", String(32), nullable=False),
    Column("officer", String(100), nullable=False),
    Column("role", String(32), nullable=False),
    Column("note", String(300), nullable=False),
    Column("from_case", Integer),
    Column("by", String(100), nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant, index=True),
)
dispatches = Table(
    "dispatches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", Integer, nullable=False, index=True),
    Column("at", Instant, nullable=False, index=True),
    Column("by", String(100), nullable=False),
    Column("department", String(32)),
    Column("officer", String(100)),
    Column("rule", Integer),
    Column("corrected_at", Instant),
    Column("corrected_by", String(100)),
    Column("reason", Text, nullable=False),
)
"""Every dispatch of every case; `rule` is the version that sent it, empty where a person chose.
One that was corrected went to the wrong department."""

IN_FORCE = dispatch_rules.c.until.is_(None)

# Built once: they run whenever a case is sent.
_IN_FORCE = (
    select(dispatch_rules)
    .where(IN_FORCE)
    .order_by(dispatch_rules.c.number, dispatch_rules.c.version)
)
_NOTE = dispatches.insert()
_LAST_OF = (
    select(dispatches.c.department)
    .where(dispatches.c.case_id == bindparam("case"))
    .order_by(dispatches.c.id.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A version of a rule as it is kept: who made it, when, after which case, until when."""

    rule: Rule
    by: str
    since: datetime
    until: datetime | None
    from_case: int | None


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One dispatch of a case."""

    case_id: int
    at: datetime
    by: str
    department: str | None
    officer: str | None
    rule: int | None
    corrected_at: datetime | None = None
    corrected_by: str | None = None
    reason: str = ""


def kept(tx: Connection, *which: ColumnElement[bool]) -> list[Kept]:
    """Versions of rules, by rule and version."""
    by_age = (dispatch_rules.c.number, dispatch_rules.c.version)
    return [
        _kept(row) for row in tx.execute(select(dispatch_rules).where(*which).order_by(*by_age))
    ]


def in_force(tx: Connection) -> list[Rule]:
    """The rules in force."""
    return [_kept(row).rule for row in tx.execute(_IN_FORCE)]


def by_id(tx: Connection, ids: Collection[int | None]) -> dict[int, Kept]:
    """Versions of rules by id, in force or not."""
    wanted = [number for number in ids if number is not None]
    found = kept(tx, dispatch_rules.c.id.in_(wanted)) if wanted else []
    return {each.rule.id: each for each in found}


def put(
    tx: Connection,
    rule: Rule,
    *,
    by: str,
    at: datetime,
    from_case: int | None = None,
) -> Rule:
    """Put the next version of a rule in force, or a new rule for number 0; returns it."""
    number, version = rule.number, rule.version + 1
    if number == 0:
        newest: int | None = tx.execute(select(func.max(dispatch_rules.c.number))).scalar()
        number, version = (newest or 0) + 1, 1
    end(tx, number, at)
    row = {
        "number": number,
        "version": version,
        "matter": rule.when.matter,
        "grid": rule.when.grid,
        "level_from": rule.when.level_from,
        "level_to": rule.when.level_to,
        "hours": rule.when.hours,
        "department": rule.to.department,
        "officer": rule.to.officer,
        "role": rule.to.role,
        "note": rule.note,
        "from_case": from_case,
        "by": by,
        "since": at,
        "until": None,
    }
    statement = dispatch_rules.insert().values(row).returning(dispatch_rules.c.id)
    return Rule(tx.execute(statement).scalar_one(), number, version, rule.when, rule.to, rule.note)


def end(tx: Connection, number: int, at: datetime) -> bool:
    """Let a rule send nothing more; whether it was in force."""
    running = (dispatch_rules.c.number == number) & IN_FORCE
    return tx.execute(update(dispatch_rules).where(running).values(until=at)).rowcount > 0


@dataclass(frozen=True, slots=True)
class TableChange:
    """What makes a table the rules in force: rules to put, numbers of rules to end."""

    put: Sequence[Rule]
    ended: Sequence[int]


def changes(tx: Connection, wanted: Sequence[Rule]) -> TableChange:
    """What makes `wanted` the rules in force; one with the same conditions stays the same rule."""
    before: Mapping[Conditions, Rule] = {rule.when: rule for rule in in_force(tx)}
    new = []
    for rule in wanted:
        known = before.get(rule.when)
        if known is None:
            new.append(rule)
        elif (known.to, known.note) != (rule.to, rule.note):
            new.append(Rule(0, known.number, known.version, rule.when, rule.to, rule.note))
    staying = {rule.when for rule in wanted}
    ended = [rule.number for when, rule in before.items() if when not in staying]
    return TableChange(new, ended)


def note_dispatch(tx: Connection, made: Dispatch) -> None:
    """Keep a dispatch."""
    names = ("case_id", "at", "by", "department", "officer", "rule", "reason")
    tx.execute(_NOTE, {name: getattr(made, name) for name in names})


def last_of(tx: Connection, case_id: int) -> str | None:
    """The department that a case was sent to last."""
    return tx.execute(_LAST_OF, {"case": case_id}).scalar()


def correct_last(tx: Connection, case_id: int, *, by: str, at: datetime, reason: str) -> None:
    """The last dispatch of a case went to the wrong department."""
    last = select(func.max(dispatches.c.id)).where(dispatches.c.case_id == case_id)
    wrong = (dispatches.c.id == last.scalar_subquery()) & dispatches.c.corrected_at.is_(None)
    values = {"corrected_at": at, "corrected_by": by, "reason": reason}
    tx.execute(update(dispatches).where(wrong).values(values))


def of_case(tx: Connection, case_id: int) -> list[Dispatch]:
    """The dispatches of a case, oldest first."""
    found = select(dispatches).where(dispatches.c.case_id == case_id).order_by(dispatches.c.id)
    return [
        Dispatch(
            row.case_id,
            row.at,
            row.by,
            row.department,
            row.officer,
            row.rule,
            row.corrected_at,
            row.corrected_by,
            row.reason,
        )
        for row in tx.execute(found)
    ]


def _kept(row: Row[tuple[object, ...]]) -> Kept:
    when = Conditions(row.matter, row.grid, row.level_from, row.level_to, row.hours)
    to = Target(row.department, row.officer, row.role)
    rule = Rule(row.id, row.number, row.version, when, to, row.note)
    return Kept(rule, row.by, row.since, row.until, row.from_case)
