"""What is built over days: a fixed view compared with itself at the same hour and in like light.

Once an hour the median of a few samples, without what passes, is held against the dated views of
that hour (`reference_views.py`). A pixel that differs from all of them casts a vote; one that has
differed for most of two days has changed for good. Only what came by steps, or what the detector
takes for one, is called a structure; anything else that stays so long is an unknown object. A
parked car is gone in time, snow and fog change too much at once to be compared, leaves and the
sun's way through the year are followed where nothing is in doubt.
"""

import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np

from edge.camera.frame import Image
from edge.detect.background import Mask, Plane, Scene, difference, median, scene_of
from edge.detect.change import drawn_boxes, is_light, morphed, outlined
from edge.detect.detection import Detection
from edge.detect.moment import Moment
from edge.detect.overlap import NESTED_SIZES
from edge.detect.reference_views import (
    VIEWS_AN_HOUR,
    Before,
    ReferenceView,
    ReferenceViews,
    followed,
)
from wire.zone import STRUCTURE, UNNAMED

log = logging.getLogger(__name__)

DAY_S = 86_400.0
LASTING_S = 2 * DAY_S
"""A change must have stood so long; a car that is parked for a day has not."""

STEPS_S = DAY_S
"""What came over more than so long was built, not put there."""

SAMPLES, SAMPLE_S = 5, 300.0
VOTE_S, MOST_VOTE_S = DAY_S / 2, 7200.0
"""Time constant of the votes, half a day, and the longest time one comparison speaks for."""

ONE_SITE = 21
"""Pixels of a thumbnail: what changed nearer than that is one building site."""

LEAST = 9
"""Pixels of a thumbnail that must have stood for long enough."""

DOUBT, CHANGED = 0.25, 0.5
"""Shares of the votes from which on a place is in doubt, and has changed."""

UNSETTLED_SHARE = 0.3
UNSETTLED_DAYS = 14
"""When more than that changed, light or weather did; after so many days this is how it looks."""

OTHER_LIGHT = 0.04
"""When more than that share differs from a view, the hour has another light worth keeping."""

FOLLOW_SHARE = 0.1
"""How far a view moves towards its hour each day: it follows the seasons within two weeks."""

_STATE = "votes.npz"


@dataclass(frozen=True)
class Built:
    """A lasting change: where, how sure, since when; the label says whether it is a structure.

    `clean`: the last comparison before in which its place was as ever.
    """

    box: Detection
    since: Moment
    clean: Moment | None = None


class BuildingWatch:
    """The slow comparison of one camera.

    `folder`: keeps views and votes over restarts. `site`: whose hours these are.
    """

    def __init__(self, site: tzinfo, folder: Path | None = None) -> None:
        """Take up what an earlier run left in `folder`."""
        self._site = site
        self._folder = folder
        self._views = ReferenceViews(folder)
        self._samples: list[tuple[Moment, Image]] = []
        self._whole: Image | None = None
        self._votes: Plane = np.zeros((0, 0), np.float32)
        self._began = np.zeros((0, 0), np.float64)
        self._clean = np.zeros((0, 0), np.float64)
        self._voted_at: datetime | None = None
        self._unsettled: dict[int, int] = {}
        self._hints: list[Detection] = []
        self._built: list[Built] = []
        self._restore()

    def look(
        self,
        picture: Image,
        whole: Callable[[], Image],
        passers: Sequence[Detection],
        structures: Sequence[Detection],
        now: Moment,
    ) -> list[Built]:
        """Take in a look; all that was built comes back.

        `picture`: a thumbnail. `whole`: gives the picture as everybody may see it. `structures`:
        what the detector takes for one.
        """
        if self._samples and self._slot(self._samples[0][0].at) != self._slot(now.at):
            self._compare(passers, now)
        if not self._samples or now.t_s - self._samples[-1][0].t_s >= SAMPLE_S:
            if len(self._samples) < SAMPLES:
                self._samples.append((now, picture))
                if not self._views.has_before(self._slot(now.at)[1]):
                    self._whole = whole()
            self._hints = [*self._hints[-20:], *structures]
        return self._built

    def before(self, since: datetime) -> Before | None:
        """A whole picture from before `since`, of the same hour where there is one."""
        return self._views.before(since, since.astimezone(self._site).hour)

    def _slot(self, at: datetime) -> tuple[str, int]:
        local = at.astimezone(self._site)
        return local.date().isoformat(), local.hour

    def _compare(self, passers: Sequence[Detection], now: Moment) -> None:
        """Hold the hour that is over against the views of its hour."""
        taken_at, hour = self._samples[-1][0].at, self._slot(self._samples[-1][0].at)[1]
        recent = _median([picture for _, picture in self._samples])
        whole, self._whole = self._whole, None
        self._samples = []
        if self._votes.shape != recent.shape[:2]:
            self._votes = np.zeros(recent.shape[:2], np.float32)
            self._began = np.zeros(recent.shape[:2], np.float64)
            self._clean = np.zeros(recent.shape[:2], np.float64)
        views = self._views.of(hour, recent.shape)
        if not views:
            self._views.add(self._taken(hour, taken_at, recent), whole)
            self._keep()
            return
        scene = scene_of(recent)
        changed, judged, apart = _against(views, scene)
        passing = drawn_boxes(passers, recent.shape[:2]) > 0
        judged &= 1 - passing.astype(np.uint8)
        share = float(changed[judged > 0].mean()) if judged.any() else 1.0
        if share >= UNSETTLED_SHARE:
            self._not_settled(hour)
            return
        self._unsettled.pop(hour, None)
        self._vote(changed, judged, taken_at)
        in_doubt = morphed((self._votes >= DOUBT).astype(np.uint8) | changed, cv2.MORPH_DILATE, 7)
        self._views.put(apart, followed(apart, recent, FOLLOW_SHARE, 1 - in_doubt))
        if share >= OTHER_LIGHT and len(views) < VIEWS_AN_HOUR:
            self._views.add(self._taken(hour, taken_at, recent))
        self._built = self._lasting(now)
        self._keep()

    def _taken(self, hour: int, at: datetime, recent: Image) -> ReferenceView:
        doubtful = (self._votes >= DOUBT).astype(np.uint8)
        return ReferenceView(hour, at, recent, 1 - morphed(doubtful, cv2.MORPH_DILATE, 9))

    def _not_settled(self, hour: int) -> None:
        days = self._unsettled.get(hour, 0) + 1
        self._unsettled[hour] = days % UNSETTLED_DAYS
        if days == UNSETTLED_DAYS:
            log.info("the view at %02d h looks different for good; taken anew", hour)
            self._views.drop(hour)

    def _vote(self, changed: Mask, judged: Mask, at: datetime) -> None:
        elapsed_s = (at - self._voted_at).total_seconds() if self._voted_at else 3600.0
        self._voted_at = at
        share = 1 - np.exp(-min(max(elapsed_s, 600.0), MOST_VOTE_S) / VOTE_S)
        self._began[(changed > 0) & (self._began == 0)] = at.timestamp()
        step = np.float32(share) * judged.astype(np.float32)
        self._votes = self._votes + step * (changed.astype(np.float32) - self._votes)
        self._began[(self._votes < DOUBT) & (changed == 0) & (judged > 0)] = 0
        self._clean[(self._began == 0) & (changed == 0) & (judged > 0)] = at.timestamp()

    def _lasting(self, now: Moment) -> list[Built]:
        """Places that have changed, of which some have stood for long enough."""
        at_s = now.at.timestamp()
        stands = self._votes >= CHANGED
        lasts = stands & (self._began > 0) & (at_s - self._began >= LASTING_S)
        if not lasts.any():
            return []
        blobs = outlined(morphed(stands.astype(np.uint8), cv2.MORPH_CLOSE, ONE_SITE))
        return [self._told(blob, now) for blob in blobs if (lasts & (blob > 0)).sum() >= LEAST]

    def _told(self, blob: Mask, now: Moment) -> Built:
        inside = (blob > 0) & (self._began > 0) & (self._votes >= CHANGED)
        first_s, since_s, last_s = np.percentile(self._began[inside], [5, 20, 90])
        height, width = blob.shape
        x, y, w, h = cv2.boundingRect(blob)
        box = Detection(UNNAMED, 0.0, x / width, y / height, w / width, h / height)
        grew = last_s - first_s >= STEPS_S
        hinted = any(_is_same(box, hint) for hint in self._hints)
        label = STRUCTURE if grew or hinted else UNNAMED
        score = float(np.clip(self._votes[inside].mean(), 0.3, 0.99))
        since = datetime.fromtimestamp(float(since_s), UTC)
        ago_s = (now.at - since).total_seconds()
        box = Detection(label, score, box.x, box.y, box.w, box.h)
        clean_s = float(np.percentile(self._clean[inside], 20, method="lower"))
        clean = None
        if 0 < clean_s < since_s:
            clean_at = datetime.fromtimestamp(clean_s, UTC)
            clean = Moment(clean_at, now.t_s - (now.at - clean_at).total_seconds())
        return Built(box, Moment(since, now.t_s - ago_s), clean)

    def _keep(self) -> None:
        if self._folder is None:
            return
        data = io.BytesIO()
        voted_s = self._voted_at.timestamp() if self._voted_at else 0.0
        np.savez_compressed(
            data, votes=self._votes, began=self._began, clean=self._clean, voted=voted_s
        )
        part = self._folder / f"{_STATE}.part"
        try:
            part.write_bytes(data.getvalue())
            part.replace(self._folder / _STATE)
        except OSError as fault:
            log.warning("%s: votes could not be kept: %s", self._folder, fault.strerror)

    def _restore(self) -> None:
        if self._folder is None or not (self._folder / _STATE).exists():
            return
        try:
            with np.load(io.BytesIO((self._folder / _STATE).read_bytes())) as state:
                votes, began, voted_s = state["votes"], state["began"], float(state["voted"])
                clean = state["clean"] if "clean" in state else np.zeros_like(began)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as fault:
            log.warning("%s: votes cannot be read, begun anew: %s", self._folder, fault)
            return
        if votes.shape == began.shape == clean.shape and votes.ndim == 2:
            self._votes, self._began = votes.astype(np.float32), began.astype(np.float64)
            self._clean = clean.astype(np.float64)
            self._voted_at = datetime.fromtimestamp(voted_s, UTC) if voted_s else None
            if self._voted_at is not None:
                self._built = self._lasting(Moment(self._voted_at, 0.0))


def _against(views: Sequence[ReferenceView], recent: Scene) -> tuple[Mask, Mask, ReferenceView]:
    """Where the scene differs from every view that holds there; where one does; the likest view."""
    shape = recent.picture.shape[:2]
    changed, judged = np.ones(shape, np.uint8), np.zeros(shape, np.uint8)
    likest, least = views[0], 2.0
    for view in views:
        background = scene_of(view.picture)
        apart = difference(recent, background)
        differs = np.zeros(shape, np.uint8)
        for blob in outlined(morphed(apart.changed, cv2.MORPH_OPEN, 3)):
            if not is_light(blob, apart, recent, background):
                differs |= blob & apart.changed
        changed &= differs | (1 - view.holds)
        judged |= view.holds
        share = float(apart.changed.mean())
        if share < least:
            likest, least = view, share
    return changed & judged, judged, likest


def _median(pictures: Sequence[Image]) -> Image:
    """Pixel by pixel; of fewer than three the last picture."""
    if len(pictures) >= SAMPLES:
        return median(pictures[:SAMPLES])
    if len(pictures) < 3:
        return pictures[-1]
    a, b, c = pictures[:3]
    return np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))


def _is_same(change: Detection, hint: Detection) -> bool:
    """Whether the detector named this change: a box over half the street is of no one thing."""
    return _overlap(change, hint) >= 0.3 and hint.area <= NESTED_SIZES * change.area


def _overlap(a: Detection, b: Detection) -> float:
    """The common area as a share of the smaller."""
    width = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    height = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / max(min(a.area, b.area), 1e-9)
