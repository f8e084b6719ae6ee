"""Grids over HTTP: the list, the map layer, the import."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import shapely
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel
from shapely.geometry import mapping
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.engine import Connection, Row
from starlette.concurrency import run_in_threadpool

from hub import audit
from hub.auth import need
from hub.errors import Problem
from hub.grid import store as grid_store
from hub.grid.errors import GridError
from hub.grid.places import Places
from hub.grid.store import IN_FORCE, grids
from hub.http import ERRORS, Listing, Page, page
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, now

AfterImport = Callable[[Connection, Places], None]


class GridItem(BaseModel):
    """A grid in force. `synthetic`: generated, not a real boundary (示意网格，非行政界线)."""

    code: str
    name: str
    level: int | None
    parent: str | None
    synthetic: bool
    area_m2: float


class Imported(BaseModel):
    """What an import did: grids in the document, and how many were new or different."""

    imported: int
    changed: int


class BadGrids(Problem):
    """A document of grids with its problems."""

    def __init__(self, fault: GridError) -> None:
        """Carry the first thousand problems."""
        count = len(fault.problems)
        super().__init__(
            422, "bad_grids", f"{count} problems in the grids; none was imported", "see problems"
        )
        self.problems = [problem.line() for problem in fault.problems[:1000]]


def router(store: Store, places: Places, after_import: AfterImport) -> APIRouter:
    """Grids. `after_import` runs in the import's transaction, with the new grids."""
    api = APIRouter(prefix="/api", tags=["grids"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ, Reach.ALL))]

    @api.get("/grids")
    def list_grids(
        _actor: reader,
        part: Annotated[Page, Depends(page)],
        level: int | None = None,
        parent: str | None = None,
        q: str | None = None,
    ) -> Listing[GridItem]:
        found = select(grids).where(*_which(level, parent, q))
        with store.read() as tx:
            total = tx.execute(select(func.count()).select_from(found.subquery())).scalar_one()
            rows = tx.execute(
                found.order_by(grids.c.level, grids.c.code).limit(part.limit).offset(part.offset)
            ).all()
        return Listing(items=[_item(row) for row in rows], total=total)

    @api.get(
        "/grids.geojson",
        response_class=Response,
        responses={200: {"content": {"application/geo+json": {}}}},
    )
    def layer(_actor: reader, level: int | None = None) -> Response:
        with store.read() as tx:
            rows = tx.execute(select(grids).where(*_which(level, None, None))).all()
        collection = {"type": "FeatureCollection", "features": [_feature(row) for row in rows]}
        return Response(
            json.dumps(collection, ensure_ascii=False), media_type="application/geo+json"
        )

    @api.post("/grids")
    async def bring_in(
        request: Request, actor: Annotated[Actor, Depends(need(Right.ADMIN))]
    ) -> Imported:
        body = await request.body()
        return await run_in_threadpool(_import, store, places, after_import, body, actor)

    return api


def _import(
    store: Store, places: Places, after_import: AfterImport, body: bytes, actor: Actor
) -> Imported:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise Problem(422, "bad_grids", f"not JSON: {fault}", "a GeoJSON document") from None
    try:
        with store.write() as tx:
            at = now()
            done = grid_store.bring_in(tx, document, at=at, actor=actor.name, source="api")
            note = f"{done.grids} grids, {done.changed} changed"
            act = audit.Entry(at, actor.name, actor.role, "grids", "all", "import", note=note)
            audit.append(tx, [act])
            fresh = Places()
            grid_store.refresh(tx, fresh)
            after_import(tx, fresh)
    except GridError as fault:
        raise BadGrids(fault) from None
    grid_store.load(store, places)
    return Imported(imported=done.grids, changed=done.changed)


def _which(level: int | None, parent: str | None, q: str | None) -> list[ColumnElement[bool]]:
    which: list[ColumnElement[bool]] = [IN_FORCE]
    if level is not None:
        which.append(grids.c.level == level)
    if parent is not None:
        which.append(grids.c.parent == parent)
    if q:
        text = q.strip()
        which.append(
            or_(
                grids.c.name.contains(text, autoescape=True),
                grids.c.code.contains(text, autoescape=True),
            )
        )
    return which


def _item(row: Row[Any]) -> GridItem:
    return GridItem(
        code=row.code,
        name=row.name,
        level=row.level,
        parent=row.parent,
        synthetic=bool(json.loads(row.properties).get("synthetic", False)),
        area_m2=row.area_m2,
    )


def _feature(row: Row[Any]) -> dict[str, Any]:
    item = _item(row)
    return {
        "type": "Feature",
        "properties": item.model_dump(),
        "geometry": mapping(shapely.from_wkb(bytes(row.geometry))),
    }
