"""The record of an administrative penalty (行政处罚程序): eleven steps, and its public part.

The steps are the paper's (安政发〔2020〕20号). What keeps them apart is the Administrative Penalty
Law of 2021: two officers at least investigate (art. 42), who investigated does not review (art.
58), a hearing is held where the penalty gives the right to one and the party asks within five
working days of being told (art. 63, 64, 85).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.calendar.limit import TimeLimit, Unit
from hub.calendar.work_calendar import WorkCalendar
from hub.errors import ANOTHER_PERSON, HubError
from hub.personal import IDENTITY, PHONE
from wire.coded import coded

HEARING_MAY_BE_ASKED = TimeLimit(5, Unit.WORK_DAY)
LEAST_OFFICERS = 2


class Procedure(StrEnum):
    """登记、立案、调查取证、联合执法、审查、告知、听证、决定、送达、申请强制执行、备案."""

    REGISTER = "register"
    FILE = "file"
    INVESTIGATE = "investigate"
    JOINT_ENFORCEMENT = "joint_enforcement"
    REVIEW = "review"
    NOTIFY = "notify"
    HEARING = "hearing"
    DECIDE = "decide"
    SERVE = "serve"
    ENFORCE = "enforce"
    RECORD = "record"


NAMES_ZH = dict(
    zip(
        Procedure,
        [
            "登记",
            "立案",
            "调查取证",
            "联合执法",
            "审查",
            "告知",
            "听证",
            "决定",
            "送达",
            "申请强制执行",
            "备案",
        ],
        strict=True,
    )
)
FOLLOWING: dict[Procedure | None, tuple[Procedure, ...]] = {
    None: (Procedure.REGISTER,),
    Procedure.REGISTER: (Procedure.FILE,),
    Procedure.FILE: (Procedure.INVESTIGATE,),
    Procedure.INVESTIGATE: (Procedure.JOINT_ENFORCEMENT, Procedure.REVIEW),
    Procedure.JOINT_ENFORCEMENT: (Procedure.REVIEW,),
    Procedure.REVIEW: (Procedure.NOTIFY, Procedure.INVESTIGATE),
    Procedure.NOTIFY: (Procedure.HEARING, Procedure.DECIDE),
    Procedure.HEARING: (Procedure.DECIDE,),
    Procedure.DECIDE: (Procedure.SERVE,),
    Procedure.SERVE: (Procedure.ENFORCE, Procedure.RECORD),
    Procedure.ENFORCE: (Procedure.RECORD,),
    Procedure.RECORD: (),
}
"""Which step may follow which; a review may send it back to the investigation."""


class BadProcedure(HubError):
    """A step or a text that is not allowed; `code` is fixed."""

    def __init__(self, code: str, message: str, allowed: str) -> None:
        """Keep what the answer will say."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken. `document`: number or address of its paper (文书).

    `officers`: who investigated. `hearing_applies`: said when the party is told. `waived`: it gave
    the hearing up in writing.
    """

    step: Procedure
    at: datetime
    by: str
    document: str = ""
    note: str = ""
    officers: tuple[str, ...] = ()
    hearing_applies: bool | None = None
    waived: bool = False


@dataclass(frozen=True, slots=True)
class PublicText:
    """What all may read (执法依据、事项、裁量基准、结果); the procedure is the steps' dates."""

    basis: str = ""
    matter: str = ""
    discretion: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True)
class Enforcement:
    """The record of one case. `party`: whom it is about, shown to those who work on it."""

    case_id: int
    version: int
    party: str
    steps: tuple[Taken, ...] = ()
    text: PublicText = PublicText()
    published_at: datetime | None = None
    published_by: str | None = None

    @property
    def last(self) -> Procedure | None:
        """The step taken last."""
        return self.steps[-1].step if self.steps else None

    @property
    def following(self) -> tuple[Procedure, ...]:
        """The steps that may follow; no hearing where none applies."""
        return tuple(
            step
            for step in FOLLOWING[self.last]
            if step is not Procedure.HEARING or self.hearing_applies
        )

    @property
    def hearing_applies(self) -> bool:
        """Whether the party was told of its right to a hearing, the last time it was told."""
        told = latest(self.steps, Procedure.NOTIFY)
        return told is not None and bool(told.hearing_applies)


def latest(steps: Sequence[Taken], step: Procedure) -> Taken | None:
    """The last time a step was taken."""
    return next((each for each in reversed(steps) if each.step is step), None)


def may_take(record: Enforcement, wanted: Taken, calendar: WorkCalendar) -> None:
    """Raises BadProcedure unless the step may be taken now, by this person, with this paper."""
    if wanted.step is Procedure.HEARING and not record.hearing_applies:
        message = coded("no_hearing_right", "the party was not told of a right to a hearing")
        raise BadProcedure("no_hearing", message, _words(record.following))
    if wanted.step not in record.following:
        after = NAMES_ZH[record.last] if record.last else "nothing"
        message = coded(
            "document_order",
            "{name} ({step}) does not follow {after}",
            name=NAMES_ZH[wanted.step],
            step=wanted.step,
            after=after,
        )
        raise BadProcedure("illegal_step", message, _words(record.following))
    if wanted.step is not Procedure.REGISTER and not wanted.document.strip():
        message = coded(
            "document_paper",
            "{name} ({step}) without its paper",
            name=NAMES_ZH[wanted.step],
            step=wanted.step,
        )
        raise BadProcedure(
            "document_needed", message, coded("document_number", "document: its number or address")
        )
    if wanted.step is Procedure.INVESTIGATE:
        _check_officers(wanted)
    if wanted.step is Procedure.REVIEW:
        _check_reviewer(record, wanted)
    if wanted.step is Procedure.NOTIFY and wanted.hearing_applies is None:
        message = coded("hearing_said", "hearing_applies: has the party a right to a hearing")
        raise BadProcedure("hearing_unsaid", message, coded("yes_or_no", "true or false"))
    if wanted.step is Procedure.DECIDE:
        _check_hearing(record, wanted, calendar)


def may_publish(record: Enforcement, text: PublicText) -> None:
    """Raises BadProcedure unless the text may be read by everybody."""
    if latest(record.steps, Procedure.SERVE) is None:
        message = coded("not_served", "the decision was not served")
        raise BadProcedure("not_served", message, coded("after_serving", "after the step serve"))
    for name in ("basis", "matter", "result"):
        if not getattr(text, name).strip():
            raise BadProcedure(
                "text_missing",
                coded("is_empty", "{name} is empty", name=name),
                coded("basis_matter_result", "basis, matter and result"),
            )
    for name in ("basis", "matter", "discretion", "result"):
        said = getattr(text, name)
        for what, found in (
            (coded("partys_name", "the party's name"), record.party.strip() in said),
            (coded("a_phone", "a telephone number"), PHONE.search(said) is not None),
            (coded("an_identity", "an identity number"), IDENTITY.search(said) is not None),
        ):
            if found:
                message = coded("personal_in", "{name} has {what} in it", name=name, what=what)
                raise BadProcedure(
                    "personal_data", message, coded("no_personal", "no personal data of the party")
                )


def _check_officers(wanted: Taken) -> None:
    names = {name.strip() for name in wanted.officers} - {""}
    if len(names) < LEAST_OFFICERS:
        message = coded(
            "officers_are", "officers: {names}", names=", ".join(sorted(names)) or "nobody"
        )
        raise BadProcedure(
            "two_officers", message, coded("two_people", "two different officers or more")
        )


def _check_reviewer(record: Enforcement, wanted: Taken) -> None:
    asked = [each for each in record.steps if each.step is Procedure.INVESTIGATE]
    if wanted.by in {name for each in asked for name in (each.by, *each.officers)}:
        message = coded("own_review", "{who} investigated it and does not review it", who=wanted.by)
        raise BadProcedure("not_your_step", message, ANOTHER_PERSON)


def _check_hearing(record: Enforcement, wanted: Taken, calendar: WorkCalendar) -> None:
    """Where a hearing applies: held, given up, or not asked for in five working days."""
    if record.last is not Procedure.NOTIFY or not record.hearing_applies or wanted.waived:
        return
    told = record.steps[-1]
    until = calendar.due(told.at, HEARING_MAY_BE_ASKED).at
    if wanted.at <= until:
        message = coded(
            "hearing_until",
            "the party may ask for a hearing until {until:%Y-%m-%d %H:%M} UTC",
            until=until,
        )
        raise BadProcedure(
            "hearing_open", message, coded("hearing_ways", "later, a hearing, or waived in writing")
        )


def _words(steps: Sequence[Procedure]) -> str:
    return ", ".join(steps) or "nothing more"
