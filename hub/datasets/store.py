"""Judged alerts with their pictures, read from the database in one view."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.engine import Connection

from hub import audit, inbox
from hub.alerts.alert import DECISIONS, Alert
from hub.alerts.correction import newest
from hub.alerts.store import alerts, pictures_of, to_alert
from hub.config import HubConfig
from hub.datasets.dataset import Choice, Dataset, Judged, Shown, collect
from hub.store import from_ms

A_TIME = 1000


@dataclass(frozen=True)
class Wanted:
    """Which alerts: by when they were first told of, and by DEVICE/CAMERA."""

    since: datetime | None = None
    until: datetime | None = None
    camera: str | None = None


class _File(msgspec.Struct, frozen=True):
    """What an alert's message says of a file, as far as it matters here."""

    sha256: str
    type: str
    role: str
    at: int = 0
    sealed: bool = False
    original: str | None = None


class _Message(msgspec.Struct, frozen=True):
    ts: int
    evidence: list[_File] = []


def read(tx: Connection, config: HubConfig, wanted: Wanted, choice: Choice) -> Dataset:
    """The data set of what people have decided."""
    found = select(alerts).where(*_filters(wanted)).order_by(alerts.c.received_at, alerts.c.id)
    decided = [to_alert(row) for row in tx.execute(found)]
    beside = _beside(tx, decided)
    judged = (one for part in _parts(decided) for one in _judged(tx, part))
    return collect(judged, beside, config.learning.labels, config.zone, choice)


def _filters(wanted: Wanted) -> list[ColumnElement[bool]]:
    which: list[ColumnElement[bool]] = [
        alerts.c.decision.in_(DECISIONS),
        alerts.c.place != "vehicle",
    ]
    if wanted.since is not None:
        which.append(alerts.c.received_at >= wanted.since)
    if wanted.until is not None:
        which.append(alerts.c.received_at < wanted.until)
    if wanted.camera is not None:
        device, _, source = wanted.camera.rpartition("/")
        which += [alerts.c.device == device, alerts.c.source == source]
    return which


def _parts(decided: Sequence[Alert]) -> Iterator[Sequence[Alert]]:
    for start in range(0, len(decided), A_TIME):
        yield decided[start : start + A_TIME]


def _judged(tx: Connection, some: Sequence[Alert]) -> Iterator[Judged]:
    ids = [alert.id for alert in some]
    held = {
        name: {p.sha256 for p in listed if p.held} for name, listed in pictures_of(tx, ids).items()
    }
    files, drawn, roles = _files(tx, ids), newest(tx, ids), _roles(tx, ids)
    for alert in some:
        shown = tuple(file for file in files[alert.id] if file.sha256 in held[alert.id])
        yield Judged(alert, shown, drawn.get(alert.id), roles.get(alert.id, ""))


def _files(tx: Connection, ids: Collection[str]) -> dict[str, list[Shown]]:
    """The pictures that the alerts' own messages name; sealed ones are none of ours."""
    table = inbox.messages.c
    found: dict[str, list[Shown]] = defaultdict(list)
    rows = select(table.subject, table.at, table.body).where(
        table.stream == "alert", table.subject.in_(ids)
    )
    for row in tx.execute(rows.order_by(table.subject, table.seq)):
        try:
            message = msgspec.json.decode(row.body, type=_Message)
        except msgspec.MsgspecError:
            continue
        late = row.at - from_ms(message.ts)
        for file in message.evidence:
            if not file.sealed:
                taken = from_ms(file.at) + late if file.at else row.at
                found[row.subject].append(
                    Shown(file.sha256, file.type, file.role, taken, masked=bool(file.original))
                )
    return found


def _roles(tx: Connection, ids: Collection[str]) -> dict[str, str]:
    """The role of who decided on each alert."""
    table = audit.entries.c
    decided = and_(table.kind == "alert", table.subject.in_(ids), table.action.in_(DECISIONS))
    rows = select(table.subject, table.role).where(decided).order_by(table.id)
    return {row.subject: row.role for row in tx.execute(rows)}


def _beside(tx: Connection, decided: Sequence[Alert]) -> dict[str, list[Alert]]:
    """Every alert of the same cameras in the same span of time."""
    spans: dict[tuple[str, str], tuple[datetime, datetime]] = {}
    for alert in decided:
        key = (alert.device, alert.source)
        first, last = spans.get(key, (alert.since, alert.at))
        spans[key] = (min(first, alert.since), max(last, alert.at))
    found: dict[str, list[Alert]] = {}
    for (device, source), (first, last) in spans.items():
        over: Any = or_(alerts.c.ended_at.is_(None), alerts.c.ended_at >= first)
        rows = select(alerts).where(
            alerts.c.device == device, alerts.c.source == source, alerts.c.since <= last, over
        )
        found[f"{device}/{source}"] = [to_alert(row) for row in tx.execute(rows)]
    return found
