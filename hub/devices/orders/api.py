"""Orders over HTTP."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Connection

from hub.auth import need
from hub.devices.orders.desk import OrderDesk
from hub.devices.orders.order import OPEN, Ops, Order, OrderState, Subject
from hub.devices.orders.store import load, orders, to_order
from hub.errors import not_found
from hub.exports import FILES, MOST, AskedForm, Several, Source, Word, sentence, sheet, worded
from hub.http import ERRORS, Body, CodedText, Listing, Page, Utc, coded_of, page
from hub.people import person_names
from hub.roles import Actor, Right
from hub.store import Store


class SubjectRef(BaseModel):
    """What an order is about, as `{"kind":"alert","id":"…"}`."""

    kind: str
    id: str


class OrderNews(BaseModel):
    """What open pages hear of an order: where it stands, not what is in it.

    `coded`: `why` with its code, where it has one.
    """

    id: str
    device: str
    op: str
    state: OrderState
    why: str
    coded: dict[str, CodedText] = {}
    about: SubjectRef | None


class OrderItem(OrderNews):
    """An order. `args` and `out` are null for those who may not give such an order."""

    by: str
    made_at: Utc
    valid_until: Utc
    sent_at: Utc | None
    answered_at: Utc | None
    args: dict[str, Any] | None
    out: dict[str, Any] | None


class NewOrder(Body):
    """What a device is to do: `op` one of the operations, `args` as that one takes them.

    `valid_s`: seconds after which the device does not begin any more.
    """

    op: Annotated[str, Field(min_length=1, max_length=64)]
    args: Annotated[dict[str, Any], Field(default_factory=dict)]
    valid_s: Annotated[int, Field(ge=5, le=86_400)] | None = None


class OpItem(BaseModel):
    """An operation: whether the caller may order it, and the schema of its arguments."""

    op: str
    right: Right
    allowed: bool
    valid_s: int
    args: dict[str, Any]


COLUMNS: Mapping[str, Source] = {
    "id": "id", "device": "device", "op": worded("op", "op"),
    "state": worded("state", "order"), "why": sentence("why"),
    "about": lambda order: _about(order.about), "by": "by", "made_at": "made_at",
    "valid_until": "valid_until", "sent_at": "sent_at", "answered_at": "answered_at",
}  # fmt: skip


def _about(thing: SubjectRef | None) -> Several | None:
    """What an order is about, in one cell."""
    if thing is None:
        return None
    return Several((Word(thing.kind, ("auditKind",)), thing.id), ":", kept=True)


def order_news(tx: Connection, ids: Sequence[str]) -> dict[str, OrderNews]:
    """What pages hear of these orders."""
    return {name: OrderNews(**_news(order)) for name, order in load(tx, ids).items()}


def router(store: Store, desk: OrderDesk) -> APIRouter:
    """Orders: given to a device, listed, looked at."""
    api = APIRouter(prefix="/api", tags=["orders"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ))]

    @api.get("/ops")
    def list_ops(actor: reader) -> Listing[OpItem]:
        items = [
            OpItem(
                op=name,
                right=op.right,
                allowed=actor.may(op.right),
                valid_s=op.valid_s,
                args=op.args.model_json_schema(),
            )
            for name, op in sorted(desk.ops.items())
        ]
        return Listing(items=items, total=len(items))

    @api.post("/devices/{device}/orders", status_code=201)
    def give(
        device: str, wanted: NewOrder, actor: Annotated[Actor, Depends(need(Right.ACT))]
    ) -> OrderItem:
        order = desk.give(device, wanted.op, wanted.args, actor, valid_s=wanted.valid_s)
        return item(order, desk.ops, actor)

    @api.get("/orders")
    def list_orders(
        actor: reader,
        part: Annotated[Page, Depends(page)],
        which: Annotated[list[ColumnElement[bool]], Depends(_filters)],
    ) -> Listing[OrderItem]:
        found = select(orders).where(*which)
        with store.read() as tx:
            total = tx.execute(select(func.count()).select_from(orders).where(*which)).scalar_one()
            newest = found.order_by(orders.c.made_at.desc(), orders.c.id.desc())
            rows = tx.execute(newest.limit(part.limit).offset(part.offset)).all()
        items = [item(to_order(row), desk.ops, actor) for row in rows]
        return Listing(items=items, total=total)

    @api.get("/order-table", response_class=Response, responses=FILES)
    def order_table(
        actor: reader,
        which: Annotated[list[ColumnElement[bool]], Depends(_filters)],
        form: AskedForm,
    ) -> Response:
        """The list as a table, the newest first; what is in an order is not in it."""
        found = list_orders(actor, Page(limit=MOST, offset=0), which)
        with store.read() as tx:
            who = person_names.column(tx, found.items, "by")
        return sheet("orders", found.items, {**COLUMNS, "by": who}, form)

    @api.get("/orders/{order}")
    def one(order: str, actor: reader) -> OrderItem:
        with store.read() as tx:
            found = load(tx, [order]).get(order)
        if found is None:
            raise not_found("order", order)
        return item(found, desk.ops, actor)

    return api


def item(order: Order, ops: Ops, actor: Actor) -> OrderItem:
    """An order as the actor may see it: what is in it only where he might give it himself."""
    known = ops.get(order.op)
    may = actor.may(known.right if known is not None else Right.ADMIN)
    return OrderItem(
        **_news(order),
        by=order.by,
        made_at=order.made_at,
        valid_until=order.exp_at,
        sent_at=order.sent_at,
        answered_at=order.answered_at,
        args=order.args if may else None,
        out=order.out if may else None,
    )


def _news(order: Order) -> dict[str, Any]:
    subject = order.subject
    about = SubjectRef(kind=subject.kind, id=subject.id) if subject != Subject() else None
    return {
        "id": order.id,
        "device": order.device,
        "op": order.op,
        "state": order.state,
        "why": order.why,
        "coded": coded_of({"why": order.why}),
        "about": about,
    }


def _filters(
    device: str | None = None,
    state: OrderState | None = None,
    op: str | None = None,
    about: str | None = None,
    is_open: Annotated[bool | None, Query(alias="open")] = None,
) -> list[ColumnElement[bool]]:
    which: list[ColumnElement[bool]] = []
    if device is not None:
        which.append(orders.c.device == device)
    if state is not None:
        which.append(orders.c.state == state)
    if op is not None:
        which.append(orders.c.op == op)
    if about is not None:
        kind, _, name = about.partition(":")
        which += [orders.c.subject_kind == kind, orders.c.subject == name]
    if is_open is not None:
        among = orders.c.state.in_(OPEN)
        which.append(among if is_open else ~among)
    return which
