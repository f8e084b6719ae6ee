"""A vehicle's fixes as they came through its rules: state and fixes in, state and episodes out.

Nothing here asks a database or a clock. Fixes come in their true order (`Heard.key`), whatever
order they arrived in, and without those from the future; whoever brings them sees to that, and
begins again from an earlier state when one comes late. For that, the state before the first fix of
every hour is written down.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

import msgspec

from hub.store import from_ms
from hub.tracks import silence
from hub.tracks.cleaning import Believed
from hub.tracks.episode import Episode, Kind
from hub.tracks.lifts import Lift, has_unloaded, verdict
from hub.tracks.motion import Gap, Stop, Trip
from hub.tracks.point import Point
from hub.tracks.settings import TrackSettings
from hub.tracks.sites import Site
from hub.tracks.track import Event, Rule, TrackState, finish, follow
from wire.track import ACC_ON, TIME_REPAIRED, VALID, TrackPoint, cover_of, hopper_of, load_of

REVISION = 1
"""Of what states are made of: another number, and they are made anew from the fixes."""
CLOCK_TOLERANCE_MS = 120_000
DELAYED_MS = 600_000
HOUR_MS = 3_600_000
CELL_DEG = 0.01
REPAIRED = "repaired"

Key = tuple[int, int, str]
Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Heard:
    """A stored fix with what is known of its arrival; `hist`: sent later than live."""

    fix: TrackPoint
    epoch: str
    received_ms: int
    hist: bool = False

    @property
    def key(self) -> Key:
        """Its place in the vehicle's history."""
        return self.fix.ts, self.fix.seq, self.epoch

    @property
    def is_future(self) -> bool:
        """Whether its time lies after its arrival: a wrong clock, no part of history."""
        return self.fix.ts > self.received_ms + CLOCK_TOLERANCE_MS

    @property
    def is_delayed(self) -> bool:
        """Whether it came so late that nobody can act at once."""
        return self.hist or self.received_ms > self.fix.ts + DELAYED_MS


class JudgeState(msgspec.Struct):
    """What is kept of a vehicle between two fixes.

    `last`: the key of the newest fix judged; `placed`: the last position vouched for, with its
    time in ms, whatever is believed of it; `cell`: the newest cell and hour noted.
    """

    track: TrackState = msgspec.field(default_factory=TrackState)
    last: Key | None = None
    placed: tuple[int, float, float] | None = None
    cell: Cell | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An episode and the fix that told it: its time in ms, and whether it came later than live."""

    episode: Episode
    known_ms: int
    delayed: bool


@dataclass(slots=True)
class Judged:
    """What a run of fixes told; `hours` are the states before the first fix of an hour."""

    found: list[Found] = field(default_factory=list)
    hours: list[tuple[int, bytes]] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Court:
    """By what a vehicle is judged: its rules, settings, the local time, and the sites open to it.

    `sites` None: no dump site is known, so nothing can be said of where loads go.
    """

    rules: tuple[Rule, ...]
    settings: TrackSettings
    zone: tzinfo
    sites: Sequence[Site] | None = None


def judge(state: JudgeState, heard: Iterable[Heard], court: Court) -> Judged:
    """Take fixes in ascending order of their keys; `state` goes on with them."""
    judged = Judged()
    for each in heard:
        fix = each.fix
        hour = fix.ts // HOUR_MS
        if state.last is None or state.last[0] // HOUR_MS != hour:
            judged.hours.append((hour, dump(state)))
        state.last = each.key
        point = point_of(fix)
        if point.located:
            state.placed = (fix.ts, fix.lat, fix.lon)
            cell = (cell_of(fix.lat, fix.lon), hour)
            if cell != state.cell:
                state.cell = cell
                judged.cells.append(cell)
        for event in follow((point,), state.track, court.rules, court.settings):
            judged.found.append(Found(episode_of(event, court), fix.ts, each.is_delayed))
    return judged


def lasting(state: JudgeState, court: Court, now: datetime) -> Iterator[Episode]:
    """What has been told and has not ended, as it stands."""
    for event in finish(state.track, court.rules, court.settings):
        if isinstance(event, Episode):
            yield event
    heard: silence.LastHeard | None = state.track.rules.get("silence")
    yield from silence.due(heard, now, court.settings)


def point_of(fix: TrackPoint) -> Point:
    """A fix as the rules take it."""
    body = fix.body
    return Point(
        from_ms(fix.ts),
        fix.lat,
        fix.lon,
        fix.speed_kmh,
        load_of(body),
        hopper_of(body),
        cover_of(body),
        bool(fix.flags & ACC_ON),
        bool(fix.flags & VALID),
        fix.alarm,
    )


def episode_of(event: Event, court: Court) -> Episode:
    """Any rule's event as an episode."""
    if isinstance(event, Episode):
        return event
    if isinstance(event, Stop):
        return Episode(Kind.STOP, event.start, event.end, event.lat, event.lon)
    if isinstance(event, Trip):
        facts = {"distance_m": round(event.distance_m), "top_kmh": round(event.top_kmh, 1)}
        return Episode(Kind.TRIP, event.start, event.end, event.lat, event.lon, facts=facts)
    if isinstance(event, Gap):
        return Episode(Kind.GAP, event.start, event.end, event.lat, event.lon)
    if isinstance(event, Lift):
        return _unload(event, court)
    raise TypeError(f"{event!r} is no episode")


def _unload(lift: Lift, court: Court) -> Episode:
    found, site = verdict(lift, court.sites, court.zone, court.settings)
    unloaded = has_unloaded(lift)
    facts = {
        "verdict": None if found is None else found.value,
        "site": site.name if site else None,
        "load_before": lift.load_before,
        "load_after": lift.load_after,
        "unloaded": unloaded,
        "speed_kmh": round(lift.speed_kmh, 1),
        "hopper_down": lift.is_over,
    }
    certainty = 0.9 if unloaded else 0.5
    return Episode(
        Kind.UNLOAD, lift.start, lift.end, lift.lat, lift.lon, certainty=certainty, facts=facts
    )


def cell_of(lat: float, lon: float) -> int:
    """The square of a hundredth of a degree, about a kilometre, in which a place lies."""
    return int(lat // CELL_DEG) * 100_000 + int(lon // CELL_DEG)


def cells_around(lat: float, lon: float, radius_m: float) -> list[int]:
    """The squares within a radius of a place."""
    up = radius_m / 110_000
    across = radius_m / (110_000 * max(0.02, abs(_cos(lat))))
    rows = range(int((lat - up) // CELL_DEG), int((lat + up) // CELL_DEG) + 1)
    columns = range(int((lon - across) // CELL_DEG), int((lon + across) // CELL_DEG) + 1)
    return [row * 100_000 + column for row in rows for column in columns]


def dump(state: JudgeState) -> bytes:
    """A state as a row keeps it."""
    track = state.track
    kept = {
        "revision": REVISION,
        "last": state.last,
        "placed": state.placed,
        "cell": state.cell,
        "believed": track.believed,
        "rules": {name: each for name, each in track.rules.items() if each is not None},
    }
    return bytes(_encode(kept))


def load(body: bytes, rules: Sequence[Rule]) -> JudgeState | None:
    """A state from its row; None where it was made by other rules than these."""
    try:
        kept = _decode(body)
        if kept.revision != REVISION:
            return None
        known = {rule.name: rule.state for rule in rules}
        states = {
            name: msgspec.msgpack.decode(each, type=known[name])
            for name, each in kept.rules.items()
            if name in known
        }
    except msgspec.MsgspecError:
        return None
    return JudgeState(
        TrackState(believed=kept.believed, rules=states), kept.last, kept.placed, kept.cell
    )


class _Kept(msgspec.Struct):
    revision: int
    last: Key | None
    placed: tuple[int, float, float] | None
    cell: Cell | None
    believed: Believed
    rules: dict[str, msgspec.Raw]


def _cos(degrees: float) -> float:
    return math.cos(math.radians(degrees))


_encode: Any = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode


def was_repaired(fix: TrackPoint) -> bool:
    """Whether its time was mended on the device."""
    return bool(fix.flags & TIME_REPAIRED)


def hour_start(hour: int) -> datetime:
    """When an hour of `Judged.hours` begins."""
    return from_ms(0) + timedelta(milliseconds=hour * HOUR_MS)
