"""Which fixes are kept: state + fix → state + verdict, one readable list of reasons.

`CHECKS` is in the order of asking: the first that objects gives the reason. A check whose row says
`drop` keeps the fix from leaving the vehicle; the others only mark it (`low_quality`: good enough
to show, not to accuse with; `standstill`: the receiver's drift, not a move).

After `jump` the place is not lost for good: `JUMP_CONFIRMED_BY` fixes that agree with each other
about the new place mean that the old one was wrong, and the last of them is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import asin, cos, radians, sin, sqrt

from edge.gps.fix import Fix

EARTH_RADIUS_M = 6_371_008.8
JUMP_CONFIRMED_BY = 3
KMH_PER_MPS = 3.6


@dataclass(frozen=True)
class Limits:
    """Where the line is drawn; the defaults are those of the field's practice."""

    top_speed_kmh: float = 200.0
    future: timedelta = timedelta(minutes=10)
    earliest: datetime = datetime(2000, 1, 2, tzinfo=UTC)
    hdop: float = 5.0
    satellites: int = 4
    drift_m: float = 30.0
    standstill_kmh: float = 3.0


STANDARD = Limits()


@dataclass(frozen=True)
class Memory:
    """What a vehicle's next fix is judged by.

    `last`: the last kept fix; `anchor`: where it has been standing since; `jumped`: dropped fixes
    that agree with each other about another place.
    """

    last: Fix | None = None
    anchor: Fix | None = None
    jumped: tuple[Fix, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """`keep` or not, and the name of the reason; empty when nothing speaks against the fix."""

    keep: bool
    reason: str = ""


GOOD = Verdict(keep=True)

Check = Callable[[Memory, Fix, Limits], bool]


def _not_located(_memory: Memory, fix: Fix, _limits: Limits) -> bool:
    return not fix.located


def _out_of_range(_memory: Memory, fix: Fix, _limits: Limits) -> bool:
    return not (-90 <= fix.lat <= 90 and -180 <= fix.lon <= 180)


def _zero(_memory: Memory, fix: Fix, _limits: Limits) -> bool:
    return fix.lat == 0 and fix.lon == 0


def _future(_memory: Memory, fix: Fix, limits: Limits) -> bool:
    return fix.received_at is not None and fix.at - fix.received_at > limits.future


def _clock_unset(_memory: Memory, fix: Fix, limits: Limits) -> bool:
    return fix.at < limits.earliest


def _duplicate(memory: Memory, fix: Fix, _limits: Limits) -> bool:
    return memory.last is not None and fix.at == memory.last.at


def _too_fast(_memory: Memory, fix: Fix, limits: Limits) -> bool:
    return fix.speed_kmh is not None and fix.speed_kmh > limits.top_speed_kmh


def _jump(memory: Memory, fix: Fix, limits: Limits) -> bool:
    return memory.last is not None and _is_jump(memory.last, fix, limits)


def _low_quality(_memory: Memory, fix: Fix, limits: Limits) -> bool:
    few = fix.satellites is not None and fix.satellites < limits.satellites
    vague = fix.hdop is not None and fix.hdop > limits.hdop
    return few or vague


def _standstill(memory: Memory, fix: Fix, limits: Limits) -> bool:
    slow = fix.speed_kmh is not None and fix.speed_kmh < limits.standstill_kmh
    return slow and memory.anchor is not None and _near(memory.anchor, fix, limits)


DROP, MARK = False, True

CHECKS: tuple[tuple[str, Check, bool], ...] = (
    ("not_located", _not_located, DROP),
    ("out_of_range", _out_of_range, DROP),
    ("zero", _zero, DROP),
    ("clock_unset", _clock_unset, DROP),
    ("future", _future, DROP),
    ("duplicate", _duplicate, DROP),
    ("too_fast", _too_fast, DROP),
    ("jump", _jump, DROP),
    ("low_quality", _low_quality, MARK),
    ("standstill", _standstill, MARK),
)


def judge(memory: Memory, fix: Fix, limits: Limits = STANDARD) -> tuple[Memory, Verdict]:
    """Judge the next fix of a vehicle; give the memory for the one after it."""
    for reason, objects, keep in CHECKS:
        if not objects(memory, fix, limits):
            continue
        if reason == "jump":
            return _after_jump(memory, fix, limits)
        if not keep:
            return memory, Verdict(keep, reason)
        anchor = memory.anchor if reason == "standstill" else fix
        return Memory(fix, anchor), Verdict(keep, reason)
    return Memory(fix, anchor=fix), GOOD


def _after_jump(memory: Memory, fix: Fix, limits: Limits) -> tuple[Memory, Verdict]:
    agrees = memory.jumped and not _is_jump(memory.jumped[-1], fix, limits)
    jumped = (*memory.jumped, fix) if agrees else (fix,)
    if len(jumped) >= JUMP_CONFIRMED_BY:
        return Memory(fix, anchor=fix), Verdict(keep=True, reason="moved_after_jump")
    return replace(memory, jumped=jumped), Verdict(keep=False, reason="jump")


def _near(one: Fix, other: Fix, limits: Limits) -> bool:
    return metres_between(one, other) < limits.drift_m


def _is_jump(before: Fix, after: Fix, limits: Limits) -> bool:
    """Whether the way between them is too far for the time, beyond what drift explains."""
    metres = metres_between(before, after) - limits.drift_m
    seconds = abs((after.at - before.at).total_seconds())
    return metres > 0 and metres * KMH_PER_MPS > limits.top_speed_kmh * seconds


def metres_between(one: Fix, other: Fix) -> float:
    """Great-circle distance on the mean earth (haversine; within 0.5 % of the ellipsoid)."""
    lat1, lat2 = radians(one.lat), radians(other.lat)
    half_lat, half_lon = (lat2 - lat1) / 2, radians(other.lon - one.lon) / 2
    chord = sin(half_lat) ** 2 + cos(lat1) * cos(lat2) * sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, chord)))
