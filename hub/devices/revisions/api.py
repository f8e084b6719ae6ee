"""Revisions over HTTP: a camera's settings checked, saved, followed, taken back."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from hub import audit, events
from hub.auth import need
from hub.devices import store as device_store
from hub.devices.revisions import store as revision_store
from hub.devices.revisions.revision import (
    BadSettings,
    Doc,
    Revision,
    RevisionState,
    differences,
    faults_in,
    faults_of,
    with_camera,
)
from hub.devices.revisions.site_calendar import site_calendar
from hub.devices.revisions.store import revisions, to_revision
from hub.devices.store import cameras, devices
from hub.errors import LOOK_AGAIN, Problem, not_found
from hub.events import Change
from hub.http import ERRORS, Body, CodedText, Listing, Page, Utc, coded_of, page
from hub.roles import Actor, Right
from hub.store import Store, now
from wire.codec import MAX_BYTES, encode
from wire.coded import coded


class RevisionNews(BaseModel):
    """Where a device's configuration stands: `wanted` here, `reported` by the device (0 = file).

    `coded`: those of the faults that have a code, by their place from 0.
    """

    device: str
    wanted: int | None
    reported: int | None
    state: RevisionState | None
    sent: bool
    faults: list[str]
    coded: dict[str, CodedText] = {}


class DifferenceItem(BaseModel):
    """A setting that differs; null = not there. `where` as `gate.zones.market.dwell_s`."""

    where: str
    before: Any
    after: Any


class RevisionItem(BaseModel):
    """A revision: who, when, why, what it changes against the one before, what became of it.

    `coded`: those of the faults that have a code, by their place from 0.
    """

    device: str
    rev: int
    at: Utc
    by: str
    note: str
    state: RevisionState
    sent_at: Utc | None
    answered_at: Utc | None
    faults: list[str]
    coded: dict[str, CodedText] = {}
    changes: list[DifferenceItem]


class CameraSettingsItem(BaseModel):
    """A camera's settings.

    `in_force`: as its device said last (null: it never did). `wanted`: as the newest revision has
    them, where that is not in force. `latest`: the number of the newest revision, to be sent along
    with a change. `calendar`: the city's, which goes with every revision.
    """

    in_force: dict[str, Any] | None
    wanted: dict[str, Any] | None
    calendar: dict[str, Any]
    latest: int
    news: RevisionNews


class NewSettings(Body):
    """A camera's settings, to be run with from now on. `seen`: `latest` when they were read."""

    settings: dict[str, Any]
    seen: Annotated[int, Field(ge=0)]
    note: Annotated[str, Field(max_length=1000)] = ""


class Draft(Body):
    """Settings to be checked, not saved."""

    settings: dict[str, Any]


class Faults(BaseModel):
    """Everything wrong with a draft, in the words the device would use; empty = nothing.

    `coded`: those of the faults that have a code, by their place from 0.
    """

    faults: list[str]
    coded: dict[str, CodedText] = {}


def revision_news(tx: Connection, ids: Sequence[str]) -> dict[str, RevisionNews]:
    """Where devices' configurations stand."""
    wanted = revision_store.latest_of(tx, ids)
    reported = revision_store.reported_of(tx, ids)
    return {name: _news(name, wanted.get(name), reported.get(name)) for name in ids}


def router(store: Store, wake: Callable[[], None]) -> APIRouter:
    """Settings of cameras and revisions of devices. `wake` tells the courier of a new one."""
    api = APIRouter(prefix="/api", tags=["revisions"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ))]
    setter = Annotated[Actor, Depends(need(Right.CONFIGURE))]

    @api.get("/cameras/{device}/{camera}/settings")
    def settings_of(device: str, camera: str, _actor: reader) -> CameraSettingsItem:
        with store.read() as tx:
            return _camera_item(tx, device, camera)

    @api.post("/cameras/{device}/{camera}/settings/check")
    def check(device: str, camera: str, draft: Draft, _actor: reader) -> Faults:
        with store.read() as tx:
            item = _camera_item(tx, device, camera)
        found = faults_of(draft.settings, item.calendar)
        return Faults(faults=found, coded=_coded(found))

    @api.put("/cameras/{device}/{camera}/settings", status_code=201)
    def save(device: str, camera: str, wanted: NewSettings, actor: setter) -> RevisionItem:
        with store.write() as tx:
            item = _camera_item(tx, device, camera)
            if faults := faults_of(wanted.settings, item.calendar):
                raise BadSettings(faults)
            doc = with_camera(revision_store.taken_doc(tx, device), camera, wanted.settings)
            made = _add(tx, device, doc, actor, wanted.note, wanted.seen)
        wake()
        return made

    @api.get("/revisions")
    def every_device(_actor: reader, part: Annotated[Page, Depends(page)]) -> Listing[RevisionNews]:
        """Where the configuration of each device stands."""
        shown = select(devices.c.id).order_by(devices.c.id).limit(part.limit).offset(part.offset)
        with store.read() as tx:
            total = tx.execute(select(func.count()).select_from(devices)).scalar_one()
            news = revision_news(tx, tx.execute(shown).scalars().all())
        return Listing(items=list(news.values()), total=total)

    @api.get("/devices/{device}/revisions")
    def list_revisions(
        device: str, _actor: reader, part: Annotated[Page, Depends(page)]
    ) -> Listing[RevisionItem]:
        mine = revisions.c.device == device
        newest = select(revisions).where(mine).order_by(revisions.c.rev.desc())
        with store.read() as tx:
            total = tx.execute(select(func.count()).select_from(revisions).where(mine)).scalar_one()
            shown = newest.limit(part.limit + 1).offset(part.offset)
            found = [to_revision(row) for row in tx.execute(shown)]
        before: list[Doc] = [*(each.doc for each in found[1:]), {}]
        items = [_item(each, old) for each, old in zip(found, before, strict=False)]
        return Listing(items=items[: part.limit], total=total)

    @api.post("/devices/{device}/revisions/{rev}/restore", status_code=201)
    def restore(device: str, rev: int, actor: setter) -> RevisionItem:
        with store.write() as tx:
            old = revision_store.load(tx, device, rev)
            if old is None:
                raise not_found("revision", f"{device} {rev}")
            newest = revision_store.latest(tx, device)
            made = _add(tx, device, old.doc, actor, f"↩ {rev}", newest.rev if newest else 0)
        wake()
        return made

    return api


def _add(tx: Connection, device: str, doc: Doc, actor: Actor, note: str, seen: int) -> RevisionItem:
    if device not in device_store.known(tx, [device]):
        raise not_found("device", device)
    before = revision_store.latest(tx, device)
    if (before.rev if before else 0) != seen:
        raise Problem(
            409,
            "stale",
            coded(
                "settings_newer",
                "device {device}: revision {rev} was made since {seen}",
                device=device,
                rev=before.rev if before else 0,
                seen=seen,
            ),
            LOOK_AGAIN,
        )
    if faults := faults_in(doc):
        raise BadSettings(faults)
    at = now()
    doc = {**doc, "calendar": site_calendar(tx, at.year)}
    made = revision_store.add(tx, device, doc, by=actor.name, note=note.strip(), at=at)
    size, most = len(encode(revision_store.push_of(made))), MAX_BYTES["config"]
    if size > most:
        raise BadSettings(
            [
                coded(
                    "large_settings",
                    "all settings of {device} together: {size} bytes, at most {most} can be sent",
                    device=device,
                    size=size,
                    most=most,
                )
            ]
        )
    entry = audit.Entry(
        at, actor.name, actor.role, "device", device, "configure", to_state=str(made.rev), note=note
    )
    audit.append(tx, [entry])
    events.record(tx, [Change("revision", device)], at)
    return _item(made, before.doc if before else {})


def _coded(faults: Sequence[str]) -> dict[str, CodedText]:
    return coded_of({str(place): fault for place, fault in enumerate(faults)})


def _camera_item(tx: Connection, device: str, camera: str) -> CameraSettingsItem:
    name = f"{device}/{camera}"
    if tx.execute(select(cameras.c.id).where(cameras.c.id == name)).first() is None:
        raise not_found("camera", name)
    report = revision_store.reports(tx, [name]).get(name)
    latest = revision_store.latest(tx, device)
    doc = latest.doc if latest else {}
    wanted = doc.get("cameras", {}).get(camera)
    in_force = report.doc if report else None
    is_open = latest is not None and latest.state is not RevisionState.APPLIED
    return CameraSettingsItem(
        in_force=in_force,
        wanted=wanted if is_open or in_force is None else None,
        calendar=site_calendar(tx, now().year),
        latest=latest.rev if latest else 0,
        news=revision_news(tx, [device])[device],
    )


def _news(device: str, wanted: Revision | None, reported: int | None) -> RevisionNews:
    return RevisionNews(
        device=device,
        wanted=wanted.rev if wanted else None,
        reported=reported,
        state=wanted.state if wanted else None,
        sent=wanted is not None and wanted.sent_at is not None,
        faults=list(wanted.faults) if wanted else [],
        coded=_coded(wanted.faults if wanted else ()),
    )


def _item(revision: Revision, before: Doc) -> RevisionItem:
    return RevisionItem(
        device=revision.device,
        rev=revision.rev,
        at=revision.at,
        by=revision.by,
        note=revision.note,
        state=revision.state,
        sent_at=revision.sent_at,
        answered_at=revision.answered_at,
        faults=list(revision.faults),
        coded=_coded(revision.faults),
        changes=[DifferenceItem(**vars(each)) for each in differences(before, revision.doc)],
    )
