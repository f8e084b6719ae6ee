"""Faces and plates covered in a picture that no camera of ours took: a terminal's photograph."""

import logging
import struct
from dataclasses import dataclass

import cv2
import numpy as np

from edge.detect.detectors import Detector, open_detector
from edge.detect.errors import BadModel
from edge.detect.evidence import jpeg
from edge.detect.faces import FaceFinder, open_finder
from edge.detect.mask import face_patches, masked, patches
from wire.media import HEAD, type_of

log = logging.getLogger(__name__)

FAINT = 0.12
MOST_PIXELS = 50_000_000
_WIDTH, _HEIGHT, _WORD = 256, 257, 3


@dataclass(frozen=True)
class _Eyes:
    detector: Detector
    finder: FaceFinder


class Cover:
    """Opens the models at the first picture: most devices with terminals never see one."""

    def __init__(self, model: str) -> None:
        """`model`: the detector of persons and vehicles, by name."""
        self._model = model
        self._eyes: _Eyes | None = None
        self._has_failed = False

    def cover(self, picture: bytes) -> bytes | None:
        """The picture as a JPEG with faces and plates covered; as it is where there are none.

        A TIFF becomes a JPEG in any case: browsers do not show it. None when it cannot be told what
        is in it: then nobody may see it.
        """
        is_tiff = type_of(picture[:HEAD]) == "image/tiff"
        if is_tiff and not 0 < tiff_pixels(picture) <= MOST_PIXELS:
            return None
        image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
        if image is None or (eyes := self._opened()) is None:
            return None
        seen = eyes.detector.detect(image, FAINT)  # type: ignore[arg-type]
        faces = eyes.finder.find(image)  # type: ignore[arg-type]
        covered = (*patches(seen, image.shape[1] / image.shape[0]), *face_patches(faces))
        if not covered and not is_tiff:
            return picture
        return jpeg(masked(image, covered))  # type: ignore[arg-type]

    def _opened(self) -> _Eyes | None:
        if self._eyes is None and not self._has_failed:
            try:
                self._eyes = _Eyes(open_detector(self._model), open_finder())
            except BadModel as fault:
                self._has_failed = True
                log.warning("photographs of terminals stay sealed: %s", fault)
        return self._eyes


def tiff_pixels(picture: bytes) -> int:
    """How large a TIFF says it is, before anything is unpacked; 0 where it does not say."""
    order = "<" if picture[:2] == b"II" else ">"
    sides: dict[int, int] = {}
    try:
        (place,) = struct.unpack_from(f"{order}I", picture, 4)
        (count,) = struct.unpack_from(f"{order}H", picture, place)
        for entry in range(place + 2, place + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", picture, entry)
            if tag in (_WIDTH, _HEIGHT):
                form = "H" if kind == _WORD else "I"
                (sides[tag],) = struct.unpack_from(order + form, picture, entry + 8)
    except struct.error:
        return 0
    return sides.get(_WIDTH, 0) * sides.get(_HEIGHT, 0)
