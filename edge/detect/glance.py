"""What a camera's detector sees, at no more cost than what moved is worth.

Inference is most of what a busy street costs, and costs as much as the picture is large. Where
nothing has moved since it was last looked at, the last look still holds: the motion gate's own
argument, for parts of the picture. So a *glance* is at the part that moved, with everybody who
reaches into it and some picture around, as large as in a look at the whole. Who lies in the part
and had something move in it is seen anew; all else, also what the part cuts, stays as it was until
the whole is looked at again.

What lasts is judged by looks at the whole alone: a network that sees less of the scene around a
thing may call it by another name, and one thing would have two.
"""

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from edge.camera.frame import Image
from edge.detect.detection import Detection, Part
from edge.detect.detectors import Detector
from edge.detect.overlap import alike, corners, ious, nestings
from edge.detect.thumbnail import Grey

AROUND = 0.04
"""Of the picture's longer side: what a network must see around a thing to tell it as surely."""

LEAST = 0.3
"""Of the longer side: no glance is at less."""

RIM = 0.05
"""Of a box: where less of it differs, its neighbour moved."""

SAME_IOU, SAME_PART = 0.5, 0.8
"""What a glance sees once more of a thing that stays as it was, by overlap or nesting."""

ROUNDING = 1e-6

Test = Callable[[Detection], bool]


class Gaze:
    """One camera's. `seen`: what is there by the last look, best score first.

    `least`: detections down to this score are taken in. `lasts`: what only a look at the whole
    judges; `passes`: who must never be cut, and is gone when a glance does not see him.
    """

    def __init__(self, detector: Detector, least: float, lasts: Test, passes: Test) -> None:
        """Nothing seen yet."""
        self.seen: list[Detection] = []
        self._detector = detector
        self._least = least
        self._lasts = lasts
        self._passes = passes

    def look(self, image: Image, moved: Grey | None) -> list[Detection]:
        """Look at a picture.

        `moved`: 1 where it differs from the last looks, in any size; None: look at the whole.
        """
        glanced = None if moved is None else self._glanced(image, moved)
        whole = self._detector.detect
        self.seen = whole(image, self._least) if glanced is None else glanced
        return self.seen

    def _glanced(self, image: Image, moved: Grey) -> list[Detection] | None:
        passers = [box for box in self.seen if self._passes(box)]
        part = _widened(_moved_part(moved, passers), image)
        fresh = self._detector.glance(image, part, self._least)
        if fresh is None:
            return None

        def seen_anew(box: Detection) -> bool:
            if self._lasts(box) or not _lies_in(box, part):
                return False
            return _has_moved(moved, corners([box])[0].tolist())

        fresh = [box for box in fresh if not self._lasts(box)]
        return _merged(self.seen, fresh, seen_anew, self._passes)


def _moved_part(moved: Grey, passers: Sequence[Detection]) -> Part:
    """What surrounds all that moved, and everybody in whose box something moved."""
    height, width = moved.shape
    x, y, across, down = cv2.boundingRect(moved)
    parts = [[x / width, y / height, (x + across) / width, (y + down) / height]]
    parts += [box for box in corners(passers).tolist() if _has_moved(moved, box)]
    sides = np.array(parts)
    left, top = (float(side) for side in sides[:, :2].min(axis=0))
    right, bottom = (float(side) for side in sides[:, 2:].max(axis=0))
    return left, top, right, bottom


def _has_moved(moved: Grey, corner: Sequence[float]) -> bool:
    """Whether something moved in a rectangle, given by its corners, not only at its rim."""
    height, width = moved.shape
    left, top, right, bottom = corner
    rows = slice(int(top * height), math.ceil(bottom * height))
    columns = slice(int(left * width), math.ceil(right * width))
    inside = moved[rows, columns]
    return cv2.countNonZero(inside) > RIM * inside.size


def _widened(part: Part, image: Image) -> Part:
    height, width = image.shape[:2]
    longest = max(height, width)
    left, right = _span(part[0], part[2], longest / width)
    top, bottom = _span(part[1], part[3], longest / height)
    return left, top, right, bottom


def _span(first: float, last: float, longest: float) -> tuple[float, float]:
    """`longest`: the longer side of the picture, in this one."""
    length = min(max(last - first + 2 * AROUND * longest, LEAST * longest), 1.0)
    first = min(max((first + last - length) / 2, 0.0), 1 - length)
    return first, first + length


def _merged(
    before: Sequence[Detection], fresh: Sequence[Detection], seen_anew: Test, passes: Test
) -> list[Detection]:
    """What was seen anew, and all else as it was.

    Of goods that a glance does not see only the look at the whole can tell whether they have gone,
    for a network needs much picture around to be sure of them.
    """
    kept = [box for box in before if not seen_anew(box)]
    doubtful = [box for box in before if seen_anew(box) and not passes(box)]
    new = _without(fresh, kept)
    return sorted([*new, *kept, *_without(doubtful, new)], key=lambda box: -box.score)


def _without(boxes: Sequence[Detection], others: Sequence[Detection]) -> list[Detection]:
    """Those that are none of the others."""
    if not boxes or not others:
        return list(boxes)
    mine, theirs = corners(boxes), corners(others)
    again = (ious(mine, theirs) >= SAME_IOU) | (nestings(mine, theirs) >= SAME_PART)
    again &= alike([box.label for box in boxes], [box.label for box in others])
    return [box for number, box in enumerate(boxes) if not again[number].any()]


def _lies_in(box: Detection, part: Part) -> bool:
    left, top, right, bottom = part
    is_across = left <= box.x and box.x + box.w <= right + ROUNDING
    return is_across and top <= box.y and box.y + box.h <= bottom + ROUNDING
