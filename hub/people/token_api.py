"""API keys over HTTP: for programs, with a role, limited to grids, until some day."""

import json
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import delete, select
from sqlalchemy.engine import Row

from hub import audit
from hub.auth import issue_token, need, tokens
from hub.errors import Problem, not_found, taken, unknown_grid
from hub.http import ERRORS, Body, Listing, Utc
from hub.people import sessions, users
from hub.people.sessions import Kind
from hub.roles import Actor, Right, Role
from hub.store import Store, now
from wire.coded import coded

GridCode = Annotated[str, Field(min_length=1, max_length=64)]


class NewToken(Body):
    """A token to make: the name stands in the history of everything done with it.

    `grids`: to which it is limited; none for the whole city.
    """

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^\S(.*\S)?$")]
    role: Role
    grids: Annotated[tuple[GridCode, ...], Field(max_length=200)] = ()
    expires_at: AwareDatetime | None = None


class MadeToken(BaseModel):
    """A new token; this is the only time it is shown."""

    name: str
    role: Role
    token: str


class TokenItem(BaseModel):
    """A token by its name. `used_at`: to ten minutes."""

    name: str
    role: Role
    created_at: Utc
    grids: list[str]
    expires_at: Utc | None
    used_at: Utc | None


Admin = Annotated[Actor, Depends(need(Right.ADMIN))]


def router(store: Store, is_grid: Callable[[str], bool]) -> APIRouter:
    """Tokens. `is_grid`: whether a code is a grid's."""
    api = APIRouter(prefix="/api", tags=["access"], responses=ERRORS)

    @api.get("/tokens")
    def list_tokens(_actor: Admin) -> Listing[TokenItem]:
        with store.read() as tx:
            rows = tx.execute(select(tokens).order_by(tokens.c.name)).all()
        items = [_token_item(row) for row in rows]
        return Listing(items=items, total=len(items))

    @api.post("/tokens", status_code=201)
    def make_token(wanted: NewToken, actor: Admin) -> MadeToken:
        if wanted.expires_at is not None and wanted.expires_at <= now():
            raise Problem(
                422,
                "expired",
                coded("is_past", "expires_at {at} is past", at=wanted.expires_at),
                coded("later_time", "a later time"),
            )
        for code in wanted.grids:
            if not is_grid(code):
                raise unknown_grid(code)
        with store.write() as tx:
            named = select(tokens.c.id).where(tokens.c.name == wanted.name)
            if tx.execute(named).first() is not None:
                raise taken("token", wanted.name)
            if users.load(tx, wanted.name) is not None:
                raise taken("person", wanted.name)
            secret = issue_token(tx, wanted.name, wanted.role, wanted.grids, wanted.expires_at)
            note = " ".join([wanted.role, *wanted.grids])
            act = audit.Entry(
                now(), actor.name, actor.role, "token", wanted.name, "issue", note=note
            )
            audit.append(tx, [act])
        return MadeToken(name=wanted.name, role=wanted.role, token=secret)

    @api.delete("/tokens/{name}", status_code=204)
    def revoke_token(name: str, actor: Admin) -> None:
        with store.write() as tx:
            if not tx.execute(delete(tokens).where(tokens.c.name == name)).rowcount:
                raise not_found("token", name)
            opened = sessions.sessions.c
            sessions.end(tx, opened.kind == Kind.TOKEN.value, opened.name == name)
            act = audit.Entry(now(), actor.name, actor.role, "token", name, "revoke")
            audit.append(tx, [act])

    return api


def _token_item(row: Row[tuple[object, ...]]) -> TokenItem:
    names = ("name", "role", "created_at", "expires_at", "used_at")
    return TokenItem(**{name: getattr(row, name) for name in names}, grids=json.loads(row.grids))
