"""Why somebody can't be paid, and what may be asked for: between the programme's minimum and what is available."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.domain.accounts import AccountStatus
from portal.domain.gate import (
    AmountBelowMinimum,
    AmountIsRefused,
    Limits,
    Payee,
    RequestKeyIsMissing,
    Timing,
    has_enough,
    request_refusal,
    requested_amount,
    run_hold,
    standing_refusal,
)
from portal.domain.money import Money
from portal.domain.payouts import HoldReason, PayoutMethod
from portal.domain.sentences import Sentence

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
FINE = Payee(is_blocked=False, method=PayoutMethod.fiat, status=AccountStatus.verified, destination="acct_1")
WALLET = replace(FINE, method=PayoutMethod.crypto, status=None, destination="0x1")


def limits(*, available: int, minimum: int, currency: str = "usd") -> Limits:
    return Limits(Money(available, currency), Money(minimum, currency), open_reference=None, retry_at=None)


@pytest.mark.parametrize("text", ["", "0", "0.00"])
def test_nothing_is_not_an_amount_even_where_there_is_no_minimum(text: str) -> None:
    with pytest.raises(AmountBelowMinimum):
        requested_amount(text, limits(available=0, minimum=0))


@pytest.mark.parametrize(
    ("text", "amount"), [("", 2_505), ("0.01", 1), ("25.04", 2_504), ("25.05", 2_505), ("25.06", None)]
)
def test_up_to_the_last_cent_that_is_available(text: str, amount: int | None) -> None:
    bounds = limits(available=2_505, minimum=0)
    if amount is None:
        with pytest.raises(AmountIsRefused, match=r"up to \$25\.05"):
            requested_amount(text, bounds)
    else:
        assert requested_amount(text, bounds).amount == amount


@pytest.mark.parametrize(("text", "is_enough"), [("24.99", False), ("25.00", True)])
def test_from_the_minimum_on(text: str, is_enough: bool) -> None:
    bounds = limits(available=100_000, minimum=2_500)
    if is_enough:
        assert requested_amount(text, bounds) == Money(2_500, "usd")
    else:
        with pytest.raises(AmountBelowMinimum):
            requested_amount(text, bounds)


@pytest.mark.parametrize(
    ("available", "minimum", "currency", "is_enough"),
    [(0, 0, "usd", False), (1, 0, "usd", True), (2_499, 2_500, "usd", False), (2_500, 2_500, "usd", True),
     (2_599, 2_550, "isk", False), (2_600, 2_550, "isk", True)],
)  # fmt: skip
def test_enough_is_the_minimum_in_an_amount_that_can_be_paid(
    available: int, minimum: int, currency: str, is_enough: bool
) -> None:
    assert has_enough(limits(available=available, minimum=minimum, currency=currency)) is is_enough


def test_what_is_refused_is_said_where_it_was_typed() -> None:
    assert (AmountIsRefused("No.").field, RequestKeyIsMissing().field) == ("amount", "request_key")


@pytest.mark.parametrize(
    ("payee", "code"),
    [
        (FINE, None),
        (replace(FINE, is_blocked=True, status=AccountStatus.rejected), "blocked"),
        (replace(FINE, status=AccountStatus.rejected), "stripe_rejected"),
        (replace(FINE, status=AccountStatus.restricted), "stripe_restricted"),
        (replace(FINE, status=AccountStatus.pending), "stripe_pending"),
        (replace(FINE, status=None), "stripe_pending"),
        (replace(FINE, destination=None), "stripe_pending"),
        (WALLET, None),
        (replace(WALLET, status=AccountStatus.rejected), None),
        (replace(WALLET, destination=None), "wallet_missing"),
        (replace(WALLET, is_blocked=True), "blocked"),
    ],
)
def test_standing_is_refused_with_the_first_reason(payee: Payee, code: str | None) -> None:
    refusal = standing_refusal(payee)
    assert (refusal and refusal.code) == code


@pytest.mark.parametrize(
    ("payee", "limit", "code"),
    [
        (FINE, {}, None),
        (FINE, {"open_reference": "P-1"}, "payout_open"),
        (replace(FINE, is_blocked=True), {"open_reference": "P-1"}, "blocked"),
        (replace(FINE, is_blocked=True), {"retry_at": NOW}, "too_many_payout_requests"),
    ],
)
def test_a_request_is_refused_for_its_rate_then_for_standing_then_for_what_is_open(
    payee: Payee, limit: dict[str, Any], code: str | None
) -> None:
    refusal = request_refusal(payee, replace(limits(available=1, minimum=1), **limit))
    assert (refusal and refusal.code) == code
    assert (refusal and refusal.retry_at) == limit.get("retry_at")


@pytest.mark.parametrize(
    ("payee", "changed_ago", "reason"),
    [
        (FINE, None, None),
        (FINE, timedelta(hours=72), None),
        (FINE, timedelta(hours=72) - MOMENT, HoldReason.bank_changed),
        (WALLET, timedelta(0), None),  # no bank is involved
        (replace(FINE, status=AccountStatus.pending), timedelta(0), HoldReason.not_verified),
        (replace(FINE, status=None, destination="acct_2"), timedelta(0), HoldReason.account_changed),
        (replace(WALLET, destination="0x2"), None, HoldReason.account_changed),
        (replace(FINE, is_blocked=True, destination="acct_2"), None, HoldReason.blocked),
    ],
)
def test_a_run_holds_for_the_first_reason(
    payee: Payee, changed_ago: timedelta | None, reason: HoldReason | None
) -> None:
    timing = Timing(
        approved_method=payee.method,
        approved_destination="acct_1" if payee.method is PayoutMethod.fiat else "0x1",
        bank_changed_at=None if changed_ago is None else NOW - changed_ago,
        cooldown=timedelta(hours=72),
    )
    assert run_hold(payee, timing, NOW) is reason
    other = PayoutMethod.crypto if payee.method is PayoutMethod.fiat else PayoutMethod.fiat
    chosen_anew = run_hold(payee, replace(timing, approved_method=other), NOW)
    assert chosen_anew is (HoldReason.blocked if payee.is_blocked else HoldReason.preference_changed)


def test_a_refusal_names_its_moment_in_utc_and_brings_it_along_for_a_page() -> None:
    at = datetime(2026, 3, 9, 13, 5, tzinfo=UTC)
    refusal = request_refusal(FINE, replace(limits(available=0, minimum=0), retry_at=at))
    assert refusal is not None
    assert refusal.sentence == str(refusal)
    assert refusal.sentence == "Too many payout requests. You can ask again on 09 Mar 2026, 13:05 UTC."
    assert isinstance(refusal.sentence, Sentence)
    assert refusal.sentence.facts == {"when": at}


def test_a_sentence_that_names_nothing_may_quote_anything() -> None:
    assert Sentence("What {is} {} 100 % {") == "What {is} {} 100 % {"
