"""Whatever the portal asks of Stripe is what Stripe describes: every method of the gateway is driven."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.domain.new_accounts import new_account_v2
from portal.gateways.stripe import StripeApi, StripeGateway
from tests.fakes.unpaced import Unpaced
from tests.fakes.wsgi_stripe import BASE_URL, WsgiHTTPClient
from tests.sandbox.conftest import BEGINNING, Stand, new_stand
from tests.stripe_description import conversation

SINCE = datetime.fromtimestamp(BEGINNING, UTC)
RETURN = "https://portal.example/return"

#: What is asked in each method, about an account that can be paid, a transfer to it, and the bank payout of that.
DRIVEN: dict[str, Callable[[StripeApi, str, str], Any]] = {
    "create_account": lambda api, _account, _transfer: api.create_account({"type": "express"}, key="a"),
    "create_account_v2": lambda api, _account, _transfer: api.create_account_v2(
        new_account_v2("ada@example.com", "DE", capabilities=["card_payments"], metadata={"a": "b"}), key="v2"
    ),
    "create_account_link": lambda api, account, _transfer: api.create_account_link(
        account, refresh_url=RETURN, return_url=RETURN
    ),
    "create_login_link": lambda api, account, _transfer: api.create_login_link(account),
    "retrieve_account": lambda api, account, _transfer: (
        api.retrieve_account(account), api.retrieve_account("acct_gone")
    ),
    "accounts_made_since": lambda api, _account, _transfer: list(api.accounts_made_since(SINCE)),
    "accounts_after": lambda api, account, _transfer: (api.accounts_after(None), api.accounts_after(account)),
    "create_transfer": lambda api, account, _transfer: api.create_transfer(
        {"amount": 100, "currency": "usd", "destination": account, "transfer_group": "g"}, key="t"
    ),
    "transfers_in_group": lambda api, _account, _transfer: api.transfers_in_group("g"),
    "transfers_since": lambda api, _account, _transfer: list(api.transfers_since(SINCE)),
    "retrieve_transfer": lambda api, _account, transfer: api.retrieve_transfer(transfer),
    "reversals_of": lambda api, _account, transfer: api.reversals_of(transfer),
    "platform_balance": lambda api, _account, _transfer: api.platform_balance(),
    "events_since": lambda api, account, _transfer: (
        list(api.events_since(SINCE, types=["transfer.created"])),
        list(api.events_since(SINCE, types=["account.updated"], account_id=account, until=SINCE)),
    ),
    "retrieve_bank_payout": lambda api, account, _transfer: (
        api.retrieve_bank_payout(account, _bank_payout(api, account))
    ),
    "bank_payouts_since": lambda api, account, _transfer: list(api.bank_payouts_since(account, SINCE)),
    "contents_of_bank_payout": lambda api, account, _transfer: (
        api.contents_of_bank_payout(account, _bank_payout(api, account))
    ),
    "webhook_endpoints": lambda api, _account, _transfer: api.webhook_endpoints(),
    "platform": lambda api, _account, _transfer: api.platform(),
}  # fmt: skip


def _bank_payout(api: StripeApi, account_id: str) -> str:
    """The one that the account has."""
    (payout,) = api.bank_payouts_since(account_id, SINCE)
    return payout.id


def _api(stand: Stand) -> StripeApi:
    transport = WsgiHTTPClient(stand.app)
    return StripeApi(
        "sk_test_sandbox", api_base=BASE_URL, transport=transport, before_call=lambda: None, pace=Unpaced()
    )


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    """One for all of them: every test has an account of its own."""
    stand = new_stand()
    yield stand
    stand.app.extensions["sandbox"].store.close()


def test_every_method_of_the_gateway_is_driven() -> None:
    asked = {name for name in vars(StripeGateway) if not name.startswith("_")}
    made = {name for name in dir(StripeApi) if not name.startswith("_")}
    assert asked == made == DRIVEN.keys() | {"await_transfer"}, "which only waits"


@pytest.mark.parametrize("method", DRIVEN)
def test_what_the_gateway_asks_is_what_stripe_describes(stand: Stand, method: str) -> None:
    account_id = stand.approved_account().id
    transfer = stand.transfer(account_id)
    stand.control(f"accounts/{account_id}/payouts", {"status": "failed"})
    stand.app.extensions["sandbox"].requests.clear()
    DRIVEN[method](_api(stand), account_id, transfer.id)
    asked = stand.app.extensions["sandbox"].requests
    # the transport holds each against the description; here it is enough that there was one, and that it was taken
    assert asked
    assert {request.status for request in asked} <= {200, 403}


def test_a_misspelled_parameter_of_the_portals_is_kept_even_where_the_refusal_is_handled(
    stand: Stand,
) -> None:
    answer = _api(stand).create_account({"capabilities": {"transfers": {"requsted": True}}}, key="a")
    assert answer.http_status == 400
    assert conversation.take_differences() == [
        "POST /v1/accounts: capabilities[transfers][requsted] is unknown to Stripe"
    ]
