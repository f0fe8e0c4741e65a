"""Between approval and the run something happens: the money waits, the page says why, and it is paid once."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import attentive_page, look_at, shoot
from tests.journeys.affiliates import Affiliate
from tests.journeys.conftest import Town
from tests.journeys.operators import Operator


def test_restricted_after_approval_it_is_held_until_it_is_fixed_and_then_paid_once(
    page: Page, each_town: Town
) -> None:
    portal = each_town.portal
    ada = Affiliate(page, portal, "Ada Lindqvist")
    code = ada.becomes_payable(each_town.token, amount=30_000)
    ada.asks_for("100.00")
    ada.has_receipt()
    ada.has_payout("approved")
    portal.meet(code, "restrict", silently=True)
    portal.command("process-payouts")
    ada.has_payout("held")
    expect(ada.payout.get_by_text("Held because Stripe does not have you as verified")).to_be_visible()
    assert portal.sent_to(code) == []
    look_at(page, "held-restricted")
    receipt = page.url
    ada.payout.get_by_role("link", name="See why, and what to do").click()
    ada.has_badge("restricted", "⚠️ Your Stripe account is restricted")
    page.get_by_role("button", name="Fix on Stripe").click()
    ada.choose("approve")
    ada.turns_verified_by_itself()
    page.goto(receipt)
    expect(ada.payout.get_by_text("Nothing stands in its way any more.")).to_be_visible()
    portal.command("process-payouts")
    ada.has_payout("paid")
    shoot(page, "held-then-paid")
    assert portal.sent_to(code) == [10_000]


def test_blocked_with_a_message_after_approval_nothing_is_sent_until_the_block_is_gone(
    ada: Affiliate, browser_context: BrowserContext, olga: Operator, town: Town
) -> None:
    portal, message = town.portal, "We are checking two of your orders. You will hear from us by Friday."
    code = ada.becomes_payable(town.token, amount=30_000)
    with attentive_page(browser_context) as tab:
        form = Affiliate(tab, portal, ada.name)
        form.open("/payouts/new")
        ada.asks_for("100.00")
        ada.has_receipt()
        olga.blocks(code, reason="Two orders from one card", message=message)
        look_at(olga.page, "blocked-operator")
        # who stays on the page of a payout needs no reload
        ada.has_payout("held")
        expect(ada.payout.get_by_text("Held because your account is on hold")).to_be_visible()
        look_at(ada.page, "blocked-payout")
        with tab.expect_response("**/payouts") as answer:
            form.press_request()
        assert answer.value.status == 409
        expect(form.problems).to_be_focused()
        expect(form.problems.get_by_role("listitem")).to_have_text(
            "Your account is on hold. Please contact support."
        )
        expect(tab.get_by_text(message)).to_be_visible()
        look_at(tab, "blocked-refused")
        form.open("/dashboard")
        expect(tab.locator("#stripe_card").get_by_text(message)).to_be_visible()
        look_at(tab, "blocked-dashboard")
    portal.command("process-payouts")
    assert portal.sent_to(code) == []
    olga.unblocks(code)
    portal.command("process-payouts")
    ada.has_payout("paid")
    assert portal.sent_to(code) == [10_000]
