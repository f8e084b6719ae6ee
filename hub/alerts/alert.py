"""An alert as the hub holds it: what a device said of one thing, put together from its messages."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hub.inbox import Received, moment
from hub.matters import LABEL_MATTERS
from hub.store import from_ms
from wire.alert import Alert as AlertMessage, AlertState, Box, PlaceSource
from wire.coded import Coded, coded
from wire.zone import LABELS

ACTIVE, ENDED = "active", "ended"
CONFIRMED, FALSE_ALARM = "confirmed", "false_alarm"
DECISIONS = (CONFIRMED, FALSE_ALARM)
UNDECIDED = coded("undecided_alert", "an alert nobody has decided")


@dataclass(frozen=True)
class Alert:
    """One thing seen by one device.

    `since`: first seen; `last_clean`: the last look before that showed its place clean, None when
    nobody can tell; `at`: the latest word about it; both on the device's clock where it can
    be believed (`clock_suspect`). `seq` is the highest number heard. `path`: grids, largest first.
    `duplicate_of`: the alert whose thing this is again; `times_seen` counts on that one.
    `suppressed_until`: held back for its place (`suppressed_by`), see `hub.alerts.suppression`.
    """

    id: str
    device: str
    epoch: str
    alert: str
    source: str
    source_name: str
    label: str
    matter: str | None
    zone: str
    state: str
    level: int
    since: datetime
    at: datetime
    ended_at: datetime | None
    received_at: datetime
    delayed: bool
    clock_suspect: bool
    lat: float
    lon: float
    acc_m: float
    place: str
    path: tuple[str, ...]
    score: float
    model: str
    boxes: tuple[Box, ...]
    seq: int
    generated: bool
    decision: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    duplicate_of: str | None = None
    times_seen: int = 1
    case_id: int | None = None
    suppressed_by: int | None = None
    suppressed_until: datetime | None = None
    last_clean: datetime | None = None
    updated_at: datetime = field(default=from_ms(0))

    @property
    def head(self) -> str:
        """The alert that stands for its thing."""
        return self.duplicate_of or self.id


def judged_by(alert: Alert) -> Coded:
    """By whom an alert was judged, where that is why something cannot be."""
    return coded(
        "alert_decided",
        "alert {alert} was judged {decision} by {who}",
        alert=alert.id,
        decision=alert.decision,
        who=alert.decided_by,
    )


@dataclass(frozen=True)
class Surroundings:
    """What the hub knows of the place and source of a message."""

    path: tuple[str, ...] = ()
    source_name: str = ""
    generated: bool = False


def alert_id(message: AlertMessage) -> str:
    """The hub's id: the same for every message about one thing, whoever computes it."""
    text = f"{message.dev}\n{message.epoch}\n{message.alert}"
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def is_in_passing(label: str, place: str) -> bool:
    """Whether a camera in a vehicle saw it: the vehicle has gone on, the thing has not."""
    return label in LABELS and place in (PlaceSource.VEHICLE, PlaceSource.LAST)


def has_ended(message: AlertMessage) -> bool:
    """Whether the thing is gone; out of a passing vehicle's sight is not gone."""
    return message.state == AlertState.END and not is_in_passing(message.label, message.place)


def matter_of(message: AlertMessage) -> str | None:
    """The matter the device named, else what its label means."""
    return message.matter or LABEL_MATTERS.get(message.label)


def taken(known: Alert | None, received: Received[AlertMessage], around: Surroundings) -> Alert:
    """The alert after one more message about it, in whatever order they come."""
    if known is None:
        return _first(received, around)
    message = received.message
    at, suspect = moment(message, received.received_at)
    since = min(known.since, _since(message, at))
    clean = [each for each in (known.last_clean, _last_clean(message, at)) if each]
    last_clean = min((each for each in clean if each < since), default=None)
    ended = has_ended(message)
    if message.seq < known.seq:  # an older word: it may only lengthen the story
        ended_at = known.ended_at or (at if ended else None)
        return replace(
            known,
            since=since,
            last_clean=last_clean,
            state=ENDED if ended_at else known.state,
            ended_at=ended_at,
            updated_at=received.received_at,
        )
    newest = _first(received, around)
    return replace(
        newest,
        id=known.id,
        since=since,
        last_clean=last_clean,
        state=ENDED if ended or known.state == ENDED else ACTIVE,
        ended_at=at if ended else known.ended_at,
        received_at=known.received_at,
        delayed=known.delayed,
        clock_suspect=known.clock_suspect or suspect,
        level=max(known.level, message.level),
        boxes=newest.boxes or known.boxes,
        score=max(known.score, message.score),
        decision=known.decision,
        decided_by=known.decided_by,
        decided_at=known.decided_at,
        duplicate_of=known.duplicate_of,
        times_seen=known.times_seen,
        case_id=known.case_id,
        suppressed_by=known.suppressed_by,
        suppressed_until=known.suppressed_until,
    )


def _first(received: Received[AlertMessage], around: Surroundings) -> Alert:
    message = received.message
    at, suspect = moment(message, received.received_at)
    ended = has_ended(message)
    return Alert(
        id=alert_id(message),
        device=message.dev,
        epoch=message.epoch,
        alert=message.alert,
        source=message.source,
        source_name=around.source_name or message.source,
        label=message.label,
        matter=matter_of(message),
        zone=message.zone,
        state=ENDED if ended else ACTIVE,
        level=message.level,
        since=_since(message, at),
        at=at,
        ended_at=at if ended else None,
        received_at=received.received_at,
        delayed=message.hist,
        clock_suspect=suspect,
        lat=message.lat,
        lon=message.lon,
        acc_m=message.acc,
        place=PlaceSource(message.place).value,
        path=around.path,
        score=message.score,
        model=message.model,
        boxes=tuple(message.boxes),
        seq=message.seq,
        generated=around.generated,
        last_clean=_last_clean(message, at),
        updated_at=received.received_at,
    )


def _since(message: AlertMessage, at: datetime) -> datetime:
    return _before(at, message.ts - message.since)


def _last_clean(message: AlertMessage, at: datetime) -> datetime | None:
    if message.last_clean is None or message.last_clean >= message.since:
        return None
    return _before(at, message.ts - message.last_clean)


def _before(at: datetime, ago_ms: int) -> datetime:
    ago = timedelta(milliseconds=max(0, ago_ms))
    return from_ms(0) if ago > at - from_ms(0) else at - ago
