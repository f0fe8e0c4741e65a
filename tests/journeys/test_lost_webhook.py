"""Stripe's word gets lost on its way: the status on the page is the old one until the nightly job asks."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser import shoot
from tests.journeys.affiliates import Affiliate
from tests.journeys.conftest import Town
from tests.journeys.operators import Operator

PENDING = "⏳ Your Stripe account verification is pending"


def test_what_a_lost_webhook_would_have_said_is_found_by_the_nightly_job(
    ada: Affiliate, olga: Operator, town: Town
) -> None:
    ada.join()
    with town.portal.webhooks_lost():
        ada.set_up_stripe()
        ada.choose("review")
        ada.has_badge("pending", PENDING)
        # whoever comes back later has no page that asks by itself
        ada.open("/dashboard")
        town.portal.meet(ada.code, "approve")
    ada.page.reload()
    ada.has_badge("pending", PENDING)
    shoot(ada.page, "lost-still-pending")
    assert town.portal.report("verify-stripe-accounts")["webhooks_missed"] == 1
    ada.page.reload()
    ada.has_badge("verified", "✓ Verified")
    shoot(ada.page, "lost-verified")
    olga.open("/operator/verification")
    newest = olga.page.locator("[data-run-id]").first
    expect(newest.locator("[data-label=Missed]")).to_have_text("1")
    shoot(olga.page, "lost-operator")
