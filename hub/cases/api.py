"""Cases over HTTP."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Connection, Row

from hub import audit
from hub.alerts.api import AlertItem, CaseRef, MatterRef, matter_ref
from hub.auth import need
from hub.calendar.limit import Unit
from hub.cases import clock_store, record_store
from hub.cases.case import FINISHED, Case, Stage, State, offers, state_zh, terms
from hub.cases.clock import Clock, ClockState
from hub.cases.clock_store import clocks
from hub.cases.record import WAITING, Kind, Record, RecordState, of_kind
from hub.cases.store import cases, load, to_case
from hub.departments import store as department_store
from hub.errors import not_found
from hub.grid.places import GridRef, GridStep, Places
from hub.http import ERRORS, Body, CodedText, Listing, Page, Utc, coded_of, page
from hub.intake import store as intake_store
from hub.roles import Actor, Right
from hub.scope import Reach, within
from hub.store import Store, lies_in, now


class ClockItem(BaseModel):
    """How long the handling may take and how it stands.

    `due_at` is empty before the first dispatch and while the clock is stopped. `provisional`: the
    deadline counts a year whose holidays nobody has published. `stage_due_at`: when the next step
    is due. `silent`: whoever has the work has said nothing for longer than allowed. `usual`: the
    city's table has no limit for it.
    """

    state: ClockState
    number: float
    unit: Unit
    usual: bool
    opening: str
    closing: str
    started_at: Utc | None
    due_at: Utc | None
    done_at: Utc | None
    stopped_at: Utc | None
    left_s: float | None
    provisional: bool
    calendar_version: int
    stage_due_at: Utc | None
    stage_overdue: bool
    silent: bool


class DepartmentRef(BaseModel):
    """A department by its code and name."""

    code: str
    name_zh: str


class CaseItem(BaseModel):
    """A case as it stands; a step must name `version`.

    `department` and `officer`: who it was sent to last. `dispatched_by_rule`: the version of the
    rule that sent it. `at_level`: of the grids, who is handling it. `answer_due_at`: it is under
    supervision. `waiting`: how many records of it wait for a decision or an answer.
    """

    id: int
    number: str
    state: State
    state_zh: str
    stage: Stage
    version: int
    title: str
    label: str
    matter: MatterRef | None
    standard_ref: str
    level: int
    grid: GridRef | None
    grids: list[GridStep]
    lat: float
    lon: float
    opened_at: Utc
    updated_at: Utc
    closed_at: Utc | None
    source: str
    alerts: list[str]
    picture: str | None
    generated: bool
    clock: ClockItem | None
    reports: int
    department: DepartmentRef | None
    officer: str | None
    dispatched_by_rule: int | None
    at_level: int | None
    ownerless: bool
    answer_due_at: Utc | None
    suspended_until: Utc | None
    waiting: int


class CaseEvent(BaseModel):
    """A step that was taken."""

    at: Utc
    actor: str
    action: str
    from_state: str
    to_state: str
    note: str
    coded: dict[str, CodedText] = {}


class CaseStep(BaseModel):
    """A step that follows; `why_not` says what keeps the caller from it."""

    action: str
    to_state: State
    party: str
    allowed: bool
    why_not: str
    needs_note: bool


class CaseDetail(CaseItem):
    """A case with its history, the next steps and its alerts."""

    history: list[CaseEvent]
    actions: list[CaseStep]
    alert_items: list[AlertItem]


class Act(Body):
    """A step to take. `version` is the one the caller saw; `into`: the case to merge with.

    `condition`: what a case is filed under, where its matter has several. `department` (code) and
    `officer`: whom it is sent to; who is not named stays. `until`, `reason`: of a suspension;
    `until` of a join: when its partners answer, else two working days on.
    `partners`: of a joint handling, which `department` leads. `ownerless`: file it as nobody's.
    `photos`: what proves a feedback.
    """

    action: Annotated[str, Field(max_length=32)]
    version: int
    note: Annotated[str, Field(max_length=2000)] = ""
    into: Annotated[str, Field(max_length=32)] = ""
    condition: int | None = None
    department: Annotated[str | None, Field(min_length=1, max_length=32)] = None
    officer: Annotated[str | None, Field(min_length=1, max_length=100)] = None
    until: AwareDatetime | None = None
    reason: Annotated[str, Field(max_length=32)] = ""
    partners: Annotated[tuple[Annotated[str, Field(max_length=32)], ...], Field(max_length=50)] = ()
    ownerless: bool = False
    photos: Annotated[tuple[int, ...], Field(max_length=20)] = ()


@dataclass(frozen=True)
class CaseAlerts:
    """The alerts of a case, and the address of a picture of it."""

    ids: Sequence[str] = ()
    picture: str | None = None


AlertsOf = Callable[[Connection, Collection[int]], dict[int, CaseAlerts]]
AlertItems = Callable[[Connection, Sequence[str]], dict[str, AlertItem]]
TakeStep = Callable[[int, Act, Actor], None]

SHOWN_ALERTS = 100


def visible(actor: Actor, right: Right = Right.READ) -> ColumnElement[bool]:
    """The cases that the actor's posts cover."""
    return within(
        actor,
        right,
        path=cases.c.path,
        matter=cases.c.matter,
        department=record_store.has_to_do,
    )


def case_refs(tx: Connection, ids: Collection[int]) -> dict[int, CaseRef]:
    """Cases as an alert refers to them."""
    found = load(tx, ids) if ids else {}
    return {c.id: CaseRef(id=c.id, number=c.number, state=c.state) for c in found.values()}


def case_items(
    tx: Connection, places: Places, alerts_of: AlertsOf, which: Sequence[int]
) -> dict[int, CaseItem]:
    """Cases by id."""
    found = load(tx, which)
    around = _around(tx, alerts_of, list(found.values()))
    return {case.id: _item(case, places, around[case.id]) for case in found.values()}


def router(
    store: Store,
    places: Places,
    alerts_of: AlertsOf,
    alert_items: AlertItems,
    take_step: TakeStep,
) -> APIRouter:
    """Cases. `take_step(case, act, actor)` is the pipeline's."""
    api = APIRouter(prefix="/api", tags=["cases"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ))]

    @api.get("/cases")
    def list_cases(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        part: Annotated[Page, Depends(page)],
        which: Annotated[list[ColumnElement[bool]], Depends(filters)],
        order: Literal["opened", "due"] = "opened",
    ) -> Listing[CaseItem]:
        which.append(visible(actor))
        with store.read() as tx:
            total = tx.execute(select(func.count()).select_from(cases).where(*which)).scalar_one()
            rows = (_by_deadline if order == "due" else _newest)(tx, which, part)
            listed = [to_case(row) for row in rows]
            around = _around(tx, alerts_of, listed)
        items = [_item(case, places, around[case.id]) for case in listed]
        return Listing(items=items, total=total)

    def detail(case_id: int, actor: Actor) -> CaseDetail:
        with store.read() as tx:
            case = load(tx, [case_id]).get(case_id)
            if case is None:
                raise not_found("case", case_id)
            around = _around(tx, alerts_of, [case])[case_id]
            shown = alert_items(tx, around.alerts.ids[:SHOWN_ALERTS])
            history = audit.of(tx, "case", str(case_id))
        return CaseDetail(
            **_item(case, places, around).model_dump(),
            history=[
                CaseEvent(
                    at=act.at,
                    actor=act.actor,
                    action=act.action,
                    from_state=act.from_state,
                    to_state=act.to_state,
                    note=act.note,
                    coded=coded_of({"note": act.note}),
                )
                for act in history
            ],
            actions=[
                CaseStep(
                    action=offer.action,
                    to_state=offer.to_state,
                    party=terms(offer.action).party,
                    allowed=not offer.why_not,
                    why_not=offer.why_not,
                    needs_note=terms(offer.action).needs_note,
                )
                for offer in offers(case, actor)
            ],
            alert_items=list(shown.values()),
        )

    @api.get("/cases/{case_id}")
    def one(case_id: int, actor: reader) -> CaseDetail:
        return detail(case_id, actor)

    @api.post("/cases/{case_id}/actions")
    def act(
        case_id: int, wanted: Act, actor: Annotated[Actor, Depends(need(Right.HANDLE))]
    ) -> CaseDetail:
        take_step(case_id, wanted, actor)
        return detail(case_id, actor)

    return api


NEWEST = (cases.c.opened_at.desc(), cases.c.id.desc())
_HAS_DEADLINE = clocks.c.due_at.is_not(None)


def _newest(
    tx: Connection, which: Sequence[ColumnElement[bool]], part: Page
) -> Sequence[Row[tuple[object, ...]]]:
    found = select(cases).where(*which).order_by(*NEWEST)
    return tx.execute(found.limit(part.limit).offset(part.offset)).all()


def _by_deadline(
    tx: Connection, which: Sequence[ColumnElement[bool]], part: Page
) -> Sequence[Row[tuple[object, ...]]]:
    """Those whose time runs out first, then those without a deadline, the newest first.

    Two questions, each in the order of an index: no list is sorted for one page of it.
    """
    timed = cases.join(clocks, clocks.c.case_id == cases.c.id)
    with_one = select(cases).select_from(timed).where(_HAS_DEADLINE, *which)
    first = with_one.order_by(clocks.c.due_at, *NEWEST).limit(part.limit).offset(part.offset)
    rows = tx.execute(first).all()
    if len(rows) == part.limit:
        return rows
    count = select(func.count()).select_from(timed).where(_HAS_DEADLINE, *which)
    begun = tx.execute(count).scalar_one()
    without = cases.c.id.not_in(select(clocks.c.case_id).where(_HAS_DEADLINE))
    rest = Page(limit=part.limit - len(rows), offset=max(0, part.offset - begun))
    return [*rows, *_newest(tx, [*which, without], rest)]


def filters(
    state: State | None = None,
    stage: Stage | None = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
    matter: str | None = None,
    label: str | None = None,
    grid: str | None = None,
    department: str | None = None,
    from_at: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until_at: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    due_before: AwareDatetime | None = None,
    overdue: bool | None = None,
) -> list[ColumnElement[bool]]:
    """What `/api/cases` can be asked for."""
    which: list[ColumnElement[bool]] = []
    if state is not None:
        which.append(cases.c.state == state.value)
    if stage is not None:
        which.append(cases.c.stage == stage.value)
    if is_open is not None:
        # The states that are wanted are named, not those that are not: only so an index finds them.
        wanted = [each.value for each in State if (each in FINISHED) is not is_open]
        which.append(cases.c.state.in_(wanted))
    if matter is not None:
        which.append(cases.c.matter == matter)
    if label is not None:
        which.append(cases.c.label == label)
    if grid is not None:
        which.append(lies_in(cases.c.path, grid))
    if department is not None:
        which.append(cases.c.department == department)
    if from_at is not None:
        which.append(cases.c.opened_at >= from_at)
    if until_at is not None:
        which.append(cases.c.opened_at <= until_at)
    if due_before is not None:
        which.append(_running_until(due_before))
    if overdue is not None:
        late = _running_until(now())
        which.append(late if overdue else ~late)
    return which


def _running_until(at: datetime) -> ColumnElement[bool]:
    """Cases whose handling is not done and due before a moment."""
    runs = clocks.c.done_at.is_(None) & (clocks.c.due_at < at)
    return cases.c.id.in_(select(clocks.c.case_id).where(runs))


@dataclass(frozen=True)
class _Around:
    """What belongs to a case: alerts, clock, how many reported it, department, records."""

    alerts: CaseAlerts
    clock: Clock | None
    reports: int
    department: DepartmentRef | None
    records: Sequence[Record]


def _around(tx: Connection, alerts_of: AlertsOf, which: Sequence[Case]) -> dict[int, _Around]:
    ids = [case.id for case in which]
    alerts, known = alerts_of(tx, ids), clock_store.load(tx, ids)
    told = intake_store.counts_of_cases(tx, ids)
    names = department_store.names(tx, {case.department for case in which})
    kept = record_store.of_cases(tx, ids)
    return {
        case.id: _Around(
            alerts[case.id],
            known.get(case.id),
            told.get(case.id, 0),
            department_ref(case.department, names),
            kept[case.id],
        )
        for case in which
    }


def department_ref(code: str | None, names: Mapping[str, str]) -> DepartmentRef | None:
    """A department by its code, with its name where it has one."""
    return None if code is None else DepartmentRef(code=code, name_zh=names.get(code, code))


def _clock_item(clock: Clock) -> ClockItem:
    at = now()
    return ClockItem(
        state=clock.state(at),
        number=clock.limit.number,
        unit=clock.limit.unit,
        usual=clock.condition is None,
        opening=clock.opening,
        closing=clock.closing,
        started_at=clock.started_at,
        due_at=clock.due_at,
        done_at=clock.done_at,
        stopped_at=clock.stopped_at,
        left_s=clock.left_s,
        provisional=clock.is_provisional,
        calendar_version=clock.calendar_version,
        stage_due_at=clock.stage_due_at,
        stage_overdue=clock.stage_due_at is not None and clock.stage_due_at < at,
        silent=clock.silent_at is not None and clock.silent_at < at,
    )


def _item(case: Case, places: Places, around: _Around) -> CaseItem:
    return CaseItem(
        id=case.id,
        number=case.number,
        state=case.state,
        state_zh=state_zh(case.state),
        stage=case.stage,
        version=case.version,
        title=case.title,
        label=case.label,
        matter=matter_ref(case.matter),
        standard_ref=case.standard_ref,
        level=case.level,
        grid=places.ref(case.path),
        grids=places.steps(case.path),
        lat=case.lat,
        lon=case.lon,
        opened_at=case.opened_at,
        updated_at=case.updated_at,
        closed_at=case.closed_at,
        source=case.source,
        alerts=list(around.alerts.ids),
        picture=around.alerts.picture,
        generated=case.generated,
        clock=_clock_item(around.clock) if around.clock else None,
        reports=around.reports,
        department=around.department,
        officer=case.officer,
        dispatched_by_rule=case.dispatched_by_rule,
        at_level=case.at_level,
        ownerless=case.ownerless,
        answer_due_at=_until(around.records, Kind.SUPERVISION, RecordState.OPEN),
        suspended_until=_until(around.records, Kind.SUSPENSION, RecordState.APPROVED),
        waiting=sum(each.state in WAITING for each in around.records),
    )


def _until(known: Sequence[Record], kind: Kind, state: RecordState) -> datetime | None:
    """When the first record of a kind that stands so comes to its end."""
    ends = (each.until for each in of_kind(known, kind, state))
    return min((end for end in ends if end is not None), default=None)
