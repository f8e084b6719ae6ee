"""What waited for a decision or an answer when its case ended waits no longer."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

ENDED = ("closed", "watching", "archived", "merged", "rejected", "cancelled")


def upgrade() -> None:
    """Apply."""
    records = sa.table(
        "case_records",
        sa.column("case_id", sa.Integer),
        sa.column("state", sa.String),
        sa.column("decision", sa.Text),
    )
    cases = sa.table("cases", sa.column("id", sa.Integer), sa.column("state", sa.String))
    ended = sa.select(cases.c.id).where(cases.c.state.in_(ENDED))
    op.execute(
        sa.update(records)
        .where(records.c.state.in_(["asked", "open"]), records.c.case_id.in_(ended))
        .values(state="lapsed", decision="the case has ended")
    )
