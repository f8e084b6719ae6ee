"""When a supervision ran out without an answer, and who has read what of records."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; what was answered before counts as read by who demanded it."""
    op.add_column("case_records", sa.Column("overdue_at", sa.BigInteger()))
    op.create_table(
        "case_record_reads",
        sa.Column("record", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("news", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("record", "who", "news", name="pk_case_record_reads"),
    )
    op.execute(
        "INSERT INTO case_record_reads (record, who, news, at) SELECT id, \"by\", 'answered', at"
        " FROM case_records WHERE kind = 'supervision' AND state = 'answered'"
    )
