"""Mail to be sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KINDS = (
    "status_pending", "status_verified", "status_restricted", "status_disconnected", "status_rejected",
    "payout_requested", "payout_sent", "payout_declined", "payout_failed", "payout_canceled",
    "payout_taken_back", "bank_changed", "preference_changed", "account_blocked", "account_unblocked",
    "sending_stopped", "transfer_taken_back",
)  # fmt: skip
STATES = ("waiting", "sent", "parked", "dropped")
IS_UNSENT = sa.text("state IN ('waiting', 'parked')")


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("deduplication_key", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.Enum(*KINDS, name="mail_kind", native_enum=False, create_constraint=True, length=32),
                  nullable=False),
        sa.Column("affiliate_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("state", sa.Enum(*STATES, name="mail_state", native_enum=False, create_constraint=True, length=32),
                  nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(affiliate_id IS NULL) <> (user_id IS NULL)", name=op.f("ck_outbox_one_recipient")),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_outbox_sent_has_time")),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_outbox_tries_not_negative")),
        sa.ForeignKeyConstraint(["affiliate_id"], ["affiliates.id"], name=op.f("fk_outbox_affiliate_id_affiliates")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_outbox_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("deduplication_key", name=op.f("uq_outbox_deduplication_key")),
    )  # fmt: skip
    op.create_index(
        "ix_outbox_unsent",
        "outbox",
        ["state", "next_try_at"],
        sqlite_where=IS_UNSENT,
        postgresql_where=IS_UNSENT,
    )


def downgrade() -> None:
    op.drop_table("outbox")
