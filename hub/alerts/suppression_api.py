"""Suppressions over HTTP: what is held back where and until when, and how to end it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, and_, func, or_, select

from hub.alerts.suppression import Suppression
from hub.alerts.suppression_store import held_counts, suppressions, to_suppression
from hub.auth import need
from hub.devices.store import camera_names
from hub.errors import not_found
from hub.http import ERRORS, Body, Listing, Page, Utc, page
from hub.roles import Actor, Right
from hub.store import Store, now

Lift = Callable[[int, str, Actor], None]


class AreaItem(BaseModel):
    """A part of the picture; x, y = top-left corner, all four as fractions."""

    x: float
    y: float
    w: float
    h: float


class SuppressionItem(BaseModel):
    """What is held back, why (`alerts` judged false) and until when.

    `held_back`: how many alerts it has kept from the queue so far.
    """

    id: int
    camera: str
    camera_name: str
    label: str
    area: AreaItem
    since: Utc
    until: Utc
    alerts: list[str]
    held_back: int
    in_force: bool
    lifted_at: Utc | None
    lifted_by: str | None


class Reason(Body):
    """Why it is lifted."""

    note: Annotated[str, Field(max_length=1000)] = ""


def router(store: Store, lift: Lift) -> APIRouter:
    """Suppressions. `lift(id, note, actor)` is the pipeline's."""
    api = APIRouter(prefix="/api", tags=["alerts"], responses=ERRORS)

    @api.get("/suppressions")
    def list_suppressions(
        _actor: Annotated[Actor, Depends(need(Right.READ))],
        part: Annotated[Page, Depends(page)],
        in_force: bool | None = None,
        camera: str | None = None,
    ) -> Listing[SuppressionItem]:
        which: list[ColumnElement[bool]] = []
        table = suppressions.c
        if in_force is not None:
            is_open = and_(table.lifted_at.is_(None), table.until > now())
            over = or_(table.lifted_at.is_not(None), table.until <= now())
            which.append(is_open if in_force else over)
        if camera is not None:
            device, _, source = camera.rpartition("/")
            which += [table.device == device, table.source == source]
        found = select(suppressions).where(*which)
        counted = select(func.count()).select_from(suppressions).where(*which)
        with store.read() as tx:
            total = tx.execute(counted).scalar_one()
            newest = found.order_by(table.until.desc(), table.id)
            rows = tx.execute(newest.limit(part.limit).offset(part.offset)).all()
            known = [to_suppression(row) for row in rows]
            names = camera_names(tx, {f"{each.device}/{each.source}" for each in known})
            counts = held_counts(tx, [each.id for each in known])
        items = [_item(each, names, counts.get(each.id, 0)) for each in known]
        return Listing(items=items, total=total)

    @api.post("/suppressions/{number}/lift")
    def lift_one(
        number: int, said: Reason, actor: Annotated[Actor, Depends(need(Right.DECIDE))]
    ) -> SuppressionItem:
        lift(number, said.note.strip(), actor)
        with store.read() as tx:
            row = tx.execute(select(suppressions).where(suppressions.c.id == number)).one_or_none()
            if row is None:
                raise not_found("suppression", number)
            known = to_suppression(row)
            names = camera_names(tx, [f"{known.device}/{known.source}"])
        return _item(known, names, 0)

    return api


def _item(known: Suppression, names: dict[str, str], held_back: int) -> SuppressionItem:
    camera = f"{known.device}/{known.source}"
    return SuppressionItem(
        id=known.id,
        camera=camera,
        camera_name=names.get(camera, known.source),
        label=known.label,
        area=AreaItem(**vars(known.area)),
        since=known.since,
        until=known.until,
        alerts=list(known.alerts),
        held_back=held_back,
        in_force=known.lifted_at is None and known.until > now(),
        lifted_at=known.lifted_at,
        lifted_by=known.lifted_by,
    )
