"""What may happen on the way to Stripe and back: links that expire, people who leave, impatience, bad news."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser import attentive_page, shoot
from tests.journeys.affiliates import Affiliate, earn
from tests.journeys.conftest import Town


def test_an_expired_link_is_renewed_once_and_then_asked_about(ada: Affiliate, town: Town) -> None:
    ada.join()
    ada.set_up_stripe()
    first = ada.page.url
    ada.choose("expire")
    ada.is_at_stripe()
    assert ada.page.url != first
    ada.choose("expire")
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Your Stripe link has expired")
    assert ada.page.url == f"{town.portal.address}/stripe/refresh"
    shoot(ada.page, "trip-link-expired")
    ada.page.get_by_role("button", name="Open Stripe again").click()
    ada.is_at_stripe()


def test_a_link_that_was_used_leads_to_a_new_one(ada: Affiliate) -> None:
    ada.join()
    ada.set_up_stripe()
    used = ada.page.url
    ada.choose("leave")
    expect(ada.badge).to_have_count(1)
    ada.page.goto(used)
    ada.is_at_stripe()
    assert ada.page.url != used


def test_leaving_stripe_unfinished_says_what_is_missing_and_goes_on_there(ada: Affiliate) -> None:
    ada.join()
    ada.set_up_stripe()
    ada.choose("leave")
    ada.has_badge("pending", "⏳ Your Stripe account verification is pending")
    expect(ada.page.get_by_role("heading", name="Complete setup")).to_be_visible()
    expect(ada.page.get_by_text("You started but have not finished.")).to_be_visible()
    shoot(ada.page, "trip-left")
    ada.page.get_by_role("button", name="Continue on Stripe").click()
    ada.is_at_stripe()


def test_a_double_click_on_set_up_makes_one_account(ada: Affiliate, town: Town) -> None:
    ada.join()
    ada.open("/dashboard")
    code = ada.code
    ada.page.get_by_role("button", name="Set up Stripe payouts").dblclick()
    ada.is_at_stripe()
    assert len(town.portal.accounts_of(code)) == 1


def test_two_tabs_on_set_up_share_one_account(
    ada: Affiliate, browser_context: BrowserContext, town: Town
) -> None:
    ada.join()
    ada.open("/dashboard")
    code = ada.code
    with attentive_page(browser_context) as second:
        other = Affiliate(second, town.portal, ada.name)
        other.open("/dashboard")
        for tab in (ada, other):
            tab.page.get_by_role("button", name="Set up Stripe payouts").click(no_wait_after=True)
        ada.is_at_stripe()
        other.is_at_stripe()
        assert len(town.portal.accounts_of(code)) == 1


def test_two_tabs_on_a_request_make_one_payout(
    ada: Affiliate, browser_context: BrowserContext, town: Town
) -> None:
    ada.join()
    ada.open("/dashboard")
    code = ada.code
    earn(town.portal, town.token, code=code, amount=30_000)
    ada.set_up_stripe()
    ada.choose("approve")
    ada.is_verified()
    with attentive_page(browser_context) as second:
        other = Affiliate(second, town.portal, ada.name)
        for tab in (ada, other):
            tab.open("/payouts/new")
            tab.page.get_by_label("Amount in USD").fill("100.00")
        ada.page.get_by_role("button", name="Request payout").click()
        expect(ada.page.locator("[data-payout-id]")).to_be_visible()
        reference = ada.page.get_by_role("heading", level=1).inner_text().removeprefix("Payout ")
        other.page.get_by_role("button", name="Request payout").click()
        expect(other.page.locator("#error-summary")).to_contain_text(reference)
        shoot(other.page, "trip-second-tab")
    listed = town.portal.api(town.token, f"payouts?affiliate_code={code}")["data"]
    assert [payout["amount"] for payout in listed] == [10_000]


@pytest.mark.parametrize(
    ("outcome", "status", "badge", "sentence", "refusal"),
    [
        pytest.param(
            "restrict",
            "restricted",
            "⚠️ Your Stripe account is restricted",
            "A photo of your passport, driving licence or ID card",
            "Your Stripe account is restricted. Please complete verification.",
            id="restricted",
        ),
        pytest.param(
            "reject",
            "rejected",
            "❌ Your Stripe account was rejected",
            "Stripe has closed this account to payouts and will not reopen it here.",
            "Your Stripe account was rejected. Please contact support.",
            id="rejected",
        ),
        pytest.param(
            "review",
            "pending",
            "⏳ Your Stripe account verification is pending",
            "You have sent everything.",
            "Your Stripe account verification is pending.",
            id="reviewed",
        ),
    ],
)
def test_bad_news_comes_with_its_words_and_keeps_the_money(
    ada: Affiliate, town: Town, outcome: str, status: str, badge: str, sentence: str, refusal: str
) -> None:
    ada.join()
    ada.open("/dashboard")
    earn(town.portal, town.token, code=ada.code, amount=41_250)
    ada.set_up_stripe()
    ada.choose(outcome)
    ada.has_badge(status, badge)
    expect(ada.page.get_by_text(sentence)).to_be_visible()
    expect(ada.page.locator("[data-balance=available]")).to_have_text("$412.50")
    shoot(ada.page, f"trip-{outcome}")
    ada.open("/payouts/new")
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("You can't request a payout yet")
    expect(ada.page.get_by_role("heading", name=refusal)).to_be_visible()
