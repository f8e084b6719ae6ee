"""What one picture says of its camera: whether it can be judged by, and if not, why not.

A picture is reduced to 320 × 180 for its sharpness, and to 160 × 90 for the rest, where it is
compared with the slowly renewed first view: by edge strengths, each divided by its
surroundings', so that light and shade change little. Every bound below was set where the
detector loses half of what it finds in the untouched shared pictures; `bench/view.py` measures
how often each is found, and how often it is claimed of pictures that are well.
"""

import zlib
from collections import deque
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from edge.camera.frame import Image
from edge.camera.kept_view import KeptView
from wire.status import CameraState

VIEW_SIDE = 640
"""Pixels of the longer side of a picture that is judged; of a larger one nothing more is used."""

_WIDTH, _HEIGHT = 160, 90
_FINE = (320, 180)
_BLOCK = 10
"""Pixels of the reduced picture; 16 × 9 blocks make it up."""

UNIFORM_STD = 4.0
FLAT_STD = 0.5
"""Grey levels by which blocks differ in a picture of nothing: a covered lens, no signal."""

DARK_P98, DARK_BRIGHTEST = 24.0, 60.0
LEGIBLE_STD, LEGIBLE_SHARE = 3.0, 0.3
DIM_MEAN = 16.0
"""Dark: hardly a block shows anything, and no lamp or window stands out. At a tenth of the light
of the shared pictures the detector finds 53 % of what it found, at a fourteenth 36 %."""

GLARE_LEVEL, GLARE_SHARE = 250, 0.55

SHARP_LEAST, SHARP_SHARE = 0.5, 0.6
"""Steps across edges at 320 pixels beside those at 80: of the shared pictures 0.65 to 1.8, blurred
by 4 of 640 pixels 0.35 to 0.56, where the detector finds 36 % of what it found. Out of focus below
the first, or below the second share of what is usual here."""
EDGE_LEAST, EDGE_BLOCKS = 12.0, 10
"""Grey levels of an edge that is judged by, and in how many blocks there must be one."""
USUAL_RATE = 0.02

MOVED_SHIFT = 0.03
SURE_RESPONSE = 0.5
SURE_LIKENESS = 0.5
STILL_LIKENESS = 0.3
UNTURNED_LIKENESS = 0.75
"""What is so like the first view just where it was need not be looked for elsewhere."""
ALIEN_LIKENESS = 0.15
RENEWAL = 0.05

STRUCTURE = 0.045
"""Steps of log brightness a block must show on average to be missed when it is hidden."""
STRUCTURED_SHARE = 0.25
LOST_LIKENESS, SMOOTH_SHARE = 0.25, 0.4
HIDDEN_SHARE = 0.3
"""A block is hidden when it looks like nothing it looked like and has lost its fine edges; the
lens is blocked when so many of the blocks that had any are."""

UNTOLD_LOOKS = 30
"""After a restart a view that is neither the old one nor the old one turned is the first, again."""

KEEP_EVERY, KEEP_FIRST = 600, 30
"""Still looks between two times the view is kept, and before the first."""

REMEMBERED = 4
"""Pictures that a stuck encoder repeats: one a phase of its group of pictures."""

_Plane = npt.NDArray[np.float32]


@dataclass(frozen=True)
class View:
    """What one picture says of its camera.

    `flaw`: why nothing can be told from it; `ok` when it can. `moved` is told of it when it is
    surely turned a little, so that it shows what zones no longer fit. `is_alien`: nothing in
    common with the first view; a lorry in front looks like that too. `is_still`: surely where it
    was. `is_repeated`: not one pixel is new.
    """

    flaw: CameraState = CameraState.OK
    is_alien: bool = False
    is_still: bool = False
    is_repeated: bool = field(default=False, compare=False)


class ViewWatch:
    """Compares each picture of one camera with its first ones; of one that moves with none."""

    def __init__(self, *, moves: bool = False, kept: KeptView | None = None) -> None:
        """Take the first picture for what the camera is meant to see.

        `kept`: what it was meant to see before a restart, which counts where it can be told.
        """
        self._moves = moves
        self._kept = kept
        self._untold = 0
        self._still_looks = 0
        self._first: _Plane | None = None
        self._first_edges = np.zeros((_HEIGHT, _WIDTH), np.float32)
        self._usual_sharpness: float | None = None
        self._window = cv2.createHanningWindow((_WIDTH, _HEIGHT), cv2.CV_32F)
        self._last: deque[int] = deque(maxlen=REMEMBERED)

    def look(self, image: Image) -> View:
        """Judge one picture (BGR, any size)."""
        fine = _reduced(image)
        is_repeated = self._is_repeated(fine)
        small = np.asarray(cv2.resize(fine, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA))
        grey = small.astype(np.float32)
        sharpness = _sharpness(fine) if image.shape[1] >= _FINE[0] else None
        flaw = _light_flaw(grey)
        if flaw is None and sharpness is not None and sharpness < SHARP_LEAST:
            flaw = CameraState.OUT_OF_FOCUS
        if flaw is not None:
            return View(flaw, is_repeated=is_repeated)
        edges = _edges(grey)
        if self._first is None and self._kept is not None and not self._moves:
            self._remember(self._kept)
        if self._first is None or self._moves:
            self._begin(grey, edges, sharpness)
            return View(is_still=True, is_repeated=is_repeated)
        view = self._compared(self._first, grey, edges, sharpness)
        if self._untold:
            view = self._after_restart(view, grey, edges, sharpness)
        if view.is_still and self._kept is not None:
            self._still_looks += 1
            if self._still_looks % KEEP_EVERY == KEEP_FIRST:
                self._kept.save(self._first, self._usual_sharpness)
        return replace(view, is_repeated=is_repeated)

    def _begin(self, grey: _Plane, edges: _Plane, sharpness: float | None) -> None:
        self._first, self._first_edges, self._usual_sharpness = grey, edges, sharpness

    def _remember(self, kept: KeptView) -> None:
        found = kept.load((_HEIGHT, _WIDTH))
        if found is not None:
            grey, sharpness = found
            self._begin(grey, _edges(grey), sharpness)
            self._untold = UNTOLD_LOOKS

    def _after_restart(
        self, view: View, grey: _Plane, edges: _Plane, sharpness: float | None
    ) -> View:
        """The old view may be of another hour: that it is the same or surely turned counts."""
        if view.is_still:
            self._untold = 0
            return view
        if view.flaw is CameraState.MOVED:
            self._untold = UNTOLD_LOOKS
            return view
        self._untold -= 1
        if self._untold:
            return View()
        self._begin(grey, edges, sharpness)
        return View(is_still=True)

    def _is_repeated(self, fine: npt.NDArray[np.uint8]) -> bool:
        sum_ = zlib.crc32(fine.data)
        if sum_ in self._last:
            return True
        self._last.append(sum_)
        return False

    def _compared(
        self, first: _Plane, grey: _Plane, edges: _Plane, sharpness: float | None
    ) -> View:
        before = self._first_edges
        likeness = _likeness(before, edges, 0, 0)
        is_sure, is_shifted = True, False
        if likeness < UNTURNED_LIKENESS:
            # phaseCorrelate weighs its arguments in place.
            (dx, dy), response = cv2.phaseCorrelate(before.copy(), edges.copy(), self._window)
            is_shifted = float(np.hypot(dx, dy)) / _WIDTH >= MOVED_SHIFT
            is_sure = response >= SURE_RESPONSE
            is_like = _likeness(before, edges, round(dx), round(dy)) > SURE_LIKENESS
            if is_sure and is_shifted and is_like:
                return View(CameraState.MOVED)
        if likeness < ALIEN_LIKENESS and edges.mean() >= before.mean() / 2:
            return View(is_alien=True)
        if sharpness is not None and sharpness < SHARP_SHARE * (self._usual_sharpness or 0.0):
            return View(CameraState.OUT_OF_FOCUS)
        is_hidden, lost = _hidden(first, grey, before, edges)
        if is_hidden:
            return View(CameraState.BLOCKED)
        if (is_sure and not is_shifted) or likeness >= STILL_LIKENESS:
            self._renew(first, grey, 1 - lost, sharpness)
            return View(is_still=True)
        return View()

    def _renew(self, first: _Plane, grey: _Plane, share: _Plane, sharpness: float | None) -> None:
        self._first = first + RENEWAL * share * (grey - first)
        self._first_edges = _edges(self._first)
        if sharpness is not None:
            usual = self._usual_sharpness or sharpness
            self._usual_sharpness = usual + USUAL_RATE * (sharpness - usual)


def _light_flaw(grey: _Plane) -> CameraState | None:
    """Whether there is too little or too much light to tell anything."""
    if np.count_nonzero(grey >= GLARE_LEVEL) > GLARE_SHARE * grey.size:
        return CameraState.OVER_EXPOSED
    mean, std = (float(value[0, 0]) for value in cv2.meanStdDev(grey))
    # In all but the darkest pictures this spares the percentiles.
    if np.count_nonzero(grey >= DARK_BRIGHTEST) > (1 - 0.98) * grey.size:
        return CameraState.BLACK if std < UNIFORM_STD else None
    bright, brightest = np.percentile(grey, [98, 99.9])
    is_dim = bright < DARK_P98 or (mean < DIM_MEAN and brightest < DARK_BRIGHTEST)
    if std < UNIFORM_STD and not is_dim:
        return CameraState.BLACK
    return _dim_flaw(grey) if is_dim else None


def _dim_flaw(grey: _Plane) -> CameraState | None:
    blocks = _blocks(grey)
    if blocks.mean(axis=1).std() < FLAT_STD:
        return CameraState.BLACK
    is_legible = (blocks.std(axis=1) >= LEGIBLE_STD).mean() >= LEGIBLE_SHARE
    return None if is_legible else CameraState.DARK


def _reduced(image: Image) -> npt.NDArray[np.uint8]:
    step = max(1, image.shape[1] // (2 * _FINE[0]))
    grey = cv2.cvtColor(np.ascontiguousarray(image[::step, ::step]), cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.resize(grey, _FINE, interpolation=cv2.INTER_AREA), np.uint8)


def _sharpness(fine: npt.NDArray[np.uint8]) -> float | None:
    """How far an edge is one step, in the blocks with the strongest; None where there are few."""
    size = (_FINE[0] // 4, _FINE[1] // 4)
    coarse = np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), np.uint8)
    steps, strong = _strongest_steps(fine), _strongest_steps(coarse)
    judged = strong >= max(EDGE_LEAST, float(np.median(strong)))
    if judged.sum() < EDGE_BLOCKS:
        return None
    return float(np.median(steps[judged] / strong[judged]))


def _strongest_steps(grey: npt.NDArray[np.uint8]) -> _Plane:
    """The largest difference of neighbours in each of 16 × 9 blocks."""
    steps = np.zeros(grey.shape, np.uint8)
    cv2.absdiff(grey[:, 1:], grey[:, :-1], steps[:, 1:])
    steps[1:] = cv2.max(steps[1:], cv2.absdiff(grey[1:], grey[:-1]))
    height, width = grey.shape
    rows = steps.reshape(9, height // 9, width).max(axis=1)
    return np.asarray(rows.reshape(9, 16, width // 16).max(axis=2).ravel(), np.float32)


def _edges(grey: _Plane) -> _Plane:
    strength = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    return np.asarray(strength / (cv2.blur(strength, (15, 15)) + 8), np.float32)


def _likeness(first: _Plane, edges: _Plane, dx: int, dy: int) -> float:
    """Normalised correlation of what both show when `edges` is moved back by (dx, dy)."""
    height, width = first.shape
    a = first[max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)]
    b = edges[max(0, dy) : height - max(0, -dy), max(0, dx) : width - max(0, -dx)]
    if a.size < first.size // 4:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (np.sqrt((a * a).sum() * (b * b).sum()) + 1e-6))


def _hidden(first: _Plane, grey: _Plane, before: _Plane, edges: _Plane) -> tuple[bool, _Plane]:
    """Whether something hides much of the view, and where (0 or 1, pixel by pixel)."""
    had, has = _blocks(_roughness(first)).mean(axis=1), _blocks(_roughness(grey)).mean(axis=1)
    a, b = _blocks(before), _blocks(edges)
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    alike = (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1) + 1e-6)
    structured = had >= STRUCTURE
    lost = structured & (alike < LOST_LIKENESS) & (has < SMOOTH_SHARE * had)
    is_hidden = (
        structured.mean() >= STRUCTURED_SHARE and lost.sum() >= HIDDEN_SHARE * structured.sum()
    )
    return bool(is_hidden), _spread(lost)


def _roughness(grey: _Plane) -> _Plane:
    """Steps of log brightness between neighbours: the same in sun and shade."""
    log = np.log(grey + 16)
    steps = np.zeros_like(log)
    steps[:, 1:] = np.abs(np.diff(log, axis=1))
    steps[1:] = np.maximum(steps[1:], np.abs(np.diff(log, axis=0)))
    return steps


def _blocks(plane: _Plane) -> _Plane:
    """A row a block."""
    rows, columns = _HEIGHT // _BLOCK, _WIDTH // _BLOCK
    return plane.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2).reshape(rows * columns, -1)


def _spread(blocks: npt.NDArray[np.bool_]) -> _Plane:
    plane = blocks.reshape(_HEIGHT // _BLOCK, _WIDTH // _BLOCK).astype(np.float32)
    return np.repeat(np.repeat(plane, _BLOCK, axis=0), _BLOCK, axis=1)
