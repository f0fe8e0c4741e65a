"""Indexes by which every page is found at once, however much there is."""

from __future__ import annotations

from contextlib import suppress

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

IS_OPEN = "status IN ('requested', 'approved', 'held', 'processing')"
IS_UNSENT = "state IN ('waiting', 'parked')"

#: Name, table, columns, and the rows that are in it: on SQLite and on PostgreSQL.
NEW = (
    ("ix_affiliates_bank_fingerprint_accepted_bank_id", "affiliates", ["bank_fingerprint", "accepted_bank", "id"], None),
    ("ix_affiliates_stripe_account_status_code", "affiliates", ["stripe_account_status", "code"], None),
    ("ix_affiliates_status_changed_at", "affiliates", ["stripe_account_status", "status_changed_at"], None),
    ("ix_affiliates_blocked", "affiliates", ["code"], "is_blocked"),
    ("ix_stripe_accounts_state_created_at", "stripe_accounts", ["state", "created_at"], None),
    ("ix_payouts_affiliate_id_status_number", "payouts", ["affiliate_id", "status", "number"], None),
    ("ix_payouts_status_number", "payouts", ["status", "number"], None),
    ("ix_payouts_created_at_number", "payouts", ["created_at", "number"], None),
    ("ix_payouts_paid_at", "payouts", ["paid_at"], None),
    ("ix_payout_attempts_parked", "payout_attempts", ["payout_id"], "state = 'parked'"),
    ("ix_outbox_state_next_try_at", "outbox", ["state", "next_try_at"], None),
    ("ix_webhook_events_received_at_id", "webhook_events", ["received_at", "id"], None),
    ("ix_webhook_events_state_received_at_id", "webhook_events", ["state", "received_at", "id"], None),
    ("ix_webhook_events_type_received_at_id", "webhook_events", ["type", "received_at", "id"], None),
    ("ix_webhook_events_account_id", "webhook_events", ["account_id"], None),
    ("ix_webhook_events_object_id", "webhook_events", ["object_id"], None),
    ("ix_webhook_events_backfilled", "webhook_events", ["received_at"], "is_backfilled"),
    ("ix_audit_log_subject_id_subject_kind_id", "audit_log", ["subject_id", "subject_kind", "id"], None),
    ("ix_audit_log_subject_kind_id", "audit_log", ["subject_kind", "id"], None),
    ("ix_audit_log_action_id", "audit_log", ["action", "id"], None),
    ("ix_audit_log_actor_kind_id", "audit_log", ["actor_kind", "id"], None),
    ("ix_audit_log_created_at", "audit_log", ["created_at"], None),
)

#: What these take the place of. SQLite takes a partial index only where it sees the very same condition.
OLD = (
    ("ix_affiliates_bank_fingerprint", "affiliates", ["bank_fingerprint"], None),
    ("ix_payouts_open", "payouts", ["status", "next_try_at"], IS_OPEN),
    ("ix_outbox_unsent", "outbox", ["state", "next_try_at"], IS_UNSENT),
    ("ix_webhook_events_received_at", "webhook_events", ["received_at"], None),
    ("ix_webhook_events_waiting", "webhook_events", ["next_try_at"], "state = 'received'"),
    ("ix_webhook_events_parked", "webhook_events", ["received_at"], "state = 'parked'"),
    ("ix_audit_log_subject", "audit_log", ["subject_kind", "subject_id", "id"], None),
)


def upgrade() -> None:
    _create(NEW)
    _drop(OLD)
    _index_words()


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX IF EXISTS ix_affiliates_words")
    _create(OLD)
    _drop(NEW)


def _index_words() -> None:
    """Parts of codes, names and e-mails by their trigrams, where PostgreSQL has that extension and lets the database's
    owner install it, as it does unless somebody forbade it. Without it they are found as well, by looking at all."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    if not connection.scalar(sa.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'")):
        return
    with suppress(sa.exc.ProgrammingError), connection.begin_nested():
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        # fails too where the extension is in a schema in which nothing is looked for
        op.execute(
            "CREATE INDEX ix_affiliates_words ON affiliates"
            " USING gin ((code || ' ' || name || ' ' || email) gin_trgm_ops)"
        )


def _create(indexes: tuple[tuple[str, str, list[str], str | None], ...]) -> None:
    for name, table, columns, condition in indexes:
        on_sqlite = f"{condition} = 1" if condition in ("is_blocked", "is_backfilled") else condition
        op.create_index(
            name,
            table,
            columns,
            sqlite_where=sa.text(on_sqlite) if on_sqlite else None,
            postgresql_where=sa.text(condition) if condition else None,
        )


def _drop(indexes: tuple[tuple[str, str, list[str], str | None], ...]) -> None:
    for name, table, *_ in indexes:
        op.drop_index(name, table)
