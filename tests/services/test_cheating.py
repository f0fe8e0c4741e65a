"""What the database refuses by itself, whoever writes to it: statements as somebody with its password could send."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from portal.domain.ledger import MOVES, AccountKind, EntryKind
from portal.models import (
    Affiliate,
    AuditRow,
    Earning,
    Installation,
    LedgerAccount,
    LedgerEntry,
    Payout,
    PayoutAttempt,
    StripeAccount,
    WebhookEvent,
)
from portal.models.base import new_id
from tests.services.programme import TEST, Programme

Statement = sa.Executable


@dataclass(frozen=True)
class Books:
    """One affiliate with a paid payout and one that waits for an operator, and another who is blocked."""

    programme: Programme
    ana: UUID
    paid: UUID
    requested: UUID
    blocked: UUID
    held: UUID

    def entry(self, kind: str, amount: int, payout_id: UUID | None = None, **more: Any) -> Statement:
        """An entry of Ana's between the accounts of its kind."""
        debit, credit = MOVES[EntryKind(kind)]
        values = {
            "affiliate_id": self.ana, "debit_account_id": self.account(debit), "amount": amount, "currency": "usd",
            "credit_account_id": self.account(credit), "kind": kind, "source": "cheat", "reference": str(new_id()),
            "payout_id": payout_id, "created_at": self.programme.clock.now(),
        }  # fmt: skip
        return sa.insert(LedgerEntry).values(**(values | more))

    def account(self, kind: AccountKind) -> int:
        query = sa.select(LedgerAccount.id).where(
            LedgerAccount.affiliate_id == self.ana, LedgerAccount.kind == kind
        )
        return int(self.programme.rows(query)[0][0])

    def attempt(self, payout_id: UUID, **more: Any) -> Statement:
        now = self.programme.clock.now()
        values = {
            "id": new_id(), "payout_id": payout_id, "generation": 9, "idempotency_key": str(new_id()), "tries": 1,
            "parameters": {}, "state": "open", "unresolved_tries": 1, "first_sent_at": now, "last_sent_at": now,
        }  # fmt: skip
        return sa.insert(PayoutAttempt).values(**(values | more))

    def payout(self, affiliate_id: UUID, **more: Any) -> Statement:
        values = {
            "id": new_id(), "affiliate_id": affiliate_id, "amount": 3_000, "currency": "usd", "method": "fiat",
            "destination": "acct_1", "request_key": str(new_id()), "status": "requested", "amount_reversed": 0,
            "created_at": self.programme.clock.now(),
        }  # fmt: skip
        return sa.insert(Payout).values(**(values | more))


@pytest.fixture
def books(programme: Programme) -> Books:
    ana = programme.verified(earned=500_000)
    paid = programme.request(ana, "100.00")
    programme.run()
    requested = programme.request(ana, "1000.00", by=programme.person())
    blocked = programme.verified(earned=500_000)
    held = programme.request(blocked, "100.00")
    programme.block(blocked)
    return Books(programme, ana, paid, requested, blocked, held)


def set_payout(payout_id: UUID, **values: Any) -> Statement:
    return sa.update(Payout).where(Payout.id == payout_id).values(**values)


def set_affiliate(affiliate_id: UUID, **values: Any) -> Statement:
    return sa.update(Affiliate).where(Affiliate.id == affiliate_id).values(**values)


def ledger_cheats(books: Books) -> dict[str, list[Statement]]:
    mixed = books.entry("reserve", 1, books.requested, credit_account_id=books.account(AccountKind.paid_out))
    return {
        "overdraw": [books.entry("refund_available", 10**9)],
        "an entry of nothing": [books.entry("refund_available", 0)],
        "a negative entry": [books.entry("refund_available", -1)],
        "an entry between the wrong accounts": [mixed],
        "an entry in another currency": [books.entry("refund_available", 1, currency="eur")],
        "an entry of somebody else's": [books.entry("refund_available", 1, affiliate_id=books.blocked)],
        "change an entry": [sa.update(LedgerEntry).values(amount=1)],
        "delete an entry": [sa.delete(LedgerEntry)],
        "move a balance by hand": [sa.update(LedgerAccount).values(balance=LedgerAccount.balance + 1)],
        "set a balance to nothing": [sa.update(LedgerAccount).values(balance=0, last_entry_id=10**6)],
        "open an account that is not empty": [
            sa.insert(LedgerAccount).values(
                affiliate_id=books.programme.affiliate(), kind="available", currency="usd", balance=5,
                last_entry_id=0,
            )
        ],
        "delete an account": [sa.delete(LedgerAccount)],
        "raise the total earned": [set_affiliate(books.ana, total_earned=10**9)],
        "change an earning": [sa.update(Earning).values(amount=1)],
        "end a hold by hand": [sa.update(Earning).values(available_at=Earning.occurred_at)],
        "put an earning on hold by hand": [sa.update(Earning).values(held=1)],
        "delete an earning": [sa.delete(Earning)],
    }  # fmt: skip


def payout_cheats(books: Books) -> dict[str, list[Statement]]:
    now = books.programme.clock.now()
    unreserved = books.payout(books.programme.verified())
    return {
        "settle twice": [books.entry("settle", 10_000, books.paid)],
        "reserve twice": [books.entry("reserve", 100_000, books.requested)],
        "release what was paid": [books.entry("release", 10_000, books.paid)],
        "settle without an attempt": [books.entry("settle", 100_000, books.requested)],
        "release another amount": [books.entry("release", 1, books.requested)],
        "skip a state": [set_payout(books.requested, status="paid", paid_at=now, transfer_id="tr_1")],
        "send without an attempt": [
            set_payout(books.requested, status="approved"),
            set_payout(books.requested, status="processing"),
        ],
        "pay without settling": [
            set_payout(books.requested, status="approved"),
            books.attempt(books.requested),
            set_payout(books.requested, status="processing"),
            set_payout(books.requested, status="paid", paid_at=now, transfer_id="tr_1"),
        ],
        "cancel and keep the money": [set_payout(books.requested, status="canceled")],
        "give back while the outcome is unknown": [
            set_payout(books.requested, status="approved"),
            books.attempt(books.requested),
            books.entry("release", 100_000, books.requested),
        ],
        "pay again": [set_payout(books.paid, status="approved")],
        "approve a blocked affiliate": [set_payout(books.held, status="approved", hold_reason=None)],
        "approve what reserved nothing": [
            unreserved,
            sa.update(Payout).where(Payout.amount == 3_000).values(status="approved"),
        ],
        "approve one's own": [
            set_payout(books.requested, status="approved", approved_by=Payout.requested_by)
        ],
    }  # fmt: skip


def detail_cheats(books: Books) -> dict[str, list[Statement]]:
    return {
        "change who approved": [set_payout(books.paid, approved_by=books.programme.person())],
        "change the amount": [set_payout(books.requested, amount=1)],
        "change the destination": [set_payout(books.requested, destination="acct_mine")],
        "change the transfer": [set_payout(books.paid, transfer_id="tr_other")],
        "say that it was reversed": [set_payout(books.paid, amount_reversed=10_000)],
        "reverse without an entry": [set_payout(books.paid, status="reversed")],
        "open a second payout": [books.payout(books.ana)],
        "begin as approved": [books.payout(books.programme.affiliate(), status="approved")],
        "change what form it came from": [set_payout(books.requested, request_key="another")],
        "delete a payout": [sa.delete(Payout)],
    }  # fmt: skip


def attempt_cheats(books: Books) -> dict[str, list[Statement]]:
    ana = set_affiliate(books.ana, stripe_account_status="restricted", stripe_onboarding_complete=False)
    approved = set_payout(books.requested, status="approved")
    later = books.programme.clock.now() + timedelta(hours=1)
    return {
        "send what is not approved": [books.attempt(books.requested)],
        "send while not verified": [approved, ana, books.attempt(books.requested)],
        "send while blocked": [approved, set_affiliate(books.ana, is_blocked=True), books.attempt(books.requested)],
        "send to an account that was changed": [
            approved, set_affiliate(books.ana, stripe_account_id="acct_new"), books.attempt(books.requested),
        ],
        "send what is held": [books.attempt(books.held)],
        "send twice at once": [approved, books.attempt(books.requested), books.attempt(books.requested, generation=10)],
        "begin as proven": [approved, books.attempt(books.requested, state="failed")],
        "begin as never sent": [approved, books.attempt(books.requested, unresolved_tries=0)],
        "undo a proof": [sa.update(PayoutAttempt).values(state="open", transfer_id=None)],
        "change what was asked": [sa.update(PayoutAttempt).values(parameters={"amount": 1})],
        "change a key": [sa.update(PayoutAttempt).values(idempotency_key="another")],
        "make a key younger": [sa.update(PayoutAttempt).values(first_sent_at=later)],
        "change the transfer that was made": [sa.update(PayoutAttempt).values(transfer_id="tr_other")],
        "delete an attempt": [sa.delete(PayoutAttempt)],
    }  # fmt: skip


def record_cheats(books: Books) -> dict[str, list[Statement]]:
    return {
        "change the trail": [sa.update(AuditRow).values(to_value="verified")],
        "delete from the trail": [sa.delete(AuditRow)],
        "change an event": [sa.update(WebhookEvent).values(type="another")],
        "delete an event": [sa.delete(WebhookEvent)],
        "delete an affiliate": [sa.delete(Affiliate)],
        "change an affiliate's currency": [set_affiliate(books.ana, currency="eur")],
        "change an affiliate's code": [set_affiliate(books.ana, code="another")],
        "a status without an account": [
            set_affiliate(books.programme.affiliate(), stripe_account_status="verified")
        ],
        "onboarded but not verified": [
            set_affiliate(books.ana, stripe_account_status="pending", stripe_onboarding_complete=True)
        ],
        "crypto without a wallet": [set_affiliate(books.ana, preferred_payout_type="crypto")],
        "a status that nobody knows": [set_affiliate(books.ana, stripe_account_status="fine")],
        "forget an account": [sa.delete(StripeAccount)],
        "become another installation": [sa.update(Installation).values(id=new_id())],
        "delete the installation": [sa.delete(Installation)],
    }


@pytest.mark.parametrize(
    "cheats", [ledger_cheats, payout_cheats, detail_cheats, attempt_cheats, record_cheats]
)
def test_the_database_refuses_to_be_cheated(books: Books, subtests: pytest.Subtests, cheats: Any) -> None:
    programme = books.programme
    programme.receive({"id": "evt_1", "object": "event", "type": "balance.available", "livemode": False})
    for name, statements in cheats(books).items():
        with subtests.test(name):
            with pytest.raises(DBAPIError) as refusal:
                programme.execute(*statements)
            assert "syntax" not in str(refusal.value).lower()
            # whatever leads up to it is legal: it is the last step that is refused
            with programme.tried(*statements[:-1]):
                pass
    assert programme.payout(books.requested).status == "requested"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_replaces_no_row_behind_the_rules(programme: Programme) -> None:
    programme.verified(earned=5_000)
    columns = "id, created_at, actor_kind, action, subject_kind, subject_id, cause"
    with pytest.raises(DBAPIError, match="never deleted"):
        programme.execute(
            sa.text(
                f"INSERT OR REPLACE INTO audit_log ({columns}) VALUES (1, '2026-01-01', 'system', 'x', 'x', 'x', 'x')"
            )
        )


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_empties_no_table_behind_the_rules(programme: Programme) -> None:
    programme.verified(earned=5_000)
    for table in ("ledger_entries", "audit_log", "payouts", "webhook_events"):
        with pytest.raises(DBAPIError, match="never deleted"):
            programme.execute(sa.text(f"TRUNCATE {table} CASCADE"))


def test_the_services_do_what_the_database_allows(books: Books) -> None:
    """The other side of the refusals above: nothing legal is in their way."""
    programme = books.programme
    programme.services.approvals.approve(books.requested, approver=programme.person(), cause=TEST)
    programme.unblock(books.blocked)
    programme.run()
    assert {programme.payout(books.requested).status, programme.payout(books.held).status} == {"paid"}
