"""Finding the alerts that are joined to one."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_alerts_duplicate_of", "alerts", ["duplicate_of"])
