"""New cases, with their numbers, clocks and the first entry of their history."""

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from hub import audit
from hub.calendar import store as calendar_store
from hub.cases import clock_store, store as case_store
from hub.cases.case import Case
from hub.cases.clock import opened
from hub.cases.condition import USUAL
from hub.roles import Actor

Draft = Callable[[str], Case]
"""A case but for its number, which it is given."""


def open_all(
    tx: Connection,
    drafts: Sequence[Draft],
    *,
    prefix: str,
    zone: ZoneInfo,
    at: datetime,
    actor: Actor,
    note: str = "",
) -> list[Case]:
    """Store new cases in order, opened by `actor` at `at`; returns them with their ids."""
    numbers = case_store.new_numbers(tx, prefix, at, zone, len(drafts))
    cases = case_store.add(
        tx, [draft(number) for draft, number in zip(drafts, numbers, strict=True)]
    )
    calendar = calendar_store.calendar(tx, zone)
    clock_store.save(tx, {case.id: opened(USUAL[case.level], calendar, at) for case in cases}, at)
    entries = [
        audit.Entry(
            at, actor.name, actor.role, "case", str(case.id), "report", "", case.state, note
        )
        for case in cases
    ]
    audit.append(tx, entries)
    return cases
