"""A vehicle's points through every rule, in the order of the list.

Each rule is state and point in, state and events out; `RULES` is where to start reading.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Any

from hub.grid.crossing import GridCrossing, GridStay, move as move_in_grids
from hub.grid.hours import Hours
from hub.grid.index import GridIndex
from hub.tracks import alarms, idling, lifts, motion, night, presence, silence
from hub.tracks.cleaning import Believed, Doubt, clean
from hub.tracks.episode import Episode
from hub.tracks.geofence import Purpose
from hub.tracks.lasting import Lasting
from hub.tracks.lifts import Lift
from hub.tracks.motion import Motion
from hub.tracks.overspeed import LimitAt, finish as finish_overspeed, overspeed
from hub.tracks.point import Point
from hub.tracks.presence import FenceIndex
from hub.tracks.settings import DEFAULTS, TrackSettings
from hub.tracks.silence import LastHeard

Event = Motion | Lift | GridCrossing | Episode
Step = Callable[[Any, Point, TrackSettings], tuple[Any, tuple[Event, ...]]]
Finish = Callable[[Any, TrackSettings], tuple[Event, ...]]


def _nothing(_state: object, _settings: TrackSettings) -> tuple[Event, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: how it moves on by a point, what it says when the track ends, and its `state`.

    A rule about places takes believed points alone; a rule about the truck's switches takes every
    report, at the last believed place.
    """

    name: str
    step: Step
    finish: Finish = _nothing
    takes_every_report: bool = False
    state: Any = Any


RULES = (
    Rule("motion", motion.move, motion.finish, state=motion.MotionState),
    Rule("lifts", lifts.follow, lifts.finish, takes_every_report=True, state=lifts.LiftState),
)


IDLE = Rule("idle", idling.idle, idling.finish, state=Lasting)


@dataclass(frozen=True)
class Regime:
    """What is judged for one vehicle: its limit in km/h, its night, the fences it has to heed.

    None: no limit, no night. `mine` are the numbers of its fences in `fences`.
    """

    zone: tzinfo
    limit_kmh: float | None = None
    night: Hours | None = None
    fences: FenceIndex | None = None
    mine: frozenset[int] = frozenset()


def live_rules(regime: Regime) -> tuple[Rule, ...]:
    """Every rule a vehicle of the hub is judged by, in order."""
    rules = [
        *RULES,
        IDLE,
        Rule("silence", silence.silence, takes_every_report=True, state=LastHeard),
        Rule("jump", silence.jump, state=LastHeard),
        Rule("alarms", alarms.alarms, alarms.finish, takes_every_report=True, state=alarms.Alarms),
    ]
    limit_at = _limit_at(regime)
    if limit_at is not None:
        rules.append(Rule("speed", overspeed(limit_at), finish_overspeed, state=Lasting))
    if regime.night is not None:
        running = night.night_running(regime.night, regime.zone)
        rules.append(Rule("night", running, night.finish, state=Lasting))
    if regime.fences is not None and (watching := _watching(regime.fences, regime.mine)):
        inside = presence.presence(regime.fences, watching, regime.zone)
        rules.append(Rule("fences", inside, presence.finish, state=presence.Presence))
    return tuple(rules)


def _watching(index: FenceIndex, mine: frozenset[int]) -> frozenset[int]:
    return frozenset(n for n in mine if index.fences[n].purpose is Purpose.WATCH)


def _limit_at(regime: Regime) -> LimitAt | None:
    index = regime.fences
    slow = {n for n in regime.mine if index is not None and index.fences[n].limit_kmh}
    if not slow and regime.limit_kmh is None:
        return None

    def limit_at(point: Point) -> tuple[float, str] | None:
        limits = [(regime.limit_kmh, "")] if regime.limit_kmh is not None else []
        if slow and index is not None:
            here = (index.fences[n] for n in index.holding(point) & slow)
            limits += [
                (fence.limit_kmh, fence.code)
                for fence in here
                if fence.limit_kmh and fence.is_in_force(point.at, regime.zone)
            ]
        return min(limits, default=None)

    return limit_at


def grid_rule(index: GridIndex) -> Rule:
    """Entering and leaving the grids of every level."""

    def step(
        state: tuple[GridStay, ...] | None, point: Point, _settings: TrackSettings
    ) -> tuple[tuple[GridStay, ...], tuple[GridCrossing, ...]]:
        codes = index.locate_levels(point.lat, point.lon)
        stays = state or (None,) * len(codes)
        moved = [
            move_in_grids(stay, point.at, code) for stay, code in zip(stays, codes, strict=True)
        ]
        crossings = tuple(crossing for _, found in moved for crossing in found)
        return tuple(stay for stay, _ in moved), crossings

    return Rule("grids", step)


@dataclass(slots=True)
class TrackState:
    """The state of every rule of one vehicle, to be kept between its points."""

    believed: Believed = field(default_factory=Believed)
    rules: dict[str, Any] = field(default_factory=dict)
    doubts: Counter[Doubt] = field(default_factory=Counter)


def follow(
    points: Iterable[Point],
    state: TrackState,
    rules: Sequence[Rule] = RULES,
    settings: TrackSettings = DEFAULTS,
) -> Iterator[Event]:
    """What happened, as soon as a point shows it; points come in order of time.

    `state` goes on with the points given.
    """
    for point in points:
        yield from _take(state, point, rules, settings)


def finish(
    state: TrackState, rules: Sequence[Rule] = RULES, settings: TrackSettings = DEFAULTS
) -> Iterator[Event]:
    """What has begun and not ended, as it stands at the last point."""
    for rule in rules:
        yield from rule.finish(state.rules.get(rule.name), settings)


def _take(
    track: TrackState, point: Point, rules: Sequence[Rule], settings: TrackSettings
) -> Iterator[Event]:
    track.believed, fresh, doubt = clean(track.believed, point, settings)
    if doubt:
        track.doubts[doubt] += 1
    report = _at_believed_place(point, track.believed)
    for rule in rules:
        taken = report if rule.takes_every_report else fresh
        for each in taken:
            state = track.rules.get(rule.name)
            track.rules[rule.name], events = rule.step(state, each, settings)
            yield from events


def _at_believed_place(point: Point, believed: Believed) -> tuple[Point, ...]:
    last = believed.last
    if last is None:
        return ()
    if last is point:
        return (point,)
    return (replace(point, lat=last.lat, lon=last.lon),)
