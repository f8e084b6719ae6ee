"""Refused messages, kept for a while so that somebody can see what was sent, and take it after all.

Bounded in rows, in rows a device, in age and in bytes: no device can fill it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    delete,
    func,
    select,
)
from sqlalchemy.engine import Connection, RowMapping

from hub import audit
from hub.auth import need
from hub.config import Quarantine
from hub.errors import Problem, not_found
from hub.http import ERRORS, CodedText, Listing, Page, Utc, coded_of, page
from hub.roles import Actor, Right
from hub.store import Instant, Sentence, Store, metadata, now
from wire.codec import STREAMS, Refused
from wire.coded import coded, cut

MAX_RAW = 65_536
SHOWN_RAW = 2_000
MOST_DEVICES = 100
MOST_RETRIED = 500

refused = Table(
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("received_at", Instant, nullable=False),
    Column("topic", String(200), nullable=False),
    Column("device", String(64), nullable=False),
    Column("code", String(16), nullable=False),
    Column("message", Sentence, nullable=False),
    Column("size", Integer, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Index("ix_quarantine_device", "device", "id"),
)


@dataclass(frozen=True)
class Suspect:
    """A message as it came, why it was refused, and `device` from its topic where it has one."""

    received_at: datetime
    topic: str
    device: str
    code: str
    message: str
    payload: bytes


def keep(tx: Connection, suspects: Sequence[Suspect], bounds: Quarantine) -> None:
    """Store refused messages; a device over its cap loses its oldest."""
    if not suspects:
        return
    tx.execute(
        refused.insert(),
        [
            {
                "received_at": each.received_at,
                "topic": each.topic[:200],
                "device": each.device,
                "code": each.code,
                "message": cut(each.message, 500),
                "size": len(each.payload),
                "raw": each.payload[:MAX_RAW],
            }
            for each in suspects
        ],
    )
    for device in Counter(each.device for each in suspects):
        _trim(tx, refused.c.device == device, bounds.max_rows_per_device)


def has_of(tx: Connection, device: str) -> bool:
    """Whether something of this device was refused lately."""
    found = select(refused.c.id).where(refused.c.device == device).limit(1)
    return tx.execute(found).first() is not None


def forget_old(tx: Connection, bounds: Quarantine, at: datetime) -> None:
    """Keep the newest rows, none older than the bound."""
    oldest = at - timedelta(days=bounds.keep_days)
    tx.execute(delete(refused).where(refused.c.received_at < oldest))
    _trim(tx, refused.c.id > 0, bounds.max_rows)


def _trim(tx: Connection, which: object, keep_rows: int) -> None:
    newest = select(refused.c.id).where(which).order_by(refused.c.id.desc())  # type: ignore[arg-type]
    last_kept = tx.execute(newest.offset(keep_rows - 1).limit(1)).scalar()
    if last_kept is not None:
        tx.execute(delete(refused).where(which, refused.c.id < last_kept))  # type: ignore[arg-type]


Again = Callable[[Connection, Suspect], Refused | None]


class QuarantineItem(BaseModel):
    """A refused message; `raw` is its beginning, undecodable bytes escaped.

    `can_retry`: it is kept whole, and its kind may be taken late.
    """

    id: int
    received_at: Utc
    topic: str
    device: str
    code: str
    message: str
    size: int
    raw: str
    can_retry: bool
    coded: dict[str, CodedText] = {}


class QuarantineDetail(QuarantineItem):
    """A refused message whole, as far as it is kept: `raw` as text, `hex` byte by byte."""

    hex: str


class Count(BaseModel):
    """How many messages of a reason, or of a device."""

    name: str
    count: int


class QuarantineCounts(BaseModel):
    """What lies there, by reason and by device (at most 100, the most first)."""

    total: int
    oldest: Utc | None
    newest: Utc | None
    by_code: list[Count]
    by_device: list[Count]


class Retried(BaseModel):
    """How many messages were taken after all, refused again, and not tried: 500 at a time."""

    taken: int
    refused: int
    left: int


class Deleted(BaseModel):
    """How many messages are gone."""

    deleted: int


Selected = list[ColumnElement[bool]]


def selected(
    up_to: Annotated[int, Query(ge=1)], device: str | None = None, code: str | None = None
) -> Selected:
    """Of a device, of a reason, or all: those with an id up to `up_to`, the newest seen."""
    return [refused.c.id <= up_to, *_which(device, code)]


def router(store: Store, again: Again) -> APIRouter:
    """The list for administrators. `again` takes a message, or says why it does not."""
    api = APIRouter(prefix="/api", tags=["quarantine"], responses=ERRORS)
    admin = Annotated[Actor, Depends(need(Right.ADMIN))]

    @api.get("/quarantine/counts")
    def counts(_actor: admin) -> QuarantineCounts:
        with store.read() as tx:
            ends = select(
                func.count(), func.min(refused.c.received_at), func.max(refused.c.received_at)
            )
            total, oldest, newest = tx.execute(ends).one()
            return QuarantineCounts(
                total=total,
                oldest=oldest,
                newest=newest,
                by_code=_counted(tx, refused.c.code),
                by_device=_counted(tx, refused.c.device),
            )

    @api.get("/quarantine/{number}")
    def detail(number: int, _actor: admin) -> QuarantineDetail:
        with store.read() as tx:
            row = _row(tx, number)
        raw = bytes(row["raw"])
        return QuarantineDetail(**_fields(row, len(raw)), hex=raw.hex(" "))

    @api.post("/quarantine/{number}/retry")
    def retry(number: int, actor: admin) -> Deleted:
        """Take the message after all; it leaves the quarantine when it is taken."""
        _take(store, again, number, actor)
        return Deleted(deleted=1)

    @api.post("/quarantine/retry")
    def retry_many(actor: admin, which: Annotated[Selected, Depends(selected)]) -> Retried:
        """Take them after all, the oldest first: what a device sent before it was enrolled."""
        with store.read() as tx:
            found = select(refused.c.id).where(*which).order_by(refused.c.id)
            numbers = tx.execute(found).scalars().all()
        taken = 0
        for number in numbers[:MOST_RETRIED]:
            with suppress(Problem):  # it stays, with its reason
                _take(store, again, number, actor)
                taken += 1
        left = len(numbers[MOST_RETRIED:])
        return Retried(taken=taken, refused=len(numbers) - left - taken, left=left)

    @api.delete("/quarantine/{number}")
    def remove(number: int, actor: admin) -> Deleted:
        with store.write() as tx:
            row = _row(tx, number)
            tx.execute(delete(refused).where(refused.c.id == number))
            _write_down(tx, actor, str(number), "delete", f"{row['topic']}: {row['code']}")
        return Deleted(deleted=1)

    @api.delete("/quarantine")
    def remove_many(
        actor: admin,
        which: Annotated[Selected, Depends(selected)],
        device: str | None = None,
        code: str | None = None,
    ) -> Deleted:
        with store.write() as tx:
            gone = tx.execute(delete(refused).where(*which)).rowcount
            note = coded(
                "messages_deleted",
                "{count} messages, device {device}, code {kind}",
                count=gone,
                device=device or "*",
                kind=code or "*",
            )
            _write_down(tx, actor, "many", "delete", note)
        return Deleted(deleted=gone)

    @api.get("/quarantine")
    def quarantine(
        _actor: admin,
        part: Annotated[Page, Depends(page)],
        device: str | None = None,
        code: str | None = None,
    ) -> Listing[QuarantineItem]:
        found = select(refused).where(*_which(device, code))
        with store.read() as tx:
            total = tx.execute(select(func.count()).select_from(found.subquery())).scalar_one()
            newest = found.order_by(refused.c.id.desc()).limit(part.limit).offset(part.offset)
            items = [
                QuarantineItem(**_fields(row, SHOWN_RAW)) for row in tx.execute(newest).mappings()
            ]
        return Listing(items=items, total=total)

    return api


def _take(store: Store, again: Again, number: int, actor: Actor) -> None:
    with store.write() as tx:
        row = _row(tx, number)
        if not _can_retry(row):
            raise Problem(
                409,
                "cannot_retry",
                coded("not_whole", "it is not kept whole, or its kind is not taken late"),
                coded("whole_messages", "whole messages of {kinds}", kinds=", ".join(STREAMS)),
            )
        suspect = Suspect(
            row["received_at"], row["topic"], row["device"], row["code"], row["message"],
            bytes(row["raw"]),
        )  # fmt: skip
        if (fault := again(tx, suspect)) is not None:
            raise Problem(
                409,
                "refused_again",
                coded("refused_as", "{kind}: {why}", kind=fault.code, why=fault.message),
                coded("mend_first", "mend the cause first"),
            )
        tx.execute(delete(refused).where(refused.c.id == number))
        _write_down(tx, actor, str(number), "retry", f"{row['topic']}: {row['code']}")


def _which(device: str | None, code: str | None) -> list[ColumnElement[bool]]:
    which = []
    if device is not None:
        which.append(refused.c.device == device)
    if code is not None:
        which.append(refused.c.code == code)
    return which


def _counted(tx: Connection, column: Column[str]) -> list[Count]:
    number = func.count()
    found = select(column, number).group_by(column).order_by(number.desc(), column)
    return [Count(name=name, count=n) for name, n in tx.execute(found.limit(MOST_DEVICES))]


def _row(tx: Connection, number: int) -> RowMapping:
    row = tx.execute(select(refused).where(refused.c.id == number)).mappings().one_or_none()
    if row is None:
        raise not_found("refused message", number)
    return row


def _fields(row: RowMapping, shown: int) -> dict[str, Any]:
    raw = bytes(row["raw"][:shown]).decode("utf-8", "backslashreplace")
    codes = coded_of({"message": row["message"]})
    return {**row, "raw": raw, "can_retry": _can_retry(row), "coded": codes}


def _can_retry(row: RowMapping) -> bool:
    return row["size"] <= MAX_RAW and row["topic"].rsplit("/", 1)[-1] in STREAMS


def _write_down(tx: Connection, actor: Actor, subject: str, action: str, note: str) -> None:
    act = audit.Entry(now(), actor.name, actor.role, "quarantine", subject, action, note=note)
    audit.append(tx, [act])
