"""Every endpoint of the stand-in answers as Stripe describes it, whatever has become of an account; and what would
differ is named by its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stripe

from portal.domain.new_accounts import new_account_v2
from portal.sandbox.endpoints import ENDPOINTS, find
from portal.sandbox.errors import account_not_accessible, invalid_api_key, no_such
from portal.sandbox.fates import FATES
from portal.services.event_backfills import ACCOUNT_TYPES, PLATFORM_TYPES
from tests.sandbox.conftest import Stand, new_stand
from tests.stripe_description.conversation import of_answer, of_event
from tests.stripe_description.description import event_types, operation

Answer = dict[str, Any]
Change = Callable[[Answer], object]


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    """A stand-in whose every answer, and every event it delivers, is held against the description; every test has
    accounts of its own."""
    stand = new_stand()
    yield stand
    stand.app.extensions["sandbox"].store.close()


def _paid_account(stand: Stand) -> str:
    """An account that was sent money."""
    account = stand.approved_account()
    stand.transfer(
        account.id, amount=2_000, transfer_group="g", description="Payout 1", metadata={"payout": "1"}
    )
    return account.id


def _ask_of_accounts(stand: Stand) -> None:
    accounts = stand.stripe.v1.accounts
    account = stand.approved_account()
    accounts.retrieve_current()
    accounts.list({"limit": 3})
    accounts.update(account.id, {"metadata": {"a": "b"}})
    bank = accounts.external_accounts.list(account.id).data[0]
    accounts.external_accounts.retrieve(account.id, bank.id)
    accounts.capabilities.list(account.id)
    accounts.capabilities.retrieve(account.id, "transfers")
    accounts.capabilities.update(account.id, "card_payments", {"requested": True})
    accounts.login_links.create(account.id)
    stand.onboarding_link(account.id)
    accounts.reject(account.id, {"reason": "other"})
    accounts.unreject(account.id)
    accounts.delete(stand.express_account().id)


def _ask_by_v2(stand: Stand) -> None:
    wanted: Any = new_account_v2("ada@example.com", "DE", capabilities=["card_payments"], metadata={"a": "b"})
    whole: Any = {"include": ["identity", "defaults"]}
    whole_of_it: Any = {**wanted, **whole}
    made = stand.stripe.v2.core.accounts.create(whole_of_it)
    stand.stripe.v2.core.accounts.retrieve(made.id, whole)
    with pytest.raises(stripe.InvalidRequestError):
        stand.stripe.v2.core.accounts.create({"dashboard": "express"})


def _ask_of_transfers(stand: Stand) -> None:
    transfers = stand.stripe.v1.transfers
    made = stand.transfers()[0]
    whole = ["destination", "balance_transaction", "destination_payment"]
    transfers.retrieve(made.id, {"expand": whole})
    transfers.update(made.id, {"description": "Payout 1 of Ada"})
    reversal = transfers.reversals.create(made.id, {"amount": 500})
    transfers.reversals.retrieve(made.id, reversal.id, {"expand": ["transfer", "balance_transaction"]})
    transfers.reversals.list(made.id)
    transfers.retrieve(made.id)


def _ask_of_money(stand: Stand, account_id: str) -> None:
    v1, theirs = stand.stripe.v1, {"stripe_account": account_id}
    v1.balance.retrieve()
    v1.balance.retrieve(options=theirs)  # type: ignore[arg-type]
    paid = v1.payouts.create({"amount": 100, "currency": "usd"}, theirs)  # type: ignore[arg-type]
    v1.payouts.update(paid.id, {"metadata": {"a": "b"}}, theirs)  # type: ignore[arg-type]
    v1.payouts.cancel(paid.id, options=theirs)  # type: ignore[arg-type]
    for status in ("paid", "failed"):
        stand.control(f"accounts/{account_id}/payouts", {"amount": 100, "status": status})
    v1.payouts.list(options=theirs)  # type: ignore[arg-type]
    v1.payouts.retrieve(paid.id, options=theirs)  # type: ignore[arg-type]
    moved = v1.balance_transactions.list({"expand": ["data.source"]}, theirs)  # type: ignore[arg-type]
    v1.balance_transactions.retrieve(moved.data[0].id, options=theirs)  # type: ignore[arg-type]
    stand.control("balance", {"usd": 90_000_000})


def test_every_endpoint_answers_and_every_event_comes_as_stripe_describes_it(
    stand: Stand,
) -> None:
    stand.app.extensions["sandbox"].requests.clear()
    paid_account = _paid_account(stand)
    _ask_of_accounts(stand)
    _ask_by_v2(stand)
    _ask_of_transfers(stand)
    _ask_of_money(stand, paid_account)
    events = stand.stripe.v1.events.list({"limit": 100}).data
    stand.stripe.v1.events.retrieve(events[0].id)
    assert len(stand.stripe.v1.webhook_endpoints.list().data) == 2
    stand.beat()
    found = [find(asked.method, asked.path) for asked in stand.app.extensions["sandbox"].requests]
    driven = {endpoint[0].operation for endpoint in found if endpoint}
    assert driven == {endpoint.operation for endpoint in ENDPOINTS}
    assert {"transfer.reversed", "payout.failed", "capability.updated"} <= set(stand.mailbox.types())


@pytest.mark.parametrize("fate", sorted(FATES))
def test_an_account_is_as_stripe_describes_it_whatever_became_of_it(stand: Stand, fate: str) -> None:
    account = stand.approved_account()
    stand.control(f"accounts/{account.id}/fate", {"fate": fate})
    stand.stripe.v1.accounts.retrieve(account.id)
    stand.stripe.v1.accounts.capabilities.list(account.id)
    stand.beat()


def test_refusals_are_as_stripe_describes_them() -> None:
    for refusal in (
        invalid_api_key("sk_test_1"),
        no_such("transfer", "tr_1"),
        account_not_accessible("k", "a"),
    ):
        assert of_answer("GET", "/v1/transfers/tr_1", refusal.status, json.dumps(refusal.body())) == []


def _true_account(stand: Stand) -> Answer:
    account: Answer = stand.stripe.v1.accounts.retrieve(stand.approved_account().id).to_dict()
    return account


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda account: account.update(verified=True), "verified is unknown to Stripe"),
        (lambda account: account.pop("id"), "id is missing"),
        (lambda account: account.update(payouts_enabled="yes"), "payouts_enabled is 'yes', which is no boolean"),
        (lambda account: account.update(charges_enabled=None), "charges_enabled is None, which is no boolean"),
        (lambda account: account.update(created=1_790_000_000_000), "created is 1790000000000, which is no unix-time"),
        (lambda account: account.update(object="person"), "object is 'person', which is none of account"),
        (
            lambda account: account["requirements"].update(disabled_reason="asleep"),
            "requirements[disabled_reason] is 'asleep', which is none of action_required.requested_capabilities",
        ),
        (
            lambda account: account["requirements"].update(errors=[{"code": "invalid_tax_id_format", "reason": "x"}]),
            "requirements[errors][0][requirement] is missing",
        ),
        (
            lambda account: account["external_accounts"]["data"][0].update(iban="DE"),
            "external_accounts[data][0][iban] is unknown to Stripe",
        ),
        (lambda account: account["capabilities"].update(transfers="on"), "capabilities[transfers] is 'on'"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_stripes_is_named_by_its_place(
    stand: Stand, change: Change, wrong: str
) -> None:
    account = _true_account(stand)
    change(account)
    (difference,) = of_answer("GET", f"/v1/accounts/{account.get('id', 'acct_1')}", 200, json.dumps(account))
    assert f"→ 200: {wrong}" in difference


@pytest.mark.parametrize(
    ("error", "wrong"),
    [
        ({"type": "sad_error", "message": "No."}, "error[type] is 'sad_error', which is none of api_error"),
        ({"message": "No."}, "error[type] is missing"),
        ({"type": "api_error", "reason": "No."}, "error[reason] is unknown to Stripe"),
    ],
)
def test_a_refusal_that_is_not_stripes_is_named_by_its_place(error: Answer, wrong: str) -> None:
    (difference,) = of_answer("POST", "/v1/transfers", 400, json.dumps({"error": error}))
    assert wrong in difference


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda event: event.pop("pending_webhooks"), "pending_webhooks is missing"),
        (lambda event: event.update(attempt=2), "attempt is unknown to Stripe"),
        (lambda event: event.update(type="transfer.paid"), "type is 'transfer.paid', which no endpoint can ask for"),
        (lambda event: event["request"].update(ip="::1"), "request[ip] is unknown to Stripe"),
        (lambda event: event["data"]["object"].update(status="paid"), "status is unknown to Stripe"),
        (lambda event: event["data"].update(previous_attributes={"status": ""}), "data[previous_attributes][status]"),
    ],
)  # fmt: skip
def test_an_event_that_is_not_stripes_is_named_by_its_place(stand: Stand, change: Change, wrong: str) -> None:
    _paid_account(stand)
    event = stand.stripe.v1.events.list({"type": "transfer.created"}).data[0].to_dict()
    change(event)
    (difference,) = of_event(event)
    assert wrong in difference


def test_an_answer_by_v2_is_held_too_but_for_nulls(stand: Stand) -> None:
    made = stand.stripe.v2.core.accounts.create({"contact_email": "ada@example.com"}).to_dict()
    path = f"/v2/core/accounts/{made['id']}"
    assert made["identity"] is None
    assert of_answer("GET", path, 200, json.dumps(made)) == []
    (difference,) = of_answer("GET", path, 200, json.dumps({**made, "dashboard": "big", "closed": None}))
    assert "dashboard is 'big', which is none of" in difference


def test_every_event_that_the_portal_waits_for_is_one_of_stripes() -> None:
    assert set(PLATFORM_TYPES + ACCOUNT_TYPES) <= event_types()


def test_a_listed_account_is_described_as_whole_as_a_retrieved_one() -> None:
    listed, retrieved = operation("GET", "/v1/accounts"), operation("GET", "/v1/accounts/acct_1")
    assert listed is not None
    assert retrieved is not None
    assert listed.answer(200)["properties"]["data"]["items"] == retrieved.answer(200)
