"""Transfers move money at once or not at all, and can be taken back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from portal.sandbox.app import create_sandbox
from portal.sandbox.config import SandboxConfig
from tests.fakes.wsgi_stripe import stripe_client
from tests.sandbox.conftest import Stand


def platform_usd(stand: Stand) -> int:
    return int(stand.control("state", method="GET")["balances"]["platform"]["usd"])


def test_a_transfer_moves_the_money_and_says_so(stand: Stand) -> None:
    account = stand.approved_account()
    before = platform_usd(stand)
    transfer = stand.transfer(
        account.id, amount=1234, transfer_group="payout-1", description="October", metadata={"payout": "1"}
    )
    assert (transfer.amount, transfer.amount_reversed, transfer.reversed) == (1234, 0, False)
    assert (transfer.destination, transfer.transfer_group) == (account.id, "payout-1")
    assert platform_usd(stand) == before - 1234
    balance = stand.stripe.v1.balance.retrieve({}, {"stripe_account": account.id})
    assert [(line.amount, line.currency) for line in balance.available] == [(1234, "usd")]
    event = stand.mailbox.events()[-1]
    assert (event["type"], event["data"]["object"]["id"]) == ("transfer.created", transfer.id)
    assert "account" not in event
    assert stand.stripe.v1.transfers.retrieve(transfer.id).description == "October"


@pytest.mark.parametrize(
    ("changed", "code", "param"),
    [
        ({"amount": 0}, "parameter_invalid_integer", "amount"),
        ({"amount": -5}, "parameter_invalid_integer", "amount"),
        ({"amount": "1.5"}, "parameter_invalid_integer", "amount"),
        ({"amount": None}, "parameter_missing", "amount"),
        ({"currency": "xxx"}, None, "currency"),
        ({"currency": None}, "parameter_missing", "currency"),
        ({"destination": None}, "parameter_missing", "destination"),
        ({"destination": "acct_nowhere"}, "resource_missing", "destination"),
        ({"amount": 99, "currency": "isk"}, None, "amount"),
        ({"amount": 11, "currency": "kwd"}, None, "amount"),
        ({"method": "instant"}, "parameter_unknown", "method"),
        ({"amount": 10_000_001}, "balance_insufficient", None),
        ({"currency": "cad"}, "balance_insufficient", None),
    ],
)
def test_a_transfer_that_can_not_be_is_refused_and_moves_nothing(
    stand: Stand, changed: dict[str, Any], code: str | None, param: str | None
) -> None:
    account = stand.approved_account()
    before = platform_usd(stand)
    params: Any = {"amount": 500, "currency": "usd", "destination": account.id, **changed}
    given: Any = {name: value for name, value in params.items() if value is not None}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stand.stripe.v1.transfers.create(given)
    assert (refusal.value.code, refusal.value.param) == (code, param)
    assert platform_usd(stand) == before
    assert stand.transfers() == []


@pytest.mark.parametrize("fate", ["review", "restrict", "reject", "pause", "start_over"])
def test_an_account_without_an_active_transfers_capability_gets_nothing(stand: Stand, fate: str) -> None:
    account = stand.approved_account()
    stand.control(f"accounts/{account.id}/fate", {"fate": fate})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stand.transfer(account.id)
    assert refusal.value.code == "insufficient_capabilities_for_transfer"


def test_money_is_not_sent_outside_the_platforms_region(stand: Stand) -> None:
    account = stand.approved_account(country="BR")
    with pytest.raises(
        stripe.InvalidRequestError, match="Funds can't be sent to accounts located in BR"
    ) as refusal:
        stand.transfer(account.id)
    assert refusal.value.code is None


def test_transfers_are_found_by_group_destination_and_time(stand: Stand) -> None:
    first, second = stand.approved_account(), stand.approved_account()
    early = stand.transfer(first.id, transfer_group="payout-1")
    stand.hands.pass_by(60)
    late = stand.transfer(second.id, transfer_group="payout-2")

    def found(**params: Any) -> list[str]:
        wanted: Any = params
        return [transfer.id for transfer in stand.stripe.v1.transfers.list(wanted).data]

    assert found() == [late.id, early.id]
    assert found(transfer_group="payout-1") == [early.id]
    assert found(destination=second.id) == [late.id]
    assert found(created={"gte": late.created}) == [late.id]
    assert found(created={"lt": late.created}) == [early.id]
    assert found(created=early.created) == [early.id]
    assert found(transfer_group="payout-3") == []
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: metadata"):
        found(metadata={"payout": "1"})


def test_partial_reversals_add_up_and_reversed_means_wholly(stand: Stand) -> None:
    account = stand.approved_account()
    before = platform_usd(stand)
    transfer = stand.transfer(account.id, amount=500)
    first = stand.stripe.v1.transfers.reversals.create(transfer.id, {"amount": 200})
    halfway = stand.stripe.v1.transfers.retrieve(transfer.id)
    assert (halfway.amount_reversed, halfway.reversed) == (200, False)
    second = stand.stripe.v1.transfers.reversals.create(transfer.id)
    whole = stand.stripe.v1.transfers.retrieve(transfer.id)
    assert (whole.amount_reversed, whole.reversed) == (500, True)
    assert second.amount == 300
    listed = stand.stripe.v1.transfers.reversals.list(transfer.id).data
    assert [reversal.id for reversal in listed] == [second.id, first.id]
    assert [reversal.id for reversal in whole.reversals.data] == [second.id, first.id]
    assert platform_usd(stand) == before
    assert stand.mailbox.types()[-2:] == ["transfer.reversed", "transfer.reversed"]


def test_more_than_the_rest_can_not_be_taken_back(stand: Stand) -> None:
    transfer = stand.transfer(stand.approved_account().id, amount=500)
    with pytest.raises(stripe.InvalidRequestError, match="greater than the unreversed amount"):
        stand.stripe.v1.transfers.reversals.create(transfer.id, {"amount": 501})
    stand.stripe.v1.transfers.reversals.create(transfer.id)
    with pytest.raises(stripe.InvalidRequestError, match="already been fully reversed"):
        stand.stripe.v1.transfers.reversals.create(transfer.id)


def test_what_went_to_the_bank_can_not_be_taken_back_by_the_api(stand: Stand) -> None:
    account = stand.approved_account()
    transfer = stand.transfer(account.id)
    stand.control(f"accounts/{account.id}/payouts", {"status": "paid"})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stand.stripe.v1.transfers.reversals.create(transfer.id)
    assert refusal.value.code == "balance_insufficient"
    stand.control(f"transfers/{transfer.id}/reversals")
    assert stand.stripe.v1.transfers.retrieve(transfer.id).reversed


def test_an_update_changes_words_and_never_money(stand: Stand) -> None:
    transfer = stand.transfer(stand.approved_account().id, metadata={"a": "1"})
    changed = stand.stripe.v1.transfers.update(transfer.id, {"metadata": {"b": "2"}, "description": "x"})
    assert changed.to_dict()["metadata"] == {"a": "1", "b": "2"}
    assert stand.mailbox.types()[-1] == "transfer.updated"
    more: Any = {"amount": 1}
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: amount"):
        stand.stripe.v1.transfers.update(transfer.id, more)


def test_a_destination_can_be_expanded_and_nothing_else_by_surprise(stand: Stand) -> None:
    account = stand.approved_account()
    transfer = stand.transfer(account.id)
    whole = stand.stripe.v1.transfers.retrieve(
        transfer.id, {"expand": ["destination", "destination_payment"]}
    )
    assert isinstance(whole.destination, stripe.Account)
    assert whole.to_dict()["destination_payment"]["source_transfer"] == transfer.id
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        stand.stripe.v1.transfers.retrieve(transfer.id, {"expand": ["amount"]})


def test_threads_together_never_send_more_than_there_is() -> None:
    app = create_sandbox(SandboxConfig(starting_balance={"usd": 1_000}))
    client = stripe_client(app)
    params: Any = {"type": "express", "capabilities": {"transfers": {"requested": True}}}
    account = client.v1.accounts.create(params)
    app.test_client().post(f"/sandbox/api/accounts/{account.id}/fate", json={"fate": "approve"})

    def send(number: int) -> str | None:
        try:
            stripe_client(app).v1.transfers.create(
                {"amount": 300, "currency": "usd", "destination": account.id},
                {"idempotency_key": f"payout-{number}"},
            )
        except stripe.InvalidRequestError as refusal:
            return refusal.code
        return "sent"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(str(outcome) for outcome in pool.map(send, range(16)))
    assert outcomes == ["balance_insufficient"] * 13 + ["sent"] * 3
    (line,) = client.v1.balance.retrieve().available
    assert line.amount == 100
    app.extensions["sandbox"].store.close()
