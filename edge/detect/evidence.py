"""The files that show an alert: pictures for everybody, and the originals they were made from."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import cv2

from edge.camera.frame import Image
from edge.detect.detection import Detection

QUALITY = 85
RED, WHITE = (40, 40, 230), (255, 255, 255)

Role = Literal["clean", "annotated", "before", "after", "clip"]


@dataclass(frozen=True)
class EvidenceFile:
    """One file, in memory.

    `at`: when it was taken. `sealed`: it shows faces and plates as they are. `original`: the
    SHA-256 of the sealed file that this one was made from. `sha256`: of `data`, 64 hex digits.
    """

    role: Role
    type: Literal["image/jpeg", "video/mp4"]
    data: bytes
    at: datetime
    sealed: bool = False
    original: str | None = None
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        """Hash the bytes once."""
        object.__setattr__(self, "sha256", hashlib.sha256(self.data).hexdigest())


Develop = Callable[[], tuple[EvidenceFile, ...]]
"""Makes files when there is time: faces are looked for and pictures coded, a tenth of a second."""


def annotated(
    image: Image,
    boxes: Sequence[Detection],
    caption: str,
    at: datetime,
    original: str | None = None,
) -> EvidenceFile:
    """The picture with its boxes drawn and a caption (what, where, when) in its corner.

    `image` has its faces covered already; `original` names what it was made from.
    """
    drawn = jpeg(annotate(image, boxes, caption))
    return EvidenceFile("annotated", "image/jpeg", drawn, at, original=original)


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
        write(picture, f"{box.label} {box.score:.2f}", (left, top), scale * 0.6)
    write(picture, caption, (0, height), scale * 0.6)
    return picture


def jpeg(image: Image, quality: int = QUALITY) -> bytes:
    """Encode a picture (BGR)."""
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def write(picture: Image, text: str, at: tuple[int, int], scale: float) -> None:
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
