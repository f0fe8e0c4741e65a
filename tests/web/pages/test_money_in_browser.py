"""The money screens in a real browser: the quote follows what is typed, and every state is for everybody."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from portal.wiring import services
from tests.browser import look_at
from tests.services.stand_in import StandIn
from tests.web.pages.conftest import TEST, Open, Partner

NEW, PREFERENCES = "/payouts/new", "/payouts/preferences"


@pytest.fixture
def rich(rich: Partner) -> Partner:
    """With $180.00 on hold too."""
    for number, (amount, days_ago) in enumerate([(6_000, 10), (5_000, 5), (7_000, 1)]):
        rich.earn(amount, days_ago=days_ago, reference=f"held-{number}")
    return rich


def test_the_quote_follows_what_is_typed_without_moving_the_focus(rich: Partner, opened: Open) -> None:
    page = opened(rich, NEW)
    quote = page.locator("#quote")
    expect(quote).to_contain_text("all that is available")
    look_at(page, "quote-all")
    page.evaluate(
        """() => { window.said = []; const live = document.getElementById('live');
        new MutationObserver(() => window.said.push(live.textContent)).observe(live, {childList: true}); }"""
    )
    field = page.get_by_label("Amount in USD")
    field.press_sequentially("100.00")
    expect(quote).to_contain_text("$812.50")
    expect(field).to_be_focused()
    expect(field).to_have_value("100.00")
    look_at(page, "quote-part")
    field.fill("9999")
    expect(quote).to_have_text("You can request up to $912.50.")
    look_at(page, "quote-refused")
    field.fill("")
    expect(quote).to_contain_text("all that is available")
    assert page.evaluate("window.said") == [
        "$100.00; $812.50 stays available. Approved at once.",
        "You can request up to $912.50.",
        "$912.50. We look at it first.",
    ]
    field.fill("120.00")
    page.get_by_role("button", name="Request payout").click()
    expect(page.get_by_role("alert").filter(has_text="Payout requested. Reference P-")).to_be_visible()
    look_at(page, "receipt-approved")


def test_the_dashboard_with_automatic_payouts_and_holds_is_for_everybody(rich: Partner, opened: Open) -> None:
    look_at(opened(rich, "/dashboard"), "money-on-request")
    rich.send(rich.get(PREFERENCES), PREFERENCES, automatic="true")
    look_at(opened(rich, "/dashboard"), "money-automatic")
    rich.send(rich.get(NEW), "/payouts")
    look_at(opened(rich, "/dashboard"), "money-open-payout")


def test_below_the_minimum_is_for_everybody(ada: Partner, opened: Open) -> None:
    ada.set_up()
    ada.earn(1_520)
    ada.earn(700, days_ago=3, reference="order-2")
    ada.send(ada.get(PREFERENCES), PREFERENCES, automatic="true")
    look_at(opened(ada, "/dashboard"), "money-below-minimum")
    look_at(opened(ada, NEW), "request-below-minimum")


def test_a_payout_on_each_of_its_last_steps_is_for_everybody(verified: Partner, opened: Open) -> None:
    stripe = StandIn(verified.stand_in)
    payout = verified.send(verified.get(NEW), "/payouts", amount="100.00").location.partition("?")[0]
    verified.pays()
    look_at(opened(verified, payout), "payout-sent")
    account = verified.row().stripe_account_id or ""
    stripe.pay_to_bank(account, status="in_transit")
    look(verified)
    look_at(opened(verified, payout), "payout-on-its-way")
    look_at(opened(verified, "/payouts"), "payouts-on-their-way")


def look(partner: Partner) -> None:
    """Let the portal ask Stripe where the money is."""
    with partner.app.app_context():
        services().bank_payouts.look_for_all(cause=TEST)


def test_a_receipt_that_waits_for_a_review_is_for_everybody(rich: Partner, opened: Open) -> None:
    look_at(opened(rich, rich.send(rich.get(NEW), "/payouts").location), "receipt-reviewed")
