"""A look again as the hub holds it: an order to a camera, and the answer that came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.alerts.alert import Alert
from hub.devices.orders.order import Order, OrderState
from hub.errors import Problem
from hub.store import from_ms
from wire.coded import coded

OP = "camera.look"
ANSWERS = ("present", "gone", "cannot_tell")
CANNOT_TELL = "cannot_tell"
MOST_FILES = 10


@dataclass(frozen=True)
class Look:
    """`answer`: None while it is awaited. Without an answer from the camera it cannot be told."""

    order: Order
    answer: str | None
    confidence: float
    reasons: tuple[str, ...]
    details: tuple[str, ...]
    began_at: datetime | None
    ended_at: datetime | None
    looks: int
    clear: int
    hidden: int
    model: str
    evidence: tuple[Mapping[str, Any], ...]

    @property
    def alert(self) -> str:
        """The device's name for the alert whose place is asked about; empty for none."""
        return str(self.order.args.get("alert", ""))


def look_of(order: Order) -> Look:
    """The look an order was given for. What a device says is believed in its bounds only."""
    out = order.out
    answer = None
    reasons = _texts(out.get("reasons"))
    if not order.is_open:
        said = out.get("answer")
        known = order.state is OrderState.DONE and said in ANSWERS
        answer = str(said) if known else CANNOT_TELL
        reasons = reasons if known else (f"order_{order.state}",)
    details = _texts(out.get("details"))
    return Look(
        order=order,
        answer=answer,
        confidence=_number(out.get("confidence")) if answer not in (None, CANNOT_TELL) else 0.0,
        reasons=reasons,
        details=details if details or not order.why else (order.why,),
        began_at=_moment(out.get("from")),
        ended_at=_moment(out.get("until")),
        looks=int(_number(out.get("looks"), 10_000)),
        clear=int(_number(out.get("clear"), 10_000)),
        hidden=int(_number(out.get("hidden"), 10_000)),
        model=str(out.get("model", ""))[:64],
        evidence=_files(out.get("evidence")),
    )


def arguments(alert: Alert, seconds: float, looks: int) -> dict[str, Any]:
    """What its camera is asked for about an alert.

    Raises Problem for an alert that no camera saw at a place of its picture.
    """
    if alert.place == "vehicle" or not alert.boxes:
        raise Problem(
            422,
            "no_camera",
            coded("alert_unfixed", "alert {alert} was not seen by a fixed camera", alert=alert.id),
            coded("camera_alert_too", "a camera's alert"),
        )
    box = alert.boxes[0]
    return {
        "camera": alert.source,
        "alert": alert.alert,
        "box": {"x": box.x, "y": box.y, "w": max(box.w, 0.001), "h": max(box.h, 0.001)},
        "label": alert.label,
        "seconds": seconds,
        "looks": looks,
    }


def valid_for(seconds: float) -> timedelta:
    """How long a look may wait before it begins."""
    return timedelta(seconds=max(120.0, seconds))


def _texts(value: Any) -> tuple[str, ...]:
    listed: Sequence[Any] = value if isinstance(value, list) else []
    return tuple(str(each)[:200] for each in listed[:20])


def _number(value: Any, most: float = 1.0) -> float:
    return min(max(float(value), 0.0), most) if isinstance(value, int | float) else 0.0


def _moment(value: Any) -> datetime | None:
    return from_ms(value) if isinstance(value, int) and 0 <= value < 4_102_444_800_000 else None


def _files(value: Any) -> tuple[Mapping[str, Any], ...]:
    listed: Sequence[Any] = value if isinstance(value, list) else []
    return tuple(
        each
        for each in listed[:MOST_FILES]
        if isinstance(each, dict) and isinstance(each.get("sha256"), str)
    )
