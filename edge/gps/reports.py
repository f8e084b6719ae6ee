"""What terminals report, as tracks in the outbox: one message a vehicle, durable on return."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from edge.gps.filters import Memory, judge
from edge.gps.fix import Fix
from edge.gps.jt808.session import Report
from edge.outbox import TRACK, Build, Outbox
from wire.track import ACC_ON, EMERGENCY, VALID, Track, TrackPoint

log = logging.getLogger(__name__)

GNSS_CLOCK = 2
EMERGENCY_BIT = 1
VEHICLES_REMEMBERED = 50_000
MOST_A_MESSAGE = 500

_Point = tuple[Fix, int]
_Key = tuple[str, bool]


@dataclass(frozen=True)
class _Known:
    """A vehicle's memory for the filters, and the flags of its last kept fix."""

    memory: Memory = field(default_factory=Memory)
    flags: int = 0


class OutboxReports:
    """Judges each vehicle's fixes and puts the good ones into the outbox.

    Backfill is history: it is judged on its own and marked, so that it moves no last position.
    """

    def __init__(self, outbox: Outbox) -> None:
        """Keep reports in `outbox`."""
        self._outbox = outbox
        self._known: dict[str, _Known] = {}
        self.verdicts: Counter[str] = Counter()
        """How many fixes were judged by which reason (`good` for none)."""

    def keep(self, reports: Sequence[Report]) -> None:
        """Store the fixes of all reports, or none. Raises OutboxFull, OSError, sqlite3.Error."""
        tracks: dict[_Key, list[_Point]] = {}
        known: dict[_Key, _Known] = {}
        for report in reports:
            fix, flags = report.position.fix(report.received_at), _flags(report)
            key = (report.vehicle, report.position.backfill)
            before = known.get(key) or self._remembered(key)
            memory, verdict = judge(before.memory, fix)
            self.verdicts[verdict.reason or "good"] += 1
            # A change of state within the second has the same time and is news all the same.
            if verdict.keep or (verdict.reason == "duplicate" and flags != before.flags):
                known[key] = _Known(memory, flags)
                tracks.setdefault(key, []).append((fix, flags))
            else:
                known[key] = _Known(memory, before.flags)
        self._outbox.add_all(TRACK, list(self._messages(tracks)))
        self._remember(known)

    def _messages(self, tracks: dict[_Key, list[_Point]]) -> Iterator[tuple[Build, int]]:
        for key, points in tracks.items():
            for start in range(0, len(points), MOST_A_MESSAGE):
                some = points[start : start + MOST_A_MESSAGE]
                yield partial(self._track, key, some), len(some)

    def _remembered(self, key: _Key) -> _Known:
        vehicle, is_old = key
        return _Known() if is_old else self._known.get(vehicle, _Known())

    def _remember(self, known: dict[_Key, _Known]) -> None:
        self._known |= {vehicle: state for (vehicle, is_old), state in known.items() if not is_old}
        while len(self._known) > VEHICLES_REMEMBERED:
            del self._known[next(iter(self._known))]

    def _track(self, key: _Key, points: list[_Point], seq: int) -> Track:
        vehicle, is_old = key
        return Track(
            dev=self._outbox.dev,
            epoch=self._outbox.epoch,
            seq=seq,
            ts=_ms(points[-1][0].at),
            tq=GNSS_CLOCK,
            hist=is_old,
            vehicle=vehicle,
            fixes=[_point(seq + n, fix, flags) for n, (fix, flags) in enumerate(points)],
        )


def _flags(report: Report) -> int:
    flags = VALID
    flags |= ACC_ON if report.position.acc else 0
    return flags | (EMERGENCY if report.position.alarm & EMERGENCY_BIT else 0)


def _point(seq: int, fix: Fix, flags: int) -> TrackPoint:
    return TrackPoint(seq, _ms(fix.at), fix.lon, fix.lat, fix.speed_kmh, fix.heading_deg, flags)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
