"""Records of penalties in the database: steps are only added."""

import json
from collections.abc import Collection
from dataclasses import asdict

from sqlalchemy import Boolean, Column, Integer, String, Table, Text, select
from sqlalchemy.engine import Connection

from hub.cases.enforcement import Enforcement, Procedure, PublicText, Taken
from hub.store import Instant, metadata, upsert

enforcements = Table(
    "enforcements",
    metadata,
    Column("case_id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("party", String(200), nullable=False),
    Column("basis", Text, nullable=False),
    Column("matter", Text, nullable=False),
    Column("discretion", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("published_at", Instant, index=True),
    Column("published_by", String(100)),
)
enforcement_steps = Table(
    "enforcement_steps",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", Integer, nullable=False, index=True),
    Column("step", String(20), nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(100), nullable=False),
    Column("document", String(200), nullable=False),
    Column("note", Text, nullable=False),
    Column("officers", Text, nullable=False),
    Column("hearing_applies", Boolean),
    Column("waived", Boolean, nullable=False),
)


def load(tx: Connection, cases: Collection[int]) -> dict[int, Enforcement]:
    """The records of cases that have one."""
    steps: dict[int, list[Taken]] = {}
    taken = select(enforcement_steps).where(enforcement_steps.c.case_id.in_(cases))
    for row in tx.execute(taken.order_by(enforcement_steps.c.id)):
        one = Taken(
            Procedure(row.step),
            row.at,
            row.by,
            row.document,
            row.note,
            tuple(json.loads(row.officers)),
            row.hearing_applies,
            row.waived,
        )
        steps.setdefault(row.case_id, []).append(one)
    found = tx.execute(select(enforcements).where(enforcements.c.case_id.in_(cases)))
    return {
        row.case_id: Enforcement(
            row.case_id,
            row.version,
            row.party,
            tuple(steps.get(row.case_id, ())),
            PublicText(row.basis, row.matter, row.discretion, row.result),
            row.published_at,
            row.published_by,
        )
        for row in found
    }


def published(tx: Connection, cases: Collection[int]) -> dict[int, Enforcement]:
    """Those that everybody may read, and of them `text` and the dates of the steps alone."""
    found = load(tx, cases)
    return {case: each for case, each in found.items() if each.published_at is not None}


def save(tx: Connection, record: Enforcement, step: Taken | None = None) -> None:
    """Keep a record, and a step it took."""
    row = {
        "case_id": record.case_id,
        "version": record.version,
        "party": record.party,
        "published_at": record.published_at,
        "published_by": record.published_by,
        **asdict(record.text),
    }
    upsert(tx, enforcements, [row], ["case_id"])
    if step is not None:
        values = asdict(step) | {
            "case_id": record.case_id,
            "step": step.step.value,
            "officers": json.dumps(step.officers, ensure_ascii=False),
        }
        tx.execute(enforcement_steps.insert().values(values))
