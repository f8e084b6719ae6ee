"""What coverage and sweeping over some days come to: from rows to figures, no HTTP."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
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
from hub.patrol.store import MadeVisit
from hub.patrol.visit import Manner

MOST_NAMED = 2000
"""Of more grids the visits of all are read and sorted out here."""


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
    """A question with the rows it is about."""

    span: Span
    grids: tuple[Grid, ...]
    made: tuple[MadeVisit, ...]


def rows(tx: Connection, config: HubConfig, grids: Sequence[Grid], asked: Question,
         today: date) -> list[Row]:  # fmt: skip
    """The coverage of every grid of the question that the plan names, in the order of `grids`.

    Raises Problem 404 for a grid, post or shift that does not exist.
    """
    which = look_up(tx, config, grids, asked, today)
    by_grid: dict[str, list[MadeVisit]] = {}
    for each in which.made:
        by_grid.setdefault(each.visit.grid, []).append(each)
    known = {grid.code: grid for grid in which.grids}
    visits = [each.visit for each in which.made]
    begun = patrol_store.required_from(tx, config.zone)
    found = coverage(which.grids, visits, plan_of(config.patrol), which.span, begun)
    return [_row(known[each.grid], each, by_grid.get(each.grid, ()), asked, config)
            for each in found]  # fmt: skip


def look_up(tx: Connection, config: HubConfig, grids: Sequence[Grid], asked: Question,
            today: date) -> Asked:  # fmt: skip
    """The grids and visits that a question is about."""
    post = _post(tx, asked.post) if asked.post is not None else None
    shift = _shift(tx, asked.shift) if asked.shift is not None else None
    calendar = calendar_store.calendar(tx, config.zone)
    span = Span(asked.since, asked.until, config.zone, today)
    if shift is not None:
        runs = shift
        span = Span(asked.since, asked.until, config.zone, today,
                    lambda day: runs.runs_on(day, calendar))  # fmt: skip
    chosen = chosen_grids(grids, asked, post)
    codes = {grid.code for grid in chosen}
    plan = plan_of(config.patrol)
    periods = {plan[grid.level].period for grid in chosen if grid.level in plan}
    first, last = span.reach if Period.WEEK in periods else (asked.since, asked.until)
    named = codes if len(codes) <= MOST_NAMED else None
    made = patrol_store.made_between(tx, first, last, tuple(Manner), named)
    names = None if post is None else _trackers(tx, post)
    return Asked(
        span,
        tuple(chosen),
        tuple(
            each
            for each in made
            if each.visit.grid in codes
            and (names is None or each.vehicle in names)
            and (shift is None or _is_within(each, shift, config, calendar))
        ),
    )


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


def _row(
    grid: Grid, found: Coverage, made: Sequence[MadeVisit], asked: Question, config: HubConfig
) -> Row:
    """Of a week that begins before the span only the visits within the span are counted."""
    within = [
        each.visit
        for each in made
        if each.visit.manner is Manner.LOOKED
        and asked.since <= each.visit.start.astimezone(config.zone).date() < asked.until
    ]
    last = max((visit.end for visit in within), default=None)
    return Row(grid, found, len(within), sum(visit.slow_s for visit in within), last)


def _is_within(each: MadeVisit, shift: Shift, config: HubConfig, calendar: WorkCalendar) -> bool:
    return shift.holds(each.visit.start, config.zone, calendar) is not None


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
