"""The city's table of conditions and limits over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from hub import audit
from hub.auth import need
from hub.calendar.limit import Unit
from hub.cases import clock_store
from hub.cases.condition import Condition
from hub.cases.condition_sheet import read_conditions
from hub.grid.titled import SHEET_BODY, BadSheet, BadTable
from hub.http import ERRORS, Listing
from hub.matters import matter, table
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, now


class ConditionItem(BaseModel):
    """A row: the matter, when a case is filed and closed, and how long the handling may take."""

    id: int
    matter: str
    matter_zh: str
    opening: str
    closing: str
    number: float
    unit: Unit
    department: str


class Imported(BaseModel):
    """What a sheet brought. `dry_run`: nothing was changed, this is what would be."""

    rows: int
    new: int
    retired: int
    dry_run: bool


def router(store: Store, standard_ref: str) -> APIRouter:
    """The table of one code table."""
    api = APIRouter(prefix="/api", tags=["cases"], responses=ERRORS)

    @api.get("/conditions")
    def conditions(
        _actor: Annotated[Actor, Depends(need(Right.READ, Reach.ALL))],
        of_matter: Annotated[str | None, Query(alias="matter", pattern=r"^\d{5}$")] = None,
    ) -> Listing[ConditionItem]:
        with store.read() as tx:
            found = (
                clock_store.conditions_of(tx, standard_ref, of_matter)
                if of_matter
                else clock_store.all_conditions(tx, standard_ref)
            )
        return Listing(items=[_item(each) for each in found], total=len(found))

    @api.put("/conditions", openapi_extra=SHEET_BODY)
    async def bring_in(
        request: Request,
        actor: Annotated[Actor, Depends(need(Right.ADMIN))],
        dry_run: Annotated[bool, Query()] = False,
    ) -> Imported:
        data = await request.body()
        known = {each.code: each.name_zh for each in table().matters}
        try:
            rows = read_conditions(data, standard_ref, known)
        except BadSheet as fault:
            raise BadTable(fault) from None
        return _put(store, standard_ref, rows, actor, dry_run=dry_run)

    return api


def _put(
    store: Store, standard_ref: str, rows: list[Condition], actor: Actor, *, dry_run: bool
) -> Imported:
    at = now()
    with store.write() as tx:
        change = clock_store.changes(tx, standard_ref, rows)
        if not dry_run:
            clock_store.put_in_force(tx, change, at)
            note = f"{len(rows)} rows, {len(change.new)} new, {len(change.retired)} retired"
            act = audit.Entry(
                at, actor.name, actor.role, "conditions", standard_ref, "import", note=note
            )
            audit.append(tx, [act])
    return Imported(
        rows=len(rows), new=len(change.new), retired=len(change.retired), dry_run=dry_run
    )


def _item(condition: Condition) -> ConditionItem:
    known = matter(condition.matter)
    return ConditionItem(
        id=condition.id,
        matter=condition.matter,
        matter_zh=known.name_zh if known else condition.matter,
        opening=condition.opening,
        closing=condition.closing,
        number=condition.limit.number,
        unit=condition.limit.unit,
        department=condition.department,
    )
