"""A receiver that is listened to for as long as the vehicle runs: lost, found again, tuned.

`poll` reads for a moment and gives what became of it: fixes, and changes of state. States: `ok`
(fixes come), `no_sky` (sentences but no fix for 5 s), `lost` (no valid sentence for 5 s, or the
source cannot be opened). A lost source is opened again after a pause that doubles up to a minute,
with jitter, so that a yard full of vehicles does not knock at once.
"""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from edge.gps.errors import SourceEnded, SourceLost
from edge.gps.fix import Fix
from edge.gps.nmea import NmeaDecoder
from edge.gps.sentence import Refused
from edge.gps.sources import FileSource, Source
from wire.status import ReceiverState

log = logging.getLogger(__name__)

SILENT_S = 5.0
IDLE_S = 0.2
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
NOISE_SENTENCES = 20
NOISE_BYTES = 2048


@dataclass(frozen=True)
class Health:
    """The receiver's state changed, at `since` (UTC), because."""

    state: ReceiverState
    since: datetime
    because: str = ""


@dataclass(frozen=True)
class Clock:
    """Time of day (UTC) and a monotonic clock in seconds; replaced in tests."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic_s: Callable[[], float] = time.monotonic


@dataclass
class Backoff:
    """Pauses between attempts: 1, 2, 4 … 60 s, each 50 to 100 % of that."""

    first_s: float = FIRST_PAUSE_S
    longest_s: float = LONGEST_PAUSE_S
    failures: int = 0

    def next_s(self) -> float:
        """Give the pause after one more failure."""
        whole_s = min(self.longest_s, self.first_s * 2.0 ** min(self.failures, 16))
        self.failures += 1
        return whole_s * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, protects nothing

    def reset(self) -> None:
        """Start again with the first pause."""
        self.failures = 0


class Receiver:
    """One NMEA receiver behind a source. Not for use by several threads."""

    def __init__(
        self, source: Source, *, clock: Clock | None = None, backoff: Backoff | None = None
    ) -> None:
        """Listen to `source`; it is opened at the first poll.

        A recording keeps the dates it has; of a live receiver a date more than 512 weeks from our
        clock is repaired as a GPS week rollover.
        """
        self._source = source
        self._live = not isinstance(source, FileSource)
        self._clock = clock or Clock()
        self._backoff = backoff or Backoff()
        self._decoder = NmeaDecoder()
        self._open = False
        self._retry_at_s = self._clock.monotonic_s()
        self._sentence_at_s = self._fix_at_s = self._heard_at_s = self._retry_at_s
        self._noise = _Noise()
        self.health = Health(ReceiverState.STARTING, self._clock.now())
        self.ended = False
        """A recording is over; polling gives nothing more."""

    def poll(self, wait_s: float = 0.5) -> list[Fix | Health]:
        """Listen for up to `wait_s` and give fixes and changes of state in their order."""
        if self.ended:
            return []
        if not self._open:
            return self._reopen(wait_s)
        try:
            chunk = self._source.read(min(wait_s, IDLE_S))
        except SourceLost as fault:
            return [*self._take(self._decoder.flush()), *self._lose(str(fault))]
        except SourceEnded:
            self.ended = True
            self._source.close()
            return self._take(self._decoder.close())
        return [*self._hear(chunk), *self._watch()]

    def close(self) -> None:
        """Let go of the source."""
        self._source.close()
        self._open = False

    def _reopen(self, wait_s: float) -> list[Fix | Health]:
        pause_s = self._retry_at_s - self._clock.monotonic_s()
        if pause_s > 0:
            time.sleep(min(pause_s, wait_s))
            return []
        try:
            self._source.open()
        except SourceLost as fault:
            return self._lose(str(fault))
        self._open = True
        return []

    def _hear(self, chunk: bytes) -> list[Fix | Health]:
        now_s = self._clock.monotonic_s()
        if not chunk:
            # Receivers send an epoch in one go: silence after it means that it is complete.
            idle = now_s - self._heard_at_s >= IDLE_S
            return self._take(self._decoder.flush()) if idle else []
        self._heard_at_s = now_s
        before = self._decoder.counts.checksum_ok
        met = self._decoder.counts.sentences
        out = self._decoder.feed(chunk, self._clock.now() if self._live else None)
        good = self._decoder.counts.checksum_ok - before
        if good:
            if now_s - self._sentence_at_s > SILENT_S:
                self._fix_at_s = now_s  # it is back: from now on it has time to find the sky
            self._sentence_at_s = now_s
            self._backoff.reset()
        if self._noise.is_noise(len(chunk), self._decoder.counts.sentences - met, good):
            self._tune()
        return self._take(out)

    def _take(self, out: list[Fix | Refused]) -> list[Fix | Health]:
        fixes: list[Fix | Health] = [item for item in out if isinstance(item, Fix)]
        if fixes:
            self._fix_at_s = self._clock.monotonic_s()
        for item in out:
            if not isinstance(item, Fix):
                log.debug("sentence refused: %s", item)
        return [*self._change(ReceiverState.OK), *fixes] if fixes else fixes

    def _watch(self) -> list[Fix | Health]:
        now_s = self._clock.monotonic_s()
        if now_s - self._sentence_at_s > SILENT_S:
            return self._change(ReceiverState.LOST, f"no valid sentence for {SILENT_S:.0f} s")
        if now_s - self._fix_at_s > SILENT_S:
            return self._change(ReceiverState.NO_SKY, f"no fix for {SILENT_S:.0f} s")
        return []

    def _lose(self, because: str) -> list[Fix | Health]:
        self._start_over()
        pause_s = self._backoff.next_s()
        self._retry_at_s = self._clock.monotonic_s() + pause_s
        log.debug("%s; next attempt in %.1f s", because, pause_s)
        return self._change(ReceiverState.LOST, because)

    def _tune(self) -> None:
        if self._source.read_otherwise():
            log.warning("more noise than sentences; trying another rate")
            self._start_over()

    def _start_over(self) -> None:
        self.close()
        self._decoder = NmeaDecoder()
        self._noise = _Noise()

    def _change(self, state: ReceiverState, because: str = "") -> list[Fix | Health]:
        if state == self.health.state:
            return []
        self.health = Health(state, self._clock.now(), because)
        log.log(
            logging.INFO if state == ReceiverState.OK else logging.WARNING,
            "receiver %s%s", state, f": {because}" if because else "",
        )  # fmt: skip
        return [self.health]


@dataclass
class _Noise:
    """Whether what comes is noise: over half of 20 sentences bad, or 2 KiB without one good."""

    size: int = 0
    met: int = 0
    good: int = 0

    def is_noise(self, size: int, met: int, good: int) -> bool:
        self.size += size
        self.met += met
        self.good += good
        if self.met < NOISE_SENTENCES and (self.good or self.size < NOISE_BYTES):
            return False
        noise = self.good * 2 < self.met or not self.good
        self.size = self.met = self.good = 0
        return noise
