"""A picture fitted into a network's input, and boxes brought back from there."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.frame import Image
from edge.detect.manifest import Input


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
