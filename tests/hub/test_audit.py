import ast
import dataclasses
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hub import audit
from hub.audit import Entry, Wanted
from hub.words import texts
from tests.hub.world import NOON, after, undone
from wire.coded import MARK, coded, remarked

ROOT = Path(__file__).parents[2]
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


def test_what_is_written_during_the_walk_is_no_break(written, monkeypatch):
    """The walk reads in parts: on PostgreSQL each sees what was committed before it."""
    monkeypatch.setattr(audit, "AT_ONCE", 1)
    parts = []
    digest = audit.digest

    def digest_and_write(number, entry, previous):
        if not parts:
            parts.append(number)
            with written.write() as other:
                audit.append(other, ENTRIES[:1])
        return digest(number, entry, previous)

    monkeypatch.setattr(audit, "digest", digest_and_write)
    with written.read() as tx:
        assert audit.walk(tx) == audit.Chain(3, ())


def test_what_was_added_past_the_head_is_found(written):
    entry, hashed = ENTRIES[0], "0" * 64
    with written.write() as tx:
        values = vars(entry) | {"id": 4, "previous": hashed, "hash": hashed}
        tx.execute(audit.entries.insert().values(values))
    with written.read() as tx:
        assert "audit 4: changed after it was written" in audit.verify(tx)
        assert "audit: ends at 4, but 3 entries were written" in audit.verify(tx)


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Wanted(), [3, 2, 1]),
        (Wanted(actor="wang"), [3, 1]),
        (Wanted(actor="wan"), []),
        (Wanted(kind="case"), [2, 1]),
        (Wanted(kind="case", subject="1", action="file"), [1]),
        (Wanted(since=after(1)), [3, 2]),
        (Wanted(until=after(1)), [1]),
        (Wanted(since=after(1), until=after(2)), [2]),
        (Wanted(text="确"), [1]),
        (Wanted(text="%"), []),
    ],
)
def test_entries_are_found(written, wanted, numbers):
    with written.read() as tx:
        kept, total = audit.found(tx, wanted)
        assert [each.number for each in kept] == numbers
        assert total == len(numbers)
        part, of_all = audit.found(tx, wanted, limit=1, offset=1)
        assert [each.number for each in part] == numbers[1:2]
        assert of_all == total


def test_the_words_to_search_for(written):
    with written.read() as tx:
        assert audit.words(tx, "kind") == ["alert", "case"]
        assert audit.words(tx, "action") == ["confirmed", "dispatch", "file"]


def test_an_entry_of_an_undone_act_is_undone(store):
    undone(store, lambda tx: audit.append(tx, ENTRIES))
    with store.read() as tx:
        assert audit.of(tx, "case", "1") == []
        assert audit.verify(tx) == []


def test_the_console_has_a_word_for_every_kind_and_act_that_is_written_down():
    kinds, acts = set(), set()
    for file in (ROOT / "hub").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Entry"):
                words = [
                    each.value if isinstance(each, ast.Constant) else None for each in node.args
                ]
                kinds |= {f"auditKind.{word}" for word in words[3:4] if word}
                acts |= {f"action.{word}" for word in words[5:6] if word}
    assert len(kinds) > 20
    assert len(acts) > 20
    assert kinds | acts <= texts("zh").keys()


def test_what_the_program_notes_is_kept_with_its_code_and_in_the_chain(store):
    note = remarked(coded("into_alert", "into alert {alert}", alert="a-1"), "同一处")
    with store.write() as tx:
        audit.append(tx, [dataclasses.replace(ENTRIES[0], note=note)])
        (act,) = audit.of(tx, "case", "1")
        assert audit.verify(tx) == []
    assert act.note == "into alert a-1: 同一处"
    assert act.note.parts() == note.parts()
    forge(store, "UPDATE audit SET note = replace(note, 'a-1\"', 'a-2\"') WHERE id = 1")
    with store.read() as tx:
        assert audit.verify(tx) == ["audit 1: changed after it was written"]


def test_a_note_of_before_with_the_mark_of_codes_in_it_stays_as_it_is(store):
    raw = f"a{MARK}b"
    with store.write() as tx:
        audit.append(tx, ENTRIES[:1])
    forge(store, f"UPDATE audit SET note = '{raw}' WHERE id = 1")
    with store.read() as tx:
        assert audit.of(tx, "case", "1")[0].note == raw
