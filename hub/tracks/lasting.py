"""A condition that has to last before it is told: begins, is established, ends.

Overspeed, idling, night running, a way off the route: each is a condition at a point, a number of
seconds, and words for it. This is the part they share. What is kept between two points is written
to rows, hence structs.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct, structs

from hub.tracks.episode import Episode, Fact, Kind
from hub.tracks.point import Point


class Lasting(Struct, frozen=True):
    """The condition has held since `start`: `count` points, the newest at `last`, the worst value.

    `told_at`: when it had lasted long enough and was said; None before.
    """

    start: datetime
    last: datetime
    lat: float
    lon: float
    worst: float
    subject: str = ""
    certainty: float = 1.0
    facts: dict[str, Fact] = {}
    count: int = 1
    told_at: datetime | None = None


class Condition(Struct, frozen=True):
    """What is looked for: a kind, how long it must last, over how many points at least.

    `pause_s`: for so long it may cease to hold and still be the same. Between points further
    apart than `leg_max_s` nobody knows, so it ends.
    """

    kind: Kind
    min_s: float
    leg_max_s: float
    pause_s: float = 0.0
    min_points: int = 2


def follow(
    state: Lasting | None,
    point: Point,
    condition: Condition,
    *,
    holds: bool | None,
    value: float = 0.0,
    subject: str = "",
    certainty: float = 1.0,
    facts: Mapping[str, Fact] | None = None,
) -> tuple[Lasting | None, tuple[Episode, ...]]:
    """Move on by a point at which the condition `holds`; None: the point does not say."""
    said: tuple[Episode, ...] = ()
    if state is not None and _is_over(state, point, condition, subject, holds=holds):
        said = _told(state, condition, over=True)
        state = None
    if not holds:
        return state, said
    if state is None:
        at, known = point.at, dict(facts or {})
        return Lasting(at, at, point.lat, point.lon, value, subject, certainty, known), said
    worst = max(state.worst, value)
    state = structs.replace(state, last=point.at, count=state.count + 1, worst=worst)
    lasted_s = (state.last - state.start).total_seconds()
    if state.told_at or lasted_s < condition.min_s or state.count < condition.min_points:
        return state, said
    state = structs.replace(state, told_at=point.at)
    return state, (*said, *_told(state, condition, over=False))


def finish(state: Lasting | None, condition: Condition) -> tuple[Episode, ...]:
    """What has been told and is not over."""
    return () if state is None else _told(state, condition, over=False)


def _is_over(
    state: Lasting, point: Point, condition: Condition, subject: str, *, holds: bool | None
) -> bool:
    unseen_s = (point.at - state.last).total_seconds()
    if unseen_s > max(condition.leg_max_s, condition.pause_s):
        return True
    if holds is None:
        return False
    return subject != state.subject if holds else unseen_s >= condition.pause_s


def _told(state: Lasting, condition: Condition, *, over: bool) -> tuple[Episode, ...]:
    if state.told_at is None:
        return ()
    facts = {**state.facts, "worst": round(state.worst, 1)} if over else state.facts
    end = state.last if over else state.told_at
    return (
        Episode(
            condition.kind,
            state.start,
            end,
            state.lat,
            state.lon,
            state.subject,
            over,
            state.certainty,
            facts,
        ),
    )
