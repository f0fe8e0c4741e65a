"""A session that ends while a form is open costs nobody what they typed, and sends nothing by itself."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.journeys.affiliates import Affiliate
from tests.journeys.conftest import Town


def test_after_signing_in_again_the_form_is_there_with_what_was_typed(ada: Affiliate, town: Town) -> None:
    page = ada.page
    code = ada.becomes_payable(town.token, amount=30_000)
    ada.open("/payouts/new")
    page.get_by_label("Amount in USD").fill("123.45")
    page.context.clear_cookies()
    ada.press_request()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to your partner account")
    ada.signs_in_again()
    expect(page.get_by_role("heading", level=1)).to_have_text("Request a payout")
    expect(page.get_by_label("Amount in USD")).to_have_value("123.45")
    assert town.payouts_of(code) == []
    ada.press_request()
    ada.has_receipt()
    assert town.payouts_of(code) == [12_345]
