"""`selfcheck`: sound books pass, and every planted breach is named with its id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.config import Settings
from portal.models import (
    Affiliate,
    AuditRow,
    Earning,
    FirstApproval,
    LedgerAccount,
    LedgerEntry,
    Operator,
    Payout,
    PayoutAttempt,
    Refund,
)
from portal.models.base import new_id
from portal.services.refunds import RefundData
from tests.clocks import MovableClock
from tests.services.breaking import drop_rule, to_be_broken, without_rules
from tests.services.line import Line
from tests.services.programme import TEST, Programme


@dataclass(frozen=True)
class Books:
    """One affiliate with a paid payout, an open one and a refund, and one who is blocked."""

    programme: Programme
    ana: UUID
    paid: UUID
    requested: UUID
    earning: UUID
    blocked: UUID

    def broken(self) -> dict[str, list[str]]:
        """What is named, by kind."""
        found: dict[str, list[str]] = {}
        for breach in self.programme.services.selfcheck.run():
            assert breach.message
            found.setdefault(breach.kind, []).append(breach.id)
        return found

    def account(self, kind: str) -> int:
        query = sa.select(LedgerAccount.id).where(
            LedgerAccount.affiliate_id == self.ana, LedgerAccount.kind == kind
        )
        return int(self.programme.rows(query)[0][0])

    def attempt(self) -> Any:
        return self.programme.attempts(self.paid)[0]


@pytest.fixture
def books(settings: Settings, clock: MovableClock, stand_in: Flask, line: Line) -> Iterator[Books]:
    """Sound books, to be broken; nobody asks afterwards whether they still balance."""
    with to_be_broken(settings, clock, line, stand_in) as programme:
        yield _books(programme)


def _books(programme: Programme) -> Books:
    ana = programme.verified()
    sold = programme.earning(ana, 500_000)
    programme.services.ledger.post_earnings([sold], cause=TEST)
    programme.services.refunds.refund(sold.reference, RefundData("refund-1", 1_000, "Sent back"), cause=TEST)
    paid = programme.request(ana, "100.00")
    programme.run()
    requested = programme.request(ana, "1000.00")
    blocked = programme.verified(earned=10_000)
    programme.block(blocked)
    earning = programme.rows(sa.select(Earning.id).where(Earning.reference == sold.reference))[0][0]
    return Books(programme, ana, paid, requested, earning, blocked)


def test_sound_books_pass(books: Books) -> None:
    assert books.broken() == {}


def test_an_empty_database_passes(programme: Programme) -> None:
    assert programme.services.selfcheck.run() == []


def test_a_changed_balance_is_named(books: Books) -> None:
    account = books.account("available")
    without_rules(
        sa.update(LedgerAccount).where(LedgerAccount.id == account).values(balance=LedgerAccount.balance + 1)
    )
    broken = books.broken()
    assert broken["account_balance"] == [str(account)]
    assert broken["currency_sum"] == ["usd"]
    assert broken["total_earned"] == [str(books.ana)]


def test_a_balance_below_zero_is_named(books: Books) -> None:
    account = books.account("available")
    without_rules(sa.update(LedgerAccount).where(LedgerAccount.id == account).values(balance=-1))
    assert books.broken()["balance_below_zero"] == [str(account)]


def test_a_deleted_entry_is_named(books: Books) -> None:
    without_rules(sa.delete(LedgerEntry).where(LedgerEntry.earning_id == books.earning))
    broken = books.broken()
    assert broken["earning_once"] == [str(books.earning)]
    assert str(books.account("earned")) in broken["account_balance"]


def test_an_entry_between_the_wrong_accounts_is_named(books: Books) -> None:
    entry = books.programme.rows(sa.select(LedgerEntry.id).where(LedgerEntry.kind == "reserve"))[0][0]
    without_rules(
        sa.update(LedgerEntry).where(LedgerEntry.id == entry).values(debit_account_id=books.account("owed"))
    )
    assert books.broken()["entry_shape"] == [str(entry)]


def test_a_refund_that_took_nothing_back_is_named(books: Books) -> None:
    without_rules(
        sa.insert(Refund).values(
            id=new_id(), earning_id=books.earning, reference="refund-2", amount=5, reason="-",
            created_at=books.programme.clock.now(),
        )
    )  # fmt: skip
    assert books.broken() == {"refund": [str(books.ana)]}


def test_a_total_that_the_ledger_does_not_know_is_named(books: Books) -> None:
    without_rules(sa.update(Affiliate).where(Affiliate.id == books.ana).values(total_earned=7))
    assert books.broken() == {"total_earned": [str(books.ana)]}


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"status": "paid"}, {"payout_entries", "reserved", "trail_of_payout", "paid_by_transfer"}),
        ({"status": "canceled"}, {"payout_entries", "reserved", "trail_of_payout"}),
        ({"status": "processing"}, {"given_back_while_alive", "trail_of_payout"}),
        ({"amount": 1}, {"payout_entries", "reserved"}),
    ],
)
def test_a_payout_in_a_state_that_nothing_explains_is_named(
    books: Books, changes: dict[str, Any], kinds: set[str]
) -> None:
    without_rules(sa.update(Payout).where(Payout.id == books.requested).values(**changes))
    broken = books.broken()
    assert broken.keys() == kinds
    assert {str(books.requested), str(books.ana)} >= {number for ids in broken.values() for number in ids}


def test_a_payout_whose_affiliate_cannot_be_paid_is_named(books: Books) -> None:
    other = books.programme.approved()
    payee = books.programme.payout(other).affiliate_id
    without_rules(sa.update(Affiliate).where(Affiliate.id == payee).values(is_blocked=True))
    assert books.broken() == {"approved_but_closed": [str(other)], "trail_of_block": [str(payee)]}


def test_somebody_who_approved_their_own_is_named(books: Books) -> None:
    person = books.programme.person()
    without_rules(
        sa.update(Payout).where(Payout.id == books.paid).values(approved_by=person, requested_by=person)
    )
    assert books.broken() == {"approved_by_themselves": [str(books.paid)]}


def test_two_approvals_of_one_person_are_named(books: Books) -> None:
    person, now = books.programme.person(), books.programme.clock.now()
    without_rules(
        sa.insert(FirstApproval).values(payout_id=books.paid, approved_by=person, approved_at=now),
        sa.update(Payout).where(Payout.id == books.paid).values(approved_by=person),
    )
    assert books.broken() == {"approved_twice_by_one": [str(books.paid)]}


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"transfer_id": "tr_another"}, {"paid_by_transfer"}),
        ({"state": "failed", "transfer_id": None}, {"paid_by_transfer"}),
        ({"generation": 2}, {"generations", "attempt_as_approved"}),
        ({"idempotency_key": "payout-other-g1"}, {"attempt_as_approved"}),
        ({"parameters": {"amount": 999, "currency": "usd"}}, {"attempt_as_approved"}),
    ],
)
def test_an_attempt_that_does_not_fit_its_payout_is_named(
    books: Books, changes: dict[str, Any], kinds: set[str]
) -> None:
    without_rules(sa.update(PayoutAttempt).where(PayoutAttempt.id == books.attempt().id).values(**changes))
    assert books.broken().keys() == kinds


def test_a_key_that_was_sent_after_a_day_is_named(books: Books) -> None:
    attempt = books.attempt()
    late = attempt.first_sent_at + timedelta(hours=24)
    without_rules(
        sa.update(PayoutAttempt).where(PayoutAttempt.id == attempt.id).values(last_sent_at=late, tries=2)
    )
    assert books.broken() == {"key_sent_late": [str(attempt.id)]}


def test_money_given_back_while_an_attempt_may_live_is_named(books: Books) -> None:
    now = books.programme.clock.now()
    without_rules(
        sa.insert(PayoutAttempt).values(
            id=new_id(), payout_id=books.requested, generation=1, idempotency_key="k", tries=1, parameters={},
            state="open", unresolved_tries=1, first_sent_at=now, last_sent_at=now,
        )
    )  # fmt: skip
    assert books.broken()["given_back_while_alive"] == [str(books.requested)]


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("payout.status_changed", "trail_of_payout"),
        ("affiliate.status_changed", "trail_of_status"),
        ("affiliate.blocked", "trail_of_block"),
        ("affiliate.account_connected", "trail_of_account"),
    ],
)
def test_a_change_that_the_trail_does_not_know_is_named(books: Books, action: str, kind: str) -> None:
    without_rules(sa.delete(AuditRow).where(AuditRow.action == action))
    broken = books.broken()
    assert broken.keys() == {kind}
    assert str(books.blocked) in broken[kind] or str(books.requested) in broken[kind]


def test_a_wallet_that_nobody_chose_is_named(books: Books) -> None:
    without_rules(
        sa.update(Affiliate)
        .where(Affiliate.id == books.blocked)
        .values(preferred_payout_type="crypto", wallet_address="0xbad")
    )
    assert books.broken() == {"trail_of_preference": [str(books.blocked)]}


@pytest.mark.settings(
    PORTAL_OIDC_COMPANY_ISSUER="https://id.example",
    PORTAL_OIDC_COMPANY_CLIENT_ID="portal",
    PORTAL_OIDC_COMPANY_CLIENT_SECRET="hush",
    PORTAL_OPERATORS="company:boss",
)
def test_an_operator_whom_nobody_made_one_is_named(books: Books) -> None:
    access = books.programme.services.access
    viewer = access.add_operator("company", "ana", role="viewer", cause=TEST)
    access.add_operator("company", "boss", role="viewer", cause=TEST)
    gone = access.add_operator("company", "eve", cause=TEST)
    access.remove_operator("company", "eve", cause=TEST)
    access.operators()
    assert books.broken() == {}
    without_rules(
        sa.update(Operator).where(Operator.id == viewer.id).values(role="admin"),
        sa.update(Operator).where(Operator.id == gone.id).values(removed_at=None),
    )
    assert {kind: set(ids) for kind, ids in books.broken().items()} == {
        "trail_of_role": {str(viewer.id), str(gone.id)}
    }


def test_a_move_that_the_table_does_not_allow_is_named(books: Books) -> None:
    row = books.programme.rows(
        sa.select(sa.func.max(AuditRow.id)).where(AuditRow.action == "payout.status_changed")
    )[0][0]
    without_rules(sa.update(AuditRow).where(AuditRow.id == row).values(from_value="paid"))
    assert books.broken() == {"illegal_move": [str(row)]}


@pytest.mark.parametrize(
    ("name", "table"), [("audit_log_unchanging", "audit_log"), ("payouts_states", "payouts")]
)
def test_a_rule_that_the_database_lost_is_named(books: Books, name: str, table: str) -> None:
    drop_rule(name, table)
    assert books.broken() == {"database_rule": [name]}


@pytest.mark.settings(PORTAL_OPERATORS="nowhere:boss", PORTAL_DEFAULT_COUNTRY="BR")
def test_settings_that_do_not_go_together_are_named(programme: Programme) -> None:
    broken = programme.services.selfcheck.run()
    assert [(breach.kind, breach.id) for breach in broken] == [
        ("setting", "PORTAL_OPERATORS"),
        ("setting", "PORTAL_DEFAULT_COUNTRY"),
    ]
