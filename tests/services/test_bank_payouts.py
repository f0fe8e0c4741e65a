"""When the money reaches the bank, or where it is if not: from Stripe's state alone, whatever events say."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from portal.domain.bank_payouts import BankPayoutStatus, BankStage
from portal.domain.payouts import PayoutStatus
from portal.models import BankPayout, CarriedPayout, LedgerEntry, WebhookEvent
from tests.services.at_bank import (
    bank_events,
    current,
    look,
    returned_and_sent_again,
    sent,
    shown,
    stage,
    steps,
    tell,
)
from tests.services.programme import Programme


def test_events_lead_a_sent_payout_to_the_bank(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    assert current(programme, payout_id) is None
    bank_id = programme.stripe.pay_to_bank(account_id)
    tell(programme, *bank_events(programme))
    bank = current(programme, payout_id)
    assert bank is not None
    assert (bank.id, bank.stage, bank.amount, bank.currency) == (bank_id, BankStage.on_its_way, 10_000, "usd")
    assert bank.arrival_on == (datetime.now(UTC) + timedelta(days=2)).date()
    assert bank.trace_id is None
    programme.stripe.settle_at_bank(bank_id, "paid")
    tell(programme, bank_events(programme)[-1])
    bank = current(programme, payout_id)
    assert bank is not None
    assert (bank.stage, bank.arrival_on) == (BankStage.arrived, datetime.now(UTC).date())
    assert bank.trace_id
    assert look(programme)["changed"] == 0
    assert steps(programme, payout_id) == [
        (None, f"{bank_id} pending"),
        (f"{bank_id} pending", f"{bank_id} paid"),
    ]


def test_any_order_of_the_events_ends_in_the_same_state(programme: Programme) -> None:
    for order in itertools.permutations((1, 2, 3)):
        payout_id, events, wanted = returned_and_sent_again(programme)
        tell(programme, *(events[number] for number in order))
        assert shown(programme, payout_id) == wanted
        assert stage(programme, payout_id) is BankStage.on_its_way


def test_an_event_told_a_hundred_times_is_looked_at_once(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    bank_id = programme.stripe.pay_to_bank(account_id, status="paid")
    created, paid = bank_events(programme)
    programme.stripe.forget_requests()
    for event in (created, paid, *[created] * 49, *[paid] * 49):
        programme.receive(event)
    programme.services.stripe_events.process_due()
    tell(programme, created, paid)
    assert len(programme.stripe.requests("GET", f"/v1/payouts/{bank_id}")) == 1
    assert steps(programme, payout_id) == [(None, f"{bank_id} paid")]


def test_what_an_event_claims_is_never_taken_for_a_fact(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    programme.stripe.pay_to_bank(account_id)
    (event,) = bank_events(programme)
    event["type"] = "payout.paid"
    event["data"]["object"] |= {"status": "paid", "trace_id": {"status": "supported", "value": "invented"}}
    tell(programme, event)
    bank = current(programme, payout_id)
    assert bank is not None
    assert (bank.status, bank.trace_id) == (BankPayoutStatus.pending, None)


def test_a_bank_that_returns_what_had_arrived_changes_nothing_but_what_is_told(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    bank_id = programme.stripe.pay_to_bank(account_id, status="paid")
    look(programme)
    entries = programme.rows(sa.select(LedgerEntry.__table__))
    programme.stripe.settle_at_bank(bank_id, "failed", failure_code="account_closed")
    tell(programme, *bank_events(programme))
    bank, payout = current(programme, payout_id), programme.payout(payout_id)
    assert bank is not None
    assert (bank.stage, bank.failure_code) == (BankStage.returned, "account_closed")
    assert bank.returned_at is not None
    assert bank.failure(payout.reference).next_step == "Add a different bank account on Stripe"
    assert payout.status is PayoutStatus.paid
    assert programme.rows(sa.select(LedgerEntry.__table__)) == entries
    programme.run()
    programme.retry()
    assert len(programme.stripe.transfers()) == 1


def test_one_that_was_called_off_tells_nothing_about_the_bank(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    programme.stripe.pay_to_bank(account_id, status="canceled")
    look(programme)
    assert stage(programme, payout_id) is None
    programme.stripe.pay_to_bank(account_id)
    look(programme)
    assert stage(programme, payout_id) is BankStage.on_its_way


def test_what_stripe_says_only_later_is_known_only_later(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    bank_id = programme.stripe.pay_to_bank(account_id, reconciled=False)
    tell(programme, *bank_events(programme))
    assert current(programme, payout_id) is None
    programme.stripe.reconcile_at_bank(bank_id)
    tell(programme, programme.stripe.events("payout.reconciliation_completed")[0])
    assert shown(programme, payout_id) == [(bank_id, "pending")]


def test_a_bank_payout_made_by_hand_is_tied_to_nothing(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    programme.stripe.pay_to_bank(account_id, amount=10_000)
    tell(programme, *bank_events(programme))
    assert set(programme.rows(sa.select(WebhookEvent.state))) == {("processed",)}
    assert look(programme) == {"accounts": 1, "changed": 0, "errors": 0}
    assert current(programme, payout_id) is None
    assert programme.rows(sa.select(BankPayout.id)) == []


def test_transfers_of_others_are_tied_to_nothing(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    first = programme.stripe.pay_to_bank(account_id)
    programme.stripe.transfer_by_hand(account_id, 500, group="a-contest")
    programme.stripe.pay_to_bank(account_id)
    tell(programme, *bank_events(programme))
    assert shown(programme, payout_id) == [(first, "pending")]
    assert len(programme.rows(sa.select(BankPayout.id))) == 1


def test_events_of_the_platforms_own_payouts_and_of_strangers_are_ignored(programme: Programme) -> None:
    _, account_id = sent(programme)
    programme.stripe.pay_to_bank(account_id)
    (event,) = bank_events(programme)
    programme.stripe.forget_requests()
    tell(
        programme, {**event, "id": "evt_own", "account": None}, {**event, "id": "evt_x", "account": "acct_x"}
    )
    assert programme.stripe.requests("GET", "/v1/payouts") == []
    assert set(programme.rows(sa.select(WebhookEvent.state))) == {("ignored",)}


def test_nothing_of_the_bank_account_is_kept(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    programme.stripe.pay_to_bank(account_id, status="failed", failure_code="new_code")
    look(programme)
    (bank,) = programme.stripe.accounts()[0]["external_accounts"]["data"]
    kept = str(programme.rows(sa.select(BankPayout.__table__)))
    assert all(
        str(bank[name]) not in kept for name in ("id", "last4", "bank_name", "fingerprint") if bank[name]
    )
    row = current(programme, payout_id)
    assert row is not None
    assert row.failure("P-1").cause == "The bank refused this payout"


def test_the_database_refuses_to_tie_a_payout_to_the_bank_payout_of_another(programme: Programme) -> None:
    _, account_id = sent(programme)
    bank_id = programme.stripe.pay_to_bank(account_id)
    look(programme)
    other, _ = sent(programme)
    tie = sa.insert(CarriedPayout).values(bank_payout_id=bank_id, payout_id=other)
    moved = sa.update(BankPayout).values(stripe_account_id="acct_other")
    for forbidden in (tie, moved, sa.delete(CarriedPayout)):
        with pytest.raises(sa.exc.IntegrityError):
            programme.execute(forbidden)
