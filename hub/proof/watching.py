"""Closed cases are watched: what comes there again reopens them, what stays away is archived.

Every function but `look_after` works in the caller's transaction.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.engine import Connection

from hub import events
from hub.alerts import store as alert_store
from hub.alerts.alert import ACTIVE, Alert
from hub.alerts.dedup import STILL_THERE, topic
from hub.cases import store as case_store
from hub.cases.case import Case, State
from hub.cases.stepping import step_all, step_by_itself
from hub.cases.store import cases, to_case
from hub.config import HubConfig
from hub.events import Change
from hub.grid.geodesy import distance_m
from hub.proof import store as proof_store
from hub.proof.rebound import WATCHED, Cause, Coming, Rebound, Watch, coming
from hub.store import Store
from wire.coded import coded

AT_ONCE = 200

OwedReply = Callable[[Connection, Collection[int]], set[int]]
"""Those of the cases whose reporters wait for an answer."""


@dataclass(frozen=True)
class Found:
    """A watched case at a place, and how what was told there stands to it."""

    case: Case
    coming: Coming
    distance_m: float


def watch_of(config: HubConfig) -> Watch:
    """How long cases are watched at a site."""
    return Watch(config.proof.watch_days, config.proof.watch_days_by_matter)


def of_alert(tx: Connection, config: HubConfig, alert: Alert) -> Found | None:
    """The watched case whose thing an alert tells of again."""
    if alert.matter is None or topic(alert) != alert.matter:
        return None
    cause = Cause("alert", alert.id, alert.since, alert.at)
    for case in _near(tx, config, alert.matter, (alert.lat, alert.lon), alert.at):
        away_m = distance_m(alert.lat, alert.lon, case.lat, case.lon)
        return Found(case, coming(case, cause, is_up=_was_up(tx, case, alert)), away_m)
    return None


def of_report(
    tx: Connection, config: HubConfig, matter: str, place: tuple[float, float], at: datetime
) -> Found | None:
    """The watched case whose thing a report tells of again, received at `at`."""
    for case in _near(tx, config, matter, place, at):
        away_m = distance_m(*place, case.lat, case.lon)
        return Found(case, coming(case, Cause("report", "", at, at), is_up=False), away_m)
    return None


def reopen(
    tx: Connection, config: HubConfig, found: Found, *, kind: str, cause: str, at: datetime
) -> Case:
    """The same case again, and that it came back where it did."""
    case = case_store.lock(tx, found.case.id) or found.case
    if case.state not in WATCHED:  # somebody was first
        return case
    closed_at = case.closed_at or at
    note = coded(
        "came_back", "{thing} {cause} {coming}", thing=kind, cause=cause, coming=found.coming
    )
    reopened = step_by_itself(tx, config.zone, case, "reopen", note=note, at=at)
    if found.coming is Coming.BACK:
        proof_store.add_rebound(
            tx, Rebound(0, case.id, closed_at, at, kind, cause, round(found.distance_m, 1))
        )
    return reopened


def look_after(store: Store, config: HubConfig, owed: OwedReply, at: datetime) -> int:
    """Closed cases begin to be watched; those watched long enough, and answered, are archived."""
    watch = watch_of(config)
    with store.write() as tx:
        closed = _locked(tx, State.CLOSED, _ids(tx, State.CLOSED, AT_ONCE))
        step_all(tx, config.zone, closed, "watch", note="", at=at)
        over = _over(tx, watch, at)
        waiting = owed(tx, over)
        # Who waits for an answer must not keep others from the archive.
        answered = [number for number in over if number not in waiting]
        done = _locked(tx, State.WATCHING, answered[:AT_ONCE])
        step_all(tx, config.zone, done, "archive", note="", at=at)
        events.record(tx, [Change("case", str(case.id)) for case in (*closed, *done)], at)
    return len(closed) + len(done)


def _over(tx: Connection, watch: Watch, at: datetime) -> list[int]:
    """The cases that were watched long enough, the longest closed first."""
    shortest = timedelta(days=min([watch.days, *watch.by_matter.values()]))
    found = select(cases.c.id, cases.c.matter, cases.c.closed_at).where(
        cases.c.state == State.WATCHING.value, cases.c.closed_at <= at - shortest
    )
    rows = tx.execute(found.order_by(cases.c.closed_at, cases.c.id))
    return [row.id for row in rows if row.closed_at + watch.lasts(row.matter) <= at]


def _ids(tx: Connection, state: State, limit: int) -> list[int]:
    found = select(cases.c.id).where(cases.c.state == state.value)
    return list(tx.execute(found.order_by(cases.c.closed_at, cases.c.id).limit(limit)).scalars())


def _locked(tx: Connection, state: State, ids: Sequence[int]) -> list[Case]:
    """Those of the cases that are still in that state, kept from others."""
    if not ids:
        return []
    found = select(cases).where(cases.c.id.in_(ids)).order_by(cases.c.closed_at, cases.c.id)
    locked = [to_case(row) for row in tx.execute(found.with_for_update())]
    return [case for case in locked if case.state is state]


def _near(
    tx: Connection, config: HubConfig, matter: str, place: tuple[float, float], at: datetime
) -> list[Case]:
    watch = watch_of(config)
    near = case_store.in_state_near(tx, WATCHED, matter, place, config.proof.rebound_m)
    return [case for case in near if (until := watch.until(case)) is not None and at < until]


def _was_up(tx: Connection, case: Case, alert: Alert) -> bool:
    """Whether its camera has seen the case's thing without a break, under another name."""
    members = alert_store.load(tx, alert_store.of_case(tx, [case.id])[case.id])
    return any(
        (each.device, each.source) == (alert.device, alert.source)
        and each.state == ACTIVE
        and alert.since - each.at < STILL_THERE
        for each in members.values()
    )
