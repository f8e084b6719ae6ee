"""A picture fitted into a network's input, and boxes brought back from there."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.frame import Image
from edge.detect.detection import Part
from edge.detect.manifest import Input

EDGE_PIXELS = 2
"""A box that comes so near to an edge of a part is taken for cut."""


@dataclass(frozen=True)
class Window:
    """A part of an input, in its pixels."""

    left: int
    top: int
    right: int
    bottom: int

    def cut(self, blob: NDArray[np.float32]) -> NDArray[np.float32]:
        """That part of an input."""
        part = blob[:, :, self.top : self.bottom, self.left : self.right]
        return np.ascontiguousarray(part)

    def cuts(self, boxes: NDArray[np.float32], box: "Letterbox") -> NDArray[np.bool_]:
        """N: whether an edge of the part that is none of the picture cuts a box.

        `boxes`: N × 4 centre x, y, width, height in input pixels.
        """
        x, y, w, h = boxes.T
        inner = (self.left > 0, self.top > 0, self.right < box.input_width,
                 self.bottom < box.input_height)  # fmt: skip
        gaps = (x - w / 2 - self.left, y - h / 2 - self.top,
                self.right - x - w / 2, self.bottom - y - h / 2)  # fmt: skip
        near = [is_inner & (gap < EDGE_PIXELS) for is_inner, gap in zip(inner, gaps, strict=True)]
        return np.asarray(np.logical_or.reduce(near), bool)


@dataclass(frozen=True)
class Letterbox:
    """How a picture of `width` × `height` pixels lies in an input: scaled, then moved."""

    width: int
    height: int
    input_width: int
    input_height: int
    ratio: float
    left: int
    top: int

    def blob(self, image: Image, spec: Input) -> NDArray[np.float32]:
        """The network's input, 1 × 3 × height × width."""
        inner = (max(round(self.width * self.ratio), 1), max(round(self.height * self.ratio), 1))
        if image.shape[1::-1] != inner:
            image = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
        planes = cv2.split(image)
        scale, pad = np.float32(spec.scale), np.float32(spec.pad * spec.scale)
        blob = np.empty((1, 3, self.input_height, self.input_width), np.float32)
        right, bottom = self.left + inner[0], self.top + inner[1]
        blob[:, :, : self.top], blob[:, :, bottom:] = pad, pad
        blob[..., : self.left], blob[..., right:] = pad, pad
        for channel, plane in enumerate(planes[::-1] if spec.colour == "rgb" else planes):
            inside = blob[0, channel, self.top : bottom, self.left : right]
            np.multiply(plane, scale, out=inside, dtype=np.float32)
        return blob

    def window(self, part: Part, stride: int, steps: int = 0) -> Window:
        """The part of the input that shows a part of the picture, filled up to whole strides.

        `steps`: how many sizes a side may have; 0 for any.
        """
        across, down = self.ratio * self.width, self.ratio * self.height
        left, right = _filled_up(
            self.left + part[0] * across, self.left + part[2] * across,
            self.input_width, _grain(self.input_width, stride, steps),
        )  # fmt: skip
        top, bottom = _filled_up(
            self.top + part[1] * down, self.top + part[3] * down,
            self.input_height, _grain(self.input_height, stride, steps),
        )  # fmt: skip
        return Window(left, top, right, bottom)

    def fractions(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """N × 4 centre x, y, width, height in input pixels → left, top, right, bottom, 0 to 1."""
        x, y, w, h = boxes.T
        corners = np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=1)
        corners -= np.array([self.left, self.top, self.left, self.top], np.float32)
        corners /= self.ratio * np.array([self.width, self.height] * 2, np.float32)
        return np.asarray(np.clip(corners, 0, 1), np.float32)


def letterbox(
    width: int, height: int, spec: Input, fixed: tuple[int | None, int | None] = (None, None)
) -> Letterbox:
    """Fit a picture into the input; `fixed`: the graph's own height and width, where it has any."""
    ratio = spec.longest_side / max(width, height)
    if fixed[0]:
        ratio = min(ratio, fixed[0] / height)
    if fixed[1]:
        ratio = min(ratio, fixed[1] / width)
    inner_width, inner_height = max(round(width * ratio), 1), max(round(height * ratio), 1)
    input_height = fixed[0] or _up_to_multiple(inner_height, spec.stride)
    input_width = fixed[1] or _up_to_multiple(inner_width, spec.stride)
    centred = spec.letterbox == "centre"
    return Letterbox(
        width=width,
        height=height,
        input_width=input_width,
        input_height=input_height,
        ratio=ratio,
        left=(input_width - inner_width) // 2 if centred else 0,
        top=(input_height - inner_height) // 2 if centred else 0,
    )


def _up_to_multiple(length: int, stride: int) -> int:
    return -(-length // stride) * stride


def _grain(length: int, stride: int, steps: int) -> int:
    return _up_to_multiple(math.ceil(length / steps), stride) if steps else stride


def _filled_up(start: float, end: float, length: int, grain: int) -> tuple[int, int]:
    """A span brought to a multiple of the grain, evenly at both ends and within the length."""
    size = min(_up_to_multiple(math.ceil(end) - math.floor(start), grain), length)
    first = math.floor(start) - (size - (math.ceil(end) - math.floor(start))) // 2
    first = min(max(first, 0), length - size)
    return first, first + size
