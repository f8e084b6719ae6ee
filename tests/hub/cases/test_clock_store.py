from dataclasses import replace

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from hub.calendar.limit import TimeLimit, Unit
from hub.cases import clock_store
from hub.cases.clock import Clock, Mark
from hub.cases.condition import Condition
from tests.hub.world import NOON, after

LIMIT = TimeLimit(2, Unit.WORK_DAY)
FULL = Clock(
    LIMIT, "opening", "closing", 4, NOON, after(9), after(5), 3, True, None, None, None,
    after(1), after(2), frozenset({Mark.WARNED, Mark.SILENT}),
)  # fmt: skip


def test_clocks_come_back_as_they_were_kept(store):
    stopped = Clock(LIMIT, stopped_at=NOON, left_s=12.5)
    with store.write() as tx:
        clock_store.save(tx, {1: FULL, 2: stopped}, NOON)
        clock_store.save(tx, {1: replace(FULL, done_at=after(3))}, after(3))
    with store.read() as tx:
        assert clock_store.load(tx, [1, 2, 3]) == {1: replace(FULL, done_at=after(3)), 2: stopped}


def test_what_a_clock_said_is_kept_and_cannot_be_changed(store):
    with store.write() as tx:
        clock_store.save(tx, {1: FULL}, NOON)
        clock_store.save(tx, {1: replace(FULL, due_at=after(20))}, after(3))
        clock_store.save_marks(tx, {1: replace(FULL, marks=frozenset())})
    with store.read() as tx:
        said = [(row.at, row.due_at) for row in tx.execute(select(clock_store.history))]
    assert said == [(NOON, after(9)), (after(3), after(20))]
    for act in (update(clock_store.history).values(due_at=NOON), delete(clock_store.history)):
        with pytest.raises(DBAPIError, match="append-only"), store.write() as tx:
            tx.execute(act)


def test_what_is_to_be_said_is_found_by_its_time(store):
    early = Clock(LIMIT, started_at=NOON, due_at=after(5))
    late = Clock(LIMIT, started_at=NOON, due_at=after(50))
    with store.write() as tx:
        clock_store.save(tx, {1: late, 2: early, 3: Clock(LIMIT)}, NOON)
    with store.read() as tx:
        assert list(clock_store.to_be_marked(tx, after(5), 10)) == []
        assert list(clock_store.to_be_marked(tx, after(6), 10)) == [2]
        assert list(clock_store.to_be_marked(tx, after(60), 10)) == [2, 1]
        assert list(clock_store.to_be_marked(tx, after(60), 1)) == [2]


def row(opening, number=0, limit=LIMIT):
    return Condition(number, "GB", "06010", opening, "gone", limit)


def test_a_new_table_keeps_the_rows_that_stay_and_retires_the_others(store):
    with store.write() as tx:
        clock_store.put_in_force(
            tx, clock_store.changes(tx, "GB", [row("a"), row("b")]), NOON, "li"
        )
        first = clock_store.all_conditions(tx, "GB")
        change = clock_store.changes(tx, "GB", [row("b"), row("c"), row("c")])
        assert change == clock_store.TableChange([row("c")], [first[0].id])
        clock_store.put_in_force(tx, change, after(5), "li")
    with store.read() as tx:
        now_in_force = clock_store.conditions_of(tx, "GB", "06010")
        assert [each.opening for each in now_in_force] == ["b", "c"]
        assert now_in_force[0].id == first[1].id
        assert clock_store.conditions_of(tx, "GB", "09006") == []
        assert clock_store.conditions_of(tx, "other", "06010") == []
        assert clock_store.conditions_of(tx, "GB", None) == []
