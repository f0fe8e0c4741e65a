"""The pace at which Stripe is asked, how far sweeps have come, and what a backfill found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stripe_lanes",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("free_at_epoch", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_stripe_lanes")),
    )
    op.create_table(
        "read_event_lists",
        sa.Column("scope", sa.String(length=255), nullable=False),
        sa.Column("read_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_read_event_lists")),
    )
    op.add_column("affiliates", sa.Column("verification_run_id", sa.Uuid(), nullable=True))
    op.add_column("verification_runs", sa.Column("listed_until", sa.String(length=255), nullable=True))
    op.add_column(
        "verification_runs",
        sa.Column("is_listed", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("job_slots", sa.Column("alive_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "webhook_events",
        sa.Column("is_backfilled", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    op.drop_column("webhook_events", "is_backfilled")
    op.drop_column("job_slots", "alive_at")
    op.drop_column("verification_runs", "is_listed")
    op.drop_column("verification_runs", "listed_until")
    op.drop_column("affiliates", "verification_run_id")
    op.drop_table("read_event_lists")
    op.drop_table("stripe_lanes")
