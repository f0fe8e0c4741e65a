"""What must hold after every step, whatever went wrong: the numbered invariants of the books, of payouts, and against
Stripe."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from portal.domain.ledger import MOVES, AccountKind
from portal.domain.payouts import NEXT, OPEN_STATUSES, PayoutStatus
from portal.models import (
    Affiliate,
    AuditRow,
    Earning,
    Installation,
    LedgerAccount,
    LedgerEntry,
    Payout,
    PayoutAttempt,
    Refund,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.services.programme import Programme, Row

#: A key is posted for the last time before this.
LAST_POST = timedelta(hours=23)


def assert_books_balance(programme: Programme, *, is_told: bool = True) -> None:
    """Every invariant that can be told from the tables and from Stripe's transfers. Unless the portal `is_told` of all
    that was taken back there, Stripe may know of more reversals than the ledger."""
    books = _Books(programme)
    books.entries_make_the_balances()
    books.nothing_is_below_zero()
    books.what_is_reserved_is_for_open_payouts()
    books.each_payout_has_its_entries()
    books.earnings_are_counted_once()
    books.attempts_follow_one_another()
    books.paid_means_one_transfer()
    books.the_trail_explains_every_state()
    books.stripe_and_ledger_agree(is_told=is_told)
    books.each_reversal_is_written_once()
    books.posts_under_one_key_are_the_same()


class _Books:
    """All tables as they stand, and what Stripe has."""

    def __init__(self, programme: Programme) -> None:
        def rows(table: Any) -> Sequence[Row]:
            return programme.rows(sa.select(table.__table__))

        self.affiliates = {row.id: row for row in rows(Affiliate)}
        self.accounts = {row.id: row for row in rows(LedgerAccount)}
        self.entries = rows(LedgerEntry)
        self.earnings = rows(Earning)
        self.refunds = rows(Refund)
        self.payouts = {row.id: row for row in rows(Payout)}
        self.attempts = rows(PayoutAttempt)
        self.trail = programme.rows(sa.select(AuditRow.__table__).order_by(AuditRow.id))
        self.installation = rows(Installation)[0]
        self.transfers = [
            transfer
            for transfer in programme.stripe.transfers()
            if transfer["metadata"].get("installation") == str(self.installation.id)
        ]
        self.reversals = programme.stripe.reversals()
        self.posts = programme.stripe.requests("POST", "/v1/transfers")

    def entries_make_the_balances(self) -> None:
        """1"""
        moved: Counter[int] = Counter()
        for entry in self.entries:
            debit, credit = self.accounts[entry.debit_account_id], self.accounts[entry.credit_account_id]
            assert entry.amount > 0
            assert (debit.kind, credit.kind) == MOVES[entry.kind]
            assert debit.affiliate_id == credit.affiliate_id == entry.affiliate_id
            assert debit.currency == credit.currency == entry.currency
            moved[debit.id] -= entry.amount
            moved[credit.id] += entry.amount
        assert {number: moved[number] for number in self.accounts} == {
            number: account.balance for number, account in self.accounts.items()
        }
        sums: Counter[str] = Counter()
        for account in self.accounts.values():
            sums[account.currency] += account.balance
        assert not any(sums.values())

    def nothing_is_below_zero(self) -> None:
        """2"""
        for account in self.accounts.values():
            assert (account.balance <= 0) if account.kind.is_debt_side else (account.balance >= 0), account
        standing = {
            (account.affiliate_id, account.kind): account.balance for account in self.accounts.values()
        }
        for affiliate_id in self.affiliates:
            available = standing.get((affiliate_id, AccountKind.available), 0)
            owed = standing.get((affiliate_id, AccountKind.owed), 0)
            assert available == 0 or owed == 0, "what became available pays what is owed at once"

    def what_is_reserved_is_for_open_payouts(self) -> None:
        """3, and one open payout at a time"""
        reserved: Counter[Any] = Counter()
        how_many: Counter[Any] = Counter()
        for payout in self.payouts.values():
            if payout.status in OPEN_STATUSES:
                reserved[payout.affiliate_id] += payout.amount
                how_many[payout.affiliate_id] += 1
        for account in self.accounts.values():
            if account.kind is AccountKind.reserved:
                assert account.balance == reserved[account.affiliate_id]
        assert max(how_many.values(), default=0) <= 1

    def each_payout_has_its_entries(self) -> None:
        """4"""
        kinds: defaultdict[Any, Counter[str]] = defaultdict(Counter)
        for entry in self.entries:
            if entry.payout_id is None:
                continue
            payout = self.payouts[entry.payout_id]
            assert (entry.affiliate_id, entry.currency) == (payout.affiliate_id, payout.currency)
            assert entry.amount == payout.amount or entry.kind == "reverse"
            kinds[payout.id][entry.kind] += 1
        for payout in self.payouts.values():
            ends = kinds[payout.id]["settle"], kinds[payout.id]["release"]
            is_paid = payout.status in {PayoutStatus.paid, PayoutStatus.reversed}
            is_given_back = payout.status.gives_back
            assert kinds[payout.id]["reserve"] == 1
            assert ends == (int(is_paid), int(is_given_back)), (payout.status, ends)

    def earnings_are_counted_once(self) -> None:
        """6"""
        stored: defaultdict[Any, Counter[str]] = defaultdict(Counter)
        for account in self.accounts.values():
            stored[account.affiliate_id][account.kind.value] = account.balance
        for affiliate in self.affiliates.values():
            have = stored[affiliate.id]
            total = have["on_hold"] + have["available"] + have["reserved"] + have["paid_out"] + have["owed"]
            assert affiliate.total_earned == total == -have["earned"]
        held: Counter[Any] = Counter()
        credited: Counter[Any] = Counter()
        whose = {earning.id: earning.affiliate_id for earning in self.earnings}
        for earning in self.earnings:
            held[earning.affiliate_id] += earning.held
            credited[earning.affiliate_id] += earning.amount
        for refund in self.refunds:
            credited[whose[refund.earning_id]] -= refund.amount
        for affiliate_id, have in stored.items():
            assert have["on_hold"] == held[affiliate_id]
            assert -have["earned"] == credited[affiliate_id], "each earning and each refund, once"

    def attempts_follow_one_another(self) -> None:
        """11, 12"""
        of_payout: defaultdict[Any, list[Row]] = defaultdict(list)
        for attempt in sorted(self.attempts, key=lambda attempt: attempt.generation):
            of_payout[attempt.payout_id].append(attempt)
        for payout_id, attempts in of_payout.items():
            payout = self.payouts[payout_id]
            assert [attempt.generation for attempt in attempts] == list(range(1, len(attempts) + 1))
            assert all(attempt.state == "failed" for attempt in attempts[:-1])
            for attempt in attempts:
                asked = attempt.parameters
                assert attempt.idempotency_key == f"payout-{payout_id}-g{attempt.generation}"
                assert (asked["amount"], asked["currency"]) == (payout.amount, payout.currency)
                assert asked["destination"] == payout.destination
                assert attempt.last_sent_at - attempt.first_sent_at < LAST_POST
        for payout in self.payouts.values():
            assert payout.approved_by is None or payout.approved_by != payout.requested_by

    def paid_means_one_transfer(self) -> None:
        """7, 9, 10"""
        groups = Counter(transfer["transfer_group"] for transfer in self.transfers)
        assert max(groups.values(), default=0) <= 1, groups
        at_stripe = {transfer["id"]: transfer for transfer in self.transfers}
        succeeded = {row.payout_id: row for row in self.attempts if row.state == "succeeded"}
        for payout in self.payouts.values():
            if payout.method != "fiat":
                continue
            is_paid = payout.status in {PayoutStatus.paid, PayoutStatus.reversed}
            assert is_paid == (payout.id in succeeded)
            if is_paid:
                transfer = at_stripe[payout.transfer_id]
                assert succeeded[payout.id].transfer_id == payout.transfer_id
                assert (transfer["amount"], transfer["currency"]) == (payout.amount, payout.currency)
                assert transfer["destination"] == payout.destination
            elif payout.status is not PayoutStatus.processing:
                assert f"payout-{payout.id}" not in groups, payout.status

    def the_trail_explains_every_state(self) -> None:
        """13"""
        stands: dict[tuple[str, str], str | None] = {}
        for row in self.trail:
            assert row.cause
            if row.action == "payout.status_changed":
                legal = NEXT[PayoutStatus(row.from_value)] if row.from_value else {PayoutStatus.requested}
                assert row.to_value in legal, (row.from_value, row.to_value)
            subject = (row.action, row.subject_id)
            if row.action.endswith("status_changed"):
                assert stands.get(subject) == row.from_value
                assert row.from_value != row.to_value
                stands[subject] = row.to_value
            if row.action in {"affiliate.blocked", "affiliate.unblocked"}:
                stands["blocked", row.subject_id] = row.to_value
            if row.action == "payout.status_changed" and row.to_value == PayoutStatus.processing:
                whose = str(self.payouts[UUID(row.subject_id)].affiliate_id)
                assert stands.get(("blocked", whose)) != "true", "12: nobody is sent anything while blocked"
                assert stands.get(("affiliate.status_changed", whose)) == "verified", "12"
        for payout in self.payouts.values():
            assert stands["payout.status_changed", str(payout.id)] == payout.status
        for affiliate in self.affiliates.values():
            key = str(affiliate.id)
            assert stands.get(("affiliate.status_changed", key)) == affiliate.stripe_account_status
            assert (stands.get(("blocked", key)) == "true") == affiliate.is_blocked

    def stripe_and_ledger_agree(self, *, is_told: bool) -> None:
        """14, of what Stripe carries; a payout in processing may have its transfer already"""
        settled: Counter[str] = Counter()
        for entry in self.entries:
            if entry.payout_id is None or self.payouts[entry.payout_id].method != "fiat":
                continue
            settled[entry.currency] += {"settle": 1, "reverse": -1}.get(entry.kind, 0) * entry.amount
        moved: Counter[str] = Counter()
        by_group = {f"payout-{payout.id}": payout for payout in self.payouts.values()}
        for transfer in self.transfers:
            payout = by_group[transfer["transfer_group"]]
            if payout.status is not PayoutStatus.processing:
                taken_back = transfer["amount_reversed"] if is_told else payout.amount_reversed
                assert payout.amount_reversed <= transfer["amount_reversed"]
                moved[transfer["currency"]] += transfer["amount"] - taken_back
        assert +settled == +moved

    def each_reversal_is_written_once(self) -> None:
        """15, as far as the portal has heard"""
        at_stripe = {
            reversal["id"]: (reversal["transfer"], reversal["amount"]) for reversal in self.reversals
        }
        written = [entry for entry in self.entries if entry.kind == "reverse"]
        assert len({entry.reference for entry in written}) == len(written)
        for entry in written:
            transfer_id = self.payouts[entry.payout_id].transfer_id
            assert at_stripe[entry.reference] == (transfer_id, entry.amount)

    def posts_under_one_key_are_the_same(self) -> None:
        """11: byte for byte"""
        first: dict[str, object] = {}
        for post in self.posts:
            if post["idempotency_key"]:
                assert first.setdefault(post["idempotency_key"], post["params"]) == post["params"]
