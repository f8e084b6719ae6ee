"""A case and the table of its states: which step may follow which, and who may take it.

The seven stages are the standard's (CJ/T 315-2009, GB/T 30428.8: 信息收集 to 综合评价). Two
checks have names that are easily confused: `verify_report` (核实) asks before filing whether it is
there, `verify_result` (核查) asks before closing whether it is gone. The body that dispatches and
the party that handles do not judge the result: who handled a case never closes it, whatever the
role.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from hub.errors import HubError
from hub.roles import SYSTEM, Actor, Role, Spot, too_little
from hub.words import word
from wire.coded import Coded, coded


class Stage(StrEnum):
    """The stages of a case, in order."""

    COLLECT = "collect"
    FILE = "file"
    DISPATCH = "dispatch"
    HANDLE = "handle"
    FEEDBACK = "feedback"
    VERIFY_CLOSE = "verify_close"
    EVALUATE = "evaluate"
    NONE = ""


class State(StrEnum):
    """Where a case is."""

    REPORTED = "reported"
    VERIFYING_REPORT = "verifying_report"
    FILED = "filed"
    DISPATCHED = "dispatched"
    RETURNED = "returned"
    HANDLING = "handling"
    JOINT = "joint"
    SUSPENDED = "suspended"
    HANDLED = "handled"
    VERIFYING_RESULT = "verifying_result"
    REWORK = "rework"
    CLOSED = "closed"
    WATCHING = "watching"
    REOPENED = "reopened"
    MERGED = "merged"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    ARCHIVED = "archived"


class Party(StrEnum):
    """Whose step it is: supervision and command are two bodies on purpose."""

    SUPERVISION = "supervision_centre"
    COMMAND = "command_centre"
    DEPARTMENT = "department"


STAGES: dict[State, Stage] = {
    State.REPORTED: Stage.COLLECT,
    State.VERIFYING_REPORT: Stage.COLLECT,
    State.FILED: Stage.FILE,
    State.DISPATCHED: Stage.DISPATCH,
    State.RETURNED: Stage.DISPATCH,
    State.HANDLING: Stage.HANDLE,
    State.JOINT: Stage.HANDLE,
    State.SUSPENDED: Stage.HANDLE,
    State.HANDLED: Stage.FEEDBACK,
    State.VERIFYING_RESULT: Stage.VERIFY_CLOSE,
    State.REWORK: Stage.HANDLE,
    State.CLOSED: Stage.VERIFY_CLOSE,
    State.WATCHING: Stage.EVALUATE,
    State.REOPENED: Stage.HANDLE,
    State.MERGED: Stage.NONE,
    State.REJECTED: Stage.NONE,
    State.CANCELLED: Stage.NONE,
    State.ARCHIVED: Stage.NONE,
}

BEFORE_FILING = frozenset({State.REPORTED, State.VERIFYING_REPORT})
FINISHED = frozenset(
    {
        State.CLOSED,
        State.WATCHING,
        State.ARCHIVED,
        State.MERGED,
        State.REJECTED,
        State.CANCELLED,
    }
)


@dataclass(frozen=True)
class Step:
    """An action: whose it is, the least role that may take it, whether it needs a reason.

    `by_itself`: the hub may take it too, on what it has seen.
    """

    party: Party
    role: Role = Role.OPERATOR
    needs_note: bool = False
    handles: bool = False
    judges: bool = False
    by_itself: bool = False


ACTIONS: dict[str, Step] = {
    "verify_report": Step(Party.SUPERVISION),
    "file": Step(Party.SUPERVISION),
    "reject": Step(Party.SUPERVISION, needs_note=True),
    "merge": Step(Party.SUPERVISION, needs_note=True),
    "cancel": Step(Party.SUPERVISION, Role.SUPERVISOR, needs_note=True),
    "dispatch": Step(Party.COMMAND),
    "correct": Step(Party.COMMAND, needs_note=True),
    "recall": Step(Party.COMMAND, needs_note=True),
    "accept": Step(Party.DEPARTMENT, Role.HANDLER, handles=True),
    "return": Step(Party.DEPARTMENT, Role.HANDLER, needs_note=True),
    "join": Step(Party.COMMAND, Role.SUPERVISOR, needs_note=True),
    "suspend": Step(Party.COMMAND, Role.SUPERVISOR, needs_note=True),
    "resume": Step(Party.COMMAND, Role.SUPERVISOR, by_itself=True),
    "feedback": Step(Party.DEPARTMENT, Role.HANDLER, needs_note=True, handles=True),
    "verify_result": Step(Party.SUPERVISION, by_itself=True),
    "rework": Step(Party.SUPERVISION, needs_note=True, judges=True, by_itself=True),
    "close": Step(Party.SUPERVISION, Role.SUPERVISOR, judges=True),
    "watch": Step(Party.SUPERVISION, Role.SUPERVISOR, by_itself=True),
    "archive": Step(Party.SUPERVISION, Role.SUPERVISOR, by_itself=True),
    "reopen": Step(Party.SUPERVISION, Role.SUPERVISOR, needs_note=True, by_itself=True),
}

NEXT: dict[tuple[State, str], State] = {
    (State.REPORTED, "verify_report"): State.VERIFYING_REPORT,
    (State.REPORTED, "file"): State.FILED,
    (State.REPORTED, "merge"): State.MERGED,
    (State.REPORTED, "reject"): State.REJECTED,
    (State.VERIFYING_REPORT, "file"): State.FILED,
    (State.VERIFYING_REPORT, "reject"): State.REJECTED,
    (State.VERIFYING_REPORT, "merge"): State.MERGED,
    (State.FILED, "dispatch"): State.DISPATCHED,
    (State.FILED, "cancel"): State.CANCELLED,
    (State.DISPATCHED, "accept"): State.HANDLING,
    (State.DISPATCHED, "return"): State.RETURNED,
    (State.DISPATCHED, "recall"): State.RETURNED,
    (State.RETURNED, "dispatch"): State.DISPATCHED,
    (State.RETURNED, "correct"): State.FILED,
    (State.RETURNED, "cancel"): State.CANCELLED,
    (State.HANDLING, "feedback"): State.HANDLED,
    (State.HANDLING, "return"): State.RETURNED,
    (State.HANDLING, "recall"): State.RETURNED,
    (State.HANDLING, "suspend"): State.SUSPENDED,
    (State.HANDLING, "join"): State.JOINT,
    (State.JOINT, "feedback"): State.HANDLED,
    (State.JOINT, "suspend"): State.SUSPENDED,
    (State.SUSPENDED, "resume"): State.HANDLING,
    (State.HANDLED, "verify_result"): State.VERIFYING_RESULT,
    (State.VERIFYING_RESULT, "close"): State.CLOSED,
    (State.VERIFYING_RESULT, "rework"): State.REWORK,
    (State.REWORK, "feedback"): State.HANDLED,
    (State.REWORK, "suspend"): State.SUSPENDED,
    (State.CLOSED, "watch"): State.WATCHING,
    (State.CLOSED, "reopen"): State.REOPENED,
    (State.WATCHING, "archive"): State.ARCHIVED,
    (State.WATCHING, "reopen"): State.REOPENED,
    (State.REOPENED, "dispatch"): State.DISPATCHED,
}

REDIRECT = "redirect"
SEVERAL: dict[str, dict[State, tuple[str, ...]]] = {
    REDIRECT: {
        State.DISPATCHED: ("recall", "correct", "dispatch"),
        State.HANDLING: ("recall", "correct", "dispatch"),
        State.RETURNED: ("correct", "dispatch"),
    },
}
"""Actions that are several steps at once: a wrong dispatch is taken back and sent right (改派)."""


class IllegalStep(HubError):
    """A step that does not follow from the case's state."""


class NotYourStep(HubError):
    """A step that this person may not take."""


class ReasonNeeded(HubError):
    """A step that needs a written reason."""


@dataclass(frozen=True)
class Case:
    """A matter the city deals with.

    `version` grows with every step. `handlers`: who accepted or reported the work done.
    `path`: grids, largest first. `standard_ref`: the code table `matter` is from.
    `department` (code) and `officer` (a person's name): who it was sent to last.
    `dispatched_by_rule`: the version of the rule that sent it there. `at_level`: of the grids, who
    is handling it, 1 the whole city. `ownerless` (无主): filed before anybody knew whose it is.
    """

    id: int
    number: str
    state: State
    version: int
    title: str
    label: str
    matter: str | None
    standard_ref: str
    level: int
    lat: float
    lon: float
    path: tuple[str, ...]
    source: str
    generated: bool
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    handlers: tuple[str, ...] = ()
    department: str | None = None
    officer: str | None = None
    dispatched_by_rule: int | None = None
    at_level: int | None = None
    ownerless: bool = False

    @property
    def stage(self) -> Stage:
        """The stage of the state."""
        return STAGES[self.state]

    @property
    def spot(self) -> Spot:
        """What posts may be limited by."""
        return Spot(self.path, self.matter, frozenset(filter(None, [self.department])))

    @property
    def is_open(self) -> bool:
        """Whether work remains."""
        return self.state not in FINISHED


def state_zh(state: str) -> str:
    """What a state is called by people."""
    return word("zh", "state", state)


def case_is(case: Case) -> Coded:
    """How a case stands, where that is why something cannot be."""
    return coded("case_is", "case {number} is {state}", number=case.number, state=case.state)


def was_due(case: Case, due: datetime | None) -> Coded:
    """By when a case had to be dealt with, where that is why something cannot be."""
    text = "case {number} was due {due:%Y-%m-%d %H:%M} UTC"
    return coded("was_due", text, number=case.number, due=due)


@dataclass(frozen=True)
class Offer:
    """A step that follows from the state; `why_not` is empty when the person may take it."""

    action: str
    to_state: State
    why_not: str


@dataclass(frozen=True)
class WantedStep:
    """What somebody wants of a case. `version`: the one he saw.

    `into`: the number of the case to merge with. `condition`: the row of the city's table the case
    is filed under. `department`, `officer`: whom it is sent to. `photos`: ids of uploaded photos
    that prove the work done. `until`, `reason`: of a suspension. `partners`: departments of a
    joint handling, which `department` leads. `ownerless`: file it as nobody's.
    """

    action: str
    version: int
    note: str = ""
    into: str = ""
    condition: int | None = None
    department: str | None = None
    officer: str | None = None
    photos: tuple[int, ...] = ()
    until: datetime | None = None
    reason: str = ""
    partners: tuple[str, ...] = ()
    ownerless: bool = False


def offers(case: Case, actor: Actor) -> list[Offer]:
    """The steps that follow, allowed to this person or not."""
    single = [
        Offer(action, to_state, why_not(case, action, actor))
        for (state, action), to_state in NEXT.items()
        if state == case.state
    ]
    several = [
        Offer(action, ending(case.state, steps), _first(why_not(case, s, actor) for s in steps))
        for action, by_state in SEVERAL.items()
        if (steps := by_state.get(case.state))
    ]
    return [*single, *several]


def terms(action: str) -> Step:
    """Whose an action is and what it needs."""
    return ACTIONS.get(action) or Step(Party.COMMAND, needs_note=True)


def steps_of(action: str, state: State) -> tuple[str, ...]:
    """The steps an action takes from a state, one unless it is several at once."""
    return SEVERAL[action].get(state, (action,)) if action in SEVERAL else (action,)


def ending(state: State, steps: Iterable[str]) -> State:
    """Where several steps lead."""
    for step in steps:
        state = NEXT[state, step]
    return state


def _first(reasons: Iterable[str]) -> str:
    return next(filter(None, reasons), "")


def why_not(case: Case, action: str, actor: Actor) -> str:
    """Why this person may not take a step; empty when he may."""
    step = ACTIONS[action]
    if actor is SYSTEM:
        return (
            ""
            if step.by_itself
            else coded("persons_step", "{action} is a person's step", action=action)
        )
    if why := too_little(actor, step.role):
        return why
    if step.judges and actor.name in case.handlers:
        return _handled(actor.name, case)
    if step.judges and case.department in {post.department for post in actor.posts} - {None}:
        return _handled(case.department, case)
    return ""


def _handled(who: str | None, case: Case) -> str:
    text = "{who} handled case {number} and may not judge the result"
    return coded("handled_case_self", text, who=who, number=case.number)


def advance(case: Case, action: str, actor: Actor, note: str, at: datetime) -> Case:
    """The case after a step.

    Raises IllegalStep, NotYourStep or ReasonNeeded.
    """
    to_state = NEXT.get((case.state, action))
    if to_state is None:
        possible = ", ".join(possible_actions(case.state)) or coded("nothing_more", "nothing more")
        raise IllegalStep(
            coded(
                "step_illegal",
                "case {number} is {state}; cannot {action} it (possible: {possible})",
                number=case.number,
                state=case.state,
                action=action,
                possible=possible,
            )
        )
    if reason := why_not(case, action, actor):
        raise NotYourStep(reason)
    step = ACTIONS[action]
    if step.needs_note and not note.strip():
        raise ReasonNeeded(
            coded(
                "step_reason",
                "{action} of case {number}: a written reason is needed in note",
                action=action,
                number=case.number,
            )
        )
    handlers = case.handlers
    if step.handles and actor.name not in handlers:
        handlers = (*handlers, actor.name)
    return replace(
        case,
        state=to_state,
        version=case.version + 1,
        updated_at=at,
        closed_at=_closed_at(case, to_state, at),
        handlers=handlers,
    )


def possible_actions(state: State) -> list[str]:
    """What may be done in a state."""
    several = [action for action, by_state in SEVERAL.items() if state in by_state]
    return [action for before, action in NEXT if before == state] + several


def _closed_at(case: Case, to_state: State, at: datetime) -> datetime | None:
    if to_state not in FINISHED:
        return None
    return case.closed_at or at
