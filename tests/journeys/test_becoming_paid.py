"""The whole way of an affiliate: from a first sign-in by way of Stripe to money that was sent."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser import shoot
from tests.journeys.affiliates import Affiliate, earn
from tests.journeys.conftest import Town
from tests.journeys.running import eventually

PENDING = "⏳ Your Stripe account verification is pending"


def test_from_first_sign_in_to_paid(page: Page, each_town: Town) -> None:
    portal, token = each_town.portal, each_town.token
    ada = Affiliate(page, portal, "Ada Lindqvist")
    _joins(ada)
    ada.open("/dashboard")
    ada.has_badge("none", "Not set up yet")
    shoot(page, "paid-4-not-set-up")
    code = ada.code
    earn(portal, token, code=code, amount=41_250)
    page.get_by_role("button", name="Set up Stripe payouts").click()
    ada.is_at_stripe()
    shoot(page, "paid-5-at-stripe")
    ada.choose("approve")
    ada.has_badge("pending", PENDING)
    shoot(page, "paid-6-pending")
    expect(page.get_by_role("heading", name="Checking with Stripe")).to_be_visible()
    ada.turns_verified_by_itself()
    shoot(page, "paid-7-verified")
    _requests(ada, "400.00")
    portal.command("process-payouts")
    # the page looks again by itself; somebody who stays on it needs no reload
    ada.has_payout("paid")
    shoot(page, "paid-10-sent")
    left = {"on_hold": 0, "available": 1_250, "reserved": 0, "paid_out": 40_000, "owed": 0}
    assert portal.api(token, f"affiliates/{code}")["balance"] == left
    assert portal.sent_to(code) == [40_000]


def test_the_same_way_without_htmx(page_without_htmx: Page, town: Town) -> None:
    page, portal = page_without_htmx, town.portal
    ada = Affiliate(page, portal, "Ada Lindqvist")
    ada.join()
    page.get_by_role("button", name="Save preferences").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    ada.open("/dashboard")
    ada.has_badge("none", "Not set up yet")
    code = ada.code
    earn(portal, town.token, code=code, amount=6_000)
    page.get_by_role("button", name="Set up Stripe payouts").click()
    ada.is_at_stripe()
    ada.choose("approve")
    ada.has_badge("pending", PENDING)
    eventually(lambda: _status_after_checking(ada) == "verified", what="the badge to say verified")
    ada.has_badge("verified", "✓ Verified")
    page.get_by_role("link", name="Request payout").click()
    ada.press_request()
    changed_her_mind = ada.has_receipt()
    page.get_by_text("Cancel this payout").click()
    page.get_by_role("button", name=f"Yes, cancel {changed_her_mind}").click()
    ada.has_payout("canceled")
    ada.asks_for("55.00")
    assert ada.has_receipt() != changed_her_mind
    ada.has_payout("approved")
    portal.command("process-payouts")
    page.reload()
    ada.has_payout("paid")
    expect(ada.payout.get_by_text("$55.00").first).to_be_visible()
    assert portal.sent_to(code) == [5_500]


def _status_after_checking(ada: Affiliate) -> str | None:
    ada.page.get_by_role("button", name="Check status").click()
    return ada.badge.get_attribute("data-stripe-account-status")


def _joins(ada: Affiliate) -> None:
    page = ada.page
    ada.open("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to your partner account")
    shoot(page, "paid-1-sign-in")
    ada.sign_in()
    expect(page.get_by_role("button", name="Create my affiliate account")).to_be_visible()
    shoot(page, "paid-2-first-page")
    page.get_by_role("button", name="Create my affiliate account").click()
    page.get_by_label("Bank account through Stripe").check()
    page.get_by_role("button", name="Save preferences").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    shoot(page, "paid-3-preferences")


def _requests(ada: Affiliate, amount: str) -> None:
    """Ends on the page of the payout, approved at once as it is small."""
    page = ada.page
    page.get_by_role("link", name="Request payout").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Request a payout")
    shoot(page, "paid-8-request")
    page.get_by_label("Amount in USD").fill(amount)
    ada.press_request()
    ada.has_receipt()
    ada.has_payout("approved")
    shoot(page, "paid-9-approved")
