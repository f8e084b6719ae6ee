"""Standing with the engine on: state and point in, state and episodes out."""

from hub.grid.geodesy import distance_m
from hub.tracks import lasting
from hub.tracks.episode import Episode, Kind
from hub.tracks.lasting import Condition, Lasting
from hub.tracks.point import Point
from hub.tracks.settings import TrackSettings


def idle(
    state: Lasting | None, point: Point, settings: TrackSettings
) -> tuple[Lasting | None, tuple[Episode, ...]]:
    """Move on by one point; a vehicle that does not tell of its ignition never idles."""
    near = state is None or (
        distance_m(state.lat, state.lon, point.lat, point.lon) <= settings.stop_radius_m
    )
    slow = point.speed_kmh is None or point.speed_kmh <= settings.standing_kmh
    holds = bool(point.acc_on) and slow and near
    return lasting.follow(state, point, _condition(settings), holds=holds)


def finish(state: Lasting | None, settings: TrackSettings) -> tuple[Episode, ...]:
    """The idling that lasts."""
    return lasting.finish(state, _condition(settings))


def _condition(settings: TrackSettings) -> Condition:
    # A parked terminal reports every few minutes: silence up to a gap says nothing against it.
    return Condition(Kind.IDLE, settings.idle_min_s, settings.gap_min_s, min_points=2)
