"""Reports that are made up for a demonstration say so."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    made_up = sa.Column("generated", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("reports", made_up)
