"""A decoded picture in the sizes that are asked for, each made once and only when it is wanted.

Turning 1080p into BGR and shrinking that three times costs more than what is then done with the
small pictures. So the decoder's planes are shrunk, and the whole becomes BGR for evidence only.
"""

from functools import cached_property, lru_cache

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.frame import Image, fitted, shrunk

_PLANAR = frozenset({"yuv420p", "yuvj420p"})
_BT709 = 1
_FULL_RANGE = 2


class DecodedPicture:
    """A picture as a decoder gave it; safe to use from several threads."""

    def __init__(self, frame: av.VideoFrame) -> None:
        """Nothing is converted yet."""
        self._frame = frame
        self._rotation_deg = frame.rotation
        is_turned = round(self._rotation_deg / 90) % 2 == 1
        self.width = frame.height if is_turned else frame.width
        self.height = frame.width if is_turned else frame.height
        self._sized: dict[int, Image] = {}

    @cached_property
    def image(self) -> Image:
        """The whole picture as it is meant to be seen, BGR."""
        return upright(self._frame.reformat(format="bgr24").to_ndarray(), self._rotation_deg)

    def sized(self, longest: int) -> Image:
        """BGR, its longer side `longest` pixels, or the whole where that is less."""
        if longest >= max(self.width, self.height):
            return self.image
        if longest not in self._sized:
            self._sized[longest] = self._made(longest)
        return self._sized[longest]

    def _made(self, longest: int) -> Image:
        frame = self._frame
        if frame.format.name not in _PLANAR:
            return shrunk(self.image, longest)
        size = fitted(frame.width, frame.height, longest)
        planes = [cv2.resize(_view(plane), size, interpolation=cv2.INTER_LINEAR)
                  for plane in frame.planes]  # fmt: skip
        is_full = frame.format.name == "yuvj420p" or int(frame.color_range) == _FULL_RANGE
        matrix = _to_bgr(is_709=int(frame.colorspace) == _BT709, is_full=is_full)
        return upright(cv2.transform(cv2.merge(planes), matrix), self._rotation_deg)


def upright(image: NDArray[np.generic], rotation_deg: int) -> Image:
    """The picture as it is meant to be seen."""
    turns = round(rotation_deg / 90) % 4
    pixels = np.asarray(image, np.uint8)
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def _view(plane: av.video.plane.VideoPlane) -> NDArray[np.uint8]:
    """A plane's pixels where the decoder left them."""
    pixels: NDArray[np.uint8] = np.frombuffer(plane, np.uint8)  # type: ignore[call-overload]
    return pixels.reshape(-1, plane.line_size)[: plane.height, : plane.width]


@lru_cache
def _to_bgr(*, is_709: bool, is_full: bool) -> NDArray[np.float32]:
    """Y, Cb, Cr and 1 → B, G, R (ITU-R BT.709 or BT.601, full range or 16 to 235)."""
    red, blue = (0.2126, 0.0722) if is_709 else (0.299, 0.114)
    green = 1 - red - blue
    y, c = (1.0, 1.0) if is_full else (255 / 219, 255 / 224)
    matrix = np.array([
        [y, 2 * (1 - blue) * c, 0],
        [y, -2 * blue * (1 - blue) / green * c, -2 * red * (1 - red) / green * c],
        [y, 0, 2 * (1 - red) * c],
    ])  # fmt: skip
    shift = matrix @ np.array([0 if is_full else 16, 128, 128])
    return np.asarray(np.c_[matrix, -shift], np.float32)
