"""The platform's own balance runs dry: the affiliate reads whose problem it is, and is paid once it is mended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser import look_at
from tests.journeys.affiliates import Affiliate
from tests.journeys.conftest import Town


@pytest.fixture
def empty_town(town: Town) -> Iterator[Town]:
    """Where the platform has next to nothing at Stripe until it is topped up."""
    town.portal.control("balance", {"usd": 100})
    yield town
    top_up(town)


def top_up(town: Town) -> None:
    town.portal.control("balance", {"usd": 10_000_000})


def test_a_payout_that_the_balance_does_not_cover_waits_in_plain_words_and_is_paid_once_after_a_top_up(
    ada: Affiliate, empty_town: Town
) -> None:
    page, portal = ada.page, empty_town.portal
    code = ada.becomes_payable(empty_town.token, amount=30_000)
    ada.asks_for("100.00")
    ada.has_receipt()
    portal.command("process-payouts")
    page.reload()
    ada.has_payout("approved")
    expect(ada.payout.get_by_text("A problem on our side delayed this payout.")).to_be_visible()
    look_at(page, "short-of-funds")
    portal.command("process-payouts")
    assert portal.sent_to(code) == []
    top_up(empty_town)
    portal.command("process-payouts")
    ada.has_payout("paid")
    assert portal.sent_to(code) == [10_000]
