"""Ledgers (台账): cases that will not end, and places where the same comes again and again.

Pure: the same facts give the same ledger in the same order, however they come in.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.grid.geodesy import distance_m, metres_per_degree


@dataclass(frozen=True, slots=True)
class Standing:
    """A case that is open: since when, and how often it was put off."""

    case_id: int
    opened_at: datetime
    suspensions: int = 0
    extensions: int = 0
    reworks: int = 0
    rebounds: int = 0


@dataclass(frozen=True, slots=True)
class LongStanding:
    """A case of the ledger of long standing, and what put it there."""

    case: Standing
    days: float
    is_old: bool
    is_put_off: bool


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The matter was there once: a case, its coming back, or an alert that opened none."""

    kind: str
    id: str
    case_id: int | None
    matter: str
    lat: float
    lon: float
    at: datetime


@dataclass(frozen=True, slots=True)
class RecurringPlace:
    """A circle in which one matter came often; `lat`, `lon`: the occurrence in its middle."""

    matter: str
    lat: float
    lon: float
    occurrences: tuple[Occurrence, ...]
    first_at: datetime
    last_at: datetime
    cases: tuple[int, ...] = field(default=())


def long_standing(
    cases: Iterable[Standing], at: datetime, days: float, times: int
) -> list[LongStanding]:
    """Open cases older than `days`, or put off `times`, the oldest first."""
    found = []
    for case in cases:
        age = (at - case.opened_at).total_seconds() / 86_400
        is_put_off = case.suspensions + case.extensions >= times
        if age > days or is_put_off:
            found.append(LongStanding(case, age, age > days, is_put_off))
    return sorted(found, key=lambda each: (each.case.opened_at, each.case.case_id))


def recurring(
    occurrences: Iterable[Occurrence], radius_m: float, times: int
) -> list[RecurringPlace]:
    """Places where one matter occurred `times` within `radius_m`, the most frequent first.

    The occurrence with the most others around it is the middle of the first place; what lies in
    it belongs to no other. So a place is never longer than its circle, as a chain of neighbours
    along a street would be.
    """
    by_matter: dict[str, list[Occurrence]] = defaultdict(list)
    for each in occurrences:
        by_matter[each.matter].append(each)
    places = [
        place
        for matter in sorted(by_matter)
        for place in _places(matter, by_matter[matter], radius_m, times)
    ]
    return sorted(places, key=lambda p: (-len(p.occurrences), p.matter, p.lat, p.lon))


def _places(
    matter: str, unsorted: Sequence[Occurrence], radius_m: float, times: int
) -> list[RecurringPlace]:
    points = sorted(unsorted, key=lambda o: (o.lat, o.lon, o.at, o.kind, o.id))
    around = _around(points, radius_m)
    left = set(range(len(points)))
    places = []
    while left:
        middle = max(left, key=lambda n: (len(around[n]), -n))
        members = sorted(around[middle])
        if len(members) < times:
            break
        for gone in members:
            left.discard(gone)
            for neighbour in around[gone]:
                if neighbour not in members:
                    around[neighbour].discard(gone)
        found = tuple(sorted((points[n] for n in members), key=lambda o: (o.at, o.kind, o.id)))
        cases = tuple(sorted({o.case_id for o in found if o.case_id is not None}))
        centre = points[middle]
        places.append(
            RecurringPlace(matter, centre.lat, centre.lon, found, found[0].at, found[-1].at, cases)
        )
    return places


def _around(points: Sequence[Occurrence], radius_m: float) -> list[set[int]]:
    """Of each point those within the radius, itself too; by squares of that size."""
    if not points:
        return []
    north_m, east_m = metres_per_degree(points[len(points) // 2].lat)
    step_lat, step_lon = radius_m / north_m, radius_m / max(east_m * 0.9, 1.0)
    squares: dict[tuple[int, int], list[int]] = defaultdict(list)
    for n, point in enumerate(points):
        squares[math.floor(point.lat / step_lat), math.floor(point.lon / step_lon)].append(n)
    around: list[set[int]] = [set() for _ in points]
    for (row, column), here in squares.items():
        beside = [
            n
            for r in (row - 1, row, row + 1)
            for c in (column - 1, column, column + 1)
            for n in squares.get((r, c), ())
        ]
        for n in here:
            a = points[n]
            around[n] = {
                m for m in beside
                if distance_m(a.lat, a.lon, points[m].lat, points[m].lon) <= radius_m
            }  # fmt: skip
    return around
