"""Shifts: on which days they run and from when to when, by the city's calendar."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time as clock, timedelta, tzinfo

from hub.calendar.work_calendar import WorkCalendar
from hub.duty.errors import DutyError
from wire.coded import coded

CLOCK = re.compile(
    r"(?=24[:：]00|(?:[01]?\d|2[0-3])[:：])(\d\d?)[:：]([0-5]\d)(?:[:：]00)?", re.ASCII
)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAILY, WORKDAYS = "daily", "workdays"
WORDS = {"每天": DAILY, "每日": DAILY, "工作日": WORKDAYS}
WORDS |= {f"周{day}": name for day, name in zip("一二三四五六日", WEEKDAYS, strict=True)}
ALLOWED_DAYS = (
    "daily, workdays, or days such as mon-fri or sat,sun (每天, 工作日, 周一至周五, 周六、周日)"
)


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift; `days` as `read_days` gives them; an `end` not after `start` is on the next day."""

    code: str
    name: str
    days: tuple[str, ...]
    start: clock
    end: clock

    def runs_on(self, day: date, calendar: WorkCalendar) -> bool:
        """Whether it begins on a day.

        `daily` runs always, `workdays` by the calendar, named weekdays but on holidays.
        """
        if DAILY in self.days:
            return True
        if WORKDAYS in self.days and calendar.is_workday(day):
            return True
        return WEEKDAYS[day.weekday()] in self.days and day not in calendar.year(day.year).days_off

    def window(self, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
        """Its beginning on `day`, and its end."""
        last = day if self.end > self.start else day + timedelta(days=1)
        return (
            datetime.combine(day, self.start, zone),
            datetime.combine(last, self.end, zone),
        )

    def holds(self, at: datetime, zone: tzinfo, calendar: WorkCalendar) -> date | None:
        """The day on which the shift began that runs at a moment; None when none does."""
        local = at.astimezone(zone).date()
        for day in (local, local - timedelta(days=1)):
            start, end = self.window(day, zone)
            if start <= at < end and self.runs_on(day, calendar):
                return day
        return None


def read_days(text: str) -> tuple[str, ...]:
    """Days of a shift as people write them. Raises DutyError."""
    plain = text.strip().lower()
    for separator in "，、;； ":
        plain = plain.replace(separator, ",")
    for dash in "至到~—–":
        plain = plain.replace(dash, "-")
    found: dict[str, None] = {}
    for part in filter(None, plain.split(",")):
        names = [WORDS.get(name, name) for name in part.split("-")]
        if len(names) == 1 and names[0] in (*WEEKDAYS, DAILY, WORKDAYS):
            found[names[0]] = None
        elif len(names) == 2 and all(name in WEEKDAYS for name in names):
            first, last = (WEEKDAYS.index(name) for name in names)
            found |= {WEEKDAYS[n % 7]: None for n in range(first, last + 1 + 7 * (last < first))}
        else:
            raise _no_days(text)
    if not found:
        raise _no_days(text)
    return tuple(found)


def _no_days(text: str) -> DutyError:
    return DutyError(coded("no_days", "days {given!r} are not allowed", given=text), ALLOWED_DAYS)


def read_clock(name: str, text: str) -> clock:
    """A time of day, HH:MM, with 24:00 for midnight. Raises DutyError."""
    found = CLOCK.fullmatch(text.strip())
    if found is None:
        message = coded(
            "no_clock_in", "{column} {given!r} is no time of day", column=name, given=text
        )
        raise DutyError(message, "HH:MM")
    return clock(int(found[1]) % 24, int(found[2]))
