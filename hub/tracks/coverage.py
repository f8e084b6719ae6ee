"""Patrol coverage: which grids were truly visited, and which were due and were not.

Driving past is no visit: what counts are the seconds spent in a grid at the pace of somebody who
looks. Half of a leg from one grid to another counts for each of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise

from hub.grid.grid import Grid
from hub.tracks.cleaning import leg_kmh
from hub.tracks.errors import TrackError
from hub.tracks.point import Point


@dataclass(frozen=True, slots=True)
class VisitSettings:
    """What makes a visit.

    `pace_kmh`: nobody looks at a street when faster. `dwell_s`: so many seconds at that pace.
    `leg_max_s`: between points further apart in time nobody knows. `again_s`: whoever comes back
    sooner is still at the same visit.
    """

    pace_kmh: float = 20.0
    dwell_s: float = 20.0
    leg_max_s: float = 120.0
    again_s: float = 900.0


DEFAULT_VISIT = VisitSettings()


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit of a grid; `slow_s` are the seconds at the pace of somebody who looks."""

    grid: str
    start: datetime
    end: datetime
    slow_s: float


class Period(StrEnum):
    """A day, or a week from Monday, of local time."""

    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class Frequency:
    """So many visits in every day, or in every week."""

    times: int
    period: Period

    def __post_init__(self) -> None:
        """Raises TrackError for less than one visit."""
        if self.times < 1:
            raise TrackError(f"patrol plan: {self.times} visits are not allowed (1 or more)")


# 安政发〔2020〕20号: level 1 at least once a week; levels 2 and 3 every day.
ANKANG_PLAN: Mapping[int | None, Frequency] = {
    1: Frequency(1, Period.WEEK),
    2: Frequency(1, Period.DAY),
    3: Frequency(1, Period.DAY),
}


@dataclass(frozen=True, slots=True)
class Coverage:
    """One grid over some days: visits due, visits made of those due, days on which one was missed.

    A missed week is named by its Monday.
    """

    grid: str
    due: int
    made: int
    missed: tuple[date, ...]

    @property
    def share(self) -> float:
        """Made of due, 0 to 1."""
        return self.made / self.due


def visits(
    points: Iterable[Point],
    codes: Iterable[str | None],
    settings: VisitSettings = DEFAULT_VISIT,
) -> list[Visit]:
    """The visits of a track, by start.

    `points` are believed points in order of time, `codes` the grid of each, None outside.
    """
    stays = [
        stay
        for (before, left), (after, entered) in pairwise(zip(points, codes, strict=True))
        for stay in _slow_halves(before, left, after, entered, settings)
    ]
    joined = _joined(stays, settings)
    found = [visit for visit in joined if visit.slow_s >= settings.dwell_s]
    return sorted(found, key=lambda visit: (visit.start, visit.grid))


def coverage(
    grids: Iterable[Grid],
    visits_made: Iterable[Visit],
    plan: Mapping[int | None, Frequency],
    *,
    since: date,
    until: date,
    zone: tzinfo,
) -> list[Coverage]:
    """Coverage of every grid whose level the plan names, over the days from `since` before `until`.

    A visit counts for the local day of its start. Weeks count when they lie within the days
    entirely. Raises TrackError where no period does.
    """
    starts: dict[str, list[date]] = {}
    for visit in visits_made:
        starts.setdefault(visit.grid, []).append(visit.start.astimezone(zone).date())
    return [
        _coverage(grid.code, plan[grid.level], starts.get(grid.code, []), since, until)
        for grid in grids
        if grid.level in plan
    ]


def _slow_halves(
    before: Point, left: str | None, after: Point, entered: str | None, settings: VisitSettings
) -> Iterator[Visit]:
    """A leg as seconds at the pace of looking, in the grid it left and the grid it entered."""
    seconds = (after.at - before.at).total_seconds()
    if not 0 < seconds <= settings.leg_max_s or leg_kmh(before, after) > settings.pace_kmh:
        return
    middle = before.at + (after.at - before.at) / 2
    if left is not None:
        yield Visit(left, before.at, middle, seconds / 2)
    if entered is not None:
        yield Visit(entered, middle, after.at, seconds / 2)


def _joined(stays: Iterable[Visit], settings: VisitSettings) -> Iterator[Visit]:
    """Stays in the same grid that follow each other soon enough, as one."""
    current: dict[str, Visit] = {}
    for stay in stays:
        visit = current.get(stay.grid)
        if visit and (stay.start - visit.end).total_seconds() <= settings.again_s:
            slow_s = visit.slow_s + stay.slow_s
            current[stay.grid] = Visit(stay.grid, visit.start, stay.end, slow_s)
            continue
        if visit:
            yield visit
        current[stay.grid] = stay
    yield from current.values()


def _coverage(
    grid: str, frequency: Frequency, starts: Sequence[date], since: date, until: date
) -> Coverage:
    periods = _periods(frequency.period, since, until)
    made = [
        min(sum(first <= day < end for day in starts), frequency.times) for first, end in periods
    ]
    missed = (
        first for (first, _), count in zip(periods, made, strict=True) if count < frequency.times
    )
    return Coverage(grid, frequency.times * len(periods), sum(made), tuple(missed))


def _periods(period: Period, since: date, until: date) -> list[tuple[date, date]]:
    length = timedelta(days=7 if period is Period.WEEK else 1)
    first = since + timedelta(days=-since.weekday() % 7) if period is Period.WEEK else since
    count = (until - first) // length
    if count < 1:
        raise TrackError(f"no whole {period} from {since} before {until}")
    return [(first + n * length, first + (n + 1) * length) for n in range(count)]
