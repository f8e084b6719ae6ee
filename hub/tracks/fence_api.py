"""Fences over HTTP: list, read, put, remove, import; any datum at the rim."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool

from hub import audit
from hub.auth import need
from hub.errors import LOOK_AGAIN, SEE_PROBLEMS, Problem, not_found
from hub.grid.datum import Datum, convert
from hub.grid.errors import GridError
from hub.http import ERRORS, Body, Utc
from hub.roles import Actor, Right
from hub.store import Store, now
from hub.tracks import fence_store
from hub.tracks.fence_store import Version
from hub.tracks.geofence import Geofence, Purpose, feature_of, read_fences
from wire.coded import coded

MOST_PROBLEMS = 1000
DatumName = Literal["wgs84", "gcj02", "bd09"]
DATUMS: dict[str, Datum] = {"wgs84": Datum.WGS84, "gcj02": Datum.GCJ02, "bd09": Datum.BD09}
GEOJSON: dict[int | str, dict[str, Any]] = {200: {"content": {"application/geo+json": {}}}}


class FenceFeature(Body):
    """One fence as GeoJSON: (Multi)Polygon, Point with radius_m, LineString with half_width_m.

    Properties: code, name, purpose (watch, loading, dump), hours, days (1 Monday to 7), from,
    until, vehicles (plates or ids), kinds, watch (enter, exit, inside, cross), inside_min_s,
    limit_kmh.
    """

    type: Literal["Feature"]
    properties: dict[str, Any]
    geometry: dict[str, Any]


class FenceItem(BaseModel):
    """A fence in force, or a version of it that was."""

    code: str
    version: int
    since: Utc
    until: Utc | None
    actor: str
    datum: DatumName
    feature: FenceFeature


class FenceList(BaseModel):
    """Fences by code."""

    items: list[FenceItem]
    total: int


class FencesImported(BaseModel):
    """What an import did: fences in the document, and how many were new or different."""

    imported: int
    changed: int


class Reshape(Body):
    """A fence and the version that it was made from; 0 for a new one."""

    version: Annotated[int, Field(ge=0)]
    feature: FenceFeature


class BadFences(Problem):
    """A document of fences with its problems."""

    def __init__(self, fault: GridError) -> None:
        """Carry the first thousand problems."""
        count = len(fault.problems)
        super().__init__(
            422,
            "bad_fences",
            coded("fences_problems", "{count} problems in the fences; none was taken", count=count),
            SEE_PROBLEMS,
        )
        self.problems = [problem.line() for problem in fault.problems[:MOST_PROBLEMS]]


def datum(datum: Annotated[DatumName, Query()] = "wgs84") -> DatumName:
    """`?datum=gcj02`: what the coordinates of this call refer to; inside all is WGS-84."""
    return datum


def in_datum(places: Sequence[tuple[float, float]], named: DatumName) -> list[tuple[float, float]]:
    """WGS-84 places (lat, lon) as a caller wants them."""
    if named == "wgs84" or not places:
        return list(places)
    lats, lons = np.array(places, dtype=float).T
    lats, lons = convert(lats, lons, Datum.WGS84, DATUMS[named])
    return list(zip(lats.tolist(), lons.tolist(), strict=True))


def router(store: Store) -> APIRouter:
    """Fences: watched areas, loading and dump sites."""
    api = APIRouter(prefix="/api", tags=["fences"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ))]
    editor = Annotated[Actor, Depends(need(Right.FLEET))]
    wanted_datum = Annotated[DatumName, Depends(datum)]

    @api.get("/fences")
    def list_fences(
        _actor: reader, named: wanted_datum, purpose: Purpose | None = None
    ) -> FenceList:
        with store.read() as tx:
            found = fence_store.listed(tx, purpose=purpose)
        return FenceList(items=[_item(each, named) for each in found], total=len(found))

    @api.get("/fences.geojson", response_class=Response, responses=GEOJSON)
    def layer(_actor: reader, named: wanted_datum, purpose: Purpose | None = None) -> Response:
        with store.read() as tx:
            found = fence_store.listed(tx, purpose=purpose)
        features = [feature_of(each.fence, DATUMS[named]) for each in found]
        text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
        return Response(text, media_type="application/geo+json")

    @api.get("/fences/{code}")
    def one(code: str, _actor: reader, named: wanted_datum) -> FenceItem:
        with store.read() as tx:
            return _item(_known(tx, code), named)

    @api.get("/fences/{code}/versions")
    def versions(code: str, _actor: reader, named: wanted_datum) -> FenceList:
        with store.read() as tx:
            found = fence_store.history(tx, code)
        if not found:
            raise not_found("fence", code)
        return FenceList(items=[_item(each, named) for each in found], total=len(found))

    @api.put("/fences/{code}")
    def put(code: str, wanted: Reshape, actor: editor, named: wanted_datum) -> FenceItem:
        (fence,) = _read(wanted.feature.model_dump(), named)
        if fence.code != code:
            raise Problem(
                422,
                "bad_fences",
                coded("code_differs", "properties.code is {given!r}", given=fence.code),
                f"{code!r}",
            )
        with store.write() as tx:
            known = fence_store.one(tx, code)
            version = known.version if known is not None else 0
            if version != wanted.version:
                raise Problem(
                    409,
                    "stale",
                    coded(
                        "fence_changed",
                        "fence {fence} was changed since: it is version {version}",
                        fence=code,
                        version=version,
                    ),
                    LOOK_AGAIN,
                )
            _put(tx, [fence], actor, f"version {version + 1}")
            return _item(_known(tx, code), named)

    @api.post("/fences")
    async def bring_in(request: Request, actor: editor, named: wanted_datum) -> FencesImported:
        body = await request.body()
        return await run_in_threadpool(_import, store, body, actor, named)

    @api.delete("/fences/{code}", status_code=204)
    def remove(code: str, actor: editor) -> None:
        with store.write() as tx:
            at = now()
            if not fence_store.remove(tx, code, at):
                raise not_found("fence", code)
            audit.append(tx, [_act(actor, code, "remove", "", at)])

    return api


def _import(store: Store, body: bytes, actor: Actor, named: DatumName) -> FencesImported:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise Problem(
            422,
            "bad_fences",
            coded("no_json", "not JSON: {why}", why=fault),
            coded("a_geojson", "a GeoJSON document"),
        ) from None
    wanted = _read(document, named)
    with store.write() as tx:
        changed = _put(
            tx, wanted, actor, coded("so_many_fences", "{count} fences", count=len(wanted))
        )
    return FencesImported(imported=len(wanted), changed=changed)


def _read(document: object, named: DatumName) -> list[Geofence]:
    try:
        return read_fences(document, DATUMS[named])
    except GridError as fault:
        raise BadFences(fault) from None


def _put(tx: Connection, wanted: Sequence[Geofence], actor: Actor, note: str) -> int:
    at = now()
    changed = fence_store.put(tx, wanted, actor.name, at)
    subject = wanted[0].code if len(wanted) == 1 else "all"
    audit.append(tx, [_act(actor, subject, "put", note, at)])
    return changed


def _act(actor: Actor, code: str, action: str, note: str, at: datetime) -> audit.Entry:
    return audit.Entry(at, actor.name, actor.role, "fence", code, action, note=note)


def _known(tx: Connection, code: str) -> Version:
    known = fence_store.one(tx, code)
    if known is None:
        raise not_found("fence", code)
    return known


def _item(known: Version, named: DatumName) -> FenceItem:
    return FenceItem(
        code=known.fence.code,
        version=known.version,
        since=known.since,
        until=known.until,
        actor=known.actor,
        datum=named,
        feature=FenceFeature.model_validate(feature_of(known.fence, DATUMS[named])),
    )
