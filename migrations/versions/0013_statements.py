"""Statements of months that are over."""

from __future__ import annotations

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import op

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from triggers import Refusal, create, drop  # noqa: E402 - Alembic loads versions outside any package

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

RULES = [
    Refusal(
        "statements_follow",
        "statements",
        "BEFORE INSERT",
        """EXISTS (SELECT 1 FROM statements s WHERE s.affiliate_id = NEW.affiliate_id AND s.month >= NEW.month)
            OR NEW.opening <> coalesce((SELECT s.closing FROM statements s
                WHERE s.affiliate_id = NEW.affiliate_id ORDER BY s.month DESC LIMIT 1), 0)""",
        "statements: each begins where the one before ended",
    ),
    Refusal("statements_unchanging", "statements", "BEFORE UPDATE", "1 = 1", "statements: rows are only ever added"),
    Refusal("statements_kept", "statements", "BEFORE DELETE", "1 = 1", "statements: rows are never deleted"),
]


def upgrade() -> None:
    op.create_table(
        "statements",
        sa.Column("affiliate_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("opening", sa.BigInteger(), nullable=False),
        sa.Column("earned", sa.BigInteger(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("taken_back", sa.BigInteger(), nullable=False),
        sa.Column("closing", sa.BigInteger(), nullable=False),
        sa.Column("last_entry_id", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "closing = opening + earned - refunded - sent + taken_back", name=op.f("ck_statements_closing_adds_up")
        ),
        sa.CheckConstraint(
            "earned >= 0 AND refunded >= 0 AND sent >= 0 AND taken_back >= 0",
            name=op.f("ck_statements_sums_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["affiliate_id"], ["affiliates.id"], name=op.f("fk_statements_affiliate_id_affiliates")
        ),
        sa.PrimaryKeyConstraint("affiliate_id", "month", name=op.f("pk_statements")),
    )
    create(RULES)


def downgrade() -> None:
    drop(RULES)
    op.drop_table("statements")
