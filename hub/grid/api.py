"""Grids over HTTP: the list, the map layer, the import and what an import would do."""

import json
import re
from collections.abc import Callable
from typing import Annotated, Any

import shapely
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel
from shapely.geometry import mapping
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.engine import Connection, Row
from starlette.concurrency import run_in_threadpool

from hub import audit
from hub.auth import need
from hub.errors import SEE_PROBLEMS, Problem
from hub.grid import store as grid_store
from hub.grid.errors import GridError, Problem as GridProblem
from hub.grid.places import Places
from hub.grid.store import IN_FORCE, Trial, grids, imports
from hub.http import ERRORS, CodedText, Listing, Page, Utc, coded_of, page
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, now
from wire.coded import coded

AfterImport = Callable[[Connection, Places], None]
SHOWN_PROBLEMS = 1000
GEOJSON_BODY = {"requestBody": {"content": {"application/geo+json": {}}, "required": True}}
_FEATURE = re.compile(r"features\[(\d+)\]")


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


class ProblemItem(BaseModel):
    """What is wrong, where in the document, and what would be right.

    `feature`: which of the document's features, counted from 0; null for a grid that is in force
    already and stays. `coded`: those of the texts that have a code, by name. `shape`: the overlap,
    gap or overhang as GeoJSON.
    """

    problem: str
    code: str | None
    where: str
    message: str
    allowed: str
    coded: dict[str, CodedText]
    feature: int | None
    others: list[str]
    shape: dict[str, Any] | None


class TrialItem(BaseModel):
    """What an import would do; with any problem nothing would be imported.

    `new`, `changed`, `same`: of the document's grids that can be read. `staying`: grids in force
    that it does not name. `problems`: the first thousand of `total`.
    """

    new: int
    changed: int
    same: int
    staying: int
    problems: list[ProblemItem]
    total: int


class ImportItem(BaseModel):
    """An import: who brought what. `in_force`: how many of the grids in force came with it."""

    id: int
    at: Utc
    actor: str
    source: str
    sha256: str
    changed: int
    in_force: int


class BadGrids(Problem):
    """A document of grids with its problems."""

    def __init__(self, fault: GridError) -> None:
        """Carry the first thousand problems."""
        count = len(fault.problems)
        super().__init__(
            422,
            "bad_grids",
            coded(
                "grids_problems", "{count} problems in the grids; none was imported", count=count
            ),
            SEE_PROBLEMS,
        )
        self.problems = [problem.line() for problem in fault.problems[:SHOWN_PROBLEMS]]


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

    @api.post("/grids", openapi_extra=GEOJSON_BODY)
    async def bring_in(
        request: Request,
        actor: Annotated[Actor, Depends(need(Right.ADMIN))],
        file: Annotated[str, Query(max_length=200)] = "",
    ) -> Imported:
        """`file`: its name, to be kept with the import."""
        body = await request.body()
        source = f"api: {file}" if file else "api"
        return await run_in_threadpool(_import, store, places, after_import, body, actor, source)

    @api.post("/grids/check", openapi_extra=GEOJSON_BODY)
    async def check(
        request: Request, _actor: Annotated[Actor, Depends(need(Right.ADMIN))]
    ) -> TrialItem:
        """The dry run of an import: everything that is wrong, and what would change."""
        body = await request.body()
        return await run_in_threadpool(_check, store, body)

    @api.get("/grid-imports")
    def list_imports(
        _actor: Annotated[Actor, Depends(need(Right.ADMIN))],
        part: Annotated[Page, Depends(page)],
    ) -> Listing[ImportItem]:
        with store.read() as tx:
            total = tx.execute(select(func.count()).select_from(imports)).scalar_one()
            rows = grid_store.newest_imports(tx, part.limit, part.offset)
        return Listing(
            items=[ImportItem.model_validate(row, from_attributes=True) for row in rows],
            total=total,
        )

    return api


def _document(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise Problem(
            422,
            "bad_grids",
            coded("no_json", "not JSON: {why}", why=fault),
            coded("a_geojson", "a GeoJSON document"),
        ) from None


def _check(store: Store, body: bytes) -> TrialItem:
    document = _document(body)
    with store.read() as tx:
        trial = grid_store.try_out(tx, document)
    return TrialItem(
        new=trial.new,
        changed=trial.changed,
        same=trial.same,
        staying=trial.staying,
        problems=[_problem(each, trial) for each in trial.problems[:SHOWN_PROBLEMS]],
        total=len(trial.problems),
    )


def _problem(problem: GridProblem, trial: Trial) -> ProblemItem:
    named = problem.where, trial.reading.places.get(problem.code or "", "")
    place = next((found for text in named if (found := _FEATURE.match(text))), None)
    others = problem.details.get("others", [])
    return ProblemItem(
        problem=problem.problem,
        code=problem.code,
        where=problem.where,
        message=problem.message,
        allowed=problem.allowed,
        coded=coded_of(problem.line()),
        feature=int(place[1]) if place else None,
        others=[str(each) for each in others] if isinstance(others, list) else [],
        shape=mapping(problem.shape) if problem.shape is not None else None,
    )


def _import(
    store: Store,
    places: Places,
    after_import: AfterImport,
    body: bytes,
    actor: Actor,
    source: str,
) -> Imported:
    document = _document(body)
    try:
        with store.write() as tx:
            at = now()
            done = grid_store.bring_in(tx, document, at=at, actor=actor.name, source=source)
            note = coded(
                "grids_changed",
                "{grids} grids, {changed} changed",
                grids=done.grids,
                changed=done.changed,
            )
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
