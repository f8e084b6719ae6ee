"""Where one camera was wrong about one thing again and again, its alerts are held back for a while.

The rule counts people's verdicts, never a model's: so many different things of one label, in one
part of one camera's picture, judged false within so many days and none confirmed since. What is
held back is stored and shown as such; it opens no case and waits in no queue. An urgent alert
(level 3) is never held back, a confirmation there ends it, and it ends by itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from hub.alerts.alert import CONFIRMED, FALSE_ALARM, Alert
from hub.config import Suppression as Rule

URGENT = 3


class Rectangle(Protocol):
    """Left, top, width, height as fractions of the picture."""

    @property
    def x(self) -> float: ...  # noqa: D102
    @property
    def y(self) -> float: ...  # noqa: D102
    @property
    def w(self) -> float: ...  # noqa: D102
    @property
    def h(self) -> float: ...  # noqa: D102


@dataclass(frozen=True)
class Area:
    """A part of a camera's picture, fractions."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True)
class Suppression:
    """Alerts of `label` in `area` of a camera are held back from `since` until `until`.

    `alerts`: those judged false that it stands on. `lifted_at`: ended before its time by a person.
    """

    id: int
    device: str
    source: str
    label: str
    area: Area
    since: datetime
    until: datetime
    alerts: tuple[str, ...]
    lifted_at: datetime | None = None
    lifted_by: str | None = None


def may_be_held_back(alert: Alert) -> bool:
    """Whether the rule speaks of such alerts: a camera's, with a box, and not urgent."""
    return alert.place != "vehicle" and bool(alert.boxes) and alert.level < URGENT


def covers(suppression: Suppression, alert: Alert, least_overlap: float) -> bool:
    """Whether an alert is one of those held back, by its own time."""
    same = (suppression.device, suppression.source, suppression.label) == (
        alert.device,
        alert.source,
        alert.label,
    )
    return (
        same
        and suppression.lifted_at is None
        and suppression.since <= alert.at < suppression.until
        and may_be_held_back(alert)
        and overlap(suppression.area, alert.boxes[0]) >= least_overlap
    )


def grounds(alert: Alert, judged: Iterable[Alert], rule: Rule, at: datetime) -> list[Alert]:
    """The false alarms that hold back what comes at `alert`'s place; empty when they are too few.

    `judged`: decided alerts of the same camera and label. Alerts of one thing count once, and
    only verdicts younger than the last confirmation there.
    """
    if not rule.false_alarms or not alert.boxes:
        return []
    here = [
        other
        for other in judged
        if other.boxes
        and other.decided_at is not None
        and other.decided_at > at - timedelta(days=rule.within_days)
        and overlap(alert.boxes[0], other.boxes[0]) >= rule.overlap
    ]
    confirmed = max((o.decided_at for o in here if o.decided_at and o.decision == CONFIRMED),
                    default=None)  # fmt: skip
    things: dict[str, Alert] = {}
    for other in here:
        since = other.decided_at
        if other.decision == FALSE_ALARM and since and (confirmed is None or since > confirmed):
            things.setdefault(other.duplicate_of or other.id, other)
    return list(things.values()) if len(things) >= rule.false_alarms else []


def area_of(alerts: Sequence[Alert]) -> Area:
    """The mean of what was seen there."""
    boxes = [alert.boxes[0] for alert in alerts]
    mean = [sum(getattr(b, side) for b in boxes) / len(boxes) for side in ("x", "y", "w", "h")]
    return Area(*(round(value, 4) for value in mean))


def overlap(a: Rectangle, b: Rectangle) -> float:
    """Intersection over union."""
    w = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    h = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / (a.w * a.h + b.w * b.h - w * h)
