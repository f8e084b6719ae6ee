"""The visible mark 示意画面 GENERATED that every frame carries; drawn without a Chinese font."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.texture import Picture

LATIN = "GENERATED"
CELL, ENLARGED = 13, 4
Line = tuple[tuple[float, float], ...]


def _rectangle(left: float, top: float, right: float, low: float) -> Line:
    return ((left, top), (right, top), (right, low), (left, low), (left, top))


STROKES: tuple[tuple[Line, ...], ...] = (
    (
        ((2, 1.5), (10, 1.5)),
        ((0.5, 4.5), (11.5, 4.5)),
        ((6, 4.5), (6, 11)),
        ((3, 6.5), (1, 10)),
        ((9, 6.5), (11, 10)),
    ),
    (
        ((6, 0), (6, 1.2)),
        ((1.5, 1.6), (10.5, 1.6)),
        ((4, 2.4), (4.4, 3.6)),
        ((8, 2.4), (7.6, 3.6)),
        ((0.5, 4.2), (11.5, 4.2)),
        _rectangle(3, 5.4, 9, 8.8),
        ((3, 7.1), (9, 7.1)),
        ((1.8, 9.6), (0.8, 11.6)),
        ((3.8, 9.6), (3.8, 11.6), (8.2, 11.6), (8.2, 10.6)),
        ((5.8, 9.4), (6.4, 10.4)),
        ((10, 9.6), (11.2, 11.2)),
    ),
    (
        ((0.8, 0.8), (11.2, 0.8)),
        _rectangle(3.4, 2.8, 8.6, 8.6),
        ((6, 0.8), (6, 8.6)),
        ((3.4, 5.7), (8.6, 5.7)),
        ((0.8, 3.6), (0.8, 11.2), (11.2, 11.2), (11.2, 3.6)),
    ),
    (
        ((0.5, 0.8), (11.5, 0.8)),
        ((6, 0.8), (5, 3.2)),
        _rectangle(1.2, 3.2, 10.8, 11.4),
        ((4.4, 3.2), (4.4, 11.4)),
        ((7.6, 3.2), (7.6, 11.4)),
        ((4.4, 5.8), (7.6, 5.8)),
        ((4.4, 8.5), (7.6, 8.5)),
    ),
)
"""示 意 画 面 on a 12 x 12 grid."""


@lru_cache(maxsize=8)
def _lettering(width: int) -> tuple[Picture, Picture]:
    """The white letters and their dark rim as alpha, for a picture `width` pixels wide."""
    unit = max(1.0, width / 640) * ENLARGED
    size = (int(unit * (4.4 * CELL + 78)), int(unit * (CELL + 5)))
    letters = np.zeros(size[::-1], np.uint8)
    for index, sign in enumerate(STROKES):
        origin = np.array([2.5 + index * CELL * 1.06, 2.5])
        for line in sign:
            points = np.round((origin + np.array(line)) * unit * 16).astype(np.int32)
            cv2.polylines(letters, [points], False, 255, max(1, round(unit * 1.05)), cv2.LINE_AA, 4)
    place = (int(unit * (4.3 * CELL + 4)), int(unit * (CELL - 0.5)))
    scale = unit * 0.4
    cv2.putText(
        letters, LATIN, place, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, round(unit), cv2.LINE_AA
    )
    rim = cv2.dilate(letters, np.ones((ENLARGED + 3, ENLARGED + 3)))
    small = (size[0] // ENLARGED, size[1] // ENLARGED)
    white, dark = (cv2.resize(part, small, interpolation=cv2.INTER_AREA) for part in (letters, rim))
    return white[..., None] / np.float32(255), dark[..., None] / np.float32(255)


def mark(frame: NDArray[np.uint8], corner: int = 0) -> NDArray[np.uint8]:
    """Write the mark into a corner, in place: 0 lower right, then clockwise."""
    white, dark = _lettering(frame.shape[1])
    height, width = min(white.shape[0], frame.shape[0]), min(white.shape[1], frame.shape[1])
    rows = slice(frame.shape[0] - height, None) if corner in {0, 1} else slice(0, height)
    cols = slice(frame.shape[1] - width, None) if corner in {0, 3} else slice(0, width)
    window = frame[rows, cols]
    light, rim = white[:height, :width], dark[:height, :width]
    window[:] = (window * (1 - 0.75 * rim) * (1 - light) + 240 * light).astype(np.uint8)
    return frame
