"""Orders in the database, and which of them are to be sent now."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    String,
    Table,
    Text,
    and_,
    bindparam,
    case,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.courier import Letter, Source
from hub.devices.orders.order import (
    OPEN,
    UNBEGUN,
    Order,
    OrderState,
    Subject,
    answered,
)
from hub.devices.store import devices
from hub.events import Change
from hub.inbox import Received
from hub.store import Instant, Sentence, metadata, to_ms
from wire.codec import encode
from wire.coded import coded, with_code
from wire.command import Command, Reply

AGAIN = timedelta(seconds=20)
"""How long an answer is waited for before an order is sent again; the device does it once."""
PATIENCE = timedelta(seconds=30)
"""After an order's time: how long a device may still say that it began in time."""
REMEMBERED = timedelta(hours=23)
"""A device keeps its answers for a day: after that asking again would tell nothing."""
AT_ONCE = 200

orders = Table(
    "orders",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("device", String(64), nullable=False),
    Column("op", String(64), nullable=False),
    Column("args", Text, nullable=False),
    Column("by", String(100), nullable=False),
    Column("subject_kind", String(16), nullable=False),
    Column("subject", String(140), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("exp_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("sent_at", Instant),
    Column("answered_at", Instant),
    Column("why", Sentence, nullable=False),
    Column("out", Text, nullable=False),
    Index("ix_orders_device", "device", "made_at"),
    Index("ix_orders_state", "state", "made_at"),
    Index("ix_orders_subject", "subject_kind", "subject", "made_at"),
)


def new_id(at: datetime) -> str:
    """An id that sorts by time and cannot be guessed."""
    return f"{to_ms(at):011x}{secrets.token_hex(8)}"


def add(tx: Connection, order: Order) -> None:
    """Store a new order; the courier finds it."""
    values = vars(order) | {
        "args": json.dumps(order.args, ensure_ascii=False),
        "out": json.dumps(order.out, ensure_ascii=False),
        "subject_kind": order.subject.kind,
        "subject": order.subject.id,
    }
    tx.execute(orders.insert().values(values))


def load(tx: Connection, ids: Sequence[str]) -> dict[str, Order]:
    """Orders by id, the newest first."""
    found = select(orders).where(orders.c.id.in_(ids)).order_by(orders.c.made_at.desc())
    return {row.id: to_order(row) for row in tx.execute(found)}


def of_subject(tx: Connection, subject: Subject, most: int | None = 100) -> list[Order]:
    """The orders given for a thing, the newest first; `most` None is all."""
    about = (orders.c.subject_kind == subject.kind) & (orders.c.subject == subject.id)
    found = select(orders).where(about).order_by(orders.c.made_at.desc()).limit(most)
    return [to_order(row) for row in tx.execute(found)]


def take_reply(tx: Connection, received: Received[Reply]) -> tuple[Order, list[Change]] | None:
    """What a device says of an order; None when that is nothing new or none of its orders."""
    reply = received.message
    order = load(tx, [reply.id]).get(reply.id)
    if order is None or order.device != received.dev:
        return None
    state = answered(order.state, reply.st)
    if state is None:
        return None
    why = with_code(reply.why, reply.said)
    order = replace(order, state=state, answered_at=received.received_at, why=why, out=reply.out)
    tx.execute(
        update(orders)
        .where(orders.c.id == order.id)
        .values(
            state=state.value,
            answered_at=order.answered_at,
            why=order.why,
            out=json.dumps(order.out, ensure_ascii=False),
        )
    )
    return order, [Change("order", order.id)]


def due(tx: Connection, at: datetime) -> list[Letter]:
    """Open orders of devices that are there, not sent yet or unanswered for long, oldest first.

    One that its device has accepted is asked about until the last word has come.
    """
    never = orders.c.sent_at.is_(None) | (orders.c.sent_at < devices.c.state_since)
    begun = orders.c.state == OrderState.ACCEPTED.value
    wanted = or_(
        and_(orders.c.state.in_(UNBEGUN), orders.c.exp_at > at),
        and_(begun, orders.c.made_at > at - REMEMBERED),
    )
    found = (
        select(orders, devices.c.session)
        .join(devices, devices.c.id == orders.c.device)
        .where(devices.c.online, wanted, never | (orders.c.sent_at < at - AGAIN))
        .order_by(orders.c.made_at)
        .limit(AT_ONCE)
    )
    return [_letter(to_order(row), row.session, at) for row in tx.execute(found)]


def note_sent(tx: Connection, ids: Sequence[str], at: datetime) -> list[Change]:
    """The broker has these orders."""
    queued = OrderState.QUEUED.value
    sent = case((orders.c.state == queued, OrderState.SENT.value), else_=orders.c.state)
    key = orders.c.id == bindparam("key")
    tx.execute(
        update(orders).where(key).values(sent_at=at, state=sent), [{"key": name} for name in ids]
    )
    return [Change("order", name) for name in ids]


NOT_THERE = coded("not_there", "the device was not there")
NO_ANSWER = coded("not_answered", "the device has not answered")
SOURCE = Source(due, note_sent)


def expire(tx: Connection, at: datetime) -> list[Change]:
    """Orders that no device has answered in time."""
    late = or_(
        and_(orders.c.state.in_(UNBEGUN), orders.c.exp_at < at - PATIENCE),
        and_(orders.c.state == OrderState.ACCEPTED.value, orders.c.made_at < at - REMEMBERED),
    )
    rows = tx.execute(select(orders.c.id, orders.c.sent_at).where(late)).all()
    for row in rows:
        why = NOT_THERE if row.sent_at is None else NO_ANSWER
        tx.execute(
            update(orders)
            .where(orders.c.id == row.id)
            .values(state=OrderState.EXPIRED.value, why=why, answered_at=at)
        )
    return [Change("order", row.id) for row in rows]


def forget_old(tx: Connection, before: datetime) -> None:
    """Drop orders made before a time, but those that tell of an alert or a case."""
    over = orders.c.state.not_in(OPEN) & orders.c.subject_kind.not_in(("alert", "case"))
    tx.execute(delete(orders).where(over, orders.c.made_at < before))


def to_order(row: Row[Any]) -> Order:
    """A row as a value."""
    return Order(
        id=row.id,
        device=row.device,
        op=row.op,
        args=json.loads(row.args),
        by=row.by,
        made_at=row.made_at,
        exp_at=row.exp_at,
        subject=Subject(row.subject_kind, row.subject),
        state=OrderState(row.state),
        sent_at=row.sent_at,
        answered_at=row.answered_at,
        why=row.why,
        out=json.loads(row.out),
    )


def _letter(order: Order, session: int, at: datetime) -> Letter:
    left = max(timedelta(0), order.exp_at - at)
    command = Command(
        dev=order.device,
        id=order.id,
        op=order.op,
        args=order.args,
        exp=to_ms(order.exp_at),
        by=order.by,
        session=session if session >= 0 else None,
        left_ms=left // timedelta(milliseconds=1),
    )
    return Letter(order.id, order.device, "cmd", encode(command))
