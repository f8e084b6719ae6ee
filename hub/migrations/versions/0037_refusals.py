"""Room for the code of why a message was refused."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; a text of SQLite has any length."""
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column("quarantine", "message", type_=sa.Text())
