"""Patrols by phone over HTTP: begun, followed and ended by who goes; read by him and by few."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.engine import Connection

from hub import audit
from hub.auth import need
from hub.calendar import store as calendar_store
from hub.config import HubConfig
from hub.duty import store as duty_store
from hub.errors import Problem, not_found
from hub.http import ERRORS, Body, Listing, Page, Utc, page
from hub.inbox import CLOCK_TOLERANCE
from hub.patrol import phone
from hub.patrol.phone import PhoneFix, PhonePatrol
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, from_ms, now
from hub.tracks.store import PHONES
from wire.coded import coded
from wire.track import VALID

MOST_FIXES = 500
OLDEST = timedelta(days=14)
SPAN = timedelta(days=7)
FIRST_YEAR = 1970


class Start(Body):
    """A patrol begins: `id` drawn by the phone, `started_at` by its clock."""

    id: UUID
    started_at: AwareDatetime


class FixIn(Body):
    """A position: `seq` counts within the patrol, `acc_m` is how far off it may be."""

    seq: Annotated[int, Field(ge=0, lt=2**53)]
    at: AwareDatetime
    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    acc_m: Annotated[float, Field(ge=0, le=1_000_000)]
    speed_kmh: Annotated[float, Field(ge=0, le=1000)] | None = None


class Fixes(Body):
    """Positions of one patrol, at most 500 at once."""

    fixes: Annotated[list[FixIn], Field(min_length=1, max_length=MOST_FIXES)]


class End(Body):
    """A patrol ends, by the phone's clock."""

    ended_at: AwareDatetime


class Refused(BaseModel):
    """A position that is not kept, and why."""

    seq: int
    reason: str


class TakenItem(BaseModel):
    """How many positions were stored anew, were here before, and which were refused."""

    stored: int
    known: int
    refused: list[Refused]


class Credited(BaseModel):
    """The post that a person's patrols count for, and its shift that runs when they begin."""

    post: str
    post_name: str
    shift: str | None
    shift_name: str | None


class PatrolItem(BaseModel):
    """A patrol by phone. `ended_at`: null while it runs. `fixes`: positions stored.

    `counts_for`: null when nobody has written `@phone/NAME` beside a person of the duty table; its
    visits count for the grids all the same.
    """

    id: str
    who: str
    started_at: Utc
    ended_at: Utc | None
    fixes: int
    last_fix_at: Utc | None
    counts_for: Credited | None


class PatrolFix(BaseModel):
    """A position of a patrol; `valid` when it is near enough to prove something."""

    at: Utc
    lat: float
    lon: float
    speed_kmh: float | None
    heading_deg: float | None
    valid: bool


def sees_all(actor: Actor) -> bool:
    """Whether he may know where others went: who acts on cases in the whole city."""
    return not actor.is_limited(Right.ACT)


def shown_tracker(tracker: str, actor: Actor) -> str:
    """A tracker as somebody may see it: whose phone it is stays with him and few others."""
    who = phone.who_of(tracker)
    return tracker if who in (None, actor.name) or sees_all(actor) else PHONES


def router(store: Store, config: HubConfig) -> APIRouter:
    """Patrols by phone."""
    api = APIRouter(prefix="/api/patrols", tags=["patrol"], responses=ERRORS)
    walker = Annotated[Actor, Depends(need(Right.REPORT, Reach.POSTS))]

    @api.post("", status_code=201, responses={200: {"model": PatrolItem}})
    def start(wanted: Start, actor: walker, response: Response) -> PatrolItem:
        """The same again answers 200 and changes nothing; an earlier one still running ends."""
        at = now()
        _check_time("started_at", wanted.started_at, at)
        patrol = PhonePatrol(str(wanted.id), actor.name, wanted.started_at, None, at)
        with store.write() as tx:
            before = phone.one(tx, patrol.id)
            if before is not None and before.who != actor.name:
                raise Problem(
                    409,
                    "taken",
                    coded("others_patrol", "{patrol} is another's patrol", patrol=patrol.id),
                    coded("own_id", "an id of your own"),
                )
            if phone.start(tx, patrol):
                _note(tx, patrol, actor, "start", at)
            else:
                response.status_code = 200
            return _items(tx, [phone.one(tx, patrol.id) or patrol], config)[0]

    @api.post("/{patrol}/fixes")
    def take(patrol: UUID, given: Fixes, actor: walker) -> TakenItem:
        """Each position is kept once, however often it is sent."""
        fixes = [PhoneFix(**fix.model_dump()) for fix in given.fixes]
        worst_m = config.patrol.phone_acc_m
        with store.write() as tx:
            mine = _mine(tx, patrol, actor)
            taken = phone.take(tx, mine, fixes, now(), worst_m=worst_m, zone=config.zone)
        refused = [Refused(seq=seq, reason=reason) for seq, reason in taken.refused]
        return TakenItem(stored=taken.stored, known=taken.known, refused=refused)

    @api.post("/{patrol}/end")
    def end(patrol: UUID, wanted: End, actor: walker) -> PatrolItem:
        """Positions from before the end may still come."""
        at = now()
        _check_time("ended_at", wanted.ended_at, at)
        with store.write() as tx:
            mine = _mine(tx, patrol, actor)
            ended = phone.end(tx, mine, wanted.ended_at)
            if ended != mine:
                _note(tx, ended, actor, "end", at)
            return _items(tx, [ended], config)[0]

    @api.get("")
    def list_patrols(
        actor: walker,
        part: Annotated[Page, Depends(page)],
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
        who: Annotated[str | None, Query(max_length=64)] = None,
    ) -> Listing[PatrolItem]:
        """Those begun in a span, the newest first; one's own, or all where one may know."""
        last = until or now() + CLOCK_TOLERANCE
        first = since or (last - SPAN if last.year > FIRST_YEAR else last)
        asked = who if sees_all(actor) else actor.name
        with store.read() as tx:
            found, total = phone.listed(
                tx, first, last, asked, limit=part.limit, offset=part.offset
            )
            return Listing(items=_items(tx, found, config), total=total)

    @api.get("/{patrol}")
    def one(patrol: UUID, actor: walker) -> PatrolItem:
        with store.read() as tx:
            return _items(tx, [_readable(tx, patrol, actor)], config)[0]

    @api.get("/{patrol}/track")
    def track(
        patrol: UUID,
        actor: walker,
        from_at: Annotated[AwareDatetime | None, Query(alias="from")] = None,
        until_at: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    ) -> Listing[PatrolFix]:
        """Its positions in order of time."""
        with store.read() as tx:
            fixes = phone.track(tx, _readable(tx, patrol, actor))
        items = [
            PatrolFix(
                at=at,
                lat=fix.lat,
                lon=fix.lon,
                speed_kmh=fix.speed_kmh,
                heading_deg=fix.heading_deg,
                valid=bool(fix.flags & VALID),
            )
            for fix in fixes
            if (at := from_ms(fix.ts)) >= (from_at or at) and at <= (until_at or at)
        ]
        return Listing(items=items, total=len(items))

    return api


def _check_time(name: str, given: datetime, at: datetime) -> None:
    if not at - OLDEST <= given <= at + CLOCK_TOLERANCE:
        raise Problem(
            422,
            "bad_time",
            coded("not_now", "{field}: {at} is not now", field=name, at=given.isoformat()),
            coded("recent_days", "within the last {days} days, by a right clock", days=OLDEST.days),
        )


def _mine(tx: Connection, patrol: UUID, actor: Actor) -> PhonePatrol:
    found = phone.one(tx, str(patrol))
    if found is None or found.who != actor.name:
        raise not_found("patrol", str(patrol))
    return found


def _readable(tx: Connection, patrol: UUID, actor: Actor) -> PhonePatrol:
    found = phone.one(tx, str(patrol))
    if found is None or (found.who != actor.name and not sees_all(actor)):
        raise not_found("patrol", str(patrol))
    return found


def _items(tx: Connection, found: Sequence[PhonePatrol], config: HubConfig) -> list[PatrolItem]:
    people = {
        tracker: person for person in duty_store.load_people(tx) for tracker in person.trackers
    }
    posts = {post.code: post for post in duty_store.load_posts(tx)}
    shifts = {shift.code: shift for shift in duty_store.load_shifts(tx)}
    calendar = calendar_store.calendar(tx, config.zone)

    def credited(patrol: PhonePatrol) -> Credited | None:
        person = people.get(patrol.vehicle)
        post = None if person is None else posts.get(person.post)
        if post is None:
            return None
        own = [shifts[code] for code in post.shifts if code in shifts]
        on = [s for s in own if s.holds(patrol.started_at, config.zone, calendar) is not None]
        shift = on[0] if on else None
        return Credited(
            post=post.code,
            post_name=post.name,
            shift=shift.code if shift else None,
            shift_name=shift.name if shift else None,
        )

    return [
        PatrolItem(
            id=each.id,
            who=each.who,
            started_at=each.started_at,
            ended_at=each.ended_at,
            fixes=each.fixes,
            last_fix_at=each.last_fix_at,
            counts_for=credited(each),
        )
        for each in found
    ]


def _note(tx: Connection, patrol: PhonePatrol, actor: Actor, action: str, at: datetime) -> None:
    act = audit.Entry(at, actor.name, actor.role, "patrol", patrol.id, action)
    audit.append(tx, [act])
