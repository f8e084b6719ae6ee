"""How much rectangles have in common, each with each."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.detect.detection import Detection

TOUCH = 0.25
"""Pieces less than this part of their size apart belong together."""

NESTED_SIZES = 4
"""A box lying in one more than so many times its size is not taken for that one."""

GRID = 16

Table = NDArray[np.float64]


def corners(boxes: Sequence[Detection]) -> Table:
    """N × 4: left, top, right, bottom, fractions of the picture."""
    return np.array([(b.x, b.y, b.x + b.w, b.y + b.h) for b in boxes], float).reshape(-1, 4)


def alike(a: Sequence[str], b: Sequence[str]) -> NDArray[np.bool_]:
    """N × M: whether the words are the same."""
    numbers = {word: number for number, word in enumerate(dict.fromkeys((*a, *b)))}
    mine = np.array([numbers[word] for word in a], int)
    theirs = np.array([numbers[word] for word in b], int)
    return np.asarray(mine[:, None] == theirs[None], bool)


def shared_areas(a: Table, b: Table) -> Table:
    """N × M: the area that each of `a` has in common with each of `b` (both as corners)."""
    sides = [
        np.minimum(a[:, None, k + 2], b[None, :, k + 2]) - np.maximum(a[:, None, k], b[None, :, k])
        for k in (0, 1)
    ]
    return np.asarray(np.maximum(sides[0], 0) * np.maximum(sides[1], 0), float)


def areas(a: Table) -> Table:
    """N: fractions of the picture."""
    sides = np.maximum(a[:, 2:] - a[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1], float)


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
    """The share of `box` that lies under the rectangles `by`, 0 to 1; by 16 × 16 points of it."""
    if box.area <= 0:
        return 0.0
    rows = [0] * GRID
    for each in by:
        left, right = _covered_points(box.x, box.w, each.x, each.w)
        top, bottom = _covered_points(box.y, box.h, each.y, each.h)
        if left < right and top < bottom:
            columns = (1 << right) - (1 << left)
            for row in range(top, bottom):
                rows[row] |= columns
    return sum(row.bit_count() for row in rows) / GRID**2


def _covered_points(start: float, length: float, other: float, reach: float) -> tuple[int, int]:
    """Of the middles of `GRID` equal parts, the first in the other span and the first beyond it."""
    first = math.ceil((other - start) / length * GRID - 0.5)
    last = math.floor((other + reach - start) / length * GRID - 0.5)
    return max(first, 0), min(last + 1, GRID)


def best_of_each(boxes: Sequence[Detection], same_iou: float) -> list[Detection]:
    """Of boxes that overlap by `same_iou` or more the first; they come best first."""
    if len(boxes) < 2:
        return list(boxes)
    table = corners(boxes)
    same = ious(table, table) >= same_iou
    kept: list[int] = []
    for number in range(len(boxes)):
        if not same[number, kept].any():
            kept.append(number)
    return [boxes[number] for number in kept]


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
