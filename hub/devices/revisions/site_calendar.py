"""The city's calendar as devices take it: holidays and worked weekends from this year on."""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise

from sqlalchemy.engine import Connection

from hub.calendar import store as calendar_store
from hub.devices.revisions.revision import Doc
from wire.calendar import LONGEST_DAYS

SATURDAY = 5
_DAY = timedelta(days=1)


def site_calendar(tx: Connection, this_year: int) -> Doc:
    """The published tables as a `wire.calendar.Calendar`; years without one are left out."""
    years = calendar_store.current(tx).body.years
    tables = [table for year, table in sorted(years.items()) if year >= this_year]
    worked = {day for table in tables for day in table.workdays}
    days_off = {day for table in tables for day in table.days_off}
    return {
        "holidays": [
            {"from": first.isoformat(), "until": last.isoformat(), "name": ""}
            for first, last in _spans(days_off, worked)
        ],
        "workdays": [day.isoformat() for day in sorted(worked)],
    }


def _spans(days_off: Iterable[date], worked: set[date]) -> list[tuple[date, date]]:
    """Runs of days off; the weekend between two of them belongs to the holiday."""
    days = sorted(days_off)
    if not days:
        return []
    starts = [days[0]]
    ends = []
    for day, following in pairwise(days):
        between = [day + _DAY * i for i in range(1, (following - day).days)]
        is_one = all(each.weekday() >= SATURDAY and each not in worked for each in between)
        if not is_one or (following - starts[-1]).days >= LONGEST_DAYS:
            ends.append(day)
            starts.append(following)
    return list(zip(starts, [*ends, days[-1]], strict=True))
