"""The clocks of a case: how long its handling may take, and each stage before and after.

A deadline is computed once, when its clock starts, and kept with the calendar version it was
computed with: a later change of the calendar moves no deadline. The handling clock runs from the
first dispatch until the department has reported it done, stands still while the case is suspended
(挂账), and runs on after a rework against the same deadline. A reopened case gets a new one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from hub.calendar.limit import TimeLimit, Unit
from hub.calendar.work_calendar import WorkCalendar
from hub.cases.case import State
from hub.cases.condition import Condition

WARN_AT = 0.8
"""The share of a limit after which a case is about to be overdue."""


class Mark(StrEnum):
    """What is said once of a clock. `silent`: nobody has said anything for long (超时未反馈)."""

    WARNED = "warned"
    OVERDUE = "overdue"
    SILENT = "silent"
    STAGE_OVERDUE = "stage_overdue"


class ClockState(StrEnum):
    """How a handling clock stands."""

    WAITING = "waiting"
    RUNNING = "running"
    WARNING = "warning"
    OVERDUE = "overdue"
    STOPPED = "stopped"
    IN_TIME = "in_time"
    LATE = "late"


STAGE_LIMITS: Mapping[State, TimeLimit] = {
    State.REPORTED: TimeLimit(0.25, Unit.WORK_HOUR),
    State.VERIFYING_REPORT: TimeLimit(0.5, Unit.WORK_HOUR),
    State.FILED: TimeLimit(0.25, Unit.WORK_HOUR),
    State.RETURNED: TimeLimit(0.25, Unit.WORK_HOUR),
    State.REOPENED: TimeLimit(0.25, Unit.WORK_HOUR),
    State.HANDLED: TimeLimit(0.5, Unit.WORK_HOUR),
    State.VERIFYING_RESULT: TimeLimit(0.5, Unit.WORK_HOUR),
}
"""How long the two centres may take: one city system's values (case-handling practice, not law)."""

SILENCE = TimeLimit(1, Unit.WORK_DAY)
"""How long whoever has the work may say nothing."""

NEVER_HANDLED = frozenset({State.CANCELLED, State.REJECTED, State.MERGED})
SPEAKING = frozenset({State.DISPATCHED, State.HANDLING, State.JOINT, State.REWORK})


@dataclass(frozen=True, slots=True)
class Clock:
    """The clocks of one case; times UTC.

    `left_s`: counted seconds left when it was stopped. `done_at`: reported done. `marks`: what has
    been said of it. `silent_at`, `stage_due_at`: when the next word, the next step is due.
    `calendar_version`: the one `due_at` was computed with. `is_provisional`: that counted a year
    nobody has published.
    """

    limit: TimeLimit
    opening: str = ""
    closing: str = ""
    condition: int | None = None
    started_at: datetime | None = None
    due_at: datetime | None = None
    warn_at: datetime | None = None
    calendar_version: int = 0
    is_provisional: bool = False
    stopped_at: datetime | None = None
    left_s: float | None = None
    done_at: datetime | None = None
    stage_due_at: datetime | None = None
    silent_at: datetime | None = None
    marks: frozenset[Mark] = frozenset()

    def state(self, at: datetime) -> ClockState:
        """How the handling clock stands at a moment."""
        if self.due_at is None:
            return ClockState.STOPPED if self.stopped_at else ClockState.WAITING
        if self.done_at is not None:
            return ClockState.IN_TIME if self.done_at <= self.due_at else ClockState.LATE
        if at > self.due_at:
            return ClockState.OVERDUE
        is_near = self.warn_at is not None and at >= self.warn_at
        return ClockState.WARNING if is_near else ClockState.RUNNING

    def due_marks(self, at: datetime) -> frozenset[Mark]:
        """What has become true by `at` and has not been said."""
        return frozenset(mark for mark, moment in self._unsaid() if moment < at)

    @property
    def next_mark_at(self) -> datetime | None:
        """When there is something to say next, if nobody takes a step."""
        return min((moment for _, moment in self._unsaid()), default=None)

    def _unsaid(self) -> list[tuple[Mark, datetime]]:
        runs = self.done_at is None
        moments = {
            Mark.WARNED: self.warn_at if runs else None,
            Mark.OVERDUE: self.due_at if runs else None,
            Mark.SILENT: self.silent_at,
            Mark.STAGE_OVERDUE: self.stage_due_at,
        }
        return [(mark, m) for mark, m in moments.items() if m and mark not in self.marks]


def opened(limit: TimeLimit, calendar: WorkCalendar, at: datetime) -> Clock:
    """The clocks of a new case: the supervision centre's runs, the handling has not begun."""
    return replace(Clock(limit), stage_due_at=calendar.due(at, STAGE_LIMITS[State.REPORTED]).at)


def filed(clock: Clock, condition: Condition | None, usual: TimeLimit) -> Clock:
    """The clocks of a case filed under a condition, or under none with the usual limit."""
    if condition is None:
        return replace(clock, condition=None, opening="", closing="", limit=usual)
    return replace(
        clock,
        condition=condition.id,
        opening=condition.opening,
        closing=condition.closing,
        limit=condition.limit,
    )


def after_step(
    clock: Clock, before: State, after: State, calendar: WorkCalendar, at: datetime
) -> Clock:
    """The clocks after a case went from one state to another at `at`."""
    if after is State.DISPATCHED and (clock.started_at is None or before is State.REOPENED):
        clock = _started(clock, calendar, at)
    elif after is State.SUSPENDED:
        clock = _stopped(clock, calendar, at)
    elif before is State.SUSPENDED:
        clock = _started(clock, calendar, at, clock.left_s)
    elif after is State.HANDLED:
        clock = replace(clock, done_at=at)
    elif after is State.REWORK:
        clock = replace(clock, done_at=None)
    elif after in NEVER_HANDLED:
        clock = replace(clock, due_at=None, warn_at=None)
    stage = STAGE_LIMITS.get(after)
    return replace(
        clock,
        stage_due_at=calendar.due(at, stage).at if stage else None,
        silent_at=calendar.due(at, SILENCE).at if after in SPEAKING else None,
        marks=clock.marks - {Mark.SILENT, Mark.STAGE_OVERDUE},
    )


def extended(clock: Clock, calendar: WorkCalendar, extra: TimeLimit, at: datetime) -> Clock:
    """A running clock with its deadline moved on by the calendar; never to an earlier one."""
    if clock.due_at is None:
        return clock
    due = calendar.due(clock.due_at, extra)
    unit = clock.limit.unit
    rest_s = calendar.counted_s(at, due.at, unit)
    warn_in_s = rest_s - (1 - WARN_AT) * calendar.length_s(clock.limit)
    return replace(
        clock,
        due_at=due.at,
        warn_at=calendar.after(at, max(warn_in_s, 0.0), unit).at,
        calendar_version=calendar.version,
        is_provisional=clock.is_provisional or due.is_provisional,
        marks=clock.marks - {Mark.WARNED, Mark.OVERDUE},
    )


def _started(
    clock: Clock, calendar: WorkCalendar, at: datetime, left_s: float | None = None
) -> Clock:
    """Running from `at` on, for the whole limit or for what was left of it."""
    whole_s, unit = calendar.length_s(clock.limit), clock.limit.unit
    rest_s = whole_s if left_s is None else left_s
    due = calendar.after(at, rest_s, unit)
    warn_in_s = rest_s - (1 - WARN_AT) * whole_s
    return replace(
        clock,
        started_at=at if left_s is None else clock.started_at,
        due_at=due.at,
        warn_at=calendar.after(at, max(warn_in_s, 0.0), unit).at,
        calendar_version=calendar.version,
        is_provisional=due.is_provisional,
        stopped_at=None,
        left_s=None,
        done_at=None,
        marks=frozenset() if left_s is None else clock.marks,
    )


def _stopped(clock: Clock, calendar: WorkCalendar, at: datetime) -> Clock:
    """Standing still, with what is left of it; a clock that has run out has nothing left."""
    left_s = None
    if clock.due_at is not None:
        left_s = calendar.counted_s(at, clock.due_at, clock.limit.unit)
    return replace(clock, due_at=None, warn_at=None, stopped_at=at, left_s=left_s, done_at=None)
