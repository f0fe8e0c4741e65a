"""Payments by hand in a real browser: fields for everybody, and what one reads whose sign-in is too old."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import look_at
from tests.clocks import MovableClock
from tests.web.operator.test_decisions_by_hand import APPROVED, ids, pytestmark
from tests.web.pages.visitor import Visitor

__all__ = ["ids", "pytestmark"]


@pytest.mark.usefixtures("ids")
def test_the_pages_of_payments_by_hand_are_for_everybody(
    page: Page, olga: Visitor, served_portal: str, clock: MovableClock
) -> None:
    olga.goes_on_in(page.context, served_portal)
    page.goto(served_portal + APPROVED)
    page.get_by_role("link", name="Select all on this page that are paid by hand (3)").click()
    expect(page.locator("#selection")).to_have_text("3 selected, $300.03")
    page.get_by_role("button", name="Mark as paid…").click()
    first = page.get_by_label("Reference of the payment for P-1001")
    expect(first).to_be_visible()
    look_at(page, "operator-by-hand-preview")
    first.fill("x" * 255)
    page.get_by_role("button", name="Mark as paid").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 marked as paid, 2 skipped")
    look_at(page, "operator-by-hand-result")
    page.goto(f"{served_portal}{APPROVED}&select=by-hand")
    page.get_by_role("button", name="Mark as paid…").click()
    page.get_by_label("Reference of the payment for P-1002").fill("0xfeed")
    clock.advance(minutes=31)
    page.get_by_role("button", name="Mark as paid").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in again")
    look_at(page, "sign-in-again")
    page.get_by_role("link", name="Back without doing it").click()
    expect(page.get_by_label("Reference of the payment for P-1002")).to_have_value("0xfeed")
