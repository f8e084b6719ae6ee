"""From the history of a case to facts: what had happened by a moment, and what held then.

Two append-only records are read side by side: the audit (who did what, from which state to which)
and what the case's clocks said after each step. Nothing here is read from what may change later,
so that a figure of last month, as of its last day, stays what it was.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from hub.cases.case import BEFORE_FILING, State
from hub.evaluation.facts import CaseFacts

GRANTED_EXTENSION = "records: extension granted"
PASSED_UP = "records: escalation"
"""Turns made from a case's records; no action of the audit is called so."""


Turn = tuple[int, str, str, str, int, str]
"""An entry of the audit about a case: `at_ms`, action, the states before and after, its number,
the case as the audit names it."""
Said = tuple[int, int | None, int | None, int]
"""What the clocks of a case said from `at_ms` on: `due_ms`, `stage_due_ms`; the case."""
Sent = tuple[int, str | None, str | None]
"""To whom a case was sent at `at_ms`: department, officer. All three are read by the million."""


class Check(NamedTuple):
    """A check of a fix reported done at `claimed_ms`: sent back or not. `round` of the case."""

    at_ms: int
    claimed_ms: int
    is_present: bool
    round: int


class Story(NamedTuple):
    """What the history of one case comes to: its rounds, oldest first, and its checks."""

    rounds: list[CaseFacts]
    checks: list[Check]


class _Round:
    """One round while its history is read; the names are those of CaseFacts."""

    __slots__ = (
        "check_due_ms", "check_late", "checked_ms", "closed_ms", "corrections", "dispatch_due_ms",
        "dispatched_ms", "due_ms", "extensions", "file_late", "filed_ms", "handled_ms",
        "passed_up", "reopened_ms", "reported_ms", "returns", "reworks", "round", "state",
        "verified_report_ms", "verify_report_due_ms",
    )  # fmt: skip

    def __init__(self, number: int) -> None:
        """Nothing has happened yet."""
        self.round = number
        self.state = State.REPORTED
        self.file_late = self.check_late = self.passed_up = False
        self.reworks = self.returns = self.corrections = self.extensions = 0
        self.reported_ms: int | None = None
        self.filed_ms: int | None = None
        self.verify_report_due_ms: int | None = None
        self.verified_report_ms: int | None = None
        self.dispatch_due_ms: int | None = None
        self.dispatched_ms: int | None = None
        self.due_ms: int | None = None
        self.handled_ms: int | None = None
        self.check_due_ms: int | None = None
        self.checked_ms: int | None = None
        self.closed_ms: int | None = None
        self.reopened_ms: int | None = None

    def facts(self, about: dict[str, Any]) -> CaseFacts:
        """As a value, with what does not change of the case."""
        return CaseFacts(**about, **dict(zip(self.__slots__, _ALL_OF(self), strict=True)))


_ALL_OF = attrgetter(*_Round.__slots__)
# The words of the audit as they are compared, a million times over.
_REPORTED, _VERIFYING_REPORT = State.REPORTED.value, State.VERIFYING_REPORT.value
_FILED, _DISPATCHED, _REOPENED = State.FILED.value, State.DISPATCHED.value, State.REOPENED.value
_HANDLED, _VERIFYING_RESULT = State.HANDLED.value, State.VERIFYING_RESULT.value
_REWORK, _CLOSED = State.REWORK.value, State.CLOSED.value
_STATES = {state.value: state for state in State}
_BEFORE_FILING = frozenset(state.value for state in BEFORE_FILING)
_TO_CHECK = frozenset({_HANDLED, _VERIFYING_RESULT})


def story(
    about: dict[str, Any],
    turns: Sequence[Turn],
    said: Sequence[Said],
    sent: Sequence[Sent] = (),
) -> Story:
    """Read the history of a case, each record in order of time.

    `about`: fields of CaseFacts that its history does not change.
    """
    rounds: list[CaseFacts] = []
    checks: list[Check] = []
    now = _Round(1)
    due_ms = stage_due_ms = None
    heard = told = 0
    for turn in turns:
        at_ms, action, before, after, _, _ = turn
        moves = before != after
        if action == "reopen":
            now.reopened_ms = at_ms
            rounds.append(now.facts(about))
            now = _Round(now.round + 1)
        elif moves:
            _leave(now, turn, stage_due_ms, checks)
        # Every change of state has its own word of the clocks, even two in one millisecond.
        takes_one = moves
        while heard < len(said) and (
            said[heard][0] < at_ms or (takes_one and said[heard][0] == at_ms)
        ):
            said_ms, due_ms, stage_due_ms, _ = said[heard]
            takes_one &= said_ms < at_ms
            heard += 1
        while told < len(sent) and sent[told][0] <= at_ms:
            _, department, officer = sent[told]
            about = {**about, "department": department, "officer": officer}
            told += 1
        if moves:
            _enter(now, turn, stage_due_ms)
        elif action == GRANTED_EXTENSION:
            now.extensions += 1
        elif action == PASSED_UP:
            now.passed_up = True
        if now.dispatched_ms is not None and due_ms is not None:
            now.due_ms = due_ms
    _hear_out(now, said[heard:])
    rounds.append(now.facts(about))
    return Story(rounds, checks)


def _hear_out(now: _Round, said: Sequence[Said]) -> None:
    """A deadline may move without a step: an extension that was granted."""
    moved = [due_ms for _, due_ms, _, _ in said if due_ms is not None]
    if now.dispatched_ms is not None and moved:
        now.due_ms = moved[-1]


def _leave(now: _Round, turn: Turn, stage_due_ms: int | None, checks: list[Check]) -> None:
    at_ms, _, before, after, _, _ = turn
    is_late = stage_due_ms is not None and at_ms > stage_due_ms
    if before in _BEFORE_FILING:
        now.file_late |= is_late
        if before == _VERIFYING_REPORT:
            now.verified_report_ms = at_ms
    elif before in _TO_CHECK:
        now.check_late |= is_late
        if before == _VERIFYING_RESULT:
            now.checked_ms = at_ms
            claimed_ms = now.handled_ms or at_ms
            checks.append(Check(at_ms, claimed_ms, after == _REWORK, now.round))


def _enter(now: _Round, turn: Turn, stage_due_ms: int | None) -> None:
    at_ms, action, before, after, _, _ = turn
    now.state = _STATES[after]
    now.returns += action == "return"
    now.corrections += action == "correct"
    if after == _REPORTED:
        now.reported_ms = at_ms
    elif after == _VERIFYING_REPORT:
        now.verify_report_due_ms = stage_due_ms
    elif after == _FILED and before in _BEFORE_FILING:
        now.filed_ms, now.dispatch_due_ms = at_ms, stage_due_ms
    elif after == _REOPENED:
        now.dispatch_due_ms = stage_due_ms
    elif after == _DISPATCHED and now.dispatched_ms is None:
        now.dispatched_ms = at_ms
    elif after == _HANDLED:
        now.handled_ms, now.check_due_ms, now.checked_ms = at_ms, stage_due_ms, None
    elif after == _VERIFYING_RESULT:
        now.check_due_ms = stage_due_ms
    elif after == _REWORK:
        now.handled_ms = None
        now.reworks += 1
    elif after == _CLOSED:
        now.closed_ms = at_ms
