"""Places held back, and boxes as people drew them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "suppressions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("x", sa.Float(), nullable=False),
        sa.Column("y", sa.Float(), nullable=False),
        sa.Column("w", sa.Float(), nullable=False),
        sa.Column("h", sa.Float(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("alerts", sa.Text(), nullable=False),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.Column("lifted_by", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppressions")),
    )
    op.create_index(
        "ix_suppressions_source", "suppressions", ["device", "source", "label", "until"]
    )
    op.create_table(
        "alert_boxes",
        sa.Column("alert", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("picture", sa.String(length=64), nullable=False),
        sa.Column("boxes", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("alert", "version", name=op.f("pk_alert_boxes")),
    )
    op.add_column("alerts", sa.Column("suppressed_by", sa.Integer(), nullable=True))
    op.add_column("alerts", sa.Column("suppressed_until", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_alerts_suppressed_by"), "alerts", ["suppressed_by"])
    op.create_index("ix_alerts_judged", "alerts", ["device", "source", "label", "decided_at"])
