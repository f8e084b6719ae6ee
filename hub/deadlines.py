"""A person's deadlines as a calendar that his phone or mail program subscribes to (RFC 5545).

The address is the key: it opens this calendar, for reading, and nothing else. It says the least
that helps: number, matter, grid and deadline of the open cases that the person's posts cover, the
nearest first. Nothing of who reported, where exactly, or what was written.
"""

import secrets
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from fastapi.responses import Response
from icalendar import Calendar, Event, vDuration
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.engine import Connection

from hub import audit
from hub.auth import hashed, need
from hub.cases.api import visible
from hub.cases.clock_store import clocks
from hub.cases.store import cases
from hub.config import HubConfig
from hub.errors import Problem, not_found
from hub.grid.places import Places
from hub.http import ERRORS, Utc
from hub.matters import matter
from hub.people import feeds, users
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, now
from wire.coded import coded

MOST = 500
ASK_EVERY = timedelta(minutes=30)
ICS = "text/calendar"


class FeedItem(BaseModel):
    """Whether one has a calendar address; `used_at`: to ten minutes."""

    made_at: Utc | None
    used_at: Utc | None


class NewFeed(FeedItem):
    """A new address; it is not shown again."""

    url: str


def router(store: Store, places: Places, config: HubConfig) -> APIRouter:
    """One's own calendar address, and the calendar behind it."""
    api = APIRouter(tags=["access"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ, Reach.ALL))]

    @api.get("/api/deadlines")
    def mine(actor: reader) -> FeedItem:
        with store.read() as tx:
            feed = feeds.of(tx, actor.name)
        return FeedItem(
            made_at=feed.made_at if feed else None, used_at=feed.used_at if feed else None
        )

    @api.post("/api/deadlines", status_code=201)
    def make(actor: reader) -> NewFeed:
        """Make an address; an earlier one ends."""
        secret, at = secrets.token_urlsafe(32), now()
        with store.write() as tx:
            if users.load(tx, actor.name) is None:
                message = coded("a_program", "{who} is a program", who=actor.name)
                raise Problem(409, "no_person", message, coded("log_in", "log in as a person"))
            feeds.put(tx, actor.name, hashed(secret), at)
            _note(tx, actor, "make_feed", at)
        url = f"{config.base_url}/feeds/{secret}.ics"
        return NewFeed(made_at=at, used_at=None, url=url)

    @api.delete("/api/deadlines", status_code=204)
    def end(actor: reader) -> None:
        """The address is good for nothing from now on."""
        with store.write() as tx:
            if not feeds.end(tx, actor.name):
                raise not_found("calendar of", actor.name)
            _note(tx, actor, "end_feed", now())

    @api.get(
        "/feeds/{secret}.ics", response_class=Response, responses={200: {"content": {ICS: {}}}}
    )
    def feed(secret: Annotated[str, Path(max_length=100)]) -> Response:
        """The calendar; who has the address may read it."""
        at = now()
        with store.read() as tx:
            known = feeds.by_hash(tx, hashed(secret))
            user = users.load(tx, known.user) if known else None
            actor = user.actor(by_cookie=False) if user else None
            if known is None or actor is None or not actor.may(Right.READ):
                raise not_found("calendar", "of this address")
            data = _written(tx, actor, places, config)
        if known.used_at is None or at - known.used_at >= feeds.NOTED_EVERY:
            with store.write() as tx:
                feeds.note_use(tx, known.user, at)
        return Response(
            data, media_type=f"{ICS}; charset=utf-8", headers={"Cache-Control": "private, no-store"}
        )

    return api


def _written(tx: Connection, actor: Actor, places: Places, config: HubConfig) -> bytes:
    found = (
        select(
            cases.c.id, cases.c.number, cases.c.matter, cases.c.path, cases.c.updated_at,
            clocks.c.due_at,
        )
        .join(clocks, clocks.c.case_id == cases.c.id)
        .where(clocks.c.done_at.is_(None), clocks.c.stopped_at.is_(None), visible(actor))
        .where(clocks.c.due_at.is_not(None), cases.c.closed_at.is_(None))
        .order_by(clocks.c.due_at, cases.c.id)
        .limit(MOST)
    )  # fmt: skip
    names = {grid.code: grid.name for grid in places.index[1].grids}
    book = Calendar()
    book.add("prodid", "-//Tianyan//deadlines//ZH")
    book.add("version", "2.0")
    book.add("x-wr-calname", f"{config.name} 案件期限")
    book.add("refresh-interval", vDuration(ASK_EVERY), parameters={"VALUE": "DURATION"})
    book.add("x-published-ttl", vDuration(ASK_EVERY))
    for row in tx.execute(found):
        about = matter(row.matter)
        grid = next((names[code] for code in reversed(row.path) if code in names), "")
        words = (row.number, about.name_zh if about else "", grid)
        book.add_component(_event(config, row.id, words, row.due_at, row.updated_at))
    return bytes(book.to_ical())


def _event(
    config: HubConfig, case: int, words: tuple[str, ...], due_at: datetime, changed_at: datetime
) -> Event:
    """A moment, not a stretch: who is busy then is not told."""
    event = Event()
    event.add("uid", f"case-{case}@{config.case_prefix.lower() or 'hub'}.tianyan")
    event.add("dtstamp", changed_at)
    event.add("last-modified", changed_at)
    event.add("dtstart", due_at.replace(microsecond=0))
    event.add("summary", " ".join(filter(None, words)))
    event.add("url", f"{config.base_url}/#/cases/{case}")
    event.add("transp", "TRANSPARENT")
    event.add("class", "CONFIDENTIAL")
    return event


def _note(tx: Connection, actor: Actor, action: str, at: datetime) -> None:
    entry = audit.Entry(at, actor.name, actor.role, "user", actor.name, action)
    audit.append(tx, [entry])
