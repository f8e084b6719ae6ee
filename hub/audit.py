"""Who did what, when, to what: append-only, each entry carrying the hash of the one before.

An entry is written in the transaction of the act it tells of. The database refuses to change or
delete entries (triggers); `verify` finds what was changed past them.
"""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from operator import attrgetter

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    String,
    Table,
    Text,
    func,
    literal,
    select,
)
from sqlalchemy.engine import Connection, Row

from hub.people.users import users
from hub.store import Instant, metadata, plain, put, to_ms
from wire.coded import kept, read_kept

GENESIS = "0" * 64
AT_ONCE = 5_000

entries = Table(
    "audit",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("role", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("action", String(32), nullable=False),
    Column("from_state", String(32), nullable=False),
    Column("to_state", String(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_audit_subject", "kind", "subject"),
    Index("ix_audit_actor", "actor", "id"),
    Index("ix_audit_action", "action", "id"),
    Index("ix_audit_at", "at"),
)
heads = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last_id", BigInteger, nullable=False),
    Column("last_hash", String(64), nullable=False),
)


# Built once: they run in every transaction that does anything.
_HEAD = select(heads.c.last_id, heads.c.last_hash).where(heads.c.id == 1).with_for_update()


@dataclass(frozen=True)
class Entry:
    """One act. `kind` and `subject` name the thing; states are empty where there are none.

    `note`: what a person wrote, or the program's sentence, kept with its code (`wire.coded`).
    """

    at: datetime
    actor: str
    role: str
    kind: str
    subject: str
    action: str
    from_state: str = ""
    to_state: str = ""
    note: str = ""


_json = json.JSONEncoder(ensure_ascii=False).encode
_said = attrgetter(*(field.name for field in fields(Entry) if field.name != "at"))
_COLUMNS = tuple(column.name for column in entries.columns)
_HEAD_COLUMNS = tuple(column.name for column in heads.columns)


@dataclass(frozen=True)
class Kept:
    """An entry as it stands in the chain."""

    number: int
    entry: Entry
    hash: str


@dataclass(frozen=True)
class Wanted:
    """Which entries; None and empty for any. `text`: stands in the note.

    `actor`: a login, or what people are called. `since` is in, `until` is not.
    """

    actor: str | None = None
    kind: str | None = None
    subject: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


@dataclass(frozen=True)
class Chain:
    """What a walk along the chain found: how many entries, and every break, one sentence each."""

    entries: int
    faults: tuple[str, ...]


def digest(number: int, entry: Entry, previous: str) -> str:
    """SHA-256 over the entry's number, fields and the hash before it."""
    return _digest([number, to_ms(entry.at), *_said(entry), previous])


def _digest(told: Sequence[object]) -> str:
    """Of all columns but the hash, as the database has them."""
    return hashlib.sha256(_json(told).encode()).hexdigest()


def append(tx: Connection, acts: Sequence[Entry]) -> None:
    """Add entries in order, in the caller's transaction."""
    if not acts:
        return
    number, previous = tx.execute(_HEAD).one()
    rows = []
    for act in acts:
        number += 1
        entry = replace(act, note=kept(act.note))
        hashed = digest(number, entry, previous)
        rows.append((number, to_ms(entry.at), *_said(entry), previous, hashed))
        previous = hashed
    put(tx, entries, _COLUMNS, rows)
    put(tx, heads, _HEAD_COLUMNS, [(1, number, previous)], ("id",))


def last(tx: Connection) -> int:
    """The number of the latest entry, 0 before the first."""
    return tx.execute(select(heads.c.last_id).where(heads.c.id == 1)).scalar() or 0


def of(tx: Connection, kind: str, subject: str) -> list[Entry]:
    """The history of one thing, oldest first."""
    found = select(entries).where(entries.c.kind == kind, entries.c.subject == subject)
    return [_read(row) for row in tx.execute(found.order_by(entries.c.id))]


def latest(tx: Connection, kind: str, subjects: Collection[str], action: str) -> dict[str, Entry]:
    """The latest act of that name with each of the things, where there was one."""
    if not subjects:
        return {}
    done = select(entries).where(
        entries.c.kind == kind, entries.c.subject.in_(subjects), entries.c.action == action
    )
    return {row.subject: _read(row) for row in tx.execute(done.order_by(entries.c.id))}


def found(
    tx: Connection, wanted: Wanted, limit: int | None = None, offset: int = 0
) -> tuple[list[Kept], int]:
    """Entries, the latest first, and how many there are."""
    which = _conditions(wanted)
    total = tx.execute(select(func.count()).select_from(entries).where(*which)).scalar_one()
    latest = select(entries).where(*which).order_by(entries.c.id.desc())
    rows = tx.execute(latest.limit(limit).offset(offset))
    return [Kept(row.id, _read(row), row.hash) for row in rows], total


def words(tx: Connection, column: str) -> list[str]:
    """The different values of a column that has an index; one seek for each."""
    known: list[str] = []
    name = entries.c[column]
    smallest = select(func.min(name))
    while True:
        word = tx.execute(smallest.where(name > known[-1]) if known else smallest).scalar()
        if word is None:
            return known
        known.append(str(word))


def verify(tx: Connection) -> list[str]:
    """Every break of the chain, one sentence each; empty when it is whole."""
    return list(walk(tx).faults)


def walk(tx: Connection) -> Chain:
    """Compute the whole chain again, some thousand entries at a time.

    Head and last entry are read in one statement: what is written meanwhile is no break.
    """
    newest = select(func.max(entries.c.id)).scalar_subquery()
    head = tx.execute(select(heads, newest.label("newest")).where(heads.c.id == 1)).one()
    end = max(head.last_id, head.newest or 0)
    faults = []
    expected, previous, count = 1, GENESIS, 0
    after = 0
    while after < end:
        part = select(entries).where(entries.c.id > after, entries.c.id <= end)
        rows = list(plain(tx, part.order_by(entries.c.id).limit(AT_ONCE)))
        if not rows:
            break
        for *told, hashed in rows:
            number = told[0]
            if number != expected:
                faults.append(f"audit {expected} to {number - 1}: missing")
            elif told[-1] != previous:
                faults.append(f"audit {number}: does not follow the entry before it")
            if _digest(told) != hashed:
                faults.append(f"audit {number}: changed after it was written")
            expected, previous = number + 1, hashed
        count += len(rows)
        after = expected - 1
    if (head.last_id, head.last_hash) != (expected - 1, previous):
        faults.append(f"audit: ends at {expected - 1}, but {head.last_id} entries were written")
    return Chain(count, tuple(faults))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    exact = {
        "kind": wanted.kind,
        "subject": wanted.subject,
        "action": wanted.action,
    }
    which = [entries.c[name] == value for name, value in exact.items() if value]
    if wanted.actor:
        called = select(users.c.name).where(users.c.display_name == wanted.actor)
        which.append(entries.c.actor.in_(called.union_all(select(literal(wanted.actor)))))
    if wanted.since is not None:
        which.append(entries.c.at >= wanted.since)
    if wanted.until is not None:
        which.append(entries.c.at < wanted.until)
    if wanted.text:
        which.append(entries.c.note.contains(wanted.text, autoescape=True))
    return which


def _read(row: Row[tuple[object, ...]]) -> Entry:
    return replace(_entry(row), note=read_kept(row.note))


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    return Entry(
        row.at,
        row.actor,
        row.role,
        row.kind,
        row.subject,
        row.action,
        row.from_state,
        row.to_state,
        row.note,
    )
