"""Cases by deadline: page by page in one order, and no list sorted for the sake of one page."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from hub.cases.clock_store import clocks
from hub.cases.store import cases
from tests.hub.test_api import open_case
from tests.hub.world import NOON

DUE_IN_H = {1: 5, 2: None, 3: 1, 4: 5, 5: None, 6: 2}
ORDER = [3, 6, 4, 1, 5, 2]
"""By deadline, of the same one the newest first; then those without one, the newest first."""
OPEN = [3, 6, 4, 5, 2]
"""The same without the first, which is archived."""


@pytest.fixture
def city(each_call, each_hub):
    """Six cases, two of which have no deadline."""
    open_case(each_call)
    with each_hub.store.write() as tx:
        (first,) = tx.execute(cases.select()).mappings()
        (clock,) = tx.execute(clocks.select()).mappings()
        tx.execute(clocks.delete())
        tx.execute(cases.delete())
        for case, hours in DUE_IN_H.items():
            more = {"id": case, "number": f"AK-{case}", "opened_at": NOON + timedelta(hours=case)}
            more |= {"state": "archived"} if case == 1 else {}
            tx.execute(cases.insert().values({**first, **more}))
            due_at = NOON + timedelta(hours=hours) if hours else None
            if case != 5:  # nor has it a clock
                tx.execute(clocks.insert().values({**clock, "case_id": case, "due_at": due_at}))
    return each_hub.store


def paged(call, size, query):
    shown = []
    for offset in range(0, len(DUE_IN_H) + size, size):
        path = f"/api/cases?order=due&limit={size}&offset={offset}{query}"
        part = call("GET", path).json()
        assert len(part["items"]) <= size
        shown += [item["id"] for item in part["items"]]
    assert part["total"] == len(shown)
    return shown


def test_the_pages_follow_one_another(city, each_call):
    for size in (1, 2, 3, 4, 10):
        assert paged(each_call, size, "") == ORDER
        assert paged(each_call, size, "&open=true") == OPEN


def plans(store, ask):
    """How the database answers each question about cases that a call asks."""
    asked = []

    def note(_conn, _cursor, statement, parameters, *_more):
        if "FROM cases" in statement:
            asked.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
    is_sqlite = store.engine.dialect.name == "sqlite"
    with store.read() as tx:
        if not is_sqlite:  # of six rows every index is one too many
            tx.exec_driver_sql("SET LOCAL enable_seqscan = off")
            tx.exec_driver_sql("SET LOCAL enable_sort = off")
        word = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
        told = [tx.exec_driver_sql(word + statement, given).all() for statement, given in asked]
    return [" ".join(row[-1] for row in rows) for rows in told]


def test_the_first_page_is_read_off_the_index_of_deadlines(city, each_call):
    found = plans(city, lambda: each_call("GET", "/api/cases?order=due&limit=3"))
    (plan,) = (each for each in found if "ix_case_clocks_due_at" in each)
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan


def test_open_cases_are_found_by_their_states(city, each_call):
    found = plans(city, lambda: each_call("GET", "/api/cases?open=true&limit=3"))
    assert any("ix_cases_state" in plan for plan in found)
