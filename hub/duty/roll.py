"""The roll of a span of days: every shift of every person with what the tracks prove of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy.engine import Connection

from hub.calendar import store as calendar_store
from hub.calendar.work_calendar import WorkCalendar
from hub.config import Attendance as Tolerances
from hub.duty import store as duty_store
from hub.duty.attendance import Attendance, AttendanceSettings, Position, attendance
from hub.duty.duty import Person, Post
from hub.duty.shift import Shift
from hub.grid.geodesy import metres_per_degree
from hub.grid.grid import Grid
from hub.store import from_ms, to_ms
from hub.tracks.cleaning import Believed, clean
from hub.tracks.point import Point
from hub.tracks.settings import DEFAULTS
from hub.tracks.store import fixes_between
from wire.track import VALID


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


def roll(tx: Connection, asked: Asked, place: Place, now: datetime) -> list[Line]:
    """The roll by day, post and person. Grids of a post that are not in force count as none."""
    settings = place.settings
    posts = {
        post.code: post
        for post in duty_store.load_posts(tx)
        if asked.post in (None, post.code) and (asked.grid is None or asked.grid in post.patrols)
    }
    people = [
        person
        for person in duty_store.load_people(tx)
        if person.post in posts and asked.person in (None, person.id)
    ]
    shifts = {shift.code: shift for shift in duty_store.load_shifts(tx)}
    calendar = calendar_store.calendar(tx, place.zone)
    areas = {code: _area(post, place.grids, settings.margin_m) for code, post in posts.items()}
    lines = []
    for day in (asked.since + timedelta(days=n) for n in range((asked.until - asked.since).days)):
        for person in sorted(people, key=lambda person: (person.post, person.id)):
            post = posts[person.post]
            for shift in _running(post, shifts, day, calendar):
                if asked.shift in (None, shift.code):
                    start, end = shift.window(day, place.zone)
                    around = timedelta(seconds=settings.silence_s)
                    span = start - around, end + around
                    tracks = [_track(tx, t, areas[post.code], *span) for t in person.trackers]
                    found = attendance(tracks, start, end, now, settings)
                    lines.append(Line(person, post, shift, day, start, end, found))
    return lines


def settings_of(tolerances: Tolerances) -> AttendanceSettings:
    """The section of the configuration, as the rule takes it."""
    return AttendanceSettings(**tolerances.model_dump())


def _running(
    post: Post, shifts: Mapping[str, Shift], day: date, calendar: WorkCalendar
) -> Iterable[Shift]:
    for code in post.shifts:
        shift = shifts.get(code)
        if shift is not None and shift.runs_on(day, calendar):
            yield shift


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
