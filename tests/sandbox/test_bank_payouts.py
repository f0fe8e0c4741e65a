"""Bank payouts: what happens between an account's balance at Stripe and its bank."""

from __future__ import annotations

import pytest
import stripe

from tests.sandbox.conftest import MakeStand, Stand


def test_a_bank_payout_names_the_transfers_in_it(stand: Stand) -> None:
    account = stand.approved_account()
    transfers = [stand.transfer(account.id, amount=amount) for amount in (100, 200)]
    payout = stand.control(f"accounts/{account.id}/payouts")["payout"]
    assert payout["amount"] == 300
    on_account: stripe.RequestOptions = {"stripe_account": account.id}
    inside = stand.stripe.v1.balance_transactions.list(
        {"payout": payout["id"], "type": "payment", "expand": ["data.source"]}, on_account
    )
    sources = {transaction.to_dict()["source"]["source_transfer"] for transaction in inside.data}
    assert sources == {transfer.id for transfer in transfers}
    assert {t.to_dict()["source"]["id"] for t in inside.data} == {t.destination_payment for t in transfers}


def test_a_later_payout_does_not_name_what_an_earlier_one_took(stand: Stand) -> None:
    account = stand.approved_account()
    stand.transfer(account.id, amount=100)
    stand.control(f"accounts/{account.id}/payouts")
    later = stand.transfer(account.id, amount=200)
    payout = stand.control(f"accounts/{account.id}/payouts")["payout"]
    inside = stand.stripe.v1.balance_transactions.list(
        {"payout": payout["id"], "type": "payment"}, {"stripe_account": account.id}
    )
    assert [transaction.source for transaction in inside.data] == [later.destination_payment]


def test_a_payout_may_fail_after_it_was_paid_and_the_money_comes_back(stand: Stand) -> None:
    account = stand.approved_account()
    stand.transfer(account.id, amount=500)
    payout = stand.control(f"accounts/{account.id}/payouts", {"status": "paid"})["payout"]
    assert payout["trace_id"]["value"]
    stand.control(f"payouts/{payout['id']}", {"status": "failed", "failure_code": "account_closed"})
    read = stand.stripe.v1.payouts.retrieve(payout["id"], {}, {"stripe_account": account.id})
    assert (read.status, read.failure_code) == ("failed", "account_closed")
    balance = stand.stripe.v1.balance.retrieve({}, {"stripe_account": account.id})
    assert balance.available[0].amount == 500
    bank_events = [event for event in stand.mailbox.events() if event["type"].startswith("payout.")]
    assert [event["type"] for event in bank_events] == ["payout.created", "payout.paid", "payout.failed"]
    assert {event["account"] for event in bank_events} == {account.id}


def test_a_payout_belongs_to_its_account_alone(stand: Stand) -> None:
    account, other = stand.approved_account(), stand.approved_account()
    stand.transfer(account.id)
    payout = stand.control(f"accounts/{account.id}/payouts")["payout"]
    assert stand.stripe.v1.payouts.list({}, {"stripe_account": other.id}).data == []
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stand.stripe.v1.payouts.retrieve(payout["id"], {}, {"stripe_account": other.id})
    assert refusal.value.http_status == 404


def test_an_account_can_not_pay_out_what_it_does_not_have(stand: Stand) -> None:
    account = stand.approved_account()
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stand.stripe.v1.payouts.create({"amount": 1, "currency": "usd"}, {"stripe_account": account.id})
    assert refusal.value.code == "balance_insufficient"


def test_a_payout_can_be_canceled_while_it_is_pending(stand: Stand) -> None:
    account = stand.approved_account()
    stand.transfer(account.id, amount=500)
    on_account: stripe.RequestOptions = {"stripe_account": account.id}
    payout = stand.stripe.v1.payouts.create({"amount": 200, "currency": "usd"}, on_account)
    assert stand.stripe.v1.payouts.cancel(payout.id, {}, on_account).status == "canceled"
    assert stand.stripe.v1.balance.retrieve({}, on_account).available[0].amount == 500
    with pytest.raises(stripe.InvalidRequestError, match="pending"):
        stand.stripe.v1.payouts.cancel(payout.id, {}, on_account)


def test_balances_can_reach_the_bank_by_themselves(make_stand: MakeStand) -> None:
    stand = make_stand(bank_payout_after_seconds=20)
    account = stand.approved_account()
    stand.transfer(account.id, amount=500)
    stand.beat()
    assert "payout.created" not in stand.mailbox.types()
    stand.hands.pass_by(20)
    stand.beat()
    assert stand.mailbox.types()[-1] == "payout.created"
    stand.hands.pass_by(20)
    stand.beat()
    assert stand.mailbox.types()[-1] == "payout.paid"


def test_what_a_failed_payout_brought_back_is_in_the_next_one(stand: Stand) -> None:
    account = stand.approved_account()
    stand.transfer(account.id, amount=500)
    failed = stand.control(f"accounts/{account.id}/payouts", {"status": "failed"})["payout"]
    again = stand.control(f"accounts/{account.id}/payouts")["payout"]
    assert again["amount"] == 500
    inside = stand.stripe.v1.balance_transactions.list(
        {"payout": again["id"]}, {"stripe_account": account.id}
    ).data
    assert {(transaction.type, transaction.source) for transaction in inside} == {
        ("payout", again["id"]),
        ("payout_failure", failed["id"]),
    }


def test_stripe_may_say_only_later_what_is_in_a_payout(stand: Stand) -> None:
    account = stand.approved_account()
    stand.transfer(account.id, amount=500)
    asked: stripe.params.BalanceTransactionListParams = {"type": "payment"}
    payout = stand.control(f"accounts/{account.id}/payouts", {"reconciled": False})["payout"]
    asked["payout"] = payout["id"]
    on_account: stripe.RequestOptions = {"stripe_account": account.id}
    assert payout["reconciliation_status"] == "in_progress"
    assert stand.stripe.v1.balance_transactions.list(asked, on_account).data == []
    stand.control(f"payouts/{payout['id']}/reconcile", {})
    assert len(stand.stripe.v1.balance_transactions.list(asked, on_account).data) == 1
    assert stand.mailbox.types()[-1] == "payout.reconciliation_completed"


def test_stripe_does_not_say_what_is_in_a_payout_made_by_hand(stand: Stand) -> None:
    account = stand.approved_account()
    stand.transfer(account.id, amount=500)
    payout = stand.control(f"accounts/{account.id}/payouts", {"amount": 200})["payout"]
    with pytest.raises(stripe.InvalidRequestError, match="not manual"):
        stand.stripe.v1.balance_transactions.list({"payout": payout["id"]}, {"stripe_account": account.id})


def test_a_payout_has_arrived_when_it_is_paid(stand: Stand) -> None:
    account = stand.approved_account()
    stand.transfer(account.id, amount=500)
    pending = stand.control(f"accounts/{account.id}/payouts")["payout"]
    paid = stand.control(f"payouts/{pending['id']}", {"status": "paid"})["payout"]
    assert paid["arrival_date"] < pending["arrival_date"]
