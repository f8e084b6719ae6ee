"""The calendar in the database: every change is a new version, and old versions stay.

Version 0 is what comes with the program: the published years it knows and usual working hours.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Column, Integer, String, Table, Text, select
from sqlalchemy.engine import Connection

from hub.calendar.work_calendar import WorkCalendar, Year
from hub.store import Instant, metadata

_PUBLISHED = Path(__file__).with_name("published.json")

calendars = Table(
    "calendars",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("by", String(100), nullable=False),
    Column("note", String(300), nullable=False),
    Column("body", Text, nullable=False),
)


_NEWEST = select(calendars).order_by(calendars.c.version.desc()).limit(1)


class YearTable(msgspec.Struct, frozen=True):
    """A published year: days off, and weekend days that are worked."""

    days_off: Sequence[date]
    workdays: Sequence[date]


class Body(msgspec.Struct, frozen=True):
    """A version's content: working hours of a day, and the published years."""

    spans: Sequence[tuple[time, time]]
    years: Mapping[int, YearTable]


class Version(msgspec.Struct, frozen=True):
    """A version of the calendar and who made it; no one made version 0."""

    number: int
    body: Body
    at: datetime | None = None
    by: str = ""
    note: str = ""


class _Published(msgspec.Struct):
    source: str
    years: dict[int, YearTable]


@cache
def built_in() -> Version:
    """What comes with the program: 08:00–12:00 and 14:00–18:00, and the years it knows."""
    published = msgspec.json.decode(_PUBLISHED.read_bytes(), type=_Published, strict=False)
    spans = ((time(8), time(12)), (time(14), time(18)))
    return Version(0, Body(spans, published.years), note=published.source)


def versions(tx: Connection) -> list[Version]:
    """Every version, newest first."""
    found = tx.execute(select(calendars).order_by(calendars.c.version.desc()))
    return [*(_version(row) for row in found), built_in()]


def current(tx: Connection) -> Version:
    """The version in force."""
    row = tx.execute(_NEWEST).one_or_none()
    return built_in() if row is None else _version(row)


def calendar(tx: Connection, zone: ZoneInfo) -> WorkCalendar:
    """The calendar in force at a site."""
    row = tx.execute(_NEWEST).one_or_none()
    return _in_force(None if row is None else (row.version, row.body), zone)


def calendar_at(tx: Connection, zone: ZoneInfo, at: datetime) -> WorkCalendar:
    """The calendar that was in force at a moment."""
    row = tx.execute(_NEWEST.where(calendars.c.at <= at)).one_or_none()
    return _in_force(None if row is None else (row.version, row.body), zone)


@lru_cache(maxsize=16)
def _in_force(newest: tuple[int, str] | None, zone: ZoneInfo) -> WorkCalendar:
    """A version never changes: its calendar is made once."""
    if newest is None:
        return calendar_of(built_in(), zone)
    number, body = newest
    return calendar_of(Version(number, msgspec.json.decode(body, type=Body, strict=False)), zone)


def calendar_of(version: Version, zone: ZoneInfo) -> WorkCalendar:
    """A version as the rules use it.

    Raises BadCalendar.
    """
    years = {
        number: Year(frozenset(year.days_off), frozenset(year.workdays))
        for number, year in version.body.years.items()
    }
    spans = tuple((start, end) for start, end in version.body.spans)
    return WorkCalendar(version.number, zone, spans, years)


def add(tx: Connection, body: Body, *, at: datetime, by: str, note: str) -> int:
    """Put a new version in force; returns its number."""
    number = current(tx).number + 1
    text = msgspec.json.encode(body).decode()
    row = {"version": number, "at": at, "by": by, "note": note[:300], "body": text}
    tx.execute(calendars.insert().values(row))
    return number


def _version(row: object) -> Version:
    values: dict[str, object] = dict(row._mapping)  # type: ignore[attr-defined]  # noqa: SLF001
    body = msgspec.json.decode(str(values["body"]), type=Body, strict=False)
    at = values["at"]
    return Version(
        int(str(values["version"])), body, at if isinstance(at, datetime) else None,
        str(values["by"]), str(values["note"]),
    )  # fmt: skip
