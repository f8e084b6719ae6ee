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

WHOLE_EVERY_S = 5.0
"""In a busy street the whole is looked at at least so often, else only where it moved."""


class MotionGate:
    """Decides, look by look, whether the detector must run.

    `still_s`: for how long nothing has moved in the zones or near them: the carriageway beside a
    watched pavement need not be looked at for its cars. `moved`: 1 where it differs from what
    was last looked at, in the zones and near them; None: the whole is to be looked at.
    """

    def __init__(
        self,
        zones: Sequence[Sequence[tuple[float, float]]] = (),
        whole_every_s: float = WHOLE_EVERY_S,
    ) -> None:
        """Open at the first look. `zones`: polygons in fractions; without any all counts.

        `whole_every_s`: so often the whole is looked at in a busy street.
        """
        self._zones = zones
        self._whole_every_s = whole_every_s
        self._near: Grey | None = None
        self._looked: Grey | None = None
        self._looked_t_s = 0.0
        self._moved_t_s = 0.0
        self._whole_t_s = 0.0
        self.still_s = 0.0
        self.moved: Grey | None = None

    def opens(self, small: Grey, t_s: float, *, is_watched: bool) -> bool:
        """True when the detector must look; `small` is then what the next looks compare with.

        `is_watched`: something is there that may become an alert, or is one.
        """
        relook_s = WATCHED_RELOOK_S if is_watched else IDLE_RELOOK_S
        before, where = self._looked, None
        if before is None or before.shape != small.shape:
            self._near = near(self._zones, small.shape)
            self._moved_t_s = t_s
        else:
            where = moved(before, small, self._near)
            if where is not None:
                self._moved_t_s = t_s
            elif t_s - self._looked_t_s < relook_s:
                self.still_s = t_s - self._moved_t_s
                return False
        self.still_s = t_s - self._moved_t_s
        self._take(small, where, t_s)
        return True

    def _take(self, small: Grey, where: Grey | None, t_s: float) -> None:
        """Compare with this picture from now on, but with the one before where none looks now."""
        self._looked_t_s = t_s
        if self._looked is None or where is None or t_s - self._whole_t_s >= self._whole_every_s:
            self._looked, self._whole_t_s, self.moved = small, t_s, None
            return
        left, top, width, height = cv2.boundingRect(where)
        rows, columns = slice(top, top + height), slice(left, left + width)
        self._looked = self._looked.copy()
        self._looked[rows, columns] = small[rows, columns]
        self.moved = where


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


def moved(before: Grey, now: Grey, where: Grey | None = None) -> Grey | None:
    """Where pixels differ, 1 or 0, if they are enough; so does a change of all the brightness."""
    difference = cv2.blur(cv2.absdiff(before, now), (3, 3))
    if where is not None:
        difference = cv2.bitwise_and(difference, where)
    differs = np.asarray(cv2.threshold(difference, STEP, 1, cv2.THRESH_BINARY)[1], np.uint8)
    return differs if cv2.countNonZero(differs) >= max(LEAST_SHARE * now.size, 1) else None
