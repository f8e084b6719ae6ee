"""Who may do what: bearer tokens, cookie sessions, roles with the least right by default.

Only SHA-256 of a token or session is kept. A write by cookie needs the header `X-Tianyan: 1`,
which another site's page cannot send.
"""

import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from fastapi import Request
from sqlalchemy import Column, Integer, String, Table, Text, func, or_, select, update
from sqlalchemy.engine import Connection, Row

from hub.config import Access, is_loopback
from hub.errors import Problem
from hub.people import sessions, users
from hub.people.sessions import Kind, Session
from hub.roles import RIGHTS, Actor, Post, Right, Role, Spot
from hub.scope import Reach, Whereabouts
from hub.store import Instant, Store, metadata, now
from wire.coded import coded

COOKIE = "tianyan_session"
CSRF_HEADER = "x-tianyan"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
NOTED_EVERY = timedelta(minutes=10)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("grids", Text, nullable=False, server_default="[]"),
    Column("expires_at", Instant),
    Column("used_at", Instant),
)


def hashed(secret: str) -> str:
    """What is kept of a secret of 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def issue_token(
    tx: Connection,
    name: str,
    role: Role,
    grids: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> str:
    """Make a token for `name`; it is shown once and never again.

    `grids`: to which it is limited; none for the whole city.
    """
    secret = secrets.token_urlsafe(32)
    row = {"name": name, "role": role.value, "hash": hashed(secret), "created_at": now()}
    limits = {"grids": json.dumps(list(grids)), "expires_at": expires_at}
    tx.execute(tokens.insert().values(row | limits))
    return secret


def issue_first_token(store: Store, data_dir: Path) -> Path | None:
    """On a database with no token, write one for an administrator to `data_dir/admin-token`."""
    with store.write() as tx:
        if tx.execute(select(func.count()).select_from(tokens)).scalar_one():
            return None
        secret = issue_token(tx, "admin", Role.ADMIN)
        path = data_dir / "admin-token"
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secret + "\n")
    return path


def need(right: Right, reach: Reach = Reach.CITY) -> Callable[[Request], Actor]:
    """A dependency: the caller, who must have `right` there; in the role he has there.

    There is the thing that the path is about (`hub.scope.Whereabouts`), or what `reach` says.
    """

    def caller(request: Request) -> Actor:
        actor = identify(request)
        if actor is None:
            raise Problem(
                401,
                "unauthorized",
                coded("no_session", "no valid token or session"),
                coded("bearer", "Authorization: Bearer TOKEN"),
            )
        if actor.by_cookie and request.method not in SAFE_METHODS:
            check_csrf(request)
        if actor.must_change:
            raise Problem(
                403,
                "password_change_needed",
                coded("own_password", "{who} must choose a password of his own", who=actor.name),
                coded("own_password_first", "POST /api/session/password"),
            )
        if not actor.may(right):
            names = ", ".join(role for role in Role if right in RIGHTS[role])
            raise Problem(
                403,
                "forbidden",
                coded(
                    "may_not",
                    "{who} ({role}) may not {right} here",
                    who=actor.name,
                    role=actor.role,
                    right=right,
                ),
                coded("roles", "{role}", role=names),
            )
        return _there(request, actor, right, reach)

    return caller


def _there(request: Request, actor: Actor, right: Right, reach: Reach) -> Actor:
    """The actor in the role his posts give him at what the call is about."""
    if not any(post.is_limited for post in actor.posts):
        return actor
    whereabouts: Whereabouts = request.app.state.whereabouts
    about = _THING.match(request.scope["route"].path)
    spots: Sequence[Spot] | None = ()
    if about is not None and (find := whereabouts.get(about[1])) is not None:
        with request.app.state.store.read() as tx:
            spots = find(tx, request.path_params)
    elif reach is Reach.GRID and (code := request.query_params.get("grid")):
        spots = request.app.state.grid_spots(code)
    elif reach in (Reach.POSTS, Reach.ALL):
        spots = None
    if spots is None:
        return actor
    found = actor.at(spots, right)
    if found is None:
        grids = ", ".join(actor.grids) or "the whole city"
        raise Problem(
            403,
            "elsewhere",
            coded(
                "posts_lack",
                "{who}'s posts do not cover this: {right} needs another grid, department or matter",
                who=actor.name,
                right=right,
            ),
            coded("posts_cover", "what the posts cover: {grids}", grids=grids),
        )
    return found


_THING = re.compile(r"/api/([\w-]+)/\{")


def check_csrf(request: Request) -> None:
    """Refuse a write by cookie that another site's page could have sent."""
    if request.headers.get(CSRF_HEADER) != "1":
        raise Problem(
            403, "csrf", coded("header_needed", "a write by cookie needs a header"), "X-Tianyan: 1"
        )


def identify(request: Request, *, touch: bool = True) -> Actor | None:
    """The caller by bearer token or session cookie; None for neither or a wrong one.

    `touch`: whether the call counts as use of the session.
    """
    store: Store = request.app.state.store
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme:
        return by_token(store, secret.strip()) if scheme.lower() == "bearer" else None
    secret = request.cookies.get(COOKIE, "")
    return _by_session(request, store, secret, touch=touch) if secret else None


def is_from_here(request: Request) -> bool:
    """Whether the call comes from this machine under a name of this machine.

    The name is checked too: a foreign page can point its own name at 127.0.0.1.
    """
    host = request.headers.get("host", "").rsplit(":", 1)[0]
    return request.client is not None and is_loopback(request.client.host) and is_loopback(host)


def by_token(store: Store, secret: str) -> Actor | None:
    """Whose token it is; None for nobody's."""
    at = now()
    with store.read() as tx:
        row = tx.execute(select(tokens).where(tokens.c.hash == hashed(secret))).one_or_none()
    if row is None or _is_over(row, at):
        return None
    if row.used_at is None or at - row.used_at >= NOTED_EVERY:
        _note_use(store, row.name, at)
    return _of_token(row)


def _is_over(token: Row[tuple[object, ...]], at: datetime) -> bool:
    return token.expires_at is not None and bool(token.expires_at <= at)


def _of_token(row: Row[tuple[object, ...]], *, by_cookie: bool = False) -> Actor:
    role = Role(row.role)
    posts = tuple(Post(role, grid=code) for code in json.loads(row.grids))
    return Actor(row.name, role, by_cookie=by_cookie, posts=posts)


def _note_use(store: Store, name: str, at: datetime) -> None:
    stale = or_(tokens.c.used_at.is_(None), tokens.c.used_at < at - NOTED_EVERY)
    with store.write() as tx:
        tx.execute(update(tokens).where(tokens.c.name == name, stale).values(used_at=at))


def _by_session(request: Request, store: Store, secret: str, *, touch: bool) -> Actor | None:
    access: Access = request.app.state.access
    at = now()
    with store.read() as tx:
        session = next(iter(sessions.load(tx, sessions.sessions.c.hash == hashed(secret))), None)
        if session is None or session.is_over(at, access.idle):
            return None
        actor = _behind(tx, session)
    if actor is not None and touch and at - session.seen_at >= sessions.NOTED_EVERY:
        with store.write() as tx:
            sessions.touch(tx, session.hash, at)
    return actor


def _behind(tx: Connection, session: Session) -> Actor | None:
    """Who a session's cookie speaks for, as things are now."""
    if session.kind is Kind.DEMO:
        return Actor(session.name, Role.OPERATOR, by_cookie=True)
    if session.kind is Kind.TOKEN:
        row = tx.execute(select(tokens).where(tokens.c.name == session.name)).one_or_none()
        if row is None or _is_over(row, now()):
            return None
        return _of_token(row, by_cookie=True)
    user = users.load(tx, session.name)
    actor = None if user is None else user.actor(by_cookie=True)
    if actor is not None and session.kind is Kind.SSO:
        return replace(actor, must_change=False)  # he came without the password
    return actor
