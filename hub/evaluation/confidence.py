"""How far the evidence of a grid can be trusted: less where cameras were blind, receivers silent.

    seen  = 1 - blind camera hours ÷ camera hours
    heard = patrol hours with positions ÷ (those + hours that patrols fell silent in the grid)
    confidence = the smaller of the two; of one alone where the other is not known; None of neither

Camera hours are those of all cameras of the grid and below it in the part of the period that has
gone by. A silence belongs to the grid it began in, and one that lasts goes on until it is over. It
counts while the terminal should speak: the whole of it where the vehicle was under way or its
ignition on at the last report, else the shifts of those on duty whose tracker it is, as the duty
table had them then. A parked car's terminal is silent by design.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import BigInteger, or_, select, type_coerce
from sqlalchemy.engine import Connection

from hub.calendar import store as calendar_store
from hub.calendar.work_calendar import WorkCalendar
from hub.devices.store import blind_spans, cameras
from hub.duty import history
from hub.duty.shift import Shift
from hub.evaluation.period import Span
from hub.grid.places import Places
from hub.patrol.store import visits
from hub.patrol.visit import Manner
from hub.store import from_ms, to_ms
from hub.tracks.episode import Kind
from hub.tracks.judged_store import vehicle_events
from hub.tracks.silence import IGNITION_ON
from hub.tracks.store import vehicles

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Confidence:
    """Hours of a grid in a period."""

    camera_h: float = 0.0
    blind_h: float = 0.0
    heard_h: float = 0.0
    silent_h: float = 0.0

    @property
    def seen(self) -> float | None:
        """The share of camera hours that saw; None without a camera."""
        return 1 - min(1.0, self.blind_h / self.camera_h) if self.camera_h else None

    @property
    def heard(self) -> float | None:
        """The share of patrol hours that were heard; None without a patrol."""
        whole = self.heard_h + self.silent_h
        return self.heard_h / whole if whole else None

    @property
    def value(self) -> float | None:
        """0 to 1, None where there is neither camera nor patrol."""
        known = [share for share in (self.seen, self.heard) if share is not None]
        return min(known) if known else None


def confidences(
    tx: Connection, span: Span, places: Places, patrol_kinds: Sequence[str], zone: ZoneInfo
) -> dict[str, Confidence]:
    """The confidence of every grid that has a camera or a patrol."""
    hours: defaultdict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for key, path, ms in (
        *_camera_hours(tx, span),
        *_patrol_hours(tx, span),
        *_silent_hours(tx, span, places, patrol_kinds, zone),
    ):
        for code in path:
            hours[code][key] += ms / HOUR_MS
    return {code: Confidence(**found) for code, found in hours.items()}


Hours = Iterable[tuple[str, Sequence[str], int]]


def _camera_hours(tx: Connection, span: Span) -> Hours:
    camera = cameras.c
    found = select(camera.id, camera.grid_path, type_coerce(camera.retired_at, BigInteger))
    here: dict[str, tuple[Sequence[str], int]] = {}
    for name, path, retired_ms in tx.execute(found):
        until = span.until_ms if retired_ms is None else min(retired_ms, span.until_ms)
        if until > span.start_ms:
            here[name] = path, until
            yield "camera_h", path, until - span.start_ms
    blind = blind_spans.c
    overlaps = (blind.from_at < from_ms(span.until_ms)) & or_(
        blind.until_at.is_(None), blind.until_at > from_ms(span.start_ms)
    )
    spans = select(
        blind.camera, type_coerce(blind.from_at, BigInteger),
        type_coerce(blind.until_at, BigInteger),
    ).where(overlaps)  # fmt: skip
    for name, from_at_ms, until_at_ms in tx.execute(spans):
        if name in here:
            path, last = here[name]
            until = last if until_at_ms is None else min(until_at_ms, last)
            yield "blind_h", path, max(0, until - max(from_at_ms, span.start_ms))


def _patrol_hours(tx: Connection, span: Span) -> Hours:
    since, until = from_ms(span.start_ms), from_ms(span.until_ms)
    found = select(
        visits.c.grid, type_coerce(visits.c.start, BigInteger),
        type_coerce(visits.c.end, BigInteger),
    ).where(
        visits.c.start < until, visits.c.end > since, visits.c.manner != Manner.PASSED.value
    )  # fmt: skip
    for grid, start_ms, end_ms in tx.execute(found):
        yield (
            "heard_h",
            (grid,),
            min(end_ms, span.until_ms) - max(start_ms, span.start_ms),
        )


def _silent_hours(
    tx: Connection, span: Span, places: Places, kinds: Sequence[str], zone: ZoneInfo
) -> Hours:
    event = vehicle_events.c
    patrols = select(vehicles.c.id).where(vehicles.c.kind.in_(kinds))
    found = select(
        event.vehicle, type_coerce(event.start, BigInteger), type_coerce(event.end, BigInteger),
        event.lat, event.lon, event.over, event.kind, event.facts,
    ).where(
        event.kind.in_([Kind.OFFLINE.value, Kind.SILENT_MOVING.value]),
        event.superseded_at.is_(None),
        event.start < from_ms(span.until_ms),
        or_(event.end > from_ms(span.start_ms), event.over.is_(False)),
        event.vehicle.in_(patrols),
    )  # fmt: skip
    silences: dict[tuple[str, int], _Silence] = {}
    for vehicle, start_ms, told_ms, lat, lon, is_over, kind, facts in tx.execute(found):
        end_ms = told_ms if is_over else span.until_ms
        known_on = IGNITION_ON.items() <= msgspec.json.decode(facts).items()
        runs = kind == Kind.SILENT_MOVING or known_on
        # One silence can be told as both kinds.
        known = silences.get((vehicle, start_ms), _Silence(0, lat, lon, runs=False))
        silences[vehicle, start_ms] = _Silence(
            max(known.end_ms, end_ms), lat, lon, runs=known.runs or runs
        )
    paths = places.locate([(each.lat, each.lon) for each in silences.values()])
    work = _Work.load(tx, span, zone)
    for (vehicle, start_ms), each, path in zip(silences, silences.values(), paths, strict=True):
        first, last = max(start_ms, span.start_ms), min(each.end_ms, span.until_ms)
        counted = last - first if each.runs else work.on_shift_ms(vehicle, first, last)
        yield "silent_h", path, counted


@dataclass(frozen=True, slots=True)
class _Silence:
    """Until when, where it began, and whether the engine ran then."""

    end_ms: int
    lat: float
    lon: float
    runs: bool


@dataclass(frozen=True, slots=True)
class _Table:
    """The shifts in which each tracker should speak, by a duty table that held for a time."""

    from_ms: int
    until_ms: int
    shifts: Mapping[str, frozenset[Shift]]


@dataclass(frozen=True, slots=True)
class _Work:
    """When trackers should speak: by the duty tables and the calendar of the time itself."""

    tables: Sequence[_Table]
    zone: ZoneInfo
    calendar: WorkCalendar

    @classmethod
    def load(cls, tx: Connection, span: Span, zone: ZoneInfo) -> "_Work":
        """What was in force in a span."""
        until = from_ms(span.until_ms)
        rosters = history.between(tx, from_ms(span.start_ms), until)
        ends = [*(to_ms(each.since) for each in rosters[1:]), span.until_ms]
        tables = [
            _Table(to_ms(each.since), ends_ms, _shifts(each))
            for each, ends_ms in zip(rosters, ends, strict=True)
        ]
        return cls(tables, zone, calendar_store.calendar_at(tx, zone, until))

    def on_shift_ms(self, tracker: str, first_ms: int, last_ms: int) -> int:
        """How much of a time lies in its shifts; what lies in two of them counts once."""
        return sum(
            self._counted(shifts, max(first_ms, table.from_ms), min(last_ms, table.until_ms))
            for table in self.tables
            if (shifts := table.shifts.get(tracker))
        )

    def _counted(self, shifts: frozenset[Shift], first_ms: int, last_ms: int) -> int:
        if last_ms <= first_ms:
            return 0
        day = from_ms(first_ms).astimezone(self.zone).date() - timedelta(days=1)
        until = from_ms(last_ms).astimezone(self.zone).date()
        windows = []
        while day <= until:
            windows += [
                shift.window(day, self.zone)
                for shift in shifts
                if shift.runs_on(day, self.calendar)
            ]
            day += timedelta(days=1)
        counted, reached = 0, first_ms
        for begins, ends in sorted(windows):
            start, end = max(to_ms(begins), reached), min(to_ms(ends), last_ms)
            if end > start:
                counted, reached = counted + end - start, end
        return counted


def _shifts(roster: history.Roster) -> dict[str, frozenset[Shift]]:
    found: defaultdict[str, set[Shift]] = defaultdict(set)
    for person in roster.people:
        post = roster.posts.get(person.post)
        running = (
            {roster.shifts[code] for code in post.shifts if code in roster.shifts}
            if post
            else set()
        )
        for tracker in person.trackers:
            found[tracker] |= running
    return {tracker: frozenset(shifts) for tracker, shifts in found.items()}


def of(found: Mapping[str, Confidence], grid: str) -> float | None:
    """The confidence of one grid."""
    return found[grid].value if grid in found else None
