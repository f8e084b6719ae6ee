"""Boxes as a person drew them on an alert's picture: what a model should have said.

Every correction is kept, with who and when; the newest counts. The labels are those the site
teaches (`learning.labels`): people and goods beside a stall are labelled by the model itself.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import Column, Integer, LargeBinary, String, Table, and_, func, select
from sqlalchemy.engine import Connection

from hub import audit, events
from hub.alerts import store as alert_store
from hub.auth import need
from hub.errors import LOOK_AGAIN, Problem, not_found
from hub.events import Change
from hub.http import ERRORS, Body, Utc
from hub.roles import Actor, Right
from hub.store import Instant, Store, metadata, now
from wire.coded import coded, joined

LEAST_SIDE = 0.004
MOST_BOXES = 50

corrections = Table(
    "alert_boxes",
    metadata,
    Column("alert", String(20), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("picture", String(64), nullable=False),
    Column("boxes", LargeBinary, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(100), nullable=False),
    Column("role", String(16), nullable=False),
)


class TrueBox(msgspec.Struct, frozen=True):
    """A rectangle a person vouches for; x, y = top-left corner, fractions."""

    label: str
    x: float
    y: float
    w: float
    h: float


_boxes = msgspec.json.Decoder(tuple[TrueBox, ...])


@dataclass(frozen=True)
class Correction:
    """What a person drew on `picture` (its SHA-256): every thing of the site's labels in it."""

    alert: str
    version: int
    picture: str
    boxes: tuple[TrueBox, ...]
    at: datetime
    by: str
    role: str


class TrueBoxItem(Body):
    """A rectangle in the picture; x, y = top-left corner, all four as fractions."""

    label: Annotated[str, Field(min_length=1, max_length=64)]
    x: Annotated[float, Field(ge=0, le=1)]
    y: Annotated[float, Field(ge=0, le=1)]
    w: Annotated[float, Field(ge=LEAST_SIDE, le=1)]
    h: Annotated[float, Field(ge=LEAST_SIDE, le=1)]


class Drawn(Body):
    """All boxes of a picture. `version`: of the correction they were drawn over, 0 for none."""

    picture: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    version: Annotated[int, Field(ge=0)]
    boxes: Annotated[list[TrueBoxItem], Field(max_length=MOST_BOXES)]


class CorrectionItem(BaseModel):
    """The boxes that count: a person's (`version` from 1 up), or the device's (`version` 0).

    `labels`: what a box may be called.
    """

    alert: str
    version: int
    picture: str | None
    boxes: list[TrueBoxItem]
    at: Utc | None
    by: str | None
    labels: list[str]


def newest(tx: Connection, alerts: Collection[str]) -> dict[str, Correction]:
    """The correction that counts, of those alerts that have one."""
    last = (
        select(corrections.c.alert, func.max(corrections.c.version).label("version"))
        .where(corrections.c.alert.in_(alerts))
        .group_by(corrections.c.alert)
        .subquery()
    )
    same = and_(corrections.c.alert == last.c.alert, corrections.c.version == last.c.version)
    return {
        row.alert: Correction(
            row.alert, row.version, row.picture, _boxes.decode(row.boxes), row.at, row.by, row.role
        )
        for row in tx.execute(select(corrections).join(last, same))
    }


def router(store: Store, labels: Sequence[str]) -> APIRouter:
    """Corrected boxes of alerts; `labels`: what a box may be called."""
    api = APIRouter(prefix="/api", tags=["alerts"], responses=ERRORS)

    @api.get("/alerts/{alert}/boxes")
    def boxes(alert: str, _actor: Annotated[Actor, Depends(need(Right.READ))]) -> CorrectionItem:
        with store.read() as tx:
            return _item(tx, alert, labels)

    @api.put("/alerts/{alert}/boxes")
    def correct(
        alert: str, drawn: Drawn, actor: Annotated[Actor, Depends(need(Right.DECIDE))]
    ) -> CorrectionItem:
        faults = list(_faults(drawn, labels))
        if faults:
            raise Problem(
                422,
                "bad_boxes",
                joined(faults),
                coded("labels_are", "labels: {labels}", labels=", ".join(labels)),
            )
        with store.write(urgent=True) as tx:
            if alert_store.lock(tx, alert) is None:
                raise not_found("alert", alert)
            _correct(tx, alert, drawn, actor)
            return _item(tx, alert, labels)

    return api


def _faults(drawn: Drawn, labels: Sequence[str]) -> list[str]:
    faults: list[str] = []
    for i, box in enumerate(drawn.boxes):
        if box.label not in labels:
            faults.append(
                coded(
                    "no_label",
                    "boxes.{at}.label: {given!r} is not a label of this site",
                    at=i,
                    given=box.label,
                )
            )
        if box.x + box.w > 1 + 1e-6 or box.y + box.h > 1 + 1e-6:
            faults.append(coded("box_beyond", "boxes.{at}: reaches beyond the picture", at=i))
    return faults


def _correct(tx: Connection, alert: str, drawn: Drawn, actor: Actor) -> None:
    files = alert_store.pictures_of(tx, [alert])[alert]
    shown = {file.sha256: file for file in files if not file.sealed}
    picture = shown.get(drawn.picture)
    if picture is None or not picture.type.startswith("image/"):
        raise Problem(
            422,
            "bad_picture",
            coded(
                "picture_of_other",
                "picture: {picture} does not show alert {alert}",
                picture=drawn.picture,
                alert=alert,
            ),
            ", ".join(sha256 for sha256, file in shown.items() if file.type.startswith("image/")),
        )
    before = newest(tx, [alert]).get(alert)
    version = before.version if before else 0
    if version != drawn.version:
        who = before.by if before else "nobody"
        raise Problem(
            409,
            "stale",
            coded(
                "boxes_changed",
                "the boxes of {alert} were changed since by {who}: version {version}",
                alert=alert,
                who=who,
                version=version,
            ),
            LOOK_AGAIN,
        )
    at = now()
    boxes = [TrueBox(b.label, *(round(v, 5) for v in (b.x, b.y, b.w, b.h))) for b in drawn.boxes]
    tx.execute(
        corrections.insert().values(
            alert=alert,
            version=version + 1,
            picture=drawn.picture,
            boxes=msgspec.json.encode(boxes),
            at=at,
            by=actor.name,
            role=actor.role.value,
        )
    )
    note = ", ".join(box.label for box in boxes) or "no box"
    act = audit.Entry(at, actor.name, actor.role, "alert", alert, "correct_boxes", note=note)
    audit.append(tx, [act])
    events.record(tx, [Change("alert", alert)], at)


def _item(tx: Connection, alert: str, labels: Sequence[str]) -> CorrectionItem:
    known = alert_store.load(tx, [alert]).get(alert)
    if known is None:
        raise not_found("alert", alert)
    drawn = newest(tx, [alert]).get(alert)
    boxes: Sequence[TrueBox] = (
        drawn.boxes if drawn else [TrueBox(b.label, b.x, b.y, b.w, b.h) for b in known.boxes]
    )
    return CorrectionItem(
        alert=alert,
        version=drawn.version if drawn else 0,
        picture=drawn.picture if drawn else None,
        boxes=[
            TrueBoxItem.model_construct(label=b.label, x=b.x, y=b.y, w=b.w, h=b.h) for b in boxes
        ],
        at=drawn.at if drawn else None,
        by=drawn.by if drawn else None,
        labels=list(labels),
    )
