"""Lifts of a truck's hopper, and what each of them was: unloading, and where, or none.

State and point in, state and lift out; the verdict is a table of its own. Unloading is a raised
hopper of a standing truck whose load is less afterwards. Raised on the way (a loose sensor, a
forgotten hopper) or with the load unchanged (washing, repair) it is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from enum import StrEnum
from statistics import median

from hub.grid.geodesy import distance_m
from hub.tracks.cleaning import KMH
from hub.tracks.point import Point
from hub.tracks.settings import TrackSettings
from hub.tracks.sites import Site, at_place, open_at

# Enough points to say where a lift was; a stuck sensor says "raised" for days.
MAX_POINTS = 500


class Verdict(StrEnum):
    """What a lift was; `illegal_place` and `outside_hours` are the dumping violations."""

    APPROVED = "approved"
    OUTSIDE_HOURS = "outside_hours"
    ILLEGAL_PLACE = "illegal_place"
    LIFT_WITHOUT_UNLOADING = "lift_without_unloading"
    LIFT_WHILE_MOVING = "lift_while_moving"


@dataclass(frozen=True, slots=True)
class Lift:
    """The hopper was up from `start`; `end` is the first point at which it was down again.

    `lat`, `lon` are the median of the points with the hopper up. Loads are None where the
    truck never said. `is_over` is False where the track ended, or fell silent, before it came down.
    """

    start: datetime
    end: datetime
    lat: float
    lon: float
    speed_kmh: float
    load_before: int | None
    load_after: int | None
    is_over: bool


@dataclass(frozen=True, slots=True)
class LiftState:
    """The load said last and, during a lift and until its load has settled, what it was like.

    `raised` are the first points with the hopper up, `raised_at` the newest; `down_at` is None
    while it is up.
    """

    load: int | None = None
    load_before: int | None = None
    raised: tuple[Point, ...] = ()
    raised_at: datetime | None = None
    down_at: datetime | None = None
    last_at: datetime | None = None


def follow(
    state: LiftState | None, point: Point, settings: TrackSettings
) -> tuple[LiftState, tuple[Lift, ...]]:
    """Move on by one point; points come in order of time, their positions need not be good."""
    state = state or LiftState()
    load = _known(point.load, state.load)
    if not state.raised:
        if point.hopper:
            return _raise(state, point, load_before=_known(state.load, point.load)), ()
        return (state if load == state.load else LiftState(load)), ()
    if _is_silent(state, point, settings) or (point.hopper and _is_settled(state, point, settings)):
        after, _ = follow(LiftState(state.load), point, settings)
        return after, finish(state, settings)
    if _is_settled(state, point, settings):
        return LiftState(load), finish(replace(state, load=load), settings)
    if point.hopper:
        return _raise(state, point, load_before=state.load_before), ()
    down_at = point.at if point.hopper is False and state.down_at is None else state.down_at
    return replace(state, load=load, down_at=down_at, last_at=point.at), ()


def finish(state: LiftState | None, _settings: TrackSettings) -> tuple[Lift, ...]:
    """The lift that has begun, as it stands at the last point."""
    if state is None or not state.raised:
        return ()
    raised = state.raised
    lift = Lift(
        start=raised[0].at,
        end=state.down_at or state.raised_at or raised[-1].at,
        lat=median(point.lat for point in raised),
        lon=median(point.lon for point in raised),
        speed_kmh=_speed_kmh(raised),
        load_before=state.load_before,
        load_after=state.load,
        is_over=state.down_at is not None,
    )
    return (lift,)


def verdict(
    lift: Lift, sites: Sequence[Site] | None, zone: tzinfo, settings: TrackSettings
) -> tuple[Verdict | None, Site | None]:
    """What the lift was, and the site it was at.

    Where several sites overlap, one that was open when the hopper went up is enough. Without
    `sites` (None) nothing is known about places: unloading gets no verdict. Without any word
    about the load, the place decides alone.
    """
    if lift.speed_kmh > settings.standing_kmh:
        return Verdict.LIFT_WHILE_MOVING, None
    if has_unloaded(lift) is False:
        return Verdict.LIFT_WITHOUT_UNLOADING, None
    if sites is None:
        return None, None
    here = at_place(sites, lift.lat, lift.lon)
    if not here:
        return Verdict.ILLEGAL_PLACE, None
    site = open_at(here, lift.start, zone)
    return (Verdict.APPROVED, site) if site else (Verdict.OUTSIDE_HOURS, here[0])


def has_unloaded(lift: Lift) -> bool | None:
    """Whether there was less load afterwards; None where the truck does not say."""
    if lift.load_before is None or lift.load_after is None:
        return None
    return lift.load_after < lift.load_before


def _raise(state: LiftState, point: Point, load_before: int | None) -> LiftState:
    return LiftState(
        load=_known(point.load, state.load),
        load_before=load_before,
        raised=(*state.raised, point)[:MAX_POINTS],
        raised_at=point.at,
        last_at=point.at,
    )


def _known(load: int | None, otherwise: int | None) -> int | None:
    return otherwise if load is None else load


def _is_silent(state: LiftState, point: Point, settings: TrackSettings) -> bool:
    silent_s = (point.at - (state.last_at or point.at)).total_seconds()
    return silent_s >= settings.gap_min_s


def _is_settled(state: LiftState, point: Point, settings: TrackSettings) -> bool:
    """Whether the hopper has been down for long enough: for the load, or for a new lift."""
    if state.down_at is None:
        return False
    down_s = (point.at - state.down_at).total_seconds()
    return down_s >= (settings.lift_pause_s if point.hopper else settings.load_settle_s)


def _speed_kmh(raised: Sequence[Point]) -> float:
    """The median of the speeds said; otherwise how far the truck got, over the time it took."""
    said = [point.speed_kmh for point in raised if point.speed_kmh is not None]
    if said:
        return median(said)
    first, last = raised[0], raised[-1]
    seconds = (last.at - first.at).total_seconds()
    away_m = max(distance_m(first.lat, first.lon, p.lat, p.lon) for p in raised)
    return away_m / seconds * KMH if seconds > 0 else 0.0
