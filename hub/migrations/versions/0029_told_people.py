"""Whom of the duty table a dual report goes to."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("case_records", sa.Column("person", sa.String(length=64)))
