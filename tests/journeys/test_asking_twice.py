"""Impatience in front of the form for a payout: whatever is pressed twice, it is one payout with one receipt."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Route, expect

from tests.browser import attentive_page, look_at
from tests.journeys.affiliates import Affiliate
from tests.journeys.conftest import Town


def test_a_double_click_the_way_back_and_the_same_form_again_lead_to_the_same_receipt(
    grace: Affiliate, town: Town
) -> None:
    code = grace.becomes_payable(town.token, amount=30_000)
    grace.open("/payouts/new")
    form = {
        name: grace.page.locator(f"input[name={name}]").last.input_value()
        for name in ("csrf_token", "request_key")
    }
    grace.page.get_by_label("Amount in USD").fill("100.00")
    grace.page.get_by_role("button", name="Request payout").dblclick()
    receipt, address = grace.has_receipt(), grace.page.url
    expect(grace.page.get_by_text(f"Payout requested. Reference {receipt}.")).to_be_visible()
    again = grace.page.request.post(
        f"{town.portal.address}/payouts", form={**form, "amount": "100.00"}, max_redirects=0
    )
    assert (again.status, f"{town.portal.address}{again.headers['location']}") == (303, address)
    grace.page.go_back()
    expect(grace.page.get_by_role("heading", level=1)).to_have_text("You can't request a payout yet")
    grace.page.get_by_role("link", name=f"See {receipt}").click()
    assert grace.has_receipt() == receipt
    assert town.payouts_of(code) == [10_000]


def test_an_answer_that_got_lost_is_said_and_pressing_again_leads_to_the_one_receipt(
    ada: Affiliate, town: Town
) -> None:
    code = ada.becomes_payable(town.token, amount=30_000)
    ada.open("/payouts/new")
    ada.page.get_by_label("Amount in USD").fill("100.00")

    def lose_the_answer(route: Route) -> None:
        route.fetch(max_redirects=0)
        route.abort()

    ada.page.route("**/payouts", lose_the_answer, times=1)
    ada.press_request()
    expect(ada.page.locator("#flash")).to_have_text(
        "No answer came. Check your connection and try again; nothing is done twice."
    )
    look_at(ada.page, "twice-answer-lost")
    ada.press_request()
    ada.has_receipt()
    assert town.payouts_of(code) == [10_000]


def test_two_tabs_on_a_request_make_one_payout(
    ada: Affiliate, browser_context: BrowserContext, town: Town
) -> None:
    code = ada.becomes_payable(town.token, amount=30_000)
    with attentive_page(browser_context) as second:
        other = Affiliate(second, town.portal, ada.name)
        for tab in (ada, other):
            tab.open("/payouts/new")
            tab.page.get_by_label("Amount in USD").fill("100.00")
        ada.press_request()
        receipt = ada.has_receipt()
        other.press_request()
        expect(other.problems).to_contain_text(receipt)
        look_at(other.page, "twice-second-tab")
        other.page.get_by_role("link", name=f"See {receipt}").click()
        assert other.has_receipt() == receipt
    assert town.payouts_of(code) == [10_000]
