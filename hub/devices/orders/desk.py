"""Where orders are given: checked, stored with their audit entry, and left to the courier."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.engine import Connection

from hub import audit, events
from hub.devices import store as device_store
from hub.devices.orders import store as order_store
from hub.devices.orders.order import Op, Ops, Order, Subject, checked
from hub.errors import Problem, not_found
from hub.events import Change
from hub.roles import Actor
from hub.store import Store, now
from wire.codec import MAX_BYTES_OTHER
from wire.coded import coded

LONGEST_ARGS = MAX_BYTES_OTHER - 1000


class OrderDesk:
    """Takes orders from people and programs. `ops` is every operation there is."""

    def __init__(self, store: Store, ops: Ops, wake: Callable[[], None] = lambda: None) -> None:
        """`wake` tells the courier that something is to be sent."""
        self.ops = ops
        self._store = store
        self._wake = wake

    def give(
        self,
        device: str,
        op: str,
        args: Mapping[str, Any],
        actor: Actor,
        *,
        valid_s: int | None = None,
        subject: Subject | None = None,
    ) -> Order:
        """Give an order: it is stored when this returns, and sent then.

        Raises Problem: no such device or operation, not allowed, arguments that do not fit.
        """
        with self._store.write() as tx:
            order = self.place(tx, device, op, args, actor, valid_s=valid_s, subject=subject)
        self._wake()
        return order

    def place(
        self,
        tx: Connection,
        device: str,
        op: str,
        args: Mapping[str, Any],
        actor: Actor,
        *,
        valid_s: int | None = None,
        subject: Subject | None = None,
    ) -> Order:
        """The same in the caller's transaction; the courier finds it within a second."""
        return place(tx, self.ops, device, op, args, actor=actor, valid_s=valid_s, subject=subject)


def place(
    tx: Connection,
    ops: Ops,
    device: str,
    op: str,
    args: Mapping[str, Any],
    *,
    actor: Actor,
    valid_s: int | None = None,
    subject: Subject | None = None,
) -> Order:
    """Give an order in the caller's transaction.

    Raises Problem: no such device or operation, not allowed, arguments that do not fit.
    """
    if device not in device_store.known(tx, [device]):
        raise not_found("device", device)
    given = checked(ops, op, args, actor)
    kind = ops[op]
    at = now()
    order = Order(
        id=order_store.new_id(at),
        device=device,
        op=op,
        args=given,
        by=actor.name,
        made_at=at,
        exp_at=at + timedelta(seconds=valid_s or kind.valid_s),
        subject=subject or _subject(kind, device, given),
    )
    if len(repr(given)) > LONGEST_ARGS:
        raise Problem(
            422,
            "too_long",
            coded("long_order", "args: too long to be sent"),
            coded("bytes_at_most", "{most} bytes", most=LONGEST_ARGS),
        )
    order_store.add(tx, order)
    note = order.id
    act = audit.Entry(at, actor.name, actor.role, "device", device, f"order {op}"[:32], note=note)
    audit.append(tx, [act])
    events.record(tx, [Change("order", order.id)], at)
    return order


def _subject(op: Op, device: str, args: Mapping[str, Any]) -> Subject:
    if op.about is None:
        return Subject()
    kind, argument = op.about
    name = args.get(argument)
    return Subject(kind, f"{device}/{name}"[:140]) if name else Subject()
