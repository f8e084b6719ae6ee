"""The pictures that show an alert, and their SHA-256."""

import hashlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2

from edge.camera.frame import Image
from edge.detect.detection import Detection

QUALITY = 85
ALBUM_PICTURES, ALBUM_LEAST_S = 8, 20.0
RED, WHITE = (40, 40, 230), (255, 255, 255)


@dataclass(frozen=True)
class EvidenceFile:
    """One file, in memory; `sha256` is of `data`, 64 hex digits."""

    role: Literal["clean", "annotated", "before", "after"]
    type: Literal["image/jpeg"]
    data: bytes
    sha256: str


class Album:
    """Pictures of the last while, so that an alert can show what it was like before.

    `dwell_s`: the longest dwell of the camera's zones; the album reaches back twice as far.
    """

    def __init__(self, dwell_s: float) -> None:
        """Nothing yet."""
        self._every_s = max(ALBUM_LEAST_S, 2 * dwell_s / ALBUM_PICTURES)
        self._pictures: deque[tuple[float, bytes]] = deque(maxlen=ALBUM_PICTURES)

    def keep(self, image: Image, t_s: float) -> None:
        """Take in a picture, if the last one is old enough."""
        if not self._pictures or t_s - self._pictures[-1][0] >= self._every_s:
            self._pictures.append((t_s, jpeg(image)))

    def before(self, t_s: float) -> tuple[EvidenceFile, ...]:
        """The last picture from before that second, if there is one."""
        earlier = [data for at_s, data in self._pictures if at_s < t_s]
        return (_file("before", earlier[-1]),) if earlier else ()


def clean(image: Image, role: Literal["clean", "before", "after"] = "clean") -> EvidenceFile:
    """The picture as the camera gave it."""
    return _file(role, jpeg(image))


def annotated(image: Image, boxes: Sequence[Detection], caption: str) -> EvidenceFile:
    """The picture with its boxes drawn and a caption (what, where, when) in its corner."""
    return _file("annotated", jpeg(annotate(image, boxes, caption)))


def annotate(image: Image, boxes: Sequence[Detection], caption: str) -> Image:
    """A copy with rectangles, labels and caption; the first box is the alert itself."""
    picture = image.copy()
    height, width = picture.shape[:2]
    scale = max(max(width, height) / 1280, 0.4)
    for i, box in reversed(list(enumerate(boxes))):
        left, top = round(box.x * width), round(box.y * height)
        right, bottom = round((box.x + box.w) * width), round((box.y + box.h) * height)
        colour = RED if i == 0 else WHITE
        thickness = max(round(scale * (3 if i == 0 else 1.5)), 1)
        cv2.rectangle(picture, (left, top), (right, bottom), colour, thickness)
        _write(picture, f"{box.label} {box.score:.2f}", (left, top), scale * 0.6)
    _write(picture, caption, (0, height), scale * 0.6)
    return picture


def jpeg(image: Image) -> bytes:
    """Encode a picture (BGR)."""
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def _file(role: Literal["clean", "annotated", "before", "after"], data: bytes) -> EvidenceFile:
    return EvidenceFile(role, "image/jpeg", data, hashlib.sha256(data).hexdigest())


def _write(picture: Image, text: str, at: tuple[int, int], scale: float) -> None:
    """White on dark, its lower left corner at `at` or as near as the picture allows."""
    thickness = max(round(scale * 2), 1)
    (width, height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    left = min(max(at[0], 0), max(picture.shape[1] - width, 0))
    bottom = min(max(at[1], height + base), picture.shape[0])
    corner = (left + width, bottom - height - base)
    cv2.rectangle(picture, (left, bottom), corner, (30, 30, 30), cv2.FILLED)
    cv2.putText(
        picture, text, (left, bottom - base), cv2.FONT_HERSHEY_SIMPLEX, scale, WHITE, thickness,
        cv2.LINE_AA,
    )  # fmt: skip
