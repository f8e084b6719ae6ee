"""A small picture of the whole: what motion, scene change and the camera's health are judged on."""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.frame import Image

LONGEST = 320
"""Pixels of the longer side; at 16:9 320 × 180."""

DOUBLE = 2 * LONGEST
"""What a thumbnail is best made from: two taps to this size, then an average."""

Grey = NDArray[np.uint8]


def thumbnail(image: Image) -> Image:
    """The picture at 320 pixels, BGR.

    First to twice that size by two taps, then averaged: as quiet as an area average of all
    pixels and a fifth of its price.
    """
    height, width = image.shape[:2]
    ratio = LONGEST / max(width, height)
    size = (max(round(width * ratio), 8), max(round(height * ratio), 8))
    if ratio < 1 / 2:
        double = (size[0] * 2, size[1] * 2)
        image = cv2.resize(image, double, interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def grey(picture: Image) -> Grey:
    """Its brightness alone."""
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)  # type: ignore[return-value]
