"""What differs where accounts are made by v2, and what becomes of an attempt when the way is changed."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.domain.errors import StripeIsAway
from portal.domain.new_accounts import EmailIsMissing
from portal.models import Affiliate
from tests.services.both_ways import V2 as WAY
from tests.services.programme import TEST, Programme

V2 = pytest.mark.settings(STRIPE_ACCOUNTS_API="v2")


def start(programme: Programme, affiliate_id: UUID) -> None:
    programme.services.onboarding.start(affiliate_id, cause=TEST)


@V2
def test_by_v2_an_account_that_the_list_leaves_out_is_not_made_twice(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    programme.stripe.fault("timeout_after", path=WAY)
    with pytest.raises(StripeIsAway):
        start(programme, affiliate_id)
    programme.stripe.loses_metadata(programme.stripe.accounts()[0]["id"])
    programme.clock.advance(hours=25)
    start(programme, affiliate_id)
    (account,) = programme.stripe.accounts()
    assert programme.account_of(affiliate_id) == account["id"]


def test_what_was_begun_by_one_way_is_finished_by_it(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    programme.stripe.fault("timeout_after", path="/v1/accounts")
    with pytest.raises(StripeIsAway):
        start(programme, affiliate_id)
    programme.starts_anew(stripe_accounts_api="v2")
    start(programme, affiliate_id)
    assert len(programme.stripe.accounts()) == 1
    assert programme.stripe.requests("POST", "/v2/") == []


@V2
def test_by_v2_nobody_without_an_address_is_sent_to_stripe(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    programme.execute(sa.update(Affiliate).where(Affiliate.id == affiliate_id).values(email=""))
    with pytest.raises(EmailIsMissing, match="we have none"):
        start(programme, affiliate_id)
    assert programme.stripe.requests("POST", "/v") == []
    assert list(programme.makings(affiliate_id)) == []


@V2
def test_by_v2_a_try_that_never_ran_is_made_up_for_at_any_time(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    programme.stripe.fault("429", path=WAY)
    with pytest.raises(StripeIsAway):
        start(programme, affiliate_id)
    programme.clock.advance(hours=20)
    start(programme, affiliate_id)
    assert [making.state for making in programme.makings(affiliate_id)] == ["succeeded"]
