from contextlib import ExitStack

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

import hub.app  # noqa: F401 - every table is defined once everything is imported
from hub.auth import tokens
from hub.cases import words
from hub.devices.orders import store as order_store
from hub.devices.orders.order import Order
from hub.errors import SchemaError
from hub.store import AT_ONCE, Sentence, Store, from_ms, is_database_away, metadata, put, to_ms
from tests.hub.world import NOON, undone
from wire.coded import code_of, coded


def is_described(_object, name, _kind, _reflected, _compared):
    """All but the trigrams of cases, which are no table of SQLAlchemy's: see test_words.py."""
    return not str(name).startswith((words.TABLE, words.INDEX))


def test_the_migrations_make_what_the_code_expects(store):
    with store.engine.connect() as connection:
        told = {"compare_type": False, "include_object": is_described}
        context = MigrationContext.configure(connection, opts=told)
        assert compare_metadata(context, metadata) == []


def test_a_sentence_of_any_length_is_kept_with_its_code(store):
    columns = [
        column
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, Sentence)
    ]
    assert len(columns) >= 5
    with store.write() as tx:
        if tx.dialect.name == "postgresql":  # where a text may have a length
            there = inspect(tx)
            for column in columns:
                known = {
                    each["name"]: each["type"] for each in there.get_columns(column.table.name)
                }
                assert known[column.name].length is None, column
        why = coded("not_sent", "the pictures cannot be sent: {why}", why="x" * 900)
        order_store.add(tx, Order("o-1", "cam-1", "camera.snapshot", {}, "", NOON, NOON, why=why))
        kept = order_store.load(tx, ["o-1"])["o-1"].why
    assert (kept, code_of(kept)) == (why, code_of(why))


def test_migrating_twice_changes_nothing(store):
    head = store.revision()
    assert store.migrate() == (head, head)


def test_a_newer_database_is_refused_by_name(store):
    head = store.revision()
    with store.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match=rf"schema 9999 is newer .* knows up to {head}"):
        store.migrate()


def test_a_database_of_others_is_refused(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'other.sqlite'}")
    with store.write() as tx:
        tx.execute(text("CREATE TABLE theirs (id INTEGER)"))
    with pytest.raises(SchemaError, match="has tables but no revision"):
        store.migrate()
    store.close()


def test_what_raises_is_undone(store):
    row = {"name": "x", "role": "viewer", "hash": "h", "created_at": NOON}
    undone(store, lambda tx: tx.execute(tokens.insert().values(row)))
    with store.read() as tx:
        assert tx.execute(tokens.select()).all() == []


def test_times_keep_their_milliseconds(store):
    at = from_ms(to_ms(NOON) + 7)
    with store.write() as tx:
        row = {"name": "x", "role": "viewer", "hash": "h", "created_at": at}
        tx.execute(tokens.insert().values(row))
        assert tx.execute(tokens.select()).one().created_at == at


def test_many_rows_land_in_their_columns_and_overwrite_by_key(store):
    names = ("hash", "role", "id", "name", "created_at")
    key = ("hash",)
    with store.write() as tx:
        rows = [("h1", "viewer", 1, "li", 1000), ("h2", "admin", 2, "wu", 2000)]
        put(tx, tokens, names, rows, key)
        put(tx, tokens, names, [("h2", "viewer", 2, "wu", 3000)], key)
        rows = tx.execute(tokens.select().order_by(tokens.c.hash)).all()
    assert [(r.hash, r.name, r.role, to_ms(r.created_at)) for r in rows] == [
        ("h1", "li", "viewer", 1000),
        ("h2", "wu", "viewer", 3000),
    ]


def test_sqlite_is_durable(sqlite_store):
    with sqlite_store.read() as tx:
        assert tx.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert tx.execute(text("PRAGMA synchronous")).scalar() == 2


def test_a_store_whose_connections_are_all_taken_is_one_that_is_away(store, monkeypatch):
    monkeypatch.setattr(store.engine.pool, "_timeout", 0.01)
    with ExitStack() as held:
        for _ in range(AT_ONCE):
            held.enter_context(store.read())
        with pytest.raises(OperationalError) as fault:
            store.ping()
    assert is_database_away(fault.value)
    store.ping()


def test_a_call_that_finds_no_connection_free_is_told_to_come_again(
    each_hub, each_call, monkeypatch
):
    store = each_hub.store
    monkeypatch.setattr(store.engine.pool, "_timeout", 0.01)
    note = {"channel": "letter", "content": "noise at night", "matter": "09001"}
    calls = [("GET", "/api/cases", {}), ("POST", "/api/reports", {"json": note})]
    with ExitStack() as held:
        for _ in range(AT_ONCE):
            held.enter_context(store.read())
        answers = [each_call(method, path, **more) for method, path, more in calls]
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_away")
        assert int(answer.headers["Retry-After"]) > 0
    assert [each_call(method, path, **more).is_success for method, path, more in calls] == [
        True
    ] * 2
