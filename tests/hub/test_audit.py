import dataclasses

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub import audit
from hub.audit import Entry
from tests.hub.world import NOON, after, undone

ENTRIES = [
    Entry(NOON, "wang", "operator", "case", "1", "file", "reported", "filed", "确认"),
    Entry(after(1), "li", "operator", "case", "1", "dispatch", "filed", "dispatched"),
    Entry(after(2), "wang", "operator", "alert", "a", "confirmed"),
]


@pytest.fixture
def written(store):
    with store.write() as tx:
        audit.append(tx, ENTRIES[:2])
        audit.append(tx, ENTRIES[2:])
    return store


def forge(store, statement):
    """What somebody could do who owns the database file: past the triggers."""
    off, on = (
        ("DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete")
        if store.is_sqlite
        else ("ALTER TABLE audit DISABLE TRIGGER USER", "SELECT 1")
    )
    with store.write() as tx:
        for each in (off, on, statement):
            tx.execute(text(each))


def test_the_chain_is_whole(written):
    with written.read() as tx:
        assert audit.verify(tx) == []
        assert audit.of(tx, "case", "1") == ENTRIES[:2]


@pytest.mark.parametrize("act", ["UPDATE audit SET note = ''", "DELETE FROM audit"])
def test_the_database_refuses_changes(written, act):
    with pytest.raises(DBAPIError, match="append-only"), written.write() as tx:
        tx.execute(text(act))


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET actor = 'zhao' WHERE id = 2", "audit 2: changed after it was written"),
        ("DELETE FROM audit WHERE id = 2", "audit 2 to 2: missing"),
        ("DELETE FROM audit WHERE id = 3", "audit: ends at 2, but 3 entries were written"),
    ],
)
def test_what_was_forged_is_found(written, statement, said):
    forge(written, statement)
    with written.read() as tx:
        assert said in audit.verify(tx)


def test_an_entry_rewritten_with_a_fitting_hash_breaks_the_next(written):
    changed = dataclasses.replace(ENTRIES[0], actor="zhao")
    digest = audit.digest(1, changed, audit.GENESIS)
    forge(written, f"UPDATE audit SET actor = 'zhao', hash = '{digest}' WHERE id = 1")
    with written.read() as tx:
        assert audit.verify(tx) == ["audit 2: does not follow the entry before it"]


def test_an_entry_of_an_undone_act_is_undone(store):
    undone(store, lambda tx: audit.append(tx, ENTRIES))
    with store.read() as tx:
        assert audit.of(tx, "case", "1") == []
        assert audit.verify(tx) == []
