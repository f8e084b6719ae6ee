"""Vehicles judged by rules: what waits, states, episodes, fences, the evidence of their alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    counter = sa.Column("heard", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("vehicles", counter)
    op.add_column(
        "vehicles", sa.Column("judged", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column("vehicles", sa.Column("unjudged_ms", sa.BigInteger(), nullable=True))
    waits = sa.text("unjudged_ms IS NOT NULL")
    op.create_index(
        "ix_vehicles_unjudged",
        "vehicles",
        ["unjudged_ms"],
        sqlite_where=waits,
        postgresql_where=waits,
    )
    op.add_column(
        "track_batches", sa.Column("arrival", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.create_table(
        "track_states",
        sa.Column("vehicle", sa.String(length=140), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle", name=op.f("pk_track_states")),
    )
    op.create_table(
        "track_hours",
        sa.Column("vehicle", sa.String(length=140), nullable=False),
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle", "hour", name=op.f("pk_track_hours")),
    )
    op.create_table(
        "track_cells",
        sa.Column("cell", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("vehicle", sa.String(length=140), nullable=False),
        sa.PrimaryKeyConstraint("cell", "hour", "vehicle", name=op.f("pk_track_cells")),
    )
    op.create_table(
        "vehicle_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vehicle", sa.String(length=140), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("certainty", sa.Float(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("begun_ms", sa.BigInteger(), nullable=False),
        sa.Column("known_ms", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("judged_at", sa.BigInteger(), nullable=False),
        sa.Column("superseded_at", sa.BigInteger(), nullable=True),
        sa.Column("alert", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicle_events")),
    )
    op.create_index("ix_vehicle_events_vehicle", "vehicle_events", ["vehicle", "start"])
    op.create_index("ix_vehicle_events_known", "vehicle_events", ["vehicle", "known_ms"])
    op.create_index("ix_vehicle_events_kind", "vehicle_events", ["kind", "start"])
    op.create_table(
        "fences",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fences")),
    )
    op.create_index("ix_fences_code", "fences", ["code", "version"], unique=True)
    op.create_table(
        "alert_tracks",
        sa.Column("alert", sa.String(length=20), nullable=False),
        sa.Column("vehicle", sa.String(length=140), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("certainty", sa.Float(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("fixes", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("alert", name=op.f("pk_alert_tracks")),
    )
