"""Photos of fixes, checks of claims, rebounds."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "fix_photos",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("use", sa.String(length=8), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("shown", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("uploaded_at", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("taken_from", sa.String(length=8), nullable=False),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("place_from", sa.String(length=8), nullable=False),
        sa.Column("acc_m", sa.Float(), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("copy_of", sa.String(length=80), nullable=False),
        sa.Column("copy_of_case", sa.Integer(), nullable=True),
        sa.Column("phash", sa.String(length=16), nullable=False),
        sa.Column("windows", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fix_photos")),
    )
    op.create_index(op.f("ix_fix_photos_case_id"), "fix_photos", ["case_id"], unique=False)
    op.create_index(op.f("ix_fix_photos_sha256"), "fix_photos", ["sha256"], unique=False)
    op.create_table(
        "checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_by", sa.String(length=100), nullable=False),
        sa.Column("means", sa.String(length=8), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("look", sa.String(length=64), nullable=False),
        sa.Column("assignee", sa.String(length=100), nullable=False),
        sa.Column("is_forced", sa.Boolean(), nullable=False),
        sa.Column("result", sa.String(length=12), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("checked_at", sa.BigInteger(), nullable=True),
        sa.Column("checked_by", sa.String(length=100), nullable=False),
        sa.Column("photos", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checks")),
    )
    op.create_index(op.f("ix_checks_case_id"), "checks", ["case_id"], unique=False)
    op.create_index(op.f("ix_checks_look"), "checks", ["look"], unique=False)
    op.create_index("ix_checks_result", "checks", ["result", "means"], unique=False)
    op.create_table(
        "rebounds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=False),
        sa.Column("reopened_at", sa.BigInteger(), nullable=False),
        sa.Column("cause_kind", sa.String(length=8), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("distance_m", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rebounds")),
    )
    op.create_index(op.f("ix_rebounds_case_id"), "rebounds", ["case_id"], unique=False)
    op.create_index(op.f("ix_rebounds_reopened_at"), "rebounds", ["reopened_at"], unique=False)
