"""Records of cases over HTTP: ask, decide, answer; what waits for somebody; who settles what."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import ColumnElement, select
from sqlalchemy.engine import Connection

from hub import audit
from hub.auth import need
from hub.calendar.limit import Unit
from hub.cases import record_store, store as case_store
from hub.cases.api import DepartmentRef, department_ref, visible
from hub.cases.power import USUAL_POWER, Power
from hub.cases.record import WAITING, Kind, Record, RecordState
from hub.cases.record_store import records
from hub.cases.store import cases
from hub.cases.told import News, Reader, note_read, unread
from hub.departments import store as department_store
from hub.errors import Problem, not_found
from hub.http import ERRORS, Body, Listing, Page, Utc, page
from hub.matters import table
from hub.patrol.phone import people_of
from hub.people import users
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, now
from wire.coded import coded

RecordKind = Literal[
    "extension",
    "suspension",
    "supervision",
    "escalation",
    "dual_report",
    "made_safe",
    "settlement",
    "assignment",
    "withdrawal",
]


class NewRecord(Body):
    """A record to keep; `version` is that of the case the caller saw.

    extension: `number` and `unit` to add. suspension: `until` and `reason` (season, project, funds,
    lawsuit, other). supervision: `until` the answer is due. escalation: `department` above, where
    it is not the one that serves the ground. settlement: the `department` that owns it. assignment:
    the `officer` whom the department sends; withdrawal calls him back.
    """

    kind: RecordKind
    version: int
    note: Annotated[str, Field(min_length=1, max_length=2000)]
    until: AwareDatetime | None = None
    number: Annotated[float | None, Field(gt=0, le=10_000)] = None
    unit: Unit | None = None
    reason: Annotated[str, Field(max_length=32)] = ""
    department: Annotated[str | None, Field(min_length=1, max_length=32)] = None
    officer: Annotated[str | None, Field(min_length=1, max_length=100)] = None


class Decision(Body):
    """Whether what was asked for is approved; a refusal needs its reason."""

    version: int
    approve: bool
    note: Annotated[str, Field(max_length=2000)] = ""


class Answer(Body):
    """What is said to a record that waits for an answer."""

    version: int
    note: Annotated[str, Field(min_length=1, max_length=2000)]


class RecordItem(BaseModel):
    """A record. `state` asked waits for a decision, open for an answer.

    `overdue`: an answer that was due. `number`, `unit`: what an extension adds.
    """

    id: int
    case: int
    case_number: str
    kind: Kind
    state: RecordState
    at: Utc
    by: str
    note: str
    until: Utc | None
    overdue: bool
    department: DepartmentRef | None
    number: float | None
    unit: Unit | None
    reason: str
    from_level: int | None
    to_level: int | None
    decided_at: Utc | None
    decided_by: str | None
    decision: str


class ToldItem(RecordItem):
    """A record that the caller has to read. `news`: what is new of it.

    `dual_report`: it is to him, `answer` says that he read it. Of a supervision `demanded`: his to
    answer; `answered`: he demanded it; `overdue`: no answer came in time, told to both.
    """

    news: News


class CaseRecords(Listing[RecordItem]):
    """All records of a case, and its version now."""

    version: int


class PowerRow(Body):
    """The lowest level of grids that may settle a matter (code, class, or any) so severe."""

    matter: Annotated[str | None, Field(pattern=r"^\d{2}(\d{3})?$")] = None
    level_from: Annotated[int, Field(ge=1, le=3)] = 1
    level_to: Annotated[int, Field(ge=1, le=3)] = 3
    grid_level: Annotated[int, Field(ge=1, le=3)]


class PowerTable(Body):
    """Who may settle what. `usual`: the level by severity for what no row is about."""

    rows: Annotated[list[PowerRow], Field(max_length=2000)]


class Powers(PowerTable):
    """The table in force."""

    usual: dict[int, int] = USUAL_POWER


@dataclass(frozen=True)
class Acts:
    """What is done with records, by the part that may do it."""

    record: Callable[[int, NewRecord, Actor], None]
    decide: Callable[[int, Decision, Actor], int]
    answer: Callable[[int, Answer, Actor], int]


def router(store: Store, acts: Acts) -> APIRouter:
    """Records and powers."""
    api = APIRouter(prefix="/api", tags=["cases"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ))]
    worker = Annotated[Actor, Depends(need(Right.HANDLE))]

    def all_of(case_id: int) -> CaseRecords:
        with store.read() as tx:
            case = case_store.load(tx, [case_id]).get(case_id)
            if case is None:
                raise not_found("case", case_id)
            found = record_store.of_cases(tx, [case_id])[case_id]
            items = record_items(tx, found)
        return CaseRecords(version=case.version, items=items, total=len(items))

    @api.get("/cases/{case_id}/records")
    def of_case(case_id: int, _actor: reader) -> CaseRecords:
        return all_of(case_id)

    @api.post("/cases/{case_id}/records", status_code=201)
    def add(case_id: int, wanted: NewRecord, actor: worker) -> CaseRecords:
        acts.record(case_id, wanted, actor)
        return all_of(case_id)

    @api.get("/case-records")
    def listed(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        part: Annotated[Page, Depends(page)],
        which: Annotated[list[ColumnElement[bool]], Depends(_filters)],
        mine: bool = False,
    ) -> Listing[RecordItem]:
        """`mine`: dual reports to the caller, as the duty table knows him."""
        which.append(records.c.case_id.in_(select(cases.c.id).where(visible(actor))))
        with store.read() as tx:
            if mine:
                which.append(records.c.person.in_(people_of(tx, actor.name)))
            found = record_store.listed(tx, *which, limit=part.limit, offset=part.offset)
            total = record_store.count(tx, *which)
            items = record_items(tx, found)
        return Listing(items=items, total=total)

    @api.get("/told-records")
    def told(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
    ) -> Listing[ToldItem]:
        """What the caller has to read, until he has (已阅)."""
        with store.read() as tx:
            found = unread(tx, _reader(tx, actor), visible(actor))
            items = record_items(tx, [record for record, _ in found])
        listed = [
            ToldItem(**item.model_dump(), news=news)
            for item, (_, news) in zip(items, found, strict=True)
        ]
        return Listing(items=listed, total=len(listed))

    @api.post("/told-records/{record_id}/read", status_code=204)
    def read(
        record_id: int, actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))]
    ) -> None:
        """The caller has read what is new of a supervision; a dual report is answered."""
        with store.write() as tx:
            found = unread(tx, _reader(tx, actor), visible(actor))
            news = {
                record.id: (record, what) for record, what in found if what is not News.DUAL_REPORT
            }
            if record_id not in news:
                raise not_found("unread record", record_id)
            record, what = news[record_id]
            at = now()
            note_read(tx, record, what, actor.name, at)
            act = audit.Entry(
                at, actor.name, actor.role, "case", str(record.case_id), "read_supervision",
                note=f"{record.id} {what}",
            )  # fmt: skip
            audit.append(tx, [act])

    @api.post("/case-records/{record_id}/decision")
    def decide(record_id: int, said: Decision, actor: worker) -> CaseRecords:
        return all_of(acts.decide(record_id, said, actor))

    @api.post("/case-records/{record_id}/answer")
    def answer(record_id: int, said: Answer, actor: worker) -> CaseRecords:
        return all_of(acts.answer(record_id, said, actor))

    @api.get("/settling-powers")
    def powers(_actor: Annotated[Actor, Depends(need(Right.READ, Reach.ALL))]) -> Powers:
        with store.read() as tx:
            return _powers(record_store.load_powers(tx))

    @api.put("/settling-powers")
    def put_powers(
        wanted: PowerTable, actor: Annotated[Actor, Depends(need(Right.CONFIGURE))]
    ) -> Powers:
        rows = [Power(**row.model_dump()) for row in wanted.rows]
        _check_powers(rows)
        with store.write() as tx:
            record_store.put_powers(tx, rows)
            act = audit.Entry(
                now(),
                actor.name,
                actor.role,
                "powers",
                "all",
                "put",
                note=coded("so_many_rows", "{rows} rows", rows=len(rows)),
            )
            audit.append(tx, [act])
        return _powers(rows)

    return api


def _reader(tx: Connection, actor: Actor) -> Reader:
    user = users.load(tx, actor.name)
    return Reader(
        actor.name,
        frozenset({actor.name, user.display_name} if user else {actor.name}),
        frozenset(post.department for post in actor.posts if post.department),
        frozenset(people_of(tx, actor.name)),
    )


def record_items(tx: Connection, found: Sequence[Record]) -> list[RecordItem]:
    """Records as they are shown."""
    names = department_store.names(tx, {each.department for each in found})
    numbers = case_store.numbers_of(tx, [each.case_id for each in found])
    at = now()
    return [
        _item(each, numbers[each.case_id], department_ref(each.department, names), at)
        for each in found
    ]


def _item(
    record: Record, number: str, department: DepartmentRef | None, at: datetime
) -> RecordItem:
    waits = record.state is RecordState.OPEN
    return RecordItem(
        id=record.id,
        case=record.case_id,
        case_number=number,
        kind=record.kind,
        state=record.state,
        at=record.at,
        by=record.by,
        note=record.note,
        until=record.until,
        overdue=waits and record.until is not None and record.until < at,
        department=department,
        number=record.extra.number if record.extra else None,
        unit=record.extra.unit if record.extra else None,
        reason=record.reason,
        from_level=record.from_level,
        to_level=record.to_level,
        decided_at=record.decided_at,
        decided_by=record.decided_by,
        decision=record.decision,
    )


def _filters(
    kind: Kind | None = None,
    state: RecordState | None = None,
    waiting: bool | None = None,
    department: str | None = None,
) -> list[ColumnElement[bool]]:
    which: list[ColumnElement[bool]] = []
    if kind is not None:
        which.append(records.c.kind == kind.value)
    if state is not None:
        which.append(records.c.state == state.value)
    if waiting is not None:
        waits = records.c.state.in_([each.value for each in WAITING])
        which.append(waits if waiting else ~waits)
    if department is not None:
        which.append(records.c.department == department)
    return which


def _powers(rows: Sequence[Power]) -> Powers:
    return Powers(
        rows=[
            PowerRow(
                matter=each.matter,
                level_from=each.level_from,
                level_to=each.level_to,
                grid_level=each.grid_level,
            )
            for each in rows
        ]
    )


def _check_powers(rows: Sequence[Power]) -> None:
    known = {each.code for each in table().matters} | {each.code for each in table().classes}
    seen: set[tuple[str | None, int, int]] = set()
    for number, row in enumerate(rows):
        key = (row.matter, row.level_from, row.level_to)
        if row.matter is not None and row.matter not in known:
            message = coded(
                "row_matter",
                "rows.{row}.matter: {given!r} is no matter and no class",
                row=number,
                given=row.matter,
            )
            raise Problem(
                422, "bad_power", message, coded("standard_code", "a code of the standard in use")
            )
        if row.level_from > row.level_to:
            message = coded(
                "row_severity",
                "rows.{row}: severity {least} to {most}",
                row=number,
                least=row.level_from,
                most=row.level_to,
            )
            raise Problem(422, "bad_power", message, coded("lower_first", "the lower first"))
        if key in seen:
            raise Problem(
                422,
                "bad_power",
                coded("row_twice", "rows.{row}: said before", row=number),
                coded("each_row_once", "each row once"),
            )
        seen.add(key)
