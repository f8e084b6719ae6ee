"""One moving camera's whole path from frames to alerts: start reading here.

A fixed camera knows a thing by its place in the picture. Here the picture moves, so a thing is
known by its place on earth: where the vehicle was when the frame was taken, which way it looked,
and how far below the horizon the thing's foot lies. Sightings of one label at one place are one
thing; it is an alert when it was seen in K looks along the way, most of those that could show it.
Nothing is compared with earlier pictures, so what has no class is not seen. That a spot of road
was passed and nothing lay there is remembered (`clean_passes.py`).

The place is asked for when the receiver's next fix has come, so that it lies between two fixes and
not after the last. An alert is told when its thing is passed, when the place is known best.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import cast

import numpy as np
from numpy.typing import NDArray

from edge.camera.frame import Frame
from edge.config import CameraConfig, Mount
from edge.detect.clean_passes import NEAR_M, CleanPasses
from edge.detect.clip import Clip
from edge.detect.detection import Detection
from edge.detect.detectors import Detector
from edge.detect.evidence import EvidenceFile, annotated
from edge.detect.faces import FaceFinder, NoFinder
from edge.detect.ground import GeoPlace
from edge.detect.negative import negative_of
from edge.detect.overlap import Table, best_of_each, corners
from edge.detect.places import StayState
from edge.detect.watch import FAINT, JUDGED, MATTERS, AlertEvent
from edge.detect.zones import Zones, lies_in
from edge.moving import Course, Whereabouts, apart_m, moved
from wire.status import CameraState
from wire.zone import LABELS, STRUCTURE, Label, ZoneConfig

SETTLE_S = 2.0
"""So long a look waits for the fix after it; receivers give one a second."""
RECORDED_SETTLE_S = 10.0
"""A recording's receiver may be slower to read than its pictures, never slower than this."""

FARTHEST_M = 35.0
"""Further away a heap is a few pixels, and a degree of tilt is ten metres."""
TILT_ERROR_DEG, HEADING_ERROR_DEG, FOOT_ERROR = 1.0, 3.0, 0.01
"""What mounts, receivers and the lower edges of boxes are good for."""
WORST_RADIUS_M = 15.0
"""A place known no better joins two heaps into one."""

JOIN_M, JOIN_MOST_M = 6.0, 12.0
"""Sightings so near are one thing; with poor places a little further."""
DRIFT_M, DRIFT_SHARE = 4.0, 0.6
"""What drifts further, and by so much of the vehicle's own way, does not stand in the street."""
LEAST_SHARE = 0.5
"""Seen in this share of the looks from the first to the last."""
PASSED_S, STANDING_S = 2.0, 5.0
"""Out of sight for so long it is passed; from a standing vehicle it is told after so long."""
FORGET_S = 30.0
SURE_STRUCTURE = 0.5
"""Houses look like structures, and no earlier picture tells what is new: it must be sure."""
ONE_THING_IOU = 0.6

CLEAN_WITHIN_M = 20.0
"""What lies so near would have been seen; further away a small heap may be missed."""
SAMPLES = tuple((0.05 + 0.1 * x, 0.25 + 0.05 * y) for y in range(15) for x in range(10))
"""Spots of a picture that are asked whether they showed clean road."""


@dataclass(frozen=True)
class Spot:
    """Where a thing stands: degrees, the radius it lies within, its distance from the camera.

    `seen_from`: where the camera was, latitude and longitude.
    """

    lat: float
    lon: float
    radius_m: float
    away_m: float
    seen_from: tuple[float, float]


@dataclass(frozen=True)
class _Look:
    """A frame that waits for its place; `seen`: all that the detector saw, passers-by too."""

    frame: Frame
    boxes: tuple[Detection, ...]
    seen: tuple[Detection, ...]


@dataclass
class _Thing:
    """Something seen along the way; its place is the mean of its sightings, the sure ones more.

    `best`, `box`: the look at which it was nearest. `number` counts the alerts, 0 = none yet.
    """

    label: Label
    zone: ZoneConfig
    first: Frame
    first_look: int
    best: _Look
    box: Detection
    spots: list[Spot] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    last_look: int = 0
    ripe_t_s: float | None = None
    number: int = 0
    last_clean: datetime | None = None

    def __post_init__(self) -> None:
        self.last = self.first

    def see(self, box: Detection, spot: Spot | None, look: _Look, number: int) -> None:
        """One more sighting; without a place the largest is taken for the nearest."""
        self.last, self.last_look = look.frame, number
        self.scores.append(box.score)
        nearest_m = min((other.away_m for other in self.spots), default=math.inf)
        if spot is not None:
            self.spots.append(spot)
        if spot.away_m <= nearest_m if spot is not None else box.area >= self.box.area:
            self.best, self.box = look, box

    def apart_m(self, spot: Spot) -> float:
        """How far a sighting is from it."""
        place = self.place
        return apart_m(place.lat, place.lon, spot.lat, spot.lon)

    @property
    def place(self) -> Spot:
        """Where it is, by all its sightings."""
        weights = [1 / spot.radius_m**2 for spot in self.spots]
        total = sum(weights)
        lat = sum(w * s.lat for w, s in zip(weights, self.spots, strict=True)) / total
        lon = sum(w * s.lon for w, s in zip(weights, self.spots, strict=True)) / total
        # What is wrong with a mount or a receiver is wrong in every look: no square root of n.
        nearest = min(self.spots, key=lambda spot: spot.radius_m)
        return replace(nearest, lat=lat, lon=lon)

    @property
    def moves(self) -> bool:
        """Whether it goes along: its places drift as the vehicle does, not as errors do.

        A mount tilted by a degree more than believed makes what stands drift by a third.
        """
        if len(self.spots) < 2:
            return False
        first, last = self.spots[0], self.spots[-1]
        drift_m = apart_m(first.lat, first.lon, last.lat, last.lon)
        return drift_m > max(DRIFT_M, DRIFT_SHARE * apart_m(*first.seen_from, *last.seen_from))


class PassingWatch:
    """Watches one camera of a vehicle. Give it every frame to be looked at, in order.

    `looks`, `analysed`: frames taken in, and those the detector was run on. `gap_s`: no frame may
    be left out, for every one shows another stretch of the street.
    """

    def __init__(
        self,
        camera: CameraConfig,
        detector: Detector,
        course: Course,
        *,
        is_recorded: bool,
        finder: FaceFinder | None = None,
        folder: Path | None = None,
    ) -> None:
        """`course`: where the vehicle is. `is_recorded`: frames come faster than they were made.

        `finder`: of faces to cover. `folder`: keeps where nothing lay.
        """
        if camera.moving is None:
            raise ValueError(f"camera {camera.id}: does not move")
        self.looks = 0
        self.analysed = 0
        self.gap_s = 0.0
        self._camera = camera
        self._moving = camera.moving
        self._detector = detector
        self._course = course
        self._finder = finder or NoFinder()
        self._is_recorded = is_recorded
        self._zones = Zones(camera, None)
        self._clean = CleanPasses(folder)
        self._road: Table | None = None
        self._waiting: deque[_Look] = deque()
        self._placed = 0
        self._things: list[_Thing] = []
        self._opened = 0

    def look(self, frame: Frame) -> list[AlertEvent]:
        """Look at one frame; what was passed since comes back."""
        self.looks += 1
        seen: list[Detection] = []
        if frame.sight in JUDGED:
            self.analysed += 1
            seen = self._detector.detect(frame.picture.sized(self._detector.side), FAINT)
        boxes = best_of_each([box for box in seen if self._counts(box)], ONE_THING_IOU)
        self._waiting.append(_Look(frame, tuple(boxes), tuple(seen)))
        if self._is_recorded:
            self._course.wait(frame.at, RECORDED_SETTLE_S)
        events: list[AlertEvent] = []
        while self._waiting and self._is_due(self._waiting[0], frame):
            events += self._place(self._waiting.popleft())
        return events

    def adopt(self, camera: CameraConfig, at: datetime) -> list[AlertEvent]:
        """Go by other zones from now on; what was seen by the old ones is told first."""
        over = self.finish(at)
        self._camera = camera
        self._zones = Zones(camera, None)
        self._road = None
        return over

    def clips(self, _at: datetime, _t_s: float | None = None) -> list[tuple[AlertEvent, Clip]]:
        """None: a passing picture says no more as a film."""
        return []

    def finish(self, at: datetime) -> list[AlertEvent]:
        """The camera is no longer watched: tell what was seen often enough."""
        events: list[AlertEvent] = []
        while self._waiting:
            events += self._place(self._waiting.popleft())
        for thing in self._things:
            if not thing.number and self._is_ripe(thing):
                events += self._open(thing, at)
            events += self._close(thing)
        self._things = []
        self._clean.keep(at.timestamp())
        return events

    def _is_due(self, look: _Look, newest: Frame) -> bool:
        waited_s = newest.t_s - look.frame.t_s
        return waited_s >= SETTLE_S or self._course.is_settled(look.frame.at)

    def _place(self, look: _Look) -> list[AlertEvent]:
        self._placed += 1
        where = self._course.at(look.frame.at)
        seen: set[int] = set()
        for box in look.boxes:
            zone = self._zones.zone_of(box, cast("Label", box.label), look.frame.at)
            if zone is not None:
                self._take(box, zone, look, where, seen)
        self._passed_clean(look, where)
        return self._passed(look.frame)

    def _passed_clean(self, look: _Look, where: Whereabouts | None) -> None:
        """Remember the road near by on which nothing lay and nothing was in the way."""
        if look.frame.sight is not CameraState.OK or where is None or where.heading_deg is None:
            return
        if not where.is_current or where.radius_m > WORST_RADIUS_M:
            return
        if self._road is None:
            self._road = _road_of(self._camera, self._moving.mount, look.frame.aspect)
        places = [thing.place for thing in self._things if thing.spots]
        spots = [
            moved(where.lat, where.lon, where.heading_deg + bearing_deg, away_m)
            for bearing_deg, away_m in self._road[~_under(look.seen, self._road), 2:].tolist()
        ]
        clear = (s for s in spots if all(apart_m(*s, p.lat, p.lon) > NEAR_M for p in places))
        self._clean.take(clear, look.frame.at.timestamp())

    def _take(
        self,
        box: Detection,
        zone: ZoneConfig,
        look: _Look,
        where: Whereabouts | None,
        seen: set[int],
    ) -> None:
        frame = look.frame
        is_known = where is not None and where.is_current
        spot = spot_of(box, frame.aspect, where, self._moving.mount)
        if is_known and spot is None:
            return
        thing = self._find(box, spot, frame, seen)
        if thing is None:
            thing = _Thing(cast("Label", box.label), zone, frame, self._placed, look, box)
            self._things.append(thing)
        seen.add(id(thing))
        thing.see(box, spot, look, self._placed)

    def _find(
        self, box: Detection, spot: Spot | None, frame: Frame, seen: set[int]
    ) -> _Thing | None:
        """The thing at that place; one box a thing and look, so that two heaps stay two.

        Where nobody knows the place, it can only be what was seen just before.
        """
        others = [t for t in self._things if t.label == box.label and id(t) not in seen]
        if spot is None:
            just_seen = (t for t in others if frame.t_s - t.last.t_s <= PASSED_S)
            return next(just_seen, None)
        reach_m = min(max(JOIN_M, spot.radius_m), JOIN_MOST_M)
        near = [(t.apart_m(spot), n, t) for n, t in enumerate(others) if t.spots]
        apart, _, thing = min(near, default=(math.inf, 0, None))
        return thing if apart <= reach_m else None

    def _passed(self, now: Frame) -> list[AlertEvent]:
        """Tell of what is passed, or stays before a standing vehicle; forget what is long gone."""
        events: list[AlertEvent] = []
        for thing in list(self._things):
            unseen_s = now.t_s - thing.last.t_s
            if thing.ripe_t_s is None and self._is_ripe(thing):
                thing.ripe_t_s = now.t_s
            if thing.ripe_t_s is not None and not thing.number and self._is_ripe(thing):
                if unseen_s >= PASSED_S or now.t_s - thing.ripe_t_s >= STANDING_S:
                    events += self._open(thing, now.at)
            elif unseen_s >= FORGET_S:
                self._things.remove(thing)
                events += self._close(thing)
        return events

    def _open(self, thing: _Thing, at: datetime) -> list[AlertEvent]:
        """Tell of a thing; one whose place nobody knows at all waits until somebody does."""
        if self._place_of(thing) is None:
            return []
        self._opened += 1
        thing.number = self._opened
        if thing.spots:
            place = thing.place
            clean_s = self._clean.before(place.lat, place.lon, thing.first.at.timestamp())
            thing.last_clean = None if clean_s is None else datetime.fromtimestamp(clean_s, UTC)
        develop = partial(self._pictures, thing.best, thing.box, thing.zone.id)
        return [replace(self._event(thing, StayState.NEW, at), develop=develop)]

    def _pictures(self, look: _Look, box: Detection, zone: str) -> tuple[EvidenceFile, ...]:
        """The look at which a thing was nearest, with faces and plates covered."""
        frame, seen = look.frame, look.seen
        negative = negative_of(frame, seen, self._finder.find)
        shown, *sealed = negative.files("clean")
        caption = f"{self._camera.id} {zone} {frame.at:%Y-%m-%d %H:%M:%S} UTC"
        original = shown.original or shown.sha256
        return shown, annotated(negative.shown, (box,), caption, frame.at, original), *sealed

    def _close(self, thing: _Thing) -> list[AlertEvent]:
        for spot in thing.spots[:1] and [*thing.spots[:: len(thing.spots) // 5 + 1], thing.place]:
            self._clean.spoil(spot.lat, spot.lon, thing.last.at.timestamp())
        return [self._event(thing, StayState.END, thing.last.at)] if thing.number else []

    def _place_of(self, thing: _Thing) -> GeoPlace | None:
        if thing.spots:
            place = thing.place
            return GeoPlace(place.lat, place.lon, round(place.radius_m, 1), "vehicle")
        where = self._course.at(thing.best.frame.at)
        if where is None:
            return None
        return GeoPlace(where.lat, where.lon, round(where.radius_m, 1), "last")

    def _is_ripe(self, thing: _Thing) -> bool:
        span = thing.last_look - thing.first_look + 1
        looks = len(thing.scores)
        is_often = looks >= self._moving.least_looks and looks >= LEAST_SHARE * span
        return (
            is_often
            and not thing.moves
            and median(thing.scores) >= self._detector.threshold(thing.label)
        )

    def _counts(self, box: Detection) -> bool:
        if box.label not in LABELS or box.score < self._detector.threshold(box.label):
            return False
        return box.label != STRUCTURE or box.score >= SURE_STRUCTURE

    def _event(self, thing: _Thing, state: StayState, at: datetime) -> AlertEvent:
        return AlertEvent(
            id=f"{self._camera.id}-{thing.first.at:%Y%m%d%H%M%S}-{thing.number}",
            state=state,
            label=thing.label,
            matter=thing.zone.matters.get(thing.label, MATTERS[thing.label]),
            zone=thing.zone.id,
            at=at,
            since=thing.first.at,
            t_s=thing.last.t_s,
            score=min(median(thing.scores), 1.0),
            boxes=(replace(thing.box, score=min(median(thing.scores), 1.0)),),
            place=self._place_of(thing),
            level=thing.zone.severity,
            last_clean=thing.last_clean,
        )


def spot_of(box: Detection, aspect: float, where: Whereabouts | None, mount: Mount) -> Spot | None:
    """Where a thing's foot stands, on a level road; None above the horizon, too far, or unknown."""
    if where is None or not where.is_current:
        return None
    ahead = _on_road(*box.foot, aspect, mount)
    if ahead is None:
        return None
    forward_m, right_m = ahead
    away_m = math.hypot(forward_m, right_m)
    if away_m > FARTHEST_M:
        return None
    here = (where.lat, where.lon)
    if where.heading_deg is None:
        # It stands and has not moved yet: the thing is somewhere around it.
        return Spot(where.lat, where.lon, where.radius_m + away_m, away_m, here)
    bearing = where.heading_deg + mount.bearing_deg + math.degrees(math.atan2(right_m, forward_m))
    lat, lon = moved(where.lat, where.lon, bearing, away_m)
    aside_m = away_m * math.radians(HEADING_ERROR_DEG)
    along_m = _depth_error_m(box, aspect, mount, away_m)
    radius_m = math.sqrt(where.radius_m**2 + aside_m**2 + along_m**2)
    return Spot(lat, lon, radius_m, away_m, here) if radius_m <= WORST_RADIUS_M else None


def _road_of(camera: CameraConfig, mount: Mount, aspect: float) -> Table:
    """N × 4: spots of the picture that show watched road near by, their bearing and distance."""
    rows = []
    for x, y in SAMPLES:
        spot = Detection("", 1.0, x - 0.005, y - 0.005, 0.01, 0.01)
        ahead = _on_road(x, y, aspect, mount)
        if ahead is None or not any(lies_in(spot, zone) for zone in camera.zones):
            continue
        forward_m, right_m = ahead
        away_m = math.hypot(forward_m, right_m)
        if away_m <= CLEAN_WITHIN_M:
            aside_deg = math.degrees(math.atan2(right_m, forward_m))
            rows.append((x, y, mount.bearing_deg + aside_deg, away_m))
    return np.array(rows, float).reshape(-1, 4)


def _under(boxes: Sequence[Detection], road: Table) -> NDArray[np.bool_]:
    """Which spots lie under any of the boxes."""
    left, top, right, bottom = corners(boxes).T[..., None]
    x, y = road[:, 0], road[:, 1]
    inside = (left <= x) & (x <= right) & (top <= y) & (y <= bottom)
    return np.asarray(inside.any(axis=0), bool)


def _on_road(x: float, y: float, aspect: float, mount: Mount) -> tuple[float, float] | None:
    """Metres forward and to the right of the camera, of a spot of the picture on the road."""
    focal = 0.5 / math.tan(math.radians(mount.fov_deg) / 2)
    right, down = x - 0.5, (y - 0.5) / aspect
    tilt = math.radians(mount.tilt_deg)
    forward = focal * math.cos(tilt) - down * math.sin(tilt)
    below = focal * math.sin(tilt) + down * math.cos(tilt)
    if below <= 1e-6 or forward <= 0:
        return None
    metres = mount.height_m / below
    return forward * metres, right * metres


def _depth_error_m(box: Detection, aspect: float, mount: Mount, away_m: float) -> float:
    x, y = box.foot
    lower = _on_road(x, y + FOOT_ERROR, aspect, mount)
    tilted = mount.model_copy(update={"tilt_deg": mount.tilt_deg + TILT_ERROR_DEG})
    steeper = _on_road(x, y, aspect, tilted)
    errors = [abs(away_m - math.hypot(*spot)) for spot in (lower, steeper) if spot is not None]
    return math.hypot(*errors)
