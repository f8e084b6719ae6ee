"""One box for what a person has in mind: a plate, a grid, a case number, words of an address."""

from collections.abc import Iterable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.engine import Connection

from hub.auth import need
from hub.cases import words as case_words
from hub.cases.api import visible as visible_cases
from hub.devices.api import visible as visible_cameras
from hub.devices.store import cameras
from hub.grid.places import Places
from hub.http import ERRORS, Listing
from hub.permits.permit import plate_key
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store
from hub.tracks.api import visible as visible_vehicles
from hub.tracks.store import vehicles

MARKS = " ·•.-　"
"""What people write plates with or without."""


class Hit(BaseModel):
    """Something found, and where it lies; `place` is null of a vehicle that was never anywhere."""

    kind: Literal["vehicle", "case", "camera", "grid"]
    id: str
    title: str
    detail: str
    lat: float | None
    lon: float | None


def router(store: Store, places: Places) -> APIRouter:
    """The search."""
    api = APIRouter(prefix="/api", tags=["overview"], responses=ERRORS)

    @api.get("/search")
    def search(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        q: Annotated[str, Query(min_length=1, max_length=100)],
        limit: Annotated[int, Query(ge=1, le=50)] = 12,
    ) -> Listing[Hit]:
        """What begins with it comes before what only contains it."""
        words = q.strip()
        if not words:
            return Listing(items=[], total=0)
        with store.read() as tx:
            found = [
                *_vehicles(tx, words, visible_vehicles(actor), limit),
                *_cases(tx, words, visible_cases(actor), limit),
                *_grids(places, words, limit),
                *_cameras(tx, words, visible_cameras(actor), limit),
            ]
        ranked = sorted(found, key=lambda hit: _rank(hit, words))
        return Listing(items=ranked[:limit], total=len(ranked))

    return api


def _rank(hit: Hit, words: str) -> int:
    names = [plate_key(hit.title), plate_key(hit.id)]
    wanted = plate_key(words)
    if wanted in names:
        return 0
    return 1 if any(name.startswith(wanted) for name in names) else 2


def _has(column: ColumnElement[str], words: str) -> ColumnElement[bool]:
    return func.upper(column).contains(words.upper(), autoescape=True)


def _plate_has(column: ColumnElement[str], words: str) -> ColumnElement[bool]:
    bare: ColumnElement[str] = func.upper(column)
    for mark in MARKS:
        bare = func.replace(bare, mark, "")
    return bare.contains(plate_key(words), autoescape=True)


def _vehicles(tx: Connection, words: str, mine: ColumnElement[bool], limit: int) -> Iterable[Hit]:
    known = or_(_plate_has(vehicles.c.plate, words), _has(vehicles.c.vehicle, words))
    found: Select[tuple[object, ...]] = (
        select(vehicles).where(known, vehicles.c.retired_at.is_(None), mine).limit(limit)
    )
    for row in tx.execute(found):
        plate = row.plate or row.vehicle
        yield Hit(kind="vehicle", id=row.id, title=plate, detail=row.kind, lat=row.lat, lon=row.lon)


def _cases(tx: Connection, words: str, mine: ColumnElement[bool], limit: int) -> Iterable[Hit]:
    for row in tx.execute(case_words.having(tx, words).where(mine).limit(limit)):
        yield Hit(
            kind="case", id=str(row.id), title=row.number, detail=row.title,
            lat=row.lat, lon=row.lon,
        )  # fmt: skip


def _cameras(tx: Connection, words: str, mine: ColumnElement[bool], limit: int) -> Iterable[Hit]:
    known = or_(_has(cameras.c.name, words), _has(cameras.c.id, words))
    found = select(cameras).where(known, cameras.c.retired_at.is_(None), mine).limit(limit)
    for row in tx.execute(found):
        yield Hit(kind="camera", id=row.id, title=row.name, detail=row.id, lat=row.lat, lon=row.lon)


def _grids(places: Places, words: str, limit: int) -> Iterable[Hit]:
    wanted = words.upper()
    count = 0
    for grid in places.index[1].grids:
        if wanted not in grid.code.upper() and wanted not in grid.name.upper():
            continue
        inside = grid.geometry.representative_point()
        yield Hit(
            kind="grid", id=grid.code, title=grid.name or grid.code, detail=grid.code,
            lat=inside.y, lon=inside.x,
        )  # fmt: skip
        count += 1
        if count == limit:
            return
