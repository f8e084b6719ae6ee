"""Who may do what: bearer tokens, cookie sessions, roles with the least right by default.

Only SHA-256 of a token or session is kept. A write by cookie needs the header `X-Tianyan: 1`,
which another site's page cannot send.
"""

import hashlib
import os
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from sqlalchemy import Column, Integer, String, Table, delete, func, select
from sqlalchemy.engine import Connection

from hub import audit
from hub.config import HubConfig, is_loopback
from hub.errors import Problem, not_found
from hub.http import ERRORS, Body, Listing, Utc, error_response
from hub.roles import RIGHTS, Actor, Right, Role
from hub.store import Instant, Store, metadata, now

COOKIE = "tianyan_session"
CSRF_HEADER = "x-tianyan"
SESSION_LIFE = timedelta(hours=12)
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
)
sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("expires_at", Instant, nullable=False),
)


def hashed(secret: str) -> str:
    """What is kept of a secret of 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def issue_token(tx: Connection, name: str, role: Role) -> str:
    """Make a token for `name`; it is shown once and never again."""
    secret = secrets.token_urlsafe(32)
    row = {"name": name, "role": role.value, "hash": hashed(secret), "created_at": now()}
    tx.execute(tokens.insert().values(row))
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


def need(right: Right) -> Callable[[Request], Actor]:
    """A dependency: the caller, who must have `right`."""

    def caller(request: Request) -> Actor:
        actor = identify(request)
        if actor is None:
            raise Problem(
                401, "unauthorized", "no valid token or session", "Authorization: Bearer TOKEN"
            )
        if actor.by_cookie and request.method not in SAFE_METHODS:
            check_csrf(request)
        if not actor.may(right):
            roles = ", ".join(role for role in Role if right in RIGHTS[role])
            raise Problem(
                403, "forbidden", f"{actor.name} ({actor.role}) may not {right} here", roles
            )
        return actor

    return caller


def check_csrf(request: Request) -> None:
    """Refuse a write by cookie that another site's page could have sent."""
    if request.headers.get(CSRF_HEADER) != "1":
        raise Problem(403, "csrf", "a write by cookie needs a header", "X-Tianyan: 1")


def identify(request: Request) -> Actor | None:
    """The caller by bearer token or session cookie; None for neither or a wrong one."""
    store: Store = request.app.state.store
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme:
        return by_token(store, secret.strip()) if scheme.lower() == "bearer" else None
    secret = request.cookies.get(COOKIE, "")
    return _by_session(store, secret) if secret else None


def is_from_here(request: Request) -> bool:
    """Whether the call comes from this machine under a name of this machine.

    The name is checked too: a foreign page can point its own name at 127.0.0.1.
    """
    host = request.headers.get("host", "").rsplit(":", 1)[0]
    return request.client is not None and is_loopback(request.client.host) and is_loopback(host)


def forget_old_sessions(tx: Connection, at: datetime) -> None:
    """Delete the sessions that have run out."""
    tx.execute(delete(sessions).where(sessions.c.expires_at < at))


def by_token(store: Store, secret: str) -> Actor | None:
    """Whose token it is; None for nobody's."""
    with store.read() as tx:
        row = tx.execute(select(tokens).where(tokens.c.hash == hashed(secret))).one_or_none()
    return None if row is None else Actor(row.name, Role(row.role))


def _by_session(store: Store, secret: str) -> Actor | None:
    with store.read() as tx:
        row = tx.execute(select(sessions).where(sessions.c.hash == hashed(secret))).one_or_none()
    if row is None or row.expires_at < now():
        return None
    return Actor(row.name, Role(row.role), by_cookie=True)


class Opening(Body):
    """Open a session with a token, or, at a demonstration on this machine, without."""

    token: Annotated[str, Field(max_length=200)] = ""
    demo: bool = False


class Who(Body):
    """Whose session it is."""

    name: str
    role: Role


class OpenSession(Who):
    """Whose session it is and what it may do, so that a page offers nothing that is refused."""

    rights: list[Right]


def opened(actor: Actor) -> OpenSession:
    """The session of a caller, as the page that asks sees it."""
    return OpenSession(
        name=actor.name, role=actor.role, rights=[right for right in Right if actor.may(right)]
    )


class NewToken(Body):
    """A token to make: the name stands in the history of everything done with it."""

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^\S(.*\S)?$")]
    role: Role


class MadeToken(Who):
    """A new token; this is the only time it is shown."""

    token: str


class TokenItem(Who):
    """A token by its name."""

    created_at: Utc


Admin = Annotated[Actor, Depends(need(Right.ADMIN))]


def router(store: Store, config: HubConfig) -> APIRouter:
    """Sessions and tokens."""
    api = APIRouter(prefix="/api", tags=["access"], responses=ERRORS)

    @api.post("/session")
    def open_session(request: Request, response: Response, opening: Opening) -> OpenSession:
        if opening.demo:
            if not (config.demo and is_from_here(request)):
                raise Problem(
                    403, "forbidden", "this hub opens no session without a token", "a token"
                )
            actor: Actor | None = Actor("demo", Role.OPERATOR)
        else:
            actor = by_token(store, opening.token)
        if actor is None:
            raise Problem(401, "unauthorized", "the token is not valid", "a token of this hub")
        secret = secrets.token_urlsafe(32)
        row = {"hash": hashed(secret), "name": actor.name, "role": actor.role.value}
        with store.write() as tx:
            tx.execute(sessions.insert().values(**row, expires_at=now() + SESSION_LIFE))
        secure = config.public_url.startswith("https://")
        response.set_cookie(
            COOKIE,
            secret,
            max_age=int(SESSION_LIFE.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=secure,
        )
        return opened(actor)

    @api.get("/session", response_model=OpenSession)
    def session(request: Request) -> OpenSession | Response:
        actor = identify(request)
        if actor is not None:
            return opened(actor)
        refusal = error_response(401, "unauthorized", "no valid token or session", "a token")
        demo = config.demo and is_from_here(request)
        refusal.body = refusal.render(
            {
                "error": {"code": "unauthorized", "message": "no session", "allowed": "a token"},
                "demo": demo,
            }
        )
        refusal.headers["content-length"] = str(len(refusal.body))
        return refusal

    @api.delete("/session", status_code=204)
    def close_session(request: Request, response: Response) -> None:
        secret = request.cookies.get(COOKIE, "")
        if secret:
            check_csrf(request)
            with store.write() as tx:
                tx.execute(delete(sessions).where(sessions.c.hash == hashed(secret)))
        response.delete_cookie(COOKIE)

    @api.get("/tokens")
    def list_tokens(_actor: Admin) -> Listing[TokenItem]:
        with store.read() as tx:
            rows = tx.execute(select(tokens).order_by(tokens.c.name)).all()
        items = [TokenItem(name=r.name, role=r.role, created_at=r.created_at) for r in rows]
        return Listing(items=items, total=len(items))

    @api.post("/tokens", status_code=201)
    def make_token(wanted: NewToken, actor: Admin) -> MadeToken:
        with store.write() as tx:
            taken = select(tokens.c.id).where(tokens.c.name == wanted.name)
            if tx.execute(taken).first() is not None:
                raise Problem(409, "taken", f"a token named {wanted.name} exists", "a new name")
            secret = issue_token(tx, wanted.name, wanted.role)
            act = audit.Entry(
                now(), actor.name, actor.role, "token", wanted.name, "issue", note=wanted.role
            )
            audit.append(tx, [act])
        return MadeToken(name=wanted.name, role=wanted.role, token=secret)

    @api.delete("/tokens/{name}", status_code=204)
    def revoke_token(name: str, actor: Admin) -> None:
        with store.write() as tx:
            if not tx.execute(delete(tokens).where(tokens.c.name == name)).rowcount:
                raise not_found("token", name)
            tx.execute(delete(sessions).where(sessions.c.name == name))
            act = audit.Entry(now(), actor.name, actor.role, "token", name, "revoke")
            audit.append(tx, [act])

    return api
