"""When every part of a camera's picture was last seen clean: what a reverse lookup begins with.

A part is clean in a look that could be judged, showed nothing there that must not be there, had
nothing passing before it, and did not differ from the background of the scene. Whatever is in
doubt is not clean, so that the time told is rather too early than too late; by no more than the
seconds that a change without a name takes to be found it can be too late.
"""

import math
from collections import deque
from collections.abc import Iterable
from datetime import timedelta

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.detect.background import Mask
from edge.detect.detection import Detection
from edge.detect.moment import Moment

COLUMNS, ROWS = 64, 36
EVERY_S = 1.0
LATE_S = 120.0
"""A change is found, and a thing is dated, no later than this after it came."""

CLEAN_SHARE = 0.8
"""So much of a place must have been seen clean since then, or then."""

Looks = NDArray[np.bool_]


class CleanLooks:
    """The memory of one fixed camera: of the last minutes every look, of before the last one."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self.forget()

    def forget(self) -> None:
        """The picture shows other places now, or its clock begins anew."""
        self._before = np.full((ROWS, COLUMNS), -math.inf)
        self._looks: deque[tuple[float, Looks]] = deque()

    def take(self, now: Moment, hiding: Iterable[Detection], unlike: Mask | None) -> None:
        """Take in a look that could be judged.

        `hiding`: what stands there or before it. `unlike`: 1 where the scene differs from its
        background, of any size; None when that cannot be told, and so nothing is clean.
        """
        if unlike is None or (self._looks and now.t_s - self._looks[-1][0] < EVERY_S):
            return
        # Wider first: reduced to one pixel a cell, the border of a change would be lost.
        small = cv2.resize(unlike * np.uint8(255), (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
        clean = np.asarray(small) == 0
        for box in hiding:
            clean[_cells(box)] = False
        self._looks.append((now.t_s, clean))
        while now.t_s - self._looks[0][0] > LATE_S:
            t_s, clean = self._looks.popleft()
            self._before[clean] = t_s

    def before(self, box: Detection, moment: Moment) -> Moment | None:
        """The last look before `moment` by which a place had been seen clean; None for never."""
        cells = _cells(box)
        known = self._before[cells]
        last_s = np.where(known < moment.t_s, known, -math.inf)
        for t_s, clean in self._looks:
            if t_s >= moment.t_s:
                break
            last_s[clean[cells]] = t_s
        ordered = np.sort(last_s.ravel())
        clean_s = float(ordered[int((1 - CLEAN_SHARE) * len(ordered))])
        if clean_s == -math.inf:
            return None
        return Moment(moment.at - timedelta(seconds=moment.t_s - clean_s), clean_s)


def _cells(box: Detection) -> tuple[slice, slice]:
    """All cells that a rectangle touches, at least one."""
    top, left = (min(max(int(v), 0), most - 1)
                 for v, most in ((box.y * ROWS, ROWS), (box.x * COLUMNS, COLUMNS)))  # fmt: skip
    bottom = min(math.ceil((box.y + box.h) * ROWS), ROWS)
    right = min(math.ceil((box.x + box.w) * COLUMNS), COLUMNS)
    return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))
