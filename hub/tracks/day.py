"""A vehicle's day from its stored fixes: trips, stops, idling, what is believed and known."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from hub.tracks.cleaning import Doubt
from hub.tracks.episode import Episode, Kind
from hub.tracks.judgement import REPAIRED, Court, Heard, episode_of, point_of, was_repaired
from hub.tracks.settings import TrackSettings
from hub.tracks.track import IDLE, RULES, TrackState, finish, follow

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Day:
    """What is known of a day that begins and ends at local midnight; `until`: now, for today.

    Stops and trips that go on over midnight are cut there. `doubts` counts the positions that were
    not believed, by reason; `repaired` ones are believed. `unknown`: when nothing was heard.
    """

    start: datetime
    end: datetime
    until: datetime
    fixes: int
    located: int
    doubts: dict[str, int]
    episodes: list[Episode]
    unknown: list[Span] = field(default_factory=list)

    def of(self, kind: Kind) -> list[Episode]:
        """The episodes of a kind."""
        return [each for each in self.episodes if each.kind is kind]

    def seconds(self, kind: Kind) -> float:
        """How long a kind of episode took."""
        return sum((each.end - each.start).total_seconds() for each in self.of(kind))

    @property
    def distance_m(self) -> float:
        """The way of all trips."""
        return sum(float(each.facts.get("distance_m") or 0.0) for each in self.of(Kind.TRIP))

    @property
    def unknown_s(self) -> float:
        """How long nothing was heard."""
        return sum((end - start).total_seconds() for start, end in self.unknown)


def bounds(day: date, zone: tzinfo) -> Span:
    """When a day of local time begins and ends."""
    midnight = datetime.combine(day, time(), zone)
    return midnight, datetime.combine(day + timedelta(days=1), time(), zone)


def day_of(heard: Sequence[Heard], span: Span, now: datetime, court: Court) -> Day:
    """The day of a span from all fixes stamped with it, in the order of their keys."""
    start, end = span
    until = max(start, min(end, now))
    state = TrackState()
    future = [each for each in heard if each.is_future]
    points = [point_of(each.fix) for each in heard if not each.is_future]
    rules = (*RULES, IDLE)
    events = [
        *follow(points, state, rules, court.settings),
        *finish(state, rules, court.settings),
    ]
    episodes = {each.key: each for each in (episode_of(event, court) for event in events)}
    counts = Counter({str(doubt): count for doubt, count in state.doubts.items()})
    if future:
        counts[Doubt.FUTURE] += len(future)
    if repaired := sum(was_repaired(each.fix) for each in heard):
        counts[REPAIRED] += repaired
    return Day(
        start,
        end,
        until,
        len(heard),
        sum(point.located for point in points),
        dict(sorted(counts.items())),
        sorted(episodes.values(), key=lambda each: each.start),
        _unknown([point.at for point in points], start, until, court.settings),
    )


def _unknown(
    times: Sequence[datetime], start: datetime, until: datetime, settings: TrackSettings
) -> list[Span]:
    """The spans of a day in which nothing was heard for as long as a gap."""
    marks = [start, *times, until]
    longest = timedelta(seconds=settings.gap_min_s)
    return [(a, b) for a, b in pairwise(marks) if b - a >= longest]
