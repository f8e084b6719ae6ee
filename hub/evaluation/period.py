"""Periods of the site's calendar: a day, an ISO week, a month, a quarter, a year.

A period is written as people write it: 2026-11-28, 2026-W48, 2026-11, 2026-Q4, 2026.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from hub.evaluation.errors import EvaluationError
from hub.store import to_ms
from wire.coded import coded

ALLOWED = "2026-11-28, 2026-W48, 2026-11, 2026-Q4, 2026"
_FORMS = (
    re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"),
    re.compile(r"(?P<year>\d{4})-W(?P<week>\d\d)"),
    re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)"),
    re.compile(r"(?P<year>\d{4})-Q(?P<quarter>[1-4])"),
    re.compile(r"(?P<year>\d{4})"),
)


class Every(StrEnum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    """The local days from `first` before `end`. `name` is how it is written."""

    every: Every
    name: str
    first: date
    end: date

    @classmethod
    def read(cls, text: str) -> "Period":
        """From text such as 2026-W48.

        Raises EvaluationError.
        """
        for form in _FORMS:
            match = form.fullmatch(text.strip())
            if match is None:
                continue
            try:
                return _of_parts({key: int(value) for key, value in match.groupdict().items()})
            except (ValueError, OverflowError):
                break
        raise EvaluationError(
            coded(
                "no_period", "period {given!r}: allowed is {allowed}", given=text, allowed=ALLOWED
            )
        )

    @classmethod
    def of(cls, every: Every, day: date) -> "Period":
        """The period of that length that a day lies in.

        Raises EvaluationError at the edge of what a calendar can say.
        """
        try:
            return _around(every, day)
        except (ValueError, OverflowError):
            raise EvaluationError(
                coded("period_beyond", "period of {day}: allowed are the years 1 to 9998", day=day)
            ) from None

    @property
    def last(self) -> date:
        """Its last day."""
        return self.end - timedelta(days=1)

    def before(self, count: int = 1) -> "Period":
        """The period of the same length `count` places earlier."""
        found = self
        for _ in range(count):
            found = Period.of(self.every, found.first - timedelta(days=1))
        return found

    def parts(self, every: Every) -> list["Period"]:
        """The shorter periods that begin within it, in order."""
        found, day = [], self.first
        while day < self.end:
            part = Period.of(every, day)
            if part.first >= self.first:
                found.append(part)
            day = part.end
        return found

    def bounds(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """The moments it begins and ends at."""
        return (
            datetime.combine(self.first, time(), zone),
            datetime.combine(self.end, time(), zone),
        )

    def span(self, zone: tzinfo, as_of: datetime, *, with_suspended: bool = False) -> "Span":
        """What of it had gone by at a moment."""
        begins, ends = self.bounds(zone)
        return Span(to_ms(begins), min(to_ms(ends), to_ms(as_of) + 1), with_suspended)


@dataclass(frozen=True, slots=True)
class Span:
    """From `start_ms` before `until_ms`, since 1970 UTC; what is due later is not due yet.

    `with_suspended`: whether suspended cases (挂账、缓办) count as due.
    """

    start_ms: int
    until_ms: int
    with_suspended: bool = False

    def holds(self, at_ms: int | None) -> bool:
        """Whether a moment lies within it; what never happened does not."""
        return at_ms is not None and self.start_ms <= at_ms < self.until_ms


def _of_parts(parts: dict[str, int]) -> Period:
    year = parts["year"]
    if "week" in parts:
        return _around(Every.WEEK, date.fromisocalendar(year, parts["week"], 1))
    if "quarter" in parts:
        return _around(Every.QUARTER, date(year, parts["quarter"] * 3, 1))
    if "day" in parts:
        return _around(Every.DAY, date(year, parts["month"], parts["day"]))
    if "month" in parts:
        return _around(Every.MONTH, date(year, parts["month"], 1))
    return _around(Every.YEAR, date(year, 1, 1))


def _around(every: Every, day: date) -> Period:
    year = day.year
    if every is Every.DAY:
        return Period(every, day.isoformat(), day, day + timedelta(days=1))
    if every is Every.WEEK:
        first = day - timedelta(days=day.weekday())
        number = day.isocalendar()
        return Period(every, f"{number.year:04d}-W{number.week:02d}", first, first + timedelta(7))
    if every is Every.MONTH:
        first = day.replace(day=1)
        return Period(every, f"{year:04d}-{day.month:02d}", first, _month_after(first, 1))
    if every is Every.QUARTER:
        number_of = (day.month - 1) // 3
        first = date(year, number_of * 3 + 1, 1)
        return Period(every, f"{year:04d}-Q{number_of + 1}", first, _month_after(first, 3))
    return Period(every, f"{year:04d}", date(year, 1, 1), date(year + 1, 1, 1))


def _month_after(first: date, months: int) -> date:
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)
