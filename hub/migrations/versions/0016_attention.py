"""Who has an alert before him, and what is put off."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "alert_claims",
        sa.Column("alert", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("page", sa.String(length=40), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("alert", name=op.f("pk_alert_claims")),
    )
    op.create_index("ix_alert_claims_until", "alert_claims", ["until"], unique=False)
    op.create_table(
        "alert_snoozes",
        sa.Column("alert", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("times_seen", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("alert", name=op.f("pk_alert_snoozes")),
    )
    op.create_index("ix_alert_snoozes_until", "alert_snoozes", ["until"], unique=False)
