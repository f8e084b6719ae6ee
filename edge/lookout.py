"""Cameras → frames → alerts → outbox: every camera of a device and the one thread that looks.

Each camera has a thread that reads and decodes. One thread looks at their latest frames in turn,
for two inferences at a time are slower than one after the other.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from weakref import WeakKeyDictionary

from edge.alert_desk import AlertDesk
from edge.camera.frame import Frame
from edge.camera.mailbox import Mailbox
from edge.camera.runner import CameraRunner
from edge.camera.sources import is_recording
from edge.config import CameraConfig, EdgeConfig, with_calendar
from edge.darkroom import CLIP_PRIORITY, PICTURE_PRIORITY, Darkroom
from edge.detect.clip import Clip, KnownFaces, make_clip
from edge.detect.detectors import Detector
from edge.detect.evidence import EvidenceFile
from edge.detect.faces import FaceFinder, open_finder
from edge.detect.passing import PassingWatch
from edge.detect.places import StayState
from edge.detect.record import album_bytes
from edge.detect.selftest import open_proven
from edge.detect.vocabulary import vocabulary_faults
from edge.detect.watch import AlertEvent, CameraWatch
from edge.live import LiveDesk
from edge.looks import LookDesk, Requests
from edge.model_keeper import ModelKeeper
from edge.moving import Course
from edge.outbox import Outbox
from edge.place_memory import PlaceMemory
from edge.show import Shower
from edge.signature import Signer
from edge.trust import believed
from wire.status import CameraBirth, CameraHealth, CameraState

log = logging.getLogger(__name__)

LOOK_WAIT_S = 0.3
PICTURES_WAITING = 64
STOP_TIMEOUT_S = 2.0


class Lookout:
    """All cameras of one device."""

    def __init__(
        self,
        config: EdgeConfig,
        outbox: Outbox,
        on_change: Callable[[], None],
        courses: Mapping[str, Course] = MappingProxyType({}),
        signer: Signer | None = None,
    ) -> None:
        """Open the model and prepare the cameras; nothing is read before `start`.

        `on_change`: a camera's state has changed. `courses`: by receiver, where the cameras go that
        move. `signer`: of pictures that are asked for; without one there are none. Raises BadModel,
        BadGround, BadSource.
        """
        trust = believed(config.broker.ca_file)
        self.models = ModelKeeper(
            config.data_dir / "models", config.model, open_proven, on_change, trust=trust
        )
        self._detector = self.models.detector
        for camera in config.cameras:
            for fault in vocabulary_faults(camera, self._detector.labels):
                log.warning("camera %s: %s", camera.id, fault)
        self._mailbox = Mailbox()
        finder, room = open_finder(), album_bytes(len(config.cameras))
        self._posts = {
            camera.id: Post(
                with_calendar(camera, config.calendar),
                Eyes(
                    self._detector,
                    finder,
                    room,
                    config.data_dir / "references",
                    courses,
                    config.data_dir / "views",
                ),
                self._mailbox,
                on_change,
            )
            for camera in config.cameras
        }
        self._desk = AlertDesk(outbox, config.data_dir / "open-alerts", lambda: self.model)
        self._finder = finder
        self._faces: KnownFaces = WeakKeyDictionary()
        self._pictures = Darkroom(
            "pictures", self._tell_pictures, priority=PICTURE_PRIORITY,
            waiting_most=PICTURES_WAITING,
        )  # fmt: skip
        self._clips = Darkroom("clip", self._desk.take, priority=CLIP_PRIORITY)
        self._memory = PlaceMemory(config.data_dir / "places")
        show = Shower(outbox, signer, finder) if signer is not None else None
        self.looks = LookDesk(self._posts, self._detector, self._memory, show)
        self.live = LiveDesk(self._posts, self._detector, finder, trust)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_forever, name="look", daemon=True)

    @property
    def model(self) -> str:
        """The model's name and version."""
        return self.models.title

    def start(self) -> None:
        """Open the cameras and look from now on."""
        self._desk.end_what_was_left()
        self.models.start()
        self._thread.start()
        self._pictures.start()
        self._clips.start()
        for post in self._posts.values():
            post.runner.start()

    def ask_to_stop(self) -> None:
        """Let every camera end as soon as it can; returns at once."""
        self._stop.set()
        self.looks.ask_to_stop()
        self.live.ask_to_stop()
        self.models.ask_to_stop()
        for post in self._posts.values():
            post.runner.ask_to_stop()

    def stop(self) -> None:
        """Stop and end the open alerts, for nobody watches them any more."""
        self.ask_to_stop()
        self._thread.join(STOP_TIMEOUT_S)
        for post in self._posts.values():
            post.runner.stop()
            self._tell(post, post.finish())
        self._pictures.stop()
        self._clips.stop()
        self._desk.store()

    def tick(self) -> None:
        """Look after the cameras' states; call it every second or so."""
        for post in self._posts.values():
            post.runner.tick()
        self.models.tick()
        self._desk.store()

    def adopt(self, cameras: Sequence[CameraConfig]) -> None:
        """Watch by other settings, each camera from its next look on. Any thread may call."""
        for camera in cameras:
            self._posts[camera.id].adopt(camera)

    @property
    def has_ended(self) -> bool:
        """Whether every camera was a recording, is over, and all it showed is stored."""
        is_over = all(post.has_ended for post in self._posts.values())
        is_made = self._pictures.is_idle and self._clips.is_idle
        return is_over and is_made and not self._desk.has_waiting

    @property
    def faults(self) -> list[str]:
        """Recordings that could not be played, each with its reason."""
        return [str(p.runner.fault) for p in self._posts.values() if p.runner.fault]

    def births(self) -> list[CameraBirth]:
        """The cameras as configured."""
        births = (post.birth() for post in self._posts.values())
        return [birth for birth in births if birth is not None]

    def health(self) -> list[CameraHealth]:
        """The cameras' states."""
        return [post.health() for post in self._posts.values()]

    def _look_forever(self) -> None:
        while not self._stop.is_set():
            letter = self._mailbox.take(LOOK_WAIT_S)
            self._detector.between_looks()
            if letter is not None:
                camera, frame = letter
                self._look(self._posts[camera], frame)

    def _look(self, post: "Post", frame: Frame | None) -> None:
        try:
            self._tell(post, post.look(frame))
            post.has_ended = post.has_ended or frame is None
        except Exception:
            if not post.is_failing:
                log.exception("camera %s: a frame could not be judged", post.camera.id)
            post.is_failing = True
        if frame is not None:
            post.requests.offer(frame)

    def _tell(self, post: "Post", events: Sequence[AlertEvent]) -> None:
        for event in events:
            log.info("camera %s: %s %s in %s, score %.2f", post.camera.id, event.state,
                     event.label, event.zone, event.score)  # fmt: skip
            self._memory.keep(event, post.camera.id)  # who hears of it may ask for a look at once
            self._desk.take(event, post.camera)
            if event.develop is not None:
                update = replace(event, state=StayState.UPDATE, develop=None)
                self._pictures.add(update, event.develop, post.camera)
        for update, clip in post.clips():
            self._clips.add(update, partial(_film, clip, self._finder, self._faces), post.camera)

    def _tell_pictures(self, update: AlertEvent, camera: CameraConfig) -> None:
        self._desk.take(update, camera)
        self._memory.keep(update, camera.id)


def _film(clip: Clip, finder: FaceFinder, known: KnownFaces) -> tuple[EvidenceFile, ...]:
    return (make_clip(clip, finder, known),)


@dataclass(frozen=True)
class Eyes:
    """What every camera is judged with.

    `album_bytes`: of pictures each may keep in memory. `references`: a folder that keeps by camera
    the views of no-build zones, and where those that move passed clean road. `courses`: where those
    go that move, by receiver. `views`: a folder that keeps what each camera looked at first.
    """

    detector: Detector
    finder: FaceFinder
    album_bytes: int
    references: Path
    courses: Mapping[str, Course]
    views: Path | None = None

    def watch(self, camera: CameraConfig) -> CameraWatch | PassingWatch:
        """A fresh look at a camera."""
        course = self.course(camera)
        kept = self.references / camera.id
        if course is not None:
            is_recorded = is_recording(camera.source) and not camera.real_time
            return PassingWatch(
                camera,
                self.detector,
                course,
                is_recorded=is_recorded,
                finder=self.finder,
                folder=kept,
            )
        return CameraWatch(camera, self.detector, self.finder, self.album_bytes, kept)

    def course(self, camera: CameraConfig) -> Course | None:
        """The way of a camera that moves."""
        return self.courses.get(camera.moving.receiver) if camera.moving else None


class Post:
    """One camera on watch: what reads it and what judges it."""

    def __init__(
        self,
        camera: CameraConfig,
        eyes: Eyes,
        mailbox: Mailbox,
        on_change: Callable[[], None],
    ) -> None:
        """Prepare; the runner starts it."""
        self.camera = camera
        self.runner = CameraRunner(camera, mailbox, lambda _: on_change(), views=eyes.views)
        self.watch = eyes.watch(camera)
        self.requests = Requests()
        self.has_ended = False
        self.is_failing = False
        self._eyes = eyes
        self._last: Frame | None = None
        self._looks = 0
        self._clips: list[tuple[AlertEvent, Clip]] = []
        self._is_revised = False

    @property
    def state(self) -> CameraState:
        """Whether it can be judged by."""
        return self.runner.health.state

    def adopt(self, camera: CameraConfig) -> None:
        """Watch by other settings from the next look on. Any thread may call."""
        self.runner.redraw(camera)
        self.camera, self._is_revised = camera, True

    def look(self, frame: Frame | None) -> list[AlertEvent]:
        """Judge a frame; None is the end of a recording."""
        if frame is None:
            return self.finish()
        over: list[AlertEvent] = []
        if self._last is not None and frame.t_s < self._last.t_s:
            over = self.finish()
            self._clips += self.watch.clips(self._last.at)
            self.watch = self._eyes.watch(self.camera)
        self._last = frame
        self._looks += 1
        if self._is_revised:
            self._is_revised = False
            over += self.watch.adopt(self.camera, frame.at)
        events = self.watch.look(frame)
        self.runner.pace.gap_s = 0.0 if self.requests.any else self.watch.gap_s
        self.is_failing = False
        return over + events

    def finish(self) -> list[AlertEvent]:
        """Nobody watches any more: end what is open, as of the last frame."""
        if self._last is None:
            return []
        self._clips += self.watch.clips(self._last.at)
        return self.watch.finish(self._last.at)

    def clips(self) -> list[tuple[AlertEvent, Clip]]:
        """The clips that can be made now, each with the update it is to be sent with."""
        if self._last is not None:
            self._clips += self.watch.clips(self._last.at, self._last.t_s)
        made, self._clips = self._clips, []
        return made

    def birth(self) -> CameraBirth | None:
        """The camera as configured; None for one that moves while nobody knows where it is."""
        fixed, moving, course = (
            self.camera.fixed,
            self.camera.moving,
            self._eyes.course(self.camera),
        )
        at = fixed or (course.at(datetime.now(UTC)) if course else None)
        if at is None:
            return None
        return CameraBirth(
            id=self.camera.id,
            name=self.camera.name,
            lat=at.lat,
            lon=at.lon,
            heading_deg=fixed.heading_deg if fixed else None,
            fov_deg=fixed.fov_deg if fixed else moving.mount.fov_deg if moving else None,
            zones=[zone.name or zone.id for zone in self.camera.zones],
        )

    def health(self) -> CameraHealth:
        """The camera's state."""
        health = self.runner.health
        since = int(health.since.timestamp() * 1000)
        return CameraHealth(self.camera.id, health.state, since, self._looks)
