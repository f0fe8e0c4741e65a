"""Idempotency keys behave as Stripe's: https://docs.stripe.com/api/idempotent_requests"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from tests.fakes.wsgi_stripe import stripe_client
from tests.sandbox.conftest import Stand


def post_transfer(stand: Stand, account_id: str, *, key: str, amount: int = 500) -> Any:
    return stand.browser.post(
        "/v1/transfers",
        data={"amount": str(amount), "currency": "usd", "destination": account_id},
        headers={"Authorization": "Bearer sk_test_sandbox", "Idempotency-Key": key},
    )


def test_the_same_key_answers_the_same_and_moves_nothing_again(stand: Stand) -> None:
    account = stand.approved_account()
    first = post_transfer(stand, account.id, key="payout-1")
    again = post_transfer(stand, account.id, key="payout-1")
    assert again.get_json() == first.get_json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Request-Id"] != first.headers["Request-Id"]
    assert len(stand.transfers()) == 1


def test_the_order_of_the_parameters_does_not_matter(stand: Stand) -> None:
    account = stand.approved_account()
    post_transfer(stand, account.id, key="payout-1")
    again = stand.browser.post(
        "/v1/transfers",
        data={"destination": account.id, "currency": "usd", "amount": "500"},
        headers={"Authorization": "Bearer sk_test_sandbox", "Idempotency-Key": "payout-1"},
    )
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_key_with_other_parameters_is_an_idempotency_error(stand: Stand) -> None:
    account = stand.approved_account()
    stand.transfer(account.id, key="payout-1", amount=500)
    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        stand.transfer(account.id, key="payout-1", amount=501)
    assert len(stand.transfers()) == 1


def test_a_key_on_another_path_is_an_idempotency_error(stand: Stand) -> None:
    account = stand.approved_account()
    stand.transfer(account.id, key="payout-1")
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        stand.stripe.v1.accounts.create({"type": "express"}, {"idempotency_key": "payout-1"})


def test_a_refusal_of_execution_is_saved_like_a_success(stand: Stand) -> None:
    account = stand.approved_account()
    stand.control("balance", {"usd": 0})
    with pytest.raises(stripe.InvalidRequestError):
        stand.transfer(account.id, key="payout-1")
    stand.control("balance", {"usd": 100_000})
    with pytest.raises(stripe.InvalidRequestError) as replay:
        stand.transfer(account.id, key="payout-1")
    assert replay.value.code == "balance_insufficient"
    assert replay.value.headers is not None
    assert replay.value.headers["Idempotent-Replayed"] == "true"
    assert stand.transfers() == []
    stand.transfer(account.id, key="payout-1-again")
    assert len(stand.transfers()) == 1


def test_a_refused_parameter_is_not_saved(stand: Stand) -> None:
    account = stand.approved_account()
    for wrong in ({"amount": 0}, {"nonsense": 1}):
        with pytest.raises(stripe.InvalidRequestError):
            stand.transfer(account.id, key="payout-1", **wrong)
    stand.transfer(account.id, key="payout-1")
    assert len(stand.transfers()) == 1


def test_a_pruned_key_runs_again(stand: Stand) -> None:
    account = stand.approved_account()
    stand.transfer(account.id, key="payout-1")
    assert stand.control("prune-keys")["pruned"] > 0
    stand.transfer(account.id, key="payout-1")
    assert len(stand.transfers()) == 2


def test_a_key_longer_than_255_characters_is_refused(stand: Stand) -> None:
    account = stand.approved_account()
    stand.transfer(account.id, key="k" * 255)
    with pytest.raises(stripe.IdempotencyError, match="255"):
        stand.transfer(account.id, key="k" * 256)


def test_a_key_that_is_being_worked_on_is_409(stand: Stand) -> None:
    account = stand.approved_account()
    stand.fault("slow", seconds=2.0)
    keys = stand.app.extensions["sandbox"].keys
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(stand.transfer, account.id, key="payout-1")
        deadline = time.monotonic() + 10
        while keys.in_use == 0:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        with pytest.raises(stripe.APIError, match="in-progress request") as conflict:
            stand.transfer(account.id, key="payout-1")
        assert running.result(10).amount == 500
    assert conflict.value.http_status == 409
    assert len(stand.transfers()) == 1


def test_many_threads_with_one_key_move_the_money_once(stand: Stand) -> None:
    account = stand.approved_account()

    def send(_number: int) -> str:
        try:
            sent = stripe_client(stand.app).v1.transfers.create(
                {"amount": 500, "currency": "usd", "destination": account.id},
                {"idempotency_key": "payout-1"},
            )
        except stripe.APIError as problem:
            return f"refused with {problem.http_status}"
        return sent.id

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(send, range(24))) - {"refused with 409"}
    assert answers == {stand.transfers()[0].id}
    assert len(stand.transfers()) == 1
