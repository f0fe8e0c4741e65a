"""Refunds: what was taken back of an earning."""

from __future__ import annotations

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import op

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from triggers import Refusal, create, drop  # noqa: E402 - Alembic loads versions outside any package

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

RULES = [
    Refusal(
        "refunds_unchanging", "refunds", "BEFORE UPDATE", "1 = 1", "refunds: rows are only ever added"
    ),
    Refusal("refunds_kept", "refunds", "BEFORE DELETE", "1 = 1", "refunds: rows are never deleted"),
    Refusal(
        "refunds_within_earning",
        "refunds",
        "BEFORE INSERT",
        """NEW.amount + (SELECT coalesce(sum(r.amount), 0) FROM refunds r WHERE r.earning_id = NEW.earning_id)
            > (SELECT e.amount FROM earnings e WHERE e.id = NEW.earning_id)""",
        "refunds: more than the earning brought",
    ),
]


def upgrade() -> None:
    op.create_table(
        "refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("earning_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=255), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount BETWEEN 1 AND 999999999999", name=op.f("ck_refunds_amount_bounds")),
        sa.ForeignKeyConstraint(["earning_id"], ["earnings.id"], name=op.f("fk_refunds_earning_id_earnings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("earning_id", "reference", name=op.f("uq_refunds_earning_id_reference")),
    )
    create(RULES)


def downgrade() -> None:
    drop(RULES)
    op.drop_table("refunds")
