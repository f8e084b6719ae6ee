"""What each clock of a case said, and when: a past day can be judged by its own deadlines."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# What is known of cases that were there before: the clock as it stands, from its beginning on.
SEED = """
INSERT INTO clock_history
  (case_id, at, due_at, stage_due_at, stopped_at, done_at, number, unit, calendar_version)
SELECT case_id, COALESCE(c.started_at, k.opened_at), c.due_at, c.stage_due_at, c.stopped_at,
  c.done_at, c.number, c.unit, c.calendar_version
FROM case_clocks c JOIN cases k ON k.id = c.case_id
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "clock_history",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("stage_due_at", sa.BigInteger(), nullable=True),
        sa.Column("stopped_at", sa.BigInteger(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.Float(), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("calendar_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_history")),
    )
    op.create_index("ix_clock_history_case", "clock_history", ["case_id", "at"], unique=False)
    op.create_index("ix_clock_history_at", "clock_history", ["at"], unique=False)
    op.execute(SEED)
    _append_only()


def _append_only() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER clock_history_no_{act.lower()} BEFORE {act} ON clock_history "
                "BEGIN SELECT RAISE(ABORT, 'clock_history is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION clock_history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'clock_history is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER clock_history_no_change BEFORE UPDATE OR DELETE OR TRUNCATE "
        "ON clock_history FOR EACH STATEMENT EXECUTE FUNCTION clock_history_is_append_only()"
    )
