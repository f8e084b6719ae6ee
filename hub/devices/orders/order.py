"""An order: what a device is asked to do, by whom, until when, and what became of it.

```
queued ─► sent ─► accepted ─► done | failed
   └────────┴─────────┴─────► failed | expired | unknown
```
The hub itself says `expired` when no answer came in time. A device that did begin in time may
still say so afterwards, and then that is what counts; all else that is final stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ValidationError

from hub.errors import Problem
from hub.roles import SYSTEM, Actor, Right
from wire.coded import coded
from wire.command import CommandState
from wire.settings import by_place


class OrderState(StrEnum):
    """`queued` in the hub, `sent` to the broker, then as the device says."""

    QUEUED = "queued"
    SENT = "sent"
    ACCEPTED = "accepted"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


OPEN = frozenset({OrderState.QUEUED, OrderState.SENT, OrderState.ACCEPTED})
UNBEGUN = frozenset({OrderState.QUEUED, OrderState.SENT})
UNCERTAIN = UNBEGUN | {OrderState.EXPIRED}
"""The device may not have begun, as far as the hub knows."""


@dataclass(frozen=True)
class Op:
    """What may be ordered: who may, with which arguments, valid for how many seconds.

    An order is not begun after `valid_s`. `about`: a kind of subject named by an argument, so that
    its page can list the orders given for it, as {"vehicle": "vehicle"}.
    """

    right: Right
    args: type[BaseModel]
    valid_s: int = 300
    about: tuple[str, str] | None = None


Ops = Mapping[str, Op]


@dataclass(frozen=True)
class Subject:
    """What an order is about: an alert, a case, a camera, a vehicle; empty for none."""

    kind: str = ""
    id: str = ""


@dataclass(frozen=True)
class Order:
    """One order. `out`: what the device gave; `why`: the reason when it is not done."""

    id: str
    device: str
    op: str
    args: dict[str, Any]
    by: str
    made_at: datetime
    exp_at: datetime
    subject: Subject = Subject()
    state: OrderState = OrderState.QUEUED
    sent_at: datetime | None = None
    answered_at: datetime | None = None
    why: str = ""
    out: dict[str, Any] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether the device has not said the last word."""
        return self.state in OPEN


def answered(known: OrderState, said: CommandState) -> OrderState | None:
    """The state after a device's word; None when it changes nothing."""
    new = OrderState(said)
    if known in UNCERTAIN and new != known:
        return new
    if known is OrderState.ACCEPTED and new is not OrderState.ACCEPTED:
        return new
    return None


def checked(ops: Ops, op: str, args: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """The arguments, complete and checked, of an order the actor may give.

    Raises Problem: no such operation, not allowed, arguments that do not fit.
    """
    known = ops.get(op)
    if known is None:
        names = ", ".join(sorted(ops)) or "none"
        raise Problem(
            422,
            "unknown_op",
            coded("no_operation", "op: {given!r} is no operation", given=op),
            names,
        )
    if actor is not SYSTEM and not actor.may(known.right):
        raise Problem(
            403,
            "forbidden",
            coded("may_not_order", "{role} may not order {op}", role=actor.role, op=op),
            coded("right_needed", "right {right}", right=known.right),
        )
    try:
        given = known.args.model_validate(args)
    except ValidationError as fault:
        raise Problem(
            422, "invalid", by_place(fault.errors(), "args"), _allowed(known.args)
        ) from None
    return given.model_dump(mode="json", exclude_none=True, by_alias=True)


def _allowed(args: type[BaseModel]) -> str:
    fields = args.model_fields.items()
    return ", ".join(field.alias or name for name, field in fields) or "no arguments"
