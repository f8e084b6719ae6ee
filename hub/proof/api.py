"""Proof over HTTP: photos that come in, what was checked, visits, rebounds."""

import errno
import hashlib
import io
import logging
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from hub import events
from hub.auth import need
from hub.cases import store as case_store
from hub.cases.api import visible
from hub.cases.case import Case, case_is
from hub.errors import TRY_AGAIN, Problem, not_found
from hub.evidence import store as evidence_store
from hub.evidence.file import IMAGE_TYPES, SHOWN
from hub.evidence.items import evidence_url
from hub.exports import FILES, MOST, AskedForm, sheet
from hub.grid.places import place_of
from hub.http import ERRORS, Body, Listing, Page, Utc, page
from hub.people import person_names
from hub.proof import checking, store as proof_store
from hub.proof.check import Check, Means, Result
from hub.proof.desk import PERSON, Incoming, ProofDesk
from hub.proof.photo import FixPhoto, Reason, Source, Taken, Use, Verdict
from hub.proof.rebound import Rebound
from hub.proof.watching import watch_of
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, now
from wire.coded import coded
from wire.media import type_of

log = logging.getLogger(__name__)

HEAD = 12
MB = 1_000_000
Lat = Annotated[float | None, Query(ge=-90, le=90)]
Lon = Annotated[float | None, Query(ge=-180, le=180)]


class PhotoItem(BaseModel):
    """A photo of a fix and what speaks against it.

    `url`: the copy without hidden notes, faces and plates covered; null for a clip, and where the
    hub cannot cover them. `original`: opened by `POST /api/evidence/{sha256}/opening`. `copy_of`:
    the picture it is a copy of, with the id and number of its case.
    """

    id: int
    use: Use
    type: str
    url: str | None
    original: str
    by: str
    uploaded_at: Utc
    used_at: Utc | None
    taken_at: Utc | None
    taken_from: Source
    lat: float | None
    lon: float | None
    place_from: Source
    acc_m: float
    verdict: Verdict
    reasons: list[Reason]
    refused: list[Reason]
    copy_of: str
    copy_of_case: int | None
    copy_of_number: str | None


class CheckItem(BaseModel):
    """One examination of a claimed fix; `result` is null while it is awaited.

    `withdrawn`: it was not needed any more. `false_rectification`: the claim was found untrue.
    """

    id: int
    case: int
    claimed_at: Utc
    claimed_by: str
    means: Means
    asked_at: Utc
    look: str
    assignee: str
    forced: bool
    awaited: bool
    withdrawn: bool
    result: Result | None
    reasons: list[str]
    checked_at: Utc | None
    checked_by: str
    photos: list[int]
    note: str
    false_rectification: bool


class ReboundItem(BaseModel):
    """The case came back after it was closed."""

    closed_at: Utc
    reopened_at: Utc
    cause_kind: str
    cause: str
    distance_m: float


class ProofItem(BaseModel):
    """All that proves or disproves that a case was dealt with.

    `needed`: what a feedback and a closing need. `proposal`: `close` when the newest claim was
    found true. `watched_until`: when the watch over a closed case ends.
    """

    photos: list[PhotoItem]
    checks: list[CheckItem]
    rebounds: list[ReboundItem]
    photo_needed: bool
    check_needed: bool
    refuse: list[Reason]
    proposal: str
    watched_until: Utc | None


class VisitItem(BaseModel):
    """A visit that somebody has to make."""

    check: CheckItem
    case: int
    number: str
    title: str
    lat: float
    lon: float


VISIT_COLUMNS = {
    "case": "number", "title": "title", "lat": "lat", "lon": "lon",
    "claimed_at": "check.claimed_at", "claimed_by": "check.claimed_by",
    "asked_at": "check.asked_at", "assignee": "check.assignee", "forced": "check.forced",
}  # fmt: skip


class NewVisit(Body):
    """Who is to go and see; empty for anybody of the supervision centre."""

    assignee: Annotated[str, Field(max_length=100)] = ""


class VisitResult(Body):
    """What somebody saw there, with photos taken there (uploaded with `use=visit`)."""

    result: Annotated[Result, Field(description="present or gone")]
    photos: Annotated[tuple[int, ...], Field(max_length=20)] = ()
    note: Annotated[str, Field(max_length=2000)] = ""


def router(store: Store, desk: Callable[[], ProofDesk]) -> APIRouter:
    """Photos, checks, visits and rebounds of cases."""
    api = APIRouter(prefix="/api", tags=["proof"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ))]
    worker = Annotated[Actor, Depends(need(Right.ACT))]
    on_street = Annotated[Actor, Depends(need(Right.EVIDENCE))]

    @api.post(
        "/cases/{case_id}/photos",
        status_code=201,
        responses={415: ERRORS[413]},
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {kind: {"schema": {"type": "string"}} for kind in SHOWN},
            }
        },
    )
    async def add_photo(
        case_id: int,
        request: Request,
        actor: on_street,
        use: Use = Use.CLAIM,
        taken_at: AwareDatetime | None = None,
        lat: Lat = None,
        lon: Lon = None,
        acc_m: Annotated[float, Query(ge=0, le=100_000)] = 0.0,
    ) -> PhotoItem:
        """The file itself is the body. Times and places in the file count before those given."""
        if use is Use.CLAIM and not actor.may(Right.HANDLE):
            message = coded(
                "no_handler",
                "{who} ({role}) does not handle cases",
                who=actor.name,
                role=actor.role,
            )
            raise Problem(403, "forbidden", message, "use=visit")
        told = _told(taken_at, lat, lon, acc_m)
        await run_in_threadpool(_exists, store, case_id)
        await run_in_threadpool(_check_quota, store, desk(), actor)
        receiver = _Receiver(desk(), request)
        try:
            file = await receiver.receive()
            photo = await run_in_threadpool(
                desk().take, store, case_id, file, use=use, told=told, actor=actor
            )
        finally:
            receiver.clean()
        return await run_in_threadpool(one_photo, photo)

    def one_photo(photo: FixPhoto) -> PhotoItem:
        with store.read() as tx:
            return _photo_items(tx, desk(), [photo])[0]

    @api.get("/cases/{case_id}/proof")
    def proof(case_id: int, _actor: reader) -> ProofItem:
        with store.read() as tx:
            case = _case(tx, case_id)
            known = proof_store.checks_of(tx, [case_id])[case_id]
            photos = _photo_items(tx, desk(), proof_store.photos_of(tx, case_id))
            back = proof_store.rebounds_of(tx, [case_id])[case_id]
            proposal = _proposal(tx, case, known)
        rules = desk().config.proof
        return ProofItem(
            photos=photos,
            checks=[_check_item(check) for check in known],
            rebounds=[_rebound_item(each) for each in back],
            photo_needed=rules.photos == "required",
            check_needed=rules.check == "required",
            refuse=[Reason(each) for each in rules.refuse],
            proposal=proposal,
            watched_until=watch_of(desk().config).until(case),
        )

    @api.post("/cases/{case_id}/visits", status_code=201)
    def ask_to_visit(case_id: int, wanted: NewVisit, actor: worker) -> CheckItem:
        with store.write() as tx:
            case = _locked(tx, case_id)
            check, changes = checking.ask_to_visit(
                tx, case, wanted.assignee.strip(), actor=actor, at=now()
            )
            events.record(tx, changes, now())
        return _check_item(check)

    @api.post("/cases/{case_id}/checks/{check_id}/result")
    def visited(case_id: int, check_id: int, seen: VisitResult, actor: on_street) -> CheckItem:
        if seen.result is Result.CANNOT_TELL:
            raise Problem(
                422,
                "bad_result",
                coded("visit_answer", "a visit has an answer"),
                coded("present_or_gone", "present, gone"),
            )
        with store.write() as tx:
            case = _locked(tx, case_id)
            check = proof_store.lock_check(tx, check_id)
            if check is None or check.case_id != case_id:
                raise not_found("check", check_id)
            at = now()
            if not seen.photos:
                raise Problem(
                    422,
                    "photo_needed",
                    coded(
                        "visit_photo",
                        "check {check}: a photo of the visit is needed",
                        check=check_id,
                    ),
                    coded(
                        "visit_photos",
                        "photos: POST /api/cases/{case}/photos?use=visit",
                        case=case_id,
                    ),
                )
            photos = desk().claimed(tx, case, seen.photos, Use.VISIT, at)
            changes = checking.visited(
                tx, desk(), case, check,
                result=seen.result, photos=photos, note=seen.note.strip(), actor=actor, at=at,
            )  # fmt: skip
            events.record(tx, changes, at)
            (done,) = (
                each
                for each in proof_store.checks_of(tx, [case_id])[case_id]
                if each.id == check_id
            )
        return _check_item(done)

    @api.get("/visits")
    def visits(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        part: Annotated[Page, Depends(page)],
        assignee: Annotated[str | None, Query(max_length=100)] = None,
    ) -> Listing[VisitItem]:
        """Visits that are awaited, the oldest first."""
        with store.read() as tx:
            awaited = proof_store.awaited_visits(tx, visible(actor), assignee)
            shown = awaited[part.offset :][: part.limit]
            cases = case_store.load(tx, [check.case_id for check in shown])
        items = [_visit_item(check, cases[check.case_id]) for check in shown]
        return Listing(items=items, total=len(awaited))

    @api.get("/visit-table", response_class=Response, responses=FILES)
    def visit_table(
        actor: Annotated[Actor, Depends(need(Right.READ, Reach.POSTS))],
        form: AskedForm,
        assignee: Annotated[str | None, Query(max_length=100)] = None,
    ) -> Response:
        """The list as a table."""
        found = visits(actor, Page(limit=MOST, offset=0), assignee)
        with store.read() as tx:
            who = person_names.column(tx, found.items, "check.claimed_by")
        return sheet("visits", found.items, {**VISIT_COLUMNS, "claimed_by": who}, form)

    return api


class _Receiver:
    """Takes a body into memory, or a clip onto the disk; leaves nothing behind of half a file."""

    def __init__(self, desk: ProofDesk, request: Request) -> None:
        self._desk = desk
        self._request = request
        self._part: Path | None = None
        self._data = io.BytesIO()
        announced = request.headers.get("content-length", "")
        self._announced = int(announced) if announced.isdigit() else 0

    async def receive(self) -> Incoming:
        """The whole file.

        Raises Problem 413 as soon as it is known to be too large, 415 for another type.
        """
        self._bounded("video/mp4", self._announced)
        try:
            kind, size, sha256 = await self._take()
        except ClientDisconnect:
            raise Problem(
                400,
                "cut_off",
                coded("line_ended", "the connection ended"),
                coded("send_again", "send the file again"),
            ) from None
        except OSError as fault:
            if fault.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
                raise
            log.exception("A photo cannot be written")
            raise Problem(
                503,
                "no_space",
                coded("no_room_for_file", "the file cannot be kept"),
                TRY_AGAIN,
            ) from None
        if not kind:
            raise Problem(
                415,
                "wrong_type",
                coded("bytes_no_picture", "{size} bytes are no picture", size=size),
                ", ".join(SHOWN),
            )
        return Incoming(kind, sha256, size, self._data.getvalue(), self._part)

    async def _take(self) -> tuple[str, int, str]:
        kind, head, size, digest = "", b"", 0, hashlib.sha256()
        async for chunk in self._request.stream():
            size += len(chunk)
            digest.update(chunk)
            head += chunk if not kind else b""
            if not kind and len(head) < HEAD:
                continue
            if not kind:
                kind = _kind(head, self._request.headers.get("content-type", ""))
                self._bounded(kind, max(size, self._announced))
                await self._keep(kind, head)
                continue
            self._bounded(kind, size)
            await self._keep(kind, chunk)
        if self._part is not None:
            await run_in_threadpool(evidence_store.sync, self._part)
        return kind, size, digest.hexdigest()

    def clean(self) -> None:
        """Delete what was not kept."""
        if self._part is not None:
            self._part.unlink(missing_ok=True)

    def _bounded(self, kind: str, size: int) -> None:
        rules, is_photo = self._desk.config.proof, kind in IMAGE_TYPES
        most = int((rules.max_photo_mb if is_photo else rules.max_video_mb) * MB)
        if size > most:
            what = "a photo" if is_photo else "a clip"
            message = coded("what_large", "{what} may not be so large", what=what)
            raise Problem(
                413, "too_large", message, coded("bytes_at_most", "at most {most} bytes", most=most)
            )

    async def _keep(self, kind: str, chunk: bytes) -> None:
        if kind in IMAGE_TYPES:
            self._data.write(chunk)
        else:
            await run_in_threadpool(self._append, chunk)

    def _append(self, chunk: bytes) -> None:
        if self._part is None:
            self._part = self._desk.vault.incoming / f"{secrets.token_hex(8)}.tmp"
        with self._part.open("ab") as file:
            file.write(chunk)


def _kind(head: bytes, said: str) -> str:
    kind = type_of(head)
    announced = said.partition(";")[0].strip().lower()
    if kind is None or kind not in SHOWN:
        raise Problem(
            415,
            "wrong_type",
            coded("no_picture_or_clip", "the file is no picture or clip"),
            ", ".join(SHOWN),
        )
    if announced in SHOWN and announced != kind:
        raise Problem(
            415,
            "wrong_type",
            coded("other_type", "the file is {found}, not {said}", found=kind, said=announced),
            kind,
        )
    return kind


def _told(at: datetime | None, lat: float | None, lon: float | None, acc_m: float) -> Taken:
    place = place_of(lat, lon)
    return Taken(
        at,
        Source.DEVICE if at else Source.NONE,
        place,
        Source.DEVICE if place else Source.NONE,
        acc_m if place else 0.0,
    )


def _exists(store: Store, case_id: int) -> None:
    with store.read() as tx:
        case = _case(tx, case_id)
    if not case.is_open:
        raise Problem(
            409,
            "case_closed",
            case_is(case),
            coded("open_case", "an open case"),
        )


def _check_quota(store: Store, desk: ProofDesk, actor: Actor) -> None:
    with store.read() as tx:
        used = evidence_store.bytes_of_a_day(tx, f"{PERSON}{actor.name}"[:64], now())
    if used > desk.config.proof.max_mb_per_day * MB:
        message = coded(
            "sent_today", "{who} has sent {used} bytes in a day", who=actor.name, used=used
        )
        raise Problem(503, "daily_limit", message, coded("later_again", "try again later"))


def _case(tx: Connection, case_id: int) -> Case:
    case = case_store.load(tx, [case_id]).get(case_id)
    if case is None:
        raise not_found("case", case_id)
    return case


def _locked(tx: Connection, case_id: int) -> Case:
    case = case_store.lock(tx, case_id)
    if case is None:
        raise not_found("case", case_id)
    return case


def _proposal(tx: Connection, case: Case, known: Sequence[Check]) -> str:
    """What the newest checks propose: `close`, or nothing where it was told of again since."""
    if case.state not in checking.CHECKED_IN:
        return ""
    newest = checking.current(known)
    if any(check.is_awaited and check.is_forced for check in newest):
        return ""
    told = [check for check in newest if check.result in (Result.GONE, Result.PRESENT)]
    if not told or told[-1].result is not Result.GONE:
        return ""
    return "" if checking.come_since(tx, case, told[-1].checked_at) else "close"


def _photo_items(tx: Connection, desk: ProofDesk, photos: Sequence[FixPhoto]) -> list[PhotoItem]:
    named = case_store.numbers_of(tx, [p.copy_of_case for p in photos if p.copy_of_case])
    refuse = set(desk.config.proof.refuse)
    items = []
    for photo in photos:
        lat, lon = photo.taken.place or (None, None)
        items.append(
            PhotoItem(
                id=photo.id,
                use=photo.use,
                type=photo.type,
                url=evidence_url(photo.shown) if photo.shown else None,
                original=photo.sha256,
                by=photo.by,
                uploaded_at=photo.uploaded_at,
                used_at=photo.used_at,
                taken_at=photo.taken.at,
                taken_from=photo.taken.at_from,
                lat=lat,
                lon=lon,
                place_from=photo.taken.place_from,
                acc_m=photo.taken.acc_m,
                verdict=photo.verdict,
                reasons=list(photo.reasons),
                refused=[each for each in photo.reasons if each in refuse],
                copy_of=photo.copy_of,
                copy_of_case=photo.copy_of_case,
                copy_of_number=named.get(photo.copy_of_case or 0),
            )
        )
    return items


def _check_item(check: Check) -> CheckItem:
    return CheckItem(
        id=check.id,
        case=check.case_id,
        claimed_at=check.claimed_at,
        claimed_by=check.claimed_by,
        means=check.means,
        asked_at=check.asked_at,
        look=check.look,
        assignee=check.assignee,
        forced=check.is_forced,
        awaited=check.is_awaited,
        withdrawn=not check.is_awaited and check.result is None,
        result=check.result,
        reasons=list(check.reasons),
        checked_at=check.checked_at,
        checked_by=check.checked_by,
        photos=list(check.photos),
        note=check.note,
        false_rectification=check.is_false_rectification,
    )


def _rebound_item(back: Rebound) -> ReboundItem:
    return ReboundItem(
        closed_at=back.closed_at,
        reopened_at=back.reopened_at,
        cause_kind=back.cause_kind,
        cause=back.cause,
        distance_m=back.distance_m,
    )


def _visit_item(check: Check, case: Case) -> VisitItem:
    return VisitItem(
        check=_check_item(check),
        case=case.id,
        number=case.number,
        title=case.title,
        lat=case.lat,
        lon=case.lon,
    )
