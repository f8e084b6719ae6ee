"""A vehicle that falls silent, and one that is suddenly elsewhere.

Silence is told when the next report shows how long it was, or, without waiting for one, when the
clock says so (`due`): the same episode, since it begins at the same last report.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from hub.grid.geodesy import distance_m
from hub.tracks.cleaning import KMH
from hub.tracks.episode import Episode, Kind
from hub.tracks.point import Point
from hub.tracks.settings import TrackSettings

IGNITION_ON = {"ignition": "on"}
"""The fact of a silence that began while the engine ran; a parked terminal is silent by design."""
KINDS = frozenset({Kind.SILENT_MOVING, Kind.OFFLINE})


class LastHeard(Struct, frozen=True):
    """The last report, and whether the vehicle was under way and its ignition on then."""

    at: datetime
    lat: float
    lon: float
    moving: bool
    acc_on: bool = False


def silence(
    state: LastHeard | None, point: Point, settings: TrackSettings
) -> tuple[LastHeard, tuple[Episode, ...]]:
    """Move on by one report."""
    moving = point.located and (point.speed_kmh or 0.0) >= settings.moving_kmh
    heard = LastHeard(point.at, point.lat, point.lon, moving, bool(point.acc_on))
    if state is None or point.at <= state.at:
        return heard, ()
    return heard, _silent(state, point.at, settings, over=True)


def due(state: LastHeard | None, now: datetime, settings: TrackSettings) -> tuple[Episode, ...]:
    """The silence that lasts at a moment of our clock."""
    return () if state is None else _silent(state, now, settings, over=False)


def _silent(
    state: LastHeard, until: datetime, settings: TrackSettings, *, over: bool
) -> tuple[Episode, ...]:
    silent_s = (until - state.at).total_seconds()
    said = []
    if state.moving and silent_s >= settings.silent_min_s:
        said.append((Kind.SILENT_MOVING, settings.silent_min_s))
    if silent_s >= settings.offline_min_s:
        said.append((Kind.OFFLINE, settings.offline_min_s))
    return tuple(
        Episode(
            kind,
            state.at,
            until if over else state.at + timedelta(seconds=min_s),
            state.lat,
            state.lon,
            over=over,
            facts=dict(IGNITION_ON) if state.acc_on else {},
        )
        for kind, min_s in said
    )


def jump(
    state: LastHeard | None, point: Point, settings: TrackSettings
) -> tuple[LastHeard, tuple[Episode, ...]]:
    """Move on by one believed point: a confirmed leg that nobody can drive is told."""
    heard = LastHeard(point.at, point.lat, point.lon, moving=False)
    if state is None or point.at <= state.at:
        return heard, ()
    leg_m = distance_m(state.lat, state.lon, point.lat, point.lon)
    kmh = leg_m / (point.at - state.at).total_seconds() * KMH
    if leg_m < settings.jump_min_m or kmh <= settings.jump_kmh:
        return heard, ()
    facts = {"distance_m": round(leg_m), "to_lat": point.lat, "to_lon": point.lon}
    return heard, (Episode(Kind.JUMP, state.at, point.at, state.lat, state.lon, facts=facts),)
