"""A requested payout whose affiliate connects another Stripe account before anybody has said yes."""

from __future__ import annotations

import pytest

from portal.domain.payouts import MoveIsNotLegal
from tests.services.programme import TEST, Programme


@pytest.mark.settings(PORTAL_AUTO_APPROVE_LIMIT="usd:1")
def test_a_payout_to_an_account_that_was_replaced_is_refused_in_words_and_can_be_rejected(
    programme: Programme,
) -> None:
    affiliate_id = programme.verified(earned=10_000)
    payout_id = programme.request(affiliate_id)
    programme.stripe.fate(programme.account_of(affiliate_id), "delete")
    programme.sync(affiliate_id)
    programme.onboard(affiliate_id)
    with pytest.raises(MoveIsNotLegal, match="another Stripe account"):
        programme.services.approvals.approve(payout_id, approver=programme.person(), cause=TEST)
    programme.services.payouts.reject(payout_id, cause=TEST)
    again = programme.request(affiliate_id)
    programme.services.approvals.approve(again, approver=programme.person(), cause=TEST)
    assert programme.payout(again).destination == programme.account_of(affiliate_id)
