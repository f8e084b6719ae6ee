"""Is it the same thing again? Near in space, near in time, of the same matter."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from hub.alerts.alert import ACTIVE, FALSE_ALARM, Alert
from hub.alerts.vehicle import EPOCH
from hub.config import Dedupe
from hub.grid.geodesy import distance_m
from wire.track import ALARMS

ALARM_LABELS = frozenset(ALARMS.values())
CELL_DEG = 0.001
TOPIC_LENGTH = 64
STILL_THERE = timedelta(hours=1)
MOST_COMPARED = 50


def topic(alert: Alert) -> str:
    """What must be equal: the matter, or the label of what has none.

    An alarm of a vehicle is its own affair, however close another one stands.
    """
    if alert.label in ALARM_LABELS or alert.epoch == EPOCH:
        text = f"{alert.label} {alert.device}/{alert.source}"
        return text if len(text) <= TOPIC_LENGTH else hashlib.sha256(text.encode()).hexdigest()
    return alert.matter or alert.label


def cell(alert: Alert) -> int:
    """The square of a thousandth of a degree in which an alert lies."""
    return _cell(_index(alert.lat), _index(alert.lon))


def cells_around(alert: Alert, radius_m: float) -> list[int]:
    """The squares within `radius_m` of an alert."""
    d_lat = radius_m / 110_000
    d_lon = min(1.0, radius_m / (110_000 * max(0.02, math.cos(math.radians(alert.lat)))))
    rows = range(_index(alert.lat - d_lat), _index(alert.lat + d_lat) + 1)
    columns = range(_index(alert.lon - d_lon), _index(alert.lon + d_lon) + 1)
    return [_cell(row, column) for row in rows for column in columns]


def same_thing(new: Alert, known: Alert, near: Dedupe) -> bool:
    """Whether `new` is what `known` told of before.

    One source that tells two things apart at one time is believed. What was judged a false alarm,
    or is held back as one, hides nothing that comes after it. An alert that never ended counts as
    over after an hour without a word.
    """
    if known.id == new.id or known.decision == FALSE_ALARM or topic(new) != topic(known):
        return False
    if known.suppressed_until is not None and known.decision is None:
        return False
    from_one_source = (known.device, known.source) == (new.device, new.source)
    if from_one_source and known.state == ACTIVE:
        return False
    within = timedelta(seconds=near.within_s)
    over_at = known.ended_at or known.at
    patience = max(within, STILL_THERE) if known.state == ACTIVE else within
    if not known.since - within <= new.at or new.since > over_at + patience:
        return False
    return distance_m(new.lat, new.lon, known.lat, known.lon) <= near.radius_m


class Neighbourhood:
    """Alerts by topic and square, each under its newest state.

    In a crowded square only the newest fifty are compared: a source gone mad must not slow others.
    """

    def __init__(self, alerts: Iterable[Alert], near: Dedupe) -> None:
        """Begin with `alerts`; `near` says how near is the same place."""
        self._near = near
        self._by_id: dict[str, Alert] = {}
        self._ids: dict[tuple[str, int], dict[str, None]] = defaultdict(dict)
        for alert in sorted(alerts, key=lambda alert: alert.at):
            self.put(alert)

    def put(self, alert: Alert) -> None:
        """Add an alert or its newer state."""
        self._by_id[alert.id] = alert
        square = self._ids[topic(alert), cell(alert)]
        square[alert.id] = None
        if len(square) > MOST_COMPARED:
            del square[next(iter(square))]

    def get(self, name: str) -> Alert | None:
        """An alert by id."""
        return self._by_id.get(name)

    def find(self, new: Alert) -> Alert | None:
        """The nearest alert of the same thing; None when it is a new one."""
        if self._near.radius_m == 0:
            return None
        around = cells_around(new, self._near.radius_m)
        ids = [name for square in around for name in self._ids.get((topic(new), square), ())]
        same = [a for name in ids if same_thing(new, a := self._by_id[name], self._near)]
        return min(same, key=lambda a: distance_m(new.lat, new.lon, a.lat, a.lon), default=None)


def _index(degrees: float) -> int:
    return math.floor(degrees / CELL_DEG)


def _cell(row: int, column: int) -> int:
    return row * 1_000_000 + column
