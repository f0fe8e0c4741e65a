"""Passes of the reconciliation, the differences that a person explained, the seals of the audit trail, the reference
of what an operator paid by hand, and how far Stripe's list of events was read."""

from __future__ import annotations

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import op

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from triggers import Refusal, create, drop  # noqa: E402 - Alembic loads versions outside any package

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def only_added(table: str) -> list[Refusal]:
    return [
        Refusal(f"{table}_unchanging", table, "BEFORE UPDATE", "1 = 1", f"{table}: rows are only ever added"),
        Refusal(f"{table}_kept", table, "BEFORE DELETE", "1 = 1", f"{table}: rows are never deleted"),
    ]


RULES = [
    *only_added("reconciliation_passes"),
    *only_added("reconciliation_acceptances"),
    *only_added("audit_seals"),
    *only_added("event_backfills"),
    Refusal(
        "audit_seals_follow",
        "audit_seals",
        "BEFORE INSERT",
        """NEW.sequence <> 1 + (SELECT coalesce(max(s.sequence), 0) FROM audit_seals s)
            OR (NEW.sequence > 1 AND NEW.previous_hash <> (
                SELECT s.hash FROM audit_seals s WHERE s.sequence = NEW.sequence - 1))""",
        "audit_seals: each seal follows the one before",
    ),
    Refusal(
        "payouts_external_reference",
        "payouts",
        "BEFORE UPDATE",
        """NEW.external_reference DIFFERS OLD.external_reference AND (OLD.external_reference IS NOT NULL
            OR NEW.method <> 'crypto' OR NEW.status <> 'paid')""",
        "payouts: a reference belongs to what was paid by hand, and never changes",
    ),
]


def upgrade() -> None:
    op.create_table(
        "reconciliation_passes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ours", sa.Integer(), nullable=False),
        sa.Column("others", sa.Integer(), nullable=False),
        sa.Column("settled", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("is_clean", sa.Boolean(), nullable=False),
        sa.Column("differences", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_passes")),
    )
    op.create_index("ix_reconciliation_passes_started_at", "reconciliation_passes", ["started_at"])
    op.create_table(
        "reconciliation_acceptances",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("difference_id", sa.String(length=255), nullable=False),
        sa.Column("message", sa.String(length=500), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("accepted_by", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation_acceptances")),
        sa.UniqueConstraint(
            "kind", "difference_id", "message",
            name=op.f("uq_reconciliation_acceptances_kind_difference_id_message"),
        ),
    )  # fmt: skip
    op.create_table(
        "audit_seals",
        sa.Column("sequence", NUMBER, autoincrement=False, nullable=False),
        sa.Column("audit_id", NUMBER, nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_seals")),
        sa.UniqueConstraint("audit_id", name=op.f("uq_audit_seals_audit_id")),
    )
    op.create_table(
        "event_backfills",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("stored", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_backfills")),
    )
    # not in a batch, which would make the table anew and lose its rules
    op.add_column("payouts", sa.Column("external_reference", sa.String(length=255), nullable=True))
    create(RULES)


def downgrade() -> None:
    drop(RULES)
    op.drop_column("payouts", "external_reference")
    op.drop_table("event_backfills")
    op.drop_table("audit_seals")
    op.drop_table("reconciliation_acceptances")
    op.drop_table("reconciliation_passes")
