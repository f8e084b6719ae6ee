"""A case is found by any part of its number or title, by an index where there is one."""

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from hub.cases import store as case_store, words
from hub.cases.store import cases
from tests.hub.test_api import open_case

TITLES = {1: "暴露垃圾 North gate", 2: 'a "quoted" heap', 3: "100% full", 4: "占道经营_东"}


@pytest.fixture
def site(each_call, each_hub):
    """Four cases with titles of their own."""
    open_case(each_call)
    with each_hub.store.write() as tx:
        (first,) = tx.execute(cases.select()).mappings()
        for number, title in TITLES.items():
            more = {"id": number, "number": f"AK20261129-{number:04d}", "title": title}
            if number == 1:
                tx.execute(cases.update().values(more))
            else:
                tx.execute(cases.insert().values({**first, **more}))
    return each_hub.store


def found(store, wanted):
    with store.read() as tx:
        return [row.id for row in tx.execute(words.having(tx, wanted))]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ("ak20261129", [4, 3, 2, 1]), ("-0003", [3]), ("3", [3]), ("垃圾", [1]), ("暴露垃圾", [1]),
        ("NORTH", [1]), ('"quoted"', [2]), ('"', [2]), ("0% f", [3]), ("%", [3]), ("_东", [4]),
        ("经营_", [4]), ("nowhere", []), ("OR", [1]), ("gate*", []), ("title:", []),
        ("-", [4, 3, 2, 1]),
    ],
)  # fmt: skip
def test_any_part_of_number_and_title(site, wanted, ids):
    assert found(site, wanted) == ids


def test_what_is_changed_or_gone_is_not_found_by_what_it_was(site):
    with site.write() as tx:
        case = case_store.load(tx, [1])[1]
        tx.execute(cases.update().where(cases.c.id == 1).values(title="another"))
        tx.execute(cases.delete().where(cases.c.id == 3))
    assert case.title == TITLES[1]
    assert found(site, "North") == []
    assert found(site, "anoth") == [1]
    assert found(site, "-0003") == []
    with site.write() as tx:
        tx.execute(cases.update().where(cases.c.id == 1).values(state="filed", title="another"))
    assert found(site, "anoth") == [1]


def test_the_index_is_what_finds_it(site):
    with site.read() as tx:
        assert words.is_indexed(tx)
        wanted = words.having(tx, "North gate")
        if tx.dialect.name == "sqlite":
            said = tx.execute(text("EXPLAIN QUERY PLAN " + compiled(wanted, tx.dialect)))
            plan = " ".join(row.detail for row in said)
            assert "case_words VIRTUAL TABLE INDEX" in plan
            assert "SEARCH cases USING INTEGER PRIMARY KEY" in plan
            return
        tx.execute(text("SET LOCAL enable_seqscan = off"))
        tx.execute(text("SET LOCAL enable_indexscan = off"))
        said = tx.execute(text("EXPLAIN " + compiled(wanted.limit(12), postgresql.dialect())))
        plan = " ".join(row[0] for row in said)
    assert "ix_cases_words_number" in plan
    assert "ix_cases_words_title" in plan


def compiled(statement, dialect):
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


@pytest.mark.parametrize("wanted", ["垃圾", "North", "nowhere"])
def test_without_the_index_the_same_is_found(site, wanted, monkeypatch):
    with_it = found(site, wanted)
    monkeypatch.setattr(words, "is_indexed", lambda _tx: False)
    assert found(site, wanted) == with_it
