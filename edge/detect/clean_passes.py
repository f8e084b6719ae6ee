"""Where the camera of a vehicle passed and nothing lay: the last clean pass of every spot of road.

The road is kept in squares of a few metres, each with the last two passes that showed it clean. A
thing seen there, however briefly, takes that pass back: it was not clean. Kept on disk, since a
patrol passes a street once a day.
"""

import io
import logging
import math
from collections.abc import Iterable
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from edge.moving import EARTH_RADIUS_M

log = logging.getLogger(__name__)

SQUARE_M = 5.0
PASS_GAP_S = 300.0
"""Looks further apart are two passes."""

NEAR_M = 15.0
"""As far as two sightings of one heap may lie apart."""

KEPT_S = 14 * 86_400.0
MOST = 150_000
"""Squares, of some 200 km of road: 4 MB on disk."""

LEAST_SHARE, CLEAN_SHARE = 0.5, 0.8
"""Of the squares around a place: how many must be known, and how many clean by the time told."""

_FILE = "passes.npz"
Square = tuple[int, int]
_METRES_PER_DEGREE = math.radians(1) * EARTH_RADIUS_M


class CleanPasses:
    """Of one camera; seconds are UTC. `folder`: keeps them over restarts."""

    def __init__(self, folder: Path | None = None) -> None:
        """Take up what an earlier run left in `folder`."""
        self._folder = folder
        self._passes: dict[Square, tuple[float, float]] = {}
        self._kept_s = -math.inf
        self._restore()

    def take(self, spots: Iterable[tuple[float, float]], at_s: float) -> None:
        """These spots (latitude, longitude) were seen clean."""
        for square in {_square(*spot) for spot in spots}:
            last_s, before_s = self._passes.get(square, (-math.inf, -math.inf))
            if at_s - last_s > PASS_GAP_S:
                before_s = last_s
            self._passes[square] = (max(at_s, last_s), before_s)
        if at_s - self._kept_s > PASS_GAP_S:
            self.keep(at_s)

    def before(self, lat: float, lon: float, at_s: float) -> float | None:
        """The last pass before the one at `at_s` that showed a place clean; None for none."""
        around = _around(lat, lon, SQUARE_M)
        known = []
        for square in around:
            passes = self._passes.get(square, ())
            earlier = [each for each in passes if each < at_s - PASS_GAP_S]
            known += [max(earlier)] if earlier and max(earlier) > -math.inf else []
        if len(known) < LEAST_SHARE * len(around):
            return None
        return sorted(known)[int((1 - CLEAN_SHARE) * len(known))]

    def spoil(self, lat: float, lon: float, at_s: float) -> None:
        """Something lay there in the pass at `at_s`."""
        for square in _around(lat, lon, NEAR_M):
            last_s, before_s = self._passes.get(square, (-math.inf, -math.inf))
            if last_s >= at_s - PASS_GAP_S:
                self._passes[square] = (before_s, -math.inf)

    def keep(self, at_s: float) -> None:
        """Forget what is old, and write the rest to disk."""
        self._kept_s = at_s
        recent = {s: p for s, p in self._passes.items() if p[0] >= at_s - KEPT_S}
        newest = sorted(recent.items(), key=lambda item: -item[1][0])[:MOST]
        self._passes = dict(newest)
        if self._folder is None:
            return
        data = io.BytesIO()
        squares = np.array([s for s, _ in newest], np.int32).reshape(-1, 2)
        passes = np.array([p for _, p in newest], np.float64).reshape(-1, 2)
        np.savez_compressed(data, squares=squares, passes=passes)
        part = self._folder / f"{_FILE}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data.getvalue())
            part.chmod(0o600)
            part.replace(self._folder / _FILE)
        except OSError as fault:
            log.warning("%s: clean passes could not be kept: %s", self._folder, fault.strerror)

    def _restore(self) -> None:
        if self._folder is None or not (self._folder / _FILE).exists():
            return
        try:
            with np.load(io.BytesIO((self._folder / _FILE).read_bytes())) as kept:
                squares, passes = kept["squares"].tolist(), kept["passes"].tolist()
            self._passes = {
                (s[0], s[1]): (p[0], p[1]) for s, p in zip(squares, passes, strict=True)
            }
        except (OSError, ValueError, KeyError, IndexError, EOFError, BadZipFile) as fault:
            log.warning("%s: clean passes cannot be read, begun anew: %s", self._folder, fault)


def _square(lat: float, lon: float) -> Square:
    """The width of a square is that of its row, so that every spot of a row agrees on it."""
    row = math.floor(lat * _METRES_PER_DEGREE / SQUARE_M)
    width = math.cos(math.radians(row * SQUARE_M / _METRES_PER_DEGREE))
    return row, math.floor(lon * _METRES_PER_DEGREE * width / SQUARE_M)


def _around(lat: float, lon: float, radius_m: float) -> set[Square]:
    """The squares within a radius, by their lattice."""
    steps = np.arange(-radius_m, radius_m + 1e-6, SQUARE_M) / _METRES_PER_DEGREE
    width = math.cos(math.radians(lat))
    return {_square(lat + up, lon + aside / width) for up in steps for aside in steps}
