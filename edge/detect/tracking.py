"""The same thing from look to look, and for how long it has stayed where it is.

Association as in ByteTrack, made for one look a second: first by overlap with the place where a
thing should be by now, then, for what is left, by nearness in the thing's own size. A thing that
stood still is remembered through an occlusion; one that walked is soon forgotten.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.detect.detection import Detection
from edge.detect.overlap import alike, corners, ious

OVERLAP = 0.25
"""From this IoU on, two boxes of one kind are the same thing."""

REACH = 1.2
"""How far a thing may have moved in a second to be the same, in its own heights (2 m/s)."""

STAY_REACH = 0.75
"""Within this many of its own heights of where it stopped, a thing still stays (about 1.3 m)."""

FORGET_MOVING_S = 3.0
FORGET_STAYING_S = 15.0
"""Longer than the occlusions of a pavement: a bus at a kerb, a group that passes."""

SAME_KIND = {"car": "vehicle", "truck": "vehicle", "bus": "vehicle", "van": "vehicle"}
"""Labels between which a detector wavers for one and the same thing."""


@dataclass(frozen=True)
class Track:
    """One thing through time.

    `box`: as last seen, at `seen_t_s`. `stays_since_t_s`: since when it has been within reach of
    `anchor`, where its foot stood when it stopped. `speed`: fractions of the picture a second.
    """

    id: int
    box: Detection
    seen_t_s: float
    stays_since_t_s: float
    anchor: tuple[float, float]
    speed: tuple[float, float] = (0.0, 0.0)

    @property
    def stayed_s(self) -> float:
        """For how long it has stayed where it was last seen."""
        return self.seen_t_s - self.stays_since_t_s

    @property
    def stays(self) -> bool:
        """Whether it stands there, not just passes."""
        return self.stayed_s > FORGET_MOVING_S

    def moved_to(self, box: Detection, t_s: float, aspect: float) -> "Track":
        """The same thing, seen again, in a picture `aspect` times as wide as high."""
        elapsed_s = max(t_s - self.seen_t_s, 1e-3)
        speed = (
            (box.centre[0] - self.box.centre[0]) / elapsed_s,
            (box.centre[1] - self.box.centre[1]) / elapsed_s,
        )
        foot, reach = box.foot, STAY_REACH * max(box.h, box.w * aspect / 2)
        if _distance(foot, self.anchor, aspect) <= reach:
            return Track(self.id, box, t_s, self.stays_since_t_s, self.anchor, speed)
        return Track(self.id, box, t_s, t_s, foot, speed)

    def is_forgotten(self, t_s: float) -> bool:
        """Whether it has been out of sight for too long to be the same when seen again."""
        return t_s - self.seen_t_s > (FORGET_STAYING_S if self.stays else FORGET_MOVING_S)


class Tracker:
    """All things of one camera, whose pictures are `aspect` times as wide as high."""

    def __init__(self, aspect: float = 16 / 9) -> None:
        """Know nothing yet."""
        self._aspect = aspect
        self._tracks: list[Track] = []
        self._next_id = 1

    def update(self, detections: Sequence[Detection], t_s: float) -> list[Track]:
        """Take in one look; what was seen in it comes back, in the order of `detections`."""
        known = [track for track in self._tracks if not track.is_forgotten(t_s)]
        of_detection = _associate(known, detections, t_s, self._aspect)
        seen = []
        for i, box in enumerate(detections):
            if i in of_detection:
                seen.append(known[of_detection[i]].moved_to(box, t_s, self._aspect))
            else:
                seen.append(Track(self._next_id, box, t_s, t_s, box.foot))
                self._next_id += 1
        taken = set(of_detection.values())
        self._tracks = seen + [track for j, track in enumerate(known) if j not in taken]
        return seen


def _associate(
    known: list[Track], detections: Sequence[Detection], t_s: float, aspect: float
) -> dict[int, int]:
    """Number of the detection → number of the track."""
    if not known or not detections:
        return {}
    boxes = [track.box for track in known]
    same_kind = alike(*([SAME_KIND.get(b.label, b.label) for b in each]
                        for each in (detections, boxes)))  # fmt: skip
    now, last = corners(detections), corners(boxes)
    elapsed_s = np.array([min(t_s - track.seen_t_s, FORGET_MOVING_S) for track in known])
    moved = np.array([track.speed for track in known]) * elapsed_s[:, None]
    expected = last + np.hstack([moved, moved])
    overlap = np.maximum(ious(now, expected), ious(now, last)) * same_kind
    pairs = _best_pairs(overlap, OVERLAP, {})
    return _best_pairs(_nearness(now, last, elapsed_s, aspect) * same_kind, 1e-6, pairs)


def _best_pairs(
    likeness: NDArray[np.float64], least: float, pairs: dict[int, int]
) -> dict[int, int]:
    """Greedy: the most alike first, each row and column once; `pairs` are settled already."""
    pairs = dict(pairs)
    columns = set(pairs.values())
    rows, cols = np.nonzero(likeness >= least)
    for k in np.argsort(-likeness[rows, cols], kind="stable"):
        row, col = int(rows[k]), int(cols[k])
        if row not in pairs and col not in columns:
            pairs[row] = col
            columns.add(col)
    return pairs


def _nearness(
    now: NDArray[np.float64],
    last: NDArray[np.float64],
    elapsed_s: NDArray[np.float64],
    aspect: float,
) -> NDArray[np.float64]:
    """1 at the same spot, 0 out of reach; things of very different size are out of reach."""
    centres = [(table[:, :2] + table[:, 2:]) / 2 for table in (now, last)]
    heights = [table[:, 3] - table[:, 1] for table in (now, last)]
    apart = centres[0][:, None] - centres[1][None]
    distance = np.hypot(apart[..., 0] * aspect, apart[..., 1])
    reach = np.maximum(heights[1], 1e-6) * (0.3 + REACH * elapsed_s)
    alike = (heights[0][:, None] < 1.5 * heights[1]) & (heights[1] < 1.5 * heights[0][:, None])
    return np.maximum(1 - distance / reach, 0) * alike


def _distance(a: tuple[float, float], b: tuple[float, float], aspect: float) -> float:
    """In heights of the picture."""
    return math.hypot((a[0] - b[0]) * aspect, a[1] - b[1])
