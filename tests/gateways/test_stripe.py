"""Stripe in our own words: what each answer and each failure becomes."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import requests
from structlog.testing import capture_logs

from portal.domain.attempts import AnswerClass, classify
from portal.gateways.stripe import (
    Lane,
    StripeApi,
    StripeBusyError,
    StripeKeyRefusedError,
    StripeRefusedError,
    StripeUnavailableError,
)
from portal.gateways.stripe_line import new_transport
from tests.fakes.unpaced import Unpaced
from tests.fakes.wsgi_stripe import BASE_URL
from tests.services.line import Answer, Line
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


def test_a_making_is_never_retried(programme: Programme, stripe: StripeApi) -> None:
    programme.stripe.fault("500_before", path="/v1/accounts", times=5)
    assert stripe.create_account(ACCOUNT, key="k").http_status == 500
    assert len(programme.stripe.requests("POST", "/v1/accounts")) == 1


def test_a_reading_is_tried_three_times_each_at_its_turn(
    programme: Programme, stripe: StripeApi, pace: Unpaced
) -> None:
    programme.stripe.fault("500_before", path="/v1/balance", method="GET", times=2)
    assert stripe.platform_balance().available["usd"] == 10_000_000
    assert (pace.turns, len(pace.pauses)) == ([(Lane.everything,)] * 3, 2)
    programme.stripe.fault("timeout_before", path="/v1/balance", method="GET", times=3)
    with pytest.raises(StripeUnavailableError):
        stripe.platform_balance()


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
    stripe.platform_balance()
    stripe.retrieve_account(account_id)
    stripe.create_transfer({"amount": 100, "currency": "usd", "destination": account_id}, key="k")
    assert len(asked) == 3


def test_no_error_repeats_the_key(programme: Programme, stripe: StripeApi) -> None:
    programme.stripe.fault("401", path="/v1/", method="*", times=3)
    with pytest.raises(StripeKeyRefusedError) as refusal:
        stripe.platform_balance()
    assert "sk_test" not in str(refusal.value)
    assert "sk_test_portal" not in stripe.create_account(ACCOUNT, key="k").message


TRANSFER = {"amount": 100, "currency": "usd", "transfer_group": "g"}


def test_a_reading_that_was_too_much_is_tried_again_and_holds_everybody_back(
    programme: Programme, stripe: StripeApi, pace: Unpaced
) -> None:
    programme.stripe.fault("429", path="/v1/balance", method="GET", times=2)
    assert stripe.platform_balance().available["usd"] == 10_000_000
    assert [lane for lane, _ in pace.held] == [Lane.everything] * 2
    assert all(1 <= seconds <= 1.5 for _, seconds in pace.held)
    programme.stripe.fault("429", path="/v1/balance", method="GET", times=3)
    with pytest.raises(StripeUnavailableError, match="slow down"):
        stripe.platform_balance()


@pytest.mark.parametrize(
    ("headers", "body", "held"),
    [
        ({"Stripe-Rate-Limited-Reason": "endpoint-rate"}, "", Lane.transfers),
        ({"Stripe-Rate-Limited-Reason": "endpoint-concurrency", "Retry-After": "7"}, "", Lane.transfers),
        ({"Stripe-Rate-Limited-Reason": "global-rate"}, "", Lane.everything),
        ({}, "", Lane.everything),
        ({"Retry-After": "99999999"}, "", Lane.everything),
        ({"Stripe-Rate-Limited-Reason": "resource-specific"}, "", None),
        ({}, '{"error": {"code": "lock_timeout"}}', None),
    ],
)  # fmt: skip
def test_too_much_of_one_thing_holds_back_what_it_speaks_of(
    stripe: StripeApi, line: Line, pace: Unpaced, headers: dict[str, str], body: str, held: Lane | None
) -> None:
    line.on_answer = lambda _method, _path, _answer: (body or "{}", 429, headers)
    answer = stripe.create_transfer(TRANSFER | {"destination": "acct_1"}, key="k")
    assert classify(answer, TRANSFER) is AnswerClass.not_executed
    assert pace.turns == [(Lane.everything, Lane.transfers)]
    assert [lane for lane, _ in pace.held] == ([held] if held else [])
    assert all(seconds <= 60 for _, seconds in pace.held)
    assert all(seconds >= int(headers.get("Retry-After", "1")) for _, seconds in pace.held if seconds < 60)


def test_a_transfer_whose_turn_was_awaited_leaves_at_once_and_the_next_one_at_its_own(
    programme: Programme, stripe: StripeApi, pace: Unpaced, asked: list[str]
) -> None:
    of_transfers, of_all = (Lane.everything, Lane.transfers), (Lane.everything,)
    stripe.await_transfer()
    assert (pace.turns, asked) == ([of_transfers], ["asked"])
    stripe.platform_balance()
    stripe.create_transfer(TRANSFER | {"destination": "acct_1"}, key="k1")
    assert pace.turns == [of_transfers, of_all]
    stripe.create_transfer(TRANSFER | {"destination": "acct_1"}, key="k2")
    assert pace.turns == [of_transfers, of_all, of_transfers]


def test_a_turn_is_of_the_thread_that_awaited_it(stripe: StripeApi, pace: Unpaced) -> None:
    another = threading.Thread(target=stripe.await_transfer)
    another.start()
    another.join()
    stripe.create_transfer(TRANSFER | {"destination": "acct_1"}, key="k")
    assert len(pace.turns) == 2


def test_what_may_not_leave_now_is_as_if_stripe_had_said_so(
    programme: Programme, line: Line, pace: Unpaced
) -> None:
    class Full(Unpaced):
        def take_turn(self, *lanes: Lane) -> float:
            raise StripeBusyError(2.5)

    stripe = StripeApi(
        "sk_test_portal", api_base=BASE_URL, transport=line, before_call=lambda: None, pace=Full()
    )
    programme.stripe.forget_requests()
    answer = stripe.create_transfer(TRANSFER | {"destination": "acct_1"}, key="k")
    assert (classify(answer, TRANSFER), answer.retry_after_seconds) == (AnswerClass.not_executed, 3)
    with pytest.raises(StripeBusyError):
        stripe.platform_balance()
    assert programme.stripe.requests("GET", "/v1/") == programme.stripe.requests("POST", "/v1/") == []


@pytest.mark.settings(PORTAL_LOG_LEVEL="DEBUG")
def test_what_was_made_or_failed_is_in_the_log_with_stripes_id_for_it_and_nothing_that_was_said(
    programme: Programme, stripe: StripeApi
) -> None:
    account_id = programme.onboard(programme.affiliate(), fate=None)
    with capture_logs() as lines:
        link = stripe.create_account_link(
            account_id, refresh_url="https://a.example", return_url="https://b.example"
        )
        stripe.retrieve_account(account_id)
        with pytest.raises(StripeRefusedError):
            stripe.create_login_link(account_id)
        programme.stripe.fault("timeout_after", path="/v1/accounts")
        stripe.create_account(ACCOUNT, key="k")
    told = [(line["event"], line["log_level"], line["path"], line.get("status")) for line in lines]
    assert told == [
        ("stripe.answered", "info", "/v1/account_links", 200),
        ("stripe.answered", "debug", f"/v1/accounts/{account_id}", 200),
        ("stripe.answered", "warning", f"/v1/accounts/{account_id}/login_links", 400),
        ("stripe.unheard", "warning", "/v1/accounts", None),
    ]
    assert all(line["request_id"].startswith("req_") for line in lines if line["event"] == "stripe.answered")
    assert not any(secret in str(lines) for secret in (link, "a.example", "sk_test", "express"))


def test_neither_connecting_nor_reading_lasts_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[object] = []

    def request(*_: object, timeout: object, **__: object) -> None:
        waited.append(timeout)
        raise requests.ConnectTimeout

    monkeypatch.setattr(requests.Session, "request", request)
    api = StripeApi(
        "sk_test_portal", api_base=None, transport=new_transport(), before_call=lambda: None, pace=Unpaced()
    )
    assert api.create_transfer(TRANSFER | {"destination": "acct_1"}, key="k").http_status is None
    assert waited == [(10, 25)]


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_may_not_ask_for_its_own_account_says_nothing_of_any_other(
    programme: Programme, stripe: StripeApi, line: Line, status: int
) -> None:
    account_id = programme.account_of(programme.verified())
    programme.stripe.fate(account_id, "deauthorise")

    def refuse(_method: str, path: str, answer: Answer) -> Answer:
        return (
            ('{"error": {"type": "invalid_request_error"}}', status, {}) if path == "/v1/account" else answer
        )

    line.on_answer = refuse
    with pytest.raises(StripeKeyRefusedError):
        stripe.retrieve_account(account_id)
    line.on_answer = lambda _method, _path, answer: answer
    assert stripe.retrieve_account(account_id).deleted
