"""Which points of a track to believe: each one refused has a reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from hub.grid.geodesy import distance_m, legs_m
from hub.tracks.point import Point
from hub.tracks.settings import TrackSettings

ZERO_DEG = 1e-3
KMH = 3.6


class Doubt(StrEnum):
    """Why a point's position is not used.

    `not_located`: the receiver does not vouch for it. `zero`: 0 N 0 E, what receivers say without
    a fix. `late`: older than the point before. `duplicate`: the same report again. `same_time`: a
    second place at the same moment. `jump`: nobody drives that fast. `future`: later than the
    clock of whoever received it.
    """

    NOT_LOCATED = "not_located"
    ZERO = "zero"
    LATE = "late"
    DUPLICATE = "duplicate"
    SAME_TIME = "same_time"
    JUMP = "jump"
    FUTURE = "future"


@dataclass(frozen=True, slots=True)
class Believed:
    """The last believed point, and one that seems to have jumped, until the next one decides."""

    last: Point | None = None
    suspect: Point | None = None


Step = tuple[Believed, tuple[Point, ...], Doubt | None]


def are_plain(points: Sequence[Point], settings: TrackSettings) -> bool:
    """Whether `clean` would believe them all, one by one; the same rule over columns, for speed."""
    if not all(point.located for point in points):
        return False
    lats = np.array([point.lat for point in points])
    lons = np.array([point.lon for point in points])
    seconds = np.diff([point.at.timestamp() for point in points])
    if ((abs(lats) < ZERO_DEG) & (abs(lons) < ZERO_DEG)).any() or (seconds <= 0).any():
        return False
    return bool((legs_m(lats, lons) * KMH <= settings.jump_kmh * seconds).all())


def clean(state: Believed, point: Point, settings: TrackSettings) -> Step:
    """Believe the point, or say why not; a confirmed suspect is believed together with it."""
    if not point.located:
        return state, (), Doubt.NOT_LOCATED
    if abs(point.lat) < ZERO_DEG and abs(point.lon) < ZERO_DEG:
        return state, (), Doubt.ZERO
    if state.last is None:
        return Believed(point), (point,), None
    newest = state.suspect or state.last
    if point.at <= newest.at:
        return state, (), _not_newer(newest, point)
    if state.suspect is None:
        return _follow(state.last, point, settings)
    return _decide(state.last, state.suspect, point, settings)


def _not_newer(newest: Point, point: Point) -> Doubt:
    if point.at < newest.at:
        return Doubt.LATE
    same = (point.lat, point.lon) == (newest.lat, newest.lon)
    return Doubt.DUPLICATE if same else Doubt.SAME_TIME


def _follow(last: Point, point: Point, settings: TrackSettings) -> Step:
    if leg_kmh(last, point) <= settings.jump_kmh:
        return Believed(point), (point,), None
    return Believed(last, point), (), None


def _decide(last: Point, suspect: Point, point: Point, settings: TrackSettings) -> Step:
    """The suspect was right if the way from it is possible, and slower than the way around it."""
    from_last, from_suspect = leg_kmh(last, point), leg_kmh(suspect, point)
    if from_suspect <= settings.jump_kmh and from_suspect < from_last:
        return Believed(point), (suspect, point), None
    if from_last <= settings.jump_kmh:
        return Believed(point), (point,), Doubt.JUMP
    return Believed(last, point), (), Doubt.JUMP


def leg_kmh(before: Point, after: Point) -> float:
    """Speed of the straight way between two points of different times."""
    seconds = (after.at - before.at).total_seconds()
    return distance_m(before.lat, before.lon, after.lat, after.lon) / seconds * KMH
