"""Stops, trips and gaps: state and point in, state and events out.

A stay is a run of points that lie within a radius of their middle; one that is long enough is a
stop. What lies between stops is a trip. Silence is neither. What is kept between two points is
written to rows, hence structs.
"""

from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from hub.grid.geodesy import distance_m
from hub.tracks.cleaning import KMH
from hub.tracks.point import Point
from hub.tracks.settings import TrackSettings


@dataclass(frozen=True, slots=True)
class Stop:
    """The vehicle stood; `lat`, `lon` are the middle of its points."""

    start: datetime
    end: datetime
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Trip:
    """The vehicle went from `lat`, `lon`; the distance is that of its points one after another."""

    start: datetime
    end: datetime
    distance_m: float
    top_kmh: float
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing was heard between two points; `lat`, `lon` are the first."""

    start: datetime
    end: datetime
    lat: float
    lon: float


Motion = Stop | Trip | Gap


class Mark(Struct, frozen=True, array_like=True):
    """A point with the distance driven until there and the speed on the way to it."""

    at: datetime
    lat: float
    lon: float
    driven_m: float
    speed_kmh: float


class Moving(Struct, frozen=True, tag="moving"):
    """On the way since `since`; `stay` are the last points, which may become a stop.

    `lat_sum` and `lon_sum` are those of the stay, `top_kmh` that of the points before it.
    """

    since: Mark
    stay: tuple[Mark, ...]
    lat_sum: float
    lon_sum: float
    top_kmh: float


class Standing(Struct, frozen=True, tag="standing"):
    """At a stop since `since`; `last` is the newest point there, `away` those after it.

    `lat`, `lon` are the middle of `count` points.
    """

    since: datetime
    last: Mark
    lat: float
    lon: float
    count: int
    away: tuple[Mark, ...]


MotionState = Moving | Standing
Step = tuple[MotionState, tuple[Motion, ...]]


def move(state: MotionState | None, point: Point, settings: TrackSettings) -> Step:
    """Move on by one believed point that is newer than the last."""
    if state is None:
        return _begin(point), ()
    last = _newest(state)
    if (point.at - last.at).total_seconds() >= settings.gap_min_s:
        return _begin(point), (*finish(state, settings), Gap(last.at, point.at, last.lat, last.lon))
    mark = _mark(last, point, settings)
    if isinstance(state, Standing):
        return _stay(state, mark, settings)
    return _go(state, mark, settings)


def finish(state: MotionState | None, settings: TrackSettings) -> tuple[Motion, ...]:
    """What has begun, as it stands at the last point."""
    if state is None:
        return ()
    if isinstance(state, Moving):
        return _trip(state, state.stay[-1], settings)
    if not state.away:
        return (_stop(state),)
    return (_stop(state), *_trip(_resume(state), state.away[-1], settings))


def _go(phase: Moving, mark: Mark, settings: TrackSettings) -> Step:
    """Shorten the stay until all of it is near its middle; one that lasts is a stop."""
    stay = (*phase.stay, mark)
    lat_sum, lon_sum, top_kmh = phase.lat_sum + mark.lat, phase.lon_sum + mark.lon, phase.top_kmh
    first = 0
    while first < len(stay) - 1:
        count = len(stay) - first
        lat, lon = lat_sum / count, lon_sum / count
        if _near(lat, lon, mark, settings) and _near(lat, lon, stay[first], settings):
            break
        lat_sum, lon_sum = lat_sum - stay[first].lat, lon_sum - stay[first].lon
        top_kmh = max(top_kmh, stay[first].speed_kmh)
        first += 1
    stay = stay[first:]
    if (mark.at - stay[0].at).total_seconds() < settings.stop_min_s:
        return Moving(phase.since, stay, lat_sum, lon_sum, top_kmh), ()
    count = len(stay)
    standing = Standing(stay[0].at, mark, lat_sum / count, lon_sum / count, count, ())
    before = Moving(phase.since, stay[:1], lat_sum, lon_sum, top_kmh)
    return standing, _trip(before, stay[0], settings)


def _stay(phase: Standing, mark: Mark, settings: TrackSettings) -> Step:
    if _near(phase.lat, phase.lon, mark, settings):
        count = phase.count + 1
        lat = phase.lat + (mark.lat - phase.lat) / count
        lon = phase.lon + (mark.lon - phase.lon) / count
        return Standing(phase.since, mark, lat, lon, count, ()), ()
    away = (*phase.away, mark)
    left = Standing(phase.since, phase.last, phase.lat, phase.lon, phase.count, away)
    if (mark.at - away[0].at).total_seconds() < settings.leave_min_s:
        return left, ()
    return _resume(left), (_stop(left),)


def _stop(phase: Standing) -> Stop:
    return Stop(phase.since, phase.last.at, phase.lat, phase.lon)


def _resume(phase: Standing) -> Moving:
    """On the way again, from the last point of the stop."""
    lat_sum, lon_sum = sum(m.lat for m in phase.away), sum(m.lon for m in phase.away)
    return Moving(phase.last, phase.away, lat_sum, lon_sum, 0.0)


def _trip(phase: Moving, end: Mark, settings: TrackSettings) -> tuple[Trip, ...]:
    """The way of `phase` until `end`, the last point of its stay that belongs to it."""
    driven_m = end.driven_m - phase.since.driven_m
    if driven_m < settings.trip_min_m or end.at <= phase.since.at:
        return ()
    top_kmh = max([phase.top_kmh, *(mark.speed_kmh for mark in phase.stay)])
    since = phase.since
    return (Trip(since.at, end.at, driven_m, top_kmh, since.lat, since.lon),)


def _begin(point: Point) -> Moving:
    mark = Mark(point.at, point.lat, point.lon, 0.0, point.speed_kmh or 0.0)
    return Moving(mark, (mark,), mark.lat, mark.lon, 0.0)


def _newest(state: MotionState) -> Mark:
    if isinstance(state, Moving):
        return state.stay[-1]
    return state.away[-1] if state.away else state.last


def _mark(last: Mark, point: Point, settings: TrackSettings) -> Mark:
    """The point as a mark; a leg that nobody can drive adds no distance and no speed."""
    leg_m = distance_m(last.lat, last.lon, point.lat, point.lon)
    kmh = leg_m / (point.at - last.at).total_seconds() * KMH
    if kmh > settings.jump_kmh:
        leg_m, kmh = 0.0, 0.0
    speed_kmh = kmh if point.speed_kmh is None else point.speed_kmh
    return Mark(point.at, point.lat, point.lon, last.driven_m + leg_m, speed_kmh)


def _near(lat: float, lon: float, mark: Mark, settings: TrackSettings) -> bool:
    return distance_m(lat, lon, mark.lat, mark.lon) <= settings.stop_radius_m
