"""Whether anything moved since the last inference, so that an idle street costs nearly nothing.

A gate saves work and must never lose a thing: it compares with the picture last looked at (slow
things add up), a busy street only means that every look is looked at, and a quiet one is looked
at again every so often.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from edge.detect.thumbnail import Grey

NEAR = 0.1
"""Of the picture's longer side: what moves so far from every zone cannot matter to it."""

STEP = 18
"""A pixel moved when it differs by more grey levels than noise and rain leave after averaging."""

LEAST_SHARE = 0.0006
"""Of the picture: about 35 pixels of a thumbnail, a person 60 pixels high in 1080p."""

IDLE_RELOOK_S, WATCHED_RELOOK_S = 60.0, 10.0
"""Look again after so long, motion or not: in a quiet street, and where something is timed."""


class MotionGate:
    """Decides, look by look, whether the detector must run.

    `still_s`: for how long nothing has moved in the zones or near them: the carriageway beside a
    watched pavement need not be looked at for its cars.
    """

    def __init__(self, zones: Sequence[Sequence[tuple[float, float]]] = ()) -> None:
        """Open at the first look. `zones`: polygons in fractions; without any all counts."""
        self._zones = zones
        self._near: Grey | None = None
        self._looked: Grey | None = None
        self._looked_t_s = 0.0
        self._moved_t_s = 0.0
        self.still_s = 0.0

    def opens(self, small: Grey, t_s: float, *, is_watched: bool) -> bool:
        """True when the detector must look; `small` is then what the next looks compare with.

        `is_watched`: something is there that may become an alert, or is one.
        """
        relook_s = WATCHED_RELOOK_S if is_watched else IDLE_RELOOK_S
        before = self._looked
        if before is None or before.shape != small.shape:
            self._near = near(self._zones, small.shape)
            self._moved_t_s = t_s
        elif moved(before, small, self._near):
            self._moved_t_s = t_s
        elif t_s - self._looked_t_s < relook_s:
            self.still_s = t_s - self._moved_t_s
            return False
        self.still_s = t_s - self._moved_t_s
        self._looked, self._looked_t_s = small, t_s
        return True


def near(zones: Sequence[Sequence[tuple[float, float]]], shape: tuple[int, ...]) -> Grey | None:
    """255 in the zones and up to `NEAR` around them; None where that is everything."""
    if not zones:
        return None
    mask = np.zeros(shape, np.uint8)
    size = np.array([shape[1], shape[0]])
    for zone in zones:
        cv2.fillPoly(mask, [np.rint(np.array(zone) * size).astype(np.int32)], 255)
    reach = 2 * round(NEAR * max(shape)) + 1
    mask = np.asarray(cv2.dilate(mask, np.ones((reach, reach), np.uint8)), np.uint8)
    return None if mask.all() else mask


def moved(before: Grey, now: Grey, where: Grey | None = None) -> bool:
    """Whether enough pixels differ; a change of the whole picture's brightness also counts."""
    difference = cv2.blur(cv2.absdiff(before, now), (3, 3))
    if where is not None:
        difference = cv2.bitwise_and(difference, where)
    share = cv2.countNonZero(cv2.threshold(difference, STEP, 1, cv2.THRESH_BINARY)[1])
    return share >= max(LEAST_SHARE * now.size, 1)
