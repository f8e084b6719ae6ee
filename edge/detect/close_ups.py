"""Far and small things: parts of the picture looked at once more, each as large as the network.

A stall that is 25 pixels high once 1080p has become 640 pixels is 60 in a close-up of two fifths of
the width. Each close-up costs one more inference a look. What is cut by an inner edge of a
close-up is left to the look at the whole; what both see is one thing, in the surer box.
"""

from collections.abc import Sequence

import numpy as np

from edge.camera.frame import Image
from edge.config import CloseUp
from edge.detect.detection import Detection, Part
from edge.detect.detectors import Detector
from edge.detect.overlap import corners, ious, nestings

AT_EDGE = 0.004
"""Of the close-up: a box that comes so near to an inner edge is taken for cut."""

WHOLE = 1 << 16
"""Parts are cut out of the whole picture, however large it is."""

SAME_IOU, SAME_PART = 0.5, 0.8
"""Boxes of one label that overlap so much, or lie so far in one another, are one thing."""


class CloseUps:
    """A detector that looks at the whole picture, then at parts of it."""

    def __init__(self, detector: Detector, parts: Sequence[CloseUp]) -> None:
        """Look through `detector`; `parts` as in the camera's configuration."""
        self.name = detector.name
        self.labels = detector.labels
        self.side = WHOLE if parts else detector.side
        self._detector = detector
        self._parts = parts

    def detect(self, image: Image, least: float | None = None) -> list[Detection]:
        """What is in the picture, best score first (see `edge.detect.detectors.Detector`)."""
        found = list(self._detector.detect(image, least))
        for part in self._parts:
            found += seen_in(self._detector, part, image, least)
        return one_box_a_thing(found) if self._parts else found

    def glance(
        self, _image: Image, _part: Part, _least: float | None = None
    ) -> list[Detection] | None:
        """None: with close-ups the whole is looked at."""
        return None

    def threshold(self, label: str) -> float:
        """The score from which `label` counts."""
        return self._detector.threshold(label)


def with_close_ups(detector: Detector, parts: Sequence[CloseUp]) -> Detector:
    """The detector itself where there are no close-ups."""
    return CloseUps(detector, parts) if parts else detector


def seen_in(
    detector: Detector, part: CloseUp, image: Image, least: float | None = None
) -> list[Detection]:
    """What lies whole in a part of the picture, by a look at that part alone."""
    left, top, right, bottom = part
    height, width = image.shape[:2]
    crop = np.ascontiguousarray(
        image[
            round(top * height) : round(bottom * height),
            round(left * width) : round(right * width),
        ]
    )
    found = detector.detect(crop, least)
    return [_brought_back(box, part) for box in found if not _is_cut(box, part)]


def one_box_a_thing(found: Sequence[Detection]) -> list[Detection]:
    """Of boxes of one label on the same thing the surest, best first."""
    kept: list[Detection] = []
    for box in sorted(found, key=lambda one: -one.score):
        same = [other for other in kept if other.label == box.label]
        if same:
            mine, theirs = corners([box]), corners(same)
            is_known = ious(mine, theirs).max() >= SAME_IOU
            if is_known or nestings(mine, theirs).max() >= SAME_PART:
                continue
        kept.append(box)
    return kept


def _is_cut(box: Detection, part: CloseUp) -> bool:
    left, top, right, bottom = part
    return (
        (left > 0 and box.x < AT_EDGE)
        or (top > 0 and box.y < AT_EDGE)
        or (right < 1 and box.x + box.w > 1 - AT_EDGE)
        or (bottom < 1 and box.y + box.h > 1 - AT_EDGE)
    )


def _brought_back(box: Detection, part: CloseUp) -> Detection:
    left, top, right, bottom = part
    width, height = right - left, bottom - top
    return Detection(
        box.label, box.score, left + box.x * width, top + box.y * height,
        box.w * width, box.h * height,
    )  # fmt: skip
