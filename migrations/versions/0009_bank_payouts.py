"""Stripe's own payouts to affiliates' banks, which of our payouts each carries, and the mails that tell of one that
failed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import op

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from triggers import Refusal, create, drop  # noqa: E402 - Alembic loads versions outside any package

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OLD_MAIL = (
    "status_pending", "status_verified", "status_restricted", "status_disconnected", "status_rejected",
    "payout_requested", "payout_sent", "payout_declined", "payout_failed", "payout_canceled",
    "payout_taken_back", "bank_changed", "preference_changed", "account_blocked", "account_unblocked",
    "sending_stopped", "transfer_taken_back",
)  # fmt: skip
NEW_MAIL = ("payout_returned", "bank_payout_short")

RULES = [
    Refusal(
        "bank_payouts_frozen",
        "bank_payouts",
        "BEFORE UPDATE",
        """NEW.id <> OLD.id OR NEW.affiliate_id <> OLD.affiliate_id
            OR NEW.stripe_account_id <> OLD.stripe_account_id OR NEW.last_seen_at < OLD.last_seen_at""",
        "bank_payouts: whose it is never changes, and an older answer changes nothing",
    ),
    Refusal(
        "carried_payouts_fit",
        "carried_payouts",
        "BEFORE INSERT",
        """NOT EXISTS (
            SELECT 1 FROM payouts p JOIN bank_payouts b ON b.affiliate_id = p.affiliate_id
            WHERE p.id = NEW.payout_id AND b.id = NEW.bank_payout_id
            AND p.destination = b.stripe_account_id AND p.transfer_id IS NOT NULL)""",
        "carried_payouts: only what was transferred to the account that the bank payout comes from",
    ),
    Refusal(
        "carried_payouts_unchanging",
        "carried_payouts",
        "BEFORE UPDATE",
        "1 = 1",
        "carried_payouts: rows are only ever added",
    ),
    Refusal(
        "carried_payouts_kept",
        "carried_payouts",
        "BEFORE DELETE",
        "1 = 1",
        "carried_payouts: rows are never deleted",
    ),
]


def upgrade() -> None:
    op.create_table(
        "bank_payouts",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("affiliate_id", sa.Uuid(), nullable=False),
        sa.Column("stripe_account_id", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("arrival_on", sa.Date(), nullable=False),
        sa.Column("trace_id", sa.String(length=255), nullable=True),
        sa.Column("failure_code", sa.String(length=255), nullable=True),
        sa.Column("failure_message", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_bank_payouts_amount_positive")),
        sa.CheckConstraint(
            "status IN ('pending', 'in_transit', 'paid', 'failed', 'canceled', 'unknown')",
            name=op.f("ck_bank_payouts_bank_payout_status"),
        ),
        sa.ForeignKeyConstraint(
            ["affiliate_id"], ["affiliates.id"], name=op.f("fk_bank_payouts_affiliate_id_affiliates")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_payouts")),
    )
    op.create_index("ix_bank_payouts_affiliate_id", "bank_payouts", ["affiliate_id"])
    op.create_table(
        "carried_payouts",
        sa.Column("bank_payout_id", sa.String(length=255), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bank_payout_id"],
            ["bank_payouts.id"],
            name=op.f("fk_carried_payouts_bank_payout_id_bank_payouts"),
        ),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["payouts.id"], name=op.f("fk_carried_payouts_payout_id_payouts")
        ),
        sa.PrimaryKeyConstraint("bank_payout_id", "payout_id", name=op.f("pk_carried_payouts")),
    )
    op.create_index("ix_carried_payouts_payout_id", "carried_payouts", ["payout_id"])
    op.create_index("ix_payouts_destination", "payouts", ["destination"])
    create(RULES)
    _allow_mail((*OLD_MAIL, *NEW_MAIL))


def _allow_mail(kinds: tuple[str, ...]) -> None:
    """Let the outbox take these kinds."""
    is_allowed = f"kind IN ({', '.join(repr(kind) for kind in kinds)})"
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_outbox_mail_kind"), "outbox")
        op.create_check_constraint(op.f("ck_outbox_mail_kind"), "outbox", is_allowed)
        return
    # SQLite changes no constraint of a table that is there: it is made anew, in all else letter by letter as it was
    made = op.get_bind().exec_driver_sql("SELECT sql FROM sqlite_master WHERE tbl_name = 'outbox' AND sql <> ''")
    table, *indexes = sorted((sql for (sql,) in made), key=lambda sql: not sql.startswith("CREATE TABLE"))
    for statement in (
        "ALTER TABLE outbox RENAME TO outbox_before",
        re.sub(r"kind IN \([^)]*\)", is_allowed, table),
        "INSERT INTO outbox SELECT * FROM outbox_before",
        "DROP TABLE outbox_before",
        *indexes,
    ):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    op.execute(f"DELETE FROM outbox WHERE kind IN ({', '.join(repr(kind) for kind in NEW_MAIL)})")
    _allow_mail(OLD_MAIL)
    drop(RULES)
    op.drop_index("ix_payouts_destination", "payouts")
    op.drop_table("carried_payouts")
    op.drop_table("bank_payouts")
