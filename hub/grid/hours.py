"""Opening hours: intervals of local time, every day, also across midnight."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from hub.grid.errors import GridError
from wire.coded import coded

CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)
ALLOWED = coded(
    "hours", 'a list of ["HH:MM", "HH:MM"], local time, the end excluded, "24:00" for midnight'
)


@dataclass(frozen=True, slots=True)
class Hours:
    """Open while the local time is at or after a start and before its end.

    `intervals` are minutes of the day; an end before its start is on the next day.
    """

    intervals: tuple[tuple[int, int], ...]

    @classmethod
    def read(cls, given: object) -> "Hours":
        """From a list of ["HH:MM", "HH:MM"]. Raises GridError."""
        if not isinstance(given, list):
            raise GridError(
                coded("no_hours", "hours {given!r} are not {allowed}", given=given, allowed=ALLOWED)
            )
        return cls(tuple(_interval(pair) for pair in given))

    def are_open(self, at: datetime, zone: tzinfo) -> bool:
        """Whether they are open at a moment, seen from a time zone."""
        local = at.astimezone(zone)
        minute = local.hour * 60 + local.minute
        return any(
            start <= minute < end if start < end else minute >= start or minute < end
            for start, end in self.intervals
        )


ALWAYS = Hours(((0, 24 * 60),))


def _interval(pair: object) -> tuple[int, int]:
    if not isinstance(pair, list) or len(pair) != 2:
        raise GridError(
            coded(
                "no_interval",
                "hours: {given!r} is no interval ({allowed})",
                given=pair,
                allowed=ALLOWED,
            )
        )
    start, end = _minutes(pair)
    if start == end:
        raise GridError(
            coded(
                "empty_interval",
                'hours: {given!r} is empty (for the whole day ["00:00", "24:00"])',
                given=pair,
            )
        )
    return start, end


def _minutes(clocks: Iterable[object]) -> Iterable[int]:
    for clock in clocks:
        if not isinstance(clock, str) or not CLOCK.fullmatch(clock):
            raise GridError(
                coded(
                    "no_clock",
                    "hours: {given!r} is no time of day ({allowed})",
                    given=clock,
                    allowed=ALLOWED,
                )
            )
        yield int(clock[:2]) * 60 + int(clock[3:])
