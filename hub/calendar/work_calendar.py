"""Working days and hours of a city, and the arithmetic of limits in them.

Working time is a line with gaps: nights, weekends, holidays. A limit is a length on that line. One
work day is as long as the working hours of a day, so that what begins at 10:00 with a limit of one
work day is due at 10:00 on the next working day, and what begins at night is due when that day's
work ends.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays

from hub.calendar.limit import ALWAYS_COUNTED, TimeLimit, Unit
from hub.errors import HubError
from wire.coded import coded

HOUR_S, DAY_S = 3600.0, 86_400.0
SATURDAY = 5
LONGEST_GAP_DAYS = 400

HOURS_ALLOWED = coded(
    "work_spans",
    "one to six spans of local time in order, such as 08:00–12:00 and 14:00–18:00",
)


class BadCalendar(HubError):
    """A calendar that cannot be used; says what and what is allowed."""


@dataclass(frozen=True, slots=True)
class Year:
    """A year's holidays (放假) and weekend days that are worked (调休).

    `is_published`: as the State Council announced them; otherwise a guess.
    """

    days_off: frozenset[date]
    workdays: frozenset[date]
    is_published: bool = True


@dataclass(frozen=True, slots=True)
class Due:
    """When a limit has run out. `is_provisional`: a year without a published table was counted."""

    at: datetime
    is_provisional: bool


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The working time of a city, in one version.

    `spans`: the working hours of a working day, local time, in order, each ending later than it
    begins. Raises BadCalendar where they do not.
    """

    version: int
    zone: ZoneInfo
    spans: tuple[tuple[time, time], ...]
    years: Mapping[int, Year]

    def __post_init__(self) -> None:
        """Check the hours."""
        ends = [moment for span in self.spans for moment in span]
        if not 1 <= len(self.spans) <= 6 or any(a >= b for a, b in pairwise(ends)):
            raise BadCalendar(
                coded(
                    "working_hours", "working hours: allowed are {allowed}", allowed=HOURS_ALLOWED
                )
            )

    @property
    def day_s(self) -> float:
        """Seconds of work in a working day."""
        return sum(_seconds(end) - _seconds(start) for start, end in self.spans)

    def year(self, number: int) -> Year:
        """The table of a year; a guess where none is published."""
        return self.years.get(number) or guessed(number)

    def is_workday(self, day: date) -> bool:
        """Whether people work on that day."""
        year = self.year(day.year)
        if day in year.workdays:
            return True
        return day.weekday() < SATURDAY and day not in year.days_off

    def is_working(self, at: datetime) -> bool:
        """Whether a moment lies in the working hours of a working day."""
        local = at.astimezone(self.zone)
        clock = local.time()
        return self.is_workday(local.date()) and any(a <= clock < b for a, b in self.spans)

    def length_s(self, limit: TimeLimit) -> float:
        """How long a limit is, in counted seconds."""
        unit_s = {
            Unit.URGENT_HOUR: HOUR_S,
            Unit.WORK_HOUR: HOUR_S,
            Unit.WORK_DAY: self.day_s,
            Unit.NATURAL_DAY: DAY_S,
        }[limit.unit]
        return limit.number * unit_s

    def due(self, since: datetime, limit: TimeLimit) -> Due:
        """When a limit that begins to run at `since` has run out, UTC."""
        return self.after(since, self.length_s(limit), limit.unit)

    def after(self, since: datetime, seconds: float, unit: Unit) -> Due:
        """The first moment at which `seconds` of the unit's time have been counted, UTC."""
        if unit in ALWAYS_COUNTED:
            return Due(since.astimezone(UTC) + timedelta(seconds=seconds), is_provisional=False)
        provisional = False
        left_s = seconds
        for start, end, is_published in self._working_from(since):
            provisional |= not is_published
            length_s = (end - start).total_seconds()
            if left_s <= length_s:
                return Due(start + timedelta(seconds=left_s), provisional)
            left_s -= length_s
        raise BadCalendar(
            coded(
                "nobody_works",
                "nobody works for {days} days after {since:%Y-%m-%d}",
                days=LONGEST_GAP_DAYS,
                since=since,
            )
        )

    def counted_s(self, since: datetime, until: datetime, unit: Unit) -> float:
        """Seconds of the unit's time between two moments; 0 where `until` comes first."""
        if until <= since:
            return 0.0
        if unit in ALWAYS_COUNTED:
            return (until - since).total_seconds()
        total_s = 0.0
        for start, end, _ in self._working_from(since):
            if start >= until:
                break
            total_s += (min(end, until) - start).total_seconds()
        return total_s

    def _working_from(self, since: datetime) -> Iterator[tuple[datetime, datetime, bool]]:
        """Stretches of working time from a moment on, UTC, and whether their year is published.

        Days off count as well for whether the answer is sure: a year's table makes them so.
        """
        day = since.astimezone(self.zone).date()
        idle, sure = 0, True
        while idle < LONGEST_GAP_DAYS:
            sure &= self.year(day.year).is_published
            idle += 1
            if self.is_workday(day):
                for start, end in self.spans:
                    begins, ends = self._utc(day, start), self._utc(day, end)
                    if ends > since:
                        idle = 0
                        yield max(begins, since.astimezone(UTC)), ends, sure
            day += timedelta(days=1)

    def _utc(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone).astimezone(UTC)


@cache
def guessed(year: int) -> Year:
    """Monday to Friday without the statutory holidays: which weekends are worked is not known."""
    days = holidays.country_holidays("CN", years=year, language="en_US")
    return Year(frozenset(days), frozenset(), is_published=False)


def _seconds(clock: time) -> float:
    return clock.hour * 3600 + clock.minute * 60 + clock.second
