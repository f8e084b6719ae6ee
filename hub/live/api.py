"""Live view over HTTP: asked for by a page, brought by a device, handed on as it comes."""

import hashlib
import hmac
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.engine import Connection
from starlette.concurrency import run_in_threadpool

from hub import audit
from hub.auth import need
from hub.config import HubConfig
from hub.devices.orders import store as order_store
from hub.devices.orders.desk import place
from hub.devices.orders.order import Op, Order, OrderState, Subject
from hub.devices.store import cameras, devices
from hub.errors import Problem, not_found
from hub.evidence.file import BadSignature, check_picture
from hub.http import ERRORS, CodedText, Utc, coded_of, iso
from hub.live.view import Shot, View, Views
from hub.roles import Actor, Right
from hub.store import Store, from_ms, now, to_ms
from wire.coded import coded
from wire.looks import WatchArgs
from wire.media import type_of
from wire.status import CameraState

OP = "camera.watch"
OPS = {OP: Op(Right.ACT, WatchArgs, 20)}
"""Not among what anybody may order: the address that pictures go to is the hub's alone to give."""
MARGIN = 0.3
"""Of an order's time: with less left, who asks gets the next order."""
ADDRESS_S = 60
"""An address holds so much longer than its order, which may begin late."""
WAIT_S = 10.0
MOST_BYTES = 500_000
MOST_PIXELS = 8_000_000
KB = 1000

Name = Annotated[str, Path(max_length=64)]


class LiveItem(BaseModel):
    """A live view: where its order stands, until when it lasts, how many look."""

    camera: str
    order: str
    state: OrderState
    why: str
    coded: dict[str, CodedText] = {}
    until: Utc
    per_s: float
    lookers: int


def router(store: Store, config: HubConfig, key: bytes, wake: Callable[[], None]) -> APIRouter:
    """Live views of this process. `key` signs addresses; `wake` tells the courier of an order."""
    api = APIRouter(tags=["live"], responses=ERRORS)
    views = Views()
    looker = Annotated[Actor, Depends(need(Right.ACT))]

    def give(camera: str, view: View, actor: Actor, *, has_come: bool) -> Order:
        device, _, name = camera.partition("/")
        left_s = view.until_s - views.clock_s()
        with store.write() as tx:
            _check(tx, device, camera)
            if has_come:
                act = audit.Entry(now(), actor.name, actor.role, "camera", camera, "watch_live")
                audit.append(tx, [act])
            known = order_store.load(tx, [view.order]).get(view.order)
            if known is not None and known.is_open and left_s > MARGIN * config.live.seconds:
                return known
            exp = to_ms(now() + timedelta(seconds=config.live.seconds + ADDRESS_S))
            args = {
                "camera": name,
                "url": config.base_url + _signed(key, camera, exp),
                "seconds": config.live.seconds,
                "per_s": config.live.per_s,
                "longest": config.live.longest,
                "most_bytes": config.live.most_kb * KB,
            }
            subject = Subject("live", camera)
            order = place(tx, OPS, device, OP, args, actor=actor, subject=subject)
        view.order = order.id
        view.until_s = views.clock_s() + config.live.seconds
        wake()
        return order

    @api.post("/api/cameras/{device}/{camera}/live")
    async def watch(device: Name, camera: Name, actor: looker) -> LiveItem:
        """Begin to look, or go on; ask again while the view is open."""
        name = f"{device}/{camera}"
        view, has_come = views.look(name, actor.name)
        try:
            async with view.ordering:
                order = await run_in_threadpool(give, name, view, actor, has_come=has_come)
        except Problem:
            if has_come:  # he does not look, and is written down when he does
                view.lookers.pop(actor.name, None)
            raise
        return LiveItem(
            camera=name,
            order=order.id,
            state=order.state,
            why=order.why,
            coded=coded_of({"why": order.why}),
            until=now() + timedelta(seconds=max(0.0, view.until_s - views.clock_s())),
            per_s=config.live.per_s,
            lookers=len(view.lookers),
        )

    @api.get(
        "/api/cameras/{device}/{camera}/live",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}}, 204: {"description": "none has come"}},
    )
    async def picture(
        request: Request,
        device: Name,
        camera: Name,
        actor: looker,
        after: Annotated[int, Query(ge=0)] = 0,
    ) -> Response:
        """The newest picture after number `after`, waited for up to ten seconds."""
        name = f"{device}/{camera}"
        view = views.goes_on(name, actor.name)
        if view is None:
            message = f"{actor.name} does not look at {name}"
            raise Problem(409, "not_watching", message, "POST the same address first")
        shot = await views.newer(view, after, WAIT_S)
        if not await request.is_disconnected():
            views.goes_on(name, actor.name)
        return Response(status_code=204) if shot is None else _shown(shot)

    @api.put(
        "/live/{device}/{camera}",
        status_code=204,
        responses={410: ERRORS[413], 415: ERRORS[413]},
    )
    async def take(
        request: Request,
        device: Name,
        camera: Name,
        exp: int,
        sig: Annotated[str, Query(max_length=64)],
    ) -> None:
        """A picture from the device. 410 says that nobody looks any more."""
        name = f"{device}/{camera}"
        if not hmac.compare_digest(_signature(key, name, exp).encode(), sig.encode()):
            raise BadSignature("the signature does not belong to this address")
        if exp < to_ms(now()):
            raise BadSignature("the address has run out")
        data = await _body(request)
        if type_of(data[:12]) != "image/jpeg":
            raise Problem(415, "wrong_type", "the picture is no image/jpeg", "image/jpeg")
        await run_in_threadpool(check_picture, io.BytesIO(data), MOST_PIXELS)
        taken_ms = request.headers.get("x-taken-ms", "")
        taken_at = from_ms(int(taken_ms)) if taken_ms.isdigit() and len(taken_ms) < 14 else now()
        sight = request.headers.get("x-sight", "")
        known = sight if sight in set(CameraState) else str(CameraState.OK)
        if not views.show(name, taken_at, known, data):
            raise Problem(410, "nobody", f"nobody looks at {name}", "send no more")

    return api


def _check(tx: Connection, device: str, camera: str) -> None:
    found = select(devices.c.online).join(cameras, cameras.c.device == devices.c.id)
    row = tx.execute(found.where(cameras.c.id == camera, cameras.c.retired_at.is_(None))).first()
    if row is None:
        raise not_found("camera", camera)
    if not row.online:
        raise Problem(
            409,
            "offline",
            coded("not_connected", "device {device} is not connected", device=device),
            coded("when_back", "when it is back"),
        )


async def _body(request: Request) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MOST_BYTES:
            raise Problem(413, "too_large", "more bytes than a live picture has", f"{MOST_BYTES}")
    return bytes(data)


def _shown(shot: Shot) -> Response:
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Number": str(shot.number),
        "X-Taken-At": iso(shot.taken_at),
        "X-Sight": shot.sight,
    }
    return Response(shot.jpeg, media_type="image/jpeg", headers=headers)


def _signed(key: bytes, camera: str, exp: int) -> str:
    query = urlencode({"exp": exp, "sig": _signature(key, camera, exp)})
    return f"/live/{quote(camera)}?{query}"


def _signature(key: bytes, camera: str, exp: int) -> str:
    return hmac.new(key, f"LIVE\n{camera}\n{exp}".encode(), hashlib.sha256).hexdigest()
