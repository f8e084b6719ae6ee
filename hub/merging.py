"""An alert that is of something known: of another alert's thing, or of a case already open."""

from dataclasses import replace

from sqlalchemy.engine import Connection

from hub import audit, events
from hub.alerts import store as alert_store
from hub.alerts.alert import CONFIRMED, FALSE_ALARM, UNDECIDED, Alert
from hub.cases import store as case_store
from hub.decisions import lift_around, said_of
from hub.errors import Problem, not_found
from hub.events import Change
from hub.pipeline import Site
from hub.roles import Actor
from hub.store import Store, now
from wire.coded import coded, remarked


def merge_into_alert(store: Store, name: str, into: str, *, note: str, actor: Actor) -> None:
    """A person says that an alert, with all that were joined to it, is the thing of another."""
    with store.write(urgent=True) as tx:
        other = alert_store.load(tx, [into]).get(into)
        if other is None:
            raise Problem(
                422,
                "bad_alert",
                coded("alert_not_known", "alert {alert} is not known", alert=into),
                coded("other_alert_id", "another alert's id"),
            )
        held = {each: alert_store.lock(tx, each) for each in sorted({name, other.head})}
        alert, head = held[name], held[other.head]
        if alert is None or head is None:
            raise not_found("alert", name)
        _may_join(tx, alert)
        if head.id in (alert.id, alert.duplicate_of):
            raise Problem(
                422,
                "bad_alert",
                coded("alert_of_same", "alert {alert} is of the same thing", alert=into),
                coded("other_thing", "another thing"),
            )
        if head.decision == FALSE_ALARM:
            raise Problem(
                422,
                "bad_alert",
                coded("alert_false", "alert {alert} was judged false", alert=head.id),
                coded("true_or_open", "one that is true, or open"),
            )
        if alert.case_id not in (None, head.case_id):
            raise _has_case(tx, alert)
        at = now()
        members = alert_store.load(tx, alert_store.group(tx, alert))
        moved = [
            replace(each, duplicate_of=head.id, case_id=head.case_id, updated_at=at)
            for each in members.values()
        ]
        seen = head.times_seen + alert.times_seen
        alert_store.save(tx, [*moved, replace(head, times_seen=seen, updated_at=at)])
        audit.append(
            tx,
            [_entry(alert, actor, coded("into_alert", "into alert {alert}", alert=head.id), note)],
        )
        changes = [Change("alert", each.id) for each in [*moved, head]]
        if head.case_id is not None:
            changes.append(Change("case", str(head.case_id)))
        events.record(tx, changes, at)


def merge_into_case(
    store: Store, site: Site, name: str, into: int, *, note: str, actor: Actor
) -> None:
    """A person says that an alert is true, and of what an open case is about already."""
    with store.write(urgent=True) as tx:
        alert = alert_store.lock(tx, name)
        if alert is None:
            raise not_found("alert", name)
        _may_join(tx, alert)
        case = case_store.lock(tx, into)
        if case is None or not case.is_open:
            raise Problem(
                422,
                "bad_case",
                coded("case_not_open", "case {case} is not an open case", case=into),
                coded("open_case", "an open case"),
            )
        if alert.case_id not in (None, case.id):
            raise _has_case(tx, alert)
        at = now()
        held = alert.suppressed_by
        alert = replace(
            alert,
            decision=CONFIRMED,
            decided_by=actor.name,
            decided_at=at,
            suppressed_by=None,
            suppressed_until=None,
            updated_at=at,
        )
        alert_store.save(tx, [alert])
        members = alert_store.group(tx, alert)
        alert_store.set_case(tx, members, case.id)
        joined = audit.Entry(
            at, actor.name, actor.role, "case", str(case.id), "join_alert", case.state, case.state,
            remarked(coded("the_alert", "alert {alert}", alert=alert.id), note, mark=""),
        )  # fmt: skip
        audit.append(
            tx,
            [
                _entry(
                    alert, actor, coded("into_case", "into case {number}", number=case.number), note
                ),
                joined,
            ],
        )
        changes = [Change("case", str(case.id)), *(Change("alert", each) for each in members)]
        events.record(tx, [*changes, *lift_around(tx, site, alert, held, actor)], at)


def _may_join(tx: Connection, alert: Alert) -> None:
    if (said := said_of(tx, alert)) is not None:
        raise Problem(409, "decided", said, UNDECIDED)


def _has_case(tx: Connection, alert: Alert) -> Problem:
    number = case_store.numbers_of(tx, [alert.case_id or 0]).get(alert.case_id or 0, "")
    fault = coded(
        "alert_in_case", "alert {alert} has the case {number}", alert=alert.id, number=number
    )
    return Problem(409, "has_case", fault, coded("merge_cases", "merge the cases instead"))


def _entry(alert: Alert, actor: Actor, into: str, note: str) -> audit.Entry:
    said = remarked(into, note, mark="")
    return audit.Entry(now(), actor.name, actor.role, "alert", alert.id, "merge", note=said)
