"""Training canvases: pictures thrown onto a 16:9 sheet in many sizes, places and lights.

A street camera's frame is 16:9, so the net learns on sheets of that shape: one picture large, or a
mosaic of two to four small ones, where a stall is as small as a camera would see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np

from edge.camera.frame import Image
from training.dataset import Boxes

PAD = 114
LEAST_VISIBLE = 0.35
"""Share of a box that must stay on the sheet for it to be taught still."""

LEAST_SIDE = 3
"""Pixels; nothing smaller is taught."""

Window: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the sheet."""


@dataclass(frozen=True)
class Shape:
    """Size of a sheet in pixels."""

    height: int
    width: int


def compose(
    samples: Sequence[tuple[Image, Boxes]], shape: Shape, rng: np.random.Generator
) -> tuple[Image, Boxes]:
    """Lay one picture, or two to four as a mosaic, on one sheet; boxes follow."""
    sheet = np.full((shape.height, shape.width, 3), PAD, np.uint8)
    boxes = []
    for sample, cell in zip(samples, _cells(len(samples), shape, rng), strict=True):
        low, high = (0.45, 1.5) if len(samples) == 1 else (0.8, 2.0)
        boxes.append(_place(sheet, sample, cell, rng.uniform(low, high), rng))
    merged = np.concatenate(boxes) if boxes else np.zeros((0, 5), np.float32)
    return light(sheet, rng), merged


def light(image: Image, rng: np.random.Generator) -> Image:
    """Another hour, another lens: hue, saturation, brightness, blur, coarse JPEG."""
    gains = 1 + rng.uniform(-1, 1, 3) * (0.015, 0.6, 0.45)
    hue, saturation, value = cv2.split(cv2.cvtColor(image, cv2.COLOR_BGR2HSV))
    steps = np.arange(256)
    hue = cv2.LUT(hue, ((steps * gains[0]) % 180).astype(np.uint8))
    saturation = cv2.LUT(saturation, np.clip(steps * gains[1], 0, 255).astype(np.uint8))
    value = cv2.LUT(value, np.clip(steps * gains[2], 0, 255).astype(np.uint8))
    merged = cv2.merge((hue, saturation, value))
    image = np.asarray(cv2.cvtColor(merged, cv2.COLOR_HSV2BGR), np.uint8)
    if rng.random() < 0.2:
        image = _dim(image, rng)
    if rng.random() < 0.25:
        image = _soft(image, rng)
    if rng.random() < 0.15:
        noise = rng.normal(0, rng.uniform(2, 9), image.shape[:2]).astype(np.int16)
        image = np.clip(image + noise[..., None], 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        image = _coarse(image, int(rng.integers(25, 70)))
    if rng.random() < 0.05:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        image = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    return image


def _dim(image: Image, rng: np.random.Generator) -> Image:
    """Dusk and night, or a glare: another gamma."""
    curve = 255 * (np.arange(256) / 255) ** rng.uniform(0.6, 2.2)
    return np.asarray(cv2.LUT(image, curve.astype(np.uint8)), np.uint8)


def _soft(image: Image, rng: np.random.Generator) -> Image:
    """A lens out of focus, or a picture scaled up from a smaller stream."""
    if rng.random() < 0.4:
        return np.asarray(cv2.GaussianBlur(image, (3, 3), 0), np.uint8)
    height, width = image.shape[:2]
    share = rng.uniform(0.4, 0.85)
    small = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height)), np.uint8)


def _coarse(image: Image, quality: int) -> Image:
    """What a camera's own compression leaves of the picture."""
    coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def _cells(count: int, shape: Shape, rng: np.random.Generator) -> list[Window]:
    x = int(shape.width * rng.uniform(0.35, 0.65))
    y = int(shape.height * rng.uniform(0.35, 0.65))
    w, h = shape.width, shape.height
    return {
        1: [(0, 0, w, h)],
        2: [(0, 0, x, h), (x, 0, w, h)],
        3: [(0, 0, x, h), (x, 0, w, y), (x, y, w, h)],
        4: [(0, 0, x, y), (x, 0, w, y), (0, y, x, h), (x, y, w, h)],
    }[count]


def _place(
    sheet: Image, sample: tuple[Image, Boxes], cell: Window, zoom: float, rng: np.random.Generator
) -> Boxes:
    """Draw the picture, mirrored half the time, at ``zoom`` times the size that just fits."""
    image, boxes = sample
    left, top, right, bottom = cell
    height, width = image.shape[:2]
    scale = zoom * min((right - left) / width, (bottom - top) / height)
    new_w, new_h = max(1, round(width * scale)), max(1, round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    drawn = np.asarray(cv2.resize(image, (new_w, new_h), interpolation=way), np.uint8)
    centres = boxes[:, 1:3].copy()
    if rng.random() < 0.5:
        drawn = drawn[:, ::-1]
        centres[:, 0] = 1 - centres[:, 0]
    at_x, at_y = _offset(left, right, new_w, rng), _offset(top, bottom, new_h, rng)
    x0, y0 = max(left, at_x), max(top, at_y)
    x1, y1 = min(right, at_x + new_w), min(bottom, at_y + new_h)
    sheet[y0:y1, x0:x1] = drawn[y0 - at_y : y1 - at_y, x0 - at_x : x1 - at_x]
    size = np.array([new_w, new_h], np.float32)
    corner = np.array([at_x, at_y], np.float32)
    middle, half = centres * size + corner, boxes[:, 3:5] * size * np.float32(0.5)
    window = (x0, y0, x1, y1)
    return _clipped(boxes[:, :1], middle - half, middle + half, window) / _unit(sheet)


def _offset(start: int, stop: int, size: int, rng: np.random.Generator) -> int:
    slack = stop - start - size
    return start + int(rng.integers(min(slack, 0), max(slack, 0) + 1))


def _clipped(labels: Boxes, low: Boxes, high: Boxes, window: Window) -> Boxes:
    """Boxes by their corners, cut to the window, in pixels; too little left of one drops it."""
    x0, y0, x1, y1 = window
    whole = np.prod(high - low, axis=1)
    low, high = np.clip(low, (x0, y0), (x1, y1)), np.clip(high, (x0, y0), (x1, y1))
    sides = high - low
    keep = (np.prod(sides, axis=1) >= LEAST_VISIBLE * whole) & (sides.min(axis=1) >= LEAST_SIDE)
    rows = np.concatenate([labels, (low + high) / 2, sides], axis=1)
    return np.asarray(rows[keep], np.float32)


def _unit(sheet: Image) -> Boxes:
    height, width = sheet.shape[:2]
    return np.array([1, width, height, width, height], np.float32)
