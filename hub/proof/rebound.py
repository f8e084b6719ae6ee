"""The watch after closing (回头看): the same thing there again reopens the same case."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub.cases.case import Case, State

WATCHED = frozenset({State.CLOSED, State.WATCHING})


@dataclass(frozen=True, slots=True)
class Rebound:
    """A case that came back (反弹). `cause`: the alert or the number of the report that told."""

    id: int
    case_id: int
    closed_at: datetime
    reopened_at: datetime
    cause_kind: str
    cause: str
    distance_m: float


@dataclass(frozen=True, slots=True)
class Watch:
    """How long closed cases are watched, by matter; 0 days is not at all."""

    days: float
    by_matter: Mapping[str, float]

    def until(self, case: Case) -> datetime | None:
        """When the watch over a closed case ends; None when it is not closed."""
        if case.closed_at is None or case.state not in WATCHED:
            return None
        return case.closed_at + self.lasts(case.matter)

    def lasts(self, matter: str | None) -> timedelta:
        """How long a case of a matter is watched."""
        return timedelta(days=self.by_matter.get(matter or "", self.days))


class Coming(StrEnum):
    """How what was told stands to a closed case.

    `back`: it began after the closing, a rebound. `persisted`: it was there before the closing and
    still is, so that the fix was none; that is counted where a check found it, not twice. `before`:
    it tells of the time before the closing only.
    """

    BACK = "back"
    PERSISTED = "persisted"
    BEFORE = "before"


@dataclass(frozen=True, slots=True)
class Cause:
    """What was told: seen from `since` until `at`."""

    kind: str
    id: str
    since: datetime
    at: datetime


def coming(case: Case, cause: Cause, *, is_up: bool) -> Coming:
    """How something at the place of a closed case stands to it.

    `is_up`: the camera has seen the thing since before the closing without a break.
    """
    closed_at = case.closed_at or case.updated_at
    if cause.at <= closed_at:
        return Coming.BEFORE
    return Coming.PERSISTED if cause.since <= closed_at or is_up else Coming.BACK
