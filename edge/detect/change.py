"""What has no class: a lasting change of a fixed scene.

Where the recent scene differs from the background, holds still, and no person or vehicle
explains it, something was put there or taken away. The background follows the light slowly, but
only where nothing changed: a thing that stays is never learned. It is taken over at once where a
thing was removed or only light plays, and wholly when the camera was moved.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.frame import Image
from edge.detect.background import (
    SAMPLES,
    WINDOW,
    Difference,
    Mask,
    Plane,
    Scene,
    difference,
    median,
    mixed,
    scene_of,
    shift,
    steady,
)
from edge.detect.detection import Detection
from edge.detect.moment import Moment
from edge.detect.overlap import touch, union
from wire.zone import UNNAMED

SAMPLES_A_DWELL = 15
EVERY_LEAST_S, EVERY_MOST_S = 1.2, 3.0
"""Seconds between samples: a fifteenth of the dwell, within these bounds."""

TOGETHER_S = 120.0
"""Samples further apart show no one moment: light and weather are others by then."""

FOLLOW_S = 90.0
"""Time constant with which the background follows slow light."""

EXPLAIN_S = 12.0
EXPLAINED_SHARE = 0.3
"""A pixel under people or vehicles for this share of the last seconds is explained by them."""

UNSETTLED_SHARE = 0.3
"""When more of the picture than this changed at once it is light or the camera, not a thing."""

SMALL = 3 * WINDOW
"""What is no longer than this is all rim; whether light or a thing cannot be told by its inside."""

RIM = 11
SUBSTANCE = 0.4
"""A thing changes throughout, light mostly along its rim, which the window makes `RIM` pixels wide:
the least share of a change that is wider than a rim."""

SHADE_DEPTH, SHADE_NOISE, SHADE_HUE = 0.95, 0.12, 0.06
"""Shade darkens, at most to two fifths, brightens nothing and keeps the hue (log steps)."""

STEADY_SHARE = 0.6
"""What stays holds still in this share of its pixels; who stands and talks does not."""

SAME_LOOK = 0.6
"""Correlation with its first appearance below which a region is something else by now."""

SAME_REGION = 0.3
VOTES = 5


@dataclass(frozen=True)
class Change:
    """Something new that stays: its rectangle, how sure, and since when it has been there."""

    box: Detection
    since: Moment


@dataclass(frozen=True, eq=False)
class Region:
    """A connected change. `first`: the log brightness it had when it was found.

    `votes`: comparisons that say something was added less those that say removed or light.
    `is_there`: it holds still and shows in the latest look too.
    """

    mask: Mask
    first_mask: Mask
    first: Plane
    since: Moment
    score: float = 0.0
    votes: int = 0
    is_there: bool = False


class SceneChange:
    """The background of one camera and what has changed before it.

    `dwell_s`: the shortest dwell of the camera's zones; it sets how fast changes must be found.
    `is_unsettled`: so much changed at once that nothing can be told. `shift`: how far the view
    was found to have moved in the last look (right, down; fractions of the picture).
    `known_since`: when the present background was taken; None while there is none.
    """

    def __init__(self, dwell_s: float = 60.0) -> None:
        """Know nothing of the scene yet."""
        self.is_unsettled = False
        self.shift: tuple[float, float] | None = None
        self.known_since: Moment | None = None
        self.adapt(dwell_s)
        self._samples: deque[tuple[Moment, Image]] = deque(maxlen=SAMPLES)
        self._regions: list[Region] = []
        self._background: Scene | None = None
        self._doubtful: Mask = np.zeros((0, 0), np.uint8)
        self._explained: Plane = np.zeros((0, 0), np.float32)
        self._seen_t_s = 0.0
        self._unsettled_since: Moment | None = None

    def adapt(self, dwell_s: float) -> None:
        """The shortest dwell is another from now on."""
        self._every_s = min(max(dwell_s / SAMPLES_A_DWELL, EVERY_LEAST_S), EVERY_MOST_S)

    @property
    def unlike(self) -> Mask | None:
        """1 where the scene differs from its background or that is not sure; None: it is unknown.

        Whatever differs counts: something new, something gone, light.
        """
        if self._background is None or self.is_unsettled:
            return None
        explained = (self._explained >= EXPLAINED_SHARE).astype(np.uint8)
        regions = (region.mask for region in self._regions)
        return np.asarray(np.maximum.reduce([self._doubtful, explained, *regions]), np.uint8)

    @property
    def background(self) -> Image | None:
        """The scene without what came (BGR); None while it is unknown."""
        return None if self._background is None or self.is_unsettled else self._background.picture

    def look(self, picture: Image, passers: Sequence[Detection], now: Moment) -> list[Change]:
        """Take in a thumbnail (BGR) and what passes there; all lasting changes come back."""
        self.shift = None
        if self._explained.shape != picture.shape[:2]:
            self._start_again(picture)
        self._explain(passers, now)
        if self._samples and now.t_s - self._samples[-1][0].t_s > TOGETHER_S:
            self._samples.clear()
        if not self._samples or now.t_s - self._samples[-1][0].t_s >= 0.9 * self._every_s:
            self._samples.append((now, picture))
            if len(self._samples) == SAMPLES:
                self._compare(now)
        if self.is_unsettled:
            return []
        return _grouped(
            [Change(_box(r), r.since) for r in self._regions if r.votes > 0 and r.is_there],
            within_s=SAMPLES * self._every_s,
        )

    def _start_again(self, picture: Image) -> None:
        self._explained = np.zeros(picture.shape[:2], np.float32)
        self._samples.clear()
        self._forget()

    def _forget(self) -> None:
        self._background, self._regions, self._unsettled_since = None, [], None
        self.known_since = None

    def _explain(self, passers: Sequence[Detection], now: Moment) -> None:
        """Keep the share of time in which each pixel lay under something that passes."""
        covered = drawn_boxes(passers, self._explained.shape)
        share = min((now.t_s - self._seen_t_s) / EXPLAIN_S, 0.5) if self._samples else 1.0
        self._explained += share * (covered - self._explained)
        self._seen_t_s = now.t_s

    def _compare(self, now: Moment) -> None:
        pictures = [picture for _, picture in self._samples]
        middle = median(pictures)
        recent, still = scene_of(middle), steady(pictures, middle)
        if self._background is None:
            self._background, self.known_since = recent, now
            self._doubtful = ((self._explained > EXPLAINED_SHARE) | (still == 0)).astype(np.uint8)
            return
        background = self._without_doubts(self._background, recent, still)
        apart = difference(recent, background)
        if self._settles(background, recent, apart.changed, now):
            blobs = self._blobs(apart.changed)
            if blobs:
                still &= difference(scene_of(pictures[-1]), background).changed
            self._regions = [self._region(blob, background, recent, apart, still) for blob in blobs]
            background = self._absorbed(background, recent, apart.faintly)
            self._background = self._following(background, recent, apart.changed)

    def _without_doubts(self, background: Scene, recent: Scene, still: Mask) -> Scene:
        """Where something passed when the background was taken, take it once that is gone.

        Not beside a change, though: half of it would be learned.
        """
        if not self._doubtful.any():
            return background
        change = difference(recent, background).changed & self._known()
        near = morphed(change, cv2.MORPH_DILATE, 2 * RIM + 1)
        gone = (self._explained < EXPLAINED_SHARE / 3).astype(np.uint8)
        free = self._doubtful & still & gone & (1 - near)
        self._doubtful &= 1 - free
        return mixed(background, recent, free.astype(np.float32))

    def _known(self) -> Mask:
        """Where the background can be compared: no doubtful pixel is in the window."""
        return 1 - morphed(self._doubtful, cv2.MORPH_DILATE, WINDOW)

    def _settles(self, background: Scene, recent: Scene, changed: Mask, now: Moment) -> bool:
        """Whether the scene is the one we know; after a lasting upheaval the new one is."""
        open_ground = self._explained < EXPLAINED_SHARE
        share = float(changed[open_ground].mean()) if open_ground.any() else 0.0
        self.is_unsettled = share >= UNSETTLED_SHARE
        if not self.is_unsettled:
            self._unsettled_since = None
        elif self._unsettled_since is None:
            self._unsettled_since = now
        elif now.t_s - self._unsettled_since.t_s >= SAMPLES * self._every_s:
            self.shift = shift(background, recent)
            self._forget()
        return not self.is_unsettled

    def _blobs(self, changed: Mask) -> list[Mask]:
        """The connected changes that nothing explains, large enough, with their holes filled."""
        unexplained = (self._explained < EXPLAINED_SHARE).astype(np.uint8)
        mask = changed & self._known() & unexplained
        mask = morphed(mask, cv2.MORPH_OPEN, 3)
        mask = morphed(mask, cv2.MORPH_CLOSE, WINDOW)
        return outlined(mask)

    def _region(
        self, blob: Mask, background: Scene, recent: Scene, apart: Difference, there: Mask
    ) -> Region:
        """`there`: pixels that hold still and differ from the background in the latest look too."""
        region = max(self._regions, key=lambda r: _common(r.mask, blob), default=None)
        if (
            region is None
            or _common(region.mask, blob) < SAME_REGION
            or _is_new_look(region, recent.light)
        ):
            region = Region(blob, blob, recent.light, self._onset(blob, recent))
        is_added = (
            not is_light(blob, apart, recent, background)
            and _has_substance(blob, apart.faintly)
            and _was_added(blob, recent, background)
        )
        inside = blob > 0
        return replace(
            region,
            mask=blob,
            score=float(np.clip((1 - apart.likeness[inside]).mean(), 0.3, 0.99)),
            votes=min(max(region.votes + (1 if is_added else -1), -VOTES), VOTES),
            is_there=bool(there[inside].sum() >= STEADY_SHARE * apart.changed[inside].sum()),
        )

    def _onset(self, blob: Mask, recent: Scene) -> Moment:
        """The first of the samples, going back without a break, that shows it already."""
        onset = self._samples[-1][0]
        for at, picture in reversed(self._samples):
            if _correlation(recent.light, scene_of(picture).light, blob) < SAME_LOOK:
                break
            onset = at
        return onset

    def _absorbed(self, background: Scene, recent: Scene, changed: Mask) -> Scene:
        """Take over what a removed thing left and what only light made, once that is settled.

        All of it, with what lies within: half a shadow would leave a border of its own.
        """
        settled = [region.mask for region in self._regions if region.votes <= -VOTES]
        if not settled:
            return background
        self._regions = [region for region in self._regions if region.votes > -VOTES]
        kept = np.maximum.reduce([np.zeros_like(changed), *(r.mask for r in self._regions)])
        whole = [
            blob
            for blob in outlined(morphed(changed, cv2.MORPH_CLOSE, RIM))
            if any((blob & mask).any() for mask in settled)
        ]
        mask = morphed(np.maximum.reduce(settled + whole), cv2.MORPH_DILATE, WINDOW) & (1 - kept)
        return mixed(background, recent, mask.astype(np.float32))

    def _following(self, background: Scene, recent: Scene, changed: Mask) -> Scene:
        """Let the background follow the light where nothing changed."""
        held = np.maximum.reduce([changed, *(region.mask for region in self._regions)])
        free = 1 - morphed(held, cv2.MORPH_DILATE, WINDOW)
        return mixed(background, recent, (self._every_s / FOLLOW_S) * free.astype(np.float32))


def _grouped(changes: list[Change], within_s: float) -> list[Change]:
    """What came at about the same time side by side is one thing in several pieces."""
    groups: list[Change] = []
    for change in sorted(changes, key=lambda c: c.since.t_s):
        near = [
            group
            for group in groups
            if change.since.t_s - group.since.t_s <= within_s and touch(group.box, change.box)
        ]
        groups = [group for group in groups if group not in near]
        pieces = [*near, change]
        score = max(piece.box.score for piece in pieces)
        since = min((piece.since for piece in pieces), key=lambda since: since.t_s)
        groups.append(Change(union([piece.box for piece in pieces], UNNAMED, score), since))
    return groups


def morphed(mask: Mask, how: int, size: int) -> Mask:
    """A mask opened, closed or widened by a square of so many pixels."""
    return np.asarray(cv2.morphologyEx(mask, how, np.ones((size, size), np.uint8)), np.uint8)


def outlined(mask: Mask) -> list[Mask]:
    """Each connected part with its holes filled; a thing shows at least as wide as the window."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    blobs = []
    for outline in outlines:
        _, _, width, height = cv2.boundingRect(outline)
        if min(width, height) >= WINDOW:
            blob = np.zeros_like(mask)
            cv2.drawContours(blob, [outline], 0, 1, cv2.FILLED)
            blobs.append(blob)
    return blobs


def is_light(blob: Mask, apart: Difference, recent: Scene, background: Scene) -> bool:
    """Whether shade fell or left: all only darker, or all only brighter and smoother than before.

    A thing has colours of its own.
    """
    inside = blob > 0
    if np.percentile(apart.hue[inside], 90) > SHADE_HUE:
        return False
    lowest, highest = np.percentile(apart.light[inside], [2, 98])
    if lowest >= -SHADE_DEPTH and highest <= SHADE_NOISE:
        return True
    is_smoother = bool(recent.light[inside].std() < background.light[inside].std())
    return bool(lowest >= -SHADE_NOISE and highest <= SHADE_DEPTH) and is_smoother


def _has_substance(blob: Mask, faintly: Mask) -> bool:
    """Whether the inside changed too, not the rim alone: of all that hangs together there."""
    _, labels = cv2.connectedComponents(faintly | blob)
    whole = np.isin(labels, np.unique(labels[blob > 0])).astype(np.uint8)
    _, _, width, height = cv2.boundingRect(whole)
    if max(width, height) <= SMALL:
        return True
    body = morphed(morphed(whole, cv2.MORPH_CLOSE, 3), cv2.MORPH_OPEN, RIM)
    return cv2.countNonZero(body) >= SUBSTANCE * cv2.countNonZero(whole)


def _was_added(blob: Mask, recent: Scene, background: Scene) -> bool:
    """In which of the two there is a thing: an edge along the outline, and another colour within.

    After Connell et al. 2004 (edges) and the common colour test of abandoned and removed objects.
    """
    kernel = np.ones((3, 3), np.uint8)
    rim = (cv2.dilate(blob, kernel, iterations=2) - cv2.erode(blob, kernel, iterations=2)) > 0
    ring = cv2.dilate(blob, kernel, iterations=6) - cv2.dilate(blob, kernel, iterations=2)
    edges = np.log(_edges(recent.light, rim) + 0.02) - np.log(_edges(background.light, rim) + 0.02)
    stands_out = np.log(_contrast(recent.picture, blob, ring) + 4) - np.log(
        _contrast(background.picture, blob, ring) + 4
    )
    return bool(edges + stands_out >= 0)


def _edges(light: Plane, where: NDArray[np.bool_]) -> float:
    across, down = cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)
    return float(cv2.magnitude(across, down)[where].mean())


def _contrast(picture: Image, inside: Mask, ring: Any) -> float:
    """Distance of the mean colours inside and around, grey levels."""
    if not ring.any():
        return 0.0
    means = [np.array(cv2.mean(picture, mask)[:3]) for mask in (inside, ring)]
    return float(np.linalg.norm(means[0] - means[1]))


def _is_new_look(region: Region, light: Plane) -> bool:
    return _correlation(region.first, light, region.first_mask) < SAME_LOOK


def _common(a: Mask, b: Mask) -> float:
    """The common area as a share of the smaller."""
    shared = cv2.countNonZero(a & b)
    return shared / max(min(cv2.countNonZero(a), cv2.countNonZero(b)), 1)


def _correlation(a: Plane, b: Plane, where: Mask) -> float:
    inside = where > 0
    a, b = a[inside] - a[inside].mean(), b[inside] - b[inside].mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-9))


def drawn_boxes(boxes: Sequence[Detection], shape: tuple[int, ...]) -> Plane:
    """1 under the boxes (a tenth wider, for their shadow), 0 elsewhere."""
    plane = np.zeros(shape, np.float32)
    height, width = shape
    for box in boxes:
        left, right = (box.x - 0.1 * box.w) * width, (box.x + 1.1 * box.w) * width
        top, bottom = (box.y - 0.1 * box.h) * height, (box.y + 1.1 * box.h) * height
        plane[max(int(top), 0) : int(bottom) + 1, max(int(left), 0) : int(right) + 1] = 1
    return plane


def _box(region: Region) -> Detection:
    height, width = region.mask.shape
    x, y, w, h = cv2.boundingRect(region.mask)
    return Detection(UNNAMED, region.score, x / width, y / height, w / width, h / height)
