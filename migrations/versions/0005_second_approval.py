"""The first of two approvals of a large payout."""

from __future__ import annotations

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import op

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from triggers import Refusal, create, drop  # noqa: E402 - Alembic loads versions outside any package

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

RULES = [
    Refusal(
        "first_approvals_unchanging",
        "first_approvals",
        "BEFORE UPDATE",
        "1 = 1",
        "first_approvals: rows are only ever added",
    ),
    Refusal(
        "first_approvals_kept",
        "first_approvals",
        "BEFORE DELETE",
        "1 = 1",
        "first_approvals: rows are never deleted",
    ),
    Refusal(
        "first_approvals_begin",
        "first_approvals",
        "BEFORE INSERT",
        """NOT EXISTS (
            SELECT 1 FROM payouts p JOIN affiliates a ON a.id = p.affiliate_id
            WHERE p.id = NEW.payout_id AND p.status = 'requested'
            AND (p.requested_by IS NULL OR p.requested_by <> NEW.approved_by)
            AND (a.user_id IS NULL OR a.user_id <> NEW.approved_by))""",
        "first_approvals: only what is requested, and never by whom it is for",
    ),
    Refusal(
        "payouts_two_approvers",
        "payouts",
        "BEFORE UPDATE",
        """NEW.status = 'approved' AND OLD.status = 'requested' AND EXISTS (
            SELECT 1 FROM first_approvals f
            WHERE f.payout_id = NEW.id AND (NEW.approved_by IS NULL OR f.approved_by = NEW.approved_by))""",
        "payouts: the second approval is given by another person",
    ),
]


def upgrade() -> None:
    op.create_table(
        "first_approvals",
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["payouts.id"], name=op.f("fk_first_approvals_payout_id_payouts")
        ),
        sa.ForeignKeyConstraint(
            ["approved_by"], ["users.id"], name=op.f("fk_first_approvals_approved_by_users")
        ),
        sa.PrimaryKeyConstraint("payout_id", name=op.f("pk_first_approvals")),
    )
    create(RULES)


def downgrade() -> None:
    drop(RULES)
    op.drop_table("first_approvals")
