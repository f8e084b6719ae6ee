"""People: who may log in, and the posts they hold. Nobody is deleted, for history names them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    String,
    Table,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.roles import Actor, Post, Role, highest
from hub.store import Instant, metadata

users = Table(
    "users",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("display_name", String(100), nullable=False),
    Column("phone", String(40), nullable=False, server_default=""),
    Column("hash", String(200), nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("subject", String(300), unique=True),
    Column("created_at", Instant, nullable=False),
    Column("password_at", Instant),
    Column("disabled_at", Instant),
    Column("seen_at", Instant),
)
posts = Table(
    "user_posts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("grid", String(64)),
    Column("department", String(64)),
    Column("matter_class", String(2)),
    Index("ix_user_posts_user", "user"),
)


@dataclass(frozen=True)
class User:
    """A person. `subject`: who he is at the city's identity provider. `hash`: empty for none."""

    name: str
    display_name: str
    created_at: datetime
    posts: tuple[Post, ...] = ()
    hash: str = ""
    must_change: bool = False
    subject: str | None = None
    phone: str = ""
    password_at: datetime | None = None
    disabled_at: datetime | None = None
    seen_at: datetime | None = None

    def actor(self, *, by_cookie: bool) -> Actor | None:
        """Who he is in the hub; None for one who is disabled or holds no post."""
        if self.disabled_at is not None or not self.posts:
            return None
        role = highest(post.role for post in self.posts)
        return Actor(
            self.name, role, by_cookie=by_cookie, posts=self.posts, must_change=self.must_change
        )


_KEPT = (
    "name", "display_name", "phone", "created_at", "hash", "must_change", "subject",
    "password_at", "disabled_at", "seen_at",
)  # fmt: skip


def load(tx: Connection, name: str) -> User | None:
    """One person."""
    return next(iter(listed(tx, users.c.name == name)), None)


def by_subject(tx: Connection, subject: str) -> User | None:
    """The person an identity provider speaks of."""
    return next(iter(listed(tx, users.c.subject == subject)), None)


def listed(
    tx: Connection, *which: ColumnElement[bool], limit: int | None = None, offset: int = 0
) -> list[User]:
    """People by name."""
    found = select(users).where(*which).order_by(users.c.name).limit(limit).offset(offset)
    rows = tx.execute(found).all()
    held = posts_of(tx, [row.name for row in rows])
    return [_user(row, held.get(row.name, ())) for row in rows]


def has_post(**named: str) -> ColumnElement[bool]:
    """People who hold a post with these values: `role`, `grid`, `department`."""
    which = [posts.c[column] == value for column, value in named.items()]
    return users.c.name.in_(select(posts.c.user).where(*which))


def count(tx: Connection, *which: ColumnElement[bool]) -> int:
    """How many there are."""
    return tx.execute(select(func.count()).select_from(users).where(*which)).scalar_one()


def posts_of(tx: Connection, names: Sequence[str]) -> dict[str, tuple[Post, ...]]:
    """The posts of people."""
    held: dict[str, tuple[Post, ...]] = {}
    for row in tx.execute(select(posts).where(posts.c.user.in_(names)).order_by(posts.c.id)):
        post = Post(Role(row.role), row.grid, row.department, row.matter_class)
        held[row.user] = (*held.get(row.user, ()), post)
    return held


def add(tx: Connection, user: User) -> None:
    """Store a new person with his posts."""
    tx.execute(users.insert().values({name: getattr(user, name) for name in _KEPT}))
    put_posts(tx, user.name, user.posts)


def save(tx: Connection, user: User) -> None:
    """Overwrite a person; his posts are put by `put_posts`."""
    values = {name: getattr(user, name) for name in _KEPT}
    tx.execute(update(users).where(users.c.name == user.name).values(values))


def put_posts(tx: Connection, name: str, held: Sequence[Post]) -> None:
    """Give a person these posts and no others."""
    tx.execute(delete(posts).where(posts.c.user == name))
    rows = [
        {
            "user": name,
            "role": post.role.value,
            "grid": post.grid,
            "department": post.department,
            "matter_class": post.matter_class,
        }
        for post in held
    ]
    if rows:
        tx.execute(posts.insert(), rows)


def administrators(tx: Connection) -> list[str]:
    """Those who can log in and administer the whole hub."""
    named = select(posts.c.user).where(posts.c.role == Role.ADMIN.value)
    return [
        user.name
        for user in listed(tx, users.c.name.in_(named), users.c.disabled_at.is_(None))
        if any(post.role is Role.ADMIN and not post.is_limited for post in user.posts)
    ]


def _user(row: Row[tuple[object, ...]], held: tuple[Post, ...]) -> User:
    return User(**{name: getattr(row, name) for name in _KEPT}, posts=held)
