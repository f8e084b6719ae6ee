"""A point in time on both of a camera's clocks."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Moment:
    """`at`: UTC, what people are told. `t_s`: only grows, what durations are taken from."""

    at: datetime
    t_s: float
