"""Whatever can go wrong goes wrong on demand: before or after, saved or not."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stripe

from portal.sandbox.app import LineDropped
from portal.sandbox.faults import Fault
from tests.sandbox.conftest import Stand

#: What the SDK raises, whether the money moved, and what the same key answers afterwards.
OUTCOMES: dict[str, tuple[type[Exception], bool, type[Exception] | None]] = {
    "500_before": (stripe.APIError, False, None),
    "500_before_saved": (stripe.APIError, False, stripe.APIError),
    "500_after": (stripe.APIError, True, None),
    "500_after_saved": (stripe.APIError, True, stripe.APIError),
    "timeout_before": (stripe.APIConnectionError, False, None),
    "timeout_after": (stripe.APIConnectionError, True, None),
    "reset_after": (stripe.APIConnectionError, True, None),
    "truncated_after": (stripe.APIError, True, None),
    "html_502_before": (stripe.APIError, False, None),
    "html_502_after": (stripe.APIError, True, None),
    "429": (stripe.RateLimitError, False, None),
    "409": (stripe.APIError, False, None),
    "401": (stripe.AuthenticationError, False, None),
    "late": (stripe.APIConnectionError, False, None),
    "400_saved": (stripe.InvalidRequestError, False, stripe.InvalidRequestError),
}


@pytest.mark.parametrize("fault", OUTCOMES)
def test_every_fault_does_what_its_name_says(stand: Stand, fault: str) -> None:
    raised, moved, replayed = OUTCOMES[fault]
    account = stand.approved_account()
    stand.fault(fault)
    with pytest.raises(raised):
        stand.transfer(account.id, key="payout-1")
    assert len(stand.transfers()) == moved
    if replayed is None:
        stand.transfer(account.id, key="payout-1")
        assert len(stand.transfers()) == 1, "a retry under the same key settles it"
    else:
        with pytest.raises(replayed):
            stand.transfer(account.id, key="payout-1")
        assert len(stand.transfers()) == moved


def test_every_fault_there_is_was_tried() -> None:
    assert {fault.value for fault in Fault} == set(OUTCOMES) | {"slow"}


def test_a_late_request_lands_when_it_is_told_to(stand: Stand) -> None:
    account = stand.approved_account()
    stand.fault("late")
    with pytest.raises(stripe.APIConnectionError):
        stand.transfer(account.id, key="payout-1")
    assert stand.control("land")["landed"] == 1
    assert len(stand.transfers()) == 1
    assert stand.control("land")["landed"] == 0


def test_a_late_request_under_a_key_that_was_used_meanwhile_changes_nothing(stand: Stand) -> None:
    account = stand.approved_account()
    stand.fault("late")
    with pytest.raises(stripe.APIConnectionError):
        stand.transfer(account.id, key="payout-1")
    stand.transfer(account.id, key="payout-1")
    stand.control("land")
    assert len(stand.transfers()) == 1


def test_a_late_request_under_another_key_pays_twice_as_it_would_at_stripe(stand: Stand) -> None:
    account = stand.approved_account()
    stand.fault("late")
    with pytest.raises(stripe.APIConnectionError):
        stand.transfer(account.id, key="payout-1-g1")
    stand.transfer(account.id, key="payout-1-g2")
    stand.control("land")
    assert len(stand.transfers()) == 2


def test_a_fault_counts_its_requests_and_skips_as_told(stand: Stand) -> None:
    account = stand.approved_account()
    stand.fault("500_before", times=2, skip=1)
    stand.transfer(account.id, key="one")
    for key in ("two", "three"):
        with pytest.raises(stripe.APIError):
            stand.transfer(account.id, key=key)
    stand.transfer(account.id, key="four")
    assert stand.control("faults", method="GET")["waiting"] == []


def test_a_fault_meets_only_its_method_and_path(stand: Stand) -> None:
    account = stand.approved_account()
    stand.fault("500_before", path_prefix="/v1/account_links")
    stand.transfer(account.id)
    assert stand.stripe.v1.transfers.list().data
    with pytest.raises(stripe.APIError):
        stand.onboarding_link(account.id)


def test_a_saved_refusal_can_carry_any_code_and_words(stand: Stand) -> None:
    stand.fault(
        "400_saved",
        path_prefix="/v1/accounts",
        code="platform_setup_needed",
        message="New platforms use Accounts v2; switch Accounts v1 on in your Dashboard.",
    )
    with pytest.raises(stripe.InvalidRequestError, match="Accounts v1") as refusal:
        stand.express_account()
    assert refusal.value.code == "platform_setup_needed"


def test_a_rate_limit_says_why_and_for_how_long(stand: Stand) -> None:
    stand.control("faults", {"method": "GET", "path_prefix": "/v1/account", "fault": "429"})
    answer = stand.browser.get("/v1/account", headers={"Authorization": "Bearer sk_test_sandbox"})
    assert answer.status_code == 429
    assert answer.headers["Stripe-Rate-Limited-Reason"] == "endpoint-rate"
    assert answer.headers["Retry-After"] == "1"


def test_an_in_process_caller_sees_the_line_drop(stand: Stand) -> None:
    stand.control("faults", {"method": "GET", "fault": "timeout_before"})
    with pytest.raises(LineDropped):
        stand.browser.get("/v1/account", headers={"Authorization": "Bearer sk_test_sandbox"})


def test_a_truncated_answer_is_no_json(stand: Stand) -> None:
    stand.control("faults", {"method": "GET", "fault": "truncated_after"})
    answer = stand.browser.get("/v1/account", headers={"Authorization": "Bearer sk_test_sandbox"})
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)


def test_faults_can_be_called_off(stand: Stand) -> None:
    stand.fault("500_before", times=100)
    stand.control("faults", method="DELETE")
    stand.transfer(stand.approved_account().id)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"fault": "earthquake"},
        {"fault": None},
        {},
        [],
        {"fault": "429", "times": 0},
        {"fault": "429", "times": True},
        {"fault": "429", "times": "1"},
        {"fault": "429", "skip": -1},
        {"fault": "429", "method": "SING"},
        {"fault": "429", "path_prefix": "v1"},
        {"fault": "429", "path_prefix": 1},
        {"fault": "slow", "seconds": -1},
        {"fault": "slow", "seconds": "long"},
        {"fault": "429", "colour": "red"},
    ],
)
def test_a_fault_that_makes_no_sense_is_422(stand: Stand, nonsense: Any) -> None:
    answer = stand.browser.post("/sandbox/api/faults", json=nonsense)
    assert answer.status_code == 422
    assert answer.get_json()["error"]


def test_the_log_tells_every_request_and_what_became_of_it(stand: Stand) -> None:
    account = stand.approved_account()
    stand.control("requests", method="DELETE")
    stand.fault("timeout_after")
    with pytest.raises(stripe.APIConnectionError):
        stand.transfer(account.id, key="payout-1")
    stand.transfer(account.id, key="payout-1")
    first, second = stand.control("requests", method="GET")["requests"]
    assert (first["method"], first["path"], first["idempotency_key"]) == ("POST", "/v1/transfers", "payout-1")
    assert (first["status"], first["fault"]) == (None, "timeout_after")
    assert (second["status"], second["replayed"]) == (200, True)
    assert first["params"] == second["params"]
