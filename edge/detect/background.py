"""A fixed scene without what passes through it, and how a recent picture differs from it.

The recent picture is the median of five samples, so that what passes is not in it. It is compared
by structure, in the logarithm of brightness: there a change of light or exposure is an offset,
and a local correlation of structure does not feel it (the contrast-structure term of SSIM, Wang
et al. 2004). The hue is compared too, less what the whole picture did (white balance).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.frame import Image

SAMPLES = 5

WINDOW = 7
"""Pixels of a thumbnail over which structure is compared."""

NOISE = 0.004
"""Variance of log brightness below which there is no structure to compare: noise, asphalt."""

LIKE = 0.35
"""Below this likeness of structure (1 = the same) a pixel changed."""

FAINT_LIKE = 0.7
"""Below this it changed a little, as along the soft border of a shadow."""

HUE_STEP = 0.25
"""Above this change of a log colour ratio (about 28 %) a pixel changed; shadows stay below."""

DARK = 16.0
"""Grey levels added before the logarithm, so that noise in the dark is not blown up."""

LOGS = np.log(np.arange(256, dtype=np.float32) + np.float32(DARK))
"""Of every grey level."""

STEADY_STEP = 20
STEADY_SAMPLES = 4
"""A pixel is steady when so many samples lie within so many grey levels of their median."""

SURE_SHIFT = 0.15
"""Response of the phase correlation; views of two places stay below 0.1."""

Plane = NDArray[np.float32]
Mask = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Scene:
    """What is compared of a picture: log brightness, and two log colour ratios, smoothed."""

    picture: Image
    light: Plane
    hue: Plane


@dataclass(frozen=True, eq=False)
class Difference:
    """Where two scenes differ, surely or at least faintly (0 or 1), and in what.

    `likeness`: of structure, 1 = the same. `light`, `hue`: steps of the logarithms, less those of
    the whole picture.
    """

    changed: Mask
    faintly: Mask
    likeness: Plane
    light: Plane
    hue: Plane


def scene_of(picture: Image) -> Scene:
    """Prepare a picture (BGR) for comparison."""
    blue, green, red = (cv2.LUT(each, LOGS) for each in cv2.split(cv2.blur(picture, (3, 3))))
    hue = cv2.blur(cv2.merge([blue - green, red - green]), (3, 3))
    light = cv2.LUT(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), LOGS)
    return Scene(picture, np.asarray(light, np.float32), np.asarray(hue, np.float32))


def difference(recent: Scene, background: Scene) -> Difference:
    """Compare two scenes of one size."""
    likeness = _likeness(recent.light, background.light)
    light = recent.light - background.light
    hue = _hue_step(recent, background)
    changed, faintly = (
        ((likeness < least) | (hue > HUE_STEP)).astype(np.uint8) for least in (LIKE, FAINT_LIKE)
    )
    return Difference(changed, faintly, likeness, light - np.median(light[::4, ::4]), hue)


def median(samples: Sequence[Image]) -> Image:
    """Of five pictures, pixel by pixel, by the smallest network of minima and maxima."""
    a, b, c, d, e = samples
    low = np.maximum(np.minimum(a, b), np.minimum(c, d))
    high = np.minimum(np.maximum(a, b), np.maximum(c, d))
    return np.maximum(np.minimum(low, high), np.minimum(np.maximum(low, high), e))


def steady(samples: Sequence[Image], middle: Image) -> Mask:
    """1 where nothing but the odd passer-by changed over the samples."""
    near = np.zeros(middle.shape[:2], np.uint8)
    for sample in samples:
        blue, green, red = cv2.split(cv2.blur(cv2.absdiff(sample, middle), (3, 3)))
        near += np.asarray(cv2.max(cv2.max(blue, green), red)) <= STEADY_STEP
    return (near >= STEADY_SAMPLES).astype(np.uint8)


def mixed(background: Scene, recent: Scene, share: Plane) -> Scene:
    """The background moved towards the recent scene, pixel by pixel, by `share` (0 to 1)."""

    def towards(before: NDArray[Any], after: NDArray[Any]) -> Any:
        step = cv2.subtract(after, before, dtype=cv2.CV_32F)
        depth = cv2.CV_8U if before.dtype == np.uint8 else cv2.CV_32F
        return cv2.add(before, cv2.multiply(step, share), dtype=depth)

    picture, hue = (
        cv2.merge([towards(b, a) for b, a in zip(cv2.split(old), cv2.split(new), strict=True)])
        for old, new in ((background.picture, recent.picture), (background.hue, recent.hue))
    )
    light = towards(background.light, recent.light)
    return Scene(np.asarray(picture), np.asarray(light), np.asarray(hue))


def shift(before: Scene, after: Scene) -> tuple[float, float] | None:
    """How far the camera was turned: right and down, fractions of the picture; None if unsure.

    Phase correlation of the edges (Kuglin & Hines 1975).
    """
    height, width = before.light.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (right, down), response = cv2.phaseCorrelate(_edges(before.light), _edges(after.light), window)
    if response < SURE_SHIFT:
        return None
    return right / width, down / height


def _edges(light: Plane) -> Plane:
    across, down = cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _likeness(a: Plane, b: Plane) -> Plane:
    window = (WINDOW, WINDOW)
    mean_a, mean_b = cv2.blur(a, window), cv2.blur(b, window)
    var_a = cv2.blur(a * a, window) - mean_a * mean_a
    var_b = cv2.blur(b * b, window) - mean_b * mean_b
    covariance = cv2.blur(a * b, window) - mean_a * mean_b
    return np.asarray((2 * covariance + NOISE) / (var_a + var_b + NOISE), np.float32)


def _hue_step(recent: Scene, background: Scene) -> Plane:
    steps = [
        np.abs(step - np.float32(np.median(step[::4, ::4])))
        for step in cv2.split(cv2.subtract(recent.hue, background.hue))
    ]
    return np.asarray(np.maximum(*steps), np.float32)
