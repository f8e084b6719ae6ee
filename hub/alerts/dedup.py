"""Is it the same thing again? Near in space, near in time, of the same matter."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from hub.alerts.alert import ACTIVE, FALSE_ALARM, Alert, is_in_passing
from hub.alerts.vehicle import EPOCH
from hub.config import Dedupe
from hub.grid.geodesy import distance_m
from wire.alert import PlaceSource
from wire.track import ALARMS

ALARM_LABELS = frozenset(ALARMS.values())
CELL_DEG = 0.001
TOPIC_LENGTH = 64
STILL_THERE = timedelta(hours=1)
MOST_COMPARED = 50
UNSURE_FACTOR = 1.6
"""Two places known badly may be the same so much further apart, which is still below 30 m."""


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
    if is_in_passing(new.label, new.place) or is_in_passing(known.label, known.place):
        return _same_in_passing(new, known, near, from_one_source=from_one_source)
    if from_one_source and known.state == ACTIVE:
        return False
    within = timedelta(seconds=near.within_s)
    over_at = known.ended_at or known.at
    patience = max(within, STILL_THERE) if known.state == ACTIVE else within
    if not known.since - within <= new.at or new.since > over_at + patience:
        return False
    return distance_m(new.lat, new.lon, known.lat, known.lon) <= near.radius_m


def _same_in_passing(new: Alert, known: Alert, near: Dedupe, *, from_one_source: bool) -> bool:
    """The same where one of them was seen from a vehicle, on whatever pass and in whatever lane.

    A place that is only the last one known joins nothing. How near is near depends on how well
    both places are known, and stays below what tells two heaps apart.
    """
    if PlaceSource.LAST in (new.place, known.place):
        return False
    if from_one_source and new.since <= known.at and known.since <= new.at:
        return False
    within = timedelta(seconds=near.passing_within_s)
    if new.since > known.at + within or known.since > new.at + within:
        return False
    unsure_m = math.hypot(new.acc_m, known.acc_m)
    radius_m = min(max(near.passing_radius_m, unsure_m), near.passing_radius_m * UNSURE_FACTOR)
    return distance_m(new.lat, new.lon, known.lat, known.lon) <= radius_m


def reach_m(near: Dedupe) -> float:
    """How far away an alert can be that is the same thing."""
    return max(near.radius_m, near.passing_radius_m * UNSURE_FACTOR)


def patience(new: Iterable[Alert], near: Dedupe) -> timedelta:
    """How long ago an alert can have been that is the same thing as any of `new`."""
    in_passing = any(is_in_passing(alert.label, alert.place) for alert in new)
    longest_s = max(near.within_s, near.passing_within_s if in_passing else 0.0)
    return max(timedelta(seconds=longest_s), STILL_THERE)


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
        around = cells_around(new, reach_m(self._near))
        ids = [name for square in around for name in self._ids.get((topic(new), square), ())]
        same = [a for name in ids if same_thing(new, a := self._by_id[name], self._near)]
        return min(same, key=lambda a: distance_m(new.lat, new.lon, a.lat, a.lon), default=None)


def _index(degrees: float) -> int:
    return math.floor(degrees / CELL_DEG)


def _cell(row: int, column: int) -> int:
    return row * 1_000_000 + column
