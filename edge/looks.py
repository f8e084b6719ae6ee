"""Looks on request: a snapshot now, and the look again that a check of a case asks for.

A request waits for frames that come after it; the thread that looks hands them in. What is waited
for is bounded: a camera that gives nothing gives that as the answer.
"""

import base64
import binascii
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
from pydantic import ValidationError

from edge.camera.frame import Frame
from edge.config import CameraConfig
from edge.detect.detection import Detection
from edge.detect.detectors import Detector
from edge.detect.errors import BadGround
from edge.detect.ground import ground_of
from edge.detect.look_again import Answer, Finding, Look, LookAgain, Place, Reason, Surroundings
from edge.detect.watch import FAINT, PASSERS
from edge.evidence_desk import Kept
from edge.orders import OrderFailed, no_camera, no_picture
from edge.place_memory import KnownPlace, PlaceMemory, crop_of
from wire.coded import coded, words_of
from wire.looks import LookArgs, SnapshotArgs
from wire.settings import sentences
from wire.statement import look_subject, snapshot_subject
from wire.status import CameraState

log = logging.getLogger(__name__)

SNAPSHOT_S = 20.0
GRACE_S = 10.0
"""Beyond the stated time: how long the last look may be in coming."""
THING_M = 1.0
"""Half the size of the place that is looked at around a spot of the map."""
PICTURES = 2
"""The first and the last clear look are shown."""


class Show(Protocol):
    """Stores pictures of a camera as evidence of `subject`: masked for most, sealed for few."""

    def __call__(
        self,
        subject: str,
        camera: CameraConfig,
        shown: Sequence[tuple[Frame, Sequence[Detection]]],
        model: str,
    ) -> Kept | None:
        """Durable on return; None where there is nothing to be shown."""
        ...


class Camera(Protocol):
    """A camera as the looks need it."""

    camera: CameraConfig
    requests: "Requests"

    @property
    def state(self) -> CameraState:
        """Whether it can be judged by."""
        ...


class Taker(Protocol):
    """Wants frames until it is `done`."""

    done: threading.Event

    def offer(self, frame: Frame) -> None:
        """A frame has come."""
        ...


class Request:
    """Frames wanted: `count` of them, spread evenly over `seconds`, none older than the request."""

    def __init__(self, count: int, seconds: float, take: Callable[[Frame], None]) -> None:
        """`take` is called on the thread that looks."""
        self.done = threading.Event()
        self._take = take
        self._wanted = count
        self._every_s = seconds / max(count - 1, 1)
        self._due_s = time.monotonic()
        self._is_first = True

    def offer(self, frame: Frame) -> None:
        """A frame has come; the very first may have waited since before the request."""
        if self._is_first:
            self._is_first = False
            return
        now_s = time.monotonic()
        if self.done.is_set() or now_s < self._due_s:
            return
        self._due_s += self._every_s
        self._take(frame)
        self._wanted -= 1
        if self._wanted <= 0:
            self.done.set()


class Requests:
    """The open requests of one camera."""

    def __init__(self) -> None:
        """Nothing is asked for."""
        self._open: tuple[Taker, ...] = ()
        self._lock = threading.Lock()

    @property
    def any(self) -> bool:
        """Whether frames are waited for."""
        return bool(self._open)

    def add(self, request: Taker) -> None:
        """Ask for frames."""
        with self._lock:
            self._open += (request,)

    def remove(self, request: Taker) -> None:
        """Ask no more."""
        with self._lock:
            self._open = tuple(each for each in self._open if each is not request)

    def offer(self, frame: Frame) -> None:
        """A frame has come."""
        for request in self._open:
            try:
                request.offer(frame)
            except Exception:
                log.exception("a look on request failed")
                request.done.set()


class LookDesk:
    """Carries out `camera.snapshot` and `camera.look` for the cameras of a device."""

    def __init__(
        self,
        cameras: Mapping[str, Camera],
        detector: Detector,
        memory: PlaceMemory,
        show: Show | None,
    ) -> None:
        """`memory`: what places looked like; `show` stores the pictures, where any are kept."""
        self._cameras = cameras
        self._detector = detector
        self._memory = memory
        self._show = show
        self._stop = threading.Event()

    def ask_to_stop(self) -> None:
        """End what is waited for."""
        self._stop.set()

    def snapshot(self, _name: str, arguments: dict[str, Any], order: str = "") -> dict[str, Any]:
        """A fresh picture; signed with the `order` it was asked for by. Raises OrderFailed."""
        args = checked(SnapshotArgs, arguments)
        post = self._post(args.camera)
        taken: list[Frame] = []
        self._wait(post, Request(1, 0, taken.append), SNAPSHOT_S)
        if not taken:
            raise OrderFailed(no_picture(args.camera, post.state))
        frame = taken[0]
        seen = self._detector.detect(frame.image, FAINT)
        kept = self._kept(snapshot_subject(args.camera, order), post.camera, [(frame, seen)])
        height, width = frame.image.shape[:2]
        return {
            "camera": args.camera,
            "at": ms_of(frame.at),
            "state": str(frame.sight),
            "width": width,
            "height": height,
            **_told(kept),
        }

    def look(self, _name: str, arguments: dict[str, Any], order: str = "") -> dict[str, Any]:
        """Fresh looks at a place, and what they come to. Raises OrderFailed."""
        args = checked(LookArgs, arguments)
        post = self._post(args.camera)
        known = self._place(args, post.camera)
        visit = Visit(known.place, self._detector)
        began = datetime.now(UTC)
        self._wait(post, Request(args.looks, args.seconds, visit.take), args.seconds + GRACE_S)
        finding = visit.finding(post.state)
        subject = look_subject(args.alert or "", args.camera, order)
        kept = self._kept(subject, post.camera, visit.shown())
        box = known.place.box
        return {
            "camera": args.camera,
            "alert": args.alert or "",
            "label": known.place.label,
            "box": {"x": box.x, "y": box.y, "w": box.w, "h": box.h},
            "answer": str(finding.answer),
            "confidence": finding.confidence,
            "reasons": [str(reason) for reason in finding.reasons],
            "details": list(finding.details),
            "looks": finding.looks,
            "clear": finding.clear,
            "hidden": finding.hidden,
            "from": ms_of(began),
            "until": ms_of(datetime.now(UTC)),
            "model": self._detector.name,
            **_told(kept),
        }

    def _kept(
        self, subject: str, camera: CameraConfig, shown: Sequence[tuple[Frame, Sequence[Detection]]]
    ) -> Kept | None:
        return self._show(subject, camera, shown, self._detector.name) if self._show else None

    def _wait(self, post: Camera, request: Request, timeout_s: float) -> None:
        deadline_s = time.monotonic() + timeout_s
        post.requests.add(request)
        try:
            while not request.done.wait(0.2) and time.monotonic() < deadline_s:
                if self._stop.is_set():
                    raise OrderFailed(coded("agent_stops", "the agent stops"))
        finally:
            post.requests.remove(request)

    def _post(self, camera: str) -> Camera:
        if camera not in self._cameras:
            known = ", ".join(self._cameras) or "none"
            raise OrderFailed(no_camera(camera, known))
        return self._cameras[camera]

    def _place(self, args: LookArgs, camera: CameraConfig) -> KnownPlace:
        """The place that is asked about, with the pictures of it that are at hand."""
        if args.alert and (known := self._memory.recall(args.alert)) is not None:
            if known.camera != args.camera:
                raise OrderFailed(
                    coded(
                        "alert_of_other",
                        "alert {alert} is of camera {camera}",
                        alert=args.alert,
                        camera=known.camera,
                    )
                )
            return known
        if args.box is not None:
            given = args.box
            box = Detection(args.label, 1.0, given.x, given.y, given.w, given.h)
        elif args.lat is not None and args.lon is not None:
            box = _box_at(camera, args.label, args.lat, args.lon)
        else:
            message = "alert {alert} is not known here (any more); name its box"
            raise OrderFailed(coded("alert_unknown", message, alert=args.alert))
        pictures = [_crop(each, box) for each in (args.with_it, args.without_it)]
        return KnownPlace(args.camera, Place(box, args.label, *pictures))


class Visit:
    """The looks of one request, taken on the thread that looks."""

    def __init__(self, place: Place, detector: Detector) -> None:
        """`place`: what is asked about."""
        self._place = place
        self._detector = detector
        self._again = LookAgain(
            place,
            knows_class=_sees_class(place, detector),
            threshold=detector.threshold(place.label),
        )
        self._first: tuple[Frame, Sequence[Detection]] | None = None
        self._last: tuple[Frame, Sequence[Detection]] | None = None

    def take(self, frame: Frame) -> None:
        """Take in a fresh frame."""
        seen = self._detector.detect(frame.image, FAINT)
        sure = [box for box in seen if box.score >= self._detector.threshold(box.label)]
        passers = [box for box in sure if box.label in PASSERS and box.label != self._place.label]
        self._again.take(Look(frame.image, seen, passers, frame.sight))
        self._first = self._first or (frame, seen)
        self._last = (frame, seen)

    def finding(self, state: CameraState) -> Finding:
        """What they come to; `state`: the camera's, which counts when nothing came at all."""
        if self._again.looks == 0 or state is not CameraState.OK:
            return Finding(
                Answer.CANNOT_TELL, 0.0, (Reason.CAMERA,), (str(state),), looks=self._again.looks
            )
        return self._again.answer()

    def shown(self) -> list[tuple[Frame, Sequence[Detection]]]:
        """The first and the last look."""
        both = [each for each in (self._first, self._last) if each is not None]
        return both if len(both) < PICTURES or both[0][0] is not both[1][0] else both[:1]


def _sees_class(place: Place, detector: Detector) -> bool:
    """Whether the detector knows the thing's class, and sees it where it is known to stand."""
    if place.label not in detector.labels or place.with_it is None:
        return False
    crop, box, frame = place.with_it.image, place.box, place.with_it.frame
    there = Detection(
        place.label,
        1.0,
        (box.x - frame.x) / frame.w,
        (box.y - frame.y) / frame.h,
        box.w / frame.w,
        box.h / frame.h,
    )
    again = LookAgain(Place(there, place.label), knows_class=True)
    return again.sees(detector.detect(crop, detector.threshold(place.label)))


def _box_at(camera: CameraConfig, label: str, lat: float, lon: float) -> Detection:
    try:
        ground = ground_of(camera)
    except BadGround as fault:
        raise OrderFailed(words_of(fault)) from None
    if ground is None:
        message = "camera {camera} has no ground_points, so no place on the map"
        raise OrderFailed(coded("not_on_map", message, camera=camera.id))
    box = ground.box_at(lat, lon, THING_M)
    if box is None:
        message = "camera {camera} does not see {lat}, {lon}"
        raise OrderFailed(coded("not_in_sight", message, camera=camera.id, lat=lat, lon=lon))
    return Detection(label, 1.0, *box)


def _crop(text: str | None, box: Detection) -> Surroundings | None:
    if text is None:
        return None
    try:
        return crop_of(base64.b64decode(text, validate=True), box)
    except (binascii.Error, ValueError):
        raise OrderFailed("with_it, without_it: no base64") from None


def checked(kind: type[Any], arguments: dict[str, Any]) -> Any:
    """The arguments of an order, as `kind` has them. Raises OrderFailed."""
    try:
        return kind.model_validate(arguments)
    except ValidationError as fault:
        raise OrderFailed("; ".join(sentences(fault, kind))) from None


def _told(kept: Kept | None) -> dict[str, Any]:
    """What a reply says of its pictures: which, and the scene that was signed with each."""
    if kept is None:
        return {"evidence": []}
    told: dict[str, Any] = msgspec.to_builtins({"evidence": kept.refs, "scene": kept.scene})
    return told


def ms_of(at: datetime) -> int:
    """Milliseconds since 1970 UTC."""
    return int(at.timestamp() * 1000)
