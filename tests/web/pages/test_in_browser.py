"""The pages in a real browser: what changes by itself, where the focus goes, and that nobody is shut out."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import look_at
from tests.web.pages.conftest import Open, Partner

#: htmx asks every 3 or 5 seconds.
NEWS_MILLISECONDS = 15_000


@pytest.mark.parametrize("outcome", ["none", "leave", "review", "restrict", "reject", "approve"])
def test_the_dashboard_in_every_state_is_for_everybody(ada: Partner, opened: Open, outcome: str) -> None:
    if outcome != "none":
        ada.set_up(outcome)
    ada.earn(41_250)
    look_at(opened(ada, "/dashboard"), f"dashboard-{outcome}")
    look_at(opened(ada, "/payouts/new"), f"request-{outcome}")


@pytest.mark.parametrize(
    "path",
    ["/payouts", "/earnings", "/payouts/preferences", "/settings", "/stripe/status", "/nowhere", "/login"],
)
def test_the_other_pages_are_for_everybody(verified: Partner, opened: Open, path: str) -> None:
    verified.send(verified.get("/payouts/new"), "/payouts")
    look_at(opened(verified, path), path.strip("/").replace("/", "-"))


def test_a_payout_and_a_form_with_problems_are_for_everybody(verified: Partner, opened: Open) -> None:
    page = opened(verified, "/payouts/new")
    page.get_by_label("Amount in USD").fill("a lot")
    page.get_by_role("button", name="Request payout").click()
    expect(page.locator("#error-summary")).to_be_focused()
    expect(page).to_have_title("Error: Request a payout – Partner portal")
    look_at(page, "request-problem")
    page.get_by_role("link", name="Enter an amount").click()
    expect(page.get_by_label("Amount in USD")).to_be_focused()
    page.get_by_label("Amount in USD").fill("100.00")
    page.get_by_role("button", name="Request payout").click()
    expect(page.locator("[data-payout-id]")).to_have_attribute("data-payout-status", "approved")
    look_at(page, "payout-approved")


def test_the_badge_turns_by_itself_without_moving_the_focus_and_is_said_once(
    ada: Partner, opened: Open
) -> None:
    page = opened(ada, ada.set_up("review").location)
    expect(page.get_by_role("heading", name="Checking with Stripe")).to_be_visible()
    page.locator("#check-status").focus()
    page.evaluate(
        """() => { window.said = []; const live = document.getElementById('live');
        new MutationObserver(() => window.said.push(live.textContent)).observe(live, {childList: true}); }"""
    )
    ada.meet("approve")
    ada.clock.advance(seconds=16)
    badge = page.locator("[data-stripe-account-status]")
    expect(badge).to_have_attribute("data-stripe-account-status", "verified", timeout=NEWS_MILLISECONDS)
    expect(badge).to_have_text("✓ Verified")
    expect(page.locator("#check-status")).to_be_focused()
    assert page.evaluate("window.said") == ["Your Stripe account is now verified."]
    assert page.locator("#stripe_card").get_attribute("hx-trigger") is None


def test_a_payout_turns_to_sent_by_itself(verified: Partner, opened: Open) -> None:
    verified.send(verified.get("/payouts/new"), "/payouts")
    page = opened(verified, "/payouts")
    page.locator("tbody a").first.click()
    expect(page.get_by_role("heading", name="Payout P-")).to_be_visible()
    expect(page.locator("#main")).to_be_focused()
    verified.pays()
    payout = page.locator("[data-payout-id]")
    expect(payout).to_have_attribute("data-payout-status", "paid", timeout=NEWS_MILLISECONDS)
    look_at(page, "payout-paid")


def test_check_status_answers_in_place(ada: Partner, opened: Open) -> None:
    ada.set_up("review")
    page = opened(ada, "/dashboard")
    ada.clock.advance(seconds=16)
    page.get_by_role("button", name="Check status").click()
    expect(page.locator("#stripe_card")).to_contain_text("No change yet.")
    expect(page.get_by_role("button", name="Check status")).to_be_focused()


def test_going_back_shows_the_page_before(verified: Partner, opened: Open) -> None:
    page = opened(verified, "/dashboard")
    page.get_by_role("link", name="Earnings").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Earnings")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your payouts")
    expect(page.locator("[data-stripe-account-status]")).to_have_count(1)


def test_the_account_menu_works_by_keyboard(ada: Partner, opened: Open) -> None:
    page = opened(ada, "/dashboard")
    menu = page.locator(".account summary")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(menu).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to your partner account")
