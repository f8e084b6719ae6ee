"""A time limit as city tables write it: a number and what is counted (处置时限)."""

import re
from dataclasses import dataclass
from enum import StrEnum

from hub.errors import HubError
from wire.coded import coded


class Unit(StrEnum):
    """What is counted.

    `urgent_hour` (紧急工作时): every hour, nights and holidays too. `work_hour` (工作时): working
    hours of working days. `work_day` (工作日): the working hours of one working day.
    `natural_day` (自然日): 24 hours, whatever day it is.
    """

    URGENT_HOUR = "urgent_hour"
    WORK_HOUR = "work_hour"
    WORK_DAY = "work_day"
    NATURAL_DAY = "natural_day"


ALWAYS_COUNTED = frozenset({Unit.URGENT_HOUR, Unit.NATURAL_DAY})
MOST = 10_000

ALLOWED = coded(
    "limits", "a number above 0 and 紧急工作时, 工作时, 工作日 or 自然日, such as 4工作时"
)

_WORDS = {
    "紧急工作时": Unit.URGENT_HOUR,
    "紧急工作小时": Unit.URGENT_HOUR,
    "工作时": Unit.WORK_HOUR,
    "工作小时": Unit.WORK_HOUR,
    "工作日": Unit.WORK_DAY,
    "工作天": Unit.WORK_DAY,
    "自然日": Unit.NATURAL_DAY,
    "日历天": Unit.NATURAL_DAY,
} | {unit.value: unit for unit in Unit}
_LIMIT = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)\s*个?\s*([a-z_]+|\D+)", re.ASCII)


class BadLimit(HubError):
    """A limit that cannot be read; says what was given and what is allowed."""

    def __init__(self, message: str) -> None:
        """Keep both apart too."""
        self.message = message
        self.allowed = ALLOWED
        super().__init__(f"{self.message}: allowed is {ALLOWED}")


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """So much of a unit, such as 4 work hours.

    Raises BadLimit unless the number is above 0 and at most 10,000.
    """

    number: float
    unit: Unit

    def __post_init__(self) -> None:
        """Check the number."""
        if not 0 < self.number <= MOST:
            given = f"{self.number:g} {self.unit}"
            raise BadLimit(coded("no_limit", "time limit {given}", given=given))

    @classmethod
    def read(cls, text: str) -> "TimeLimit":
        """From text such as 4工作时, 2 个工作日, 1.5 work_hour.

        Raises BadLimit.
        """
        match = _LIMIT.fullmatch(text.strip())
        unit = _WORDS.get(match[2].strip()) if match else None
        if match is None or unit is None:
            raise BadLimit(coded("no_limit", "time limit {given!r}", given=text))
        return cls(float(match[1]), unit)
