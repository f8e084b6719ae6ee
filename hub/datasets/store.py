"""Judged alerts with their pictures, read from the database in one view."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, not_, or_, select
from sqlalchemy.engine import Connection

from hub import audit
from hub.alerts.alert import DECISIONS, Alert
from hub.alerts.correction import newest
from hub.alerts.store import Picture, alerts, pictures_of, to_alert
from hub.config import HubConfig
from hub.datasets.dataset import Choice, Dataset, Judged, Shown, collect

A_TIME = 1000


@dataclass(frozen=True)
class Wanted:
    """Which alerts: by when they were first told of, and by DEVICE/CAMERA."""

    since: datetime | None = None
    until: datetime | None = None
    camera: str | None = None


def read(tx: Connection, config: HubConfig, wanted: Wanted, choice: Choice) -> Dataset:
    """The data set of what people have decided."""
    found = select(alerts).where(*_filters(wanted)).order_by(alerts.c.received_at, alerts.c.id)
    decided = [to_alert(row) for row in tx.execute(found)]
    beside = _beside(tx, wanted, decided)
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
    files, drawn, roles = pictures_of(tx, ids), newest(tx, ids), _roles(tx, ids)
    for alert in some:
        shown = tuple(_shown(alert, file) for file in files[alert.id] if file.is_for_all)
        yield Judged(alert, shown, drawn.get(alert.id), roles.get(alert.id, ""))


def _shown(alert: Alert, file: Picture) -> Shown:
    """A device that dates its files covers what must not be seen, where there is anything."""
    is_dated = file.taken_at is not None and not alert.clock_suspect
    return Shown(
        sha256=file.sha256,
        type=file.type,
        role=file.role,
        taken_at=file.taken_at if file.taken_at and is_dated else alert.received_at,
        masked=file.original is not None or file.taken_at is not None,
    )


def _roles(tx: Connection, ids: Collection[str]) -> dict[str, str]:
    """The role of who decided on each alert."""
    table = audit.entries.c
    decided = and_(table.kind == "alert", table.subject.in_(ids), table.action.in_(DECISIONS))
    rows = select(table.subject, table.role).where(decided).order_by(table.id)
    return {row.subject: row.role for row in tx.execute(rows)}


def _beside(tx: Connection, wanted: Wanted, decided: Sequence[Alert]) -> dict[str, list[Alert]]:
    """Every alert of the same cameras in the same span of time."""
    spans: dict[tuple[str, str], tuple[datetime, datetime]] = {}
    found: defaultdict[str, list[Alert]] = defaultdict(list)
    for alert in decided:
        key = (alert.device, alert.source)
        first, last = spans.get(key, (alert.since, alert.at))
        spans[key] = (min(first, alert.since), max(last, alert.at))
        found["/".join(key)].append(alert)
    others = or_(alerts.c.decision.is_(None), not_(and_(*_filters(wanted))))
    for (device, source), (first, last) in spans.items():
        over: Any = or_(alerts.c.ended_at.is_(None), alerts.c.ended_at >= first)
        rows = select(alerts).where(
            alerts.c.device == device,
            alerts.c.source == source,
            alerts.c.since <= last,
            over,
            others,
        )
        found[f"{device}/{source}"] += [to_alert(row) for row in tx.execute(rows)]
    return found
