"""Which fixes are dropped or marked, and under which name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from edge.gps.filters import CHECKS, GOOD, Limits, Memory, Verdict, judge, metres_between
from edge.gps.fix import Fix

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
HERE = Fix(NOON, 32.68, 109.03, speed_kmh=36.0, satellites=9, hdop=0.9, received_at=NOON)
METRE = 1 / 111_195  # degrees of latitude


def later(seconds: float, north_m: float = 0.0, **changes: object) -> Fix:
    at = NOON + timedelta(seconds=seconds)
    moved = {"at": at, "lat": HERE.lat + north_m * METRE, "received_at": at} | changes
    return replace(HERE, **moved)


@pytest.mark.parametrize(
    ("fix", "verdict"),
    [
        (later(1, 10), GOOD),
        (later(1, 10, located=False), Verdict(keep=False, reason="not_located")),
        (later(1, lat=90.5), Verdict(keep=False, reason="out_of_range")),
        (later(1, lon=float("nan")), Verdict(keep=False, reason="out_of_range")),
        (later(1, lat=0.0, lon=0.0), Verdict(keep=False, reason="zero")),
        (later(1, at=datetime(1980, 1, 6, tzinfo=UTC)), Verdict(keep=False, reason="clock_unset")),
        (later(1, at=NOON + timedelta(minutes=11)), Verdict(keep=False, reason="future")),
        (later(700, received_at=None), GOOD),
        (later(0, 10), Verdict(keep=False, reason="duplicate")),
        (later(1, 10, speed_kmh=201.0), Verdict(keep=False, reason="too_fast")),
        (later(1, 500), Verdict(keep=False, reason="jump")),
        (later(-1, 500), Verdict(keep=False, reason="jump")),
        (later(60, 500), GOOD),
        (later(1, 10, satellites=3), Verdict(keep=True, reason="low_quality")),
        (later(1, 10, hdop=5.1), Verdict(keep=True, reason="low_quality")),
        (later(1, 10, satellites=None, hdop=None), GOOD),
        (later(1, 10, speed_kmh=1.0), Verdict(keep=True, reason="standstill")),
        (later(9, 40, speed_kmh=1.0), GOOD),
        (later(1, 10, speed_kmh=None), GOOD),
    ],
)
def test_one_fix_after_another(fix, verdict):
    memory, first = judge(Memory(), HERE)
    assert first == GOOD
    after, given = judge(memory, fix)
    assert given == verdict
    assert after.last == (fix if verdict.keep else HERE)


def test_every_check_is_shown_above():
    row = next(m for m in test_one_fix_after_another.pytestmark if m.name == "parametrize")
    named = {verdict.reason for _, verdict in row.args[1]}
    assert named >= {reason for reason, _, _ in CHECKS}


def test_drift_does_not_carry_the_anchor_along():
    memory, _ = judge(Memory(), later(0, speed_kmh=0.5))
    reasons = []
    for second in range(1, 8):
        memory, verdict = judge(memory, later(second, 10.0 * second, speed_kmh=0.5))
        reasons.append(verdict.reason)
    assert reasons == ["standstill", "standstill", "", "standstill", "standstill", "", "standstill"]


def test_three_fixes_that_agree_elsewhere_are_believed():
    memory, _ = judge(Memory(), HERE)
    verdicts = []
    for second, north_m in ((1, 5000), (2, 5010), (3, -7000), (4, 5030), (5, 5040), (6, 5050)):
        memory, verdict = judge(memory, later(second, north_m))
        verdicts.append((verdict.keep, verdict.reason))
    assert verdicts == [(False, "jump")] * 5 + [(True, "moved_after_jump")]
    assert judge(memory, later(7, 5060))[1] == GOOD


def test_limits_are_settings():
    memory, _ = judge(Memory(), HERE, Limits(top_speed_kmh=80))
    assert judge(memory, later(10, 300), Limits(top_speed_kmh=80))[1].reason == "jump"
    assert judge(memory, later(10, 300))[1] == GOOD


def test_metres_between():
    # Vincenty on WGS-84 gives 1,113.2 m for 0.01 degrees of longitude on the equator.
    one, other = replace(HERE, lat=0.0, lon=0.0), replace(HERE, lat=0.0, lon=0.01)
    assert metres_between(one, other) == pytest.approx(1113.2, rel=0.005)
