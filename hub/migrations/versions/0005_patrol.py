"""Patrol: visits, passes, judged days; duty: posts, people, texts, shifts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "duty_people",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("post", sa.String(length=64), nullable=False),
        sa.Column("phone", sa.String(length=32), nullable=False),
        sa.Column("trackers", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_people")),
    )
    op.create_index(op.f("ix_duty_people_post"), "duty_people", ["post"], unique=False)
    op.create_table(
        "duty_posts",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("grid", sa.String(length=64), nullable=False),
        sa.Column("areas", sa.Text(), nullable=False),
        sa.Column("shifts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_duty_posts")),
    )
    op.create_index(op.f("ix_duty_posts_grid"), "duty_posts", ["grid"], unique=False)
    op.create_table(
        "duty_shifts",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("days", sa.String(length=64), nullable=False),
        sa.Column("start", sa.String(length=5), nullable=False),
        sa.Column("end", sa.String(length=5), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_duty_shifts")),
    )
    op.create_table(
        "duty_texts",
        sa.Column("grid", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("grid", "kind", "place", name=op.f("pk_duty_texts")),
    )
    op.create_table(
        "patrol_days",
        sa.Column("vehicle", sa.String(length=140), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("fixes", sa.BigInteger(), nullable=False),
        sa.Column("grids", sa.Integer(), nullable=False),
        sa.Column("judged_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle", "day", name=op.f("pk_patrol_days")),
    )
    op.create_table(
        "patrol_late_days",
        sa.Column("vehicle", sa.String(length=140), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle", "day", name=op.f("pk_patrol_late_days")),
    )
    op.create_table(
        "patrol_passes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vehicle", sa.String(length=140), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("width_m", sa.Float(), nullable=False),
        sa.Column("length_m", sa.Float(), nullable=False),
        sa.Column("line", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_passes")),
    )
    op.create_index("ix_patrol_passes_day", "patrol_passes", ["day", "vehicle"], unique=False)
    op.create_table(
        "patrol_visits",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vehicle", sa.String(length=140), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("grid", sa.String(length=64), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("slow_s", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_visits")),
    )
    op.create_index("ix_patrol_visits_day", "patrol_visits", ["day", "vehicle"], unique=False)
    op.create_index("ix_patrol_visits_grid", "patrol_visits", ["grid", "start"], unique=False)
    op.create_table(
        "patrol_widths",
        sa.Column("vehicle", sa.String(length=140), nullable=False),
        sa.Column("width_m", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle", name=op.f("pk_patrol_widths")),
    )
