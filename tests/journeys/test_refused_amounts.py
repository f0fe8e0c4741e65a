"""Amounts that cannot be requested: said before where that is known, else at the field, with nothing lost."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser import look_at, shoot
from tests.journeys.affiliates import Affiliate, earn
from tests.journeys.conftest import Town

REFUSED = {
    "24.99": "The minimum is $25.00. You have $60.00 available.",
    "60.01": "You can request up to $60.00.",
    "plenty": "Enter an amount, for example 100.00",
    "30.005": "USD amounts have at most 2 decimals. Enter an amount, for example 100.00",
}


def test_below_the_minimum_the_page_says_what_is_missing_and_wrong_amounts_are_said_at_the_field(
    grace: Affiliate, town: Town
) -> None:
    page = grace.page
    # axe is a script too
    look = shoot if page.evaluate("typeof htmx") == "undefined" else look_at
    code = grace.becomes_payable(town.token, amount=1_000)
    expect(page.get_by_text("$10.00 of $25.00. $15.00 to go.")).to_be_visible()
    look(page, "amount-below-dashboard")
    grace.open("/payouts/new")
    expect(page.get_by_role("heading", level=1)).to_have_text("You can't request a payout yet")
    expect(page.get_by_text("$10.00 of $25.00. $15.00 to go.")).to_be_visible()
    expect(page.get_by_role("button", name="Request payout")).to_have_count(0)
    look(page, "amount-below")
    earn(town.portal, town.token, code=code, amount=5_000)
    page.reload()
    field = page.get_by_label("Amount in USD")
    for typed, sentence in REFUSED.items():
        field.fill(typed)
        grace.press_request()
        expect(grace.problems.get_by_role("listitem")).to_have_text(sentence)
        expect(grace.problems).to_be_focused()
        expect(page).to_have_title("Error: Request a payout – Partner portal")
        expect(page.locator("#amount-error")).to_have_text(f"Error: {sentence}")
        expect(field).to_have_value(typed)
        grace.problems.get_by_role("link", name=sentence).click()
        expect(field).to_be_focused()
    shoot(page, "amount-refused")
    field.fill("60.00")
    grace.press_request()
    grace.has_receipt()
    assert town.payouts_of(code) == [6_000]
