"""The whole way of a request by keyboard alone: everything can be reached, and one sees where one is."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.journeys.affiliates import Affiliate
from tests.journeys.conftest import Town

#: No page of ours has so many places to stop at.
_MOST_STOPS = 60

_HAS_RING = """each => {
  const drawn = getComputedStyle(each)
  return drawn.outlineStyle !== 'none' && drawn.outlineWidth !== '0px'
}"""


def go_to(page: Page, wanted: Locator) -> None:
    """Press Tab until it has the focus; at every stop the focus is in sight and drawn."""
    expect(wanted).to_be_visible()
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.locator(":focus")
        assert stop.count() == 1, "the focus left the page"
        expect(stop).to_be_in_viewport()
        assert stop.evaluate(_HAS_RING), stop.evaluate("each => each.outerHTML")
        if wanted.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError(f"{wanted} can't be reached")


def press(page: Page, wanted: Locator) -> None:
    go_to(page, wanted)
    page.keyboard.press("Enter")


def test_a_payout_is_requested_looked_at_and_canceled_by_keyboard_alone(ada: Affiliate, town: Town) -> None:
    page = ada.page
    code = ada.becomes_payable(town.token, amount=30_000)
    ada.open("/dashboard")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    press(page, page.get_by_role("link", name="Request payout"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Request a payout")
    go_to(page, page.get_by_label("Amount in USD"))
    page.keyboard.type("1000")
    page.keyboard.press("Enter")
    expect(ada.problems).to_be_focused()
    press(page, ada.problems.get_by_role("link").first)
    expect(page.get_by_label("Amount in USD")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("100.00")
    press(page, page.get_by_role("button", name="Request payout"))
    reference = ada.has_receipt()
    press(page, page.locator("summary", has_text="Cancel this payout"))
    press(page, page.get_by_role("button", name=f"Yes, cancel {reference}"))
    ada.has_payout("canceled")
    assert town.payouts_of(code) == [10_000]
