"""Departments over HTTP: list, put, retire, import and export a table."""

from collections.abc import Collection
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool

from hub import audit, exports
from hub.auth import need
from hub.departments import store as department_store
from hub.departments.department import BadDepartment, Department, checked
from hub.departments.sheet import HEADINGS, read_departments, row_of
from hub.departments.store import IN_FORCE, Known
from hub.errors import LOOK_AGAIN, Problem, not_found
from hub.grid.store import IN_FORCE as GRID_IN_FORCE, grids
from hub.grid.titled import A_GRID, SHEET_BODY, BadSheet, BadTable, no_grid, of_field, titles
from hub.http import ERRORS, Body, Listing, Utc
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, now
from wire.coded import coded


class DepartmentBody(Body):
    """What a department is; see DepartmentItem."""

    name_zh: Annotated[str, Field(min_length=1, max_length=100)]
    credit_code: Annotated[str, Field(max_length=18)] = ""
    phone: Annotated[str, Field(max_length=40)] = ""
    level: Annotated[int | None, Field(ge=1, le=3)] = None
    grid: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    generated: bool = False


class DepartmentChange(Body):
    """A department and the version it was made from; 0 for a new one."""

    version: Annotated[int, Field(ge=0)]
    department: DepartmentBody


class DepartmentItem(BaseModel):
    """A department.

    `credit_code`: unified social credit code by GB 32100-2015. `level`: of the grids it works at;
    `grid`: the one it serves. `retired_at`: since then it is sent no cases. `generated`: made up.
    """

    code: str
    name_zh: str
    credit_code: str
    phone: str
    level: int | None
    grid: str | None
    generated: bool
    version: int
    updated_at: Utc
    retired_at: Utc | None


class DepartmentsImported(BaseModel):
    """What a table brought. `dry_run`: nothing was changed, this is what would be."""

    rows: int
    new: int
    changed: int
    dry_run: bool


def router(store: Store) -> APIRouter:
    """Departments."""
    api = APIRouter(prefix="/api", tags=["departments"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ, Reach.ALL))]
    editor = Annotated[Actor, Depends(need(Right.CONFIGURE))]

    @api.get("/departments")
    def list_departments(
        _actor: reader, retired: Annotated[bool, Query()] = False
    ) -> Listing[DepartmentItem]:
        with store.read() as tx:
            found = department_store.listed(tx, *([] if retired else [IN_FORCE]))
        return Listing(items=[_item(each) for each in found], total=len(found))

    @api.get("/department-table", response_class=Response, responses=exports.FILES)
    def export(_actor: reader, form: exports.AskedForm) -> Response:
        with store.read() as tx:
            found = department_store.listed(tx, IN_FORCE)
        rows = (row_of(each.department) for each in found)
        return exports.table(
            "departments", titles(HEADINGS, form.language), rows, form, are_heads=True
        )

    @api.put("/department-table", openapi_extra=SHEET_BODY)
    async def bring_in(
        request: Request, actor: editor, dry_run: Annotated[bool, Query()] = False
    ) -> DepartmentsImported:
        data = await request.body()
        return await run_in_threadpool(_import, store, data, actor, dry_run=dry_run)

    @api.get("/departments/{code}")
    def one(code: str, _actor: reader) -> DepartmentItem:
        with store.read() as tx:
            return _item(_known(tx, code))

    @api.put("/departments/{code}")
    def put(code: str, wanted: DepartmentChange, actor: editor) -> DepartmentItem:
        department = _checked(Department(code, **wanted.department.model_dump()))
        at = now()
        with store.write() as tx:
            known = department_store.one(tx, code)
            _same_version(code, known.version if known else 0, wanted.version)
            _check_grid(tx, department.grid)
            department_store.put(tx, [department], at)
            act = audit.Entry(
                at, actor.name, actor.role, "department", code, "put", note=_said(department)
            )
            audit.append(tx, [act])
            return _item(_known(tx, code))

    @api.delete("/departments/{code}", status_code=204)
    def retire(code: str, actor: editor) -> None:
        at = now()
        with store.write() as tx:
            known = _known(tx, code)
            if known.retired_at is None:
                department_store.retire(tx, code, known.version, at)
                act = audit.Entry(at, actor.name, actor.role, "department", code, "retire")
                audit.append(tx, [act])

    return api


def in_force(tx: Connection, code: str, field: str = "department") -> Department:
    """The department of a code that a call names.

    Raises Problem where there is none in force.
    """
    known = department_store.one(tx, code)
    if known is None or known.retired_at is not None:
        message = coded(
            "field_no_department",
            "{field}: {given!r} is no department in force",
            field=field,
            given=code,
        )
        raise Problem(
            422, "bad_department", message, coded("a_department", "a code of GET /api/departments")
        )
    return known.department


def _import(store: Store, data: bytes, actor: Actor, *, dry_run: bool) -> DepartmentsImported:
    at = now()
    with store.read() as tx:
        grids = _grids(tx)
    try:
        rows = read_departments(data, grids)
    except BadSheet as fault:
        raise BadTable(fault) from None
    with store.write() as tx:
        differ, new = department_store.changed(tx, rows)
        if not dry_run:
            department_store.put(tx, differ, at)
            note = coded(
                "rows_new_changed",
                "{rows} rows, {new} new, {changed} changed",
                rows=len(rows),
                new=new,
                changed=len(differ) - new,
            )
            act = audit.Entry(at, actor.name, actor.role, "department", "all", "import", note=note)
            audit.append(tx, [act])
    return DepartmentsImported(rows=len(rows), new=new, changed=len(differ) - new, dry_run=dry_run)


def _said(department: Department) -> str:
    """All of it, for the history."""
    return coded(
        "department_put",
        "{name_zh}, credit code {credit_code}, phone {phone}, level {level}, grid {grid}, "
        "generated {generated}",
        name_zh=department.name_zh,
        credit_code=department.credit_code or "–",
        phone=department.phone or "–",
        level=department.level or "–",
        grid=department.grid or "–",
        generated="yes" if department.generated else "no",
    )


def _known(tx: Connection, code: str) -> Known:
    known = department_store.one(tx, code)
    if known is None:
        raise not_found("department", code)
    return known


def _checked(department: Department) -> Department:
    try:
        return checked(department)
    except BadDepartment as fault:
        message = of_field(fault.field, fault.message)
        raise Problem(422, "bad_department", message, fault.allowed) from None


def _check_grid(tx: Connection, grid: str | None) -> None:
    if grid is not None and grid not in _grids(tx):
        raise Problem(422, "bad_department", of_field("grid", no_grid(grid)), A_GRID)


def _grids(tx: Connection) -> Collection[str]:
    return set(tx.execute(select(grids.c.code).where(GRID_IN_FORCE)).scalars())


def _same_version(code: str, is_now: int, seen: int) -> None:
    if is_now != seen:
        raise Problem(
            409,
            "stale",
            coded(
                "department_changed",
                "department {department} was changed since: it is version {version}",
                department=code,
                version=is_now,
            ),
            LOOK_AGAIN,
        )


def _item(known: Known) -> DepartmentItem:
    return DepartmentItem(
        **asdict(known.department),
        version=known.version,
        updated_at=known.updated_at,
        retired_at=known.retired_at,
    )
