"""One camera's whole path from frames to alerts: start reading here.

A look is: thumbnail → can the view be judged → did anything move → what is there → which of it
is the same as before → what stands together → what stays in a zone → what has become an alert.
Beside it, over days: what was built where nothing may be (`building.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from edge.camera.frame import Frame, Image
from edge.config import CameraConfig
from edge.detect.building import LASTING_S, BuildingWatch
from edge.detect.change import Change, SceneChange
from edge.detect.clean_looks import CleanLooks
from edge.detect.clip import Clip
from edge.detect.close_ups import with_close_ups
from edge.detect.closer import CloserLooks
from edge.detect.detection import Detection
from edge.detect.detectors import Detector
from edge.detect.evidence import Develop, EvidenceFile
from edge.detect.faces import FaceFinder, NoFinder
from edge.detect.glance import Gaze
from edge.detect.ground import GeoPlace, ground_of, place_of
from edge.detect.moment import Moment, set_between
from edge.detect.motion import WHOLE_EVERY_S, MotionGate
from edge.detect.overlap import corners, covered_share, ious, nestings
from edge.detect.places import NAMED_SHARE, Placed, Places, Sighting, Stay, StayEvent, StayState
from edge.detect.record import ALBUM_BYTES, Recorder
from edge.detect.relations import BY_HAND, stalls
from edge.detect.thumbnail import DOUBLE, grey, thumbnail
from edge.detect.tracking import SAME_KIND, Track, Tracker
from edge.detect.zones import Zones
from wire.status import CameraState
from wire.zone import LABELS, STRUCTURE, Label, ZoneConfig

MATTERS: dict[Label, str | None] = {
    "street_vending": "09006",
    "garbage": "06010",
    "illegal_structure": "06001",
    "unknown_object": None,
}
"""GB/T 47678.5-2026 codes where the zone names none."""

FAINT = 0.12
"""Detections down to this score are taken in: to add up, and to keep hold of what was surer."""

FAINT_SHARE = 0.5
"""A matter is followed from this part of its threshold on; its median must reach the whole."""

PASSERS = frozenset({"person", "dog", "bicycle", "motorcycle", *SAME_KIND})
"""What comes and goes; a place behind it is hidden, a change made of it is explained."""

JUDGED = frozenset({CameraState.OK, CameraState.MOVED})
"""A camera that was knocked still shows things; only that one is gone, it can no longer show."""

PARKED = frozenset({"bicycle", "motorcycle", *SAME_KIND})
"""Vehicles, which nobody builds."""

SLOW_DWELL_S = 43_200.0
"""Zones with a dwell of half a day or more are watched over days, too."""

STANDING_STRUCTURE = 0.5
NEW_PART = 0.3
"""Houses look like structures: one that is not new in so large a part must reach this score in half
of all looks, for single ones of any house do now and then, and by night more than by day."""

SAME_IOU, SAME_PART = 0.3, 0.5
"""A thing with a class came when the scene changed there, if their boxes agree so well."""

CLEAN_LOOKS = "clean-looks.npz"

TURNED = 0.01
"""A view that shifted by more of the picture shows other places in its cells."""

IDLE_AFTER_S = 10.0
DWELL_PARTS = 15
"""Where nothing has moved for so long the next look may wait, at most a fifteenth of the shortest
dwell: looks at a still picture only let time pass, and time is told by the stamps."""

WHOLES_A_DWELL = 12
"""The shortest dwell sees at least so many looks at the whole, however busy the street is."""


@dataclass(frozen=True)
class AlertEvent:
    """Something stayed where it must not be: it is `new`, lasts (`update`), or is over (`end`).

    `id`: the same for all events of one alert, and the same again for the same recording.
    `since`: when it came; `last_clean`: the last look before that showed its place clean, None for
    never. `t_s`: seconds into the recording. `boxes`: the thing, then what it is made of. `place`:
    None when the camera has no position. `level`: severity 1 to 3. `develop` makes its pictures,
    for which nobody who is to hear of it need wait.
    """

    id: str
    state: StayState
    label: Label
    matter: str | None
    zone: str
    at: datetime
    since: datetime
    t_s: float
    score: float
    boxes: tuple[Detection, ...]
    place: GeoPlace | None
    level: int
    evidence: tuple[EvidenceFile, ...] = ()
    last_clean: datetime | None = None
    develop: Develop | None = field(default=None, compare=False)

    def developed(self) -> "AlertEvent":
        """The same with its pictures."""
        if self.develop is None:
            return self
        return replace(self, evidence=self.develop(), develop=None)


class CameraWatch:
    """Watches one camera. Give it every frame to be looked at, in order.

    `looks`, `analysed`: frames taken in, and those the detector was run on. `gap_s`: how long the
    next frame may wait, 0 but in an idle street.
    Raises BadGround when the camera's ground points fix no mapping.
    """

    def __init__(
        self,
        camera: CameraConfig,
        detector: Detector,
        finder: FaceFinder | None = None,
        album_bytes: int = ALBUM_BYTES,
        references: Path | None = None,
    ) -> None:
        """Nothing seen yet. `finder`: of faces to cover; `album_bytes`: of pictures in memory.

        `references`: a folder that keeps the views of no-build zones, and which looks were clean.
        """
        self.looks = 0
        self.analysed = 0
        self.gap_s = 0.0
        self._camera = camera
        self._detector = with_close_ups(detector, camera.close_ups)
        self._ground = ground_of(camera)
        self._zones = Zones(camera, self._ground)
        self._gate = _gate_of(camera)
        self._gaze = Gaze(self._detector, FAINT, _is_matter, self._comes_and_goes)
        self._tracker = Tracker()
        self._closer = CloserLooks(detector)
        self._places = Places(detector.threshold)
        self._change = SceneChange(min(zone.dwell_s for zone in camera.zones))
        dwell_s = max(zone.dwell_s for zone in camera.zones)
        self._recorder = Recorder(camera.id, dwell_s, finder or NoFinder(), album_bytes)
        self._clipped: dict[str, AlertEvent] = {}
        self._references = references
        self._building = self._building_of(camera)
        self._seen: list[Detection] = []
        self._picture: Image | None = None
        self._clean = CleanLooks(references / CLEAN_LOOKS if references else None)

    def look(self, frame: Frame) -> list[AlertEvent]:
        """Look at one frame; what changed in the alerts comes back."""
        self.looks += 1
        self.gap_s = 0.0
        now = Moment(frame.at, frame.t_s)
        picture = self._picture = thumbnail(frame.picture.sized(DOUBLE))
        if frame.sight not in JUDGED:
            self._places.blind(now)
            return []
        if frame.sight is CameraState.MOVED:
            self._clean.forget()
        small = grey(picture)
        timed = [stay for stay in self._places.stays if stay.is_open or not stay.least]
        moved = self._gate.opens(small, frame.t_s, is_watched=bool(timed))
        if moved:
            image = frame.picture.sized(self._detector.side)
            self._gaze.look(image, self._gate.moved)
            self.analysed += 1
        tracks = self._followed(frame)
        came_s = [stay.since.t_s for stay in timed if not stay.is_open]
        self._recorder.see(frame, self._seen, moved=moved, since=came_s)
        passers = [box for box in self._seen if self._passes(box)]
        changes = self._change.look(picture, passers, now)
        if self._change.shift is not None:
            self._places.shift(*self._change.shift)
            if max(map(abs, self._change.shift)) > TURNED:
                self._clean.forget()
        built = self._built(frame, picture, now)
        sightings = [*self._sightings(tracks, changes, frame.aspect, now), *built]
        is_sure = frame.sight is CameraState.OK
        events = self._places.update(sightings, passers, now, is_sure=is_sure)
        if is_sure:
            hiding, unlike = self._hiding(passers), self._change.unlike
            self._clean.take(now, hiding, unlike, self._change.background)
        if is_sure and self._gate.still_s >= IDLE_AFTER_S and not self._clipped:
            dwell_s = min(zone.dwell_s for zone in self._camera.zones)
            self.gap_s = min(self._camera.idle_gap_s, dwell_s / DWELL_PARTS)
        return [self._alert(event, frame) for event in events]

    def adopt(self, camera: CameraConfig, at: datetime) -> list[AlertEvent]:
        """Go by other zones and ground points from now on.

        What stays in a zone that still asks for it stays on; alerts of other zones end.
        Raises BadGround.
        """
        self._ground = ground_of(camera)
        self._zones = Zones(camera, self._ground)
        self._gate = _gate_of(camera)
        self._change.adapt(min(zone.dwell_s for zone in camera.zones))
        self._building = self._building or self._building_of(camera)
        left = self._places.rezone(camera.zones)
        over = [self._event(event, at) for event in left]
        self._camera = camera
        return over

    def finish(self, at: datetime) -> list[AlertEvent]:
        """The camera is no longer watched: end its open alerts."""
        return [self._event(event, at) for event in self._places.finish()]

    def clips(self, at: datetime, t_s: float | None = None) -> list[tuple[AlertEvent, Clip]]:
        """The clips that are complete by now, each with the update it is to be sent with.

        `t_s`: seconds as in the frames; None when the camera is no longer watched.
        """
        made = []
        for alert, clip in self._recorder.clips(t_s):
            told = self._clipped[alert]
            now_s = told.t_s + (at - told.at).total_seconds() if t_s is None else t_s
            by = set_between(Moment(told.at, told.t_s), Moment(at, now_s))
            made.append(
                (_on_clock(replace(told, state=StayState.UPDATE, at=at, t_s=now_s), by), clip)
            )
        rolling = self._recorder.is_rolling
        self._clipped = {name: told for name, told in self._clipped.items() if rolling(name)}
        return made

    def _followed(self, frame: Frame) -> list[Track]:
        """What is seen, each since when, under the name it has by closer looks."""
        tracks = self._tracker.update(self._gaze.seen, frame.t_s)
        self._closer.look(frame, tracks, partial(self._dwell_of, at=frame.at))
        named = [self._closer.named(track) for track in tracks]
        self._seen = [track.box for track in named]
        return named

    def _dwell_of(self, box: Detection, at: datetime) -> float | None:
        """How long a thing must stay to be told of; None where nobody asks for it."""
        if not (_is_matter(box) and self._counts(box)):
            return None
        zone = self._zones.zone_of(box, cast("Label", box.label), at)
        return zone.dwell_s if zone else None

    def _sightings(
        self, tracks: Sequence[Track], changes: Sequence[Change], aspect: float, now: Moment
    ) -> list[Placed]:
        """What in this look must not be there: by its class, by its relations, by its coming."""
        classes = self._classes(tracks, changes)
        sure = [sighting.box for sighting in classes if self._counts(sighting.box)]
        still = [c.box for c in changes if not _is_named(c.box, sure)]
        named = self._in_zones([*classes, *stalls(tracks, still, aspect)], now)
        named = [(zone, _dated(sighting, changes)) for zone, sighting in named]
        named = [(zone, self._closer.dated(self._after_clean(s, now), now)) for zone, s in named]
        boxes = [s.box for _, s in named if s.relation or self._names(s)]
        unnamed = [change for change in changes if not _is_named(change.box, boxes)]
        lasting, unknown = self._places.recognised(unnamed, now)
        new = self._in_zones([Sighting(c.box, c.box.score, since=c.since) for c in unknown], now)
        return [*named, *lasting, *((zone, self._after_clean(s, now)) for zone, s in new)]

    def _classes(self, tracks: Sequence[Track], changes: Sequence[Change]) -> list[Sighting]:
        """What the detector calls a matter, unless closer looks deny it."""
        sightings = [
            (track, _doubted(Sighting(track.box, track.box.score), changes))
            for track in tracks
            if _is_matter(track.box) and self._counts(track.box, FAINT_SHARE)
        ]
        return [s for track, s in sightings if not self._closer.denies(track, s.least)]

    def _after_clean(self, sighting: Sighting, now: Moment) -> Sighting:
        """With the last clean look.

        What did not change the scene may have stood there since before the scene was known,
        however late the detector came to be sure of it.
        """
        before = sighting.since or self._change.known_since or now
        return replace(sighting, clean=self._clean.before(sighting.box, before, self._picture))

    def _hiding(self, passers: Sequence[Detection]) -> list[Detection]:
        """What may be in the way of seeing a place clean: all that passes, stays or is faint."""
        faint = [box for box in self._seen if _is_matter(box)]
        return [*passers, *faint, *(stay.box for stay in self._places.stays)]

    def _building_of(self, camera: CameraConfig) -> BuildingWatch | None:
        if not any(watches_building(zone) for zone in camera.zones):
            return None
        return BuildingWatch(ZoneInfo(camera.time_zone), self._references)

    def _built(self, frame: Frame, picture: Image, now: Moment) -> list[Placed]:
        """What was built over days where nothing may be."""
        if self._building is None or frame.sight is not CameraState.OK:
            return []
        vehicles = [box for box in self._seen if box.label in PARKED and self._counts(box)]
        structures = [box for box in self._seen if box.label == STRUCTURE and self._counts(box)]
        whole = partial(self._recorder.shown, frame, self._seen)
        built = self._building.look(picture, whole, vehicles, structures, now)
        placed = self._in_zones(
            [Sighting(b.box, b.box.score, since=b.since, clean=b.clean) for b in built], now
        )
        return [(zone, sighting) for zone, sighting in placed if watches_building(zone)]

    def _in_zones(self, sightings: Sequence[Sighting], now: Moment) -> list[Placed]:
        placed = []
        for sighting in sightings:
            label = cast("Label", sighting.box.label)
            zone = self._zones.zone_of(sighting.box, label, now.at)
            if zone is not None:
                placed.append((zone, sighting))
        return placed

    def _counts(self, box: Detection, share: float = 1.0) -> bool:
        return box.score >= share * self._detector.threshold(box.label)

    def _names(self, sighting: Sighting) -> bool:
        """Whether it says in this look what has changed there."""
        return self._counts(sighting.box) and sighting.box.score >= sighting.least

    def _passes(self, box: Detection) -> bool:
        return box.label in PASSERS and self._counts(box)

    def _comes_and_goes(self, box: Detection) -> bool:
        return self._passes(box) or box.label in BY_HAND

    def _alert(self, event: StayEvent, frame: Frame) -> AlertEvent:
        alert = self._event(event, frame.at, frame)
        develop = self._developing(event, frame)
        if self._recorder.is_rolling(alert.id) and event.state is StayState.NEW:
            self._clipped[alert.id] = alert
        return replace(alert, develop=develop)

    def _developing(self, event: StayEvent, frame: Frame) -> Develop | None:
        """How the pictures of an event are made; its clip begins to roll."""
        stay = event.stay
        if event.state is StayState.NEW:
            boxes = (stay.box, *stay.parts)
            earlier = self._before(stay)
            return self._recorder.begun(
                self._id(stay), frame, stay.since.t_s, boxes, stay.zone.id, earlier=earlier
            )
        if event.state is StayState.END:
            return self._recorder.ended(frame)
        return None

    def _id(self, stay: Stay) -> str:
        return f"{self._camera.id}-{stay.since.at:%Y%m%d%H%M%S}-{stay.number}"

    def _before(self, stay: Stay) -> EvidenceFile | None:
        """Of what came over days, a picture of the same hour from before, with its date."""
        if self._building is None or stay.seen.t_s - stay.since.t_s < LASTING_S:
            return None
        before = self._building.before(stay.since.at)
        if before is None:
            return None
        return EvidenceFile("before", "image/jpeg", before.jpeg, before.taken_at)

    def _event(self, event: StayEvent, at: datetime, frame: Frame | None = None) -> AlertEvent:
        stay = event.stay
        matter = stay.zone.matters.get(stay.label, MATTERS[stay.label])
        now_s = frame.t_s if frame else stay.seen.t_s + (at - stay.seen.at).total_seconds()
        told = AlertEvent(
            id=self._id(stay),
            state=event.state,
            label=stay.label,
            matter=matter,
            zone=stay.zone.id,
            at=at,
            since=stay.since.at,
            t_s=now_s,
            score=min(stay.score, 1.0),
            boxes=(replace(stay.box, score=min(stay.score, 1.0)), *stay.parts),
            place=place_of(stay.box, self._ground, self._camera.fixed),
            level=stay.zone.severity,
            last_clean=stay.clean.at if stay.clean else None,
        )
        return _on_clock(told, set_between(stay.since, Moment(at, now_s)))


def _on_clock(told: AlertEvent, by: timedelta) -> AlertEvent:
    """All its times on the clock it is told by, which was set in the meantime."""
    clean = told.last_clean + by if told.last_clean else None
    return replace(told, since=told.since + by, last_clean=clean)


def watches_building(zone: ZoneConfig) -> bool:
    """Whether a zone is compared with itself over days."""
    return zone.no_build or zone.dwell_s >= SLOW_DWELL_S


def _is_matter(box: Detection) -> bool:
    return box.label in LABELS


def _gate_of(camera: CameraConfig) -> MotionGate:
    dwell_s = min(zone.dwell_s for zone in camera.zones)
    whole_every_s = min(WHOLE_EVERY_S, dwell_s / WHOLES_A_DWELL)
    return MotionGate([zone.polygon for zone in camera.zones], whole_every_s)


def _is_same(change: Detection, box: Detection) -> bool:
    """Whether a thing with a class is what changed, not something beside it or before it."""
    overlap = float(ious(corners([change]), corners([box]))[0, 0])
    return overlap >= SAME_IOU or covered_share(box, [change]) >= SAME_PART


def _doubted(sighting: Sighting, changes: Sequence[Change]) -> Sighting:
    """A structure that always stood there is a house, unless the detector is sure it is none."""
    box = sighting.box
    if box.label != STRUCTURE:
        return sighting
    is_new = covered_share(box, [change.box for change in changes]) >= NEW_PART
    return sighting if is_new else replace(sighting, least=STANDING_STRUCTURE)


def _dated(sighting: Sighting, changes: Sequence[Change]) -> Sighting:
    """With the time at which the scene changed there: the detector may have been sure later."""
    since = min(
        (change.since for change in changes if _is_same(change.box, sighting.box)),
        key=lambda since: since.t_s,
        default=None,
    )
    return replace(sighting, since=since)


def _is_named(change: Detection, named: Sequence[Detection]) -> bool:
    """Whether a detector's class says what has changed there."""
    if not named:
        return False
    return bool(nestings(corners([change]), corners(named)).max() >= NAMED_SHARE)
