"""Posts, people, duties, tasks, rewards and shifts in the database."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    String,
    Table,
    Text as LongText,
    delete,
    func,
    select,
)
from sqlalchemy.engine import Connection

from hub.duty import history
from hub.duty.duty import Five, Person, PersonRole, Post, Text
from hub.duty.shift import Shift, read_clock
from hub.duty.table import Duty, Known
from hub.grid.store import IN_FORCE, grids
from hub.store import metadata, now, upsert
from hub.tracks.store import PHONES

posts = Table(
    "duty_posts",
    metadata,
    Column("code", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("grid", String(64), nullable=False, index=True),
    Column("areas", LongText, nullable=False),
    Column("shifts", LongText, nullable=False),
)
people = Table(
    "duty_people",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", String(32), nullable=False),
    Column("post", String(64), nullable=False, index=True),
    Column("phone", String(32), nullable=False),
    Column("trackers", LongText, nullable=False),
)
texts = Table(
    "duty_texts",
    metadata,
    Column("grid", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("text", LongText, nullable=False),
)
shifts = Table(
    "duty_shifts",
    metadata,
    Column("code", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("days", String(64), nullable=False),
    Column("start", String(5), nullable=False),
    Column("end", String(5), nullable=False),
)


def known(tx: Connection) -> Known:
    """The codes that a table may refer to."""
    return Known(
        frozenset(tx.execute(select(grids.c.code).where(IN_FORCE)).scalars()),
        frozenset(tx.execute(select(posts.c.code)).scalars()),
        frozenset(tx.execute(select(shifts.c.code)).scalars()),
    )


def put(tx: Connection, duty: Duty, at: datetime | None = None) -> None:
    """Take rows in; those of the same key are replaced, what the table does not name stays.

    A grid's texts of one kind are replaced together. `at`: they hold from then on, by default now.
    """
    rows = {
        "posts": {post.code: _post_row(post) for post in duty.posts},
        "people": {person.id: _person_row(person) for person in duty.people},
        "shifts": {shift.code: _shift_row(shift) for shift in duty.shifts},
    }
    for kind, found in rows.items():
        table, column = KEYS[kind]
        upsert(tx, table, list(found.values()), [column.name])
        history.keep(tx, kind, found, at or now())
    grouped: dict[tuple[str, Five], list[str]] = {}
    for text in duty.texts:
        grouped.setdefault((text.grid, text.kind), []).append(text.text)
    for (grid, kind), said in grouped.items():
        put_texts(tx, grid, kind, said)


def put_texts(tx: Connection, grid: str, kind: Five, said: Sequence[str]) -> None:
    """Replace a grid's duties, tasks or rewards."""
    tx.execute(delete(texts).where(texts.c.grid == grid, texts.c.kind == kind.value))
    rows = [
        {"grid": grid, "kind": kind.value, "place": n, "text": text} for n, text in enumerate(said)
    ]
    if rows:
        tx.execute(texts.insert(), rows)


def load_posts(tx: Connection, *which: ColumnElement[bool]) -> list[Post]:
    """Posts by code."""
    rows = tx.execute(select(posts).where(*which).order_by(posts.c.code))
    return [Post(r.code, r.name, r.grid, _parts(r.areas), _parts(r.shifts)) for r in rows]


def load_people(tx: Connection, *which: ColumnElement[bool]) -> list[Person]:
    """People by id."""
    rows = tx.execute(select(people).where(*which).order_by(people.c.id))
    return [
        Person(r.id, r.name, PersonRole(r.role), r.post, r.phone, _parts(r.trackers)) for r in rows
    ]


def load_shifts(tx: Connection, *which: ColumnElement[bool]) -> list[Shift]:
    """Shifts by code."""
    rows = tx.execute(select(shifts).where(*which).order_by(shifts.c.code))
    return [
        Shift(
            r.code,
            r.name,
            _parts(r.days),
            read_clock("start", r.start),
            read_clock("end", r.end),
        )
        for r in rows
    ]


def load_texts(tx: Connection, which: Collection[str] | None = None) -> dict[str, list[Text]]:
    """Duties, tasks and rewards by grid, in their order."""
    found = select(texts).order_by(texts.c.grid, texts.c.kind, texts.c.place)
    if which is not None:
        found = found.where(texts.c.grid.in_(which))
    result: dict[str, list[Text]] = {}
    for row in tx.execute(found):
        result.setdefault(row.grid, []).append(Text(row.grid, Five(row.kind), row.text))
    return result


def trackers(tx: Connection) -> set[str]:
    """Every vehicle or phone that stands for somebody on duty."""
    rows = tx.execute(select(people.c.trackers)).scalars()
    return {tracker for row in rows for tracker in _parts(row)}


def is_referred_to(tx: Connection, kind: str, key: str) -> str:
    """What still refers to a post or shift, "" when nothing does."""
    if kind == "posts":
        count = tx.execute(
            select(func.count()).select_from(people).where(people.c.post == key)
        ).scalar_one()
        return f"{count} people" if count else ""
    if kind == "shifts":
        users = [post.code for post in load_posts(tx) if key in post.shifts]
        return f"post {users[0]}" if users else ""
    return ""


KEYS = {
    "posts": (posts, posts.c.code),
    "people": (people, people.c.id),
    "shifts": (shifts, shifts.c.code),
}


def remove(tx: Connection, kind: str, key: str) -> bool:
    """Delete one row; whether it was there."""
    table, column = KEYS[kind]
    history.end(tx, kind, [key], now())
    return tx.execute(delete(table).where(column == key)).rowcount > 0


def masked(person: Person) -> Person:
    """The same for those who may not know who it is: a surname, no number, no account."""
    trackers = tuple(each for each in person.trackers if not each.startswith(f"{PHONES}/"))
    return replace(person, name=f"{person.name[:1]}**", phone="", trackers=trackers)


def _post_row(post: Post) -> dict[str, object]:
    return {
        "code": post.code,
        "name": post.name,
        "grid": post.grid,
        "areas": "\n".join(post.areas),
        "shifts": "\n".join(post.shifts),
    }


def _person_row(person: Person) -> dict[str, object]:
    return {
        "id": person.id,
        "name": person.name,
        "role": person.role.value,
        "post": person.post,
        "phone": person.phone,
        "trackers": "\n".join(person.trackers),
    }


def _shift_row(shift: Shift) -> dict[str, object]:
    return {
        "code": shift.code,
        "name": shift.name,
        "days": "\n".join(shift.days),
        "start": f"{shift.start:%H:%M}",
        "end": f"{shift.end:%H:%M}",
    }


def _parts(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n")) if text else ()
