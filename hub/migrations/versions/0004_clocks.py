"""Working time: versions of the calendar, the city's table of conditions, clocks of cases."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "calendars",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_calendars")),
    )
    op.create_table(
        "conditions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("standard_ref", sa.String(length=40), nullable=False),
        sa.Column("matter", sa.String(length=5), nullable=False),
        sa.Column("opening", sa.String(length=500), nullable=False),
        sa.Column("closing", sa.String(length=500), nullable=False),
        sa.Column("number", sa.Float(), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("department", sa.String(length=100), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conditions")),
    )
    op.create_index(op.f("ix_conditions_matter"), "conditions", ["matter"], unique=False)
    op.create_table(
        "case_clocks",
        sa.Column("case_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("condition", sa.Integer(), nullable=True),
        sa.Column("opening", sa.String(length=500), nullable=False),
        sa.Column("closing", sa.String(length=500), nullable=False),
        sa.Column("number", sa.Float(), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("warn_at", sa.BigInteger(), nullable=True),
        sa.Column("calendar_version", sa.Integer(), nullable=False),
        sa.Column("is_provisional", sa.Boolean(), nullable=False),
        sa.Column("stopped_at", sa.BigInteger(), nullable=True),
        sa.Column("left_s", sa.Float(), nullable=True),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("stage_due_at", sa.BigInteger(), nullable=True),
        sa.Column("silent_at", sa.BigInteger(), nullable=True),
        sa.Column("marks", sa.Text(), nullable=False),
        sa.Column("next_mark_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_case_clocks")),
    )
    op.create_index(op.f("ix_case_clocks_due_at"), "case_clocks", ["due_at"], unique=False)
    op.create_index(
        op.f("ix_case_clocks_next_mark_at"), "case_clocks", ["next_mark_at"], unique=False
    )
