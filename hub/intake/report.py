"""A report: what somebody told the city, through whatever channel (上报、投诉、线索).

One inner shape for every channel. A report is not yet a case: it joins the open case of the same
matter at the same place, or opens one; without a matter or a place it waits for the intake clerk.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from hub.matters import Matter, table


class Channel(StrEnum):
    """Where a report comes from."""

    PATROL = "patrol"
    PHONE = "phone"
    HOTLINE_12345 = "12345"
    HOTLINE_12319 = "12319"
    WECHAT = "wechat"
    APP = "app"
    FORM = "form"
    LETTER = "letter"
    MEDIA = "media"
    OPEN311 = "open311"
    PROPERTY = "property"


class ReportState(StrEnum):
    """Where a report is: with the clerk, in a case, or refused with a reason."""

    WAITING = "waiting"
    IN_CASE = "in_case"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who reported: personal data, kept encrypted and shown to few."""

    name: str = ""
    phone: str = ""
    email: str = ""

    def __bool__(self) -> bool:
        """Whether anything is known of them."""
        return bool(self.name or self.phone or self.email)

    @property
    def masked(self) -> str:
        """What most people see: 王*, 138****5678."""
        name = self.name[:1] + "*" * min(len(self.name[1:]), 2)
        digits = self.phone
        phone = f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 8 else "*" * len(digits)
        email = f"{self.email[:1]}***{self.email[at:]}" if (at := self.email.find("@")) > 0 else ""
        return " ".join(part for part in (name, phone, email) if part)


NOBODY = Caller()


@dataclass(frozen=True, slots=True)
class NewReport:
    """A report as it comes in. (`external_system`, `external_id`) is one report, sent again or not.

    `matter`: five digits, None when nobody has said yet. `urgency`: 1 general to 3 urgent.
    `reply_due_at`: the other system's clock, which is not the case's.
    """

    channel: Channel
    content: str
    received_at: datetime
    external_system: str = ""
    external_id: str = ""
    matter: str | None = None
    category_hint: str = ""
    place_text: str = ""
    lat: float | None = None
    lon: float | None = None
    urgency: int = 1
    confidential: bool = False
    generated: bool = False
    wants_reply: bool = False
    reply_due_at: datetime | None = None
    caller: Caller = NOBODY
    files: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[float, float] | None:
        """Where it is, WGS-84 degrees, when that is known."""
        return None if self.lat is None or self.lon is None else (self.lat, self.lon)


@dataclass(frozen=True, slots=True)
class Report:
    """A report that was stored. `number` is what the reporter is told."""

    id: int
    number: str
    state: ReportState
    new: NewReport = field(repr=False)
    path: tuple[str, ...]
    case_id: int | None
    reason: str
    answer: str
    answered_at: datetime | None
    updated_at: datetime


def matter_of(hint: str) -> Matter | None:
    """The matter that a category of another system names, by code or by its exact name."""
    wanted = hint.strip()
    return next(
        (m for m in table().matters if wanted and wanted in (m.code, m.name_zh, m.identifier)), None
    )
