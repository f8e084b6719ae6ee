"""A check (核查): one examination of a claimed fix, by a look of a camera or a visit of a person.

The answer is never rounded: a look that cannot tell is followed by a visit, not by a guess. A claim
that a check found untrue is a false rectification (虚假整改).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Means(StrEnum):
    """How it is examined."""

    LOOK = "look"
    VISIT = "visit"


class Result(StrEnum):
    """What was found."""

    PRESENT = "present"
    GONE = "gone"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Check:
    """One examination.

    `result`: None while it is awaited, and where it was not needed any more; of a visit never
    `cannot_tell`.

    `claimed_at`, `claimed_by`: the feedback that is examined. `look`: the order to the camera.
    `assignee`: who is to go; empty for anybody of the supervision centre. `photos`: ids of photos
    taken at the visit. `is_forced`: the case is not closed before it is done, whatever others say.
    """

    id: int
    case_id: int
    claimed_at: datetime
    claimed_by: str
    means: Means
    asked_at: datetime
    look: str = ""
    assignee: str = ""
    is_forced: bool = False
    result: Result | None = None
    reasons: tuple[str, ...] = ()
    checked_at: datetime | None = None
    checked_by: str = ""
    photos: tuple[int, ...] = ()
    note: str = ""

    @property
    def is_awaited(self) -> bool:
        """Whether somebody has still to look."""
        return self.checked_at is None

    @property
    def is_false_rectification(self) -> bool:
        """Whether the claim was found untrue."""
        return self.result is Result.PRESENT
