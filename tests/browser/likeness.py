"""Whether two pictures of a page show the same, whichever way their letters were drawn.

Both are seen from a distance: at half size, softened, patch by patch, and each patch may lie a few
pixels beside where it was. What is left between them, from 0 to 255 of the strongest colour, is
near nothing for other smoothing or hinting of the same letters, and is much where something was
added, dropped, recoloured or moved farther than that.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.float32]

SOFT_PX = 1.2
PATCH_PX = 12
AWAY_PX = 2
"""All in pixels of the half size: a patch is 24 pixels of the page and may lie 4 beside."""
LIMIT = 16.0
"""Above this a patch differs. See `docs/decisions/0027-pictures-compared.md` for what was tried."""


def seen(picture: Image.Image) -> Picture:
    """A picture from a distance."""
    whole = np.asarray(picture.convert("RGB"), dtype=np.float32)
    half = cv2.resize(whole, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(half, (0, 0), SOFT_PX), dtype=np.float32)


def differences(reference: Image.Image, other: Image.Image) -> Picture:
    """How much each patch differs, at half size. The pictures must be of one size."""
    known, found = seen(reference), seen(other)
    return np.maximum(_unlike(known, found), _unlike(found, known))


def _unlike(known: Picture, found: Picture) -> Picture:
    around = cv2.copyMakeBorder(found, *(AWAY_PX,) * 4, cv2.BORDER_REPLICATE)
    height, width = known.shape[:2]
    least = np.full((height, width), np.inf, np.float32)
    for down in range(2 * AWAY_PX + 1):
        for right in range(2 * AWAY_PX + 1):
            beside = around[down : down + height, right : right + width]
            gap = np.abs(known - beside).max(axis=2)
            np.minimum(least, cv2.blur(gap, (PATCH_PX, PATCH_PX)), out=least)
    return least


def marked(other: Image.Image, found: Picture) -> Image.Image:
    """The picture, pale, with what differs in red."""
    grey = np.asarray(other.convert("L").convert("RGB"), dtype=np.float32) * 0.4 + 150
    size = (other.width, other.height)
    where = cv2.resize(found, size, interpolation=cv2.INTER_NEAREST) > LIMIT
    grey[where] = grey[where] * 0.4 + np.array([200, 0, 0], np.float32) * 0.6
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))
