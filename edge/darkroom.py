"""Makes the files of alerts that are told already, on a thread of its own, one after the other.

An alert waits for none of its files: finding faces, coding pictures and clips takes from a tenth
of a second to several, and follows with an update.
"""

import logging
import math
import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import av

from edge.config import CameraConfig
from edge.detect.evidence import Develop
from edge.detect.watch import AlertEvent

log = logging.getLogger(__name__)

CLIP_PRIORITY, PICTURE_PRIORITY = 5, 2
"""Lower than the look, but not so low that a loaded machine never makes one."""
STOP_TIMEOUT_S = 2.0

Tell = Callable[[AlertEvent, CameraConfig], None]
Work = tuple[AlertEvent, Develop, CameraConfig]


class Darkroom:
    """Takes what is to be made; tells of each with the update it belongs to."""

    def __init__(self, what: str, tell: Tell, *, priority: int, waiting_most: int = 16) -> None:
        """`what` it makes, for the log. `tell` is called on its thread. Nothing before `start`."""
        self._what = what
        self._tell = tell
        self._priority = priority
        self._most = waiting_most
        self._work: queue.Queue[Work | None] = queue.Queue()
        self._until_s = math.inf
        self._thread = threading.Thread(target=self._make_forever, name=what, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def add(self, update: AlertEvent, develop: Develop, camera: CameraConfig) -> None:
        """Make it when its turn comes; when too many wait, this one is not made."""
        if self._work.qsize() < self._most:
            self._work.put((update, develop, camera))
        else:
            log.warning("camera %s: no %s of %s, %d wait already",
                        camera.id, self._what, update.id, self._most)  # fmt: skip

    @property
    def is_idle(self) -> bool:
        """Whether everything is made and told of."""
        return self._work.unfinished_tasks == 0

    def stop(self) -> None:
        """Finish what can be finished within two seconds; the rest is not made."""
        self._until_s = time.monotonic() + STOP_TIMEOUT_S
        self._work.put(None)
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)

    def _make_forever(self) -> None:
        # On Linux a thread has a priority of its own: looking comes before making films.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), self._priority)
        while self._make(self._work.get()):
            pass

    def _make(self, work: Work | None) -> bool:
        """Whether there may be more to make. What was made is let go of at once."""
        if work is None or time.monotonic() >= self._until_s:
            return False
        update, develop, camera = work
        try:
            self._tell(replace(update, evidence=develop()), camera)
        except (av.FFmpegError, OSError, ValueError) as fault:
            log.warning("camera %s: no %s of %s: %s", camera.id, self._what, update.id, fault)
        except Exception:  # whatever it is, the next one must be made
            log.exception("camera %s: no %s of %s", camera.id, self._what, update.id)
        finally:
            self._work.task_done()
        return True
