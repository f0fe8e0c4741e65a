"""A payout run is confirmed by its total, followed, left and opened again: it goes on without its page."""

from __future__ import annotations

import re
from uuid import uuid4

from playwright.sync_api import expect

from tests.journeys.conftest import Town
from tests.journeys.inside import approved_payout, inside
from tests.journeys.operators import Operator

#: Each transfer takes so long, that there is something to follow.
TRANSFER_SECONDS = 1.5

CENTS = 3_000


def test_a_run_goes_on_while_its_page_is_closed_and_shows_how_far_it_is_when_it_is_opened_again(
    olga: Operator, town: Town
) -> None:
    page, portal = olga.page, town.portal
    codes = [f"followed-{number}-{uuid4().hex[:8]}" for number in range(3)]
    with inside(portal) as here:
        for code in codes:
            approved_payout(portal, here, code, amount=CENTS)
    slow = {"fault": "slow", "path_prefix": "/v1/transfers", "method": "POST", "seconds": TRANSFER_SECONDS}
    portal.control("faults", slow | {"times": 100})
    try:
        olga.open("/operator/payouts/run")
        total = re.search(r"[0-9.]+", page.locator("#total-hint").inner_text())
        assert total
        page.get_by_label("Type the total").fill(total[0])
        page.keyboard.press("Enter")
        run = page.locator("#run")
        expect(run).to_have_attribute("data-run-state", "going-on")
        expect(page.locator("[data-outcome=paid]").first).to_be_visible()
        expect(run).to_have_attribute("data-run-state", "going-on")
        address = page.url
        page.goto("about:blank")
        page.goto(address)
        expect(run).to_have_attribute("data-run-state", "finished", timeout=15_000)
        expect(page.locator("#live")).to_contain_text("The run is finished:")
        expect(page.locator("#run[hx-get]")).to_have_count(0)
    finally:
        portal.control("faults", method="DELETE")
    assert [portal.sent_to(code) for code in codes] == [[CENTS]] * 3
