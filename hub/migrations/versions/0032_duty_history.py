"""Since and until when each row of the duty table held; what is there now held ever since."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

BODIES = {
    "posts": ("code", ("grid", "areas", "shifts")),
    "people": ("id", ("role", "post", "trackers")),
    "shifts": ("code", ("days", "start", "end")),
}


def upgrade() -> None:
    """Apply."""
    history = op.create_table(
        "duty_history",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger()),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_index("ix_duty_history_key", "duty_history", ["kind", "key"])
    op.create_index("ix_duty_history_until", "duty_history", ["until"])
    bind = op.get_bind()
    for kind, (key, names) in BODIES.items():
        table = sa.table(f"duty_{kind}", sa.column(key), *(sa.column(name) for name in names))
        rows = [
            {
                "kind": kind, "key": row[key], "since": 0, "until": None,
                "body": json.dumps({name: row[name] for name in names}, ensure_ascii=False),
            }
            for row in bind.execute(sa.select(table)).mappings()
        ]  # fmt: skip
        if rows:
            op.bulk_insert(history, rows)
