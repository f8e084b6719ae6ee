"""Who has an alert before him, and until when one is put off.

A claim is soft: a lease that the page renews while it shows the alert, so that others see who is
at it. It forbids nothing; what decides is who was first (`hub.decisions`). What is put off comes
back by itself: when its time is over, when it has become more urgent, or when it is seen again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.alerts.alert import Alert
from hub.alerts.suppression import URGENT

LEASE = timedelta(seconds=30)
LONGEST = timedelta(hours=24)
LONGEST_URGENT = timedelta(minutes=15)


@dataclass(frozen=True)
class Claim:
    """A page, and the person at it, that shows an alert until then unless it says so again."""

    alert: str
    by: str
    page: str
    until: datetime


@dataclass(frozen=True)
class Snooze:
    """An alert put off. `level` and `times_seen` are the alert's when it was put off.

    `times_seen` is None where being seen again does not matter.
    """

    alert: str
    by: str
    at: datetime
    until: datetime
    note: str
    level: int
    times_seen: int | None

    def holds(self, alert: Alert, at: datetime) -> bool:
        """Whether the alert still need not be decided."""
        seen_again = self.times_seen is not None and alert.times_seen > self.times_seen
        return at < self.until and alert.level <= self.level and not seen_again


def longest(level: int) -> timedelta:
    """For how long an alert of this level may be put off."""
    return LONGEST_URGENT if level >= URGENT else LONGEST
