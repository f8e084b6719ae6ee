"""The watch after closing (回头看): the same thing there again reopens the same case."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

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
        return case.closed_at + timedelta(days=self.by_matter.get(case.matter or "", self.days))
