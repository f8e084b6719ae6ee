"""The calendar over HTTP: look at it, try a limit, publish a year, set the working hours."""

from collections.abc import Callable
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.engine import Connection

from hub import audit
from hub.auth import need
from hub.calendar import store as calendar_store
from hub.calendar.limit import BadLimit, TimeLimit, Unit
from hub.calendar.store import Version, YearTable
from hub.calendar.work_calendar import SATURDAY, BadCalendar
from hub.errors import LOOK_AGAIN, Problem, not_found
from hub.http import ERRORS, Body, Listing, LocalTime, Utc
from hub.roles import Actor, Right
from hub.scope import Reach
from hub.store import Store, now
from wire.coded import coded, words_of

Change = Callable[[calendar_store.Body], calendar_store.Body]
DAYS = coded(
    "days_of_year", "days of that year, each once; a worked day (调休) is a Saturday or Sunday"
)


class Span(BaseModel):
    """A stretch of working time, local."""

    start: LocalTime
    end: LocalTime


class YearItem(BaseModel):
    """A year: days off, and weekend days that are worked.

    `published` is false for a guess: the statutory holidays alone, since nobody announced the rest.
    """

    year: int
    published: bool
    days_off: list[date]
    workdays: list[date]


class CalendarItem(BaseModel):
    """The calendar in force; `by` and `at` are empty for the one that comes with the program."""

    version: int
    at: Utc | None
    by: str
    note: str
    time_zone: str
    hours: list[Span]
    years: list[YearItem]


class DueItem(BaseModel):
    """When a limit runs out. `provisional`: it counts a year nobody has published."""

    due_at: Utc
    provisional: bool
    calendar_version: int


class VersionItem(BaseModel):
    """A version of the calendar, and who made it why; the first comes with the program."""

    version: int
    at: Utc | None
    by: str
    note: str


class YearBody(Body):
    """A published year. `note`: where it was announced. `seen`: the version it was made from."""

    seen: Annotated[int, Field(ge=0)] | None = None
    days_off: Annotated[list[date], Field(max_length=120)]
    workdays: Annotated[list[date], Field(max_length=60)]
    note: Annotated[str, Field(max_length=300)] = ""


class HoursBody(Body):
    """The working hours of every working day, local time. `seen`: the version they replace."""

    seen: Annotated[int, Field(ge=0)] | None = None
    hours: list[Span]
    note: Annotated[str, Field(max_length=300)] = ""


def router(store: Store, zone: ZoneInfo) -> APIRouter:
    """The calendar of a site in `zone`."""
    api = APIRouter(prefix="/api/calendar", tags=["calendar"], responses=ERRORS)
    reader = Annotated[Actor, Depends(need(Right.READ, Reach.ALL))]
    admin = Annotated[Actor, Depends(need(Right.ADMIN))]

    def item(version: Version) -> CalendarItem:
        calendar = calendar_store.calendar_of(version, zone)
        this_year = now().astimezone(zone).year
        shown = sorted({*version.body.years, this_year, this_year + 1})
        years = {number: calendar.year(number) for number in shown}
        return CalendarItem(
            version=version.number,
            at=version.at,
            by=version.by,
            note=version.note,
            time_zone=zone.key,
            hours=[Span(start=start, end=end) for start, end in version.body.spans],
            years=[
                YearItem(
                    year=number,
                    published=year.is_published,
                    days_off=sorted(year.days_off),
                    workdays=sorted(year.workdays),
                )
                for number, year in years.items()
            ],
        )

    def change(
        what: str, note: str, actor: Actor, made: Change, seen: int | None = None
    ) -> CalendarItem:
        with store.write() as tx:
            _check_seen(tx, seen)
            version = _put(tx, made, zone, actor, f"{what}: {note}" if note else what)
        return item(version)

    @api.get("")
    def the_calendar(_actor: reader) -> CalendarItem:
        with store.read() as tx:
            return item(calendar_store.current(tx))

    @api.get("/versions")
    def versions(_actor: reader) -> Listing[VersionItem]:
        """Every version, the newest first."""
        with store.read() as tx:
            found = calendar_store.versions(tx)
        items = [
            VersionItem(version=each.number, at=each.at, by=each.by, note=each.note)
            for each in found
        ]
        return Listing(items=items, total=len(items))

    @api.get("/due")
    def due(
        _actor: reader,
        since: AwareDatetime,
        number: Annotated[float, Query(gt=0, le=10_000)],
        unit: Unit,
    ) -> DueItem:
        with store.read() as tx:
            calendar = calendar_store.calendar(tx, zone)
        try:
            found = calendar.due(since, TimeLimit(number, unit))
        except (BadLimit, BadCalendar) as fault:
            raise Problem(422, "bad_limit", words_of(fault)) from None
        return DueItem(
            due_at=found.at, provisional=found.is_provisional, calendar_version=calendar.version
        )

    @api.put("/years/{year}")
    def publish(
        year: Annotated[int, Path(ge=2000, le=2100)], body: YearBody, actor: admin
    ) -> CalendarItem:
        _check_days(year, body)
        table = YearTable(sorted(body.days_off), sorted(body.workdays))
        return change(
            f"year {year}",
            body.note,
            actor,
            lambda old: msgspec.structs.replace(old, years={**old.years, year: table}),
            body.seen,
        )

    @api.delete("/years/{year}")
    def take_back(
        year: Annotated[int, Path(ge=2000, le=2100)],
        actor: admin,
        seen: Annotated[int | None, Query(ge=0)] = None,
    ) -> CalendarItem:
        """Nobody has published it after all: what is counted in it is provisional again."""

        def without(old: calendar_store.Body) -> calendar_store.Body:
            if year not in old.years:
                raise not_found("published year", year)
            rest = {number: each for number, each in old.years.items() if number != year}
            return msgspec.structs.replace(old, years=rest)

        return change(f"year {year}", "taken back", actor, without, seen)

    @api.put("/hours")
    def set_hours(body: HoursBody, actor: admin) -> CalendarItem:
        spans = [(span.start, span.end) for span in body.hours]
        return change(
            "hours",
            body.note,
            actor,
            lambda old: msgspec.structs.replace(old, spans=spans),
            body.seen,
        )

    return api


def _put(tx: Connection, made: Change, zone: ZoneInfo, actor: Actor, note: str) -> Version:
    before = calendar_store.current(tx)
    body, at = made(before.body), now()
    try:
        calendar_store.calendar_of(Version(before.number + 1, body), zone)
    except BadCalendar as fault:
        raise Problem(422, "bad_calendar", words_of(fault)) from None
    number = calendar_store.add(tx, body, at=at, by=actor.name, note=note)
    act = audit.Entry(at, actor.name, actor.role, "calendar", str(number), "change", note=note)
    audit.append(tx, [act])
    return Version(number, body, at, actor.name, note)


def _check_seen(tx: Connection, seen: int | None) -> None:
    """Raises Problem where somebody else has changed the calendar since."""
    newest = calendar_store.current(tx)
    if seen is not None and seen != newest.number:
        raise Problem(
            409,
            "stale",
            coded(
                "calendar_changed",
                "the calendar is version {version} by now ({who})",
                version=newest.number,
                who=newest.by or "the program",
            ),
            LOOK_AGAIN,
        )


def _check_days(year: int, body: YearBody) -> None:
    days = [*body.days_off, *body.workdays]
    wrong = [str(day) for day in days if day.year != year]
    wrong += [str(day) for day in set(body.days_off) & set(body.workdays)]
    wrong += [str(day) for day in body.workdays if day.weekday() < SATURDAY]
    if wrong:
        raise Problem(
            422,
            "bad_days",
            coded(
                "wrong_days", "year {year}: {days}", year=year, days=", ".join(sorted(set(wrong)))
            ),
            DAYS,
        )
