"""The clocks frames are timed by: the machine's, and a recording's own."""

import time
from datetime import UTC, datetime
from threading import Event
from typing import Protocol

_STEP_BACK_S = 1.0
_ROUNDING_S = 1e-6
LOOKS_TO_STALL = 3
STAMPS_S = 2**33 / 90_000
"""MPEG's time stamps have 33 bits of 90 kHz: after 26 and a half hours they begin anew."""


class Clock(Protocol):
    """The time of one camera; `elapsed_s` never jumps, `now` does when somebody sets it."""

    def now(self) -> datetime:
        """Wall clock, UTC."""
        ...

    def elapsed_s(self) -> float:
        """Seconds since the camera was first opened."""
        ...

    def wait(self, seconds: float) -> object:
        """Sleep, or less when the camera is to stop."""
        ...


class SystemClock:
    """The machine's clock; `stop` ends every wait."""

    def __init__(self, stop: Event | None = None) -> None:
        """Begin to count seconds now."""
        self._stop = stop or Event()
        self._origin_s = time.monotonic()

    def now(self) -> datetime:
        """Wall clock, UTC."""
        return datetime.now(UTC)

    def elapsed_s(self) -> float:
        """Seconds since this clock was made."""
        return time.monotonic() - self._origin_s

    def wait(self, seconds: float) -> object:
        """Sleep, or less when `stop` is set."""
        return self._stop.wait(max(0.0, seconds))


class Timeline:
    """Seconds into a recording by its time stamps; starts at 0 and never runs backwards.

    Stamps that are missing, step back by more than a second or leap by more than `jump_s` (joined
    files, a damaged header) continue `frame_s` after the last; smaller steps back are held. Where
    stamps begin anew after `stamps_s`, that is no step back.
    """

    def __init__(
        self, frame_s: float = 0.04, jump_s: float = 3600.0, stamps_s: float | None = None
    ) -> None:
        """Begin at 0."""
        self.frame_s = frame_s
        self.last_s = 0.0
        self._jump_s = jump_s
        self._stamps_s = stamps_s
        self._offset_s: float | None = None
        self._begun = False

    def seconds(self, stamp_s: float | None) -> float:
        """Where a frame stamped `stamp_s` belongs; `last_s` remembers it."""
        following_s = self.last_s + self.frame_s if self._begun else 0.0
        self._begun = True
        offset_s = None if stamp_s is None else self._fitting_s(stamp_s)
        if stamp_s is None:
            self.last_s = following_s
        elif offset_s is None:
            self._offset_s = following_s - stamp_s
            self.last_s = following_s
        else:
            self._offset_s = offset_s
            self.last_s = max(self.last_s, stamp_s + offset_s)
        return self.last_s

    def _fitting_s(self, stamp_s: float) -> float | None:
        """What is to be added to a stamp that goes on where the last one was."""
        if self._offset_s is None:
            return None
        offsets = [self._offset_s]
        if self._stamps_s is not None:
            offsets.append(self._offset_s + self._stamps_s)
        return next((each for each in offsets if self._fits(stamp_s + each)), None)

    def _fits(self, t_s: float) -> bool:
        return -_STEP_BACK_S <= t_s - self.last_s <= self._jump_s

    def restart(self) -> None:
        """The recording plays again from its beginning; time goes on."""
        self._offset_s = None


class Spacing:
    """How far apart pictures usually are; what is far more than that, and `least_s`, is a gap."""

    def __init__(self, least_s: float) -> None:
        """Nothing is usual yet: the first distance is."""
        self._least_s = least_s
        self._usual_s = 0.0
        self.most_s = least_s

    def is_gap(self, apart_s: float) -> bool:
        """Whether so much between two pictures is a gap: more than `most_s`; takes it in."""
        usual_s = self._usual_s or apart_s
        self.most_s = max(self._least_s, LOOKS_TO_STALL * usual_s)
        self._usual_s = usual_s + 0.2 * (min(apart_s, LOOKS_TO_STALL * usual_s) - usual_s)
        return apart_s > self.most_s


class Thinning:
    """Which frames to look at so that about `looks_per_s` of them are, evenly in time.

    `early_s`: by how much a frame may come too early: for frames so few that the next may come
    much too late.
    """

    def __init__(self, looks_per_s: float) -> None:
        """The first frame is due at 0."""
        self._every_s = 1 / looks_per_s
        self._due_s = 0.0

    def is_due(self, t_s: float, early_s: float = 0.0) -> bool:
        """Whether a frame at `t_s` should be looked at."""
        return t_s >= self._due_s - early_s - _ROUNDING_S

    def take(self, t_s: float, early_s: float = 0.0) -> bool:
        """Whether it is due; if so, the next one is due an interval later."""
        if not self.is_due(t_s, early_s):
            return False
        self._due_s += self._every_s
        if self._due_s <= t_s:
            self._due_s = t_s + self._every_s
        return True
