"""Stripe in our own words: what each answer and each failure becomes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.gateways.stripe import (
    StripeApi,
    StripeKeyRefusedError,
    StripeRefusedError,
    StripeUnavailableError,
)
from tests.fakes.unpaced import Unpaced
from tests.fakes.wsgi_stripe import BASE_URL
from tests.services.line import Line
from tests.services.programme import Programme


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """No database has a say in this."""
    return sqlite_url


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def pace() -> Unpaced:
    return Unpaced()


@pytest.fixture
def stripe(line: Line, asked: list[str], pace: Unpaced) -> StripeApi:
    return StripeApi(
        "sk_test_portal",
        api_base=BASE_URL,
        transport=line,
        before_call=lambda: asked.append("asked"),
        pace=pace,
    )


ACCOUNT = {"type": "express", "country": "US", "capabilities": {"transfers": {"requested": True}}}


def test_a_making_is_never_retried_by_the_sdk(programme: Programme, stripe: StripeApi) -> None:
    programme.stripe.fault("500_before", path="/v1/accounts", times=5)
    assert stripe.create_account(ACCOUNT, key="k").http_status == 500
    assert len(programme.stripe.requests("POST", "/v1/accounts")) == 1


def test_a_reading_is_retried_twice(programme: Programme, stripe: StripeApi) -> None:
    programme.stripe.fault("500_before", path="/v1/balance", method="GET", times=2)
    assert stripe.available_balance()["usd"] == 10_000_000
    programme.stripe.fault("timeout_before", path="/v1/balance", method="GET", times=3)
    with pytest.raises(StripeUnavailableError):
        stripe.available_balance()


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("timeout_after", None, None), ("reset_after", None, None), ("truncated_after", 200, None),
        ("html_502_after", 502, None), ("500_after", 500, None), ("409", 409, "idempotency_key_in_use"),
        ("429", 429, "rate_limit"), ("401", 401, None), ("400_saved", 400, "balance_insufficient"),
    ],
)  # fmt: skip
def test_every_failure_of_a_making_is_told_and_not_judged(
    programme: Programme, stripe: StripeApi, fault: str, status: int | None, code: str | None
) -> None:
    programme.stripe.fault(fault, path="/v1/accounts")
    answer = stripe.create_account(ACCOUNT, key="k")
    assert (answer.http_status, answer.error_code, answer.made) == (status, code, None)
    assert answer.retry_after_seconds == (1 if fault == "429" else None)


def test_the_same_key_makes_one_account(programme: Programme, stripe: StripeApi) -> None:
    made = [stripe.create_account(ACCOUNT, key="k").made for _ in range(2)]
    assert made[0] == made[1]
    assert len(programme.stripe.accounts()) == 1


def test_an_account_that_is_gone_is_told_apart_from_a_refused_key(
    programme: Programme, stripe: StripeApi
) -> None:
    account_id = programme.account_of(programme.verified())
    programme.stripe.fate(account_id, "deauthorise")
    assert stripe.retrieve_account(account_id).deleted
    programme.stripe.fault("401", path="/v1/account", method="GET", skip=1)
    with pytest.raises(StripeKeyRefusedError):
        stripe.retrieve_account(account_id)
    assert stripe.retrieve_account("acct_nobody").deleted


def test_all_pages_of_a_group_are_read(programme: Programme, stripe: StripeApi) -> None:
    account_id = programme.account_of(programme.verified())
    for _ in range(101):
        programme.stripe.transfer_by_hand(account_id, 1, group="many")
    programme.stripe.transfer_by_hand(account_id, 1, group="other")
    found = stripe.transfers_in_group("many")
    assert len({transfer.id for transfer in found}) == 101
    assert {(transfer.amount, transfer.destination) for transfer in found} == {(1, account_id)}


def test_all_pages_of_accounts_are_read_newest_first(programme: Programme, stripe: StripeApi) -> None:
    for number in range(101):
        stripe.create_account(ACCOUNT, key=f"k{number}")
    since = programme.clock.real_now() - timedelta(hours=1)
    found = [facts.account_id for facts in stripe.accounts_made_since(since)]
    assert sorted(found) == sorted(account["id"] for account in programme.stripe.accounts())
    assert len(found) == 101


def test_a_refusal_carries_stripes_word_for_it(programme: Programme, stripe: StripeApi) -> None:
    account_id = programme.onboard(programme.affiliate(), fate=None)
    with pytest.raises(StripeRefusedError) as refusal:
        stripe.create_login_link(account_id)
    assert refusal.value.http_status == 400


def test_every_request_asks_first_whether_it_may_leave(
    programme: Programme, stripe: StripeApi, asked: list[str]
) -> None:
    account_id = programme.account_of(programme.verified())
    stripe.available_balance()
    stripe.retrieve_account(account_id)
    stripe.create_transfer({"amount": 100, "currency": "usd", "destination": account_id}, key="k")
    assert len(asked) == 3


def test_no_error_repeats_the_key(programme: Programme, stripe: StripeApi) -> None:
    programme.stripe.fault("401", path="/v1/", method="*", times=3)
    with pytest.raises(StripeKeyRefusedError) as refusal:
        stripe.available_balance()
    assert "sk_test" not in str(refusal.value)
    assert "sk_test_portal" not in stripe.create_account(ACCOUNT, key="k").message
