"""Revisions in the database, what devices run with, and which revisions are to be sent now."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    Integer,
    String,
    Table,
    Text,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.courier import Letter, Source
from hub.devices.revisions.revision import CameraReport, Doc, Revision, RevisionState
from hub.devices.store import devices
from hub.events import Change
from hub.inbox import Received
from hub.store import Instant, metadata, to_ms, upsert
from wire.codec import encode
from wire.coded import kept, read_kept, with_code
from wire.command import CommandState, Reply
from wire.revision import ConfigPush, SettingsReport, revision_of

AGAIN = timedelta(seconds=20)
SETTLED = timedelta(seconds=60)
"""A device that reports an old revision so long after it took the new one has lost it."""
AT_ONCE = 50

revisions = Table(
    "revisions",
    metadata,
    Column("device", String(64), primary_key=True),
    Column("rev", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("by", String(100), nullable=False),
    Column("note", String(1000), nullable=False),
    Column("doc", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("sent_at", Instant),
    Column("answered_at", Instant),
    Column("faults", Text, nullable=False),
)
reported = Table(
    "reported_revisions",
    metadata,
    Column("device", String(64), primary_key=True),
    Column("rev", Integer, nullable=False),
    Column("at", Instant, nullable=False),
)
camera_settings = Table(
    "camera_settings",
    metadata,
    Column("id", String(140), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("doc", Text, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("at", Instant, nullable=False),
)


def latest(tx: Connection, device: str) -> Revision | None:
    """The newest revision of a device."""
    found = select(revisions).where(revisions.c.device == device)
    row = tx.execute(found.order_by(revisions.c.rev.desc()).limit(1)).first()
    return to_revision(row) if row is not None else None


def latest_of(tx: Connection, ids: Collection[str]) -> dict[str, Revision]:
    """The newest revisions of some devices."""
    top = _newest().where(revisions.c.device.in_(ids)).subquery()
    found = select(revisions).join(
        top, (top.c.device == revisions.c.device) & (top.c.rev == revisions.c.rev)
    )
    return {row.device: to_revision(row) for row in tx.execute(found)}


def load(tx: Connection, device: str, rev: int) -> Revision | None:
    """One revision."""
    found = select(revisions).where(revisions.c.device == device, revisions.c.rev == rev)
    row = tx.execute(found).first()
    return to_revision(row) if row is not None else None


def taken_doc(tx: Connection, device: str) -> Doc:
    """The newest document the device did not refuse: what the next one begins from."""
    which = (revisions.c.device == device) & (revisions.c.state != RevisionState.REFUSED.value)
    found = select(revisions.c.doc).where(which).order_by(revisions.c.rev.desc()).limit(1)
    text = tx.execute(found).scalar()
    document: Doc = json.loads(text) if text is not None else {}
    return document


def add(tx: Connection, device: str, doc: Doc, *, by: str, note: str, at: datetime) -> Revision:
    """The next revision of a device; the courier finds it. One that fits no message raises."""
    before = latest(tx, device)
    revision = Revision(device, before.rev + 1 if before else 1, at, by, note, doc)
    values = vars(revision) | {"doc": _text(doc), "faults": _text([])}
    tx.execute(revisions.insert().values(values))
    return revision


def renew_calendars(tx: Connection, calendar: Doc, at: datetime) -> list[Change]:
    """Another calendar is in force in the city: a revision for each device that goes by it."""
    changes = []
    top = _newest().subquery()
    for device in tx.execute(select(top.c.device)).scalars().all():
        doc = taken_doc(tx, device)
        if doc and doc.get("calendar") != calendar:
            add(tx, device, {**doc, "calendar": calendar}, by="system", note="", at=at)
            changes.append(Change("revision", device))
    return changes


def push_of(revision: Revision) -> ConfigPush:
    """The message that brings a revision to its device."""
    return ConfigPush(
        dev=revision.device,
        rev=revision.rev,
        at=to_ms(revision.at),
        by=revision.by,
        doc=revision.doc,
    )


def take_reply(tx: Connection, received: Received[Reply]) -> list[Change]:
    """What a device says of a revision; nothing where the reply is about something else."""
    reply = received.message
    rev = revision_of(reply.id)
    revision = load(tx, received.dev, rev) if rev is not None else None
    if revision is None or revision.state is not RevisionState.WAITING:
        return []
    if reply.st is CommandState.DONE:
        state, faults = RevisionState.APPLIED, []
        _report(tx, received.dev, revision.rev, received.received_at)
    else:
        state = RevisionState.REFUSED
        faults = _faults_in(reply)
    tx.execute(
        update(revisions)
        .where(revisions.c.device == received.dev, revisions.c.rev == rev)
        .values(
            state=state.value,
            answered_at=received.received_at,
            faults=_text([kept(fault) for fault in faults]),
        )
    )
    return [Change("revision", received.dev)]


def _faults_in(reply: Reply) -> list[str]:
    """What a device named, with the codes it said beside."""
    listed, said = reply.out.get("faults"), reply.out.get("said")
    if not isinstance(listed, list):
        return [with_code(reply.why, reply.said)]
    codes = said if isinstance(said, dict) else {}
    places = (codes.get(str(place)) for place in range(len(listed)))
    return [
        with_code(str(text), code if isinstance(code, dict) else {})
        for text, code in zip(listed, places, strict=True)
    ]


def take_reported(tx: Connection, device: str, rev: int, at: datetime) -> list[Change]:
    """The revision a device says it runs with; one it has lost is sent again."""
    known = reported_of(tx, [device]).get(device)
    if known == rev:
        return _send_lost(tx, device, rev, at)
    if known is None and rev == 0 and latest(tx, device) is None:
        return []
    _report(tx, device, rev, at)
    _send_lost(tx, device, rev, at)
    return [Change("revision", device)]


def _report(tx: Connection, device: str, rev: int, at: datetime) -> None:
    upsert(tx, reported, [{"device": device, "rev": rev, "at": at}], ["device"])


def _send_lost(tx: Connection, device: str, rev: int, at: datetime) -> list[Change]:
    wanted = latest(tx, device)
    if wanted is None or wanted.rev == rev or wanted.state is not RevisionState.APPLIED:
        return []
    if wanted.answered_at is not None and at - wanted.answered_at < SETTLED:
        return []
    tx.execute(
        update(revisions)
        .where(revisions.c.device == device, revisions.c.rev == wanted.rev)
        .values(state=RevisionState.WAITING.value, sent_at=None, answered_at=None)
    )
    return [Change("revision", device)]


def reported_of(tx: Connection, ids: Collection[str]) -> dict[str, int]:
    """The revisions devices said last that they run with; 0 = their files alone."""
    rows = tx.execute(select(reported).where(reported.c.device.in_(ids)))
    return {row.device: row.rev for row in rows}


def take_settings(tx: Connection, received: Received[SettingsReport]) -> list[Change]:
    """What a camera runs with."""
    report = received.message
    name = f"{received.dev}/{report.camera}"
    row = {
        "id": name,
        "revision": report.revision,
        "doc": _text(report.doc),
        "calendar": _text(report.calendar),
        "at": received.received_at,
    }
    before = reports(tx, [name]).get(name)
    upsert(tx, camera_settings, [row], ["id"])
    if before is not None and replace(before, at=received.received_at) == _report_of(row):
        return []
    return [Change("revision", received.dev)]


def reports(tx: Connection, ids: Collection[str]) -> dict[str, CameraReport]:
    """What cameras run with, by DEVICE/CAMERA."""
    rows = tx.execute(select(camera_settings).where(camera_settings.c.id.in_(ids))).mappings()
    return {row["id"]: _report_of(row) for row in rows}


def due(tx: Connection, at: datetime) -> list[Letter]:
    """The newest revision of each device that is there and has not answered."""
    top = _newest().subquery()
    unsent = revisions.c.sent_at.is_(None) | (revisions.c.sent_at < devices.c.state_since)
    found = (
        select(revisions)
        .join(top, and_(top.c.device == revisions.c.device, top.c.rev == revisions.c.rev))
        .join(devices, devices.c.id == revisions.c.device)
        .where(
            devices.c.online,
            revisions.c.state == RevisionState.WAITING.value,
            or_(unsent, revisions.c.sent_at < at - AGAIN),
        )
        .limit(AT_ONCE)
    )
    return [_letter(to_revision(row)) for row in tx.execute(found)]


def note_sent(tx: Connection, keys: Sequence[str], at: datetime) -> list[Change]:
    """The broker has these revisions."""
    pairs = [key.rsplit(" ", 1) for key in keys]
    tx.execute(
        update(revisions)
        .where(revisions.c.device == bindparam("of"), revisions.c.rev == bindparam("number"))
        .values(sent_at=at),
        [{"of": device, "number": int(rev)} for device, rev in pairs],
    )
    return [Change("revision", device) for device, _ in pairs]


SOURCE = Source(due, note_sent)


def to_revision(row: Row[Any]) -> Revision:
    """A row as a value."""
    return Revision(
        device=row.device,
        rev=row.rev,
        at=row.at,
        by=row.by,
        note=row.note,
        doc=json.loads(row.doc),
        state=RevisionState(row.state),
        sent_at=row.sent_at,
        answered_at=row.answered_at,
        faults=tuple(map(read_kept, json.loads(row.faults))),
    )


def _newest() -> Any:
    return select(revisions.c.device, func.max(revisions.c.rev).label("rev")).group_by(
        revisions.c.device
    )


def _report_of(row: Any) -> CameraReport:
    return CameraReport(
        revision=row["revision"],
        doc=json.loads(row["doc"]),
        calendar=json.loads(row["calendar"]),
        at=row["at"],
    )


def _letter(revision: Revision) -> Letter:
    key = f"{revision.device} {revision.rev}"
    return Letter(key, revision.device, "config", encode(push_of(revision)), retain=True)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
