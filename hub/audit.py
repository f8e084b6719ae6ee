"""Who did what, when, to what: append-only, each entry carrying the hash of the one before.

An entry is written in the transaction of the act it tells of. The database refuses to change or
delete entries (triggers); `verify` finds what was changed past them.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, select, update
from sqlalchemy.engine import Connection, Row

from hub.store import Instant, metadata, put, to_ms

GENESIS = "0" * 64

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
_MOVE_HEAD = update(heads).where(heads.c.id == 1)


@dataclass(frozen=True)
class Entry:
    """One act. `kind` and `subject` name the thing; states are empty where there are none."""

    at: datetime
    actor: str
    role: str
    kind: str
    subject: str
    action: str
    from_state: str = ""
    to_state: str = ""
    note: str = ""


_said = attrgetter(*(field.name for field in fields(Entry) if field.name != "at"))
_COLUMNS = tuple(column.name for column in entries.columns)


def digest(number: int, entry: Entry, previous: str) -> str:
    """SHA-256 over the entry's number, fields and the hash before it."""
    told = [number, to_ms(entry.at), *_said(entry), previous]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def append(tx: Connection, acts: Sequence[Entry]) -> None:
    """Add entries in order, in the caller's transaction."""
    if not acts:
        return
    number, previous = tx.execute(_HEAD).one()
    rows = []
    for entry in acts:
        number += 1
        hashed = digest(number, entry, previous)
        rows.append((number, to_ms(entry.at), *_said(entry), previous, hashed))
        previous = hashed
    put(tx, entries, _COLUMNS, rows)
    tx.execute(_MOVE_HEAD, {"last_id": number, "last_hash": previous})


def last(tx: Connection) -> int:
    """The number of the latest entry, 0 before the first."""
    return tx.execute(select(heads.c.last_id).where(heads.c.id == 1)).scalar() or 0


def of(tx: Connection, kind: str, subject: str) -> list[Entry]:
    """The history of one thing, oldest first."""
    found = select(entries).where(entries.c.kind == kind, entries.c.subject == subject)
    return [_entry(row) for row in tx.execute(found.order_by(entries.c.id))]


def verify(tx: Connection) -> list[str]:
    """Every break of the chain, one sentence each; empty when it is whole."""
    faults = []
    expected, previous = 1, GENESIS
    for row in tx.execute(select(entries).order_by(entries.c.id)):
        if row.id != expected:
            faults.append(f"audit {expected} to {row.id - 1}: missing")
        elif row.previous != previous:
            faults.append(f"audit {row.id}: does not follow the entry before it")
        if digest(row.id, _entry(row), row.previous) != row.hash:
            faults.append(f"audit {row.id}: changed after it was written")
        expected, previous = row.id + 1, row.hash
    head = tx.execute(select(heads).where(heads.c.id == 1)).one()
    if (head.last_id, head.last_hash) != (expected - 1, previous):
        faults.append(f"audit: ends at {expected - 1}, but {head.last_id} entries were written")
    return faults


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
