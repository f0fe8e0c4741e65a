"""Payout runs with their lists, the platform's balance as it was last read, and the mail about a run that sent none."""

from __future__ import annotations

import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import op

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from mail_kinds import allow, refuse  # noqa: E402 - Alembic loads versions outside any package
from triggers import Refusal, create, drop  # noqa: E402 - the same

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

NEW_MAIL = ("run_sent_nothing",)

TRIGGERS = ("operator", "timetable", "shell")
OUTCOMES = ("paid", "held", "waiting", "failed", "unknown", "skipped")

RULES = [
    Refusal(
        "payout_runs_kept",
        "payout_runs",
        "BEFORE UPDATE",
        """OLD.trigger = 'operator' AND (NEW.id <> OLD.id OR NEW.trigger <> OLD.trigger OR NEW.listed <> OLD.listed
            OR NEW.totals <> OLD.totals OR NEW.confirmed_by <> OLD.confirmed_by)""",
        "payout_runs: what an operator confirmed never changes",
    ),
    Refusal(
        "listed_payouts_confirmed",
        "listed_payouts",
        "BEFORE INSERT",
        """EXISTS (SELECT 1 FROM payout_runs r WHERE r.id = NEW.run_id AND r.trigger = 'operator'
            AND r.taken_at IS NOT NULL)""",
        "listed_payouts: nothing is added to a list that an operator confirmed",
    ),
    Refusal(
        "listed_payouts_same",
        "listed_payouts",
        "BEFORE UPDATE",
        "NEW.run_id <> OLD.run_id OR NEW.payout_id <> OLD.payout_id",
        "listed_payouts: a list keeps its payouts",
    ),
    Refusal(
        "listed_payouts_kept",
        "listed_payouts",
        "BEFORE DELETE",
        "1 = 1",
        "listed_payouts: rows are never deleted",
    ),
]


def upgrade() -> None:
    op.create_table(
        "payout_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trigger", sa.String(length=32), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alive_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("listed", sa.Integer(), nullable=False),
        sa.Column("totals", sa.Text(), nullable=False),
        sa.Column("paid", sa.Integer(), nullable=False),
        sa.Column("tally", sa.Text(), nullable=False),
        sa.Column("sent", sa.Text(), nullable=False),
        sa.Column("problem", sa.String(length=500), nullable=True),
        _one_of("payout_runs", "trigger", "payout_run_trigger", TRIGGERS),
        sa.CheckConstraint(
            "(trigger = 'operator') = (confirmed_by IS NOT NULL)", name=op.f("ck_payout_runs_operator_confirms")
        ),
        sa.CheckConstraint("paid BETWEEN 0 AND listed", name=op.f("ck_payout_runs_paid_bounds")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["users.id"], name=op.f("fk_payout_runs_confirmed_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_runs")),
    )
    op.create_index("ix_payout_runs_started_at", "payout_runs", ["started_at"])
    unfinished = sa.text("finished_at IS NULL")
    op.create_index(
        "ix_payout_runs_unfinished",
        "payout_runs",
        ["trigger"],
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    op.create_table(
        "listed_payouts",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        _one_of("listed_payouts", "outcome", "listed_payout_outcome", OUTCOMES),
        sa.ForeignKeyConstraint(
            ["payout_id"], ["payouts.id"], name=op.f("fk_listed_payouts_payout_id_payouts")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["payout_runs.id"], name=op.f("fk_listed_payouts_run_id_payout_runs")
        ),
        sa.PrimaryKeyConstraint("run_id", "payout_id", name=op.f("pk_listed_payouts")),
    )
    op.create_index(op.f("ix_listed_payouts_payout_id"), "listed_payouts", ["payout_id"])
    create(RULES)
    op.add_column("installation", sa.Column("balance", sa.Text(), nullable=True))
    op.add_column("installation", sa.Column("balance_read_at", sa.DateTime(timezone=True), nullable=True))
    failed = sa.text("status = 'failed'")
    op.create_index("ix_payouts_failed", "payouts", ["ended_at"], sqlite_where=failed, postgresql_where=failed)
    allow(NEW_MAIL)


def downgrade() -> None:
    refuse(NEW_MAIL)
    op.drop_index("ix_payouts_failed", "payouts")
    op.drop_column("installation", "balance_read_at")
    op.drop_column("installation", "balance")
    drop(RULES)
    op.drop_table("listed_payouts")
    op.drop_table("payout_runs")


def _one_of(table: str, column: str, name: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(repr(value) for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{name}"))
