"""The facts of the ledgers, from the database."""

from collections import Counter
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Connection

from hub import audit
from hub.alerts.alert import FALSE_ALARM
from hub.alerts.store import alerts
from hub.cases.case import FINISHED, State
from hub.cases.record import Kind, RecordState
from hub.cases.record_store import records
from hub.cases.store import cases
from hub.proof.ledger import Occurrence, Standing
from hub.proof.store import rebounds

UNTRUE = (State.MERGED.value, State.REJECTED.value, State.CANCELLED.value)


def standing(tx: Connection, which: ColumnElement[bool]) -> list[Standing]:
    """The open cases, and how often each was put off, sent back or came back."""
    is_open = cases.c.state.not_in([state.value for state in FINISHED]) & which
    wanted = select(cases.c.id).where(is_open)
    granted = (RecordState.APPROVED.value, RecordState.DONE.value)
    of_records = select(records.c.case_id, records.c.kind, func.count().label("n")).where(
        records.c.case_id.in_(wanted), records.c.state.in_(granted)
    )
    counted = tx.execute(of_records.group_by(records.c.case_id, records.c.kind))
    put_off = Counter({(row.case_id, row.kind): row.n for row in counted})
    suspended, reworked = _steps(tx, "suspend"), _steps(tx, "rework")
    back = Counter(
        tx.execute(select(rebounds.c.case_id).where(rebounds.c.case_id.in_(wanted))).scalars()
    )
    return [
        Standing(
            row.id,
            row.opened_at,
            max(put_off[row.id, Kind.SUSPENSION.value], suspended[row.id]),
            put_off[row.id, Kind.EXTENSION.value],
            reworked[row.id],
            back[row.id],
        )
        for row in tx.execute(select(cases.c.id, cases.c.opened_at).where(is_open))
    ]


def occurrences(
    tx: Connection,
    since: datetime,
    until: datetime,
    of_cases: ColumnElement[bool],
    of_alerts: ColumnElement[bool],
) -> list[Occurrence]:
    """Where matters were found: cases, their rebounds, and alerts that opened no case."""
    true_ones = cases.c.state.not_in(UNTRUE) & cases.c.matter.is_not(None) & of_cases
    opened = select(cases).where(true_ones, cases.c.opened_at.between(since, until))
    found = [
        Occurrence("case", row.number, row.id, row.matter, row.lat, row.lon, row.opened_at)
        for row in tx.execute(opened)
    ]
    back = (
        select(cases, rebounds.c.id.label("rebound"), rebounds.c.reopened_at)
        .join(rebounds, rebounds.c.case_id == cases.c.id)
        .where(true_ones, rebounds.c.reopened_at.between(since, until))
    )
    found += [
        Occurrence(
            "rebound", f"{row.number}/{row.rebound}", row.id, row.matter, row.lat, row.lon,
            row.reopened_at,
        )
        for row in tx.execute(back)
    ]  # fmt: skip
    alone = (
        alerts.c.case_id.is_(None)
        & alerts.c.duplicate_of.is_(None)
        & alerts.c.matter.is_not(None)
        & alerts.c.suppressed_until.is_(None)
        & (alerts.c.decision.is_(None) | (alerts.c.decision != FALSE_ALARM))
        & alerts.c.at.between(since, until)
        & of_alerts
    )
    found += [
        Occurrence("alert", row.id, None, row.matter, row.lat, row.lon, row.since)
        for row in tx.execute(select(alerts).where(alone))
    ]
    return found


def _steps(tx: Connection, action: str) -> Counter[int]:
    acts = audit.entries.c
    found = select(acts.subject).where(acts.kind == "case", acts.action == action)
    return Counter(int(subject) for subject in tx.execute(found).scalars())
