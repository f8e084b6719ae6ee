"""Under way at night."""

from collections.abc import Callable
from datetime import tzinfo

from hub.grid.hours import Hours
from hub.tracks import lasting
from hub.tracks.episode import Episode, Kind
from hub.tracks.lasting import Condition, Lasting
from hub.tracks.point import Point
from hub.tracks.settings import TrackSettings

Step = Callable[[Lasting | None, Point, TrackSettings], tuple[Lasting | None, tuple[Episode, ...]]]


def night_running(night: Hours, zone: tzinfo) -> Step:
    """The rule for a night that begins and ends at hours of local time."""

    def step(
        state: Lasting | None, point: Point, settings: TrackSettings
    ) -> tuple[Lasting | None, tuple[Episode, ...]]:
        kmh = point.speed_kmh
        at_night = night.are_open(point.at, zone)
        holds = (None if kmh is None else kmh >= settings.moving_kmh) if at_night else False
        return lasting.follow(state, point, _condition(settings), holds=holds, value=kmh or 0.0)

    return step


def finish(state: Lasting | None, settings: TrackSettings) -> tuple[Episode, ...]:
    """The night running that lasts."""
    return lasting.finish(state, _condition(settings))


def _condition(settings: TrackSettings) -> Condition:
    # A red light, a gate, a stop to unload: the same run.
    return Condition(
        Kind.NIGHT_RUNNING, settings.night_min_s, settings.leg_max_s, pause_s=settings.gap_min_s
    )
