"""Faces and number plates made unreadable in what most people see.

Where a person or vehicle was seen, its head or its plates are covered whether they can be made out
or not: rather a patch too many than a face too few. A mosaic throws the detail away; a soft blur
only hides it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2

from edge.camera.frame import Image
from edge.detect.detection import Detection

VEHICLES = frozenset({"car", "bus", "truck", "motorcycle"})

HEAD_HEIGHT, HEAD_WIDTH, HEAD_MOST = 0.28, 0.8, 0.6
"""A head takes this part of a person's height, or of the width where legs are hidden; at most."""
HEAD_MARGIN = 0.12
PLATE_FROM, PLATE_MARGIN = 0.3, 0.03
"""Plates lie below this part of a vehicle's height."""
FACE_MARGIN = 0.35

HEAD_CELL, PLATE_CELL, FACE_CELL = 0.15, 0.06, 0.3
"""One tile of the mosaic, as a part of the box's width: two or three tiles a face, four a plate."""
LEAST_CELL_PX = 4


@dataclass(frozen=True)
class Patch:
    """A rectangle to cover; all in fractions of the picture, `cell` of its width."""

    x: float
    y: float
    w: float
    h: float
    cell: float


def patches(seen: Iterable[Detection], aspect: float) -> tuple[Patch, ...]:
    """Heads and plates of what was seen. `aspect`: width by height of the picture."""
    found = []
    for box in seen:
        if box.label == "person":
            found.append(_head(box, aspect))
        elif box.label in VEHICLES:
            found.append(_plates(box))
    return tuple(found)


def face_patches(faces: Iterable[Detection]) -> tuple[Patch, ...]:
    """Faces that were found as such."""
    return tuple(
        _grown((face.x, face.y, face.w, face.h), FACE_MARGIN, FACE_CELL * face.w) for face in faces
    )


def masked(image: Image, covered: Sequence[Patch]) -> Image:
    """A copy with every patch turned into a mosaic."""
    picture = image.copy()
    height, width = picture.shape[:2]
    for patch in covered:
        left, top = max(int(patch.x * width), 0), max(int(patch.y * height), 0)
        right = min(round((patch.x + patch.w) * width + 0.5), width)
        bottom = min(round((patch.y + patch.h) * height + 0.5), height)
        if right <= left or bottom <= top:
            continue
        cell = max(patch.cell * width, LEAST_CELL_PX)
        part = picture[top:bottom, left:right]
        tiles = max(round(part.shape[1] / cell), 1), max(round(part.shape[0] / cell), 1)
        small = cv2.resize(part, tiles, interpolation=cv2.INTER_AREA)
        picture[top:bottom, left:right] = cv2.resize(
            small, part.shape[1::-1], interpolation=cv2.INTER_NEAREST
        )
    return picture


def _head(box: Detection, aspect: float) -> Patch:
    by_width = HEAD_WIDTH * box.w * aspect
    height = min(max(HEAD_HEIGHT * box.h, by_width), HEAD_MOST * box.h)
    return _grown((box.x, box.y, box.w, height), HEAD_MARGIN, HEAD_CELL * box.w)


def _plates(box: Detection) -> Patch:
    top, height = box.y + PLATE_FROM * box.h, (1 - PLATE_FROM) * box.h
    return _grown((box.x, top, box.w, height), PLATE_MARGIN, PLATE_CELL * box.w)


def _grown(part: tuple[float, float, float, float], margin: float, cell: float) -> Patch:
    x, y, w, h = part
    return Patch(x - margin * w, y - margin * h, (1 + 2 * margin) * w, (1 + 2 * margin) * h, cell)
