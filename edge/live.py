"""Live view on request: pictures of a camera for a while, faces and plates covered, to the hub.

An order lasts some seconds and is bounded in pictures and bytes; with each picture the hub says
whether anybody still looks, so nothing is sent to nobody. It all goes out from the device, which
may stand behind any router, and never before an alert. Pictures are kept nowhere.
"""

import logging
import os
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

from edge.camera.frame import Frame, shrunk
from edge.detect.detectors import Detector
from edge.detect.evidence import jpeg
from edge.detect.faces import FaceFinder
from edge.detect.mask import face_patches, masked, patches
from edge.detect.watch import FAINT
from edge.looks import Camera, checked, ms_of
from edge.orders import OrderFailed, no_camera, no_picture
from edge.upload import BadAddress, PictureLine
from wire.coded import coded, of_system, words_of
from wire.looks import WatchArgs

log = logging.getLogger(__name__)

MOST_CAMERAS = 3
"""Watched at a time; each costs about as much as looking once more at its `per_s`."""
MOST_FAILURES = 5
QUALITIES = (80, 65, 50, 35, 20)
SMALLER = 0.75
PRIORITY = 5
FRAME_WAIT_S = 0.2
_TAKEN = {HTTPStatus.OK, HTTPStatus.NO_CONTENT}


class Newest:
    """The newest frame of a camera that nobody has taken yet."""

    def __init__(self) -> None:
        """There is none."""
        self.done = threading.Event()
        self._changed = threading.Condition()
        self._frame: Frame | None = None

    def offer(self, frame: Frame) -> None:
        """A frame has come; one that nobody took is forgotten."""
        with self._changed:
            self._frame = frame
            self._changed.notify()

    def take(self, wait_s: float) -> Frame | None:
        """The newest; None when none comes in time."""
        with self._changed:
            if self._frame is None:
                self._changed.wait(wait_s)
            frame, self._frame = self._frame, None
        return frame


@dataclass
class Sent:
    """What has gone out for an order, and why it ended."""

    pictures: int = 0
    size: int = 0
    ended: str = ""


class LiveDesk:
    """Carries out `camera.watch`. One watch a camera: a later order goes on where it is."""

    def __init__(
        self,
        cameras: Mapping[str, Camera],
        detector: Detector,
        finder: FaceFinder,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """`detector`, `finder`: of what is to be covered. `trust`: as of `edge.trust`."""
        self._cameras = cameras
        self._detector = detector
        self._finder = finder
        self._trust = trust
        self._lock = threading.Lock()
        self._watched: dict[str, threading.Event] = {}
        self._stop = threading.Event()
        self.give_way: Callable[[], None] = lambda: None

    def ask_to_stop(self) -> None:
        """End every watch."""
        self._stop.set()

    def watch(self, _name: str, arguments: dict[str, Any], _order: str = "") -> dict[str, Any]:
        """Send pictures for the stated time. Raises OrderFailed."""
        args = checked(WatchArgs, arguments)
        post = self._cameras.get(args.camera)
        if post is None:
            known = ", ".join(self._cameras) or "none"
            raise OrderFailed(no_camera(args.camera, known))
        try:
            line = PictureLine(args.url, self.give_way, self._trust)
        except BadAddress as fault:
            raise OrderFailed(words_of(fault)) from None
        # On Linux a thread has a priority of its own: looking comes before showing.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), PRIORITY)
        is_over = self._begin(args.camera)
        newest = Newest()
        post.requests.add(newest)
        try:
            sent = self._send(args, newest, line, is_over)
        finally:
            post.requests.remove(newest)
            line.close()
            self._end(args.camera, is_over)
        if not sent.pictures and sent.ended == "time":
            raise OrderFailed(no_picture(args.camera, post.state))
        return {
            "camera": args.camera,
            "pictures": sent.pictures,
            "bytes": sent.size,
            "ended": sent.ended,
        }

    def picture(self, frame: Frame, args: WatchArgs) -> bytes:
        """A frame as most people may see it, no larger than was asked for."""
        seen = self._detector.detect(frame.image, FAINT)
        faces = self._finder.find(frame.image)
        covered = (*patches(seen, frame.aspect), *face_patches(faces))
        image = shrunk(masked(frame.image, covered), args.longest)
        while True:
            for quality in QUALITIES:
                if len(data := jpeg(image, quality)) <= args.most_bytes:
                    return data
            image = shrunk(image, int(max(image.shape[:2]) * SMALLER))

    def _send(
        self, args: WatchArgs, newest: Newest, line: PictureLine, is_over: threading.Event
    ) -> Sent:
        sent, failures = Sent(), 0
        until_s = time.monotonic() + args.seconds
        due_s = time.monotonic()
        while not sent.ended:
            now_s = time.monotonic()
            if self._stop.is_set() or is_over.is_set() or now_s >= until_s:
                sent.ended = "continued" if is_over.is_set() else "time"
                break
            if now_s < due_s:
                is_over.wait(min(due_s - now_s, FRAME_WAIT_S))
                continue
            frame = newest.take(FRAME_WAIT_S)
            if frame is None:
                continue
            due_s = max(due_s + 1 / args.per_s, time.monotonic())
            data = self.picture(frame, args)
            headers = {"X-Taken-Ms": str(ms_of(frame.at)), "X-Sight": str(frame.sight)}
            try:
                status = line.put(data, headers)
            except (OSError, HTTPException) as fault:
                failures += 1
                if failures >= MOST_FAILURES:
                    why = of_system(fault) if isinstance(fault, OSError) else fault
                    raise OrderFailed(
                        coded("not_sent", "the pictures cannot be sent: {why}", why=why)
                    ) from None
                continue
            failures = 0
            if status == HTTPStatus.GONE:
                sent.ended = "nobody"
            elif status not in _TAKEN:
                raise OrderFailed(
                    coded(
                        "picture_answered", "the hub answered {status} to a picture", status=status
                    )
                )
            else:
                sent.pictures += 1
                sent.size += len(data)
        return sent

    def _begin(self, camera: str) -> threading.Event:
        mine = threading.Event()
        with self._lock:
            before = self._watched.get(camera)
            if before is None and len(self._watched) >= MOST_CAMERAS:
                others = ", ".join(self._watched)
                raise OrderFailed(
                    coded(
                        "watched",
                        "{cameras} are watched already; {most} at a time",
                        cameras=others,
                        most=MOST_CAMERAS,
                    )
                )
            self._watched[camera] = mine
        if before is not None:
            before.set()
        return mine

    def _end(self, camera: str, mine: threading.Event) -> None:
        with self._lock:
            if self._watched.get(camera) is mine:
                del self._watched[camera]
