"""Receivers → fixes → batches → outbox: every receiver of a device, a thread each."""

import logging
import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType

from edge.clock_quality import GNSS
from edge.config import EdgeConfig, ReceiverConfig
from edge.gps.batches import Batches
from edge.gps.filters import Memory, judge
from edge.gps.fix import Fix
from edge.gps.receiver import Health, Receiver
from edge.gps.sources import FileSource, source_at
from edge.moving import Course
from edge.outbox import TRACK, Outbox, OutboxFull
from wire.status import ReceiverHealth, VehicleBirth
from wire.track import TIME_REPAIRED, VALID, Track, TrackPoint

log = logging.getLogger(__name__)

POLL_S = 0.3
STOP_TIMEOUT_S = 1.0
CRASH_WAIT_S = 5.0
MOST_A_MESSAGE = 500
MOST_WAITING = 10_000


class Vehicles:
    """All receivers of one device."""

    def __init__(
        self,
        config: EdgeConfig,
        outbox: Outbox,
        on_change: Callable[[], None],
        courses: Mapping[str, Course] = MappingProxyType({}),
    ) -> None:
        """Prepare; nothing is opened before `start`.

        `on_change`: a receiver's state has changed. `courses`: by receiver, who else wants to know
        where its vehicle is. Raises BadSource.
        """
        self._listeners = [
            Listener(each, outbox, on_change, courses.get(each.id)) for each in config.receivers
        ]

    def start(self) -> None:
        """Listen from now on."""
        for listener in self._listeners:
            listener.start()

    def ask_to_stop(self) -> None:
        """Let every receiver end as soon as it can; returns at once."""
        for listener in self._listeners:
            listener.ask_to_stop()

    def stop(self) -> None:
        """Stop; the fixes gathered so far are in the outbox."""
        self.ask_to_stop()
        for listener in self._listeners:
            listener.stop()

    def tick(self) -> None:
        """Nothing to do: a receiver watches its own silence."""

    @property
    def has_ended(self) -> bool:
        """Whether every receiver was a recording and is over."""
        return all(listener.has_ended for listener in self._listeners)

    @property
    def faults(self) -> list[str]:
        """Recordings that could not be played: none, they are waited for."""
        return []

    def births(self) -> list[VehicleBirth]:
        """The vehicles as configured."""
        return [
            VehicleBirth(config.vehicle, config.plate, config.kind)
            for config in (listener.config for listener in self._listeners)
        ]

    def health(self) -> list[ReceiverHealth]:
        """The receivers' states."""
        return [listener.health() for listener in self._listeners]


class Listener:
    """One receiver's thread, and what becomes of its fixes."""

    def __init__(
        self,
        config: ReceiverConfig,
        outbox: Outbox,
        on_change: Callable[[], None],
        course: Course | None = None,
    ) -> None:
        """Prepare; `course` hears of every good fix at once.

        Raises BadSource.
        """
        source = source_at(config.source, real_time=config.real_time, loop=config.loop)
        self.config = config
        self.has_ended = False
        self._is_old = isinstance(source, FileSource) and not config.real_time
        self._receiver = Receiver(source)
        self._outbox = outbox
        self._on_change = on_change
        self._course = course
        self._memory = Memory()
        self._batches = Batches(longest_wait_s=config.report_every_s)
        self._waiting: list[Fix] = []
        self._verdicts: Counter[str] = Counter()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(
            target=self._listen_forever, name=f"receiver {config.id}", daemon=True
        )

    def start(self) -> None:
        """Listen from now on."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Let the thread end as soon as it can."""
        self._stop.set()

    def stop(self) -> None:
        """Stop; what was gathered is stored."""
        self.ask_to_stop()
        self._thread.join(STOP_TIMEOUT_S)
        self._store(self._batches.take)

    def health(self) -> ReceiverHealth:
        """The receiver's state and since when."""
        health = self._receiver.health
        return ReceiverHealth(self.config.id, health.state, _ms(health.since))

    def _listen_forever(self) -> None:
        while not self._stop.is_set() and not self.has_ended:
            try:
                self._listen()
            except Exception:
                log.exception("receiver %s failed; trying again", self.config.id)
                self._stop.wait(random.uniform(0.5, 1) * CRASH_WAIT_S)  # noqa: S311 - spreads load
        self._receiver.close()
        log.info("receiver %s: %s", self.config.id, dict(self._verdicts) or "no fix")

    def _listen(self) -> None:
        for heard in self._receiver.poll(POLL_S):
            if isinstance(heard, Health):
                self._on_change()
            else:
                self._take(heard)
        now_s = time.monotonic()
        self._store(lambda: self._batches.due(now_s))
        if self._receiver.ended:
            self._store(self._batches.take)
            self.has_ended = True
            if self._course is not None:
                self._course.end()

    def _take(self, fix: Fix) -> None:
        self._memory, verdict = judge(self._memory, fix)
        self._verdicts[verdict.reason or "good"] += 1
        if verdict.keep and self._course is not None and fix.located:
            self._course.take(fix, None if self._is_old else datetime.now(UTC))
        if verdict.keep:
            self._store(lambda: self._batches.add(fix, time.monotonic()))

    def _store(self, batch: Callable[[], list[Fix]]) -> None:
        with self._lock:
            self._waiting += batch()
            while self._waiting:
                fixes = self._waiting[:MOST_A_MESSAGE]
                try:
                    self._outbox.add(TRACK, partial(self._track, fixes), numbers=len(fixes))
                except OutboxFull as full:
                    log.critical("receiver %s: fixes dropped: %s", self.config.id, full)
                except (OSError, sqlite3.Error) as fault:
                    log.critical("receiver %s: fixes wait for the disk: %s", self.config.id, fault)
                    self._waiting = self._waiting[-MOST_WAITING:]
                    return
                self._waiting = self._waiting[len(fixes) :]

    def _track(self, fixes: list[Fix], seq: int) -> Track:
        return Track(
            dev=self._outbox.dev,
            epoch=self._outbox.epoch,
            seq=seq,
            ts=_ms(fixes[-1].at),
            tq=GNSS,
            hist=self._is_old,
            vehicle=self.config.vehicle,
            fixes=[_point(seq + i, fix) for i, fix in enumerate(fixes)],
        )


def _point(seq: int, fix: Fix) -> TrackPoint:
    return TrackPoint(
        seq=seq,
        ts=_ms(fix.at),
        lon=round(fix.lon, 7),
        lat=round(fix.lat, 7),
        speed_kmh=None if fix.speed_kmh is None else round(fix.speed_kmh, 2),
        heading_deg=None if fix.heading_deg is None else round(fix.heading_deg % 360, 1),
        flags=VALID if fix.said_at is None else VALID | TIME_REPAIRED,
    )


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
