"""When places were last seen clean, and what they looked like then, kept over a restart.

A time alone would not do: what stands there after the restart may have stood there long before,
unseen by the detector and without any change. Only where it differs from the picture that was kept
has something come since.
"""

import io
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.frame import Image

log = logging.getLogger(__name__)

QUICK = [cv2.IMWRITE_PNG_COMPRESSION, 1]


@dataclass(frozen=True, eq=False)
class KeptLooks:
    """`clean_at`: of each cell, seconds UTC, -inf for never; `picture`: how it looked (BGR)."""

    clean_at: NDArray[np.float64]
    picture: Image

    def save(self, path: Path) -> None:
        """Keep it, all or nothing; a disk that refuses costs no look."""
        data = io.BytesIO()
        coded = cv2.imencode(".png", self.picture, QUICK)[1]
        np.savez(data, clean_at=self.clean_at, picture=coded)
        part = path.with_suffix(".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data.getvalue())
            part.replace(path)
        except OSError as fault:
            log.warning("%s: clean looks could not be kept: %s", path, fault.strerror)


def kept_looks(path: Path, shape: tuple[int, int]) -> KeptLooks | None:
    """What an earlier run kept; None where there is nothing that holds."""
    try:
        with np.load(io.BytesIO(path.read_bytes())) as kept:
            clean_at, coded = kept["clean_at"], kept["picture"]
        picture = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, cv2.error) as fault:
        log.warning("%s: clean looks cannot be read, begun anew: %s", path, fault)
        return None
    if clean_at.shape != shape or picture is None:
        return None
    return KeptLooks(clean_at.astype(float), np.asarray(picture, np.uint8))
