"""A case is sent: whom the rules propose, who it went to, and that it went wrong."""

from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from hub.calendar import store as calendar_store
from hub.calendar.work_calendar import WorkCalendar
from hub.cases import dispatch_store
from hub.cases.case import Case, State, WantedStep
from hub.cases.dispatch import Explanation, Question, explain
from hub.cases.dispatch_store import Dispatch
from hub.departments.api import in_force
from hub.duty import on_duty
from hub.roles import Actor


@dataclass(frozen=True)
class Proposal:
    """A department and a person with the explanation; None where no rule holds."""

    explanation: Explanation
    department: str | None
    officer: str | None

    @property
    def rule(self) -> int | None:
        """The version of the rule that wins."""
        winner = self.explanation.winner
        return None if winner is None else winner.rule.id


def propose(tx: Connection, question: Question, calendar: WorkCalendar) -> Proposal:
    """What the rules in force say of a case."""
    explanation = explain(question, dispatch_store.in_force(tx), calendar)
    if explanation.winner is None:
        return Proposal(explanation, None, None)
    to = explanation.winner.rule.to
    officer = to.officer or _on_duty(tx, to.role, question, calendar)
    return Proposal(explanation, to.department, officer)


def dispatched(
    tx: Connection, zone: ZoneInfo, before: Case, after: Case, *, wanted: WantedStep, actor: Actor
) -> Case:
    """A case after its dispatch, which is kept: to whom it names, else had it, else by rule."""
    at = after.updated_at
    proposal = propose(tx, Question.of(before, at), calendar_store.calendar(tx, zone))
    code = before.department or proposal.department
    if wanted.department is not None:
        code = in_force(tx, wanted.department).code
    by_rule = code is not None and code == proposal.department
    stays = code == before.department
    officer = (
        wanted.officer
        or (proposal.officer if by_rule else None)
        or (before.officer if stays else None)
    )
    rule = proposal.rule if by_rule else None
    _correct_last(tx, before, code, wanted.note, actor, at)
    made = Dispatch(before.id, at, actor.name, code, officer, rule)
    dispatch_store.note_dispatch(tx, made)
    return replace(after, department=code, officer=officer, dispatched_by_rule=rule)


def _correct_last(  # noqa: PLR0917 - who, what and when of one act
    tx: Connection, before: Case, code: str | None, reason: str, actor: Actor, at: datetime
) -> None:
    """Whoever had the case and has it no more was the wrong one, unless it is a new round."""
    last = dispatch_store.last_of(tx, before.id)
    if before.state is not State.REOPENED and last not in (None, code):
        dispatch_store.correct_last(tx, before.id, by=actor.name, at=at, reason=reason)


def with_nobody(case: Case) -> Case:
    """A case that is taken back from whom it was sent to."""
    return replace(case, department=None, officer=None, dispatched_by_rule=None)


def addressee(case: Case) -> str:
    """Who a case was sent to, as its history says it."""
    return " / ".join(filter(None, (case.department, case.officer)))


def _on_duty(tx: Connection, role: str, question: Question, calendar: WorkCalendar) -> str | None:
    if not role:
        return None
    roster = on_duty.load(tx)
    person = on_duty.on_duty(roster, role, question.path, question.at, calendar=calendar)
    return None if person is None else person.name
