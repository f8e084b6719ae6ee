"""Cases by a part of their number or title, found by trigrams where the database keeps them.

SQLite: a full-text table kept by triggers (FTS5, tokenizer `trigram`). PostgreSQL: GIN indexes of
pg_trgm, which a database's owner may install. Where neither is there, and for what is shorter than
three characters, every case is looked at, the newest first. The migrations make both; SQLAlchemy
has no words for them.
"""

from sqlalchemy import (
    ColumnElement,
    Select,
    column,
    func,
    inspect,
    literal_column,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.engine import Connection

from hub.cases.store import cases

LEAST = 3
"""Characters of a trigram."""
TABLE = "case_words"
INDEX = "ix_cases_words"
"""Begins the names of what the migrations make for it on PostgreSQL."""

_words = table(TABLE, column(TABLE), column("rowid"))


def having(tx: Connection, words: str) -> Select[tuple[object, ...]]:
    """Cases whose number or title has these words in it, whatever their case, the newest first."""
    if tx.dialect.name == "sqlite" and len(words) >= LEAST and is_indexed(tx):
        phrase = '"{}"'.format(words.replace('"', '""'))
        return (
            select(cases)
            .select_from(_words.join(cases, cases.c.id == _words.c.rowid))
            .where(_words.c[TABLE].op("MATCH")(phrase))
            .order_by(literal_column(f"{TABLE}.rowid").desc())
        )
    if tx.dialect.name == "postgresql":
        # A plan for any words looks at every case; only one for these knows whether they are rare.
        tx.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    has = or_(_has(cases.c.number, words), _has(cases.c.title, words))
    return select(cases).where(has).order_by(cases.c.id.desc())


def is_indexed(tx: Connection) -> bool:
    """Whether this database keeps trigrams of its cases."""
    if tx.dialect.name == "sqlite":
        return inspect(tx).has_table(TABLE)
    known = inspect(tx).get_indexes(cases.name)
    return any(str(each["name"]).startswith(INDEX) for each in known)


def _has(name: ColumnElement[str], words: str) -> ColumnElement[bool]:
    return func.upper(name).contains(words.upper(), autoescape=True)
