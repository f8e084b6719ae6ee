"""One camera kept running: a thread that opens it, hands on its frames, and tries again."""

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from edge.camera.address import masked
from edge.camera.clock import SystemClock, Thinning
from edge.camera.errors import BadSource, CameraError
from edge.camera.frame import Frame
from edge.camera.health import Change, Health, Limits
from edge.camera.kept_view import KeptView, drawn
from edge.camera.mailbox import Mailbox
from edge.camera.pace import Pace
from edge.camera.sight import VIEWS_PER_S, limits_at
from edge.camera.sources import is_recording, open_source
from edge.camera.view import VIEW_SIDE, View, ViewWatch
from edge.config import CameraConfig
from wire.status import CameraState

log = logging.getLogger(__name__)

RETRY_FIRST_S = 1.0
RETRY_LAST_S = 60.0
STOP_TIMEOUT_S = 1.0

_WORDS = {
    CameraState.STALLED: "no picture comes",
    CameraState.FROZEN: "it sends the same picture again and again",
    CameraState.BLACK: "it shows nothing",
    CameraState.DARK: "it is too dark to judge",
    CameraState.OVER_EXPOSED: "most of the picture is blown out",
    CameraState.OUT_OF_FOCUS: "the picture is blurred",
    CameraState.BLOCKED: "something hides much of what it looked at",
    CameraState.MOVED: "it no longer looks where it looked at first; its zones may not fit",
    CameraState.UNREACHABLE: "no answer",
}


def retry_wait_s(failures: int, chance: float) -> float:
    """How long to wait after so many failures in a row; `chance` is drawn from 0 to 1.

    Exponential with full jitter: a hundred cameras behind one broken switch come back spread out.
    """
    return chance * min(RETRY_LAST_S, RETRY_FIRST_S * 2.0 ** min(failures - 1, 10))


class CameraRunner:
    """One camera's thread, its health and its way into the mailbox.

    `on_change` is called from the camera's thread, or the one that calls `tick`. `ended`: a
    recording is over and no frame will come; `fault`: it could not be played at all. `pace`: how
    long its next frame may wait.
    """

    def __init__(
        self,
        camera: CameraConfig,
        mailbox: Mailbox,
        on_change: Callable[[Change], None] = lambda _: None,
        limits: Limits | None = None,
        views: Path | None = None,
    ) -> None:
        """Prepare; nothing is opened before `start`. `views`: a folder that keeps first views."""
        recorded = is_recording(camera.source)
        limits = limits_at(camera.looks_per_s, recorded=recorded, limits=limits)
        self.camera = camera
        self.pace = Pace()
        self.ended = False
        self.fault: BadSource | None = None
        self._mailbox = mailbox
        self._on_change = on_change
        self._stop = threading.Event()
        self._clock = SystemClock(self._stop)
        self._health = Health(self._clock.elapsed_s(), self._clock.now(), limits)
        self._lock = threading.Lock()
        self._views = views
        self._view = self._view_of(camera)
        self._seen = View()
        self._view_due = Thinning(VIEWS_PER_S)
        self._frames = 0
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name=f"camera {camera.id}", daemon=True)

    @property
    def health(self) -> Health:
        """Its state and since when."""
        return self._health

    def redraw(self, camera: CameraConfig) -> None:
        """Zones were drawn on what it shows now: that is its first view. Any thread may call."""
        if drawn(camera) != drawn(self.camera):
            self._view = self._view_of(camera)
        self.camera = camera

    def _view_of(self, camera: CameraConfig) -> ViewWatch:
        kept = KeptView(self._views / f"{camera.id}.npz", camera) if self._views else None
        return ViewWatch(moves=camera.moving is not None, kept=kept)

    def start(self) -> None:
        """Open the camera, and again whenever it is lost, until `stop`."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Let the thread end as soon as it can; returns at once."""
        self._stop.set()

    def stop(self) -> None:
        """Stop; at most a second, for a thread that hangs in the network ends by itself later."""
        self.ask_to_stop()
        self._thread.join(STOP_TIMEOUT_S)

    def tick(self) -> None:
        """Look whether silence has become a state; call it every second or so."""
        self._tell(self._health.tick)

    def _run(self) -> None:
        while not self._stop.is_set():
            why = self._play()
            if why is None or self._stop.is_set():
                break
            self._failures += 1
            self._tell(lambda t_s, at, why=why: self._health.failed(why, t_s, at))
            self._stop.wait(retry_wait_s(self._failures, random.random()))  # noqa: S311
        self.ended = not self._stop.is_set()
        if self.fault:
            log.error("camera %s: %s", self.camera.id, self.fault)
        elif self.ended:
            log.info("camera %s: its recording is over", self.camera.id)
        self._mailbox.put_in_turn(self.camera.id, None, self._stop)

    def _play(self) -> str | None:
        """Hand on frames until the source is lost; why it was, or None at a recording's end."""
        try:
            source = open_source(self.camera, self._clock, heard=self._heard, pace=self.pace)
            for frame in source:
                if self._stop.is_set():
                    break
                self._hand_on(frame)
        except CameraError as fault:
            if isinstance(fault, BadSource) and self._can_end():
                self.fault = fault
                return None
            return str(fault)
        except Exception:
            log.exception("camera %s failed; trying again", self.camera.id)
            return "failed; the log says why"
        return None

    def _can_end(self) -> bool:
        return is_recording(self.camera.source) and not self.camera.loop

    def _hand_on(self, frame: Frame) -> None:
        self._failures = 0
        frame = replace(frame, index=self._frames)
        self._frames += 1
        frame = self._judged(frame)
        if is_recording(self.camera.source) and not self.camera.real_time:
            self._mailbox.put_in_turn(self.camera.id, frame, self._stop)
        else:
            self._mailbox.put(self.camera.id, frame)

    def _judged(self, frame: Frame) -> Frame:
        """The frame with what it, and those before it, say of the camera."""
        if self._view_due.take(self._clock.elapsed_s()):
            self._seen = self._view.look(frame.picture.sized(VIEW_SIDE))
            self._tell(lambda t_s, at: self._health.saw(self._seen, t_s, at))
        else:
            self._heard()
        return replace(frame, sight=self._health.sight_of(self._seen))

    def _heard(self) -> None:
        self._tell(self._health.heard)

    def _tell(self, event: Callable[..., Change | None]) -> None:
        with self._lock:
            change = event(self._clock.elapsed_s(), self._clock.now())
        if change is not None:
            if not self.ended:
                self._log(change)
            self._on_change(change)

    def _log(self, change: Change) -> None:
        name = f"{self.camera.id} ({masked(self.camera.source)})"
        if change.after == CameraState.OK:
            log.info("camera %s is ok", name)
        elif change.before in (CameraState.OK, CameraState.STARTING):
            why = change.why or _WORDS[change.after]
            log.warning("camera %s is %s: %s", name, change.after, why)
        else:
            log.info("camera %s is %s now, was %s", name, change.after, change.before)
