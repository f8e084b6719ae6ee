"""How much rectangles have in common, each with each."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.detect.detection import Detection

TOUCH = 0.25
"""Pieces less than this part of their size apart belong together."""

Table = NDArray[np.float64]


def corners(boxes: Sequence[Detection]) -> Table:
    """N × 4: left, top, right, bottom, fractions of the picture."""
    return np.array([(b.x, b.y, b.x + b.w, b.y + b.h) for b in boxes], float).reshape(-1, 4)


def shared_areas(a: Table, b: Table) -> Table:
    """N × M: the area that each of `a` has in common with each of `b` (both as corners)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.asarray(np.prod(np.maximum(high - low, 0), axis=2), float)


def areas(a: Table) -> Table:
    """N: fractions of the picture."""
    return np.asarray(np.prod(np.maximum(a[:, 2:] - a[:, :2], 0), axis=1), float)


def ious(a: Table, b: Table) -> Table:
    """N × M: intersection over union."""
    shared = shared_areas(a, b)
    union = areas(a)[:, None] + areas(b)[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def nestings(a: Table, b: Table) -> Table:
    """N × M: the common area as a share of the smaller of the two; 1 = one lies in the other."""
    shared = shared_areas(a, b)
    smaller = np.minimum(areas(a)[:, None], areas(b)[None, :])
    return np.divide(shared, smaller, out=np.zeros_like(shared), where=smaller > 0)


def covered_share(box: Detection, by: Sequence[Detection]) -> float:
    """The share of `box` that lies under the rectangles `by`, 0 to 1."""
    if not by or box.area <= 0:
        return 0.0
    grid = 16
    xs = box.x + box.w * (np.arange(grid) + 0.5) / grid
    ys = box.y + box.h * (np.arange(grid) + 0.5) / grid
    under = np.zeros((grid, grid), bool)
    for left, top, right, bottom in corners(by):
        under |= ((ys >= top) & (ys <= bottom))[:, None] & ((xs >= left) & (xs <= right))[None, :]
    return float(under.mean())


def union(boxes: Sequence[Detection], label: str, score: float) -> Detection:
    """The smallest rectangle around all of them."""
    table = corners(boxes)
    left, top = (float(v) for v in table[:, :2].min(axis=0))
    right, bottom = (float(v) for v in table[:, 2:].max(axis=0))
    return Detection(label, score, left, top, right - left, bottom - top)


def touch(a: Detection, b: Detection) -> bool:
    """Whether the gap between two rectangles is small beside the larger of them."""
    gap = max(a.x - b.x - b.w, b.x - a.x - a.w, a.y - b.y - b.h, b.y - a.y - a.h)
    return gap <= TOUCH * max(a.w, a.h, b.w, b.h)
