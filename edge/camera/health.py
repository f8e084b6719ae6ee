"""Whether a camera can be judged by: a state machine without clock, camera or thread.

Events come with two times: `t_s`, seconds on a clock that never jumps, decides; `at`, the wall
clock, is only told to people. The state follows from a few facts, worst first:

    unreachable   it could not be opened, or not again after its connection broke
    starting      nothing has come from it yet
    stalled       it is silent, or sends what gives no picture
    black         it shows nothing
    moved         it no longer looks where it looked at first
    ok            none of these

A connection that breaks and is back within the stall limit changes nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from edge.camera.view import View
from wire.status import CameraState


@dataclass(frozen=True)
class Limits:
    """How long something must last before it is a state, seconds.

    `pictureless_s`: packets, but no picture. `alien_s`: nothing of the first view is seen; longer
    than a lorry stops in front.
    """

    start_s: float = 9.0
    stall_s: float = 6.0
    pictureless_s: float = 30.0
    black_s: float = 4.0
    shifted_s: float = 5.0
    alien_s: float = 60.0


@dataclass(frozen=True)
class Change:
    """A camera went from one state to another; `why` in words where there is more to say."""

    before: CameraState
    after: CameraState
    at: datetime
    why: str = ""


@dataclass(frozen=True)
class _Facts:
    opened_s: float
    alive_since_s: float | None = None
    heard_s: float = 0.0
    saw_s: float | None = None
    failures: int = 0
    why: str = ""
    black_since_s: float | None = None
    shifted_since_s: float | None = None
    alien_since_s: float | None = None
    is_moved: bool = False


class Health:
    """The state of one camera and since when."""

    def __init__(self, t_s: float, at: datetime, limits: Limits | None = None) -> None:
        """A camera that is opened for the first time at `t_s`."""
        self.state = CameraState.STARTING
        self.since = at
        self._limits = limits or Limits()
        self._facts = _Facts(opened_s=t_s)

    def heard(self, t_s: float, at: datetime) -> Change | None:
        """A packet came: a sign of life, if not yet a picture."""
        self._facts = self._alive(t_s)
        return self.tick(t_s, at)

    def saw(self, view: View, t_s: float, at: datetime) -> Change | None:
        """A picture came and was judged."""
        facts = self._alive(t_s)
        shifted_since_s = _since(facts.shifted_since_s, t_s, holds=view.is_shifted)
        alien_since_s = _since(facts.alien_since_s, t_s, holds=view.is_alien or view.is_shifted)
        moved = _lasts(shifted_since_s, t_s, self._limits.shifted_s) or _lasts(
            alien_since_s, t_s, self._limits.alien_s
        )
        self._facts = replace(
            facts,
            saw_s=t_s,
            black_since_s=_since(facts.black_since_s, t_s, holds=view.is_black),
            shifted_since_s=shifted_since_s,
            alien_since_s=alien_since_s,
            is_moved=not view.is_still and (facts.is_moved or moved),
        )
        return self.tick(t_s, at)

    def failed(self, why: str, t_s: float, at: datetime) -> Change | None:
        """Its connection broke, or it could not be opened (again)."""
        self._facts = replace(self._facts, failures=self._facts.failures + 1, why=why)
        return self.tick(t_s, at)

    def tick(self, t_s: float, at: datetime) -> Change | None:
        """Time passes; call it every second or so."""
        after = self._judged(t_s)
        if after == self.state:
            return None
        change = Change(self.state, after, at, self._facts.why)
        self.state, self.since = after, at
        return change

    def _alive(self, t_s: float) -> _Facts:
        facts, stall_s = self._facts, self._limits.stall_s
        is_back = facts.failures or facts.alive_since_s is None or t_s - facts.heard_s > stall_s
        alive_since_s = t_s if is_back else facts.alive_since_s
        return replace(facts, alive_since_s=alive_since_s, heard_s=t_s, failures=0, why="")

    def _judged(self, t_s: float) -> CameraState:
        facts, limits = self._facts, self._limits
        if facts.alive_since_s is None:
            gone = facts.failures or t_s - facts.opened_s > limits.start_s
            return CameraState.UNREACHABLE if gone else CameraState.STARTING
        if facts.failures > 1:
            return CameraState.UNREACHABLE
        pictured_s = max(facts.alive_since_s, facts.saw_s or 0.0)
        if t_s - facts.heard_s > limits.stall_s or t_s - pictured_s > limits.pictureless_s:
            return CameraState.STALLED
        if facts.saw_s is None:
            return CameraState.STARTING
        if _lasts(facts.black_since_s, t_s, limits.black_s):
            return CameraState.BLACK
        return CameraState.MOVED if facts.is_moved else CameraState.OK


def _since(since_s: float | None, t_s: float, *, holds: bool) -> float | None:
    if not holds:
        return None
    return t_s if since_s is None else since_s


def _lasts(since_s: float | None, t_s: float, limit_s: float) -> bool:
    return since_s is not None and t_s - since_s >= limit_s
