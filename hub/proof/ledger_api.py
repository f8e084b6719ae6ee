"""The ledgers over HTTP, and as tables for a spreadsheet."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, BaseModel
from sqlalchemy.engine import Connection

from hub.alerts.api import CaseRef, MatterRef, matter_ref
from hub.alerts.store import alerts
from hub.auth import need
from hub.cases import store as case_store
from hub.cases.api import case_refs, visible
from hub.cases.case import Case
from hub.config import HubConfig
from hub.exports import FILES, AskedForm, Cell, Several, Word, matter_name, table
from hub.grid.places import GridRef, Places
from hub.http import ERRORS, Listing, Page, Utc, page
from hub.proof import ledger, ledger_store
from hub.proof.ledger import LongStanding, RecurringPlace
from hub.roles import Actor, Right
from hub.scope import Reach, within
from hub.store import Store, now

LONG_TITLES = (
    "case", "state", "matter_name", "title", "grid_name", "department", "opened_at", "days",
    "suspensions", "extensions", "reworks", "rebounds", "into_ledger",
)  # fmt: skip
PLACE_TITLES = (
    "matter_name", "grid_name", "lat", "lon", "times", "case_count", "first_at", "last_at", "cases",
)  # fmt: skip
SHOWN_CASES = 50
_Days = Annotated[float | None, Query(gt=0, le=3650)]
_Times = Annotated[int | None, Query(ge=1, le=1000)]
_Metres = Annotated[float | None, Query(gt=0, le=1000)]


class LongStandingItem(BaseModel):
    """An open case that will not end. `old`, `put_off`: what put it into the ledger."""

    case: CaseRef
    title: str
    matter: MatterRef | None
    grid: GridRef | None
    department: str | None
    opened_at: Utc
    days: float
    suspensions: int
    extensions: int
    reworks: int
    rebounds: int
    old: bool
    put_off: bool


class RecurringItem(BaseModel):
    """A place where one matter comes again and again, with its cases, at most fifty."""

    matter: MatterRef | None
    grid: GridRef | None
    lat: float
    lon: float
    times: int
    rebounds: int
    alerts: int
    first_at: Utc
    last_at: Utc
    cases: list[CaseRef]
    case_count: int


class Asked(BaseModel):
    """How the recurring places are asked for; nothing given is the site's setting."""

    times: int
    radius_m: float
    days: float
    at: AwareDatetime | None


def router(store: Store, places: Places, config: HubConfig) -> APIRouter:
    """Long-standing cases and recurring places."""
    api = APIRouter(prefix="/api/ledgers", tags=["ledgers"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))]
    rules = config.ledgers

    def asked(
        times: Annotated[int | None, Query(ge=2, le=1000)] = None,
        radius_m: _Metres = None,
        days: _Days = None,
        until: AwareDatetime | None = None,
    ) -> Asked:
        return Asked(
            times=times or rules.recur_times,
            radius_m=radius_m or rules.recur_m,
            days=days or rules.recur_days,
            at=until,
        )

    def long_found(
        actor: Actor, days: float | None, times: int | None
    ) -> tuple[list[LongStanding], dict[int, Case]]:
        with store.read() as tx:
            standing = ledger_store.standing(tx, visible(actor))
            found = ledger.long_standing(
                standing, now(), days or rules.long_days, times or rules.long_times
            )
            return found, case_store.load(tx, [each.case.case_id for each in found])

    def places_found(tx: Connection, actor: Actor, which: Asked) -> list[RecurringPlace]:
        until = which.at or now()
        of_alerts = within(actor, Right.READ, path=alerts.c.path, matter=alerts.c.matter)
        told = ledger_store.occurrences(
            tx, until - timedelta(days=which.days), until, visible(actor), of_alerts
        )
        return ledger.recurring(told, which.radius_m, which.times)

    @api.get("/long-standing")
    def long_standing(
        actor: reader,
        part: Annotated[Page, Depends(page)],
        days: _Days = None,
        times: _Times = None,
    ) -> Listing[LongStandingItem]:
        """Open cases older than `days`, or suspended or extended `times`, the oldest first."""
        found, known = long_found(actor, days, times)
        shown = found[part.offset :][: part.limit]
        items = [_long_item(each, known[each.case.case_id], places) for each in shown]
        return Listing(items=items, total=len(found))

    @api.get("/long-standing/file", response_class=Response, responses=FILES)
    def long_standing_file(
        actor: reader, form: AskedForm, days: _Days = None, times: _Times = None
    ) -> Response:
        found, known = long_found(actor, days, times)
        items = (_long_item(each, known[each.case.case_id], places) for each in found)
        return table("long-standing", LONG_TITLES, map(_long_line, items), form)

    @api.get("/recurring")
    def recurring(
        actor: reader,
        part: Annotated[Page, Depends(page)],
        which: Annotated[Asked, Depends(asked)],
    ) -> Listing[RecurringItem]:
        """Places where a matter came `times` within `radius_m` in `days`, the most first."""
        with store.read() as tx:
            found = places_found(tx, actor, which)
            shown = found[part.offset :][: part.limit]
            items = _place_items(tx, shown, places, SHOWN_CASES)
        return Listing(items=items, total=len(found))

    @api.get("/recurring/file", response_class=Response, responses=FILES)
    def recurring_file(
        actor: reader, which: Annotated[Asked, Depends(asked)], form: AskedForm
    ) -> Response:
        with store.read() as tx:
            items = _place_items(tx, places_found(tx, actor, which), places, None)
        lines: Iterator[list[Cell]] = (
            [matter_name(i), i.grid.name if i.grid else "", i.lat, i.lon,
             i.times, i.case_count, i.first_at, i.last_at,
             Several([case.number for case in i.cases], " ", kept=True)]
            for i in items
        )  # fmt: skip
        return table("recurring", PLACE_TITLES, lines, form)

    return api


def _long_item(each: LongStanding, case: Case, places: Places) -> LongStandingItem:
    return LongStandingItem(
        case=CaseRef(id=case.id, number=case.number, state=case.state),
        title=case.title,
        matter=matter_ref(case.matter),
        grid=places.ref(case.path),
        department=case.department,
        opened_at=case.opened_at,
        days=each.days,
        suspensions=each.case.suspensions,
        extensions=each.case.extensions,
        reworks=each.case.reworks,
        rebounds=each.case.rebounds,
        old=each.is_old,
        put_off=each.is_put_off,
    )


def _long_line(item: LongStandingItem) -> list[Cell]:
    why = [name for name, is_so in (("old", item.old), ("put_off", item.put_off)) if is_so]
    return [
        item.case.number,
        Word(item.case.state, ("state",)),
        matter_name(item),
        item.title,
        item.grid.name if item.grid else "",
        item.department or "",
        item.opened_at,
        round(item.days, 1),
        item.suspensions,
        item.extensions,
        item.reworks,
        item.rebounds,
        Several([Word(name, ("ledger",)) for name in why]),
    ]


def _place_items(
    tx: Connection, found: Sequence[RecurringPlace], places: Places, most: int | None
) -> list[RecurringItem]:
    refs = case_refs(tx, {case for place in found for case in place.cases[:most]})
    paths = places.locate([(place.lat, place.lon) for place in found])
    return [
        RecurringItem(
            matter=matter_ref(place.matter),
            grid=places.ref(path),
            lat=place.lat,
            lon=place.lon,
            times=len(place.occurrences),
            rebounds=sum(o.kind == "rebound" for o in place.occurrences),
            alerts=sum(o.kind == "alert" for o in place.occurrences),
            first_at=place.first_at,
            last_at=place.last_at,
            cases=[refs[case] for case in place.cases[:most] if case in refs],
            case_count=len(place.cases),
        )
        for place, path in zip(found, paths, strict=True)
    ]
