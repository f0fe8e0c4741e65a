"""A fresh link for each visit, and who gets one; whichever of Stripe's two ways made the account."""

from __future__ import annotations

import logging
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.domain.errors import PortalError
from portal.models import Base
from portal.services.onboarding import LinkWasJustRefreshed, NothingToRefresh
from tests.services.both_ways import BOTH_WAYS
from tests.services.programme import TEST, Programme

pytestmark = BOTH_WAYS


def start(programme: Programme, affiliate_id: UUID) -> str:
    return programme.services.onboarding.start(affiliate_id, cause=TEST)


def assert_one_account(programme: Programme, affiliate_id: UUID) -> None:
    (account,) = programme.stripe.accounts()
    assert programme.account_of(affiliate_id) == account["id"]
    assert programme.get(affiliate_id).stripe_account_status == "pending"


def test_every_visit_gets_a_fresh_link_to_the_same_account(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    assert len({start(programme, affiliate_id) for _ in range(3)}) == 3
    assert_one_account(programme, affiliate_id)


def test_links_are_in_no_row_and_no_log_line(
    programme: Programme, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    affiliate_id = programme.affiliate()
    links = [start(programme, affiliate_id), programme.services.onboarding.refresh(affiliate_id, cause=TEST)]
    programme.stripe.fate(programme.account_of(affiliate_id), "approve")
    programme.sync(affiliate_id)
    links.append(programme.services.onboarding.dashboard_link(affiliate_id, cause=TEST))
    kept = "".join(
        str(row) for table in Base.metadata.sorted_tables for row in programme.rows(sa.select(table))
    )
    said = caplog.text + "".join(capsys.readouterr())
    for link in links:
        secret = link.rsplit("/", 1)[1]
        assert len(secret) > 10
        assert secret not in kept
        assert secret not in said


def test_a_second_refresh_within_a_minute_is_taken_for_a_loop(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    refresh = programme.services.onboarding.refresh
    with pytest.raises(NothingToRefresh):
        refresh(affiliate_id, cause=TEST)
    start(programme, affiliate_id)
    refresh(affiliate_id, cause=TEST)
    programme.clock.advance(seconds=59)
    with pytest.raises(LinkWasJustRefreshed):
        refresh(affiliate_id, cause=TEST)
    start(programme, affiliate_id)  # the button of that page
    programme.clock.advance(seconds=1)
    refresh(affiliate_id, cause=TEST)


def test_who_may_not_be_paid_by_stripe_gets_no_link(programme: Programme) -> None:
    blocked, rejected, crypto = programme.affiliate(), programme.affiliate(), programme.crypto()
    elsewhere = programme.affiliate(country="BR")
    programme.block(blocked)
    programme.onboard(rejected, fate="reject")
    programme.stripe.forget_requests()
    codes = {blocked: "blocked", rejected: "stripe_rejected", crypto: "preference_not_fiat"}
    for affiliate_id, code in (codes | {elsewhere: "country_not_served"}).items():
        with pytest.raises(PortalError) as refusal:
            start(programme, affiliate_id)
        assert (refusal.value.status, refusal.value.code) == (409, code)
    assert programme.stripe.requests("POST", "/v") == []


def test_the_login_link_waits_until_onboarding_is_done(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    dashboard_link = programme.services.onboarding.dashboard_link
    assert "/sandbox/onboarding" in dashboard_link(affiliate_id, cause=TEST) or programme.stripe.accounts()
    programme.stripe.fate(programme.account_of(affiliate_id), "approve")
    programme.sync(affiliate_id)
    dashboard_link(affiliate_id, cause=TEST)
    assert len(programme.stripe.requests("POST", "/v1/accounts/")) == 1


def test_an_account_is_verified_watched_and_paid_whichever_way_it_was_made(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=10_000)
    account_id = programme.account_of(affiliate_id)
    payout_id = programme.request(affiliate_id)
    programme.run()
    assert programme.payout(payout_id).status == "paid"
    programme.stripe.fate(account_id, "restrict", silently=True)
    thin = {
        "id": "evt_thin", "object": "v2.core.event", "type": "v2.core.account[requirements].updated",
        "livemode": False, "created": "2026-11-01T00:00:00.000Z",
        "related_object": {"id": account_id, "type": "v2.core.account", "url": f"/v2/core/accounts/{account_id}"},
    }  # fmt: skip
    assert programme.receive(thin)
    programme.services.stripe_events.process_due()
    assert programme.get(affiliate_id).stripe_account_status == "restricted"
