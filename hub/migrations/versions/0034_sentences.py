"""Room for the codes of what is said of orders, rollouts, evidence and deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; a text of SQLite has any length."""
    if op.get_bind().dialect.name == "sqlite":
        return
    for table, column in (
        ("orders", "why"),
        ("rollouts", "why"),
        ("rollout_devices", "why"),
        ("alert_evidence", "fault"),
        ("webhook_outbox", "fault"),
    ):
        op.alter_column(table, column, type_=sa.Text())
