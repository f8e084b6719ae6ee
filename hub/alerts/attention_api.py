"""Claims and what is put off, over HTTP."""

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.engine import Connection

from hub import audit, events
from hub.alerts import attention_store, store as alert_store
from hub.alerts.alert import UNDECIDED, Alert, judged_by
from hub.alerts.api import AlertDetail, visible
from hub.alerts.attention import Snooze, longest
from hub.auth import need
from hub.errors import Problem, not_found
from hub.events import Change
from hub.http import ERRORS, Body, Listing, Utc
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, now
from wire.coded import coded, remarked

PageName = Annotated[str, Field(min_length=8, max_length=40, pattern=r"^[A-Za-z0-9-]+$")]


class ClaimItem(BaseModel):
    """Who has an alert before him until then, unless his page says so again.

    `by` is empty when nobody has.
    """

    alert: str
    by: str
    page: str
    until: Utc | None


class Claiming(Body):
    """A page that shows an alert; it says so again within the lease of 30 seconds."""

    page: PageName


class PuttingOff(Body):
    """For how long an alert is put off; an urgent one for 15 minutes at most.

    `until_seen`: it comes back earlier when the same thing is seen again.
    """

    minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    until_seen: bool = False
    note: Annotated[str, Field(max_length=1000)] = ""


Detail = Callable[[str], AlertDetail]


def claim_items(tx: Connection, ids: Collection[str]) -> dict[str, ClaimItem]:
    """Claims by alert, an empty one where there is none, as the stream tells them."""
    standing = {each.alert: each for each in attention_store.claimed(tx, now(), ids)}
    nobody = {name: ClaimItem(alert=name, by="", page="", until=None) for name in ids}
    return nobody | {name: ClaimItem(**vars(each)) for name, each in standing.items()}


def router(store: Store, detail: Detail) -> APIRouter:
    """Who looks at what; what is put off. `detail` answers an alert by its id."""
    api = APIRouter(prefix="/api", tags=["alerts"], responses=ERRORS)
    decider = Annotated[Actor, Depends(need(Right.DECIDE))]

    @api.get("/claims")
    def list_claims(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
    ) -> Listing[ClaimItem]:
        mine = select(alert_store.alerts.c.id).where(visible(actor))
        with store.read() as tx:
            claimed = attention_store.claimed(tx, now())
            named = mine.where(alert_store.alerts.c.id.in_([each.alert for each in claimed]))
            shown = set(tx.execute(named).scalars())
        items = [ClaimItem(**vars(each)) for each in claimed if each.alert in shown]
        return Listing(items=items, total=len(items))

    @api.post("/alerts/{alert}/claim")
    def claim(alert: str, wanted: Claiming, actor: decider) -> ClaimItem:
        with store.write() as tx:
            if alert not in alert_store.load(tx, [alert]):
                raise not_found("alert", alert)
            at = now()
            stands = attention_store.claim(tx, alert, actor.name, wanted.page, at)
            if stands.page == wanted.page:
                events.record(tx, [Change("claim", alert)], at)
        return ClaimItem(**vars(stands))

    @api.delete("/alerts/{alert}/claim", status_code=204)
    def release(alert: str, page: Annotated[str, Query(max_length=40)], _actor: decider) -> None:
        with store.write() as tx:
            if attention_store.release(tx, alert, page):
                events.record(tx, [Change("claim", alert)], now())

    @api.post("/alerts/{alert}/snooze")
    def snooze(alert: str, wanted: PuttingOff, actor: decider) -> AlertDetail:
        with store.write() as tx:
            known = alert_store.lock(tx, alert)
            if known is None:
                raise not_found("alert", alert)
            _put_off(tx, known, wanted, actor)
        return detail(alert)

    @api.delete("/alerts/{alert}/snooze")
    def wake(alert: str, actor: decider) -> AlertDetail:
        with store.write() as tx:
            at = now()
            if attention_store.bring_back(tx, alert):
                act = audit.Entry(at, actor.name, actor.role, "alert", alert, "bring_back")
                audit.append(tx, [act])
                events.record(tx, [Change("alert", alert)], at)
        return detail(alert)

    return api


def _put_off(tx: Connection, alert: Alert, wanted: PuttingOff, actor: Actor) -> None:
    if alert.decision is not None:
        raise Problem(
            409,
            "decided",
            judged_by(alert),
            UNDECIDED,
        )
    if alert.duplicate_of is not None:
        fault = coded(
            "alert_same_as",
            "alert {alert} is of the same thing as {other}",
            alert=alert.id,
            other=alert.duplicate_of,
        )
        raise Problem(
            409, "duplicate", fault, coded("the_alert", "alert {alert}", alert=alert.duplicate_of)
        )
    most = longest(alert.level)
    if (lasts := timedelta(minutes=wanted.minutes)) > most:
        fault = coded(
            "snooze_long",
            "minutes: {minutes} is too long for an alert of level {level}",
            minutes=wanted.minutes,
            level=alert.level,
        )
        raise Problem(
            422,
            "too_long",
            fault,
            coded("from_one_to", "1 to {most}", most=most // timedelta(minutes=1)),
        )
    at = now()
    times_seen = alert.times_seen if wanted.until_seen else None
    note = wanted.note.strip()
    made = Snooze(alert.id, actor.name, at, at + lasts, note, alert.level, times_seen)
    attention_store.put_off(tx, made)
    if wanted.until_seen:
        said = coded("until_seen", "until {until} or seen again", until=made.until)
    else:
        said = coded("until", "until {until}", until=made.until)
    entry = audit.Entry(
        at, actor.name, actor.role, "alert", alert.id, "snooze", note=remarked(said, note, mark="")
    )
    audit.append(tx, [entry])
    events.record(tx, [Change("alert", alert.id)], at)
