"""Faster than allowed, for the vehicle's class and inside fences with a limit of their own."""

from collections.abc import Callable

from hub.tracks import lasting
from hub.tracks.episode import Episode, Kind
from hub.tracks.lasting import Condition, Lasting
from hub.tracks.point import Point
from hub.tracks.settings import TrackSettings

# The limit at a point in km/h and the fence it comes from ("" for the class); None: no limit.
LimitAt = Callable[[Point], tuple[float, str] | None]
Step = Callable[[Lasting | None, Point, TrackSettings], tuple[Lasting | None, tuple[Episode, ...]]]


def overspeed(limit_at: LimitAt) -> Step:
    """The rule for one vehicle; only speeds that the receiver measured accuse."""

    def step(
        state: Lasting | None, point: Point, settings: TrackSettings
    ) -> tuple[Lasting | None, tuple[Episode, ...]]:
        limit = limit_at(point)
        kmh = point.speed_kmh
        if limit is None or kmh is None:
            holds = False if limit is None else None
            return lasting.follow(state, point, _condition(settings), holds=holds)
        limit_kmh, fence = limit
        return lasting.follow(
            state,
            point,
            _condition(settings),
            holds=kmh > limit_kmh + settings.overspeed_margin_kmh,
            value=kmh,
            subject=fence,
            facts={"limit_kmh": limit_kmh},
        )

    return step


def finish(state: Lasting | None, settings: TrackSettings) -> tuple[Episode, ...]:
    """The overspeed that lasts."""
    return lasting.finish(state, _condition(settings))


def _condition(settings: TrackSettings) -> Condition:
    return Condition(Kind.OVERSPEED, settings.overspeed_min_s, settings.leg_max_s)
