"""Open311 GeoReport v2 over HTTP: JSON and XML by the ending of the path.

Whoever asks needs an `api_key`, unless the city is open to the public; whoever reports always does
(a token with the right to report). What a citizen wrote is not given out again: a request's
description is its matter, for the text may name people.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from sqlalchemy import ColumnElement, select
from sqlalchemy.engine import Connection

from hub import auth
from hub.http import ERRORS, iso
from hub.intake import open311, store as intake_store
from hub.intake.open311 import MEDIA_TYPES, MOST_REQUESTS, BadRequest, Format, Item, written
from hub.intake.report import NewReport, Report, ReportState
from hub.intake.sealing import Seal
from hub.intake.store import reports
from hub.matters import matter, table
from hub.roles import Actor, Right
from hub.store import Store, now

FORM = {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}
NOTICE = {
    ReportState.WAITING: "已收到，等待受理 / received, waits for the intake clerk",
    ReportState.IN_CASE: "已收到 / received",
    ReportState.REFUSED: "不予受理 / refused",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a case stands, as a request tells it. `due_at`: its deadline."""

    is_open: bool
    state_zh: str
    due_at: datetime | None
    updated_at: datetime


StandingOf = Callable[[Connection, Sequence[int]], Mapping[int, Standing]]
Receive = Callable[[NewReport, Actor], Report]


class _Route(APIRoute):
    """Answers a bad request with the specification's error list, in the format asked for."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint, and what becomes of its refusals."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except BadRequest as fault:
                kind: Format = "json" if request.url.path.endswith(".json") else "xml"
                errors = open311.faults_item(fault)
                return _answer(kind, "errors", errors, "error", status=fault.code)

        return handled


async def _form(request: Request) -> Mapping[str, str]:
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}


_BOTH: dict[str, Any] = {"content": {kind: {} for kind in MEDIA_TYPES.values()}}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: _BOTH,
    **{
        status: {**_BOTH, "description": "errors, by the specification"}
        for status in (400, 403, 404)
    },
    413: ERRORS[413],
    422: ERRORS[422],
    503: ERRORS[503],
}


def router(
    store: Store, seal: Seal, receive: Receive, standing: StandingOf, *, url: str, public: bool
) -> APIRouter:
    """The endpoint under `url`. `public`: whether requests are listed without a key."""
    api = APIRouter(prefix="/open311", tags=["open311"], route_class=_Route, responses=ANSWERS)
    started_at = now()

    def keyed(request: Request, secret: str, right: Right) -> Actor:
        actor = auth.by_token(store, secret) if secret else auth.identify(request)
        if actor is None:
            raise BadRequest(["api_key was not provided or is not valid"], 403)
        if not actor.may(right):
            raise BadRequest([f"the api_key of {actor.name} may not {right}"], 403)
        return actor

    def reader(request: Request) -> None:
        if not public:
            keyed(request, request.query_params.get("api_key", ""), Right.READ)

    readers = [Depends(reader)]

    def told(*which: ColumnElement[bool], status: str = "") -> list[Item]:
        found = select(reports).where(*which, ~reports.c.confidential)
        items: list[Item] = []
        with store.read() as tx:
            for rows in tx.execute(found.order_by(reports.c.id.desc())).partitions(500):
                listed = [intake_store.to_report(row, seal) for row in rows]
                known = standing(tx, [each.case_id for each in listed if each.case_id])
                items += [
                    item
                    for each in listed
                    if (item := _request(each, known)) and status in ("", item["status"])
                ]
                if len(items) >= MOST_REQUESTS:
                    break
        return items[:MOST_REQUESTS]

    @api.get("/discovery.{kind}")
    def discovery(kind: Format) -> Response:
        return _answer(kind, "discovery", open311.discovery(url, started_at))

    @api.get("/v2/services.{kind}")
    def services(request: Request, kind: Format) -> Response:
        language = "en" if request.headers.get("accept-language", "").startswith("en") else "zh"
        return _answer(kind, "services", open311.services(table(), language), "service")

    @api.get("/v2/services/{code}.{kind}")
    def service(code: str, kind: Format) -> Response:
        if code not in {each.code for each in table().matters}:
            raise BadRequest([f"service_code {code} was not found"], 404)
        return _answer(kind, "service_definition", open311.definition(code))

    @api.post("/v2/requests.{kind}", openapi_extra={"requestBody": {"content": FORM}})
    def post(
        request: Request, kind: Format, form: Annotated[Mapping[str, str], Depends(_form)]
    ) -> Response:
        secret = form.get("api_key") or request.query_params.get("api_key", "")
        actor = keyed(request, secret, Right.REPORT)
        stored = receive(open311.read_report(form, actor.name, now()), actor)
        notice = {"service_request_id": stored.number, "service_notice": NOTICE[stored.state]}
        return _answer(kind, "service_requests", [notice], "request")

    @api.get("/v2/tokens/{token}.{kind}", dependencies=readers)
    def token(token: str, kind: Format) -> Response:
        if not told(reports.c.number == token):
            raise BadRequest([f"token {token} was not found"], 404)
        item = {"service_request_id": token, "token": token}
        return _answer(kind, "service_requests", [item], "request")

    @api.get("/v2/requests.{kind}", dependencies=readers)
    def requests(request: Request, kind: Format) -> Response:
        window = open311.read_window(request.query_params, now())
        if window.numbers:
            items = told(reports.c.number.in_(window.numbers))
        else:
            which = [reports.c.received_at.between(window.start, window.end)]
            if window.service_codes:
                which.append(reports.c.matter.in_(window.service_codes))
            items = told(*which, status=window.status)
        return _answer(kind, "service_requests", items, "request")

    @api.get("/v2/requests/{number}.{kind}", dependencies=readers)
    def one(number: str, kind: Format) -> Response:
        items = told(reports.c.number == number)
        if not items:
            raise BadRequest([f"service_request_id {number} was not found"], 404)
        return _answer(kind, "service_requests", items, "request")

    return api


def _request(report: Report, known: Mapping[int, Standing]) -> Item:
    new, case = report.new, known.get(report.case_id or 0)
    about = matter(new.matter)
    is_open = case.is_open if case else report.state is ReportState.WAITING
    return {
        "service_request_id": report.number,
        "status": "open" if is_open else "closed",
        "status_notes": report.answer or (case.state_zh if case else NOTICE[report.state]),
        "service_name": about.name_zh if about else "",
        "service_code": new.matter or "",
        "description": about.name_zh if about else "",
        "agency_responsible": "",
        "service_notice": "",
        "requested_datetime": iso(new.received_at),
        "updated_datetime": iso(max(each.updated_at for each in (report, case) if each)),
        "expected_datetime": iso(case.due_at) if case and case.due_at else None,
        "address": new.place_text,
        "address_id": "",
        "zipcode": "",
        "lat": new.lat,
        "long": new.lon,
        "media_url": None,
    }


def _answer(
    kind: Format, root: str, item: Item | Sequence[Item], each: str = "", *, status: int = 200
) -> Response:
    text = written(kind, root, item, each)
    return Response(text, status, media_type=f"{MEDIA_TYPES[kind]}; charset=utf-8")
