"""A point in time on both of a camera's clocks."""

from dataclasses import dataclass
from datetime import datetime, timedelta

DRIFT = timedelta(seconds=2)
"""By more than this only a clock that is set differs from one that only grows."""


@dataclass(frozen=True)
class Moment:
    """`at`: UTC, what people are told. `t_s`: only grows, what durations are taken from."""

    at: datetime
    t_s: float


def set_between(before: Moment, now: Moment) -> timedelta:
    """By how much somebody set the wall clock between two moments; a clock's drift is nothing."""
    apart = now.at - before.at - timedelta(seconds=now.t_s - before.t_s)
    return apart if abs(apart) > DRIFT else timedelta()
