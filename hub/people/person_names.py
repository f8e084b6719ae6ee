"""What people are called where it is shown who did something: the one home of that rule.

History, tables and events keep logins, which never change. That somebody is called
differently is told to open pages as a change of the kind `NAME`: two of one name are shown
otherwise both. Programs, devices and the hub itself
are called as they are; so is whoever is known no more.
"""

from collections.abc import Callable, Collection, Iterable
from operator import attrgetter
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from hub.auth import need
from hub.http import ERRORS, Listing
from hub.people.users import users
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store

NAME = "name"


class NameItem(BaseModel):
    """A person. `name`: as shown; with the login where two have one name."""

    login: str
    name: str


def shown(tx: Connection, logins: Collection[str] | None = None) -> dict[str, str]:
    """What people are called, by login: those of `logins`, or everybody."""
    asked = select(users.c.name, users.c.display_name)
    if logins is not None:
        asked = asked.where(users.c.name.in_(logins))
    known = {row.name: row.display_name for row in tx.execute(asked)}
    theirs = users.c.display_name.in_(set(known.values()))
    of_several = select(users.c.display_name).where(theirs).group_by(users.c.display_name)
    twice = set(tx.execute(of_several.having(func.count() > 1)).scalars())
    return {login: f"{name} ({login})" if name in twice else name for login, name in known.items()}


def name_items(tx: Connection, logins: Collection[str]) -> dict[str, NameItem]:
    """The same as pages are told it."""
    found = shown(tx, logins)
    return {login: NameItem(login=login, name=name) for login, name in sorted(found.items())}


def column(tx: Connection, items: Iterable[object], field: str) -> Callable[[Any], str]:
    """The column of a table that says who: people by name. `field`: as in `exports.sheet`."""
    login = attrgetter(field)
    known = shown(tx, {who for item in items if (who := login(item))})
    return lambda item: known.get(login(item)) or login(item) or ""


def router(store: Store) -> APIRouter:
    """Names for pages: of logins they have come across, never a list of everybody."""
    api = APIRouter(prefix="/api", tags=["access"], responses=ERRORS)

    @api.get("/names")
    def names(
        _actor: Annotated[Actor, Depends(need(Right.READ, Reach.ALL))],
        login: Annotated[list[Annotated[str, Query(max_length=100)]], Query(max_length=100)],
    ) -> Listing[NameItem]:
        """What people are called. Who is no person of this hub is left out."""
        with store.read() as tx:
            items = list(name_items(tx, set(login)).values())
        return Listing(items=items, total=len(items))

    return api
