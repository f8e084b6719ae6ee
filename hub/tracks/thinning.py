"""Fewer points for a map: those without which a vehicle would be elsewhere or at another speed.

A point is left out when the vehicle, going evenly from the point before to the point after, would
have been within the tolerance of it at its time, at very nearly its speed. So a stop keeps both
ends, and a replay and its speeds are right.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hub.grid.geodesy import metres_per_degree
from wire.track import TrackPoint

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

GAP_MS = 120_000
KMH_OF_METRE = 2.0
"""Speed may be off by so much for each metre that the place may be."""


def thin(fixes: Sequence[TrackPoint], tolerance_m: float, most: int) -> list[TrackPoint]:
    """Fixes in order of time, thinned; twice the tolerance until there are at most `most`."""
    if len(fixes) <= 2:
        return list(fixes)
    t = np.array([fix.ts for fix in fixes], dtype=np.float64)
    lats = np.array([fix.lat for fix in fixes])
    lons = np.array([fix.lon for fix in fixes])
    north, east = metres_per_degree(float(lats.mean()))
    y, x = (lats - lats[0]) * north, (lons - lons[0]) * east
    ends = np.flatnonzero(np.diff(t) > GAP_MS)
    speed = np.array([np.nan if fix.speed_kmh is None else fix.speed_kmh for fix in fixes])
    way = np.column_stack((x, y, speed / KMH_OF_METRE))
    kept = _kept(t, way, tolerance_m, ends)
    while len(kept) > most and tolerance_m < 10_000:
        tolerance_m *= 2
        kept = _kept(t, way, tolerance_m, ends)
    step = -(-len(kept) // most)
    return [fixes[i] for i in kept[::step].tolist()]


def _kept(t: Floats, way: Floats, tolerance_m: float, ends: Indices) -> Indices:
    keep = np.zeros(len(t), dtype=bool)
    bounds = sorted({0, len(t) - 1, *ends.tolist(), *(ends + 1).tolist()})
    keep[bounds] = True
    spans = list(pairwise(bounds))
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        inside = slice(first + 1, last)
        length = max(t[last] - t[first], 1.0)
        share = (t[inside] - t[first]) / length
        x, y, speed = (way[inside] - way[first] - share[:, None] * (way[last] - way[first])).T
        off = np.fmax(np.hypot(x, y), np.abs(speed))
        worst = int(off.argmax())
        if off[worst] > tolerance_m:
            middle = first + 1 + worst
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return np.flatnonzero(keep)
