"""Notes in the audit trail, the operators' daily mail, tokens that expire, and what a verification found of whom."""

from __future__ import annotations

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import op

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from mail_kinds import allow, refuse  # noqa: E402 - Alembic loads versions outside any package

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

NEW_MAIL = ("daily_digest",)


def upgrade() -> None:
    allow(NEW_MAIL)
    _let_reasons_have(2_000, before=500)
    moment = sa.DateTime(timezone=True)
    op.add_column("api_tokens", sa.Column("expires_at", moment, nullable=True))
    op.create_table(
        "verification_findings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("affiliate_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("status_before", sa.String(length=32), nullable=True),
        sa.Column("detail_before", sa.String(length=32), nullable=True),
        sa.Column("status_after", sa.String(length=32), nullable=True),
        sa.Column("detail_after", sa.String(length=32), nullable=True),
        sa.Column("is_webhook_missed", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('changed', 'not_shown', 'no_answer')",
            name=op.f("ck_verification_findings_verification_finding_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["affiliate_id"],
            ["affiliates.id"],
            name=op.f("fk_verification_findings_affiliate_id_affiliates"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["verification_runs.id"],
            name=op.f("fk_verification_findings_run_id_verification_runs"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_findings")),
    )
    op.create_index("ix_verification_findings_run_id", "verification_findings", ["run_id", "id"])


def downgrade() -> None:
    op.drop_table("verification_findings")
    op.drop_column("api_tokens", "expires_at")
    _let_reasons_have(500, before=2_000)
    refuse(NEW_MAIL)


def _let_reasons_have(characters: int, *, before: int) -> None:
    """Of the audit trail. Where a longer one stands there, PostgreSQL refuses to go back: nothing of it is cut off."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.alter_column("audit_log", "reason", type_=sa.String(characters), existing_type=sa.String(before))
        return
    # SQLite holds texts of any length; the declared one changes in place, as its documentation says for what no row's
    # form depends on, because a table made anew would lose its rules and its numbering
    (version,) = connection.exec_driver_sql("PRAGMA schema_version").one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'audit_log'",
        (f"reason VARCHAR({before})", f"reason VARCHAR({characters})"),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")
