"""Departments, and whom a case was sent to."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "departments",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name_zh", sa.String(length=100), nullable=False),
        sa.Column("credit_code", sa.String(length=18), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("grid", sa.String(length=64), nullable=True),
        sa.Column("generated", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_departments")),
    )
    op.add_column("cases", sa.Column("department", sa.String(length=32), nullable=True))
    op.add_column("cases", sa.Column("officer", sa.String(length=100), nullable=True))
    op.add_column("cases", sa.Column("dispatched_by_rule", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_cases_department"), "cases", ["department"], unique=False)
