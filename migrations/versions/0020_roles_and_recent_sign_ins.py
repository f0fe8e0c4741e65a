"""When people last signed in, what they had typed when they were asked to, and two more kinds of decisions."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

import sqlalchemy as sa
from alembic import op

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from triggers import Refusal, create, drop  # noqa: E402 - Alembic loads versions outside any package

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

KINDS_BEFORE = ("approve", "reject", "cancel")
KINDS = (*KINDS_BEFORE, "retry", "mark_paid")
NAME = "ck_decisions_decision_kind"

#: All rules of the two tables: on SQLite they go with the tables, which are made anew.
RULES_BEFORE = [
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
RULES = [
    *RULES_BEFORE[:2],
    Refusal(
        "decided_payouts_same",
        "decided_payouts",
        "BEFORE UPDATE",
        """NEW.decision_id <> OLD.decision_id OR NEW.payout_id <> OLD.payout_id
            OR NEW.reference DIFFERS OLD.reference OR OLD.outcome IS NOT NULL""",
        "decided_payouts: what became of a payout is noted once",
    ),
    RULES_BEFORE[3],
]


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column(
        "sessions",
        sa.Column("signed_in_at", moment, server_default="1970-01-01 00:00:00+00:00", nullable=False),
    )
    sessions = sa.table("sessions", sa.column("signed_in_at"), sa.column("created_at"))
    op.execute(sa.update(sessions).values(signed_in_at=sessions.c.created_at))
    op.create_table(
        "kept_forms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("kept_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_kept_forms_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_forms")),
    )
    op.create_index(op.f("ix_kept_forms_kept_at"), "kept_forms", ["kept_at"])
    drop(RULES_BEFORE)
    _allow(KINDS, before=KINDS_BEFORE)
    op.add_column("decided_payouts", sa.Column("reference", sa.String(length=255), nullable=True))
    op.add_column("decided_payouts", sa.Column("done", sa.String(length=500), nullable=True))
    create(RULES)


def downgrade() -> None:
    drop(RULES)
    decisions = sa.table("decisions", sa.column("id"), sa.column("kind"))
    payouts = sa.table("decided_payouts", sa.column("decision_id"))
    newer = sa.select(decisions.c.id).where(decisions.c.kind.not_in(KINDS_BEFORE))
    op.execute(sa.delete(payouts).where(payouts.c.decision_id.in_(newer)))
    op.execute(sa.delete(decisions).where(decisions.c.kind.not_in(KINDS_BEFORE)))
    op.drop_column("decided_payouts", "done")
    op.drop_column("decided_payouts", "reference")
    _allow(KINDS_BEFORE, before=KINDS)
    create(RULES_BEFORE)
    op.drop_table("kept_forms")
    op.drop_column("sessions", "signed_in_at")


def _allow(kinds: Collection[str], *, before: Collection[str]) -> None:
    """Let decisions be of these kinds alone."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.drop_constraint(op.f(NAME), "decisions")
        op.create_check_constraint(op.f(NAME), "decisions", f"kind IN ({_listed(kinds)})")
        return
    # SQLite changes no constraint of a table that is there: both are made anew, as one names the other, and in all else
    # letter by letter as they were
    tables = ("decisions", "decided_payouts")
    made = {table: _statements(table) for table in tables}
    for table in reversed(tables):
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {table}_before")
    for table in tables:
        statement = made[table][0].replace(f"kind IN ({_listed(before)})", f"kind IN ({_listed(kinds)})")
        connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM {table}_before")
    for table in reversed(tables):
        connection.exec_driver_sql(f"DROP TABLE {table}_before")
        for index in made[table][1:]:
            connection.exec_driver_sql(index)


def _statements(table: str) -> list[str]:
    """How SQLite would make the table and then its indexes."""
    query = "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql <> ''"
    made = op.get_bind().exec_driver_sql(query, (table,))
    return sorted((sql for (sql,) in made), key=lambda sql: not sql.startswith("CREATE TABLE"))


def _listed(kinds: Collection[str]) -> str:
    return ", ".join(repr(kind) for kind in kinds)
