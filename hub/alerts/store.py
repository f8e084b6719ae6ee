"""Alerts and what shows them, in the database."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields, replace
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    FromClause,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.alerts.alert import ACTIVE, ENDED, Alert
from hub.alerts.attention_store import is_put_off
from hub.alerts.dedup import cell, cells_around, patience, reach_m, topic
from hub.config import Dedupe
from hub.evidence.refs import Picture, pictures, pictures_of
from hub.scope import EVERYTHING
from hub.store import GridPath, Instant, in_parts, metadata, upsert
from wire.alert import Box

__all__ = ["Picture", "pictures", "pictures_of"]


alerts = Table(
    "alerts",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("device", String(64), nullable=False),
    Column("epoch", String(16), nullable=False),
    Column("alert", String(64), nullable=False),
    Column("source", String(64), nullable=False),
    Column("source_name", String(200), nullable=False),
    Column("label", String(64), nullable=False),
    Column("matter", String(5)),
    Column("zone", String(64), nullable=False),
    Column("state", String(8), nullable=False),
    Column("level", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("received_at", Instant, nullable=False),
    Column("delayed", Boolean, nullable=False),
    Column("clock_suspect", Boolean, nullable=False),
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
    Column("acc_m", Float, nullable=False),
    Column("place", String(8), nullable=False),
    Column("path", GridPath, nullable=False),
    Column("score", Float, nullable=False),
    Column("model", String(64), nullable=False),
    Column("boxes", LargeBinary, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("generated", Boolean, nullable=False),
    Column("decision", String(12)),
    Column("decided_by", String(100)),
    Column("decided_at", Instant),
    Column("duplicate_of", String(20)),
    Column("times_seen", Integer, nullable=False),
    Column("case_id", Integer, index=True),
    Column("suppressed_by", Integer, index=True),
    Column("suppressed_until", Instant),
    Column("last_clean", Instant),
    Column("updated_at", Instant, nullable=False),
    Column("topic", String(64), nullable=False),
    Column("cell", BigInteger, nullable=False),
    Index("ix_alerts_near", "cell", "topic", "at"),
    Index("ix_alerts_at", "at", "id"),
    Index("ix_alerts_undecided", "decision", "duplicate_of"),
    Index("ix_alerts_received_at", "received_at"),
    Index("ix_alerts_judged", "device", "source", "label", "decided_at"),
    Index("ix_alerts_duplicate_of", "duplicate_of"),
)
_FIELDS = [field.name for field in fields(Alert)]
_values = attrgetter(*_FIELDS)
_boxes = msgspec.json.Decoder(tuple[Box, ...])

# Built once: these run for every gathered batch.
_BY_ID = select(alerts).where(alerts.c.id.in_(bindparam("ids", expanding=True)))
_AROUND = (
    select(alerts)
    .where(
        alerts.c.cell.in_(bindparam("cells", expanding=True)),
        alerts.c.topic.in_(bindparam("topics", expanding=True)),
        alerts.c.at >= bindparam("since", type_=Instant),
        alerts.c.duplicate_of.is_(None),
    )
    .order_by(alerts.c.at.desc())
    .limit(2000)
)


def load(tx: Connection, ids: Collection[str]) -> dict[str, Alert]:
    """Alerts by id."""
    found: dict[str, Alert] = {}
    for part in in_parts(list(ids)):
        found |= {row.id: to_alert(row) for row in tx.execute(_BY_ID, {"ids": part})}
    return found


def lock(tx: Connection, alert: str) -> Alert | None:
    """One alert, kept from others until the transaction ends."""
    row = tx.execute(select(alerts).where(alerts.c.id == alert).with_for_update()).one_or_none()
    return None if row is None else to_alert(row)


def around(tx: Connection, new: Sequence[Alert], near: Dedupe) -> list[Alert]:
    """Alerts that any of `new` could be again, none a duplicate itself."""
    if not new or near.radius_m == 0:
        return []
    since = min(alert.since for alert in new) - patience(new, near)
    wanted = {
        "cells": list({each for alert in new for each in cells_around(alert, reach_m(near))}),
        "topics": list({topic(alert) for alert in new}),
        "since": since,
    }
    return [to_alert(row) for row in tx.execute(_AROUND, wanted)]


def save(tx: Connection, changed: Iterable[Alert]) -> None:
    """Insert or overwrite alerts."""
    rows = [_row(alert) for alert in changed]
    upsert(tx, alerts, rows, ["id"])


def set_case(tx: Connection, ids: Collection[str], case_id: int) -> None:
    """Say that alerts belong to a case."""
    tx.execute(update(alerts).where(alerts.c.id.in_(ids)).values(case_id=case_id))


def group(tx: Connection, alert: Alert) -> list[str]:
    """The ids of all alerts of the same thing."""
    head = alert.duplicate_of or alert.id
    same = or_(alerts.c.id == head, alerts.c.duplicate_of == head)
    return list(tx.execute(select(alerts.c.id).where(same)).scalars())


def is_there(at: datetime | None = None) -> ColumnElement[bool]:
    """Whether an alert's thing is still there, or was `at` a time: it or one joined to it lasts."""
    joined = alerts.alias()
    known = [joined.c.duplicate_of == alerts.c.id]
    if at is not None:
        known.append(joined.c.since <= at)
    lasts = select(joined.c.id).where(*known, _lasts(joined, at)).exists()
    return or_(_lasts(alerts, at), lasts)


def _lasts(which: FromClause, at: datetime | None) -> ColumnElement[bool]:
    ended_at = which.c.ended_at
    return ended_at.is_(None) if at is None else or_(ended_at.is_(None), ended_at > at)


def with_joined(tx: Connection, known: Sequence[Alert]) -> list[Alert]:
    """Alerts with the end of their thing: of the last one joined to them, none while one lasts."""
    heads = [alert.id for alert in known if alert.state == ENDED and alert.times_seen > 1]
    ends: dict[str, datetime | None] = {}
    for part in in_parts(heads):
        last = func.max(alerts.c.ended_at), func.count() - func.count(alerts.c.ended_at)
        joined = select(alerts.c.duplicate_of, *last).where(alerts.c.duplicate_of.in_(part))
        for head, last_at, lasting in tx.execute(joined.group_by(alerts.c.duplicate_of)):
            ends[head] = None if lasting else last_at
    return [_ending(alert, ends[alert.id]) if alert.id in ends else alert for alert in known]


def _ending(alert: Alert, joined_at: datetime | None) -> Alert:
    if joined_at is None or alert.ended_at is None:
        return replace(alert, state=ACTIVE, ended_at=None)
    return replace(alert, ended_at=max(alert.ended_at, joined_at))


_OF_CASES = (
    select(alerts.c.case_id, alerts.c.id)
    .where(alerts.c.case_id.in_(bindparam("cases", expanding=True)))
    .order_by(alerts.c.received_at, alerts.c.id)
)


def of_case(tx: Connection, cases: Collection[int]) -> dict[int, list[str]]:
    """The alerts of each case, oldest first."""
    found: dict[int, list[str]] = {case: [] for case in cases}
    for row in tx.execute(_OF_CASES, {"cases": list(cases)}):
        found[row.case_id].append(row.id)
    return found


def counts(
    tx: Connection, midnight: datetime, at: datetime, mine: ColumnElement[bool] = EVERYTHING
) -> tuple[int, int]:
    """Of `mine`: those that wait for a decision at `at`, those first heard of since `midnight`."""
    first = alerts.c.duplicate_of.is_(None) & mine
    undecided = and_(
        first,
        alerts.c.decision.is_(None),
        alerts.c.suppressed_until.is_(None),
        ~is_put_off(alerts, at),
    )
    today = and_(first, alerts.c.received_at >= midnight)
    total = select(func.count()).select_from(alerts)
    return (
        tx.execute(total.where(undecided)).scalar_one(),
        tx.execute(total.where(today)).scalar_one(),
    )


def to_alert(row: Row[tuple[object, ...]]) -> Alert:
    """A row as the value it stands for."""
    values: dict[str, Any] = dict(zip(_FIELDS, _values(row), strict=True))
    values["boxes"] = _boxes.decode(row.boxes)
    return Alert(**values)


def _row(alert: Alert) -> dict[str, object]:
    values = {name: getattr(alert, name) for name in _FIELDS}
    return {
        **values,
        "boxes": msgspec.json.encode(alert.boxes),
        "topic": topic(alert),
        "cell": cell(alert),
    }
