"""A recording judged on its own clock: which of its pictures can be used, and when it was blind."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from edge.camera.clock import LOOKS_TO_STALL, Spacing, Thinning
from edge.camera.frame import Frame
from edge.camera.health import Health, Limits
from edge.camera.view import VIEW_SIDE, View, ViewWatch
from wire.status import CameraState

VIEWS_PER_S = 1.0
LOOKS_TO_FREEZE = 5


@dataclass(frozen=True)
class BlindSpan:
    """A time in which a camera could not be judged by; seconds into the recording."""

    state: CameraState
    since: datetime
    from_s: float
    until_s: float


class RecordedSight:
    """Says of each frame of a recording what it can be used for. `blind`: the spans so far."""

    def __init__(self, looks_per_s: float, *, moves: bool = False) -> None:
        """Before the first frame. `moves`: the camera is meant to."""
        self.blind: list[BlindSpan] = []
        self._limits = limits_at(looks_per_s, recorded=True)
        self._view = ViewWatch(moves=moves)
        self._view_due = Thinning(VIEWS_PER_S)
        self._seen = View()
        self._health: Health | None = None
        self._last: Frame | None = None
        self._spacing = Spacing(self._limits.stall_s)

    def judged(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The same frames, each with its `sight`."""
        for frame in frames:
            if self._health is None:
                self._health = Health(frame.t_s, frame.at, self._limits)
            self._note_gap(frame)
            if self._view_due.take(frame.t_s):
                self._seen = self._view.look(frame.picture.sized(VIEW_SIDE))
                self._health.saw(self._seen, frame.t_s, frame.at)
            self._note(frame, self._health)
            self._last = frame
            yield replace(frame, sight=self._health.sight_of(self._seen))

    def _note_gap(self, frame: Frame) -> None:
        """Frames far further apart than usual left a gap, in a time-lapse too."""
        last = self._last
        if last is not None and self._spacing.is_gap(frame.t_s - last.t_s):
            self.blind.append(BlindSpan(CameraState.STALLED, last.at, last.t_s, frame.t_s))

    def _note(self, frame: Frame, health: Health) -> None:
        if health.state is CameraState.OK:
            return
        last = self.blind[-1] if self.blind else None
        if last and (last.state, last.since) == (health.state, health.since):
            self.blind[-1] = replace(last, until_s=frame.t_s)
        else:
            since_s = frame.t_s - (frame.at - health.since).total_seconds()
            self.blind.append(BlindSpan(health.state, health.since, since_s, frame.t_s))


def limits_at(looks_per_s: float, *, recorded: bool, limits: Limits | None = None) -> Limits:
    """The limits of a camera looked at so often: fewer looks prove nothing sooner.

    Of a recording every sign of life is a picture, or one that is only not due yet.
    """
    limits = limits or Limits()
    slow_s = LOOKS_TO_STALL / looks_per_s
    return replace(
        limits,
        stall_s=max(limits.stall_s, slow_s) if recorded else limits.stall_s,
        pictureless_s=math.inf if recorded else max(limits.pictureless_s, slow_s),
        frozen_s=max(limits.frozen_s, LOOKS_TO_FREEZE / looks_per_s),
    )
