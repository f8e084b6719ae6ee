"""Whether a camera sees anything, and still looks where it looked at first.

A picture is reduced to 160 × 90 edge strengths, each divided by its surroundings', so that light
and shade change little, and compared with the slowly renewed first view: by correlation as it
is, and at the shift that phase correlation finds. Measured on 120 street pictures (5th to 95th
percentile of the correlation): darker, brighter or noisier 0.73 to 0.99; half hidden 0.43 to
0.56; another street -0.02 to 0.04; shifted by 5 to 15 % of the width -0.02 to 0.28, and 0.90 to
0.99 at the shift found.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge.camera.frame import Image

_WIDTH, _HEIGHT = 160, 90
_UNIFORM_STD = 4.0
_DARK_P98 = 24.0
_MOVED_SHIFT = 0.03
_SURE_RESPONSE = 0.5
_SURE_LIKENESS = 0.5
_STILL_LIKENESS = 0.3
_ALIEN_LIKENESS = 0.15
_RENEWAL = 0.05

_Edges = npt.NDArray[np.float32]


@dataclass(frozen=True)
class View:
    """What one picture says of its camera.

    `is_black`: nothing to be seen, dark or all of one colour. `is_shifted`: surely turned a little.
    `is_alien`: nothing in common with the first view; a lorry in front looks like that too.
    `is_still`: surely where it was. None of the three when it cannot be told.
    """

    is_black: bool = False
    is_shifted: bool = False
    is_alien: bool = False
    is_still: bool = False


class ViewWatch:
    """Compares each picture of one camera with its first ones."""

    def __init__(self) -> None:
        """Take the first picture for what the camera is meant to see."""
        self._first: _Edges | None = None
        self._window = cv2.createHanningWindow((_WIDTH, _HEIGHT), cv2.CV_32F)

    def look(self, image: Image) -> View:
        """Judge one picture (BGR, any size)."""
        grey = _reduced(image)
        if grey.std() < _UNIFORM_STD or np.percentile(grey, 98) < _DARK_P98:
            return View(is_black=True)
        edges = _edges(grey)
        if self._first is None:
            self._first = edges
            return View(is_still=True)
        view = self._compared(self._first, edges)
        if view.is_still:
            self._first = self._first + _RENEWAL * (edges - self._first)
        return view

    def _compared(self, first: _Edges, edges: _Edges) -> View:
        # phaseCorrelate weighs its arguments in place.
        (dx, dy), response = cv2.phaseCorrelate(first.copy(), edges.copy(), self._window)
        shift = float(np.hypot(dx, dy)) / _WIDTH
        likeness = _likeness(first, edges, 0, 0)
        if response >= _SURE_RESPONSE and shift >= _MOVED_SHIFT:
            return View(is_shifted=_likeness(first, edges, round(dx), round(dy)) > _SURE_LIKENESS)
        if response >= _SURE_RESPONSE or likeness >= _STILL_LIKENESS:
            return View(is_still=True)
        has_texture = bool(edges.mean() >= first.mean() / 2)
        return View(is_alien=has_texture and likeness < _ALIEN_LIKENESS)


def _reduced(image: Image) -> npt.NDArray[np.float32]:
    step = max(1, image.shape[1] // (3 * _WIDTH))
    small = cv2.resize(image[::step, ::step], (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)


def _edges(grey: npt.NDArray[np.float32]) -> _Edges:
    strength = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    return np.asarray(strength / (cv2.blur(strength, (15, 15)) + 8), np.float32)


def _likeness(first: _Edges, edges: _Edges, dx: int, dy: int) -> float:
    """Normalised correlation of what both show when `edges` is moved back by (dx, dy)."""
    height, width = first.shape
    a = first[max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)]
    b = edges[max(0, dy) : height - max(0, -dy), max(0, dx) : width - max(0, -dx)]
    if a.size < first.size // 4:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (np.sqrt((a * a).sum() * (b * b).sum()) + 1e-6))
