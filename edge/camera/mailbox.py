"""Between the cameras' threads and the one that looks: the latest frame of each camera.

Slow analysis never builds a queue: a frame that was not taken in time is replaced by the next.
Cameras take turns, whoever has waited longest first.
"""

import threading
from threading import Event

from edge.camera.frame import Frame

_POLL_S = 0.2


class Mailbox:
    """One place for a frame per camera; safe to use from several threads."""

    def __init__(self) -> None:
        """Hold nothing; `replaced` counts the frames that nobody took."""
        self._changed = threading.Condition()
        self._waiting: dict[str, Frame | None] = {}
        self.replaced = 0

    def put(self, camera: str, frame: Frame) -> None:
        """Leave a frame; it takes the place, and the turn, of one not yet taken."""
        with self._changed:
            self.replaced += camera in self._waiting
            self._waiting[camera] = frame
            self._changed.notify_all()

    def put_in_turn(self, camera: str, frame: Frame | None, stop: Event) -> None:
        """Leave a frame once the one before is taken, or nothing once `stop` is set.

        For recordings, of which no frame may be missed. None: the camera has ended.
        """
        with self._changed:
            while camera in self._waiting and not stop.is_set():
                self._changed.wait(_POLL_S)
            if not stop.is_set():
                self._waiting[camera] = frame
                self._changed.notify_all()

    def take(self, wait_s: float) -> tuple[str, Frame | None] | None:
        """The camera that has waited longest and its frame; None when none comes in time."""
        with self._changed:
            if not self._waiting:
                self._changed.wait(wait_s)
            for camera in self._waiting:
                frame = self._waiting.pop(camera)
                self._changed.notify_all()
                return camera, frame
        return None
