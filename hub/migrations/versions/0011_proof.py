"""Evidence that is signed and sealed: statements, proofs, and the keys of devices."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "device_keys",
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("accepted_by", sa.String(length=100), nullable=True),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("device", "key", name=op.f("pk_device_keys")),
    )
    flag: dict[str, Any] = {"nullable": False, "server_default": sa.false()}
    op.add_column("evidence", sa.Column("sealed", sa.Boolean(), **flag))
    text: dict[str, Any] = {"nullable": False, "server_default": ""}
    for column in (
        sa.Column("sealed", sa.Boolean(), **flag),
        sa.Column("original", sa.String(length=64), nullable=True),
        sa.Column("device", sa.String(length=64), **text),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("noted_at", sa.BigInteger(), nullable=True),
        sa.Column("statement", sa.Text(), **text),
        sa.Column("sig", sa.String(length=88), **text),
        sa.Column("proof", sa.String(length=10), nullable=False, server_default="unsigned"),
        sa.Column("fault", sa.String(length=300), **text),
    ):
        op.add_column("alert_evidence", column)
    op.create_index("ix_alert_evidence_proof", "alert_evidence", ["device", "proof"])
