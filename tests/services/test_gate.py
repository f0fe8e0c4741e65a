"""What a refused payout request says, in its order; nothing is written by it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.domain.errors import PortalError
from portal.domain.gate import PayoutIsOpen
from portal.models import LedgerEntry, Payout
from portal.services.affiliates import PreferenceChange
from tests.services.programme import TEST, Programme


def refusal(programme: Programme, affiliate_id: UUID, amount: str = "", **more: Any) -> PortalError:
    """Why a request is refused, after making sure that it left nothing behind."""
    before = written(programme)
    with pytest.raises(PortalError) as refused:
        programme.request(affiliate_id, amount, **more)
    assert written(programme) == before
    return refused.value


def written(programme: Programme) -> tuple[int, int]:
    return tuple(len(programme.rows(sa.select(table.__table__))) for table in (Payout, LedgerEntry))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("fate", "status", "words"),
    [
        ("reject", 409, "Your Stripe account was rejected. Please contact support."),
        ("restrict", 409, "Your Stripe account is restricted. Please complete verification."),
        ("review", 409, "Your Stripe account verification is pending."),
        (None, 409, "Your Stripe account verification is pending."),
    ],
)
def test_an_account_that_is_not_verified_says_which_way_it_is_not(
    programme: Programme, fate: str | None, status: int, words: str
) -> None:
    affiliate_id = programme.affiliate()
    programme.earn(affiliate_id, 10_000)
    programme.onboard(affiliate_id, fate=fate)
    refused = refusal(programme, affiliate_id)
    assert (refused.status, refused.sentence) == (status, words)


def test_an_affiliate_without_an_account_is_told_that_verification_is_pending(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    programme.earn(affiliate_id, 10_000)
    assert refusal(programme, affiliate_id).sentence == "Your Stripe account verification is pending."


@pytest.mark.settings(PORTAL_PAYOUT_REQUEST_RATE="1 per hour")
def test_the_first_reason_of_the_order_is_the_one_that_is_said(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=10_000)
    nonsense: dict[str, Any] = {"amount": "-1", "key": "", "by": programme.person()}
    programme.request(affiliate_id, "30.00", by=nonsense["by"])
    programme.block(affiliate_id)
    programme.stripe.fate(programme.account_of(affiliate_id), "reject")
    programme.sync(affiliate_id)
    assert refusal(programme, affiliate_id, **nonsense).status == 429
    programme.clock.advance(hours=1)
    assert refusal(programme, affiliate_id, **nonsense).code == "blocked"
    programme.unblock(affiliate_id)
    assert refusal(programme, affiliate_id, **nonsense).code == "stripe_rejected"
    programme.stripe.fate(programme.account_of(affiliate_id), "approve")
    programme.sync(affiliate_id)
    assert isinstance(refusal(programme, affiliate_id, **nonsense), PayoutIsOpen)
    programme.run()
    programme.run()
    assert refusal(programme, affiliate_id, **nonsense).field == "request_key"
    assert refusal(programme, affiliate_id, "-1").field == "amount"


def test_blocked_comes_before_what_stripe_says(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    programme.block(affiliate_id)
    refused = refusal(programme, affiliate_id)
    assert (refused.status, refused.sentence) == (409, "Your account is on hold. Please contact support.")


def test_an_open_payout_is_named(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=10_000)
    payout = programme.payout(programme.request(affiliate_id, "30.00"))
    refused = refusal(programme, affiliate_id, "30.00")
    assert refused.status == 409
    assert payout.reference in refused.sentence


def test_an_amount_that_cannot_be_paid_is_refused_at_its_field(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=10_000)
    for amount in (
        "25.001",
        "abc",
        "1e3",
        "1,000.00",
        "-30",
        "0",
        "24.99",
        "100.01",
        "٣٠",
        "3\x000",
        "9" * 99,
    ):
        refused = refusal(programme, affiliate_id, amount)
        assert (refused.status, refused.field) == (422, "amount"), amount


def test_all_that_is_available_is_refused_when_it_is_below_the_minimum(programme: Programme) -> None:
    assert refusal(programme, programme.verified(earned=2_499)).code == "amount_below_minimum"
    assert refusal(programme, programme.verified()).code == "amount_below_minimum"


def test_a_request_without_a_key_of_ours_is_refused(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=10_000)
    for key in ("", "k" * 65, "a\x00b", "a\nb", "\ud800"):
        refused = refusal(programme, affiliate_id, "30.00", key=key)
        assert (refused.status, refused.field) == (422, "request_key"), key


def test_the_same_key_is_the_same_payout_whatever_the_amount(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=10_000)
    first = programme.request(affiliate_id, "30.00", key="form")
    for amount in ("30.00", "40.00", "", "nonsense", "-1"):
        assert programme.request(affiliate_id, amount, key="form") == first
    programme.services.payouts.cancel(first, cause=TEST)
    assert programme.request(affiliate_id, "40.00", key="form") == first
    assert programme.payout(first).amount == 3_000


def test_one_affiliates_key_is_not_anothers(programme: Programme) -> None:
    first = programme.request(programme.verified(earned=10_000), "30.00", key="form")
    assert programme.request(programme.verified(earned=10_000), "30.00", key="form") != first


@pytest.mark.settings(PORTAL_PAYOUT_REQUEST_RATE="2 per hour")
def test_only_requests_that_were_made_count_for_the_rate(programme: Programme) -> None:
    affiliate_id, person = programme.verified(earned=50_000), programme.person()
    for _ in range(5):
        refusal(programme, affiliate_id, "1.00", by=person)
    for _ in range(2):
        payout_id = programme.request(affiliate_id, "30.00", by=person)
        programme.services.payouts.cancel(payout_id, cause=TEST)
        programme.clock.advance(minutes=10)
    refused = refusal(programme, affiliate_id, "30.00", by=person)
    assert refused.status == 429
    assert refused.sentence.startswith("Too many payout requests. You can ask again ")
    programme.clock.advance(minutes=40, microseconds=-1)
    refusal(programme, affiliate_id, "30.00", by=person)
    programme.clock.advance(microseconds=1)
    assert refused.retry_at == programme.clock.now()
    programme.request(affiliate_id, "30.00", by=person)


@pytest.mark.parametrize("currency", ["isk", "ugx"])
def test_where_stripe_takes_only_round_amounts_all_is_rounded_down_and_others_are_refused(
    programme: Programme, currency: str
) -> None:
    affiliate_id = programme.verified(earned=1_234_567, currency=currency)
    assert refusal(programme, affiliate_id, "5000.50").code == "amount"
    payout = programme.payout(programme.request(affiliate_id))
    assert payout.amount == 1_234_500
    assert programme.balances(affiliate_id).available.amount == 67


def test_crypto_asks_for_no_stripe_status(programme: Programme) -> None:
    affiliate_id = programme.crypto(earned=10_000)
    payout = programme.payout(programme.request(affiliate_id))
    assert (payout.method, payout.destination) == ("crypto", programme.get(affiliate_id).wallet_address)


def test_crypto_asks_that_nobody_is_blocked(programme: Programme) -> None:
    affiliate_id = programme.crypto(earned=10_000)
    programme.block(affiliate_id)
    assert refusal(programme, affiliate_id).code == "blocked"


def test_preferences_stay_as_they_are_while_a_payout_is_open(programme: Programme) -> None:
    affiliate_id = programme.crypto(earned=10_000)
    programme.request(affiliate_id)
    with pytest.raises(PayoutIsOpen):
        programme.services.affiliates.set_preferences(
            affiliate_id, PreferenceChange(wallet_address="0x" + "34" * 20), cause=TEST
        )
