"""When every part of a camera's picture was last seen clean: what a reverse lookup begins with.

A part is clean in a look that could be judged, showed nothing there that must not be there, had
nothing passing before it, and did not differ from the background of the scene. Whatever is in
doubt is not clean, so that the time told is rather too early than too late; by no more than the
seconds that a change without a name takes to be found it can be too late. What was clean is kept
over a restart, but for the last minutes, in which something may have come that was not found yet.
"""

import math
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.frame import Image
from edge.detect.background import Mask, difference, scene_of
from edge.detect.detection import Detection
from edge.detect.kept_looks import KeptLooks, kept_looks
from edge.detect.moment import Moment

COLUMNS, ROWS = 64, 36
EVERY_S = 1.0
LATE_S = 120.0
"""A change is found, and a thing is dated, no later than this after it came."""

CLEAN_SHARE = 0.8
"""So much of a place must have been seen clean since then, or then."""

KEEP_EVERY_S = 60.0
"""Seconds between two times it is written to disk."""

CAME_SHARE = 0.25
"""Something came to a place since it was kept when it differs in so much of its pixels."""

OTHER_LIGHT_SHARE, COMPARE_EVERY_S = 0.3, 10.0
"""Where more of the picture than this differs, it is light or the view, and nothing can be told."""

Looks = NDArray[np.bool_]


class CleanLooks:
    """The memory of one fixed camera: of the last minutes every look, of before the last one.

    `path`: a file that keeps it over a restart.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Nothing seen yet but what an earlier run kept."""
        self._path = path
        self._kept = kept_looks(path, (ROWS, COLUMNS)) if path is not None else None
        self._begin()

    def _begin(self) -> None:
        self._before = np.full((ROWS, COLUMNS), -math.inf)
        self._looks: deque[tuple[float, Looks]] = deque()
        self._kept_t_s = -math.inf
        self._came: Mask | None = None
        self._compared_t_s = -math.inf

    def forget(self) -> None:
        """The picture shows other places now; on disk, too."""
        self._begin()
        self._kept = None
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def take(
        self,
        now: Moment,
        hiding: Iterable[Detection],
        unlike: Mask | None,
        background: Image | None = None,
    ) -> None:
        """Take in a look that could be judged.

        `hiding`: what stands there or before it. `unlike`: 1 where the scene differs from its
        background, of any size; None when that cannot be told, and so nothing is clean.
        `background`: the scene without what came, to be kept over a restart.
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
        if background is not None and now.t_s - self._kept_t_s >= KEEP_EVERY_S:
            self._keep(now, background)

    def before(self, box: Detection, moment: Moment, shown: Image | None = None) -> Moment | None:
        """The last look before `moment` by which a place had been seen clean; None for never.

        `shown`: what it looks like now, without which nothing from before a restart can be told.
        """
        cells = _cells(box)
        known = self._before[cells]
        last_s = np.where(known < moment.t_s, known, -math.inf)
        for t_s, clean in self._looks:
            if t_s >= moment.t_s:
                break
            last_s[clean[cells]] = t_s
        clean_s = _by_then(last_s)
        if clean_s > -math.inf:
            return Moment(moment.at - timedelta(seconds=moment.t_s - clean_s), clean_s)
        if self._kept is None or shown is None:
            return None
        return self._before_restart(self._kept, box, moment, shown)

    def _before_restart(
        self, kept: KeptLooks, box: Detection, moment: Moment, shown: Image
    ) -> Moment | None:
        moment_s = moment.at.timestamp()
        known = kept.clean_at[_cells(box)]
        clean_s = _by_then(np.where(known < moment_s, known, -math.inf))
        if clean_s == -math.inf or kept.picture.shape != shown.shape:
            return None
        if moment.t_s - self._compared_t_s >= COMPARE_EVERY_S:
            self._compared_t_s = moment.t_s
            self._came = difference(scene_of(shown), scene_of(kept.picture)).changed
        if self._came is None or self._came.mean() >= OTHER_LIGHT_SHARE:
            return None
        if self._came[_cells(box, self._came.shape)].mean() < CAME_SHARE:
            return None
        at = datetime.fromtimestamp(clean_s, UTC)
        return Moment(at, moment.t_s - (moment_s - clean_s))

    def _keep(self, now: Moment, background: Image) -> None:
        """Write down what is certain by now; of what was not seen since, what was kept before."""
        if self._path is None:
            return
        self._kept_t_s = now.t_s
        clean_at = self._before + (now.at.timestamp() - now.t_s)
        picture, kept = background, self._kept
        if kept is not None and kept.picture.shape == background.shape:
            is_new = self._before > -math.inf
            clean_at = np.where(is_new, clean_at, kept.clean_at)
            height, width = background.shape[:2]
            where = cv2.resize(
                is_new.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST
            )
            picture = np.where(np.asarray(where)[..., None] > 0, background, kept.picture)
        KeptLooks(clean_at, picture).save(self._path)


def _by_then(last_s: NDArray[np.float64]) -> float:
    """By when enough of the cells had been seen clean."""
    ordered = np.sort(last_s.ravel())
    return float(ordered[int((1 - CLEAN_SHARE) * len(ordered))])


def _cells(box: Detection, shape: tuple[int, ...] = (ROWS, COLUMNS)) -> tuple[slice, slice]:
    """All cells that a rectangle touches, at least one."""
    rows, columns = shape
    top, left = (min(max(int(v), 0), most - 1)
                 for v, most in ((box.y * rows, rows), (box.x * columns, columns)))  # fmt: skip
    bottom = min(math.ceil((box.y + box.h) * rows), rows)
    right = min(math.ceil((box.x + box.w) * columns), columns)
    return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))
