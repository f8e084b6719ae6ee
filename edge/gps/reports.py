"""What terminals report, as tracks in the outbox: one message a vehicle, durable on return."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from edge.clock_quality import GNSS, NONE
from edge.config import ProfileConfig
from edge.gps.alarms import AlarmDesk, Heard, Shown
from edge.gps.filters import Memory, judge
from edge.gps.fix import Fix
from edge.gps.jt808.told import DriverCard, Media, Report, Told
from edge.gps.profile import body_state
from edge.outbox import DRIVER, TRACK, Build, EvidenceFile, Outbox
from wire import driver
from wire.track import ACC_ON, EMERGENCY, VALID, Track, TrackPoint

log = logging.getLogger(__name__)

EMERGENCY_BIT = 1
VEHICLES_REMEMBERED = 50_000
MOST_A_MESSAGE = 500
CARD_TIME_TRUSTED = timedelta(days=7)
LONGEST_TEXT, LONGEST_CERTIFICATE = 200, 64
STANDARD = ProfileConfig()

_WITHOUT_PLACE = {"not_located", "out_of_range", "zero"}

_State = tuple[int, int, int]
"""Flags, body and alarms, as the wire has them."""

_Point = tuple[Fix, _State]
_Key = tuple[str, bool]


@dataclass(frozen=True)
class _Known:
    """A vehicle's memory for the filters, and the state it was last told in."""

    memory: Memory = field(default_factory=Memory)
    state: _State = (0, 0, 0)


class OutboxReports:
    """Judges each vehicle's fixes and puts the good ones into the outbox.

    Backfill is history: it is judged on its own and marked, so that it moves no last position.
    """

    def __init__(
        self,
        outbox: Outbox,
        profiles: Mapping[str, ProfileConfig] | None = None,
        alarms: AlarmDesk | None = None,
    ) -> None:
        """Keep reports in `outbox`, their alarms too where there is a desk for them.

        `profiles` tells by vehicle which bits mean what.
        """
        self._alarms = alarms
        self._outbox = outbox
        self._profiles = profiles or {}
        self._known: dict[str, _Known] = {}
        self.verdicts: Counter[str] = Counter()
        """How many fixes were judged by which reason (`good` for none)."""

    def keep(self, told: Sequence[Told]) -> None:
        """Store the fixes of all reports, or none, and before them what else was told.

        Raises OutboxFull, OSError, sqlite3.Error.
        """
        tracks: dict[_Key, list[_Point]] = {}
        known: dict[_Key, _Known] = {}
        heard: list[Heard] = []
        for report in (each for each in told if isinstance(each, Report)):
            key = (report.vehicle, report.position.backfill)
            before = known.get(key) or self._remembered(key)
            known[key], point = self._judge(before, report)
            if point is not None:
                tracks.setdefault(key, []).append(point)
            heard.append(_heard(report, known[key]))
        # First the alarms: they know a repeat by themselves, should the tracks not be stored.
        if self._alarms is not None:
            self._alarms.take(heard)
            for media in (each for each in told if isinstance(each, Media)):
                self._show(self._alarms, media)
        cards = [each for each in told if isinstance(each, DriverCard)]
        self._outbox.add_all(DRIVER, [(partial(self._card, each), 1) for each in cards])
        self._outbox.add_all(TRACK, list(self._messages(tracks)))
        self._remember(known)

    def _show(self, desk: AlarmDesk, media: Media) -> None:
        fix = media.position.fix(media.received_at)
        _, verdict = judge(Memory(), fix)
        place = fix if verdict.keep else self._known.get(media.vehicle, _Known()).memory.last
        if place is None:
            log.warning("vehicle %s: a picture without a place is not kept", media.vehicle)
            return
        # As it is, it shows faces and plates; the desk makes one for all eyes where it can.
        file = EvidenceFile(media.data, media.type, sealed=True)
        desk.show(Shown(media.vehicle, media.event, fix.at, place, file))

    def _card(self, card: DriverCard, seq: int) -> driver.DriverCard:
        trusted = card.at is not None and abs(card.at - card.received_at) < CARD_TIME_TRUSTED
        return driver.DriverCard(
            dev=self._outbox.dev,
            epoch=self._outbox.epoch,
            seq=seq,
            ts=_ms(card.at if card.at and trusted else card.received_at),
            tq=GNSS if trusted else NONE,
            vehicle=card.vehicle,
            inserted=card.inserted,
            read=card.read,
            driver=card.driver[:LONGEST_TEXT],
            certificate=card.certificate[:LONGEST_CERTIFICATE],
            issuer=card.issuer[:LONGEST_TEXT],
            expires_on=card.expires_on,
        )

    def _judge(self, before: _Known, report: Report) -> tuple[_Known, _Point | None]:
        """Give what is known of the vehicle now, and the point to tell if there is news."""
        fix, state = report.position.fix(report.received_at), self._state(report)
        memory, verdict = judge(before.memory, fix)
        self.verdicts[verdict.reason or "good"] += 1
        if verdict.keep:
            return _Known(memory, state), (fix, state)
        # A change of state is news though its place is not: within the second, or without a sky.
        if verdict.reason == "duplicate" and state != before.state:
            return _Known(memory, state), (fix, state)
        last = before.memory.last
        if verdict.reason in _WITHOUT_PLACE and last and state[1:] != before.state[1:]:
            unplaced = (state[0] & ~VALID, *state[1:])
            return _Known(memory, state), (replace(last, at=fix.at, speed_kmh=None), unplaced)
        return _Known(memory, before.state), None

    def _state(self, report: Report) -> _State:
        position = report.position
        flags = VALID
        flags |= ACC_ON if position.acc else 0
        flags |= EMERGENCY if position.alarm & EMERGENCY_BIT else 0
        profile = self._profiles.get(report.vehicle, STANDARD)
        return flags, body_state(profile, position), position.alarm

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
            tq=GNSS,
            hist=is_old,
            vehicle=vehicle,
            fixes=[_point(seq + n, fix, state) for n, (fix, state) in enumerate(points)],
        )


def _heard(report: Report, known: _Known) -> Heard:
    position = report.position
    at = position.fix(report.received_at).at
    return Heard(report.vehicle, position.alarm, at, known.memory.last, position.backfill)


def _point(seq: int, fix: Fix, state: _State) -> TrackPoint:
    speed, heading = fix.speed_kmh, fix.heading_deg
    return TrackPoint(seq, _ms(fix.at), fix.lon, fix.lat, speed, heading, *state)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
