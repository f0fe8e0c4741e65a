"""What must hold in the books at every commit, each as one query that finds the rows that break it.

The SQL is what SQLite and PostgreSQL both understand; `:open`, `:moves`, `:legal` and `:rules` are filled in by
`selfcheck`. A query answers with the id of what is broken and, where it helps, a detail. Ids of rows are compared with
ids in texts without their dashes, which SQLite does not store.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Invariant:
    """One promise of the books; `sentence` says what is wrong with a row that the query finds."""

    kind: str
    sentence: str
    query: str


LEDGER = (
    Invariant(
        "entry_shape",
        "This entry does not move a positive amount between the two accounts of its kind.",
        """SELECT e.id, e.kind FROM ledger_entries e
        LEFT JOIN ledger_accounts d ON d.id = e.debit_account_id
        LEFT JOIN ledger_accounts c ON c.id = e.credit_account_id
        WHERE e.amount <= 0 OR d.id IS NULL OR c.id IS NULL
        OR d.affiliate_id <> e.affiliate_id OR c.affiliate_id <> e.affiliate_id
        OR d.currency <> e.currency OR c.currency <> e.currency
        OR (e.kind || ' ' || d.kind || ' ' || c.kind) NOT IN :moves""",
    ),
    Invariant(
        "account_balance",
        "The balance of this ledger account is not what its entries make.",
        """WITH moved AS (
            SELECT account, sum(amount) AS amount FROM (
                SELECT credit_account_id AS account, amount FROM ledger_entries
                UNION ALL SELECT debit_account_id, -amount FROM ledger_entries) AS sides GROUP BY account)
        SELECT a.id, a.kind || ' ' || a.balance || ' instead of ' || coalesce(m.amount, 0) FROM ledger_accounts a
        LEFT JOIN moved m ON m.account = a.id WHERE a.balance <> coalesce(m.amount, 0)""",
    ),
    Invariant(
        "currency_sum",
        "The balances of all accounts in this currency do not sum to zero.",
        "SELECT currency, sum(balance) FROM ledger_accounts GROUP BY currency HAVING sum(balance) <> 0",
    ),
    Invariant(
        "balance_below_zero",
        "This balance stands on the wrong side of zero.",
        """SELECT id, kind || ' ' || balance FROM ledger_accounts
        WHERE CASE WHEN kind IN ('earned', 'owed') THEN balance > 0 ELSE balance < 0 END""",
    ),
    Invariant(
        "reserved",
        "What is reserved of this affiliate is not the sum of their open payouts.",
        """WITH reserved AS (SELECT affiliate_id, balance FROM ledger_accounts WHERE kind = 'reserved'),
        due AS (SELECT affiliate_id, sum(amount) AS amount FROM payouts WHERE status IN :open GROUP BY affiliate_id)
        SELECT a.id, coalesce(r.balance, 0) || ' instead of ' || coalesce(d.amount, 0) FROM affiliates a
        LEFT JOIN reserved r ON r.affiliate_id = a.id LEFT JOIN due d ON d.affiliate_id = a.id
        WHERE coalesce(r.balance, 0) <> coalesce(d.amount, 0)""",
    ),
    Invariant(
        "total_earned",
        "The affiliate's total earned is not what the ledger says.",
        """WITH stands AS (SELECT affiliate_id,
            sum(CASE WHEN kind = 'earned' THEN -balance ELSE 0 END) AS earned,
            sum(CASE WHEN kind <> 'earned' THEN balance ELSE 0 END) AS had
            FROM ledger_accounts GROUP BY affiliate_id)
        SELECT a.id, a.total_earned || ' instead of ' || coalesce(s.earned, 0) FROM affiliates a
        LEFT JOIN stands s ON s.affiliate_id = a.id
        WHERE a.total_earned <> coalesce(s.earned, 0) OR coalesce(s.earned, 0) <> coalesce(s.had, 0)""",
    ),
    Invariant(
        "earning_once",
        "This earning is not in the ledger exactly once, with its amount, or its hold is not what its entries make.",
        """WITH posted AS (SELECT earning_id,
            sum(CASE WHEN kind = 'earn' THEN 1 ELSE 0 END) AS times,
            sum(CASE WHEN kind = 'earn' THEN amount ELSE 0 END) AS amount,
            sum(CASE WHEN kind = 'earn' THEN amount ELSE -amount END) AS held
            FROM ledger_entries WHERE earning_id IS NOT NULL GROUP BY earning_id)
        SELECT e.id, e.reference FROM earnings e LEFT JOIN posted p ON p.earning_id = e.id
        WHERE coalesce(p.times, 0) <> 1 OR p.amount <> e.amount OR p.held <> e.held""",
    ),
    Invariant(
        "refund",
        "What was refunded of this affiliate's earnings is not what the ledger took back.",
        """WITH asked AS (SELECT e.affiliate_id, sum(r.amount) AS amount FROM refunds r
            JOIN earnings e ON e.id = r.earning_id GROUP BY e.affiliate_id),
        taken AS (SELECT affiliate_id, sum(amount) AS amount FROM ledger_entries
            WHERE kind IN ('refund_on_hold', 'refund_available', 'refund_owed') GROUP BY affiliate_id)
        SELECT a.id, coalesce(t.amount, 0) || ' instead of ' || coalesce(k.amount, 0) FROM affiliates a
        LEFT JOIN asked k ON k.affiliate_id = a.id LEFT JOIN taken t ON t.affiliate_id = a.id
        WHERE coalesce(k.amount, 0) <> coalesce(t.amount, 0)""",
    ),
    Invariant(
        "payout_entries",
        "This payout does not have the entries of its state, each with its amount and currency.",
        """WITH posted AS (SELECT e.payout_id,
            sum(CASE WHEN e.kind = 'reserve' THEN 1 ELSE 0 END) AS reserved,
            sum(CASE WHEN e.kind = 'settle' THEN 1 ELSE 0 END) AS settled,
            sum(CASE WHEN e.kind = 'release' THEN 1 ELSE 0 END) AS released,
            sum(CASE WHEN e.kind = 'reverse' THEN e.amount ELSE 0 END) AS reversed,
            sum(CASE WHEN e.affiliate_id <> p.affiliate_id OR e.currency <> p.currency
                OR (e.kind <> 'reverse' AND e.amount <> p.amount) THEN 1 ELSE 0 END) AS foreign_ones
            FROM ledger_entries e JOIN payouts p ON p.id = e.payout_id GROUP BY e.payout_id)
        SELECT p.id, p.status FROM payouts p LEFT JOIN posted e ON e.payout_id = p.id
        WHERE e.payout_id IS NULL OR e.reserved <> 1 OR e.foreign_ones > 0 OR e.reversed <> p.amount_reversed
        OR e.settled <> CASE WHEN p.status IN ('paid', 'reversed') THEN 1 ELSE 0 END
        OR e.released <> CASE WHEN p.status IN ('failed', 'rejected', 'canceled') THEN 1 ELSE 0 END
        OR (p.status = 'reversed' AND p.amount_reversed <> p.amount)""",
    ),
)

PAYOUTS = (
    Invariant(
        "open_payouts",
        "This affiliate has more than one open payout.",
        "SELECT affiliate_id, count(*) FROM payouts WHERE status IN :open GROUP BY affiliate_id HAVING count(*) > 1",
    ),
    Invariant(
        "paid_by_transfer",
        "Paid by Stripe and one succeeded attempt with the payout's transfer do not go together.",
        """WITH done AS (SELECT payout_id, count(*) AS times, max(transfer_id) AS transfer_id
            FROM payout_attempts WHERE state = 'succeeded' GROUP BY payout_id)
        SELECT p.id, p.status FROM payouts p LEFT JOIN done d ON d.payout_id = p.id
        WHERE CASE WHEN p.method = 'fiat' AND p.status IN ('paid', 'reversed')
            THEN coalesce(d.times, 0) <> 1 OR p.transfer_id IS NULL OR d.transfer_id <> p.transfer_id
            ELSE d.payout_id IS NOT NULL OR p.transfer_id IS NOT NULL END""",
    ),
    Invariant(
        "given_back_while_alive",
        "This payout's money is free although an attempt is not proven to have failed, or none is under way although"
        " it is being sent.",
        """WITH live AS (SELECT payout_id, count(*) AS times FROM payout_attempts WHERE state <> 'failed'
            GROUP BY payout_id)
        SELECT p.id, p.status FROM payouts p LEFT JOIN live l ON l.payout_id = p.id
        WHERE coalesce(l.times, 0) > 1
        OR (l.payout_id IS NOT NULL AND p.status NOT IN ('processing', 'paid', 'reversed'))
        OR (l.payout_id IS NULL AND p.status = 'processing')""",
    ),
    Invariant(
        "generations",
        "The attempts of this payout do not follow one another, each after the one before had failed.",
        """SELECT payout_id, count(*) FROM payout_attempts GROUP BY payout_id
        HAVING min(generation) <> 1 OR max(generation) <> count(*)
        OR max(CASE WHEN state = 'failed' THEN 0 ELSE generation END) NOT IN (0, max(generation))""",
    ),
    Invariant(
        "attempt_as_approved",
        "This attempt does not ask for what was approved, or not under its own key, or began before the approval.",
        """SELECT t.id, t.idempotency_key FROM payout_attempts t JOIN payouts p ON p.id = t.payout_id
        WHERE p.method <> 'fiat' OR p.approved_at IS NULL OR t.first_sent_at < p.approved_at
        OR replace(t.idempotency_key, '-', '')
            <> 'payout' || replace(CAST(p.id AS TEXT), '-', '') || 'g' || t.generation
        OR replace(t.parameters, '"amount":' || p.amount || ',', '') = t.parameters
        OR replace(t.parameters, '"currency":"' || p.currency || '"', '') = t.parameters
        OR replace(t.parameters, '"destination":"' || p.destination || '"', '') = t.parameters
        OR replace(t.parameters, '"transfer_group":"payout-', '') = t.parameters""",
    ),
    Invariant(
        "approved_by_themselves",
        "Somebody approved their own payout.",
        """SELECT p.id, NULL FROM payouts p JOIN affiliates a ON a.id = p.affiliate_id
        WHERE p.approved_by IS NOT NULL AND (p.approved_by = p.requested_by OR p.approved_by = a.user_id)""",
    ),
    Invariant(
        "approved_twice_by_one",
        "Both approvals of this payout are not two people's, or one is theirs whom it is for.",
        """SELECT p.id, NULL FROM first_approvals f JOIN payouts p ON p.id = f.payout_id
        JOIN affiliates a ON a.id = p.affiliate_id
        WHERE f.approved_by IN (p.approved_by, p.requested_by, a.user_id)
        OR (p.approved_at IS NOT NULL AND p.approved_by IS NULL)""",
    ),
    Invariant(
        "approved_but_closed",
        "This payout would be sent although its affiliate is blocked or not verified.",
        """SELECT p.id, coalesce(a.stripe_account_status, 'no account') FROM payouts p
        JOIN affiliates a ON a.id = p.affiliate_id WHERE p.status = 'approved'
        AND (a.is_blocked OR (p.method = 'fiat' AND coalesce(a.stripe_account_status, '') <> 'verified'))""",
    ),
    Invariant(
        "standing",
        "Status, account id and onboarding of this affiliate do not go together.",
        """SELECT id, stripe_account_status FROM affiliates
        WHERE (stripe_account_status IS NULL) <> (stripe_account_id IS NULL)
        OR (stripe_onboarding_complete AND coalesce(stripe_account_status, '') <> 'verified')""",
    ),
)

TRAIL = (
    Invariant(
        "trail_of_payout",
        "The audit trail does not lead to this payout's state, once for each change.",
        """WITH latest AS MATERIALIZED (SELECT replace(subject_id, '-', '') AS subject, max(id) AS id FROM audit_log
            WHERE action = 'payout.status_changed' GROUP BY 1)
        SELECT p.id, p.status FROM payouts p
        LEFT JOIN latest l ON l.subject = replace(CAST(p.id AS TEXT), '-', '')
        LEFT JOIN audit_log t ON t.id = l.id
        WHERE coalesce(t.to_value, '') <> p.status""",
    ),
    Invariant(
        "trail_of_status",
        "The audit trail does not lead to this affiliate's Stripe status.",
        """WITH latest AS MATERIALIZED (SELECT replace(subject_id, '-', '') AS subject, max(id) AS id FROM audit_log
            WHERE action = 'affiliate.status_changed' GROUP BY 1)
        SELECT a.id, a.stripe_account_status FROM affiliates a
        LEFT JOIN latest l ON l.subject = replace(CAST(a.id AS TEXT), '-', '')
        LEFT JOIN audit_log t ON t.id = l.id
        WHERE coalesce(t.to_value, '') <> coalesce(a.stripe_account_status, '')""",
    ),
    Invariant(
        "trail_of_block",
        "The audit trail does not say that this affiliate is blocked, or free, as the row does.",
        """WITH latest AS MATERIALIZED (SELECT replace(subject_id, '-', '') AS subject, max(id) AS id FROM audit_log
            WHERE action IN ('affiliate.blocked', 'affiliate.unblocked') GROUP BY 1)
        SELECT a.id, NULL FROM affiliates a
        LEFT JOIN latest l ON l.subject = replace(CAST(a.id AS TEXT), '-', '')
        LEFT JOIN audit_log t ON t.id = l.id
        WHERE (coalesce(t.to_value, 'false') = 'true') <> a.is_blocked""",
    ),
    Invariant(
        "trail_of_account",
        "The audit trail does not say how this affiliate came to their Stripe account.",
        """WITH latest AS MATERIALIZED (SELECT replace(subject_id, '-', '') AS subject, max(id) AS id FROM audit_log
            WHERE action = 'affiliate.account_connected' GROUP BY 1)
        SELECT a.id, a.stripe_account_id FROM affiliates a
        LEFT JOIN latest l ON l.subject = replace(CAST(a.id AS TEXT), '-', '')
        LEFT JOIN audit_log t ON t.id = l.id
        WHERE coalesce(t.to_value, '') <> coalesce(a.stripe_account_id, '')""",
    ),
    Invariant(
        "trail_of_preference",
        "The audit trail does not lead to this affiliate's way of being paid.",
        """WITH latest AS MATERIALIZED (SELECT replace(subject_id, '-', '') AS subject, max(id) AS id FROM audit_log
            WHERE action = 'affiliate.preference_changed' GROUP BY 1)
        SELECT a.id, a.preferred_payout_type FROM affiliates a
        LEFT JOIN latest l ON l.subject = replace(CAST(a.id AS TEXT), '-', '')
        LEFT JOIN audit_log t ON t.id = l.id
        WHERE coalesce(t.to_value, 'fiat') <> a.preferred_payout_type""",
    ),
    Invariant(
        "trail_of_role",
        "The audit trail does not say how this operator came to their role.",
        """WITH latest AS MATERIALIZED (SELECT replace(subject_id, '-', '') AS subject, max(id) AS id FROM audit_log
            WHERE action IN ('operator.added', 'operator.removed') GROUP BY 1)
        SELECT o.id, o.role FROM operators o
        LEFT JOIN latest l ON l.subject = replace(CAST(o.id AS TEXT), '-', '')
        LEFT JOIN audit_log t ON t.id = l.id
        WHERE o.removed_at IS NULL AND coalesce(t.to_value, '') NOT IN (o.role, 'admin')""",
    ),
    Invariant(
        "illegal_move",
        "The audit trail has a move of a payout that its table does not allow, or that does not begin where the one"
        " before ended.",
        """SELECT id, coalesce(from_value, 'nothing') || ' to ' || to_value FROM (
            SELECT id, from_value, to_value,
            lag(to_value) OVER (PARTITION BY subject_id ORDER BY id) AS stood
            FROM audit_log WHERE action = 'payout.status_changed') AS moves
        WHERE coalesce(from_value, '') <> coalesce(stood, '')
        OR (coalesce(from_value, '') || ' ' || to_value) NOT IN :legal""",
    ),
)

INVARIANTS = (*LEDGER, *PAYOUTS, *TRAIL)

#: The rules without which entries, audit rows and stored events could change or go, or a balance move by itself.
DATABASE_RULES = frozenset(
    {
        "ledger_entries_unchanging", "ledger_entries_kept", "ledger_entries_shape", "ledger_entries_payout",
        "ledger_entries_move", "ledger_accounts_by_entry", "ledger_accounts_kept", "earnings_frozen", "earnings_kept",
        "payouts_frozen", "payouts_kept", "payouts_states", "payout_attempts_frozen", "payout_attempts_kept",
        "payout_attempts_begin", "audit_log_unchanging", "audit_log_kept", "webhook_events_frozen",
        "webhook_events_kept", "refunds_unchanging", "refunds_kept", "audit_seals_unchanging",
        "audit_seals_kept", "audit_seals_follow", "payouts_external_reference",
    }
)  # fmt: skip
