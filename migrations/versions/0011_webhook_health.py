"""Which secret an event was signed with, when each scope was last heard of, what was refused, and self-tests."""

from __future__ import annotations

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import op

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from triggers import Refusal, create, drop  # noqa: E402 - Alembic loads versions outside any package

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

RULES = [
    Refusal(
        "webhook_events_signature_frozen",
        "webhook_events",
        "BEFORE UPDATE",
        "NEW.signed_with DIFFERS OLD.signed_with",
        "webhook_events: what it was signed with never changes",
    )
]


def upgrade() -> None:
    op.add_column("webhook_events", sa.Column("signed_with", sa.String(length=255), nullable=True))
    create(RULES)
    op.create_table(
        "webhook_hearings",
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.String(length=8), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "scope IN ('platform', 'accounts')", name=op.f("ck_webhook_hearings_webhook_scope")
        ),
        sa.PrimaryKeyConstraint("scope", "fingerprint", name=op.f("pk_webhook_hearings")),
    )
    op.create_table(
        "webhook_refusals",
        sa.Column("hour_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "reason IN ('bad_signature', 'too_old', 'from_the_future', 'not_an_event', 'too_large', 'other_mode')",
            name=op.f("ck_webhook_refusals_webhook_refusal"),
        ),
        sa.PrimaryKeyConstraint("hour_at", "reason", name=op.f("pk_webhook_refusals")),
    )
    op.create_table(
        "webhook_self_tests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("findings", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_self_tests")),
    )
    op.create_index("ix_webhook_self_tests_asked_at", "webhook_self_tests", ["asked_at"])
    parked = sa.text("state = 'parked'")
    op.create_index(
        "ix_webhook_events_parked", "webhook_events", ["received_at"], sqlite_where=parked, postgresql_where=parked
    )


def downgrade() -> None:
    op.drop_index("ix_webhook_events_parked", "webhook_events")
    for table in ("webhook_self_tests", "webhook_refusals", "webhook_hearings"):
        op.drop_table(table)
    drop(RULES)
    op.drop_column("webhook_events", "signed_with")
