"""Decisions about several payouts at once, and what became of each of them."""

from __future__ import annotations

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import op

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from triggers import Refusal, create, drop  # noqa: E402 - Alembic loads versions outside any package

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

KINDS = ("approve", "reject", "cancel")
OUTCOMES = ("done", "first", "skipped")

RULES = [
    Refusal(
        "decisions_same",
        "decisions",
        "BEFORE UPDATE",
        """NEW.id <> OLD.id OR NEW.kind <> OLD.kind OR NEW.decided_by <> OLD.decided_by
            OR NEW.decided_at <> OLD.decided_at OR NEW.reason DIFFERS OLD.reason""",
        "decisions: what was decided never changes",
    ),
    Refusal("decisions_kept", "decisions", "BEFORE DELETE", "1 = 1", "decisions: rows are never deleted"),
    Refusal(
        "decided_payouts_same",
        "decided_payouts",
        "BEFORE UPDATE",
        "NEW.decision_id <> OLD.decision_id OR NEW.payout_id <> OLD.payout_id OR OLD.outcome IS NOT NULL",
        "decided_payouts: what became of a payout is noted once",
    ),
    Refusal(
        "decided_payouts_kept",
        "decided_payouts",
        "BEFORE DELETE",
        "1 = 1",
        "decided_payouts: rows are never deleted",
    ),
]


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        _one_of("decisions", "kind", "decision_kind", KINDS),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_decisions_decided_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_table(
        "decided_payouts",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.Column("refusal", sa.String(length=500), nullable=True),
        _one_of("decided_payouts", "outcome", "decided_payout_outcome", OUTCOMES),
        sa.CheckConstraint(
            "(outcome IS NOT NULL AND outcome = 'skipped') = (refusal IS NOT NULL)",
            name=op.f("ck_decided_payouts_skipped_has_refusal"),
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decisions.id"], name=op.f("fk_decided_payouts_decision_id_decisions")
        ),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["payouts.id"], name=op.f("fk_decided_payouts_payout_id_payouts")
        ),
        sa.PrimaryKeyConstraint("decision_id", "payout_id", name=op.f("pk_decided_payouts")),
    )
    op.create_index(op.f("ix_decided_payouts_payout_id"), "decided_payouts", ["payout_id"])
    create(RULES)


def downgrade() -> None:
    drop(RULES)
    op.drop_table("decided_payouts")
    op.drop_table("decisions")


def _one_of(table: str, column: str, name: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(repr(value) for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{name}"))
