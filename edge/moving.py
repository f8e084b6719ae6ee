"""Where a vehicle was at a moment: the fixes of its receiver as a line in time.

A camera that moves asks for the moment of a frame, which lies between two fixes. What the
receiver's thread puts in, the thread that looks takes out; a fix is used by its own time, not by
when it came. Where the machine's clock, by which frames are dated, differs from the receiver's,
the difference is seen in how long after its time every fix comes.
"""

import math
import threading
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from edge.config import EdgeConfig
from edge.gps.fix import Fix

EARTH_RADIUS_M = 6_371_008.8
KMH = 3.6

FIX_RADIUS_M = 5.0
"""What a receiver under an open sky is good for."""
LONGEST_STEP_S = 10.0
"""Between fixes further apart in time a vehicle may have gone anywhere: nothing is interpolated."""
MOVING_KMH = 3.0
"""Slower than this a receiver's heading is noise; the last one before still holds."""
FASTEST_MS = 30.0
"""A vehicle lost for a while is no further away than this speed takes it."""
LOST_RADIUS_M = 100_000.0

MOST_FIXES = 20_000
ARRIVALS = 30
CLOCKS_AGREE_S = 1.0
"""A fix comes within this after its time where both clocks are right; more is a difference."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A vehicle at a moment. Degrees WGS-84; `radius_m` within which it surely was.

    `heading_deg`: clockwise from north, None while it has not moved. `is_current`: False where only
    an older place is known.
    """

    lat: float
    lon: float
    radius_m: float
    heading_deg: float | None = None
    is_current: bool = True


@dataclass(frozen=True, slots=True)
class _Mark:
    """A fix, its time in seconds UTC by the receiver, and the heading that holds there."""

    at_s: float
    lat: float
    lon: float
    speed_kmh: float | None
    heading_deg: float | None


class Course:
    """The way of one vehicle. Safe to use from several threads.

    `home`: where it is until the receiver has had a fix. `max_age_s`: how long a fix holds.
    """

    def __init__(self, max_age_s: float = 3.0, home: tuple[float, float] | None = None) -> None:
        """Nothing known yet."""
        self._max_age_s = max_age_s
        self._home = home
        self._changed = threading.Condition()
        self._marks: deque[_Mark] = deque(maxlen=MOST_FIXES)
        self._delays_s: deque[float] = deque(maxlen=ARRIVALS)
        self._has_ended = False

    def take(self, fix: Fix, arrived_at: datetime | None) -> None:
        """One more fix; `arrived_at` by the machine's clock, None for one from a recording.

        A fix that is not newer than the last is left out.
        """
        at_s = fix.at.timestamp()
        with self._changed:
            last = self._marks[-1] if self._marks else None
            if last is not None and at_s <= last.at_s:
                return
            if arrived_at is not None:
                self._delays_s.append(arrived_at.timestamp() - at_s)
            heading = _heading(last, fix)
            self._marks.append(_Mark(at_s, fix.lat, fix.lon, fix.speed_kmh, heading))
            self._changed.notify_all()

    def end(self) -> None:
        """No fix will come any more: nobody needs to wait for one."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    @property
    def clock_ahead_s(self) -> float:
        """By how much the machine's clock is ahead of the receiver's; 0 where they agree."""
        least_s = min(self._delays_s, default=0.0)
        return 0.0 if abs(least_s) <= CLOCKS_AGREE_S else least_s

    def is_settled(self, moment: datetime) -> bool:
        """Whether more fixes would not make the answer for a moment any better."""
        with self._changed:
            return self._is_settled(moment)

    def wait(self, moment: datetime, wait_s: float) -> bool:
        """Wait until it is settled; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_settled(moment), wait_s)

    def at(self, moment: datetime) -> Whereabouts | None:
        """Where the vehicle was at a moment by the machine's clock; None when nothing is known.

        Between two fixes on the straight way; after the last one further as it went, for as long
        as a fix holds. Beyond that the last place, with the radius in which the vehicle can be.
        """
        with self._changed:
            at_s = self._receiver_s(moment)
            marks = self._marks
            after = bisect_left(marks, at_s, key=lambda mark: mark.at_s)
            if after < len(marks) and marks[after].at_s == at_s:
                return _place(marks[after])
            if 0 < after < len(marks):
                return self._between(marks[after - 1], marks[after], at_s)
            if after == 0 and marks:
                return self._near(marks[0], at_s)
            if marks:
                return self._beyond(marks[-1], at_s)
            return self._at_home()

    def _is_settled(self, moment: datetime) -> bool:
        newest = self._marks[-1].at_s if self._marks else -math.inf
        return self._has_ended or newest >= self._receiver_s(moment)

    def _receiver_s(self, moment: datetime) -> float:
        return moment.timestamp() - self.clock_ahead_s

    def _between(self, before: _Mark, after: _Mark, at_s: float) -> Whereabouts:
        step_s = after.at_s - before.at_s
        if step_s > max(LONGEST_STEP_S, self._max_age_s):
            nearest = before if at_s - before.at_s <= after.at_s - at_s else after
            return self._beyond(nearest, at_s) if nearest is before else self._near(nearest, at_s)
        part = (at_s - before.at_s) / step_s
        lon_step = (after.lon - before.lon + 180) % 360 - 180
        return Whereabouts(
            before.lat + part * (after.lat - before.lat),
            (before.lon + part * lon_step + 180) % 360 - 180,
            FIX_RADIUS_M + step_s / 2,
            _turned(before.heading_deg, after.heading_deg, part),
        )

    def _beyond(self, last: _Mark, at_s: float) -> Whereabouts:
        age_s = at_s - last.at_s
        speed_ms = (last.speed_kmh or 0.0) / KMH
        if age_s > self._max_age_s:
            return _lost(last, age_s)
        if last.heading_deg is None or speed_ms * KMH < MOVING_KMH:
            return _place(last, FIX_RADIUS_M + 2 * age_s)
        lat, lon = moved(last.lat, last.lon, last.heading_deg, speed_ms * age_s)
        radius_m = FIX_RADIUS_M + 2 * age_s + 0.2 * speed_ms * age_s
        return Whereabouts(lat, lon, radius_m, last.heading_deg)

    def _near(self, mark: _Mark, at_s: float) -> Whereabouts:
        """Before a fix, with nothing before it that is near in time."""
        early_s = mark.at_s - at_s
        if early_s > self._max_age_s:
            return _lost(mark, early_s)
        speed_ms = (mark.speed_kmh or 0.0) / KMH
        return _place(mark, FIX_RADIUS_M + (2 + speed_ms) * early_s)

    def _at_home(self) -> Whereabouts | None:
        if self._home is None:
            return None
        return Whereabouts(*self._home, LOST_RADIUS_M, is_current=False)


def courses_of(config: EdgeConfig) -> dict[str, Course]:
    """A course for every receiver that a camera of the device goes by."""
    courses = {}
    for camera in config.cameras:
        if (moving := camera.moving) is not None:
            home = (moving.home.lat, moving.home.lon) if moving.home else None
            courses[moving.receiver] = Course(moving.max_age_s, home)
    return courses


def moved(lat: float, lon: float, heading_deg: float, metres: float) -> tuple[float, float]:
    """The place so far away in a direction; exact to a centimetre within a street's length."""
    heading = math.radians(heading_deg)
    north, east = metres * math.cos(heading), metres * math.sin(heading)
    d_lat = math.degrees(north / EARTH_RADIUS_M)
    d_lon = math.degrees(east / (EARTH_RADIUS_M * math.cos(math.radians(lat))))
    return lat + d_lat, (lon + d_lon + 180) % 360 - 180


def apart_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Distance in metres over a street's length."""
    north = math.radians(lat2 - lat1) * EARTH_RADIUS_M
    lon_step = (lon2 - lon1 + 180) % 360 - 180
    east = math.radians(lon_step) * EARTH_RADIUS_M * math.cos(math.radians((lat1 + lat2) / 2))
    return math.hypot(north, east)


def _place(mark: _Mark, radius_m: float = FIX_RADIUS_M) -> Whereabouts:
    return Whereabouts(mark.lat, mark.lon, radius_m, mark.heading_deg)


def _lost(mark: _Mark, age_s: float) -> Whereabouts:
    radius_m = min(FIX_RADIUS_M + FASTEST_MS * age_s, LOST_RADIUS_M)
    return Whereabouts(mark.lat, mark.lon, radius_m, None, is_current=False)


def _heading(last: _Mark | None, fix: Fix) -> float | None:
    """What the receiver says while it moves, else the way since the last fix, else as before."""
    if fix.heading_deg is not None and (fix.speed_kmh is None or fix.speed_kmh >= MOVING_KMH):
        return fix.heading_deg % 360
    if last is None:
        return None
    way_m = apart_m(last.lat, last.lon, fix.lat, fix.lon)
    seconds = fix.at.timestamp() - last.at_s
    if fix.speed_kmh is None and way_m >= 2.0 and way_m / seconds * KMH >= MOVING_KMH:
        middle = math.cos(math.radians((last.lat + fix.lat) / 2))
        east, north = (fix.lon - last.lon) * middle, fix.lat - last.lat
        return math.degrees(math.atan2(east, north)) % 360
    return last.heading_deg


def _turned(before: float | None, after: float | None, part: float) -> float | None:
    if before is None or after is None:
        return after if before is None else before
    return (before + part * ((after - before + 180) % 360 - 180)) % 360
