"""What somebody must hear of records of cases, until he has said that he read it (已阅).

A dual report to him; a supervision (督办) that is his department's or his own to answer, and again
when its time is over; of one that he demanded the answer, or that none came in time.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, ColumnElement, Integer, String, Table, exists, or_, select
from sqlalchemy.engine import Connection

from hub.cases import record_store
from hub.cases.record import Kind, Record, RecordState
from hub.cases.record_store import records
from hub.cases.store import cases
from hub.store import Instant, insert_new, metadata

reads = Table(
    "case_record_reads",
    metadata,
    Column("record", Integer, primary_key=True, autoincrement=False),
    Column("who", String(64), primary_key=True),
    Column("news", String(16), primary_key=True),
    Column("at", Instant, nullable=False),
)


class News(StrEnum):
    """What is new of a record."""

    DUAL_REPORT = "dual_report"
    DEMANDED = "demanded"
    ANSWERED = "answered"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Reader:
    """Whom a record can be to: a user, the names a case knows him by, his departments.

    `people`: who of the duty table he is, by id.
    """

    name: str
    names: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()


def is_demanded_of(record: Record, officer: str | None, reader: Reader) -> bool:
    """Whether somebody has to answer a supervision."""
    return record.department in reader.departments or officer in reader.names


def news_of(record: Record, officer: str | None, reader: Reader) -> News | None:
    """What a record says to somebody. `officer`: who was sent to its case."""
    waits = record.state is RecordState.OPEN
    if record.kind is Kind.DUAL_REPORT:
        return News.DUAL_REPORT if waits and record.person in reader.people else None
    if record.kind is not Kind.SUPERVISION:
        return None
    if waits and is_demanded_of(record, officer, reader):
        return News.DEMANDED if record.overdue_at is None else News.OVERDUE
    if record.by != reader.name:
        return None
    if record.state is RecordState.ANSWERED:
        return News.ANSWERED
    return News.OVERDUE if waits and record.overdue_at is not None else None


def unread(
    tx: Connection, reader: Reader, visible: ColumnElement[bool]
) -> list[tuple[Record, News]]:
    """What somebody has still to read, oldest first. `visible`: of these cases alone."""
    here, waits = records.c, records.c.state == RecordState.OPEN.value
    dual = (here.kind == Kind.DUAL_REPORT.value) & waits & here.person.in_(reader.people)
    own = select(cases.c.id).where(cases.c.officer.in_(reader.names))
    demanded = waits & (here.department.in_(reader.departments) | here.case_id.in_(own))
    known = exists().where(
        reads.c.record == here.id,
        reads.c.who == reader.name,
        reads.c.news == News.ANSWERED.value,
    )
    answered = (here.state == RecordState.ANSWERED.value) & (here.by == reader.name) & ~known
    late = waits & (here.by == reader.name)
    which = or_(dual, (here.kind == Kind.SUPERVISION.value) & or_(demanded, answered, late))
    found = record_store.listed(tx, which & here.case_id.in_(select(cases.c.id).where(visible)))
    officers = _officers(tx, {record.case_id for record in found})
    said = _read(tx, [record.id for record in found], reader.name)
    told = ((each, news_of(each, officers.get(each.case_id), reader)) for each in found)
    return [(each, news) for each, news in told if news and (each.id, news) not in said]


def note_read(tx: Connection, record: Record, news: News, who: str, at: datetime) -> None:
    """Somebody has read it."""
    row = {"record": record.id, "who": who, "news": news.value, "at": at}
    insert_new(tx, reads, [row], ["record", "who", "news"])


def _officers(tx: Connection, ids: Collection[int]) -> dict[int, str | None]:
    found = select(cases.c.id, cases.c.officer).where(cases.c.id.in_(ids))
    return {row.id: row.officer for row in tx.execute(found)}


def _read(tx: Connection, ids: Sequence[int], who: str) -> set[tuple[int, str]]:
    found = select(reads.c.record, reads.c.news).where(reads.c.record.in_(ids), reads.c.who == who)
    return {(row.record, row.news) for row in tx.execute(found)}
