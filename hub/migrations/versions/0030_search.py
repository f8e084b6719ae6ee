"""Trigrams of the numbers and titles of cases, where the database can keep them."""

from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

SQLITE = (
    (
        "CREATE VIRTUAL TABLE case_words USING fts5("
        "number, title, content='cases', content_rowid='id', tokenize='trigram')"
    ),
    "INSERT INTO case_words (case_words) VALUES ('rebuild')",
    (
        "CREATE TRIGGER case_words_insert AFTER INSERT ON cases BEGIN"
        " INSERT INTO case_words (rowid, number, title) VALUES (new.id, new.number, new.title); END"
    ),
    (
        "CREATE TRIGGER case_words_delete AFTER DELETE ON cases BEGIN"
        " INSERT INTO case_words (case_words, rowid, number, title)"
        " VALUES ('delete', old.id, old.number, old.title); END"
    ),
    # A step writes every column: only what is different is taken in anew.
    (
        "CREATE TRIGGER case_words_update AFTER UPDATE OF number, title ON cases"
        " WHEN old.number IS NOT new.number OR old.title IS NOT new.title BEGIN"
        " INSERT INTO case_words (case_words, rowid, number, title)"
        " VALUES ('delete', old.id, old.number, old.title);"
        " INSERT INTO case_words (rowid, number, title) VALUES (new.id, new.number, new.title); END"
    ),
)
POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    "CREATE INDEX ix_cases_words_number ON cases USING gin (upper(number) gin_trgm_ops)",
    "CREATE INDEX ix_cases_words_title ON cases USING gin (upper(title) gin_trgm_ops)",
)


def upgrade() -> None:
    """Apply; a database that cannot keep trigrams is searched without."""
    connection = op.get_bind()
    try:
        with connection.begin_nested():
            for statement in SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL:
                op.execute(statement)
    except DBAPIError:
        return
