"""What is known of cases, checks, reports and patrols at a moment: values to count.

Times are whole milliseconds since 1970 UTC (`_ms`), None for what had not happened by then. A
case that was closed and came back has facts for each of its rounds: it is reported and filed in
the first, dispatched, due and closed in every one.
"""

from dataclasses import dataclass, field

from hub.cases.case import State

COMPONENT_CLASSES = ("01", "02", "03", "04", "05")
"""Classes of components (部件); the others are matters (事件)."""


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """One round of a case as it stood at a moment. `path`: grids, largest first.

    `due_ms`: the deadline of its handling that held last; `handled_ms`: reported done, and not
    sent back since. `file_late`, `check_late`: a stage of it ended, or waits, past its deadline.
    `seen_ms`: first seen by a camera; `patrol_ms`: first reported by a patrol; `patrolled`: a
    patrol was in its grid on the day it was reported. `extensions`: of the deadline, granted.
    `passed_up`: it went up the ladder; `above_level`: it had to.
    """

    id: int
    round: int = 1
    channel: str = ""
    matter: str | None = None
    level: int = 1
    path: tuple[str, ...] = ()
    department: str | None = None
    officer: str | None = None
    generated: bool = False
    state: State = State.REPORTED
    reported_ms: int | None = None
    filed_ms: int | None = None
    file_late: bool = False
    verify_report_due_ms: int | None = None
    verified_report_ms: int | None = None
    dispatch_due_ms: int | None = None
    dispatched_ms: int | None = None
    due_ms: int | None = None
    handled_ms: int | None = None
    check_due_ms: int | None = None
    checked_ms: int | None = None
    check_late: bool = False
    closed_ms: int | None = None
    reopened_ms: int | None = None
    reworks: int = 0
    returns: int = 0
    corrections: int = 0
    extensions: int = 0
    passed_up: bool = False
    above_level: bool = False
    seen_ms: int | None = None
    patrol_ms: int | None = None
    patrolled: bool = False

    @property
    def case(self) -> "CaseFacts":
        """The case these facts are of: itself."""
        return self

    @property
    def is_suspended(self) -> bool:
        """Whether its clock stands still (挂账)."""
        return self.state is State.SUSPENDED

    @property
    def matter_class(self) -> str:
        """Two digits, empty without a matter."""
        return (self.matter or "")[:2]

    @property
    def kind(self) -> str:
        """`component` (部件) or `matter` (事件)."""
        return "component" if self.matter_class in COMPONENT_CLASSES else "matter"


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """One check of a reported fix (核查): when, and whether the thing was still there."""

    case: CaseFacts
    at_ms: int
    is_present: bool

    @property
    def id(self) -> int:
        """The case's id."""
        return self.case.id


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """One report of whatever channel. `is_valid`: its case was filed, or joined a filed one."""

    id: int
    received_ms: int
    is_valid: bool
    case: CaseFacts


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """One visit that a grid had to have in a day or week: whether a track proves it.

    `id`: the proleptic ordinal of the day; `nth` of that period, from 1.
    """

    id: int
    at_ms: int
    nth: int
    is_made: bool
    case: CaseFacts = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpinionFacts:
    """An opinion a partner was asked for in a joint handling, and when it was given.

    `case`: the case, with the partner as its department: it answers for its silence.
    """

    id: int
    due_ms: int
    answered_ms: int | None
    case: CaseFacts


Fact = CaseFacts | CheckFacts | ReportFacts | VisitFacts | OpinionFacts


@dataclass(frozen=True, slots=True)
class Facts:
    """All there is to count, as known at a moment."""

    cases: tuple[CaseFacts, ...] = ()
    checks: tuple[CheckFacts, ...] = ()
    reports: tuple[ReportFacts, ...] = ()
    visits: tuple[VisitFacts, ...] = ()
    opinions: tuple[OpinionFacts, ...] = ()
