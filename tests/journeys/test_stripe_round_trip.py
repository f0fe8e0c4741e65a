"""What may happen on the way to Stripe and back: links that expire, people who leave, impatience, bad news."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser import attentive_page, look_at, shoot
from tests.journeys.affiliates import Affiliate, earn
from tests.journeys.conftest import Town
from tests.journeys.running import eventually


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
    look_at(ada.page, "trip-link-expired")
    ada.page.get_by_role("button", name="Open Stripe again").click()
    ada.is_at_stripe()
    ada.choose("review")
    ada.has_badge("pending", "⏳ Your Stripe account verification is pending")
    assert len(town.portal.accounts_of(ada.code)) == 1


@pytest.mark.parametrize("is_left_first", [True, False], ids=["after-leaving", "twice-in-a-row"])
def test_a_link_that_was_used_leads_to_a_new_one(ada: Affiliate, is_left_first: bool) -> None:
    ada.join()
    ada.set_up_stripe()
    used = ada.page.url
    if is_left_first:
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


@pytest.mark.parametrize(
    ("outcome", "status", "badge", "sentence", "refusal"),
    [
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
    cannot_request(ada, refusal)
    shoot(ada.page, f"trip-{outcome}-no-request")


def test_who_is_restricted_reads_what_stripe_needs_gives_it_and_is_verified(
    ada: Affiliate, town: Town
) -> None:
    ada.join()
    ada.open("/dashboard")
    earn(town.portal, town.token, code=ada.code, amount=41_250)
    ada.set_up_stripe()
    ada.choose("restrict")
    ada.has_badge("restricted", "⚠️ Your Stripe account is restricted")
    wanted = ada.page.locator("#stripe_card .wanted")
    expect(wanted).to_have_text(
        "A photo of your passport, driving licence or ID card – we need a clear colour photo of the original"
    )
    expect(
        ada.page.get_by_text("Your $412.50 is safe and will be payable once this is done.")
    ).to_be_visible()
    shoot(ada.page, "trip-restrict")
    cannot_request(ada, "Your Stripe account is restricted. Please complete verification.")
    shoot(ada.page, "trip-restrict-no-request")
    ada.page.get_by_role("button", name="Fix on Stripe").click()
    ada.is_at_stripe()
    ada.choose("approve")
    ada.turns_verified_by_itself()
    expect(wanted).to_have_count(0)
    ada.open("/payouts/new")
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("Request a payout")


def test_who_is_rejected_with_the_form_open_is_refused_in_words_that_name_support(
    ada: Affiliate, town: Town
) -> None:
    code = ada.becomes_payable(town.token, amount=30_000)
    ada.open("/payouts/new")
    town.portal.meet(code, "reject")
    eventually(lambda: town.status_of(code) == "rejected", what="Stripe's no to come through")
    with ada.page.expect_response("**/payouts") as answer:
        ada.press_request()
    assert answer.value.status == 409
    expect(ada.problems).to_be_focused()
    expect(ada.problems.get_by_role("listitem")).to_have_text(
        "Your Stripe account was rejected. Please contact support."
    )
    expect(ada.page).to_have_title(re.compile("^Error: "))
    expect(ada.page.get_by_text("Your balance of $300.00 is kept.")).to_be_visible()
    support = ada.page.locator("main").get_by_role("link", name="Contact support")
    expect(support).to_have_attribute("href", re.compile(rf"^mailto:help@portal\.example\?.*{code}$"))
    expect(ada.page.get_by_role("button", name="Request payout")).to_have_count(0)
    look_at(ada.page, "trip-rejected-meanwhile")
    ada.open("/dashboard")
    ada.has_badge("rejected", "❌ Your Stripe account was rejected")
    expect(ada.page.locator("main").get_by_role("button")).to_have_text("Check status")
    assert town.payouts_of(code) == []


def cannot_request(ada: Affiliate, refusal: str) -> None:
    """The page for requests says why not, and offers no form."""
    ada.open("/payouts/new")
    expect(ada.page.get_by_role("heading", level=1)).to_have_text("You can't request a payout yet")
    expect(ada.page.get_by_role("heading", name=refusal)).to_be_visible()
    expect(ada.page.get_by_label("Amount in USD")).to_have_count(0)
