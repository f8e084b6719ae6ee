"""A detector that says what a test tells it, and frames it can be told about."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.frame import Frame, Image, Whole
from edge.detect.detection import Detection
from edge.detect.moment import Moment

START = datetime(2026, 5, 6, 1, 0, tzinfo=UTC)


def moment(t_s: float) -> Moment:
    return Moment(START + timedelta(seconds=t_s), t_s)


def box(
    label: str, x: float, y: float, w: float = 0.1, h: float = 0.2, score: float = 0.8
) -> Detection:
    return Detection(label, score, x, y, w, h)


class Scripted:
    """`script`: from the number of the look at the whole to what is seen.

    `closer`: from what is seen in a look at the whole to what a closer look sees of it.
    """

    name = "scripted"
    labels = ("street_vending", "garbage", "illegal_structure", "person", "car", "umbrella")
    side = 640

    def __init__(
        self,
        script: Callable[[int], Sequence[Detection]],
        closer: Callable[[Detection], Detection | None] = lambda seen: seen,
    ) -> None:
        self.calls = self._wholes = 0
        self._script = script
        self._closer = closer
        self._whole = np.zeros((0, 0, 3), np.uint8)
        self._seen: Sequence[Detection] = []

    def detect(self, image: Image, least: float | None = None) -> list[Detection]:
        self.calls += 1
        if image.shape < self._whole.shape:
            return self._seen_closer(image)
        self._whole, self._seen = image, self._script(self._wholes)
        self._wholes += 1
        return sorted(self._seen, key=lambda d: -d.score)

    def _seen_closer(self, part: Image) -> list[Detection]:
        """What lies in a part of the picture, which is found again in it."""
        unlike = cv2.matchTemplate(self._whole, part, cv2.TM_SQDIFF)
        left, top = cv2.minMaxLoc(unlike)[2]
        (height, width), (down, across) = self._whole.shape[:2], part.shape[:2]
        closer = [seen for each in self._seen if (seen := self._closer(each))]
        return [
            Detection(
                each.label,
                each.score,
                (each.x * width - left) / across,
                (each.y * height - top) / down,
                each.w * width / across,
                each.h * height / down,
            )
            for each in closer
        ]

    def glance(self, image, part, least=None):
        return None

    def threshold(self, label: str) -> float:
        return 0.25


def street(seed: int = 3, size: tuple[int, int] = (640, 360)) -> Image:
    """A textured picture: paving, kerbs and walls of different greys, the same for a seed."""
    return _paved(seed, size).copy()


@lru_cache(16)
def _paved(seed: int, size: tuple[int, int]) -> Image:
    rng = np.random.default_rng(seed)
    picture = np.full((size[1], size[0], 3), 110, np.uint8)
    for _ in range(120):
        x, y = (int(v) for v in rng.integers(0, size))
        w, h = (int(v) for v in rng.integers(10, 90, 2))
        colour = [int(v) for v in rng.integers(60, 180) + rng.integers(-15, 15, 3)]
        cv2.rectangle(picture, (x, y), (x + w, y + h), colour, cv2.FILLED)
    return cv2.GaussianBlur(picture, (3, 3), 0)


def noisy(picture: Image, number: int, sigma: float = 2.0) -> Image:
    """As a sensor gives it; the same for a number."""
    return cv2.add(picture, _grain(picture.shape, number % 16, sigma), dtype=cv2.CV_8U)


@cache
def _grain(shape: tuple[int, ...], number: int, sigma: float) -> NDArray[np.int16]:
    rng = np.random.default_rng(number)
    noise = rng.normal(0, sigma, (shape[0] // 4, shape[1] // 4, 3)).astype(np.float32)
    return np.rint(cv2.resize(noise, shape[1::-1])).astype(np.int16)


def frames(
    seconds: float,
    look_s: float = 1.0,
    draw: Callable[[float], Image] | None = None,
    from_s: float = 0.0,
) -> Iterator[Frame]:
    """Frames `look_s` apart; `draw` makes the picture of a second."""
    still = street()
    for index in range(int(from_s / look_s), int(seconds / look_s)):
        t_s = index * look_s
        picture = draw(t_s) if draw else still
        yield Frame(Whole(noisy(picture, index)), START + timedelta(seconds=t_s), t_s, index)
