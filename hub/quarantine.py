"""Refused messages, kept for a while so that somebody can see what was sent.

Bounded in rows, in rows a device, in age and in bytes: no device can fill it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, delete, func, select
from sqlalchemy.engine import Connection

from hub.auth import need
from hub.config import Quarantine
from hub.http import ERRORS, Listing, Page, Utc, page
from hub.roles import Actor, Right
from hub.store import Instant, Store, metadata

MAX_RAW = 65_536
SHOWN_RAW = 2_000

refused = Table(
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("received_at", Instant, nullable=False),
    Column("topic", String(200), nullable=False),
    Column("device", String(64), nullable=False),
    Column("code", String(16), nullable=False),
    Column("message", String(500), nullable=False),
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
                "message": each.message[:500],
                "size": len(each.payload),
                "raw": each.payload[:MAX_RAW],
            }
            for each in suspects
        ],
    )
    for device in Counter(each.device for each in suspects):
        _trim(tx, refused.c.device == device, bounds.max_rows_per_device)


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


class QuarantineItem(BaseModel):
    """A refused message; `raw` is its beginning, undecodable bytes escaped."""

    id: int
    received_at: Utc
    topic: str
    device: str
    code: str
    message: str
    size: int
    raw: str


def router(store: Store) -> APIRouter:
    """The list for administrators."""
    api = APIRouter(prefix="/api", tags=["quarantine"], responses=ERRORS)

    @api.get("/quarantine")
    def quarantine(
        _actor: Annotated[Actor, Depends(need(Right.ADMIN))],
        part: Annotated[Page, Depends(page)],
        device: str | None = None,
        code: str | None = None,
    ) -> Listing[QuarantineItem]:
        found = select(refused)
        if device is not None:
            found = found.where(refused.c.device == device)
        if code is not None:
            found = found.where(refused.c.code == code)
        with store.read() as tx:
            total = tx.execute(select(func.count()).select_from(found.subquery())).scalar_one()
            newest = found.order_by(refused.c.id.desc()).limit(part.limit).offset(part.offset)
            items = [
                QuarantineItem(
                    **{k: v for k, v in row.items() if k != "raw"},
                    raw=bytes(row["raw"][:SHOWN_RAW]).decode("utf-8", "backslashreplace"),
                )
                for row in tx.execute(newest).mappings()
            ]
        return Listing(items=items, total=total)

    return api
