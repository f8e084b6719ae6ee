"""Reports over HTTP, for clerks and for systems that hand them over."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Protocol
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool

from hub import audit
from hub.alerts.api import MatterRef, matter_ref
from hub.auth import need
from hub.errors import BOTH_OR_NONE, Problem, not_found
from hub.evidence.items import evidence_url
from hub.evidence.store import Vault
from hub.exports import FILES, MOST, AskedForm, Source, matter_name, sheet, worded
from hub.grid.places import GridRef, Places, place_of
from hub.grid.titled import BadSheet, BadTable
from hub.http import ERRORS, Body, Listing, Page, Utc, page
from hub.intake import store as intake_store
from hub.intake.photo import PhotoTaken, add_photo
from hub.intake.report import Caller, Channel, NewReport, Report, ReportState, matter_of
from hub.intake.sealing import Seal
from hub.intake.sheet import read_reports
from hub.intake.store import reports
from hub.personal import blotted
from hub.roles import Actor, Right
from hub.scope import Reach, within
from hub.store import Store, now
from wire.coded import coded

Lat = Annotated[float, Field(ge=-90, le=90)]
Lon = Annotated[float, Field(ge=-180, le=180)]


class Desk(Protocol):
    """What the intake desk does with reports."""

    def receive(self, new: NewReport, actor: Actor) -> Report:
        """Take one in."""

    def receive_all(self, new: Sequence[NewReport], actor: Actor) -> list[Report]:
        """Take all in, or none."""

    def complete(
        self, number: str, code: str | None, place: tuple[float, float] | None, actor: Actor
    ) -> Report:
        """Say what it is about, or where."""

    def refuse(self, number: str, reason: str, actor: Actor) -> Report:
        """Refuse it, with a reason."""

    def answer(self, case_id: int, text: str, actor: Actor) -> int:
        """Answer everybody who reported a case."""


CaseNumbers = Callable[[Connection, Sequence[int]], dict[int, str]]


class CallerBody(Body):
    """Who reported; kept encrypted."""

    name: Annotated[str, Field(max_length=100)] = ""
    phone: Annotated[str, Field(max_length=40)] = ""
    email: Annotated[str, Field(max_length=200)] = ""


class ReportBody(Body):
    """A report. `matter`: a code or the exact name. WGS-84 degrees. `generated`: made up."""

    channel: Channel
    content: Annotated[str, Field(min_length=1, max_length=4000)]
    matter: Annotated[str, Field(max_length=100)] = ""
    place_text: Annotated[str, Field(max_length=500)] = ""
    lat: Lat | None = None
    lon: Lon | None = None
    external_system: Annotated[str, Field(max_length=64)] = ""
    external_id: Annotated[str, Field(max_length=128)] = ""
    urgency: Annotated[int, Field(ge=1, le=3)] = 1
    confidential: bool = False
    generated: bool = False
    wants_reply: bool = False
    reply_due_at: AwareDatetime | None = None
    received_at: AwareDatetime | None = None
    caller: CallerBody = CallerBody()


class Completion(Body):
    """What the clerk found out: the matter (code or exact name), the place, or both."""

    matter: Annotated[str, Field(max_length=100)] = ""
    lat: Lat | None = None
    lon: Lon | None = None


class Reason(Body):
    """Why; the reporter is told."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class AnswerBody(Body):
    """What the reporters of a case are told."""

    text: Annotated[str, Field(min_length=1, max_length=2000)]


class ReportItem(BaseModel):
    """A report as those see it who work on it. `caller` is masked."""

    number: str
    state: ReportState
    channel: Channel
    external_system: str
    external_id: str
    content: str
    matter: MatterRef | None
    category_hint: str
    place_text: str
    lat: float | None
    lon: float | None
    grid: GridRef | None
    urgency: int
    confidential: bool
    generated: bool
    wants_reply: bool
    reply_due_at: Utc | None
    received_at: Utc
    caller: str
    case_id: int | None
    case_number: str | None
    reason: str
    answer: str
    answered_at: Utc | None
    photos: list[str]


class ToldItem(BaseModel):
    """What was reported of a case, never by whom.

    Who does the department's work alone reads it without numbers and names of people,
    and of a confidential report neither words nor pictures.
    """

    number: str
    channel: Channel
    received_at: Utc
    confidential: bool
    generated: bool
    content: str
    place_text: str
    photos: list[str]


class CallerItem(BaseModel):
    """Who reported, in full."""

    name: str
    phone: str
    email: str


class Taken(BaseModel):
    """What a file brought. `dry_run`: nothing was stored."""

    reports: int
    in_cases: int
    waiting: int
    dry_run: bool


class Answered(BaseModel):
    """How many reporters were answered."""

    answered: int


class BadRows(BadTable):
    """A file that was not taken, with every fault."""

    def __init__(self, fault: BadSheet) -> None:
        """List the faults by place."""
        super().__init__(fault)
        self.code = "bad_rows"


COLUMNS: Mapping[str, Source] = {
    "number": "number", "state": worded("state", "reportState"),
    "channel": worded("channel", "channel"),
    "external_system": "external_system", "external_id": "external_id", "content": "content",
    "matter": "matter.code", "matter_name": matter_name, "place": "place_text",
    "lat": "lat", "lon": "lon", "grid": "grid.code", "grid_name": "grid.name",
    "urgency": worded("urgency", "level"), "wants_reply": "wants_reply",
    "reply_due_at": "reply_due_at", "received_at": "received_at", "caller": "caller",
    "case": "case_number", "reason": "reason", "answer": "answer",
    "answered_at": "answered_at", "photos": "photos", "generated": "generated",
}  # fmt: skip


def router(
    store: Store,
    desk: Desk,
    seal: Seal,
    vault: Vault,
    places: Places,
    zone: ZoneInfo,
    numbers: CaseNumbers,
) -> APIRouter:
    """Reports. `vault` keeps their photos, `numbers` gives the numbers of cases by id."""
    api = APIRouter(prefix="/api", tags=["intake"], responses=ERRORS)
    worker = Annotated[Actor, Depends(need(Right.ACT))]
    reporter = Annotated[Actor, Depends(need(Right.REPORT, Reach.ALL))]

    def items(tx: Connection, found: Sequence[Report]) -> list[ReportItem]:
        named = numbers(tx, [report.case_id for report in found if report.case_id])
        return [_item(report, places, named) for report in found]

    def one(number: str) -> ReportItem:
        with store.read() as tx:
            return items(tx, [_found(tx, seal, number)])[0]

    @api.get("/reports")
    def list_reports(
        actor: Annotated[Actor, Depends(need(Right.ACT, Reach.POSTS))],
        part: Annotated[Page, Depends(page)],
        which: Annotated[list[ColumnElement[bool]], Depends(_filters)],
    ) -> Listing[ReportItem]:
        which.append(within(actor, Right.ACT, path=reports.c.path, matter=reports.c.matter))
        found = select(reports).where(*which).order_by(reports.c.id.desc())
        with store.read() as tx:
            count = select(func.count()).select_from(reports).where(*which)
            rows = tx.execute(found.limit(part.limit).offset(part.offset)).all()
            listed = items(tx, [intake_store.to_report(row, seal) for row in rows])
            return Listing(items=listed, total=tx.execute(count).scalar_one())

    @api.get("/report-table", response_class=Response, responses=FILES)
    def report_table(
        actor: Annotated[Actor, Depends(need(Right.ACT, Reach.POSTS))],
        which: Annotated[list[ColumnElement[bool]], Depends(_filters)],
        form: AskedForm,
    ) -> Response:
        """The list as a table, the newest first; who reported is masked as there."""
        found = list_reports(actor, Page(limit=MOST, offset=0), which)
        return sheet("reports", found.items, COLUMNS, form)

    @api.post("/reports", status_code=201)
    def report(body: ReportBody, actor: reporter) -> ReportItem:
        stored = desk.receive(_new(body, now()), actor)
        return one(stored.number)

    @api.put("/reports/file", openapi_extra={"requestBody": {"content": {"*/*": {}}}})
    async def bring_in(
        request: Request,
        actor: reporter,
        channel: Channel,
        system: Annotated[str, Query(pattern=r"^[a-z0-9][a-z0-9._:-]{0,63}$")],
        dry_run: bool = False,
    ) -> Taken:
        data = await request.body()
        try:
            read = read_reports(data, channel=channel, system=system, zone=zone)
        except BadSheet as fault:
            raise BadRows(fault) from None
        stored = [] if dry_run else desk.receive_all(read, actor)
        placed = sum(each.matter is not None and each.place is not None for each in read)
        inside = sum(each.state is ReportState.IN_CASE for each in stored) if stored else placed
        return Taken(
            reports=len(read), in_cases=inside, waiting=len(read) - inside, dry_run=dry_run
        )

    @api.get("/reports/{number}")
    def the_report(number: str, _actor: worker) -> ReportItem:
        return one(number)

    @api.patch("/reports/{number}")
    def complete(number: str, body: Completion, actor: worker) -> ReportItem:
        place = place_of(body.lat, body.lon)
        desk.complete(number, _matter(body.matter), place, actor)
        return one(number)

    @api.post("/reports/{number}/refuse")
    def refuse(number: str, body: Reason, actor: worker) -> ReportItem:
        desk.refuse(number, body.reason, actor)
        return one(number)

    @api.post("/reports/{number}/caller")
    def caller(
        number: str, body: Reason, actor: Annotated[Actor, Depends(need(Right.CALLER))]
    ) -> CallerItem:
        """Who reported, in full: asked with a reason, and written down."""
        with store.write() as tx:
            found = _found(tx, seal, number)
            act = audit.Entry(
                now(), actor.name, actor.role, "report", number, "see_caller", note=body.reason
            )
            audit.append(tx, [act])
        known = found.new.caller
        return CallerItem(name=known.name, phone=known.phone, email=known.email)

    @api.put(
        "/reports/{number}/photos",
        status_code=201,
        openapi_extra={"requestBody": {"content": {"image/jpeg": {}, "image/png": {}}}},
    )
    async def bring_photo(
        request: Request, number: str, actor: Annotated[Actor, Depends(need(Right.REPORT))]
    ) -> PhotoTaken:
        """A photo that came with a report: kept without what the phone wrote into it."""
        sent = await request.body()
        return await run_in_threadpool(keep_photo, number, sent, actor)

    def keep_photo(number: str, sent: bytes, actor: Actor) -> PhotoTaken:
        taken = add_photo(store, seal, vault, number, sent)
        with store.write() as tx:
            act = audit.Entry(now(), actor.name, actor.role, "report", number, "add_photo")
            audit.append(tx, [act])
        return taken

    @api.get("/cases/{case_id}/reports")
    def of_case(
        case_id: int, actor: Annotated[Actor, Depends(need(Right.HANDLE))]
    ) -> Listing[ToldItem]:
        """What people reported of a case, first come first."""
        with store.read() as tx:
            if not numbers(tx, [case_id]):
                raise not_found("case", case_id)
            found = intake_store.of_cases(tx, seal, [case_id])[case_id]
        told = [_told(report, whole=actor.may(Right.ACT)) for report in found]
        return Listing(items=told, total=len(told))

    @api.post("/cases/{case_id}/answer")
    def answer(case_id: int, body: AnswerBody, actor: worker) -> Answered:
        return Answered(answered=desk.answer(case_id, body.text, actor))

    return api


def _filters(
    state: ReportState | None = None,
    channel: Channel | None = None,
    case: int | None = None,
    answered: bool | None = None,
) -> list[ColumnElement[bool]]:
    which: list[ColumnElement[bool]] = []
    if state is not None:
        which.append(reports.c.state == state.value)
    if channel is not None:
        which.append(reports.c.channel == channel.value)
    if case is not None:
        which.append(reports.c.case_id == case)
    if answered is not None:
        has_none = reports.c.answered_at.is_(None)
        which.append(~has_none if answered else has_none)
    return which


def _new(body: ReportBody, at: datetime) -> NewReport:
    caller = Caller(body.caller.name, body.caller.phone, body.caller.email)
    if bool(body.external_id) != bool(body.external_system):
        raise Problem(
            422,
            "bad_id",
            coded("system_and_id", "external_system and external_id are needed together"),
            BOTH_OR_NONE,
        )
    place_of(body.lat, body.lon)
    return NewReport(
        channel=body.channel,
        content=body.content,
        received_at=body.received_at or at,
        external_system=body.external_system,
        external_id=body.external_id,
        matter=_matter(body.matter),
        category_hint=body.matter,
        place_text=body.place_text,
        lat=body.lat,
        lon=body.lon,
        urgency=body.urgency,
        confidential=body.confidential,
        generated=body.generated,
        wants_reply=body.wants_reply,
        reply_due_at=body.reply_due_at,
        caller=caller,
    )


def _matter(hint: str) -> str | None:
    if not hint:
        return None
    found = matter_of(hint)
    if found is None:
        raise Problem(
            422,
            "bad_matter",
            coded("hint_unknown", "matter {given!r} is not known", given=hint),
            coded("matter_of_table", "a code or name of the table"),
        )
    return found.code


def _found(tx: Connection, seal: Seal, number: str) -> Report:
    report = intake_store.by_number(tx, seal, number)
    if report is None:
        raise not_found("report", number)
    return report


def _told(report: Report, *, whole: bool) -> ToldItem:
    new = report.new
    shown = whole or not new.confidential
    words = (new.content, new.place_text) if shown else ("", "")
    content, place_text = words if whole else map(blotted, words)
    return ToldItem(
        number=report.number,
        channel=new.channel,
        received_at=new.received_at,
        confidential=new.confidential,
        generated=new.generated,
        content=content,
        place_text=place_text,
        photos=[evidence_url(sha256) for sha256 in new.files] if shown else [],
    )


def _item(report: Report, places: Places, numbers: dict[int, str]) -> ReportItem:
    new = report.new
    return ReportItem(
        number=report.number,
        state=report.state,
        channel=new.channel,
        external_system=new.external_system,
        external_id=new.external_id,
        content=new.content,
        matter=matter_ref(new.matter),
        category_hint=new.category_hint,
        place_text=new.place_text,
        lat=new.lat,
        lon=new.lon,
        grid=places.ref(report.path),
        urgency=new.urgency,
        confidential=new.confidential,
        generated=new.generated,
        wants_reply=new.wants_reply,
        reply_due_at=new.reply_due_at,
        received_at=new.received_at,
        caller=new.caller.masked,
        case_id=report.case_id,
        case_number=numbers.get(report.case_id) if report.case_id else None,
        reason=report.reason,
        answer=report.answer,
        answered_at=report.answered_at,
        photos=[evidence_url(sha256) for sha256 in new.files],
    )
