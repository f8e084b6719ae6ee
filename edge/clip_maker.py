"""Makes clips on a thread of its own, one at a time, at a lower priority."""

import logging
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import replace

import av

from edge.config import CameraConfig
from edge.detect.clip import Clip, make_clip
from edge.detect.faces import FaceFinder
from edge.detect.watch import AlertEvent

log = logging.getLogger(__name__)

WAITING_MOST = 16
STOP_TIMEOUT_S = 2.0
LOW_PRIORITY = 5
"""Lower than the look, but not so low that a loaded machine never makes one."""

Tell = Callable[[AlertEvent, CameraConfig], None]
Work = tuple[AlertEvent, Clip, CameraConfig]


class ClipMaker:
    """Takes clips to make; tells of each with the update it belongs to."""

    def __init__(self, finder: FaceFinder, tell: Tell) -> None:
        """`tell` is called on the maker's thread. Nothing is made before `start`."""
        self._finder = finder
        self._tell = tell
        self._work: queue.Queue[Work | None] = queue.Queue(WAITING_MOST)
        self._thread = threading.Thread(target=self._make_forever, name="clips", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def add(self, update: AlertEvent, clip: Clip, camera: CameraConfig) -> None:
        """Make a clip when its turn comes; when too many wait, this one is not made."""
        try:
            self._work.put_nowait((update, clip, camera))
        except queue.Full:
            log.warning("camera %s: no clip of %s, %d wait already",
                        camera.id, update.id, WAITING_MOST)  # fmt: skip

    @property
    def is_idle(self) -> bool:
        """Whether every clip is made and told of."""
        return self._work.unfinished_tasks == 0

    def stop(self) -> None:
        """Finish what can be finished within two seconds; the other clips are not made."""
        while not self._work.empty() and self._work.qsize() > 1:
            try:
                self._work.get_nowait()
            except queue.Empty:
                break
            self._work.task_done()
        self._work.put(None)
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_S)

    def _make_forever(self) -> None:
        # On Linux a thread has a priority of its own: looking comes before making films.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW_PRIORITY)
        while (work := self._work.get()) is not None:
            update, clip, camera = work
            try:
                self._make(update, clip, camera)
            except Exception:  # whatever it is, the next clip must be made
                log.exception("camera %s: no clip of %s", camera.id, update.id)
            finally:
                self._work.task_done()

    def _make(self, update: AlertEvent, clip: Clip, camera: CameraConfig) -> None:
        try:
            file = make_clip(clip, self._finder)
        except (av.FFmpegError, OSError, ValueError) as fault:
            log.warning("camera %s: no clip of %s: %s", camera.id, update.id, fault)
            return
        self._tell(replace(update, evidence=(file,)), camera)
