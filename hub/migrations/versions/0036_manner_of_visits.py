"""Visits say how they were made; of those judged before it stays unknown."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # Only visits that counted were kept so far.
    manner = sa.Column("manner", sa.String(length=16), nullable=False, server_default="looked")
    op.add_column("patrol_visits", manner)
    for name in ("inside_s", "moving_s", "standing_s", "slow_m"):
        op.add_column("patrol_visits", sa.Column(name, sa.Float(), nullable=True))
    op.add_column("patrol_visits", sa.Column("passes", sa.Integer(), nullable=True))
