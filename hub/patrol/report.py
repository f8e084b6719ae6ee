"""What coverage and sweeping over some days come to: from rows to figures, no HTTP."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from sqlalchemy.engine import Connection

from hub.calendar import store as calendar_store
from hub.calendar.work_calendar import WorkCalendar
from hub.config import HubConfig
from hub.duty import store as duty_store
from hub.duty.duty import Post
from hub.duty.shift import Shift
from hub.errors import not_found
from hub.grid.grid import Grid
from hub.patrol import store as patrol_store
from hub.patrol.coverage import Coverage, Period, Span, coverage
from hub.patrol.settings import plan_of
from hub.patrol.store import Tally, Which
from hub.patrol.visit import Manner

MOST_NAMED = 2000
"""Of more grids the visits of all are read and sorted out later."""


class Standing(StrEnum):
    """How a grid stands: `open` can still be visited in time, or was not due yet.

    Where nobody looked in time somebody was `parked` or `passed`, or came on some day not at all:
    `missed`.
    """

    VISITED = "visited"
    OPEN = "open"
    PARKED = "parked"
    PASSED = "passed"
    MISSED = "missed"


@dataclass(frozen=True)
class Question:
    """Which coverage is asked for: local days from `since` before `until`, all None for all.

    `grid`: that grid and all below it. `post`: the grids it patrols, by its people. `shift`: only
    visits in its hours, due on its days.
    """

    since: date
    until: date
    level: int | None = None
    grid: str | None = None
    post: str | None = None
    shift: str | None = None


@dataclass(frozen=True)
class Row:
    """One grid: what was required of it and made, how often it was truly visited, when last."""

    grid: Grid
    coverage: Coverage
    visits: int
    slow_s: float
    last: datetime | None

    @property
    def standing(self) -> Standing:
        """The word for it."""
        found = self.coverage
        if len(found.missed) > len(found.parked) + len(found.passed):
            return Standing.MISSED
        if found.missed:
            return Standing.PARKED if found.parked else Standing.PASSED
        return Standing.VISITED if found.made and not found.open else Standing.OPEN


@dataclass(frozen=True)
class Asked:
    """A question with the grids and visits it is about.

    `which` may be of more grids than these where they are too many to name.
    """

    span: Span
    grids: tuple[Grid, ...]
    which: Which


def rows(tx: Connection, config: HubConfig, grids: Sequence[Grid], asked: Question,
         today: date) -> list[Row]:  # fmt: skip
    """The coverage of every grid of the question that the plan names, in the order of `grids`.

    Raises Problem 404 for a grid, post or shift that does not exist.
    """
    found = look_up(tx, config, grids, asked, today)
    days: dict[str, dict[Manner, tuple[date, ...]]] = {}
    looked: dict[str, Tally] = {}
    # Of a week that begins before the span only the visits within the span are counted.
    for tally in patrol_store.tallies(tx, found.which, asked.since, asked.until):
        days.setdefault(tally.grid, {})[tally.manner] = tally.days
        if tally.manner is Manner.LOOKED:
            looked[tally.grid] = tally
    begun = patrol_store.required_from(tx, config.zone)
    known = {grid.code: grid for grid in found.grids}
    covered = coverage(found.grids, days, plan_of(config.patrol), found.span, begun)
    return [_row(known[each.grid], each, looked.get(each.grid)) for each in covered]


def look_up(tx: Connection, config: HubConfig, grids: Sequence[Grid], asked: Question,
            today: date) -> Asked:  # fmt: skip
    """The grids and visits that a question is about."""
    post = _post(tx, asked.post) if asked.post is not None else None
    chosen = chosen_grids(grids, asked, post)
    span = Span(asked.since, asked.until, config.zone, today)
    plan = plan_of(config.patrol)
    periods = {plan[grid.level].period for grid in chosen if grid.level in plan}
    since, until = span.reach if Period.WEEK in periods else (asked.since, asked.until)
    hours = None
    if asked.shift is not None:
        shift, calendar = _shift(tx, asked.shift), calendar_store.calendar(tx, config.zone)
        span = replace(span, counts=lambda day: shift.runs_on(day, calendar))
        hours = list(_hours(shift, since, until, config.zone, calendar))
    which = Which(
        since,
        until,
        grids={grid.code for grid in chosen} if len(chosen) <= MOST_NAMED else None,
        vehicles=None if post is None else _trackers(tx, post),
        hours=hours,
    )
    return Asked(span, tuple(chosen), which)


def chosen_grids(grids: Sequence[Grid], asked: Question, post: Post | None) -> list[Grid]:
    """The grids of a question: of one level, below one grid, of a post."""
    chosen = list(grids)
    if asked.grid is not None:
        if all(grid.code != asked.grid for grid in grids):
            raise not_found("grid", asked.grid)
        chosen = below(chosen, [asked.grid], grids)
    if post is not None:
        chosen = below(chosen, post.patrols, grids)
    if asked.level is not None:
        chosen = [grid for grid in chosen if grid.level == asked.level]
    return chosen


def below(chosen: Iterable[Grid], roots: Collection[str], grids: Sequence[Grid]) -> list[Grid]:
    """Those of `chosen` that are one of the roots or lie under one in the tree of `grids`."""
    parents: Mapping[str, str | None] = {grid.code: grid.parent for grid in grids}
    wanted = set(roots)

    def is_under(code: str | None) -> bool:
        seen: set[str] = set()
        while code is not None and code not in seen:
            if code in wanted:
                return True
            seen.add(code)
            code = parents.get(code)
        return False

    return [grid for grid in chosen if is_under(grid.code)]


def _row(grid: Grid, found: Coverage, looked: Tally | None) -> Row:
    if looked is None:
        return Row(grid, found, 0, 0.0, None)
    return Row(grid, found, looked.count, looked.slow_s, looked.last)


def _hours(
    shift: Shift, since: date, until: date, zone: tzinfo, calendar: WorkCalendar
) -> Iterator[tuple[date, datetime, datetime]]:
    """When it runs on each day, also as begun on the day before."""
    for day in (since + timedelta(days=n) for n in range((until - since).days)):
        for begun in (day, day - timedelta(days=1)):
            if shift.runs_on(begun, calendar):
                yield day, *shift.window(begun, zone)


def _trackers(tx: Connection, post: Post) -> set[str]:
    people = duty_store.load_people(tx, duty_store.people.c.post == post.code)
    return {tracker for person in people for tracker in person.trackers}


def _post(tx: Connection, code: str) -> Post:
    found = duty_store.load_posts(tx, duty_store.posts.c.code == code)
    if not found:
        raise not_found("post", code)
    return found[0]


def _shift(tx: Connection, code: str) -> Shift:
    found = duty_store.load_shifts(tx, duty_store.shifts.c.code == code)
    if not found:
        raise not_found("shift", code)
    return found[0]
