"""Whether a camera can be judged by: a state machine without clock, camera or thread.

Events come with two times: `t_s`, seconds on a clock that never jumps, decides; `at`, the wall
clock, is only told to people. The state follows from a few facts, worst first:

    unreachable    it could not be opened, or not again after its connection broke
    starting       nothing has come from it yet
    stalled        it is silent, or sends what gives no picture
    frozen         it sends the same picture again and again
    black          it shows nothing
    dark           it shows a street, too dark to judge
    over_exposed   most of what it shows is blown out
    out_of_focus   it is blurred, by dew, dirt or its lens
    blocked        something hides much of what it looked at
    moved          it no longer looks where it looked at first
    ok             none of these

A connection that breaks and is back within the stall limit changes nothing. A flaw must last
before it is a state; all but `black`, which is unmistakable, end once the picture has been well
for `well_s`. Live
pictures carry noise and a running clock, so a picture that is never new for `frozen_s` is none;
a street without both, coded without loss, would be taken for frozen until something moves.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from edge.camera.view import View
from wire.status import CameraState


@dataclass(frozen=True)
class Limits:
    """How long something must last before it is a state, seconds.

    `pictureless_s`: packets, but no picture. `frozen_s`: pictures, but none is new. `blocked_s`,
    `alien_s` (nothing of the first view is seen): longer than a bus or a lorry stops in front.
    """

    start_s: float = 9.0
    stall_s: float = 6.0
    pictureless_s: float = 30.0
    frozen_s: float = 45.0
    black_s: float = 4.0
    dark_s: float = 8.0
    over_exposed_s: float = 8.0
    out_of_focus_s: float = 8.0
    blocked_s: float = 20.0
    shifted_s: float = 5.0
    alien_s: float = 60.0
    well_s: float = 3.0

    def of(self, flaw: CameraState) -> float:
        """How long a flaw of the picture must last."""
        limits = {
            CameraState.BLACK: self.black_s,
            CameraState.DARK: self.dark_s,
            CameraState.OVER_EXPOSED: self.over_exposed_s,
            CameraState.OUT_OF_FOCUS: self.out_of_focus_s,
            CameraState.BLOCKED: self.blocked_s,
        }
        return limits[flaw]


STALE_SHARE = 3.0
"""A frozen picture is judged on for so many times the limit: what it shows may well be there, and
a street with nothing new is not a reason to forget a thing that was seen to stay."""

FLAWS = frozenset({
    CameraState.BLACK,
    CameraState.DARK,
    CameraState.OVER_EXPOSED,
    CameraState.OUT_OF_FOCUS,
    CameraState.BLOCKED,
})  # fmt: skip
"""What can be wrong with a single picture, whatever came before it."""


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
    new_s: float | None = None
    flaw: CameraState | None = None
    flaw_since_s: float = 0.0
    well_since_s: float | None = None
    shown: CameraState | None = None
    shifted_since_s: float | None = None
    alien_since_s: float | None = None
    is_moved: bool = False


class Health:
    """The state of one camera and since when: since it began, not since it was known."""

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
        facts = self._flawed(self._alive(t_s), view, t_s)
        is_shifted = view.flaw is CameraState.MOVED
        shifted_since_s = _since(facts.shifted_since_s, t_s, holds=is_shifted)
        alien_since_s = _since(facts.alien_since_s, t_s, holds=view.is_alien or is_shifted)
        moved = _lasts(shifted_since_s, t_s, self._limits.shifted_s) or _lasts(
            alien_since_s, t_s, self._limits.alien_s
        )
        self._facts = replace(
            facts,
            saw_s=t_s,
            new_s=facts.new_s if view.is_repeated and facts.new_s is not None else t_s,
            shifted_since_s=shifted_since_s,
            alien_since_s=alien_since_s,
            is_moved=not view.is_still and (facts.is_moved or moved),
        )
        return self.tick(t_s, at)

    def sight_of(self, view: View) -> CameraState:
        """What the last picture, judged as `view`, can be used for: its flaw, or the camera's.

        A flaw counts at once, long before it is a state. A picture without one may still come
        from a camera that has moved, or show again what it showed long ago.
        """
        if view.is_alien and not self._facts.is_moved:
            return CameraState.BLOCKED
        if view.flaw is not CameraState.OK:
            return view.flaw
        facts = self._facts
        if _lasts(facts.new_s, facts.saw_s, STALE_SHARE * self._limits.frozen_s):
            return CameraState.FROZEN
        return CameraState.MOVED if facts.is_moved else CameraState.OK

    def _flawed(self, facts: _Facts, view: View, t_s: float) -> _Facts:
        """Which flaw the pictures have had for how long; a state once shown ends slowly."""
        flaw = view.flaw if view.flaw in FLAWS else None
        if flaw is not None:
            since_s = facts.flaw_since_s if facts.flaw is not None else t_s
            shown = flaw if facts.shown or t_s - since_s >= self._limits.of(flaw) else None
            return replace(facts, flaw=flaw, flaw_since_s=since_s, well_since_s=None, shown=shown)
        well_since_s = _since(facts.well_since_s, t_s, holds=True)
        wait_s = 0.0 if facts.shown is CameraState.BLACK else self._limits.well_s
        is_well = facts.shown is None or _lasts(well_since_s, t_s, wait_s)
        shown = None if is_well else facts.shown
        return replace(facts, flaw=None, well_since_s=well_since_s, shown=shown)

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
        began = at - timedelta(seconds=t_s - self._began_s(after, t_s))
        self.state, self.since = after, min(at, max(began, self.since))
        return change

    def _began_s(self, state: CameraState, t_s: float) -> float:
        """When what is a state now began: it had to last before it was one."""
        facts = self._facts
        if state is CameraState.STALLED:
            return facts.heard_s if t_s - facts.heard_s > self._limits.stall_s else t_s
        if state is CameraState.FROZEN and facts.new_s is not None:
            return facts.new_s
        if state in FLAWS:
            return facts.flaw_since_s
        if state is CameraState.MOVED:
            known = (facts.shifted_since_s, facts.alien_since_s)
            return min((each for each in known if each is not None), default=t_s)
        return t_s

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
        return self._shown()

    def _shown(self) -> CameraState:
        """What the pictures say."""
        facts, limits = self._facts, self._limits
        if _lasts(facts.new_s, facts.saw_s, limits.frozen_s):
            return CameraState.FROZEN
        if facts.shown is not None:
            return facts.shown
        return CameraState.MOVED if facts.is_moved else CameraState.OK


def _since(since_s: float | None, t_s: float, *, holds: bool) -> float | None:
    if not holds:
        return None
    return t_s if since_s is None else since_s


def _lasts(since_s: float | None, t_s: float | None, limit_s: float) -> bool:
    return since_s is not None and t_s is not None and t_s - since_s >= limit_s
