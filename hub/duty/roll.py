"""The roll of a span of days: every shift of every person with what the tracks prove of it.

A shift is called by the first duty table that held while it ran; what a later table says of hours
that a person was called for already counts from his next shift on. For days before the hub had a
duty table the first one holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time as clock, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy.engine import Connection

from hub.calendar import store as calendar_store
from hub.calendar.work_calendar import WorkCalendar
from hub.config import Attendance as Tolerances
from hub.duty import history, store as duty_store
from hub.duty.attendance import Attendance, AttendanceSettings, Position, attendance
from hub.duty.duty import Person, Post
from hub.duty.history import Roster
from hub.duty.shift import Shift
from hub.grid.geodesy import metres_per_degree
from hub.grid.grid import Grid
from hub.store import from_ms, to_ms
from hub.tracks.cleaning import Believed, clean
from hub.tracks.point import Point
from hub.tracks.settings import DEFAULTS
from hub.tracks.store import fixes_between
from wire.track import VALID

LONGEST = timedelta(days=2)
"""From the beginning of a day to the end of a shift that begins on it."""


@dataclass(frozen=True)
class Line:
    """One shift of one person on a day, and what is known of it."""

    person: Person
    post: Post
    shift: Shift
    day: date
    start: datetime
    end: datetime
    found: Attendance


@dataclass(frozen=True)
class Asked:
    """Whose roll: local days from `since` before `until`; None for all."""

    since: date
    until: date
    grid: str | None = None
    post: str | None = None
    person: str | None = None
    shift: str | None = None


@dataclass(frozen=True)
class Place:
    """Where the roll is called: the grids in force, the site's time zone and tolerances."""

    grids: Sequence[Grid]
    zone: ZoneInfo
    settings: AttendanceSettings


@dataclass(frozen=True, slots=True)
class _Due:
    """Somebody who has to be there from `start` to `end`."""

    person: Person
    post: Post
    shift: Shift
    start: datetime
    end: datetime


def roll(tx: Connection, asked: Asked, place: Place, now: datetime) -> list[Line]:
    """The roll by day, post and person. Grids of a post that are not in force count as none."""
    settings = place.settings
    rosters = _rosters(tx, asked, place.zone)
    if not rosters:
        return []
    calendar = calendar_store.calendar(tx, place.zone)
    around = timedelta(seconds=settings.silence_s)
    named = _Names.load(tx)
    areas: dict[tuple[str, ...], BaseGeometry] = {}
    lines = []
    for day in (asked.since + timedelta(days=n) for n in range((asked.until - asked.since).days)):
        everyone = _due(rosters, day, place.zone, calendar)
        for due in (each for each in everyone if _is_asked(each, asked)):
            patrols = due.post.patrols
            if patrols not in areas:
                areas[patrols] = _area(due.post, place.grids, settings.margin_m)
            span = due.start - around, due.end + around
            tracks = [_track(tx, each, areas[patrols], *span) for each in due.person.trackers]
            found = attendance(tracks, due.start, due.end, now, settings)
            who = named.person(due.person), named.post(due.post), named.shift(due.shift)
            lines.append(Line(*who, day, due.start, due.end, found))
    return lines


def _rosters(tx: Connection, asked: Asked, zone: ZoneInfo) -> list[Roster]:
    """The duty tables that held while shifts of the days ran, in order of time."""
    known = history.begins(tx)
    if known is None:
        return []
    first = datetime.combine(asked.since, clock(), zone)
    last = datetime.combine(asked.until + timedelta(days=1), clock(), zone)
    return history.between(tx, max(first, known), max(last, known + timedelta(milliseconds=1)))


def _is_asked(due: _Due, asked: Asked) -> bool:
    return (
        asked.post in (None, due.post.code)
        and asked.person in (None, due.person.id)
        and asked.shift in (None, due.shift.code)
        and (asked.grid is None or asked.grid in due.post.patrols)
    )


def _due(
    rosters: Sequence[Roster], day: date, zone: ZoneInfo, calendar: WorkCalendar
) -> list[_Due]:
    """Who had to be there on a day, by post and person."""
    called: dict[str, list[_Due]] = {}
    begins = datetime.combine(day, clock(), zone)
    for roster, (since, until) in zip(rosters, _held(rosters), strict=True):
        if (until and until <= begins) or (since and since >= begins + LONGEST):
            continue
        new = [
            each
            for each in _running(roster, day, zone, calendar)
            if (until is None or each.start < until)
            and (since is None or each.end > since)
            and not any(
                each.start < known.end and known.start < each.end
                for known in called.get(each.person.id, ())
            )
        ]
        for each in new:
            called.setdefault(each.person.id, []).append(each)
    everyone = (each for found in called.values() for each in found)
    return sorted(everyone, key=lambda each: (each.person.post, each.person.id))


def _held(rosters: Sequence[Roster]) -> list[tuple[datetime | None, datetime | None]]:
    """Since and until when each held; None: as long as was asked for."""
    changes = [each.since for each in rosters[1:]]
    return list(zip([None, *changes], [*changes, None], strict=True))


def _running(roster: Roster, day: date, zone: ZoneInfo, calendar: WorkCalendar) -> Iterator[_Due]:
    for person in roster.people:
        post = roster.posts.get(person.post)
        for code in post.shifts if post else ():
            shift = roster.shifts.get(code)
            if post and shift and shift.runs_on(day, calendar):
                yield _Due(person, post, shift, *shift.window(day, zone))


@dataclass(frozen=True, slots=True)
class _Names:
    """What people, posts and shifts are called: by their codes once they are gone."""

    people: Mapping[str, str]
    posts: Mapping[str, str]
    shifts: Mapping[str, str]

    @classmethod
    def load(cls, tx: Connection) -> "_Names":
        """As they are today: the history keeps none."""
        return cls(
            {each.id: each.name for each in duty_store.load_people(tx)},
            {each.code: each.name for each in duty_store.load_posts(tx)},
            {each.code: each.name for each in duty_store.load_shifts(tx)},
        )

    def person(self, person: Person) -> Person:
        return replace(person, name=self.people.get(person.id, person.id))

    def post(self, post: Post) -> Post:
        return replace(post, name=self.posts.get(post.code, post.code))

    def shift(self, shift: Shift) -> Shift:
        return replace(shift, name=self.shifts.get(shift.code, shift.code))


def settings_of(tolerances: Tolerances) -> AttendanceSettings:
    """The section of the configuration, as the rule takes it."""
    return AttendanceSettings(**tolerances.model_dump())


def _area(post: Post, grids: Sequence[Grid], margin_m: float) -> BaseGeometry:
    """The grids of a post and so much around them, prepared."""
    own = [grid.geometry for grid in grids if grid.code in post.patrols]
    area = shapely.union_all(own)
    if not area.is_empty and margin_m:
        north, east = metres_per_degree(area.centroid.y)
        scaled = shapely.transform(area, lambda positions: positions * (east, north))
        wide = scaled.buffer(margin_m)
        area = shapely.transform(wide, lambda positions: positions / (east, north))
    shapely.prepare(area)
    return area


def _track(
    tx: Connection, tracker: str, area: BaseGeometry, since: datetime, until: datetime
) -> list[Position]:
    """The believed positions of a phone or car within a span, each inside the area or not."""
    state, points = Believed(), list[Point]()
    for fix in fixes_between(tx, tracker, since, until):
        if fix.flags & VALID:
            state, taken, _ = clean(state, Point(from_ms(fix.ts), fix.lat, fix.lon), DEFAULTS)
            points += taken
    lons, lats = np.array([p.lon for p in points]), np.array([p.lat for p in points])
    inside = shapely.intersects_xy(area, lons, lats)
    return [
        Position(to_ms(point.at), bool(is_in)) for point, is_in in zip(points, inside, strict=True)
    ]
