"""Which duty table was in force when: every post, person and shift with since and until when.

A past day is judged by the shifts that held on it. Of people it keeps where they are posted and
which trackers speak for them, neither name nor number.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.duty.duty import Person, PersonRole, Post
from hub.duty.shift import Shift, read_clock
from hub.store import Instant, in_parts, metadata

BODIES: Mapping[str, tuple[str, ...]] = {
    "posts": ("grid", "areas", "shifts"),
    "people": ("role", "post", "trackers"),
    "shifts": ("days", "start", "end"),
}
"""What is kept of each kind of row, as its table has it."""

history = Table(
    "duty_history",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("key", String(64), nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    Column("body", Text, nullable=False),
    Index("ix_duty_history_key", "kind", "key"),
    Index("ix_duty_history_until", "until"),
)


@dataclass(frozen=True, slots=True)
class Roster:
    """The duty table as it held from `since` on, until the next."""

    since: datetime
    posts: Mapping[str, Post]
    people: Sequence[Person]
    shifts: Mapping[str, Shift]


def keep(tx: Connection, kind: str, rows: Mapping[str, Mapping[str, object]], at: datetime) -> None:
    """Rows that are in force from `at` on, by key; one that stays as it was keeps its since."""
    wanted = {
        key: json.dumps({name: row[name] for name in BODIES[kind]}, ensure_ascii=False)
        for key, row in rows.items()
    }
    known = _open(tx, kind, list(wanted))
    changed = {key: body for key, body in wanted.items() if known.get(key) != body}
    end(tx, kind, list(changed.keys() & known.keys()), at)
    new = [
        {"kind": kind, "key": key, "since": at, "until": None, "body": body}
        for key, body in changed.items()
    ]
    if new:
        tx.execute(history.insert(), new)


def end(tx: Connection, kind: str, keys: Sequence[str], at: datetime) -> None:
    """Rows that are in force no longer."""
    here = history.c
    for part in in_parts(keys):
        mine = here.key.in_(part)
        tx.execute(
            update(history).where(here.kind == kind, mine, here.until.is_(None)).values(until=at)
        )


def between(tx: Connection, first: datetime, last: datetime) -> list[Roster]:
    """The duty tables in force from `first` to `last`, in order of time."""
    here = history.c
    held = (here.since < last) & or_(here.until.is_(None), here.until > first)
    rows = tx.execute(select(history).where(held).order_by(here.key)).all()
    moments = {each for row in rows for each in (row.since, row.until) if each and each < last}
    return [
        _roster(since, [row for row in rows if _holds(row, since)])
        for since in sorted({first, *(each for each in moments if each > first)})
    ]


def begins(tx: Connection) -> datetime | None:
    """From when on the hub knew posts, people and shifts; None where one of them never was."""
    firsts = select(func.min(history.c.since)).group_by(history.c.kind)
    found = tx.execute(firsts).scalars().all()
    return max(found) if len(found) == len(BODIES) else None


def _open(tx: Connection, kind: str, keys: Sequence[str]) -> dict[str, str]:
    here, found = history.c, dict[str, str]()
    for part in in_parts(keys):
        mine = here.key.in_(part)
        known = select(here.key, here.body).where(here.kind == kind, mine, here.until.is_(None))
        found |= {row.key: row.body for row in tx.execute(known)}
    return found


def _holds(row: Row[tuple[object, ...]], at: datetime) -> bool:
    return bool(row.since <= at and (row.until is None or row.until > at))


def _roster(since: datetime, rows: Collection[Row[tuple[object, ...]]]) -> Roster:
    said = [(row.kind, str(row.key), json.loads(row.body)) for row in rows]
    return Roster(
        since,
        {
            key: Post(key, "", it["grid"], _parts(it["areas"]), _parts(it["shifts"]))
            for kind, key, it in said
            if kind == "posts"
        },
        [
            Person(key, "", PersonRole(it["role"]), it["post"], "", _parts(it["trackers"]))
            for kind, key, it in said
            if kind == "people"
        ],
        {
            key: Shift(
                key, "", _parts(it["days"]), read_clock("start", it["start"]),
                read_clock("end", it["end"]),
            )
            for kind, key, it in said
            if kind == "shifts"
        },
    )  # fmt: skip


def _parts(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n")) if text else ()
