"""Which trucks stood near a place for a moment in a span of time: leads, and no verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from hub.grid.geodesy import distances_m
from hub.store import from_ms
from hub.tracks.cleaning import KMH
from wire.track import VALID, TrackPoint, hopper_of, load_of

LEAST_STAND_S = 15.0
LEG_MAX_S = 300.0
LOOK_AROUND_MS = 1_200_000
"""Loads are looked for so long before and after; a sensor may say so late."""


@dataclass(frozen=True, slots=True)
class Lead:
    """A vehicle stood near a place; loads None where it did not say.

    `distance_m`: the nearest it stood. `hopper_raised`: while it stood there.
    """

    vehicle: str
    start: datetime
    end: datetime
    lat: float
    lon: float
    distance_m: float
    load_before: int | None
    load_after: int | None
    hopper_raised: bool | None
    fixes: Sequence[TrackPoint]

    @property
    def stood_s(self) -> float:
        """How long it stood."""
        return (self.end - self.start).total_seconds()

    @property
    def has_unloaded(self) -> bool | None:
        """Whether there was less load afterwards."""
        if self.load_before is None or self.load_after is None:
            return None
        return self.load_after < self.load_before


def leads_of(
    vehicle: str,
    fixes: Sequence[TrackPoint],
    place: tuple[float, float],
    radius_m: float,
    span: tuple[int, int],
    *,
    standing_kmh: float,
) -> list[Lead]:
    """Where a vehicle stood within `radius_m` of a place, at some moment of a span (ms).

    `fixes` in order of time, with some before and after. It stood when two fixes or more, at most
    five minutes apart, lie near and are slow, by what they say or by how far they are apart.
    """
    located = [fix for fix in fixes if fix.flags & VALID]
    if len(located) < 2:
        return []
    lats, lons = np.array([(fix.lat, fix.lon) for fix in located]).T
    away = distances_m(place[0], place[1], lats, lons)
    near = away <= radius_m
    slow = _slow(located, lats, lons, standing_kmh)
    found = []
    for first, last in _runs(near & slow, located):
        fix, end = located[first], located[last]
        lasted_s = (end.ts - fix.ts) / 1000
        if lasted_s < LEAST_STAND_S or end.ts < span[0] or fix.ts > span[1]:
            continue
        nearest = first + int(away[first : last + 1].argmin())
        during = [f for f in fixes if fix.ts <= f.ts <= end.ts]
        around = [f for f in fixes if fix.ts - LOOK_AROUND_MS <= f.ts <= end.ts + LOOK_AROUND_MS]
        raised = [hopper for f in during if (hopper := hopper_of(f.body)) is not None]
        found.append(
            Lead(
                vehicle,
                from_ms(fix.ts),
                from_ms(end.ts),
                located[nearest].lat,
                located[nearest].lon,
                float(away[nearest]),
                _last_load([f for f in around if f.ts <= fix.ts]),
                _last_load([f for f in around if f.ts >= end.ts]),
                any(raised) if raised else None,
                around,
            )
        )
    return found


def _slow(
    located: Sequence[TrackPoint], lats: np.ndarray, lons: np.ndarray, standing_kmh: float
) -> np.ndarray:
    """Whether the vehicle stands at each fix: as it says, else as the legs around it say."""
    said = np.array([np.nan if fix.speed_kmh is None else fix.speed_kmh for fix in located])
    seconds = np.diff([fix.ts for fix in located]) / 1000
    legs = np.array(
        [
            float(distances_m(lats[i], lons[i], lats[i + 1 : i + 2], lons[i + 1 : i + 2])[0])
            for i in range(len(located) - 1)
        ]
    )
    kmh = legs / np.maximum(seconds, 1.0) * KMH
    slowest = np.minimum(np.append(kmh, np.inf), np.insert(kmh, 0, np.inf))
    return np.where(np.isnan(said), slowest, said) <= standing_kmh


def _runs(holds: np.ndarray, located: Sequence[TrackPoint]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for index in np.flatnonzero(holds).tolist():
        if runs and runs[-1][1] == index - 1:
            seconds = (located[index].ts - located[index - 1].ts) / 1000
            if seconds <= LEG_MAX_S:
                runs[-1] = (runs[-1][0], index)
                continue
        runs.append((index, index))
    return runs


def _last_load(fixes: Sequence[TrackPoint]) -> int | None:
    """The load said last."""
    return next((load for fix in reversed(fixes) if (load := load_of(fix.body)) is not None), None)
