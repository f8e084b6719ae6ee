"""Orders to a vehicle's terminal over HTTP: those of its device, with the vehicle filled in."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Connection

from hub.auth import need
from hub.devices.orders.api import OpItem, OrderItem, item
from hub.devices.orders.desk import OrderDesk
from hub.devices.orders.store import orders, to_order
from hub.devices.store import devices
from hub.errors import Problem, not_found
from hub.evidence.items import EvidenceItem, evidence_item
from hub.evidence.order_key import key_of
from hub.evidence.refs import pictures_of
from hub.grid.errors import GridError
from hub.http import ERRORS, Body, Listing, Page, page
from hub.roles import Actor, Right
from hub.store import Store
from hub.tracks import fence_store
from hub.tracks.store import vehicles
from hub.tracks.terminal_fence import fence_id, shape_name, terminal_fence
from hub.tracks.vehicle_ops import PREFIX
from wire.coded import coded, words_of

SET_FENCE, DELETE_FENCES = "terminal.set_fence", "terminal.delete_fences"
FENCE_OPS = (SET_FENCE, DELETE_FENCES)
GATEWAY = "gateway"
"""What a device calls its server of terminals among its receivers."""


class VehicleOrderItem(OrderItem):
    """An order to a vehicle. `evidence`: the photographs that it asked for, as they come."""

    evidence: list[EvidenceItem]


class VehicleOrder(Body):
    """What a vehicle's terminal is to do: `op` one of the vehicle's operations.

    A fence of the hub is named by `code` in `args` of `set_fence` and `delete_fences`.

    `valid_s`: seconds after which the terminal is not asked any more.
    """

    op: Annotated[str, Field(min_length=1, max_length=64)]
    args: Annotated[dict[str, Any], Field(default_factory=dict)]
    valid_s: Annotated[int, Field(ge=5, le=86_400)] | None = None


def router(store: Store, desk: OrderDesk) -> APIRouter:
    """Orders to vehicles: what may be ordered, giving one, what became of them."""
    api = APIRouter(prefix="/api", tags=["vehicles"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ))]

    @api.get("/vehicles/{vehicle:path}/ops")
    def list_ops(vehicle: str, actor: reader) -> Listing[OpItem]:
        with store.read() as tx:
            device, _ = _speaker(tx, vehicle)
            has_terminal = _may_have_terminal(tx, device)
        items = [
            OpItem(
                op=name.removeprefix(PREFIX),
                right=op.right,
                allowed=actor.may(op.right),
                valid_s=op.valid_s,
                args=op.args.model_json_schema(),
            )
            for name, op in sorted(desk.ops.items())
            if name.startswith(PREFIX) and has_terminal
        ]
        return Listing(items=items, total=len(items))

    @api.post("/vehicles/{vehicle:path}/orders", status_code=201)
    def give(
        vehicle: str, wanted: VehicleOrder, actor: Annotated[Actor, Depends(need(Right.ACT))]
    ) -> OrderItem:
        op = PREFIX + wanted.op.removeprefix(PREFIX)
        with store.read() as tx:
            device, name = _speaker(tx, vehicle)
            has_terminal = _may_have_terminal(tx, device)
            given = _spelled_out(tx, op, wanted.args)
        if not has_terminal:
            raise Problem(
                409,
                "no_terminal",
                coded(
                    "no_gateway",
                    "{vehicle}: device {device} has no gateway",
                    vehicle=vehicle,
                    device=device,
                ),
                coded("a_terminal", "a JT/T 808 terminal"),
            )
        order = desk.give(device, op, {**given, "vehicle": name}, actor, valid_s=wanted.valid_s)
        return item(order, desk.ops, actor)

    @api.get("/vehicles/{vehicle:path}/orders")
    def list_orders(
        vehicle: str, actor: reader, part: Annotated[Page, Depends(page)]
    ) -> Listing[VehicleOrderItem]:
        here: tuple[ColumnElement[bool], ...] = (
            orders.c.subject_kind == "vehicle",
            orders.c.subject == vehicle,
        )
        newest = select(orders).where(*here).order_by(orders.c.made_at.desc(), orders.c.id.desc())
        with store.read() as tx:
            _speaker(tx, vehicle)
            total = tx.execute(select(func.count()).select_from(orders).where(*here)).scalar_one()
            rows = tx.execute(newest.limit(part.limit).offset(part.offset)).all()
            given = [to_order(row) for row in rows]
            shown = pictures_of(tx, [key_of(order.id) for order in given], with_sealed=True)
        items = [
            VehicleOrderItem(
                **item(order, desk.ops, actor).model_dump(),
                evidence=[evidence_item(p) for p in shown[key_of(order.id)] if not p.sealed],
            )
            for order in given
        ]
        return Listing(items=items, total=total)

    return api


def _speaker(tx: Connection, vehicle: str) -> tuple[str, str]:
    """The device that speaks for a vehicle, and what it calls it. Raises Problem 404."""
    found = select(vehicles.c.device, vehicles.c.vehicle).where(vehicles.c.id == vehicle)
    row = tx.execute(found).first()
    if row is None:
        raise not_found("vehicle", vehicle)
    return row.device, row.vehicle


def _spelled_out(tx: Connection, op: str, args: dict[str, Any]) -> dict[str, Any]:
    """The arguments with one of the hub's fences, named by its `code`, as a terminal takes it.

    Raises Problem: no such fence, or one that a terminal cannot hold.
    """
    if op not in FENCE_OPS or "code" not in args:
        return args
    others = {name: value for name, value in args.items() if name != "code"}
    code = str(args["code"])
    found = fence_store.one(tx, code) or next(iter(fence_store.history(tx, code)), None)
    if found is None or (op == SET_FENCE and found.until is not None):
        raise not_found("fence", code)
    try:
        if op == SET_FENCE:
            return {**others, "fence": terminal_fence(found.fence)}
        return {**others, "shape": shape_name(found.fence), "ids": [fence_id(code)]}
    except GridError as fault:
        allowed = coded(
            "terminal_fences", "a circle, a polygon of one part without holes, a corridor"
        )
        raise Problem(422, "unfit_fence", words_of(fault), allowed) from None


def _may_have_terminal(tx: Connection, device: str) -> bool:
    """Whether the device has a gateway; a device that has not said how it is may have one."""
    text = tx.execute(select(devices.c.health).where(devices.c.id == device)).scalar()
    receivers = json.loads(text or "{}").get("receivers")
    return receivers is None or any(each.get("id") == GATEWAY for each in receivers)
