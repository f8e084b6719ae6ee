"""What people decide of alerts: true, which opens a case, or false, which takes one back.

Where people judged one thing false again and again, what comes there is held back for a while.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from hub import audit, events
from hub.alerts import store as alert_store, suppression, suppression_store
from hub.alerts.alert import (
    CONFIRMED,
    FALSE_ALARM,
    Alert,
    judged_by,
)
from hub.alerts.suppression import URGENT, Suppression
from hub.cases import clock_store, store as case_store
from hub.cases.case import (
    BEFORE_FILING,
    advance,
)
from hub.cases.stepping import clocked, written_down
from hub.errors import Problem, not_found
from hub.events import Change
from hub.pipeline import Seen, Site, judged, open_cases
from hub.roles import SYSTEM, Actor
from hub.store import Store, now
from wire.coded import coded


def decide(store: Store, site: Site, name: str, decision: str, *, note: str, actor: Actor) -> None:
    """A person says what an alert is: confirmed opens a case, false takes an unfiled one back."""
    with store.write(urgent=True) as tx:
        alert = alert_store.lock(tx, name)
        if alert is None:
            raise not_found("alert", name)
        if alert.decision == decision and alert.decided_by == actor.name:
            return
        if (said := said_of(tx, alert)) is not None:
            raise Problem(409, "decided", said, coded("decided_once", "a decision is made once"))
        at = now()
        alert = replace(alert, decision=decision, decided_by=actor.name, decided_at=at)
        held = alert.suppressed_by
        if decision == CONFIRMED:
            alert = replace(alert, suppressed_by=None, suppressed_until=None)
        alert_store.save(tx, [alert])
        act = audit.Entry(at, actor.name, actor.role, "alert", name, decision, note=note)
        audit.append(tx, [act])
        changes = [Change("alert", name)]
        if decision == CONFIRMED and alert.case_id is None:
            changes += open_cases(tx, site, [alert], actor, note)
        elif decision == FALSE_ALARM and alert.case_id is not None:
            changes += _take_back(tx, site, alert, actor, note)
        if decision == CONFIRMED:
            changes += lift_around(tx, site, alert, held, actor)
        else:
            _hold_back(tx, site, alert, actor)
        events.record(tx, changes, at)


def said_of(tx: Connection, alert: Alert) -> str | None:
    """What a person has said of an alert already."""
    if alert.decision is not None:
        return judged_by(alert)
    if alert.duplicate_of is None:
        return None
    merges = [act for act in audit.of(tx, "alert", alert.id) if act.action == "merge"]
    if not merges:
        return None
    into, who = merges[-1].note, merges[-1].actor
    text = "alert {alert} was merged {into} by {who}"
    return coded("alert_merged", text, alert=alert.id, into=into, who=who)


def _hold_back(tx: Connection, site: Site, alert: Alert, actor: Actor) -> None:
    """Hold back what comes at its place, if this was one false alarm too many."""
    rule, at = site.config.suppression, now()
    if not rule.false_alarms or alert.place == "vehicle":
        return
    judged = suppression_store.judged_like(tx, alert, at - timedelta(days=rule.within_days))
    grounds = suppression.grounds(alert, judged, rule, at)
    if grounds:
        made = suppression_store.hold_back(
            tx, grounds, at=at, days=rule.for_days, overlap=rule.overlap
        )
        note = coded(
            "held_back",
            "{label} at {camera}: {count} false alarms, until {until}",
            label=made.label,
            camera=f"{made.device}/{made.source}",
            count=len(grounds),
            until=made.until,
        )
        _write_suppression(tx, made, "suppress", actor, note)


def lift_around(
    tx: Connection, site: Site, alert: Alert, held: int | None, actor: Actor
) -> list[Change]:
    """It is real after all: nothing is held back at its place any more."""
    at, least = now(), site.config.suppression.overlap
    probe = replace(alert, at=at, level=min(alert.level, URGENT - 1))
    changes = []
    for one in suppression_store.in_force(tx, [alert.device], at):
        if one.id == held or suppression.covers(one, probe, least):
            changes += _lift(tx, site, one, actor, _confirmed(alert))
    return changes


def _confirmed(alert: Alert) -> str:
    return coded("alert_confirmed", "confirmed: {alert}", alert=alert.id)


def _lift(tx: Connection, site: Site, one: Suppression, actor: Actor, note: str) -> list[Change]:
    suppression_store.end(tx, one.id, by=actor.name, at=now())
    _write_suppression(tx, one, "lift", actor, note)
    return _released(tx, site, one, active_only=False)


def _released(tx: Connection, site: Site, one: Suppression, *, active_only: bool) -> list[Change]:
    freed = suppression_store.release(tx, one.id, active_only=active_only)
    opening = judged(site, [Seen(alert, is_new=False) for alert in freed])
    changes = [Change("alert", alert.id) for alert in freed]
    return changes + open_cases(tx, site, opening, SYSTEM)


def _write_suppression(
    tx: Connection, one: Suppression, action: str, actor: Actor, note: str
) -> None:
    subject = str(one.id)
    audit.append(
        tx, [audit.Entry(now(), actor.name, actor.role, "suppression", subject, action, note=note)]
    )


def lift_suppression(store: Store, site: Site, number: int, *, note: str, actor: Actor) -> None:
    """A person ends a suppression: what it held back and nobody judged waits again."""
    with store.write(urgent=True) as tx:
        one = suppression_store.lock(tx, number)
        if one is None:
            raise not_found("suppression", number)
        if one.lifted_at is None:
            events.record(tx, _lift(tx, site, one, actor, note), now())


def end_suppressions(store: Store, site: Site, at: datetime) -> None:
    """Those whose time is over hold back nothing that is still there."""
    with store.write() as tx:
        for one in suppression_store.expired(tx, at):
            _write_suppression(tx, one, "expire", SYSTEM, "")
            events.record(tx, _released(tx, site, one, active_only=True), at)


def _take_back(tx: Connection, site: Site, alert: Alert, actor: Actor, note: str) -> list[Change]:
    case = case_store.lock(tx, alert.case_id or 0)
    if case is None or case.state not in BEFORE_FILING:
        return []
    reason = note or coded("alert_was_false", "false alarm: {alert}", alert=alert.id)
    rejected = advance(case, "reject", actor, reason, now())
    case_store.save(tx, rejected, case.version)
    zone = site.config.zone
    clock_store.save(tx, {case.id: clocked(tx, zone, case, rejected)}, rejected.updated_at)
    written_down(tx, case, rejected, "reject", actor=actor, note=reason)
    return [Change("case", str(case.id))]
