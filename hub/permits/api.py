"""Permits over HTTP: list, read, put, end, import a table; any datum at the rim."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement
from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool

from hub import audit
from hub.auth import need
from hub.errors import LOOK_AGAIN, SEE_API, SEE_PROBLEMS, Problem, not_found
from hub.exports import FILES, MOST, AskedForm, Source, sheet
from hub.grid.datum import Datum, convert
from hub.grid.errors import GridError
from hub.grid.hours import Hours
from hub.http import ERRORS, Body, Listing, Page, Utc, page
from hub.people import person_names
from hub.permits import store as permit_store
from hub.permits.permit import DEFAULT_HALF_WIDTH_M, Permit, faults, plate_key
from hub.permits.sheet import Reading, read_permits
from hub.permits.store import Version, permits
from hub.roles import Actor, Right
from hub.store import Store, now
from hub.tracks import fence_store
from hub.tracks.fence_api import DATUMS, DatumName, datum
from hub.tracks.geofence import feature_of
from wire.coded import coded

MOST_PROBLEMS = 1000
Position = tuple[float, float]


class PermitBody(Body):
    """A permit; `route` as [lon, lat] in the datum of the call, empty where the way is free.

    Sites are codes or names of fences. `hours` like [["22:00", "05:00"]], local time; none: all
    day. Valid on both dates and between them.
    """

    vehicles: Annotated[list[str], Field(min_length=1, max_length=500)]
    loading_site: Annotated[str, Field(min_length=1, max_length=200)]
    dump_site: Annotated[str, Field(min_length=1, max_length=200)]
    valid_from: date
    valid_until: date
    hours: list[tuple[str, str]] = Field(default=[])
    route: list[Position] = Field(default=[], max_length=5000)
    half_width_m: Annotated[float, Field(ge=5, le=2000)] = DEFAULT_HALF_WIDTH_M


class PermitChange(Body):
    """A permit and the version that it was made from; 0 for a new one."""

    version: Annotated[int, Field(ge=0)]
    permit: PermitBody


class PermitItem(BaseModel):
    """A permit in force, or a version of it that was; its sites by the names they have now."""

    number: str
    version: int
    since: Utc
    until: Utc | None
    actor: str
    datum: DatumName
    valid_today: bool
    loading_name: str
    dump_name: str
    permit: PermitBody


class PermitDetail(PermitItem):
    """A permit with its sites as GeoJSON features; null where a site is known no more."""

    loading: dict[str, Any] | None
    dump: dict[str, Any] | None


class PermitsImported(BaseModel):
    """What an import did: permits in the table, and how many were new or different."""

    imported: int
    changed: int


class BadPermits(Problem):
    """A table of permits, or one permit, with everything that is wrong with it."""

    def __init__(self, problems: Sequence[dict[str, object]]) -> None:
        """Carry the first thousand problems."""
        count = len(problems)
        text = coded("permit_problems", "{count} problems; no permit was taken", count=count)
        super().__init__(422, "bad_permits", text, SEE_PROBLEMS)
        self.problems = list(problems[:MOST_PROBLEMS])


def router(store: Store, zone: Any) -> APIRouter:
    """Permits; `zone`: whose day it is."""
    api = APIRouter(prefix="/api", tags=["permits"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ))]
    editor = Annotated[Actor, Depends(need(Right.FLEET))]
    in_datum = Annotated[DatumName, Depends(datum)]

    def today() -> date:
        return now().astimezone(zone).date()

    @api.get("/permits")
    def list_permits(
        _actor: reader,
        part: Annotated[Page, Depends(page)],
        named: in_datum,
        which: Annotated[list[ColumnElement[bool]], Depends(_filters)],
    ) -> Listing[PermitItem]:
        with store.read() as tx:
            found = permit_store.listed(tx, which, part.limit, part.offset)
            total = permit_store.count(tx, which)
            return Listing(items=_items(tx, found, named, today()), total=total)

    @api.get("/permit-table", response_class=Response, responses=FILES)
    def permit_table(
        actor: reader,
        named: in_datum,
        which: Annotated[list[ColumnElement[bool]], Depends(_filters)],
        form: AskedForm,
    ) -> Response:
        """The list as a table, in the datum of the call; `POST /api/permits` takes it back."""
        found = list_permits(actor, Page(limit=MOST, offset=0), named, which)
        with store.read() as tx:
            who = person_names.column(tx, found.items, "actor")
        return sheet("permits", found.items, {**COLUMNS, "by": who}, form)

    @api.post("/permits")
    async def bring_in(request: Request, actor: editor, named: in_datum) -> PermitsImported:
        body = await request.body()
        return await run_in_threadpool(_import, store, body, actor, named)

    @api.get("/permit-versions/{number:path}")
    def versions(number: str, _actor: reader, named: in_datum) -> Listing[PermitItem]:
        with store.read() as tx:
            found = permit_store.history(tx, number)
            if not found:
                raise not_found("permit", number)
            return Listing(items=_items(tx, found, named, today()), total=len(found))

    @api.get("/permits/{number:path}")
    def one(number: str, _actor: reader, named: in_datum) -> PermitDetail:
        with store.read() as tx:
            return _detail(tx, number, named, today())

    @api.put("/permits/{number:path}")
    def put(number: str, wanted: PermitChange, actor: editor, named: in_datum) -> PermitDetail:
        permit = _permit(number, wanted.permit, DATUMS[named])
        with store.write() as tx:
            known = permit_store.one(tx, number)
            version = known.version if known is not None else 0
            if version != wanted.version:
                raise Problem(
                    409,
                    "stale",
                    coded(
                        "permit_changed",
                        "permit {permit} was changed since: it is version {version}",
                        permit=number,
                        version=version,
                    ),
                    LOOK_AGAIN,
                )
            _check_sites(tx, permit)
            at = now()
            permit_store.put(tx, [permit], actor.name, at)
            audit.append(
                tx,
                [
                    _act(
                        actor,
                        number,
                        "put",
                        coded("as_version", "version {version}", version=version + 1),
                        at,
                    )
                ],
            )
            return _detail(tx, number, named, today())

    @api.delete("/permits/{number:path}", status_code=204)
    def end(number: str, actor: editor) -> None:
        with store.write() as tx:
            at = now()
            if not permit_store.remove(tx, number, at):
                raise not_found("permit", number)
            audit.append(tx, [_act(actor, number, "end", "", at)])

    return api


def _route(item: PermitItem) -> str:
    points = ", ".join(f"{lon} {lat}" for lon, lat in item.permit.route)
    return f"LINESTRING ({points})" if points else ""


COLUMNS: Mapping[str, Source] = {
    "number": "number",
    "vehicles": lambda item: ";".join(item.permit.vehicles),
    "loading_site": "permit.loading_site", "dump_site": "permit.dump_site",
    "valid_from": "permit.valid_from", "valid_until": "permit.valid_until",
    "hours": lambda item: ";".join("-".join(pair) for pair in item.permit.hours),
    "route": _route, "half_width_m": "permit.half_width_m", "valid_today": "valid_today",
    "version": "version", "since": "since", "by": "actor", "datum": "datum",
}  # fmt: skip


def _filters(
    vehicle: str | None = None,
    q: str | None = None,
    valid_on: date | None = None,
) -> list[ColumnElement[bool]]:
    which: list[ColumnElement[bool]] = []
    if vehicle:
        which.append(permit_store.for_vehicle(vehicle))
    if q:
        text = q.strip()
        number = permits.c.number.contains(text, autoescape=True)
        which.append(number | permits.c.vehicles.contains(plate_key(text), autoescape=True))
    if valid_on is not None:
        day = valid_on.isoformat()
        which += [permits.c.first <= day, permits.c.last >= day]
    return which


def _import(store: Store, body: bytes, actor: Actor, named: DatumName) -> PermitsImported:
    with store.read() as tx:
        known = fence_store.listed(tx)
    names = {each.fence.code for each in known} | {each.fence.name for each in known}
    reading: Reading = read_permits(body, DATUMS[named], names.__contains__)
    if reading.faults:
        raise BadPermits([each.line() for each in reading.faults])
    if not reading.permits:
        raise Problem(
            422,
            "bad_permits",
            coded("no_permit", "no permit in the table"),
            coded("row_or_more", "one row or more"),
        )
    with store.write() as tx:
        at = now()
        changed = permit_store.put(tx, reading.permits, actor.name, at)
        note = coded(
            "permits_changed",
            "{permits} permits, {changed} changed",
            permits=len(reading.permits),
            changed=changed,
        )
        audit.append(tx, [_act(actor, "all", "import", note, at)])
    return PermitsImported(imported=len(reading.permits), changed=changed)


def _act(actor: Actor, number: str, action: str, note: str, at: datetime) -> audit.Entry:
    return audit.Entry(at, actor.name, actor.role, "permit", number[:64], action, note=note)


def _permit(number: str, body: PermitBody, source: Datum) -> Permit:
    try:
        hours = Hours.read([list(pair) for pair in body.hours] or [["00:00", "24:00"]])
        lons, lats = np.array(body.route, dtype=float).reshape(-1, 2).T
        lats, lons = convert(lats, lons, source, Datum.WGS84)
    except GridError as fault:
        raise Problem(422, "bad_permits", fault.message, SEE_API) from None
    permit = Permit(
        number=number.strip(),
        vehicles=frozenset(key for each in body.vehicles if (key := plate_key(each))),
        loading_site=body.loading_site.strip(),
        dump_site=body.dump_site.strip(),
        first=body.valid_from,
        last=body.valid_until,
        hours=hours,
        route=tuple(zip(lats.tolist(), lons.tolist(), strict=True)),
        half_width_m=body.half_width_m,
    )
    if found := faults(permit):
        raise BadPermits(
            [
                {"problem": "bad_permit", "where": name, "message": message, "allowed": allowed}
                for name, message, allowed in found
            ]
        )
    return permit


def _check_sites(tx: Connection, permit: Permit) -> None:
    known = fence_store.listed(tx)
    names = {each.fence.code for each in known} | {each.fence.name for each in known}
    unknown: list[dict[str, object]] = [
        {
            "problem": "bad_permit",
            "where": field,
            "message": f"{site!r} is no known site",
            "allowed": "the code or name of a fence",
        }
        for field, site in (
            ("loading_site", permit.loading_site),
            ("dump_site", permit.dump_site),
        )
        if site not in names
    ]
    if unknown:
        raise BadPermits(unknown)


def _items(
    tx: Connection, found: Sequence[Version], named: DatumName, today: date
) -> list[PermitItem]:
    sites = {site for each in found for site in (each.permit.loading_site, each.permit.dump_site)}
    names = fence_store.names(tx, sites)
    return [_item(each, named, today, names) for each in found]


def _item(known: Version, named: DatumName, today: date, names: Mapping[str, str]) -> PermitItem:
    permit = known.permit
    lats, lons = np.array(permit.route, dtype=float).reshape(-1, 2).T
    lats, lons = convert(lats, lons, Datum.WGS84, DATUMS[named])
    body = PermitBody.model_construct(
        vehicles=sorted(permit.vehicles),
        loading_site=permit.loading_site,
        dump_site=permit.dump_site,
        valid_from=permit.first,
        valid_until=permit.last,
        hours=[(_clock(start), _clock(end)) for start, end in permit.hours.intervals],
        route=list(zip(lons.tolist(), lats.tolist(), strict=True)),
        half_width_m=permit.half_width_m,
    )
    return PermitItem(
        number=permit.number,
        version=known.version,
        since=known.since,
        until=known.until,
        actor=known.actor,
        datum=named,
        valid_today=permit.first <= today <= permit.last,
        loading_name=names.get(permit.loading_site, permit.loading_site),
        dump_name=names.get(permit.dump_site, permit.dump_site),
        permit=body,
    )


def _detail(tx: Connection, number: str, named: DatumName, today: date) -> PermitDetail:
    known = permit_store.one(tx, number)
    if known is None:
        raise not_found("permit", number)
    view = fence_store.Fences()
    fence_store.refresh(tx, view)
    sites = (view.named(known.permit.loading_site), view.named(known.permit.dump_site))
    loading, dump = (feature_of(site, DATUMS[named]) if site else None for site in sites)
    (item,) = _items(tx, [known], named, today)
    values = {name: getattr(item, name) for name in PermitItem.model_fields}
    return PermitDetail(**values, loading=loading, dump=dump)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
