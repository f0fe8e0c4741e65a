"""The rules the database keeps by itself, whoever writes to it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from triggers import Movement, Refusal, create, drop  # noqa: E402 - Alembic loads versions outside any package

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def frozen(table: str, *columns: str) -> Refusal:
    changed = " OR ".join(f"NEW.{column} DIFFERS OLD.{column}" for column in columns)
    return Refusal(f"{table}_frozen", table, "BEFORE UPDATE", changed, f"{table}: what identifies a row never changes")


def kept(table: str) -> Refusal:
    return Refusal(f"{table}_kept", table, "BEFORE DELETE", "1 = 1", f"{table}: rows are never deleted")


def unchanging(table: str) -> Refusal:
    return Refusal(f"{table}_unchanging", table, "BEFORE UPDATE", "1 = 1", f"{table}: rows are only ever added")


NEXT_STATES = (
    ("requested", "approved"), ("requested", "rejected"), ("requested", "canceled"),
    ("approved", "processing"), ("approved", "held"), ("approved", "canceled"), ("approved", "paid"),
    ("held", "approved"), ("held", "canceled"),
    ("processing", "paid"), ("processing", "approved"), ("processing", "held"), ("processing", "failed"),
    ("paid", "reversed"),
)  # fmt: skip
MOVES = (
    ("earn", "earned", "on_hold"), ("mature", "on_hold", "available"), ("pay_owed", "available", "owed"),
    ("reserve", "available", "reserved"), ("settle", "reserved", "paid_out"), ("release", "reserved", "available"),
    ("reverse", "paid_out", "available"), ("refund_on_hold", "on_hold", "earned"),
    ("refund_available", "available", "earned"), ("refund_owed", "owed", "earned"),
)  # fmt: skip


def values(rows: tuple[tuple[str, ...], ...]) -> str:
    return ", ".join("(" + ", ".join(f"'{word}'" for word in row) + ")" for row in rows)


LIVE_ATTEMPT = "EXISTS (SELECT 1 FROM payout_attempts t WHERE t.payout_id = NEW.id AND t.state <> 'failed')"
CAN_BE_PAID = (
    "EXISTS (SELECT 1 FROM affiliates a WHERE a.id = NEW.affiliate_id AND NOT a.is_blocked AND "
    "(NEW.method = 'crypto' OR (a.stripe_account_status = 'verified' AND a.stripe_account_id = NEW.destination)))"
)

LEDGER = [
    unchanging("ledger_entries"),
    kept("ledger_entries"),
    Refusal(
        "ledger_entries_shape",
        "ledger_entries",
        "BEFORE INSERT",
        f"""NOT EXISTS (
            SELECT 1 FROM ledger_accounts d, ledger_accounts c
            WHERE d.id = NEW.debit_account_id AND c.id = NEW.credit_account_id
            AND d.affiliate_id = NEW.affiliate_id AND c.affiliate_id = NEW.affiliate_id
            AND d.currency = NEW.currency AND c.currency = NEW.currency
            AND (NEW.kind, d.kind, c.kind) IN (VALUES {values(MOVES)}))""",
        "ledger_entries: this kind of entry does not move money between these accounts",
    ),
    Refusal(
        "ledger_entries_payout",
        "ledger_entries",
        "BEFORE INSERT",
        """NEW.payout_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM payouts p WHERE p.id = NEW.payout_id
            AND p.affiliate_id = NEW.affiliate_id AND p.currency = NEW.currency
            AND (p.amount = NEW.amount OR (NEW.kind = 'reverse' AND NEW.amount < p.amount))
            AND CASE NEW.kind
                WHEN 'reserve' THEN p.status = 'requested'
                WHEN 'settle' THEN (p.method = 'crypto' AND p.status = 'approved') OR (p.status = 'processing' AND EXISTS (
                    SELECT 1 FROM payout_attempts t WHERE t.payout_id = p.id AND t.state = 'succeeded'))
                WHEN 'release' THEN p.status IN ('requested', 'approved', 'held', 'processing') AND NOT EXISTS (
                    SELECT 1 FROM payout_attempts t WHERE t.payout_id = p.id AND t.state <> 'failed')
                ELSE p.status = 'paid' END)""",
        "ledger_entries: the payout is another, or not in a state for this entry",
    ),
    Refusal(
        "ledger_entries_earning",
        "ledger_entries",
        "BEFORE INSERT",
        """NEW.earning_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM earnings e WHERE e.id = NEW.earning_id AND e.affiliate_id = NEW.affiliate_id
            AND e.currency = NEW.currency AND (NEW.kind <> 'earn' OR e.amount = NEW.amount))""",
        "ledger_entries: the earning is another",
    ),
    Movement(
        "ledger_entries_move",
        "ledger_entries",
        "AFTER INSERT",
        [
            "UPDATE ledger_accounts SET balance = balance - NEW.amount, last_entry_id = NEW.id WHERE id = NEW.debit_account_id",
            "UPDATE ledger_accounts SET balance = balance + NEW.amount, last_entry_id = NEW.id WHERE id = NEW.credit_account_id",
            "UPDATE earnings SET held = held + NEW.amount WHERE id = NEW.earning_id AND NEW.kind = 'earn'",
            "UPDATE earnings SET held = held - NEW.amount WHERE id = NEW.earning_id AND NEW.kind <> 'earn'",
            "UPDATE affiliates SET total_earned = total_earned + NEW.amount WHERE id = NEW.affiliate_id AND NEW.kind = 'earn'",
            "UPDATE affiliates SET total_earned = total_earned - NEW.amount WHERE id = NEW.affiliate_id"
            " AND NEW.kind IN ('refund_on_hold', 'refund_available', 'refund_owed')",
        ],
    ),
    frozen("ledger_accounts", "id", "affiliate_id", "kind", "currency"),
    kept("ledger_accounts"),
    Refusal(
        "ledger_accounts_begin_empty",
        "ledger_accounts",
        "BEFORE INSERT",
        "NEW.balance <> 0 OR NEW.last_entry_id <> 0 OR NOT EXISTS ("
        "SELECT 1 FROM affiliates a WHERE a.id = NEW.affiliate_id AND a.currency = NEW.currency)",
        "ledger_accounts: an account begins at zero, in the currency of its affiliate",
    ),
    Refusal(
        "ledger_accounts_by_entry",
        "ledger_accounts",
        "BEFORE UPDATE",
        """(NEW.balance <> OLD.balance OR NEW.last_entry_id <> OLD.last_entry_id) AND NOT EXISTS (
            SELECT 1 FROM ledger_entries e WHERE e.id = NEW.last_entry_id AND NEW.last_entry_id > OLD.last_entry_id
            AND ((e.credit_account_id = NEW.id AND NEW.balance = OLD.balance + e.amount)
              OR (e.debit_account_id = NEW.id AND NEW.balance = OLD.balance - e.amount)))""",
        "ledger_accounts: a balance moves only by a new entry",
    ),
    frozen(
        "earnings", "id", "affiliate_id", "reference", "amount", "currency", "description",
        "occurred_at", "available_at", "created_at",
    ),
    kept("earnings"),
    Refusal(
        "earnings_begin_unheld",
        "earnings",
        "BEFORE INSERT",
        "NEW.held <> 0",
        "earnings: what is on hold comes from the entry",
    ),
    Refusal(
        "earnings_held_by_entry",
        "earnings",
        "BEFORE UPDATE",
        """NEW.held <> OLD.held AND NEW.held <> (
            SELECT coalesce(sum(CASE WHEN e.kind = 'earn' THEN e.amount ELSE -e.amount END), 0)
            FROM ledger_entries e WHERE e.earning_id = NEW.id)""",
        "earnings: what is on hold moves only by an entry",
    ),
]  # fmt: skip

PAYOUTS = [
    frozen(
        "payouts", "number", "id", "affiliate_id", "amount", "currency", "method", "destination",
        "request_key", "requested_by", "created_at",
    ),
    kept("payouts"),
    Refusal(
        "payouts_begin_requested",
        "payouts",
        "BEFORE INSERT",
        "NEW.status <> 'requested' OR NEW.approved_by IS NOT NULL OR NEW.transfer_id IS NOT NULL OR NEW.amount_reversed <> 0",
        "payouts: a payout begins as requested",
    ),
    Refusal(
        "payouts_states",
        "payouts",
        "BEFORE UPDATE",
        f"NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (VALUES {values(NEXT_STATES)})",
        "payouts: this move is not legal",
    ),
    Refusal(
        "payouts_approved",
        "payouts",
        "BEFORE UPDATE",
        f"OLD.status IN ('requested', 'held') AND NEW.status = 'approved' AND NOT {CAN_BE_PAID}",
        "payouts: the affiliate cannot be paid at the moment",
    ),
    Refusal(
        "payouts_reserved",
        "payouts",
        "BEFORE UPDATE",
        """NEW.status = 'approved' AND OLD.status <> 'approved' AND NOT EXISTS (
            SELECT 1 FROM ledger_entries e WHERE e.payout_id = NEW.id AND e.kind = 'reserve')""",
        "payouts: approved needs its reserve entry",
    ),
    Refusal(
        "payouts_approver",
        "payouts",
        "BEFORE UPDATE",
        "OLD.approved_at IS NOT NULL AND (NEW.approved_by DIFFERS OLD.approved_by OR NEW.approved_at DIFFERS OLD.approved_at)",
        "payouts: who approved it never changes",
    ),
    Refusal(
        "payouts_transfer",
        "payouts",
        "BEFORE UPDATE",
        "OLD.transfer_id IS NOT NULL AND NEW.transfer_id DIFFERS OLD.transfer_id",
        "payouts: its transfer never changes",
    ),
    Refusal(
        "payouts_reversed",
        "payouts",
        "BEFORE UPDATE",
        """(NEW.amount_reversed <> OLD.amount_reversed AND NEW.amount_reversed <> (
            SELECT coalesce(sum(e.amount), 0) FROM ledger_entries e WHERE e.payout_id = NEW.id AND e.kind = 'reverse'))
            OR (NEW.status = 'reversed' AND NEW.amount_reversed <> NEW.amount)""",
        "payouts: what was reversed comes from the entries",
    ),
    Refusal(
        "payouts_paid",
        "payouts",
        "BEFORE UPDATE",
        """NEW.status = 'paid' AND OLD.status <> 'paid' AND (
            (OLD.status = 'approved' AND OLD.method <> 'crypto') OR NOT EXISTS (
            SELECT 1 FROM ledger_entries e WHERE e.payout_id = NEW.id AND e.kind = 'settle'))""",
        "payouts: paid needs its settle entry",
    ),
    Refusal(
        "payouts_given_back",
        "payouts",
        "BEFORE UPDATE",
        """NEW.status IN ('failed', 'rejected', 'canceled') AND OLD.status <> NEW.status AND NOT EXISTS (
            SELECT 1 FROM ledger_entries e WHERE e.payout_id = NEW.id AND e.kind = 'release')""",
        "payouts: an end without payment needs its release entry",
    ),
    Refusal(
        "payouts_processing",
        "payouts",
        "BEFORE UPDATE",
        f"OLD.status <> 'processing' AND NEW.status = 'processing' AND NOT {LIVE_ATTEMPT}",
        "payouts: processing needs an attempt",
    ),
    Refusal(
        "payouts_not_while_unknown",
        "payouts",
        "BEFORE UPDATE",
        f"OLD.status = 'processing' AND NEW.status IN ('approved', 'held', 'failed') AND {LIVE_ATTEMPT}",
        "payouts: the outcome of an attempt is not known yet",
    ),
    frozen("payout_attempts", "id", "payout_id", "generation", "idempotency_key", "parameters", "first_sent_at"),
    kept("payout_attempts"),
    Refusal(
        "payout_attempts_ended",
        "payout_attempts",
        "BEFORE UPDATE",
        "OLD.state IN ('succeeded', 'failed') AND (NEW.state <> OLD.state OR NEW.transfer_id DIFFERS OLD.transfer_id)",
        "payout_attempts: what is proven stays proven",
    ),
    Refusal(
        "payout_attempts_begin",
        "payout_attempts",
        "BEFORE INSERT",
        """NEW.state <> 'open' OR NEW.unresolved_tries < 1 OR NOT EXISTS (
            SELECT 1 FROM payouts p JOIN affiliates a ON a.id = p.affiliate_id
            WHERE p.id = NEW.payout_id AND p.status = 'approved' AND p.method = 'fiat' AND NOT a.is_blocked
            AND a.preferred_payout_type = 'fiat'
            AND a.stripe_account_status = 'verified' AND a.stripe_account_id = p.destination)""",
        "payout_attempts: only an approved payout of a verified affiliate who is not blocked is sent",
    ),
]  # fmt: skip

OTHERS = [
    frozen("affiliates", "id", "code", "currency", "created_at"),
    kept("affiliates"),
    Refusal(
        "affiliates_begin_unpaid",
        "affiliates",
        "BEFORE INSERT",
        "NEW.total_earned <> 0",
        "affiliates: the total earned comes from the ledger",
    ),
    Refusal(
        "affiliates_total_by_ledger",
        "affiliates",
        "BEFORE UPDATE",
        """NEW.total_earned <> OLD.total_earned AND NEW.total_earned <> (
            SELECT -balance FROM ledger_accounts l WHERE l.affiliate_id = NEW.id AND l.kind = 'earned')""",
        "affiliates: the total earned comes from the ledger",
    ),
    frozen("stripe_accounts", "id", "affiliate_id", "generation", "idempotency_key", "parameters", "first_sent_at"),
    kept("stripe_accounts"),
    frozen("installation", "one", "id", "created_at"),
    kept("installation"),
    unchanging("audit_log"),
    kept("audit_log"),
    frozen(
        "webhook_events", "id", "type", "object_id", "account_id", "api_version", "is_livemode",
        "created_at", "body_sha256", "received_at",
    ),
    kept("webhook_events"),
]  # fmt: skip

RULES = [*LEDGER, *PAYOUTS, *OTHERS]


def upgrade() -> None:
    create(RULES)


def downgrade() -> None:
    drop(RULES)
