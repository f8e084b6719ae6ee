"""Evaluation: whom cases were sent to and when, city schemes, entered scores, stored reports."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

SEED = """
INSERT INTO case_duties (case_id, at, department, officer)
SELECT id, updated_at, department, officer FROM cases WHERE department IS NOT NULL
"""
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "case_duties",
        sa.Column("id", KEY, nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("department", sa.String(length=32), nullable=True),
        sa.Column("officer", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_duties")),
    )
    op.create_index(op.f("ix_case_duties_case_id"), "case_duties", ["case_id"], unique=False)
    op.execute(SEED)
    op.create_index("ix_clock_history_due_at", "clock_history", ["due_at"], unique=False)
    op.create_index(
        "ix_clock_history_stage_due_at", "clock_history", ["stage_due_at"], unique=False
    )
    op.create_table(
        "evaluation_schemes",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_evaluation_schemes")),
    )
    op.create_table(
        "evaluation_scores",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject_kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation_scores")),
    )
    op.create_index(
        "ix_evaluation_scores_period", "evaluation_scores", ["period", "kind"], unique=False
    )
    op.create_table(
        "evaluation_reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("every", sa.String(length=8), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("scheme", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(length=4), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation_reports")),
    )
    op.create_index(
        "ix_evaluation_reports_period", "evaluation_reports", ["period", "form"], unique=False
    )
