"""The filtered list of cases as a table for a spreadsheet."""

from collections.abc import Callable, Iterator
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import ColumnElement, select

from hub.auth import need
from hub.cases.api import AlertsOf, CaseItem, case_items, filters, visible
from hub.cases.store import cases
from hub.exports import FILES, AskedForm, Cell, Word, matter_name, table
from hub.grid.places import Places
from hub.http import ERRORS
from hub.people import person_names
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store

MOST = 20_000
AT_ONCE = 500
TITLES = (
    "number", "title", "matter", "matter_name", "state", "state_zh", "stage", "level", "grid",
    "grid_name", "lat", "lon", "source", "opened_at", "updated_at", "closed_at", "due_at",
    "clock", "department", "officer", "alerts", "reports", "generated",
)  # fmt: skip


def router(store: Store, places: Places, alerts_of: AlertsOf) -> APIRouter:
    """The table; it takes the filters of `/api/cases`."""
    api = APIRouter(prefix="/api", tags=["cases"], responses=ERRORS)

    @api.get("/case-table", response_class=Response, responses=FILES)
    def case_table(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        which: Annotated[list[ColumnElement[bool]], Depends(filters)],
        form: AskedForm,
    ) -> Response:
        """At most the newest 20,000."""
        newest = select(cases.c.id).where(*which, visible(actor)).order_by(cases.c.opened_at.desc())
        with store.read() as tx:
            ids = list(tx.execute(newest.limit(MOST)).scalars())
            parts = (ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE))
            items = [i for p in parts for i in case_items(tx, places, alerts_of, p).values()]
            officer = person_names.column(tx, items, "officer")
        return table("cases", TITLES, _rows(items, officer), form)

    return api


def _rows(items: list[CaseItem], officer: Callable[[CaseItem], str]) -> Iterator[list[Cell]]:
    for item in items:
        clock, matter, grid = item.clock, item.matter, item.grid
        yield [
            item.number,
            item.title,
            matter.code if matter else "",
            matter_name(item),
            Word(item.state, ("state",)),
            item.state_zh,
            Word(item.stage, ("stage",)),
            Word(item.level, ("level",)),
            grid.code if grid else "",
            grid.name if grid else "",
            item.lat,
            item.lon,
            Word(item.source, ("channel",)),
            item.opened_at,
            item.updated_at,
            item.closed_at,
            clock.due_at if clock else None,
            Word(clock.state if clock else None, ("clockState",)),
            item.department.name_zh if item.department else "",
            officer(item),
            len(item.alerts),
            item.reports,
            item.generated,
        ]
