"""Schemes, entered scores and reports in the database."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
from sqlalchemy import (
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    func,
    select,
)
from sqlalchemy.engine import Connection, Row

from hub.evaluation.scheme import Scheme, Version
from hub.store import Instant, metadata

schemes = Table(
    "evaluation_schemes",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("by", String(100), nullable=False),
    Column("note", String(300), nullable=False),
    Column("body", Text, nullable=False),
)
scores = Table(
    "evaluation_scores",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", String(100), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject_kind", String(16), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("period", String(10), nullable=False),
    Column("score", Float, nullable=False),
    Column("note", String(500), nullable=False),
    Index("ix_evaluation_scores_period", "period", "kind"),
)
stored_reports = Table(
    "evaluation_reports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("period", String(10), nullable=False),
    Column("every", String(8), nullable=False),
    Column("as_of", Instant, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("by", String(100), nullable=False),
    Column("scheme", Integer, nullable=False),
    Column("form", String(4), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Index("ix_evaluation_reports_period", "period", "form"),
)

BUILT_IN = Version(0, Scheme())


def scheme_at(tx: Connection, at: datetime) -> Version:
    """The scheme in force at a moment."""
    newest = select(schemes).where(schemes.c.at <= at).order_by(schemes.c.version.desc()).limit(1)
    row = tx.execute(newest).one_or_none()
    return BUILT_IN if row is None else _version(row)


def versions(tx: Connection) -> list[Version]:
    """Every version of the scheme, newest first."""
    found = tx.execute(select(schemes).order_by(schemes.c.version.desc()))
    return [*(_version(row) for row in found), BUILT_IN]


def put_scheme(tx: Connection, scheme: Scheme, *, at: datetime, by: str, note: str) -> Version:
    """Put a new version in force."""
    number = (tx.execute(select(func.max(schemes.c.version))).scalar() or 0) + 1
    body = msgspec.json.encode(scheme).decode()
    row = {"version": number, "at": at, "by": by, "note": note[:300], "body": body}
    tx.execute(schemes.insert(), row)
    return Version(number, scheme, at, by, note[:300])


@dataclass(frozen=True, slots=True)
class EnteredScore:
    """A score that somebody entered; it stands beside the evidence, never in it.

    `kind`: `self` by a department or grid of itself, `year_end` by the assessors, `satisfaction`
    from a survey.
    """

    kind: str
    subject_kind: str
    subject: str
    period: str
    score: float
    note: str
    at: datetime
    by: str


def enter(tx: Connection, entered: EnteredScore) -> None:
    """Keep an entered score; the latest of its kind, subject and period counts."""
    tx.execute(scores.insert(), {name: getattr(entered, name) for name in EnteredScore.__slots__})


def entered(tx: Connection, period: str, as_of: datetime) -> list[EnteredScore]:
    """The scores of a period that counted at a moment."""
    found = select(scores).where(scores.c.period == period, scores.c.at <= as_of)
    latest: dict[tuple[str, str, str], EnteredScore] = {}
    for row in tx.execute(found.order_by(scores.c.id)):
        score = EnteredScore(**{name: getattr(row, name) for name in EnteredScore.__slots__})
        latest[score.kind, score.subject_kind, score.subject] = score
    return list(latest.values())


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report as it was made; its content is asked for by `id`."""

    id: int
    period: str
    every: str
    as_of: datetime
    made_at: datetime
    by: str
    scheme: int
    form: str
    sha256: str


_ABOUT = [stored_reports.c[name] for name in StoredReport.__slots__]


def keep_report(tx: Connection, about: StoredReport, content: bytes) -> StoredReport:
    """Store a report; returns it with its id and fingerprint."""
    digest = hashlib.sha256(content).hexdigest()
    values = {name: getattr(about, name) for name in StoredReport.__slots__ if name != "id"}
    row = {**values, "sha256": digest, "content": content}
    key = tx.execute(stored_reports.insert(), row).inserted_primary_key
    return replace(about, id=key[0] if key else 0, sha256=digest)


def reports_kept(
    tx: Connection, *, period: str | None = None, limit: int = 50, offset: int = 0
) -> tuple[list[StoredReport], int]:
    """Reports, newest first, and how many there are."""
    which = [] if period is None else [stored_reports.c.period == period]
    total = tx.execute(select(func.count()).select_from(stored_reports).where(*which)).scalar_one()
    found = select(*_ABOUT).where(*which).order_by(stored_reports.c.id.desc())
    rows: Sequence[Row[tuple[object, ...]]] = tx.execute(found.limit(limit).offset(offset)).all()
    return [_stored(row) for row in rows], total


def content_of(tx: Connection, number: int) -> tuple[StoredReport, bytes] | None:
    """A report with its content."""
    row = tx.execute(select(stored_reports).where(stored_reports.c.id == number)).one_or_none()
    return None if row is None else (_stored(row), bytes(row.content))


def has_report(tx: Connection, period: str, form: str) -> bool:
    """Whether a period's report of a form was made."""
    found = select(stored_reports.c.id).where(
        stored_reports.c.period == period, stored_reports.c.form == form
    )
    return tx.execute(found.limit(1)).first() is not None


def _stored(row: Row[tuple[object, ...]]) -> StoredReport:
    return StoredReport(**{name: getattr(row, name) for name in StoredReport.__slots__})


def _version(row: Row[tuple[object, ...]]) -> Version:
    scheme = msgspec.json.decode(row.body, type=Scheme)
    return Version(row.version, scheme, row.at, row.by, row.note)
