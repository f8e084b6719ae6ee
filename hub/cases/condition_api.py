"""The city's table of conditions and limits over HTTP."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy.engine import Connection

from hub import audit, exports
from hub.auth import need
from hub.calendar.limit import TimeLimit, Unit
from hub.cases import clock_store
from hub.cases.clock_store import KeptCondition, TableChange
from hub.cases.condition import USUAL, Condition
from hub.cases.condition_sheet import HEADINGS, LONGEST, read_conditions, row_of
from hub.errors import LOOK_AGAIN, Problem, not_found
from hub.grid.titled import SHEET_BODY, BadSheet, BadTable, titles
from hub.http import ERRORS, Body, Listing, Utc
from hub.matters import matter, table
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, now
from wire.coded import coded


class MatterItem(BaseModel):
    """A matter of the code table, and how many conditions the city's table has for it."""

    code: str
    name_zh: str
    name_en: str
    matter_class: str
    class_zh: str
    class_en: str
    conditions: int


class UsualLimit(BaseModel):
    """How long the handling may take for a matter without a condition, by severity."""

    level: int
    number: float
    unit: Unit


class Matters(BaseModel):
    """The matters of the code table in force here."""

    standard_ref: str
    items: list[MatterItem]
    total: int
    usual: list[UsualLimit]


class ConditionBody(Body):
    """A row as a person writes it."""

    matter: Annotated[str, Field(pattern=r"^\d{5}$")]
    opening: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    closing: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    number: Annotated[float, Field(gt=0, le=10_000)]
    unit: Unit
    department: Annotated[str, Field(max_length=100)] = ""


class ConditionItem(BaseModel):
    """A row: the matter, when a case is filed and closed, and how long the handling may take.

    A row never changes: another takes its place, with an id of its own. `since`, `by`: who put it
    in force when; `until`, `ended_by`: who took it out. Empty for what was there before that was
    kept.
    """

    id: int
    matter: str
    matter_zh: str
    opening: str
    closing: str
    number: float
    unit: Unit
    department: str
    since: Utc | None
    by: str
    until: Utc | None
    ended_by: str


class Imported(BaseModel):
    """What a sheet brought. `dry_run`: nothing was changed, this is what would be."""

    rows: int
    new: int
    retired: int
    dry_run: bool


def router(store: Store, standard_ref: str) -> APIRouter:
    """The table of one code table."""
    api = APIRouter(prefix="/api", tags=["cases"], responses=ERRORS)

    reader = Annotated[Actor, Depends(need(Right.READ, Reach.ALL))]
    admin = Annotated[Actor, Depends(need(Right.ADMIN))]
    only_of = Annotated[str | None, Query(alias="matter", pattern=r"^\d{5}$")]

    @api.get("/matters")
    def matters(_actor: reader) -> Matters:
        with store.read() as tx:
            found = clock_store.all_conditions(tx, standard_ref)
        return _matters(standard_ref, [each.matter for each in found])

    @api.get("/conditions")
    def conditions(_actor: reader, of_matter: only_of = None) -> Listing[ConditionItem]:
        with store.read() as tx:
            found = clock_store.kept_conditions(tx, standard_ref, of_matter)
        return Listing(items=[_item(each) for each in found], total=len(found))

    @api.get("/conditions/history")
    def history(_actor: admin, of_matter: only_of = None) -> Listing[ConditionItem]:
        """Every row there ever was, the newest first."""
        with store.read() as tx:
            found = clock_store.kept_conditions(tx, standard_ref, of_matter, ended=True)
        return Listing(items=[_item(each) for each in found], total=len(found))

    @api.post("/conditions", status_code=201)
    def add(wanted: ConditionBody, actor: admin) -> ConditionItem:
        row = _row(standard_ref, wanted)
        with store.write() as tx:
            return _item(_change(tx, standard_ref, row, None, actor))

    @api.put("/conditions/{number}")
    def change(number: int, wanted: ConditionBody, actor: admin) -> ConditionItem:
        """Put another row in its place; cases keep what they were filed under."""
        row = _row(standard_ref, wanted)
        with store.write() as tx:
            _in_force(tx, standard_ref, number)
            return _item(_change(tx, standard_ref, row, number, actor))

    @api.delete("/conditions/{number}", status_code=204)
    def end(number: int, actor: admin) -> None:
        at = now()
        with store.write() as tx:
            kept = _in_force(tx, standard_ref, number)
            clock_store.put_in_force(tx, TableChange([], [number]), at, actor.name)
            _note(tx, actor, standard_ref, "end", _said(str(number), kept.condition), at)

    @api.get("/condition-table", response_class=Response, responses=exports.FILES)
    def export(_actor: reader, form: exports.AskedForm) -> Response:
        """The table as it can be brought in again."""
        with store.read() as tx:
            found = clock_store.all_conditions(tx, standard_ref)
        rows = (row_of(each, _name_of(each.matter)) for each in found)
        return exports.table(
            "conditions", titles(HEADINGS, form.language), rows, form, are_heads=True
        )

    @api.put("/conditions", openapi_extra=SHEET_BODY)
    async def bring_in(
        request: Request,
        actor: admin,
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
            clock_store.put_in_force(tx, change, at, actor.name)
            note = coded(
                "rows_new_retired",
                "{rows} rows, {new} new, {retired} retired",
                rows=len(rows),
                new=len(change.new),
                retired=len(change.retired),
            )
            _note(tx, actor, standard_ref, "import", note, at)
    return Imported(
        rows=len(rows), new=len(change.new), retired=len(change.retired), dry_run=dry_run
    )


def _row(standard_ref: str, wanted: ConditionBody) -> Condition:
    if wanted.matter not in {each.code for each in table().matters}:
        raise Problem(
            422,
            "bad_matter",
            coded("no_such_matter", "{matter} is no matter", matter=wanted.matter),
            coded("code_of", "a code of {standard}", standard=standard_ref),
        )
    opening, closing = wanted.opening.strip(), wanted.closing.strip()
    if not opening or not closing:
        raise Problem(
            422,
            "invalid",
            coded("blank_words", "opening and closing may not be blank"),
            coded("some_words", "some words"),
        )
    limit = TimeLimit(wanted.number, wanted.unit)
    department = wanted.department.strip()
    return Condition(0, standard_ref, wanted.matter, opening, closing, limit, department)


def _change(
    tx: Connection, standard_ref: str, row: Condition, instead_of: int | None, actor: Actor
) -> KeptCondition:
    """Put a row in force. Raises Problem where the same is in force already."""
    at = now()
    if row in [replace(each, id=0) for each in clock_store.all_conditions(tx, standard_ref)]:
        raise Problem(
            409,
            "taken",
            coded("row_in_force", "this row is in force already"),
            coded("row_differing", "a row that differs"),
        )
    change = TableChange([row], [] if instead_of is None else [instead_of])
    (number,) = clock_store.put_in_force(tx, change, at, actor.name)
    kept = clock_store.kept_condition(tx, number)
    if kept is None:
        raise not_found("condition", number)
    action = "add" if instead_of is None else "change"
    before = "" if instead_of is None else f"{instead_of} → "
    _note(tx, actor, standard_ref, action, _said(f"{before}{number}", row), at)
    return kept


def _in_force(tx: Connection, standard_ref: str, number: int) -> KeptCondition:
    kept = clock_store.kept_condition(tx, number)
    if kept is None or kept.condition.standard_ref != standard_ref:
        raise not_found("condition", number)
    if kept.until is not None:
        raise Problem(
            409,
            "stale",
            coded(
                "condition_over",
                "condition {condition} is not in force since {until:%Y-%m-%d %H:%M} ({who})",
                condition=number,
                until=kept.until,
                who=kept.ended_by or "unknown",
            ),
            LOOK_AGAIN,
        )
    return kept


def _note(
    tx: Connection, actor: Actor, standard_ref: str, action: str, note: str, at: datetime
) -> None:
    act = audit.Entry(at, actor.name, actor.role, "conditions", standard_ref, action, note=note)
    audit.append(tx, [act])


def _said(number: str, row: Condition) -> str:
    return coded(
        "condition_said",
        "{id}: {matter} {opening} / {closing} / {number:g} {unit}",
        id=number,
        matter=row.matter,
        opening=row.opening,
        closing=row.closing,
        number=row.limit.number,
        unit=row.limit.unit,
    )


def _name_of(code: str) -> str:
    known = matter(code)
    return known.name_zh if known else code


def _matters(standard_ref: str, codes: list[str]) -> Matters:
    known = table()
    classes = {each.code: each for each in known.classes}
    items = [
        MatterItem(
            code=each.code,
            name_zh=each.name_zh,
            name_en=each.name_en,
            matter_class=each.code[:2],
            class_zh=classes[each.code[:2]].name_zh,
            class_en=classes[each.code[:2]].name_en,
            conditions=codes.count(each.code),
        )
        for each in known.matters
    ]
    usual = [
        UsualLimit(level=level, number=limit.number, unit=limit.unit)
        for level, limit in USUAL.items()
    ]
    return Matters(standard_ref=standard_ref, items=items, total=len(items), usual=usual)


def _item(kept: KeptCondition) -> ConditionItem:
    condition = kept.condition
    return ConditionItem(
        id=condition.id,
        matter=condition.matter,
        matter_zh=_name_of(condition.matter),
        since=kept.since,
        by=kept.by,
        until=kept.until,
        ended_by=kept.ended_by,
        opening=condition.opening,
        closing=condition.closing,
        number=condition.limit.number,
        unit=condition.limit.unit,
        department=condition.department,
    )
