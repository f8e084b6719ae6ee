"""A case is sent: whom the rules propose, who it went to, and that it went wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from hub.calendar import store as calendar_store
from hub.calendar.work_calendar import WorkCalendar
from hub.cases import dispatch_store, record_store
from hub.cases.case import Case, State, WantedStep
from hub.cases.dispatch import Explanation, Question, explain
from hub.cases.dispatch_store import Dispatch
from hub.cases.power import settling_level
from hub.departments import store as department_store
from hub.departments.api import in_force
from hub.departments.store import departments
from hub.duty import on_duty
from hub.errors import Problem
from hub.roles import Actor
from wire.coded import coded


@dataclass(frozen=True)
class Proposal:
    """A department and a person with the explanation; None where no rule holds.

    `by_territory`: an ownerless case goes to whoever serves the ground it lies on (属地管理).
    """

    explanation: Explanation
    department: str | None
    officer: str | None
    by_territory: bool = False

    @property
    def rule(self) -> int | None:
        """The version of the rule that wins."""
        winner = self.explanation.winner
        return None if winner is None or self.by_territory else winner.rule.id


def propose(
    tx: Connection, question: Question, calendar: WorkCalendar, *, ownerless: bool = False
) -> Proposal:
    """What the rules in force say of a case; of an ownerless one, whose ground it lies on."""
    if ownerless and (code := serving(tx, question.path)) is not None:
        return Proposal(Explanation(None), code, None, by_territory=True)
    explanation = explain(question, dispatch_store.in_force(tx), calendar)
    if explanation.winner is None:
        return Proposal(explanation, None, None)
    to = explanation.winner.rule.to
    officer = to.officer or _on_duty(tx, to.role, question, calendar)
    return Proposal(explanation, to.department, officer)


def dispatched(
    tx: Connection, zone: ZoneInfo, before: Case, after: Case, *, wanted: WantedStep, actor: Actor
) -> Case:
    """A case after its dispatch, which is kept: to whom it names, else had it, else by rule.

    A city that keeps no departments sends its cases to nobody by name. Raises Problem where it
    keeps some and none of them is meant.
    """
    at = after.updated_at
    calendar = calendar_store.calendar(tx, zone)
    proposal = propose(tx, Question.of(before, at), calendar, ownerless=before.ownerless)
    code = before.department or proposal.department
    if wanted.department is not None:
        code = in_force(tx, wanted.department).code
    if code is None and department_store.listed(tx, department_store.IN_FORCE):
        message = coded(
            "no_rule_fits",
            "case {number}: no rule says which department, and none is named",
            number=before.number,
        )
        raise Problem(
            422,
            "department_needed",
            message,
            coded("department_code", "department: a code of GET /api/departments"),
        )
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
    level = _level_of(tx, before, code)
    return replace(after, department=code, officer=officer, dispatched_by_rule=rule, at_level=level)


def serving(tx: Connection, path: Sequence[str]) -> str | None:
    """The department that serves the smallest grid of a path that has one; the first by code."""
    found = department_store.listed(tx, department_store.IN_FORCE, departments.c.grid.in_(path))
    served = {each.department.grid: each.department.code for each in reversed(found)}
    return next((served[grid] for grid in reversed(path) if grid in served), None)


def _level_of(tx: Connection, case: Case, code: str | None) -> int:
    """The level of grids a case is handled at: its department's, else the one that settles it."""
    known = department_store.one(tx, code) if code else None
    if known is not None and known.department.level is not None:
        return known.department.level
    return settling_level(case.matter, case.level, record_store.load_powers(tx))


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


def addressee(tx: Connection, case: Case) -> str:
    """Who a case was sent to, as its history says it: by the name that the department has then."""
    names = department_store.names(tx, [case.department])
    department = names.get(case.department or "", case.department)
    return " / ".join(filter(None, (department, case.officer)))


def _on_duty(tx: Connection, role: str, question: Question, calendar: WorkCalendar) -> str | None:
    if not role:
        return None
    roster = on_duty.load(tx)
    person = on_duty.on_duty(roster, role, question.path, question.at, calendar=calendar)
    return None if person is None else person.name
