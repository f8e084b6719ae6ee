"""Who changed a condition when; devices taken off the list; when a device told of itself."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("conditions", sa.Column("added_at", sa.BigInteger(), nullable=True))
    for name in ("added_by", "retired_by"):
        text = sa.Column(name, sa.String(length=100), nullable=False, server_default="")
        op.add_column("conditions", text)
    op.add_column("devices", sa.Column("revoked_at", sa.BigInteger(), nullable=True))
    op.add_column("devices", sa.Column("health_at", sa.BigInteger(), nullable=True))
