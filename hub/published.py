"""What the law lets everybody see of a case: basis, matter, procedure, result; no names, no notes.

随时接受群众查询 (安政发〔2020〕20号): 执法依据、事项、流程、结果. What somebody wrote may name
people: none of it is published but the answer to the one who asked.
"""

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Connection

from hub import audit
from hub.alerts.api import MatterRef, matter_ref
from hub.cases import clock_store, enforcement_store, store as case_store
from hub.cases.case import STAGES, Case, Stage, State, state_zh
from hub.cases.clock import Clock
from hub.cases.enforcement import NAMES_ZH, Enforcement, Procedure
from hub.cases.store import cases
from hub.departments import store as department_store
from hub.errors import not_found
from hub.grid.places import GridRef, Places
from hub.http import ERRORS, Listing, Page, Utc, page
from hub.intake import store as intake_store
from hub.intake.sealing import Seal
from hub.intake.store import reports
from hub.matters import table
from hub.store import Store, lies_in

SHOWN = (State.CLOSED, State.WATCHING, State.ARCHIVED)
"""What is listed: closed matters. What goes on is told to those who reported it."""


class ProcedureStep(BaseModel):
    """A step of the procedure: when a case came to a state."""

    at: Utc
    state: State
    state_zh: str
    stage: Stage


class PenaltyStep(BaseModel):
    """A step of a penalty's procedure: when it was taken."""

    at: Utc
    step: Procedure
    step_zh: str


class PublicPenalty(BaseModel):
    """A penalty that a supervisor has published (执法依据、事项、裁量基准、流程、结果)."""

    basis: str
    matter: str
    discretion: str
    result: str
    procedure: list[PenaltyStep]


class PublicCase(BaseModel):
    """A case as everybody may see it.

    `basis`: the code table it was judged by. `opened_under`, `closes_when`: the city's conditions.
    `penalty`: None where there was none, or none was published.
    """

    number: str
    matter: MatterRef | None
    grid: GridRef | None
    basis: str
    opened_under: str
    closes_when: str
    limit: str
    department: str
    opened_at: Utc
    due_at: Utc | None
    closed_at: Utc | None
    in_time: bool | None
    state: State
    state_zh: str
    procedure: list[ProcedureStep]
    penalty: PublicPenalty | None
    generated: bool


class PublicMatter(BaseModel):
    """A matter that may be reported."""

    code: str
    name_zh: str
    name_en: str


class PublicSite(BaseModel):
    """Where the public page is, and what may be reported or looked up there."""

    name: str
    lat: float
    lon: float
    time_zone: str
    matters: list[PublicMatter]
    grids: list[GridRef]


def of_cases(tx: Connection, places: Places, ids: Collection[int]) -> dict[int, PublicCase]:
    """Cases as everybody may see them, by id."""
    found = case_store.load(tx, ids)
    clocks = clock_store.load(tx, list(found))
    names = department_store.names(tx, {case.department for case in found.values()})
    penalties = enforcement_store.published(tx, list(found))
    return {
        case.id: _item(
            case,
            places,
            clocks.get(case.id),
            department=names.get(case.department or "", ""),
            steps=_procedure(tx, case),
            penalty=_penalty(penalties.get(case.id)),
        )
        for case in found.values()
    }


def router(store: Store, places: Places, seal: Seal, site: PublicSite) -> APIRouter:
    """What needs no account: the site, the closed matters of each grid, the case of a report."""
    api = APIRouter(prefix="/public", tags=["public"], responses=ERRORS)

    @api.get("/site")
    def the_site() -> PublicSite:
        grids = sorted(places.index[1].grids, key=lambda each: (each.level or 0, each.code))
        named = [GridRef(code=each.code, name=each.name) for each in grids]
        return site.model_copy(update={"grids": named})

    @api.get("/cases")
    def closed(
        part: Annotated[Page, Depends(page)],
        grid: Annotated[str, Query(max_length=64)] = "",
        matter: Annotated[str, Query(max_length=5)] = "",
    ) -> Listing[PublicCase]:
        told_in_confidence = select(reports.c.case_id).where(
            reports.c.confidential, reports.c.case_id.is_not(None)
        )
        which: list[ColumnElement[bool]] = [
            cases.c.state.in_([state.value for state in SHOWN]),
            cases.c.id.not_in(told_in_confidence),
        ]
        if grid:
            which.append(lies_in(cases.c.path, grid))
        if matter:
            which.append(cases.c.matter == matter)
        newest = select(cases.c.id).where(*which).order_by(cases.c.closed_at.desc(), cases.c.id)
        with store.read() as tx:
            total = tx.execute(select(func.count()).select_from(cases).where(*which)).scalar_one()
            ids = tx.execute(newest.limit(min(part.limit, 50)).offset(part.offset)).scalars().all()
            found = of_cases(tx, places, ids)
        return Listing(items=[found[number] for number in ids], total=total)

    @api.get("/reports/{number}/case")
    def case_of(number: str, key: Annotated[str, Query(max_length=64)]) -> PublicCase:
        """The case that a report is in, for its reporter."""
        if not seal.is_ticket(number, key):
            raise not_found("report", number)
        with store.read() as tx:
            report = intake_store.by_number(tx, seal, number)
            if report is None or report.case_id is None:
                raise not_found("case of report", number)
            return of_cases(tx, places, [report.case_id])[report.case_id]

    return api


def matters() -> list[PublicMatter]:
    """What may be reported."""
    return [
        PublicMatter(code=each.code, name_zh=each.name_zh, name_en=each.name_en)
        for each in table().matters
    ]


def _procedure(tx: Connection, case: Case) -> list[ProcedureStep]:
    """The states a case came to, in order; who brought it there and why is not published."""
    steps = []
    for act in audit.of(tx, "case", str(case.id)):
        if act.to_state == act.from_state or act.to_state not in set(State):
            continue
        state = State(act.to_state)
        steps.append(
            ProcedureStep(at=act.at, state=state, state_zh=state_zh(state), stage=STAGES[state])
        )
    return steps


def _penalty(record: Enforcement | None) -> PublicPenalty | None:
    if record is None:
        return None
    text = record.text
    steps = [
        PenaltyStep(at=taken.at, step=taken.step, step_zh=NAMES_ZH[taken.step])
        for taken in record.steps
    ]
    return PublicPenalty(
        basis=text.basis,
        matter=text.matter,
        discretion=text.discretion,
        result=text.result,
        procedure=steps,
    )


def _item(
    case: Case,
    places: Places,
    clock: Clock | None,
    *,
    department: str,
    steps: list[ProcedureStep],
    penalty: PublicPenalty | None,
) -> PublicCase:
    in_time = None
    if clock is not None and clock.done_at is not None and clock.due_at is not None:
        in_time = clock.done_at <= clock.due_at
    return PublicCase(
        number=case.number,
        matter=matter_ref(case.matter),
        grid=places.ref(case.path),
        basis=f"{case.standard_ref} {case.matter or ''}".strip(),
        opened_under=clock.opening if clock else "",
        closes_when=clock.closing if clock else "",
        limit=f"{clock.limit.number:g} {clock.limit.unit}" if clock else "",
        department=department,
        opened_at=case.opened_at,
        due_at=clock.due_at if clock else None,
        closed_at=case.closed_at,
        in_time=in_time,
        state=case.state,
        state_zh=state_zh(case.state),
        procedure=steps,
        penalty=penalty,
        generated=case.generated,
    )
