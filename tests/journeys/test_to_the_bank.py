"""From the Stripe account to the bank and back: real processes, signed webhooks, and the affiliate reads it."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.sync_api import expect

from tests.browser import shoot
from tests.journeys.affiliates import Affiliate
from tests.journeys.conftest import Town
from tests.journeys.running import eventually


def _comes_to_read(ada: Affiliate, words: str) -> None:
    """As somebody who looks again now and then."""

    def looks_again() -> bool:
        ada.page.reload()
        return ada.payout.locator(".tag").inner_text() == words

    eventually(looks_again, what=f"the payout to be said to be “{words}”")
    ada.has_payout("paid")


def test_a_payout_arrives_at_the_bank_and_comes_back(ada: Affiliate, town: Town) -> None:
    portal = town.portal
    code = ada.becomes_payable(town.token, amount=6_000)
    ada.asks_for("55.00")
    portal.command("process-payouts")
    _comes_to_read(ada, "Sent")
    [account] = portal.accounts_of(code)
    bank = portal.control(f"accounts/{account['id']}/payouts", {})["payout"]
    _comes_to_read(ada, "On its way to your bank")
    expect(ada.payout.get_by_text("Expected in your bank by")).to_be_visible()
    bank = portal.control(f"payouts/{bank['id']}", {"status": "paid"})["payout"]
    _comes_to_read(ada, "Arrived")
    expect(ada.payout.get_by_text(f"Bank reference: {bank['trace_id']['value']}.")).to_be_visible()
    shoot(ada.page, "bank-1-arrived")
    portal.control(f"payouts/{bank['id']}", {"status": "failed", "failure_code": "account_closed"})
    _comes_to_read(ada, "Returned by your bank")
    now = datetime.now(UTC)
    expect(ada.payout.get_by_text(f"Your bank returned it on {now.day} {now:%b %Y}: ")).to_contain_text(
        "Your bank says the account is closed. The money is in your Stripe balance. "
        "Add a different bank account on Stripe."
    )
    shoot(ada.page, "bank-2-returned")
    portal.command("process-payouts")
    assert portal.sent_to(code) == [5_500]
    assert portal.report("selfcheck")["broken"] == []
