"""Reports in the database: one row each, whatever their channel; the same one again updates it."""

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    bindparam,
    false,
    func,
    select,
    update,
)
from sqlalchemy.engine import Connection, Row

from hub.intake.report import Channel, NewReport, Report, ReportState
from hub.intake.sealing import Seal
from hub.store import GridPath, Instant, count_on, metadata

reports = Table(
    "reports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", String(32), nullable=False, unique=True),
    Column("state", String(12), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("external_system", String(64), nullable=False),
    Column("external_id", String(128), nullable=False),
    Column("content", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("matter", String(5)),
    Column("category_hint", String(200), nullable=False),
    Column("place_text", String(500), nullable=False),
    Column("lat", Float),
    Column("lon", Float),
    Column("path", GridPath, nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("confidential", Boolean, nullable=False),
    Column("generated", Boolean, nullable=False, server_default=false()),
    Column("wants_reply", Boolean, nullable=False),
    Column("reply_due_at", Instant),
    Column("caller", LargeBinary, nullable=False),
    Column("files", Text, nullable=False),
    Column("case_id", Integer, index=True),
    Column("reason", String(500), nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered_at", Instant),
    Column("updated_at", Instant, nullable=False),
    Index("ix_reports_external", "external_system", "external_id"),
    Index("ix_reports_received_at", "received_at"),
)
numbers = Table(
    "report_numbers",
    metadata,
    Column("day", String(8), primary_key=True),
    Column("last", Integer, nullable=False),
)

# Built once: they run for every report.
_SAVE = update(reports).where(reports.c.id == bindparam("report_id"))
_KNOWN = (
    select(reports)
    .where(
        reports.c.external_system == bindparam("system"),
        reports.c.external_id == bindparam("external_id"),
    )
    .with_for_update()
)
_ADD = reports.insert()

_PLAIN = (
    "content", "received_at", "external_system", "external_id", "matter", "category_hint",
    "place_text", "lat", "lon", "urgency", "confidential", "generated", "wants_reply",
    "reply_due_at",
)  # fmt: skip


class Numbering:
    """Numbers of the site's day for reports, such as AKR20261128-00001.

    While the transaction lasts nobody else takes a report in: one told twice is found.
    """

    def __init__(self, tx: Connection, prefix: str, at: datetime, zone: ZoneInfo) -> None:
        """Begin where the day stands."""
        self._day = at.astimezone(zone).strftime("%Y%m%d")
        self._prefix = f"{prefix}R{self._day}-"
        self._last = count_on(tx, numbers, self._day, 0)
        self._taken = 0

    def new(self) -> str:
        """The next number."""
        self._taken += 1
        return f"{self._prefix}{self._last + self._taken:05d}"

    def keep(self, tx: Connection) -> None:
        """What was taken is gone for everybody."""
        if self._taken:
            count_on(tx, numbers, self._day, self._taken)


def known(tx: Connection, seal: Seal, system: str, external_id: str) -> Report | None:
    """The report that another system sent before under this id."""
    if not external_id:
        return None
    row = tx.execute(_KNOWN, {"system": system, "external_id": external_id}).one_or_none()
    return None if row is None else to_report(row, seal)


def add(tx: Connection, seal: Seal, report: Report) -> Report:
    """Store a new report; returns it with its id."""
    values = _row(seal, report)
    key = tx.execute(_ADD, values).inserted_primary_key
    return replace(report, id=key[0] if key else 0)


def save(tx: Connection, seal: Seal, report: Report) -> None:
    """Overwrite a report."""
    tx.execute(_SAVE, {**_row(seal, report), "report_id": report.id})


def lock(tx: Connection, seal: Seal, number: str) -> Report | None:
    """A report by its number, kept from others until the transaction ends."""
    found = select(reports).where(reports.c.number == number).with_for_update()
    row = tx.execute(found).one_or_none()
    return None if row is None else to_report(row, seal)


def by_number(tx: Connection, seal: Seal, number: str) -> Report | None:
    """A report by its number."""
    row = tx.execute(select(reports).where(reports.c.number == number)).one_or_none()
    return None if row is None else to_report(row, seal)


def load(tx: Connection, seal: Seal, ids: Collection[int]) -> dict[int, Report]:
    """Reports by id."""
    found = tx.execute(select(reports).where(reports.c.id.in_(ids)))
    return {row.id: to_report(row, seal) for row in found}


def of_cases(tx: Connection, seal: Seal, cases: Collection[int]) -> dict[int, list[Report]]:
    """The reports of cases, first come first."""
    found = select(reports).where(reports.c.case_id.in_(cases)).order_by(reports.c.id)
    listed: dict[int, list[Report]] = {case: [] for case in cases}
    for row in tx.execute(found):
        listed[row.case_id].append(to_report(row, seal))
    return listed


@dataclass(frozen=True, slots=True)
class Sign:
    """By what a report is known, here and to the system that it came from; nothing of its text."""

    number: str
    channel: str
    external_system: str
    external_id: str


def answered_at(tx: Connection, cases: Collection[int]) -> dict[tuple[int, datetime], list[Sign]]:
    """The reports of cases that were answered, by case and moment; nobody's data is unsealed."""
    report = reports.c
    found = select(
        report.case_id, report.answered_at, report.number, report.channel,
        report.external_system, report.external_id,
    ).where(report.case_id.in_(cases), report.answered_at.is_not(None))  # fmt: skip
    signs: dict[tuple[int, datetime], list[Sign]] = {}
    for case_id, at, *sign in tx.execute(found.order_by(report.id)):
        signs.setdefault((case_id, at), []).append(Sign(*sign))
    return signs


def counts_of_cases(tx: Connection, cases: Collection[int]) -> dict[int, int]:
    """How many reports each case has; cases without any are not named."""
    found = select(reports.c.case_id, func.count().label("n")).where(reports.c.case_id.in_(cases))
    return {row.case_id: row.n for row in tx.execute(found.group_by(reports.c.case_id))}


def owed_a_reply(tx: Connection, cases: Collection[int]) -> set[int]:
    """Those of the cases with a reporter who wants an answer and has none."""
    wanted = list(cases)
    found: set[int] = set()
    for start in range(0, len(wanted), 5000):
        part = reports.c.case_id.in_(wanted[start : start + 5000])
        owed = part & reports.c.wants_reply & reports.c.answered_at.is_(None)
        found |= set(tx.execute(select(reports.c.case_id).where(owed)).scalars())
    return found


def move_to_case(tx: Connection, from_case: int, to_case: int) -> None:
    """The reports of a case that was merged into another."""
    moved = update(reports).where(reports.c.case_id == from_case)
    tx.execute(moved.values(case_id=to_case))


def to_report(row: Row[tuple[object, ...]], seal: Seal) -> Report:
    """A row as the value it stands for."""
    new = NewReport(
        channel=Channel(row.channel),
        caller=seal.open(bytes(row.caller)),
        files=tuple(json.loads(row.files)),
        **{name: getattr(row, name) for name in _PLAIN},
    )
    return Report(
        row.id, row.number, ReportState(row.state), new, row.path, row.case_id, row.reason,
        row.answer, row.answered_at, row.updated_at,
    )  # fmt: skip


def _row(seal: Seal, report: Report) -> dict[str, object]:
    new = report.new
    return {
        **{name: getattr(new, name) for name in _PLAIN},
        "number": report.number,
        "state": report.state.value,
        "channel": new.channel.value,
        "path": report.path,
        "caller": seal.close(new.caller),
        "files": json.dumps(new.files),
        "case_id": report.case_id,
        "reason": report.reason,
        "answer": report.answer,
        "answered_at": report.answered_at,
        "updated_at": report.updated_at,
    }
