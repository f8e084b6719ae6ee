"""Patrol coverage: which grids were due a visit, and which of them had it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from enum import StrEnum

from hub.grid.grid import Grid
from hub.patrol.errors import PatrolError
from hub.patrol.visit import Manner


class Period(StrEnum):
    """A day, or a week from Monday, of local time."""

    DAY = "day"
    WEEK = "week"

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return timedelta(days=7 if self is Period.WEEK else 1)


@dataclass(frozen=True, slots=True)
class Frequency:
    """So many visits in every day, or in every week."""

    times: int
    period: Period

    def __post_init__(self) -> None:
        """Raises PatrolError for less than one visit."""
        if self.times < 1:
            raise PatrolError(f"patrol plan: {self.times} visits are not allowed (1 or more)")


# 安政发〔2020〕20号: level 1 at least once a week; levels 2 and 3 every day.
ANKANG_PLAN: Mapping[int | None, Frequency] = {
    1: Frequency(1, Period.WEEK),
    2: Frequency(1, Period.DAY),
    3: Frequency(1, Period.DAY),
}


@dataclass(frozen=True, slots=True)
class Coverage:
    """One grid over some days: visits required, made of those, and days on which one was missed.

    A missed week is named by its Monday. `open`: visits a period that still runs waits for.
    `parked`, `passed`: those of the missed days on which somebody was there without looking, at
    best parked, or at best passing.
    """

    grid: str
    required: int
    made: int
    missed: tuple[date, ...]
    open: int = 0
    parked: tuple[date, ...] = ()
    passed: tuple[date, ...] = ()

    @property
    def due(self) -> int:
        """Visits that had to be made by now, or were made before they had to be."""
        return self.required - self.open

    @property
    def share(self) -> float | None:
        """Made of due, 0 to 1; None where nothing was due yet."""
        return self.made / self.due if self.due else None


DayTest = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Span:
    """The days from `since` before `until` in a time zone, as seen on `today`.

    `counts`: which days count at all (the days on which a shift runs).
    """

    since: date
    until: date
    zone: tzinfo
    today: date | None = None
    counts: DayTest = lambda _: True

    def __post_init__(self) -> None:
        """Raises PatrolError for a span without a day."""
        if self.until <= self.since:
            raise PatrolError(f"no day from {self.since} before {self.until}")

    def periods(self, period: Period) -> list[tuple[date, date]]:
        """The days, or the weeks that begin within them; a shorter span has the week it begins in.

        So that spans side by side count no week twice.
        """
        if period is Period.DAY:
            days = (self.since + timedelta(days=n) for n in range((self.until - self.since).days))
            return [(day, day + period.length) for day in days if self.counts(day)]
        first = self.since + timedelta(days=-self.since.weekday() % 7)
        if first >= self.until:
            first = self.since - timedelta(days=self.since.weekday())
            return [(first, first + period.length)]
        count = (self.until - first + timedelta(days=6)) // period.length
        return [(first + n * period.length, first + (n + 1) * period.length) for n in range(count)]

    def is_running(self, end: date) -> bool:
        """Whether a period that ends before `end` is not over yet."""
        return self.today is not None and end > self.today

    @property
    def reach(self) -> tuple[date, date]:
        """All days that any period touches."""
        weeks = self.periods(Period.WEEK)
        return min(self.since, weeks[0][0]), max(self.until, weeks[-1][1])


Days = Mapping[Manner, Sequence[date]]
"""The local days on which visits of one grid began, by manner: a day for each visit."""


def coverage(
    grids: Iterable[Grid],
    made: Mapping[str, Days],
    plan: Mapping[int | None, Frequency],
    span: Span,
    begun: Mapping[str, date] | None = None,
) -> list[Coverage]:
    """Coverage of every grid whose level the plan names; `made`: the visits of each, by code.

    A visit counts for the local day of its start, a token one only says why a day was missed.
    `begun`: from which day on visits to each grid are required; what nobody could know of before
    is required of nobody.
    """
    calendars = {period: _Calendar.of(period, span) for period in Period}
    return [
        _coverage(
            grid.code,
            frequency.times,
            made.get(grid.code, {}),
            calendars[frequency.period],
            begun=(begun or {}).get(grid.code, date.min),
        )
        for grid in grids
        if (frequency := plan.get(grid.level)) is not None
    ]


@dataclass(frozen=True, slots=True)
class _Calendar:
    """The periods of a span by their first days: over, running, and that of each day."""

    over: Sequence[date]
    running: Sequence[date]
    first_of: Mapping[date, date]

    @classmethod
    def of(cls, period: Period, span: Span) -> "_Calendar":
        periods = span.periods(period)
        return cls(
            [first for first, end in periods if not span.is_running(end)],
            [first for first, end in periods if span.is_running(end)],
            {
                first + timedelta(days=n): first
                for first, end in periods
                for n in range((end - first).days)
            },
        )

    def count(self, days: Iterable[date]) -> Counter[date]:
        """How many of the days lie in each period that has any."""
        first_of = self.first_of
        return Counter(first_of[day] for day in days if day in first_of)


def _coverage(grid: str, times: int, days: Days, calendar: _Calendar, *, begun: date) -> Coverage:
    looked = calendar.count(days.get(Manner.LOOKED, ()))
    made = sum(min(count, times) for count in looked.values())
    short = [first for first in calendar.over if first >= begun and looked[first] < times]
    waiting = sum(times - looked[first] for first in calendar.running if looked[first] < times)
    lacking = sum(times - looked[first] for first in short)
    parked, passed = (
        calendar.count(days.get(manner, ())) for manner in (Manner.PARKED, Manner.PASSED)
    )
    return Coverage(
        grid,
        made + waiting + lacking,
        made,
        tuple(short),
        waiting,
        parked=tuple(first for first in short if first in parked),
        passed=tuple(first for first in short if first in passed and first not in parked),
    )
