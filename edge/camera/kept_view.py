"""A camera's first view on disk: one that was turned while nobody watched is known as turned.

What it was is bound to the zones that were drawn on it: where they are drawn anew, the view is
another from then on.
"""

import hashlib
import io
import logging
import os
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from wire.zone import CameraSettings

log = logging.getLogger(__name__)

Plane = NDArray[np.float32]


class KeptView:
    """The view of one camera, in one small file."""

    def __init__(self, path: Path, settings: CameraSettings) -> None:
        """`settings`: what was drawn on it."""
        self._path = path
        self._drawn = drawn(settings)

    def load(self, shape: tuple[int, int]) -> tuple[Plane, float | None] | None:
        """Its grey levels and usual sharpness; None where there is none that holds."""
        try:
            with np.load(io.BytesIO(self._path.read_bytes())) as kept:
                grey, sharpness, of = kept["grey"], float(kept["sharpness"]), str(kept["drawn"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as fault:
            log.warning("%s: the view cannot be read, taken anew: %s", self._path, fault)
            return None
        if of != self._drawn or grey.shape != shape:
            return None
        return grey.astype(np.float32), None if np.isnan(sharpness) else sharpness

    def save(self, grey: Plane, sharpness: float | None) -> None:
        """Keep it; a disk that refuses costs no look."""
        data = io.BytesIO()
        usual = np.nan if sharpness is None else sharpness
        np.savez_compressed(data, grey=grey, sharpness=usual, drawn=self._drawn)
        part = self._path.with_suffix(".part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data.getvalue())
            part.replace(self._path)
        except OSError as fault:
            log.warning("%s: the view could not be kept: %s", self._path, fault.strerror)


def drawn(settings: CameraSettings) -> str:
    """What stands for all that is drawn on a picture: zones and ground points."""
    shapes = [(zone.id, zone.polygon) for zone in settings.zones]
    points = [point.model_dump() for point in settings.ground_points]
    return hashlib.sha256(repr((shapes, points)).encode()).hexdigest()
