"""The habits all HTTP answers share: lists, times, errors, limits, headers."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Annotated, Any, Generic, TypeVar

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, WithJsonSchema
from sqlalchemy.exc import DataError, DBAPIError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.errors import SEE_API, TRY_AGAIN, Problem
from hub.store import is_database_away
from wire.coded import coded, codes_of
from wire.settings import by_place

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_BODY = 1 << 20
BODY_LIMITS = {
    "/api/grids": 64 << 20,
    "/api/grids/check": 64 << 20,
    "/api/models": 500_000_000,
    "/api/conditions": 10 << 20,
    "/api/department-table": 10 << 20,
    "/api/dispatch-rule-table": 10 << 20,
    "/api/duty/import": 64 << 20,
    "/api/fences": 64 << 20,
    "/api/permits": 64 << 20,
}
UNLIMITED = re.compile(r"/upload/.*|/api/cases/[^/]+/photos")
"""Paths that take a file piece by piece and bound it themselves."""
RETRY_AFTER_S = "5"
TAKEN_WITHIN_S = 30.0

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    # MapLibre draws in a worker made from a blob and sets styles of its own elements.
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; worker-src 'self' blob:; connect-src 'self'; "
        "font-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
}


def iso(at: datetime) -> str:
    """ISO 8601 in UTC with Z, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Utc = Annotated[datetime, PlainSerializer(iso, return_type=str, when_used="json")]

LocalTime = Annotated[
    time, WithJsonSchema({"type": "string", "pattern": r"^\d\d:\d\d(:\d\d(\.\d{1,6})?)?$"})
]
"""A time of day at the site: `format: time` of JSON Schema would need an offset."""

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)


def _known_day(day: date) -> date:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"{day} is not from {FIRST_DAY} to {LAST_DAY}")
    return day


LocalDay = Annotated[date, AfterValidator(_known_day)]
"""A day at the site that clocks and calendars can reckon with."""


class Pushed(StreamingResponse):
    """Server-sent events, piece by piece; a reader that takes none for `TAKEN_WITHIN_S` is left."""

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncGenerator[bytes, None], headers: Mapping[str, str]) -> None:
        """Send `pieces` as they come."""
        super().__init__(pieces, headers=headers)
        self._pieces = pieces

    async def stream_response(self, send: Send) -> None:
        """Send them."""
        begin = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **begin})
        async with aclosing(self._pieces) as pieces:
            async for piece in pieces:
                async with asyncio.timeout(TAKEN_WITHIN_S):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Body(BaseModel):
    """What a caller sends: unknown fields are an error."""

    model_config = ConfigDict(extra="forbid")


class Listing(BaseModel, Generic[T]):
    """One page of a list, and how many there are in all."""

    items: list[T]
    total: int


class CodedText(BaseModel):
    """An English sentence with its code and what stands in it (`wire.coded`).

    `values`: text, numbers and other such sentences, by name.
    """

    text: str
    code: str
    values: dict[str, Any] = {}


def coded_of(texts: Mapping[str, object]) -> dict[str, CodedText]:
    """Those of the texts that have a code, by name, as answers say them."""
    found = codes_of(texts)
    return {name: CodedText.model_validate(parts) for name, parts in found.items()}


class Fault(BaseModel):
    """What is wrong, where, and what is allowed.

    `coded`: those of the texts that have a code, by name; so also each of `problems`, which has
    `message` and `allowed`.
    """

    code: str
    message: str
    allowed: str = ""
    problems: list[dict[str, Any]] = []
    coded: dict[str, CodedText] = {}


class ErrorBody(BaseModel):
    """The one shape of every error."""

    error: Fault


SCHEMAS = "#/components/schemas/{model}"
# By reference: as a `model` FastAPI would build the same one anew for each of 1,600 answers.
_ERROR = {"application/json": {"schema": {"$ref": SCHEMAS.format(model=ErrorBody.__name__)}}}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"content": _ERROR} for status in (400, 401, 403, 404, 409, 413, 422, 503)
}


class Page(BaseModel):
    """Which part of a list."""

    limit: int
    offset: int


def page(
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Page:
    """`?limit=50&offset=0`."""
    return Page(limit=limit, offset=offset)


def error_response(
    status: int, code: str, message: str, allowed: str = "", problems: Any = ()
) -> JSONResponse:
    """An error in its one shape."""
    body: dict[str, Any] = {"code": code, "message": message, "allowed": allowed}
    if problems:
        body["problems"] = [_with_codes(each) for each in problems]
    return JSONResponse({"error": _with_codes(body)}, status_code=status)


def _with_codes(texts: Mapping[str, object]) -> Mapping[str, object]:
    """The same, with the codes of what is said."""
    codes = codes_of(texts)
    return {**texts, "coded": codes} if codes else texts


def install(app: FastAPI, tile_hosts: Sequence[str] = ()) -> None:
    """Give the app the error shape, the body limit and the headers.

    `tile_hosts`: where pages may fetch pictures of streets from.
    """
    handlers: dict[type[Exception], Any] = {
        Problem: _problem,
        RequestValidationError: _invalid,
        HTTPException: _http,
        DBAPIError: _database,
        OverflowError: _overflow,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
    app.add_middleware(BodyLimit)
    app.add_middleware(Headers, tile_hosts=tile_hosts)
    app.openapi = partial(_openapi, app.openapi)  # type: ignore[method-assign]


def _openapi(described: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What FastAPI describes, with the errors that are described by reference."""
    schema = described()
    parts = ErrorBody.model_json_schema(mode="serialization", ref_template=SCHEMAS)
    schema["components"]["schemas"] |= parts.pop("$defs") | {ErrorBody.__name__: parts}
    return schema


def _problem(_request: Request, fault: Problem) -> Response:
    problems = getattr(fault, "problems", ())
    response = error_response(fault.status, fault.code, fault.message, fault.allowed, problems)
    response.headers.update(getattr(fault, "headers", {}))
    if fault.status == 503:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return response


def _invalid(_request: Request, fault: RequestValidationError) -> Response:
    return error_response(422, "invalid", by_place(fault.errors()), SEE_API)


def _http(_request: Request, fault: HTTPException) -> Response:
    codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
    code = codes.get(fault.status_code, "error")
    return error_response(fault.status_code, code, str(fault.detail), SEE_API)


def _database(_request: Request, fault: DBAPIError) -> Response:
    if isinstance(fault, DataError):
        return _beyond(fault.orig)
    if not is_database_away(fault):
        raise fault
    log.error("Database cannot answer: %s", fault.orig)
    response = error_response(
        503,
        "database_away",
        coded("database_silent", "the database cannot answer"),
        TRY_AGAIN,
    )
    response.headers["Retry-After"] = RETRY_AFTER_S
    return response


def _overflow(_request: Request, fault: OverflowError) -> Response:
    """SQLite's driver says so by itself of a number of more than 64 bits."""
    if "SQLite" not in str(fault):
        raise fault
    return _beyond(fault)


def _beyond(fault: object) -> Response:
    """A value that no column of the kind can hold: there can be no such thing."""
    log.info("Value beyond what the database holds: %s", fault)
    message = coded("beyond_storage", "a number or a text is beyond what can be stored")
    allowed = coded("storable", "whole numbers below 2147483648, text without NUL")
    return error_response(422, "out_of_range", message, allowed)


class Headers:
    """Adds the security headers to every answer that has not set its own."""

    def __init__(self, app: ASGIApp, tile_hosts: Sequence[str] = ()) -> None:
        """Stand before `app`."""
        self._app = app
        policy = HEADERS["Content-Security-Policy"]
        for source in ("connect-src 'self'", "img-src 'self'"):
            policy = policy.replace(source, " ".join([source, *tile_hosts]))
        self._headers = HEADERS | {"Content-Security-Policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                present = {name.lower() for name, _ in headers}
                for name, value in self._headers.items():
                    if name.lower().encode() not in present:
                        headers.append((name.lower().encode(), value.encode()))
            await send(message)

        await self._app(scope, receive, with_headers)


class BodyLimit:
    """Refuses a body larger than its path allows, announced or not, before it is read whole."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or UNLIMITED.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        limit = BODY_LIMITS.get(scope["path"], MAX_BODY)
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > limit:
            await _refuse(limit)(scope, receive, send)
            return
        await self._app(scope, _counted(receive, limit), send)


def _refuse(limit: int) -> JSONResponse:
    return error_response(
        413,
        "too_large",
        coded("large_body", "the body is too large"),
        coded("bytes_at_most", "at most {most} bytes", most=limit),
    )


def _counted(receive: Receive, limit: int) -> Callable[[], Awaitable[Message]]:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413, f"the body is larger than {limit} bytes")
        return message

    return counted
