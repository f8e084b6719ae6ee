"""Is it the same thing again? Near in space, near in time, of the same matter."""

from collections.abc import Iterable
from datetime import timedelta

from hub.alerts.alert import ACTIVE, FALSE_ALARM, Alert
from hub.config import Dedupe
from hub.grid.geodesy import distance_m


def topic(alert: Alert) -> str:
    """What must be equal: the matter, or the label of what has none."""
    return alert.matter or alert.label


def same_thing(new: Alert, known: Alert, near: Dedupe) -> bool:
    """Whether `new` is what `known` told of before.

    One source that tells two things apart at one time is believed. What was judged a false alarm
    hides nothing that comes after it.
    """
    if known.id == new.id or known.decision == FALSE_ALARM or topic(new) != topic(known):
        return False
    from_one_source = (known.device, known.source) == (new.device, new.source)
    if from_one_source and known.state == ACTIVE:
        return False
    within = timedelta(seconds=near.within_s)
    if new.since > (known.ended_at or known.at) + within and known.state != ACTIVE:
        return False
    if known.state == ACTIVE and new.since > known.at + max(within, timedelta(hours=1)):
        return False
    if new.at < known.since - within:
        return False
    return distance_m(new.lat, new.lon, known.lat, known.lon) <= near.radius_m


def find(new: Alert, known: Iterable[Alert], near: Dedupe) -> Alert | None:
    """The nearest alert of the same thing; None when it is a new one."""
    same = [alert for alert in known if same_thing(new, alert, near)]
    return min(
        same, key=lambda alert: distance_m(new.lat, new.lon, alert.lat, alert.lon), default=None
    )
