"""A picture with its time: what every source yields and every detector reads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from wire.status import CameraState

Image = npt.NDArray[np.uint8]


class Picture(Protocol):
    """A picture in the sizes that are asked for."""

    @property
    def width(self) -> int:
        """Pixels, upright."""
        ...

    @property
    def height(self) -> int:
        """Pixels, upright."""
        ...

    @property
    def image(self) -> Image:
        """The whole: height × width × 3, uint8, BGR."""
        ...

    def sized(self, longest: int) -> Image:
        """BGR, its longer side `longest` pixels, or the whole where that is less."""
        ...


class Whole:
    """A picture of which the whole is at hand."""

    def __init__(self, image: Image) -> None:
        """`image`: height × width × 3, uint8, BGR."""
        self.image = image
        self.height, self.width = image.shape[:2]

    def sized(self, longest: int) -> Image:
        """BGR, its longer side `longest` pixels, or the whole where that is less."""
        return shrunk(self.image, longest)


@dataclass(frozen=True)
class Frame:
    """One picture of a camera.

    `at`: UTC, when it was taken. `t_s`: seconds into the recording, or since the camera was first
    opened; it only grows, also when the clock is set. `index`: 0 for the first frame a source
    yields. `sight`: what the picture says of its camera: `ok` when it can be judged by, else why
    not; `moved` when it shows what no zone was drawn for.
    """

    picture: Picture
    at: datetime
    t_s: float
    index: int
    sight: CameraState = CameraState.OK

    @property
    def image(self) -> Image:
        """The whole picture: height × width × 3, uint8, BGR."""
        return self.picture.image

    @property
    def aspect(self) -> float:
        """Its width by its height."""
        return self.picture.width / self.picture.height


def fitted(width: int, height: int, longest: int) -> tuple[int, int]:
    """Width and height with the longer side at `longest`."""
    ratio = longest / max(width, height)
    return max(round(width * ratio), 1), max(round(height * ratio), 1)


def shrunk(image: Image, longest: int) -> Image:
    """A picture brought to `longest` pixels on its longer side; one that is smaller stays."""
    height, width = image.shape[:2]
    if longest >= max(width, height):
        return image
    size = fitted(width, height, longest)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
