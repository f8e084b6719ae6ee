"""What citizens may do without an account, where the city allows it: report, and ask what became.

A report is asked for by its number and a key that only its reporter was given.
"""

from collections import deque
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from hub.errors import Problem, not_found
from hub.evidence.store import Vault
from hub.grid.places import place_of
from hub.http import ERRORS, Body, Utc
from hub.intake import store as intake_store
from hub.intake.api import CallerBody, Lat, Lon
from hub.intake.open311_api import StandingOf
from hub.intake.photo import MOST_PHOTOS, PhotoTaken, add_photo
from hub.intake.report import Caller, Channel, NewReport, Report, ReportState, matter_of
from hub.intake.sealing import Seal
from hub.matters import matter
from hub.roles import SYSTEM, Actor
from hub.store import Store, now, to_ms
from wire.coded import coded

HOUR_MS = 3_600_000
TOO_MANY: dict[int | str, dict[str, Any]] = {429: ERRORS[400]}
Key = Annotated[str, Query(max_length=64)]
MOST_ADDRESSES = 10_000


class PublicReport(Body):
    """What a citizen tells. WGS-84 degrees. The caller may be left out."""

    content: Annotated[str, Field(min_length=1, max_length=2000)]
    matter: Annotated[str, Field(max_length=100)] = ""
    place_text: Annotated[str, Field(max_length=500)] = ""
    lat: Lat | None = None
    lon: Lon | None = None
    caller: CallerBody = CallerBody()


class Receipt(BaseModel):
    """What a reporter keeps to ask with."""

    number: str
    key: str


class Outcome(BaseModel):
    """What became of a report: no names, no text that somebody wrote but the answer."""

    number: str
    matter: str
    received_at: Utc
    state: str
    open: bool
    due_at: Utc | None
    answer: str
    answered_at: Utc | None


class Turnstile:
    """So many reports an hour from one address; the addresses are forgotten with the hour."""

    def __init__(self, per_hour: int) -> None:
        """Begin with nobody counted."""
        self._per_hour = per_hour
        self._seen: dict[str, deque[int]] = {}

    def let_in(self, address: str, at_ms: int) -> bool:
        """Whether one more may come from there."""
        if len(self._seen) > MOST_ADDRESSES:
            self._seen = {a: s for a, s in self._seen.items() if s[-1] > at_ms - HOUR_MS}
        seen = self._seen.setdefault(address, deque())
        while seen and seen[0] <= at_ms - HOUR_MS:
            seen.popleft()
        if len(seen) >= self._per_hour or len(self._seen) > MOST_ADDRESSES:
            return False
        seen.append(at_ms)
        return True


def router(
    store: Store,
    seal: Seal,
    receive: Callable[[NewReport, Actor], Report],
    standing: StandingOf,
    per_hour: int,
    vault: Vault,
) -> APIRouter:
    """The citizens' side; it exists where `intake.public` is set."""
    api = APIRouter(prefix="/public", tags=["public"], responses=ERRORS)
    turnstile, photo_stile = Turnstile(per_hour), Turnstile(per_hour * MOST_PHOTOS)

    def let_in(stile: Turnstile, request: Request, most: int) -> None:
        address = request.client.host if request.client else ""
        if not stile.let_in(address, to_ms(now())):
            raise Problem(
                429,
                "too_many",
                coded("many_from_here", "too many from this address"),
                coded("an_hour", "{most} an hour", most=most),
            )

    @api.post("/reports", status_code=201, responses=TOO_MANY)
    def tell(request: Request, body: PublicReport) -> Receipt:
        let_in(turnstile, request, per_hour)
        place_of(body.lat, body.lon)
        known = matter_of(body.matter)
        caller = Caller(body.caller.name, body.caller.phone, body.caller.email)
        new = NewReport(
            channel=Channel.FORM,
            content=body.content,
            received_at=now(),
            matter=known.code if known else None,
            category_hint=body.matter,
            place_text=body.place_text,
            lat=body.lat,
            lon=body.lon,
            wants_reply=bool(caller),
            caller=caller,
        )
        stored = receive(new, SYSTEM)
        return Receipt(number=stored.number, key=seal.ticket(stored.number))

    @api.put(
        "/reports/{number}/photos",
        status_code=201,
        responses=TOO_MANY,
        openapi_extra={"requestBody": {"content": {"image/jpeg": {}, "image/png": {}}}},
    )
    async def bring_photo(request: Request, number: str, key: Key) -> PhotoTaken:
        """A photo for a report: kept without what the phone wrote into it."""
        let_in(photo_stile, request, per_hour * MOST_PHOTOS)
        if not seal.is_ticket(number, key):
            raise not_found("report", number)
        sent = await request.body()
        return await run_in_threadpool(add_photo, store, seal, vault, number, sent)

    @api.get("/reports/{number}")
    def ask(number: str, key: Key) -> Outcome:
        if not seal.is_ticket(number, key):
            raise not_found("report", number)
        with store.read() as tx:
            report = intake_store.by_number(tx, seal, number)
            if report is None:
                raise not_found("report", number)
            case = standing(tx, [report.case_id] if report.case_id else []).get(report.case_id or 0)
        about = matter(report.new.matter)
        return Outcome(
            number=number,
            matter=about.name_zh if about else "",
            received_at=report.new.received_at,
            state=case.state_zh if case else report.state,
            open=case.is_open if case else report.state is ReportState.WAITING,
            due_at=case.due_at if case else None,
            answer=report.answer,
            answered_at=report.answered_at,
        )

    return api
