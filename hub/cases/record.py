"""Records of a case beside its states: what was asked, granted, demanded, answered.

Extension (延期), suspension (挂账), joint handling (联合处置), supervision (督办), escalation
(上报), dual report (双报告), making safe (应急处置), settling who owns it (责任认定), whom the
department sends and calls back (派员、撤回). Each rule says in one error what is wrong; none
changes a case's state but through a step of its table.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub.calendar.limit import TimeLimit, Unit
from hub.cases.case import Case, State, case_is, was_due
from hub.cases.clock import Clock
from hub.errors import ANOTHER_PERSON, HubError
from hub.roles import Actor, Role, too_little
from wire.coded import coded

MOST_EXTENSIONS = 2
MOST_SUSPENSIONS = 1
LONGEST_SUSPENSION = timedelta(days=366)
ANSWERED_WITHIN = timedelta(days=3)
"""How long an opinion is waited for where nobody said until when."""
OPINION_LIMIT = TimeLimit(2, Unit.WORK_DAY)
"""What a partner of a joint handling has where the step names no end."""
READ_LIMIT = TimeLimit(1, Unit.WORK_DAY)
"""How soon both addressees of a dual report say that they have read it."""
RUNNING = frozenset({State.DISPATCHED, State.HANDLING, State.JOINT, State.REWORK})
"""States in which a department has the work and the clock runs."""
SUSPENDABLE = frozenset({State.HANDLING, State.JOINT, State.REWORK})


class Kind(StrEnum):
    """What a record is."""

    EXTENSION = "extension"
    SUSPENSION = "suspension"
    JOINT = "joint"
    SUPERVISION = "supervision"
    ESCALATION = "escalation"
    DUAL_REPORT = "dual_report"
    MADE_SAFE = "made_safe"
    SETTLEMENT = "settlement"
    ASSIGNMENT = "assignment"
    WITHDRAWAL = "withdrawal"


class RecordState(StrEnum):
    """How a record stands: `asked` waits for a decision, `open` for an answer.

    `missed`: the time to answer ran out and the case went on without it. `lapsed`: the case ended
    before anybody decided or answered.
    """

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    OPEN = "open"
    ANSWERED = "answered"
    DONE = "done"
    MISSED = "missed"
    LAPSED = "lapsed"


class SuspensionReason(StrEnum):
    """Why works must wait."""

    SEASON = "season"
    PROJECT = "project"
    FUNDS = "funds"
    LAWSUIT = "lawsuit"
    OTHER = "other"


DECIDED = frozenset({Kind.EXTENSION, Kind.SUSPENSION})
"""What somebody else approves or refuses."""
ANSWERABLE = frozenset({Kind.JOINT, Kind.SUPERVISION, Kind.DUAL_REPORT})
WAITING = frozenset({RecordState.ASKED, RecordState.OPEN})


SUSPEND_IN_TIME = coded(
    "suspend_in_time", "only a case whose time has not run out may be suspended"
)


class NotNow(HubError):
    """A record that is not allowed as the case stands; `code` is fixed."""

    def __init__(self, code: str, message: str, allowed: str, *, forbidden: bool = False) -> None:
        """Keep what the answer will say."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.allowed = allowed
        self.forbidden = forbidden


@dataclass(frozen=True, slots=True)
class Record:
    """One record; times UTC.

    `until`: the end of a suspension, when an answer or opinion is due, an extended deadline.
    `department`: partner, addressee, or whom it was settled on. `extra`: what an extension adds.
    `reason`: of a suspension; whom a dual report goes to. `person`: who of the duty table that is,
    by id. `overdue_at`: said that no answer came in time. `from_level`, `to_level`: of grids.
    `decision`: what was said when it was decided or answered.
    """

    id: int
    case_id: int
    kind: Kind
    state: RecordState
    at: datetime
    by: str
    note: str = ""
    until: datetime | None = None
    department: str | None = None
    extra: TimeLimit | None = None
    reason: str = ""
    from_level: int | None = None
    to_level: int | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    decision: str = ""
    person: str | None = None
    overdue_at: datetime | None = None

    @property
    def answer_due(self) -> datetime:
        """Until when an answer is waited for."""
        return self.until or self.at + ANSWERED_WITHIN


def of_kind(known: Iterable[Record], kind: Kind, *states: RecordState) -> list[Record]:
    """The records of a kind, in any of the states; all of it where none is named."""
    return [each for each in known if each.kind is kind and (not states or each.state in states)]


def may_extend(case: Case, clock: Clock, known: Sequence[Record], at: datetime) -> None:
    """Raises NotNow unless an extension may be asked for: before the deadline, twice at most."""
    due = _running(case, clock, coded("done_extended", "extended"))
    if at >= due:
        raise NotNow(
            "too_late",
            was_due(case, due),
            coded("extension_before", "an extension is asked for before the deadline"),
        )
    _none_waits(case, known, Kind.EXTENSION)
    granted = [
        each
        for each in of_kind(known, Kind.EXTENSION, RecordState.APPROVED)
        if clock.started_at is not None and each.at >= clock.started_at
    ]
    if len(granted) >= MOST_EXTENSIONS:
        message = coded(
            "extended_times",
            "case {number} was extended {count} times",
            number=case.number,
            count=len(granted),
        )
        raise NotNow(
            "used_up",
            message,
            coded(
                "most_extensions", "at most {most} extensions of one limit", most=MOST_EXTENSIONS
            ),
        )


def may_suspend(
    case: Case, clock: Clock, known: Sequence[Record], *, until: datetime | None, at: datetime
) -> None:
    """Raises NotNow unless a suspension until then may be asked for: once, a year at most."""
    if case.state not in SUSPENDABLE:
        allowed = ", ".join(sorted(SUSPENDABLE))
        raise NotNow(
            "illegal_record",
            case_is(case),
            coded("a_case_that", "a case {state}", state=allowed),
        )
    due = _running(case, clock, coded("done_suspended", "suspended"))
    if at > due:
        raise NotNow(
            "overdue",
            was_due(case, due),
            SUSPEND_IN_TIME,
        )
    _none_waits(case, known, Kind.SUSPENSION)
    before = of_kind(known, Kind.SUSPENSION, RecordState.APPROVED, RecordState.DONE)
    if len(before) >= MOST_SUSPENSIONS:
        message = coded(
            "suspended_before", "case {number} was suspended already", number=case.number
        )
        raise NotNow(
            "used_up",
            message,
            coded("most_suspensions", "{most} suspension of one case", most=MOST_SUSPENSIONS),
        )
    if until is None or not at < until <= at + LONGEST_SUSPENSION:
        given = f"{until:%Y-%m-%d %H:%M} UTC" if until else "no end"
        raise NotNow(
            "bad_end",
            coded("until_given", "until: {until}", until=given),
            coded("until_a_year", "a moment after now, a year from now at most"),
        )


def _standing(record: Record) -> str:
    return coded(
        "record_is",
        "record {id} ({record}) is {state}",
        id=record.id,
        record=record.kind,
        state=record.state,
    )


def may_decide(record: Record, actor: Actor) -> None:
    """Raises NotNow unless this person may approve or refuse a record that waits for it."""
    if record.kind not in DECIDED or record.state is not RecordState.ASKED:
        raise NotNow(
            "not_waiting", _standing(record), coded("asked_record", "a record that is asked for")
        )
    if message := too_little(actor, Role.SUPERVISOR):
        raise NotNow("forbidden", message, ANOTHER_PERSON, forbidden=True)
    if actor.name == record.by:
        message = coded("asked_himself", "{who} asked for it himself", who=actor.name)
        raise NotNow("forbidden", message, ANOTHER_PERSON, forbidden=True)


def may_answer(record: Record) -> None:
    """Raises NotNow unless a record waits for an answer."""
    if record.kind not in ANSWERABLE or record.state is not RecordState.OPEN:
        raise NotNow(
            "not_waiting",
            _standing(record),
            coded("open_record", "a record that waits for an answer"),
        )


def may_escalate(case: Case) -> int:
    """The level a case goes up to, 1 the whole city.

    Raises NotNow where nobody has it, or nobody is above.
    """
    if case.state not in RUNNING or case.at_level is None:
        raise NotNow(
            "illegal_record",
            case_is(case),
            coded("handled_case", "a case being handled"),
        )
    if case.at_level <= 1:
        message = coded("top_level", "case {number} is at level 1 already", number=case.number)
        raise NotNow("illegal_record", message, coded("lower_level", "a case at level 2 or 3"))
    return case.at_level - 1


def may_supervise(case: Case, until: datetime | None, at: datetime) -> None:
    """Raises NotNow unless an answer may be demanded until then."""
    if not case.is_open or case.stage in ("collect", "file"):
        raise NotNow(
            "illegal_record",
            case_is(case),
            coded("sent_case", "a case that was sent"),
        )
    if until is None or until <= at:
        raise NotNow(
            "bad_end",
            coded("answer_due", "until: when the answer is due"),
            coded("later_moment", "a moment after now"),
        )


def may_settle(case: Case, known: Sequence[Record]) -> None:
    """Raises NotNow unless it may be said who owns it: make safe first (先应急处置、后区分责任)."""
    if not case.ownerless:
        message = coded(
            "not_ownerless", "case {number} was not filed as ownerless", number=case.number
        )
        raise NotNow(
            "illegal_record", message, coded("ownerless_case", "a case filed with ownerless")
        )
    if not of_kind(known, Kind.MADE_SAFE):
        message = coded("unsafe_yet", "case {number} was not made safe yet", number=case.number)
        raise NotNow(
            "make_safe_first", message, coded("made_safe_before", "a record made_safe before")
        )
    if of_kind(known, Kind.SETTLEMENT):
        raise NotNow(
            "used_up",
            coded("settled_before", "case {number} was settled already", number=case.number),
            coded("one_settlement", "one settlement"),
        )


def silent(known: Iterable[Record], at: datetime, *, overdue: bool) -> list[Record]:
    """Partners whose opinion is missing, before their time is over or after it."""
    waited = of_kind(known, Kind.JOINT, RecordState.OPEN)
    return [each for each in waited if (each.answer_due <= at) is overdue]


def is_assigned(case: Case, known: Iterable[Record]) -> bool:
    """Whether the department that has the case has sent somebody and not called him back."""
    moves = [each for each in known if each.kind in (Kind.ASSIGNMENT, Kind.WITHDRAWAL)]
    if not moves or moves[-1].kind is not Kind.ASSIGNMENT:
        return False
    return moves[-1].department == case.department and case.officer is not None


def may_assign(case: Case, known: Sequence[Record], kind: Kind) -> None:
    """Raises NotNow unless the department may send somebody, or call him back."""
    if case.state not in RUNNING:
        message = case_is(case)
        raise NotNow(
            "illegal_record", message, coded("department_case", "a case that a department has")
        )
    if kind is Kind.WITHDRAWAL and not is_assigned(case, known):
        message = coded(
            "nobody_sent", "case {number}: its department has sent nobody", number=case.number
        )
        raise NotNow("illegal_record", message, coded("assignment_before", "an assignment before"))


def may_return(case: Case, known: Sequence[Record]) -> None:
    """Raises NotNow while somebody is on his way: he is called back first."""
    if is_assigned(case, known):
        message = coded(
            "sent_out",
            "case {number}: {who} was sent and not called back",
            number=case.number,
            who=case.officer,
        )
        raise NotNow(
            "withdraw_first", message, coded("withdrawal_first", "a record withdrawal first")
        )


def may_report_done(case: Case, known: Sequence[Record], power: int, at: datetime) -> None:
    """Raises NotNow while something keeps a department from reporting a case done.

    A partner that has let its time run out keeps nobody.
    """
    if waited := silent(known, at, overdue=False):
        names = ", ".join(
            f"{each.department} (until {each.answer_due:%Y-%m-%d %H:%M} UTC)" for each in waited
        )
        message = coded(
            "opinions_awaited",
            "case {number}: no opinion yet of {names}",
            number=case.number,
            names=names,
        )
        raise NotNow(
            "opinions_missing",
            message,
            coded("each_opinion", "each partner's opinion, or later without it"),
        )
    if case.ownerless and not of_kind(known, Kind.MADE_SAFE):
        message = coded(
            "ownerless_unsafe",
            "case {number} is ownerless and was not made safe",
            number=case.number,
        )
        raise NotNow(
            "make_safe_first", message, coded("made_safe_first", "a record made_safe first")
        )
    if case.at_level is not None and case.at_level > power:
        message = coded(
            "level_settles",
            "case {number} is at level {level}, level {power} settles it",
            number=case.number,
            level=case.at_level,
            power=power,
        )
        raise NotNow("above_power", message, coded("escalate_first", "escalate it first"))


def may_close(case: Case, known: Sequence[Record]) -> None:
    """Raises NotNow while a supervision has no answer."""
    if of_kind(known, Kind.SUPERVISION, RecordState.OPEN):
        message = coded(
            "supervision_open",
            "case {number} is under supervision and nobody has answered",
            number=case.number,
        )
        raise NotNow("unanswered", message, coded("answer_first", "answer the supervision first"))


def _running(case: Case, clock: Clock, done: str) -> datetime:
    """The deadline of a clock that runs."""
    if case.state not in RUNNING or clock.due_at is None or clock.done_at is not None:
        message = coded(
            "time_fixed",
            "case {number} is {state}; its time cannot be {done}",
            number=case.number,
            state=case.state,
            done=done,
        )
        raise NotNow(
            "illegal_record",
            message,
            coded("running_case", "a case being handled, its clock running"),
        )
    return clock.due_at


def _none_waits(case: Case, known: Sequence[Record], kind: Kind) -> None:
    if of_kind(known, kind, RecordState.ASKED):
        message = coded(
            "waits_already",
            "case {number}: an earlier {record} waits for its decision",
            number=case.number,
            record=kind,
        )
        raise NotNow("waiting", message, coded("decide_first", "decide that one first"))
