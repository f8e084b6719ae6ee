"""Where a track stood: runs of points near one place, whatever the receiver's wandering."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stand:
    """From point `first` to point `last`, for `ms` milliseconds, around a middle in metres."""

    first: int
    last: int
    ms: int
    east_m: float
    north_m: float


def stands(
    east_m: Sequence[float],
    north_m: Sequence[float],
    at_ms: Sequence[int],
    *,
    within_m: float,
    least_s: float,
    silence_s: float,
) -> list[Stand]:
    """The stands of points in order of time, of at least `least_s`.

    A stand's points lie within `within_m` of their middle, but for a few that strayed from it for
    no longer than `silence_s`. Silence of more than that ends it.
    """
    found: list[Stand] = []
    for run in _runs(east_m, north_m, at_ms, within_m, silence_s * 1000):
        if run.ms < least_s * 1000:
            continue
        before = found[-1] if found else None
        if before is not None and _are_one(before, run, at_ms, within_m, silence_s * 1000):
            ms = at_ms[run.last] - at_ms[before.first]
            found[-1] = Stand(before.first, run.last, ms, before.east_m, before.north_m)
        else:
            found.append(run)
    return found


def _are_one(
    before: Stand, after: Stand, at_ms: Sequence[int], within_m: float, silence_ms: float
) -> bool:
    is_soon = at_ms[after.first] - at_ms[before.last] <= silence_ms
    apart_m = math.hypot(after.east_m - before.east_m, after.north_m - before.north_m)
    return is_soon and apart_m <= within_m


def _runs(
    east_m: Sequence[float],
    north_m: Sequence[float],
    at_ms: Sequence[int],
    within_m: float,
    silence_ms: float,
) -> Iterator[Stand]:
    """Points one after another for as long as each lies near the middle of those before it."""
    if not at_ms:
        return
    first, heard_ms = 0, at_ms[0]
    x, y = east_m[0], north_m[0]
    nearby = within_m * within_m
    for n, (east, north, ms) in enumerate(zip(east_m, north_m, at_ms, strict=True)):
        dx, dy = east - x, north - y
        if dx * dx + dy * dy <= nearby and ms - heard_ms <= silence_ms:
            count = n - first + 1
            x, y = x + dx / count, y + dy / count
        else:
            yield Stand(first, n - 1, at_ms[n - 1] - at_ms[first], x, y)
            first, x, y = n, east, north
        heard_ms = ms
    yield Stand(first, len(at_ms) - 1, heard_ms - at_ms[first], x, y)
