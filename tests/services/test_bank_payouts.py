"""When the money reaches the bank, or where it is if not: from Stripe's state alone, whatever events come or don't."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.domain.bank_payouts import BankPayoutStatus, BankStage
from portal.domain.payouts import PayoutStatus
from portal.gateways.stripe import StripeKeyRefusedError
from portal.jobs.work import everything_due
from portal.models import BankPayout, CarriedPayout, JobSlot, LedgerEntry, WebhookEvent
from tests.services.programme import TEST, Programme


def sent(programme: Programme, amount: int = 10_000) -> tuple[UUID, str]:
    """A payout whose transfer exists, and the account it went to."""
    payout_id = programme.approved(amount)
    programme.run()
    payout = programme.payout(payout_id)
    assert payout.status is PayoutStatus.paid
    return payout_id, payout.destination


def bank_events(programme: Programme) -> list[dict[str, Any]]:
    return [event for event in programme.stripe.events() if event["type"].startswith("payout.")]


def tell(programme: Programme, *events: dict[str, Any]) -> None:
    """Events arrive one by one, and each is worked on at once."""
    for event in events:
        programme.receive(event)
        programme.services.stripe_events.process_due()


def look(programme: Programme) -> dict[str, object]:
    return programme.services.bank_payouts.look_for_all(cause=TEST).as_json()


def current(programme: Programme, payout_id: UUID) -> BankPayout | None:
    return programme.services.bank_payouts.current_of([payout_id]).get(payout_id)


def stage(programme: Programme, payout_id: UUID) -> BankStage | None:
    bank = current(programme, payout_id)
    return bank.stage if bank else None


def shown(programme: Programme, payout_id: UUID) -> list[tuple[str, str]]:
    return [(bank.id, bank.status.value) for bank in programme.services.bank_payouts.of_payout(payout_id)]


def steps(programme: Programme, payout_id: UUID) -> list[tuple[str | None, str | None]]:
    """What the audit trail says about the bank."""
    return [row[:2] for row in programme.changes(payout_id, "payout.bank_payout_changed")]


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
    assert steps(programme, payout_id) == [
        (None, f"{bank_id} pending"),
        (f"{bank_id} pending", f"{bank_id} paid"),
    ]


def returned_and_sent_again(programme: Programme) -> tuple[UUID, list[dict[str, Any]], list[tuple[str, str]]]:
    """A payout whose first bank payout came back after it had arrived, what Stripe tells, and what must be shown."""
    payout_id, account_id = sent(programme)
    first = programme.stripe.pay_to_bank(account_id, status="paid")
    programme.stripe.settle_at_bank(first, "failed", failure_code="account_closed")
    second = programme.stripe.pay_to_bank(account_id)
    events = [event for event in bank_events(programme) if event["account"] == account_id]
    assert [event["type"].removeprefix("payout.") for event in events] == [
        "created", "paid", "failed", "created"
    ]  # fmt: skip
    return payout_id, events, [(first, "failed"), (second, "pending")]


def test_any_order_of_the_events_ends_in_the_same_state(programme: Programme) -> None:
    for order in itertools.permutations((1, 2, 3)):
        payout_id, events, wanted = returned_and_sent_again(programme)
        tell(programme, *(events[number] for number in order))
        assert shown(programme, payout_id) == wanted
        assert stage(programme, payout_id) is BankStage.on_its_way


@pytest.mark.parametrize("arrived", [(), (0,), (3,)], ids=["none", "the_first", "the_last"])
def test_what_lost_events_would_have_told_a_look_makes_up_for(
    programme: Programme, arrived: tuple[int, ...]
) -> None:
    payout_id, events, wanted = returned_and_sent_again(programme)
    tell(programme, *(events[number] for number in arrived))
    look(programme)
    assert shown(programme, payout_id) == wanted


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


def test_what_came_back_goes_out_again_with_a_later_bank_payout(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    banks = [
        programme.stripe.pay_to_bank(account_id, status=status) for status in ("failed", "failed", "paid")
    ]
    tell(programme, bank_events(programme)[-1])  # of the last one alone
    assert shown(programme, payout_id) == [(banks[2], "paid")]
    look(programme)
    assert set(shown(programme, payout_id)) == {
        (banks[0], "failed"), (banks[1], "failed"), (banks[2], "paid")
    }  # fmt: skip
    assert shown(programme, payout_id)[-1] == (banks[2], "paid")


def test_one_that_was_called_off_tells_nothing_about_the_bank(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    programme.stripe.pay_to_bank(account_id, status="canceled")
    look(programme)
    assert stage(programme, payout_id) is None
    programme.stripe.pay_to_bank(account_id)
    look(programme)
    assert stage(programme, payout_id) is BankStage.on_its_way


def test_one_bank_payout_carries_several_payouts_and_each_is_told(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=5_000)
    payouts = [programme.request(affiliate_id)]
    programme.run()
    programme.earn(affiliate_id, 7_000)
    payouts.append(programme.request(affiliate_id))
    programme.run()
    bank_id = programme.stripe.pay_to_bank(programme.account_of(affiliate_id))
    look(programme)
    banks = programme.services.bank_payouts.current_of(payouts)
    assert {payout_id: (bank.id, bank.amount) for payout_id, bank in banks.items()} == dict.fromkeys(
        payouts, (bank_id, 12_000)
    )
    assert all(steps(programme, payout_id) == [(None, f"{bank_id} pending")] for payout_id in payouts)


def test_without_any_event_the_timetable_finds_out(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    bank_id = programme.stripe.pay_to_bank(account_id, status="paid")
    programme.clock.advance(hours=7)
    assert everything_due(programme.services)
    assert shown(programme, payout_id) == [(bank_id, "paid")]
    (tally,) = programme.rows(sa.select(JobSlot.tally).where(JobSlot.job == "bank-payouts"))[0]
    assert tally == {"accounts": 1, "changed": 1, "errors": 0}
    programme.stripe.settle_at_bank(bank_id, "failed", failure_code="no_account")
    programme.clock.advance(hours=7)
    everything_due(programme.services)
    assert stage(programme, payout_id) is BankStage.returned
    assert look(programme) == {"accounts": 1, "changed": 0, "errors": 0}


def test_what_safely_arrived_and_what_was_sent_long_ago_is_not_asked_for_any_more(
    programme: Programme,
) -> None:
    _, arrived_account = sent(programme)
    programme.stripe.pay_to_bank(arrived_account, status="paid")
    sent(programme)  # and Stripe never says which bank payout carries it
    look(programme)
    programme.clock.advance(days=16)
    assert look(programme)["accounts"] == 1
    programme.clock.advance(days=30)
    programme.stripe.forget_requests()
    assert look(programme)["accounts"] == 0
    assert programme.stripe.requests("GET", "/v1/payouts") == []


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
    look(programme)
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


def test_an_old_answer_that_comes_late_changes_nothing(programme: Programme) -> None:
    payout_id, account_id = sent(programme)
    bank_id = programme.stripe.pay_to_bank(account_id, status="paid")
    look(programme)
    programme.stripe.settle_at_bank(bank_id, "failed")
    programme.clock.advance(seconds=-1)
    look(programme)
    assert stage(programme, payout_id) is BankStage.arrived


def test_a_transfer_that_settles_after_its_bank_payout_began_is_tied_by_the_next_look(
    programme: Programme,
) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("timeout_after")
    programme.run()
    assert programme.payout(payout_id).status is PayoutStatus.processing
    bank_id = programme.stripe.pay_to_bank(programme.payout(payout_id).destination)
    tell(programme, *bank_events(programme))
    assert current(programme, payout_id) is None
    programme.clock.advance(minutes=10)
    programme.retry()
    look(programme)
    assert shown(programme, payout_id) == [(bank_id, "pending")]


def test_an_account_that_gives_no_answer_does_not_keep_the_others_waiting(programme: Programme) -> None:
    lost, gone_account = sent(programme)
    payout_id, account_id = sent(programme)
    for each in (gone_account, account_id):
        programme.stripe.pay_to_bank(each)
    programme.stripe.fate(gone_account, "deauthorise")
    assert look(programme) == {"accounts": 2, "changed": 1, "errors": 1}
    assert stage(programme, payout_id) is BankStage.on_its_way
    tell(programme, *(event for event in bank_events(programme) if event["account"] == gone_account))
    assert current(programme, lost) is None
    assert programme.rows(sa.select(WebhookEvent.effect)) == [("not shown to us",)]


def test_a_refused_key_ends_the_look(programme: Programme) -> None:
    sent(programme)
    programme.stripe.fault("401", path="/v1/payouts", method="GET")
    with pytest.raises(StripeKeyRefusedError):
        look(programme)


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
