"""What the affiliate reads once a payout is sent: when it reaches the bank, or where the money is if it does not."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from portal.domain.business_days import business_days_after
from portal.wiring import services
from tests.services.stand_in import StandIn
from tests.web.pages.conftest import TEST, Partner
from tests.web.pages.visitor import Page

ALL = "/payouts"
OPEN_STRIPE = "/stripe/dashboard"


class Banked:
    """An affiliate whose payout was sent, and what their bank does."""

    def __init__(self, partner: Partner) -> None:
        self.partner = partner
        self.stripe = StandIn(partner.stand_in)
        self.path = partner.send(partner.get("/payouts/new"), ALL).location.partition("?")[0]
        partner.pays()

    def bank(self, status: str = "pending", **more: object) -> str:
        """Stripe pays the account out, and the portal has looked; the bank payout's id."""
        bank_id = self.stripe.pay_to_bank(self.partner.row().stripe_account_id or "", status=status, **more)
        self.look()
        return bank_id

    def look(self) -> None:
        with self.partner.app.app_context():
            services().bank_payouts.look_for_all(cause=TEST)

    def page(self) -> Page:
        page = self.partner.get(self.path)
        assert page.html.one(data_payout_id=None).attributes["data-payout-status"] == "paid"
        return page


@pytest.fixture
def ada_sent(verified: Partner) -> Banked:
    return Banked(verified)


def day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"


def tags(page: Page) -> list[tuple[str, str]]:
    """Words and tone of the tags of payouts."""
    return [
        (each.text, each.attributes["class"].removeprefix("tag tag--"))
        for each in page.html.all("strong", class_=None)
        if each.attributes["class"].startswith("tag ") and "data-stripe-account-status" not in each.attributes
    ]


def steps(page: Page) -> list[str]:
    return [item.one("strong").text for item in page.html.one("ol", class_="timeline").all("li")]


def test_a_payout_that_was_just_sent_says_that_stripe_has_not_said_more(ada_sent: Banked) -> None:
    page = ada_sent.page()
    today = day(datetime.now(UTC))
    assert f"Sent to your Stripe account on {today}." in page.said
    assert "Stripe pays it on to your bank from there, and has not said yet when." in page.said
    assert tags(page) == [("Sent", "paid")]
    assert steps(page) == ["Requested", "Approved", "Sent", "On its way to your bank", "Arrived"]
    assert page.html.one("li", aria_current="step").one("strong").text == "Sent"


def test_on_its_way_it_is_said_by_when_it_is_expected(ada_sent: Banked) -> None:
    ada_sent.bank("in_transit")
    page = ada_sent.page()
    expected = day(datetime.now(UTC) + timedelta(days=2))
    assert f"Expected in your bank by {expected}." in page.said
    assert tags(page) == [("On its way to your bank", "on_its_way")]
    assert page.html.one("li", aria_current="step").one("strong").text == "On its way to your bank"
    assert f"Expected by {expected}" in page.html.one("ol", class_="timeline").all("li")[-1].text
    for path in (ALL, "/dashboard", f"{ALL}?status=paid"):
        there = ada_sent.partner.get(path)
        assert ("On its way to your bank", "on_its_way") in tags(there)
        assert there.html.one("td", data_label="Status").one("p").text == f"Expected by {expected}"
    ada_sent.partner.wait(days=3)
    assert "That day has passed, and Stripe has not said yet that it arrived." in ada_sent.page().said


def test_arrived_it_is_said_when_and_what_the_bank_finds_it_by(ada_sent: Banked) -> None:
    bank_id = ada_sent.bank("paid")
    page = ada_sent.page()
    (payout,) = (each for each in ada_sent.stripe.bank_payouts() if each["id"] == bank_id)
    assert f"Arrived on {day(datetime.now(UTC))}. Bank reference: {payout['trace_id']['value']}." in page.said
    chase_on = day(business_days_after(datetime.now(UTC), 5))
    assert f"If it is not there by {chase_on}, contact your bank with this reference." in page.said
    assert tags(page) == [("Arrived", "arrived")]
    assert steps(page) == ["Requested", "Approved", "Sent", "On its way to your bank", "Arrived"]
    assert not page.html.all("li", aria_current="step")
    assert "hx-trigger" not in page.html.one(id="payout").attributes
    assert ("Arrived", "arrived") in tags(ada_sent.partner.get(ALL))
    (row,) = csv.DictReader(io.StringIO(ada_sent.partner.get("/payouts.csv").response.text))
    assert (row["status"], row["in_bank_on"], row["bank_reference"]) == (
        "Arrived", f"{datetime.now(UTC):%Y-%m-%d}", payout["trace_id"]["value"],
    )  # fmt: skip


CLOSED = "Your bank says the account is closed. {} Add a different bank account on Stripe."
DECLINED = "Your bank refused it. {} Contact your bank."
NOT_KNOWN = "The bank refused this payout. {} Contact us and quote P-1001."


@pytest.mark.parametrize(
    ("code", "words", "is_mended_at_stripe"),
    [
        ("account_closed", CLOSED, True),
        ("declined", DECLINED, False),
        ("a_code_of_tomorrow", NOT_KNOWN, False),
    ],
)
def test_returned_it_is_said_why_where_the_money_is_and_what_comes_next(
    ada_sent: Banked, code: str, words: str, is_mended_at_stripe: bool
) -> None:
    bank_id = ada_sent.bank("paid")
    ada_sent.stripe.settle_at_bank(bank_id, "failed", failure_code=code)
    ada_sent.look()
    page = ada_sent.page()
    where = words.format("The money is in your Stripe balance.")
    assert f"Your bank returned it on {day(datetime.now(UTC))}: {where}" in page.said
    assert bool(page.html.all("form", action=OPEN_STRIPE)) is is_mended_at_stripe
    assert tags(page) == [("Returned by your bank", "returned")]
    assert steps(page)[-1] == "Returned by your bank"
    assert "available balance" not in page.said


def test_a_fault_of_ours_is_not_blamed_on_the_bank(ada_sent: Banked) -> None:
    ada_sent.bank("failed", failure_code="insufficient_funds")
    page = ada_sent.page()
    assert "A problem on our side delayed this payout. You do not need to do anything." in page.said
    assert "returned" not in page.said
    assert tags(page) == [("Sent", "paid")]


def test_what_stripe_called_off_is_said_to_be_in_the_stripe_balance(ada_sent: Banked) -> None:
    ada_sent.bank("canceled")
    said = ada_sent.page().said
    assert "Stripe called off its payout to your bank. The money is in your Stripe balance." in said


def test_what_stripe_never_says_is_said_to_be_so(ada_sent: Banked) -> None:
    ada_sent.partner.wait(days=46)
    page = ada_sent.page()
    assert "Stripe does not say which of its payouts to your bank this was part of." in page.said
    assert page.html.one("form", action=OPEN_STRIPE).one("button").text == "Open Stripe"
    assert steps(page) == ["Requested", "Approved", "Sent"]
    assert "hx-trigger" not in page.html.one(id="payout").attributes


def test_an_open_page_moves_on_by_itself_and_is_left_alone_in_between(ada_sent: Banked) -> None:
    url = ada_sent.page().html.one(id="payout").attributes["hx-get"]
    assert ada_sent.partner.ask(url).status == 204
    bank_id = ada_sent.bank()
    part = ada_sent.partner.ask(url)
    assert part.html.one(id="live").text.endswith(": On its way to your bank")
    url = part.html.one(id="payout").attributes["hx-get"]
    assert part.html.one(id="payout").attributes["hx-trigger"] == "every 30s"
    ada_sent.look()
    assert ada_sent.partner.ask(url).status == 204
    ada_sent.stripe.settle_at_bank(bank_id, "paid")
    ada_sent.look()
    last = ada_sent.partner.ask(url)
    assert last.html.one(id="live").text.endswith(": Arrived")
    assert "hx-trigger" not in last.html.one(id="payout").attributes
    assert len(last.response.data) < 6_000
    assert ada_sent.partner.ask(url).status == 200


def test_a_bank_payout_that_carries_more_says_how_much_in_all(ada_sent: Banked) -> None:
    ada_sent.stripe.transfer_by_hand(ada_sent.partner.row().stripe_account_id or "", 1_000, group="a-contest")
    bank_id = ada_sent.bank()
    page = ada_sent.page()
    assert f"{bank_id} of $422.50 in all" in page.said
