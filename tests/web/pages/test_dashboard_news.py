"""The dashboard that stays open: it has the news within a minute, says it once, and keeps nobody signed in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from portal.wiring import services
from tests.web.pages.conftest import TEST, Open, Partner

SENTENCE = "Your dashboard has been updated."


def block(partner: Partner) -> None:
    with partner.app.app_context():
        services().affiliates.block(partner.row().code, message="We are looking into it.", cause=TEST)


def request_all(partner: Partner) -> None:
    partner.send(partner.get("/payouts/new"), "/payouts")


def release(partner: Partner) -> None:
    partner.wait(days=30)


def balances_poll(partner: Partner) -> str:
    return partner.get("/dashboard").html.one(id="balances").attributes["hx-get"]


def payout_poll(partner: Partner) -> str:
    request_all(partner)
    latest = partner.get("/payouts").html.one("tbody").one("a").attributes["href"]
    return partner.get(latest).html.one(id="payout").attributes["hx-get"]


def card_poll(partner: Partner) -> str:
    return partner.get(partner.set_up("review").location).html.one(id="stripe_card").attributes["hx-get"]


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (lambda partner: partner.earn(5_000, reference="order-2"), "$462.50"),
        (release, "$512.50"),
        (request_all, "is not finished yet"),
        (block, "We are looking into it."),
    ],
    ids=["earned", "released", "requested", "blocked"],
)
def test_a_minute_later_it_says_what_happened(
    verified: Partner, happens: Callable[[Partner], object], words: str
) -> None:
    verified.earn(10_000, days_ago=1, reference="order-on-hold")
    before = balances_poll(verified)
    assert verified.ask(before).status == 204
    happens(verified)
    part = verified.ask(before)
    assert not part.html.all("html")
    assert words in part.said
    assert part.html.one(id="live").text == SENTENCE
    assert part.html.one(id="balances").attributes["hx-swap-oob"] == "true"
    assert verified.ask(part.html.one(id="balances").attributes["hx-get"]).status == 204


def test_the_card_goes_on_asking_after_news_of_something_else(ada: Partner) -> None:
    page = ada.get(ada.set_up("review").location)
    ada.earn(5_000)
    part = ada.ask(page.html.one(id="balances").attributes["hx-get"])
    assert part.html.one(id="stripe_card").attributes["hx-trigger"] == "every 3s"


def test_news_that_the_card_brought_is_not_told_again(ada: Partner) -> None:
    poll = card_poll(ada)
    ada.meet("approve")
    ada.clock.advance(seconds=16)
    part = ada.ask(poll)
    assert part.html.one(id="live").text == "Your Stripe account is now verified."
    assert ada.ask(part.html.one(id="balances").attributes["hx-get"]).status == 204


def test_whoever_follows_its_address_gets_the_page(ada: Partner) -> None:
    assert ada.get("/dashboard/balances").location == "/dashboard"


@pytest.mark.parametrize("poll_of", [balances_poll, payout_poll, card_poll])
def test_a_tab_left_open_overnight_is_signed_out(
    verified: Partner, poll_of: Callable[[Partner], str]
) -> None:
    poll, left_on = (
        poll_of(verified),
        {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1:5000/dashboard"},
    )
    for _ in range(2):
        assert verified.client.get(poll, headers=left_on).status_code in {200, 204}
        verified.clock.advance(hours=12)
    verified.clock.advance(seconds=1)
    answer = verified.client.get(poll, headers=left_on)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login?next=/dashboard")


def test_in_a_browser_it_changes_by_itself_and_is_said_once(verified: Partner, opened: Open) -> None:
    request_all(verified)
    page = opened(verified, "/settings")
    page.clock.install()
    page.get_by_role("link", name="Dashboard").click()
    expect(page.locator("[data-balance=reserved]")).to_have_text("$412.50")
    page.evaluate(
        """() => { window.said = []; const live = document.getElementById('live');
        new MutationObserver(() => window.said.push(live.textContent)).observe(live, {childList: true}); }"""
    )
    verified.pays()
    page.locator("#check-status").focus()
    page.clock.fast_forward(61_000)
    expect(page.locator("[data-balance=paid_out]")).to_have_text("$412.50")
    expect(page.locator("#recent .tag")).to_have_text("Sent")
    expect(page.locator("#check-status")).to_be_focused()
    with page.expect_response("**/dashboard/balances*") as answer:
        page.clock.fast_forward(61_000)
    assert answer.value.status == 204
    assert page.evaluate("window.said") == [SENTENCE]
