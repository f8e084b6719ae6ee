"""Which department a case is sent to, and why: rules over matter, grid, severity and hours.

Of the rules that hold for a case the most specific wins: the finer matter (code before class before
any), of equals the smaller grid, of equals the narrower severity, of equals the narrower hours, of
equals the older rule. So what a department is there for goes before whose ground it is, and an
exception for one place is a rule that names both (docs/decisions/0018-dispatch-rules.md).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.calendar.work_calendar import WorkCalendar
from hub.cases.case import Case
from hub.errors import HubError
from hub.grid.errors import GridError
from hub.grid.hours import Hours
from wire.coded import coded

ANY_TIME, WORK_TIME, OFF_TIME = "", "work", "off"
HOURS_ALLOWED = coded(
    "rule_hours", 'empty for any time, "work", "off", or local times such as 22:00-06:00'
)
MATTER = re.compile(r"\d{2}(\d{3})?", re.ASCII)
MATTER_ALLOWED = coded(
    "matter_or_class", "five digits of a matter, two of a class, or empty for any"
)
LEVELS = (1, 3)
DAY_MIN = 24 * 60


class BadRule(HubError):
    """A rule that cannot be; says which field, what was given and what is allowed."""

    def __init__(self, field: str, message: str, allowed: str) -> None:
        """Keep where it is."""
        super().__init__(f"{field}: {message} ({allowed})")
        self.field = field
        self.message = message
        self.allowed = allowed


class Dimension(StrEnum):
    """What decides between two rules that hold, in this order."""

    MATTER = "matter"
    GRID = "grid"
    SEVERITY = "severity"
    HOURS = "hours"
    AGE = "age"


@dataclass(frozen=True, slots=True)
class Conditions:
    """When a rule holds; None and "" for any.

    `matter`: code or class. `grid`: the case lies in it, at whatever level. `hours`: of the city's
    work calendar, or a span of local time.
    """

    matter: str | None = None
    grid: str | None = None
    level_from: int = LEVELS[0]
    level_to: int = LEVELS[1]
    hours: str = ANY_TIME


@dataclass(frozen=True, slots=True)
class Target:
    """Who a case is sent to: a department, and in it a named person or who is on duty.

    `role`: of the duty table (五定), such as officer; the person of that role on duty nearest to
    the case.
    """

    department: str
    officer: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of a rule. `id` names the version for ever, `number` the rule."""

    id: int
    number: int
    version: int
    when: Conditions
    to: Target
    note: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the rules; `path`: grids, largest first."""

    matter: str | None
    path: tuple[str, ...]
    level: int
    at: datetime

    @classmethod
    def of(cls, case: Case, at: datetime) -> "Question":
        """Who a case would be sent to at a moment."""
        return cls(case.matter, case.path, case.level, at)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rule holds in one dimension: what it says, and what the case is."""

    dimension: Dimension
    rule: str
    case: str


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that holds, and why. `yields_by`: in what it is less specific than the winner."""

    rule: Rule
    reasons: tuple[Reason, ...]
    yields_by: Dimension | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The rule that wins, and the others that hold too, the most specific first."""

    winner: Match | None
    others: tuple[Match, ...] = ()


def checked(when: Conditions) -> Conditions:
    """The same conditions.

    Raises BadRule for the first field that cannot be.
    """
    if when.matter is not None and not MATTER.fullmatch(when.matter):
        message = coded("no_matter", "{given!r} is no matter", given=when.matter)
        raise BadRule("matter", message, MATTER_ALLOWED)
    least, most = LEVELS
    if not least <= when.level_from <= when.level_to <= most:
        message = coded(
            "no_range", "{first} to {last} is no range", first=when.level_from, last=when.level_to
        )
        allowed = coded("range", "from {least} to {most}, the lower first", least=least, most=most)
        raise BadRule("level_from", message, allowed)
    if when.hours not in (ANY_TIME, WORK_TIME, OFF_TIME):
        _span(when.hours)
    return when


def explain(question: Question, rules: Iterable[Rule], calendar: WorkCalendar) -> Explanation:
    """The rule that would send a case, why it holds, and which others hold less specifically."""
    found = [
        (_rank(rule, question), Match(rule, reasons))
        for rule in rules
        if (reasons := _reasons(rule.when, question, calendar)) is not None
    ]
    found.sort(key=lambda each: each[0], reverse=True)
    if not found:
        return Explanation(None)
    (best, winner), *rest = found
    others = (
        Match(match.rule, match.reasons, _first_difference(best, rank)) for rank, match in rest
    )
    return Explanation(winner, tuple(others))


_Rank = tuple[int, int, int, tuple[int, int], int]


def _rank(rule: Rule, question: Question) -> _Rank:
    """How specific a rule that holds is, by dimension in their order; the greater wins."""
    when = rule.when
    return (
        len(when.matter or ""),
        0 if when.grid is None else 1 + question.path.index(when.grid),
        when.level_from - when.level_to,
        _narrowness(when.hours),
        -rule.number,
    )


def _first_difference(best: _Rank, other: _Rank) -> Dimension:
    return next(
        dimension
        for dimension, ours, theirs in zip(Dimension, best, other, strict=True)
        if ours != theirs
    )


def _reasons(
    when: Conditions, question: Question, calendar: WorkCalendar
) -> tuple[Reason, ...] | None:
    """Why conditions hold; None where one does not."""
    matter = question.matter or ""
    if when.matter is not None and not (matter and matter.startswith(when.matter)):
        return None
    if when.grid is not None and when.grid not in question.path:
        return None
    if not when.level_from <= question.level <= when.level_to:
        return None
    if not holds(when.hours, question.at, calendar):
        return None
    severity = (
        "" if (when.level_from, when.level_to) == LEVELS else f"{when.level_from}-{when.level_to}"
    )
    local = question.at.astimezone(calendar.zone)
    return (
        Reason(Dimension.MATTER, when.matter or "", matter),
        Reason(Dimension.GRID, when.grid or "", question.path[-1] if question.path else ""),
        Reason(Dimension.SEVERITY, severity, str(question.level)),
        Reason(Dimension.HOURS, when.hours, f"{local:%H:%M}"),
    )


def holds(hours: str, at: datetime, calendar: WorkCalendar) -> bool:
    """Whether hours of a rule include a moment."""
    if hours == ANY_TIME:
        return True
    if hours in (WORK_TIME, OFF_TIME):
        return calendar.is_working(at) == (hours == WORK_TIME)
    return _span(hours).are_open(at, calendar.zone)


def _span(hours: str) -> Hours:
    start, _, end = hours.partition("-")
    try:
        return Hours.read([[start, end]])
    except GridError:
        message = coded("no_rule_hours", "{given!r} are no hours", given=hours)
        raise BadRule("hours", message, HOURS_ALLOWED) from None


def _narrowness(hours: str) -> tuple[int, int]:
    if hours == ANY_TIME:
        return 0, 0
    if hours in (WORK_TIME, OFF_TIME):
        return 1, 0
    ((start, end),) = _span(hours).intervals
    return 2, -((end - start) % DAY_MIN or DAY_MIN)


def offered(case: Case, department: str, rules: Sequence[Rule], reason: str) -> Rule | None:
    """The rule that would have sent a corrected case right: its matter in its smallest grid.

    None where the case has neither, or the rules say so already at every hour.
    """
    if case.matter is None or not case.path:
        return None
    when = Conditions(case.matter, case.path[-1])
    if any(rule.when == when and rule.to.department == department for rule in rules):
        return None
    return Rule(0, 0, 0, when, Target(department), reason[:300])
