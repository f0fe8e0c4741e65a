"""While somebody types an amount, the form says what a request of it would mean."""

from __future__ import annotations

import pytest

from portal.wiring import services
from tests.web.pages.conftest import TEST, Partner
from tests.web.pages.visitor import Page

NEW = "/payouts/new"


def lines(page: Page) -> dict[str, str]:
    quote = page.html.one("section", id="quote")
    return {name.text: value.text for name, value in zip(quote.all("dt"), quote.all("dd"), strict=True)}


def test_the_form_begins_with_all_that_is_available(rich: Partner) -> None:
    assert lines(rich.get(NEW)) == {
        "Amount": "$912.50, all that is available",
        "Paid to": "Your Stripe account, and from there your bank",
        "Review": "We look at it first, usually within 2 business days",
        "Goes out": "With the next run after our review",
        "In your bank": "About 3–5 business days after it goes out",
    }


def test_a_part_says_what_is_left_and_when_it_goes_out(rich: Partner) -> None:
    quote = rich.get(NEW).html.one("section", id="quote")
    assert (quote.attributes["hx-get"], quote.attributes["hx-include"]) == (NEW, "#amount")
    fragment = rich.ask(f"{NEW}?amount=100.00")
    assert not fragment.html.all("h1")
    assert lines(fragment) == {
        "Amount": "$100.00",
        "Stays available": "$812.50",
        "Paid to": "Your Stripe account, and from there your bank",
        "Review": "None: approved at once",
        "Goes out": "28 Nov 2031, 10:00 UTC",
        "In your bank": "About 3–5 business days after it goes out",
    }
    assert fragment.html.one(id="live").text == "$100.00; $812.50 stays available. Approved at once."
    assert len(fragment.response.data) < 6_000


def test_the_same_address_without_javascript_is_the_form_with_that_amount(rich: Partner) -> None:
    page = rich.get(f"{NEW}?amount=100.00")
    assert page.form("/payouts")["amount"] == "100.00"
    assert lines(page)["Stays available"] == "$812.50"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("abc", "Enter an amount, for example 100.00"),
        ("9" * 400, "Enter an amount, for example 100.00"),
        ("1.005", "USD amounts have at most 2 decimals. Enter an amount, for example 100.00"),
        ("912.51", "You can request up to $912.50."),
        ("24.99", "The minimum is $25.00. You have $912.50 available."),
        ("%3Cscript%3E", "Enter an amount, for example 100.00"),
    ],
)
def test_what_would_be_refused_is_said_in_the_same_words_and_nothing_is_written(
    rich: Partner, typed: str, words: str
) -> None:
    fragment = rich.ask(f"{NEW}?amount={typed}")
    assert (fragment.status, fragment.html.one("section", id="quote").text) == (200, words)
    assert fragment.html.one(id="live").text == words
    assert not rich.get("/payouts").html.all(data_payout_id=None)


def test_a_form_that_comes_back_says_its_problem_at_the_field_and_no_third_time(rich: Partner) -> None:
    page = rich.send(rich.get(NEW), "/payouts", amount="9999")
    assert page.said.count("You can request up to $912.50.") == 2
    assert page.html.one("section", id="quote").text == ""


def test_who_is_stopped_meanwhile_reads_it_while_typing(rich: Partner) -> None:
    with rich.app.app_context():
        services().affiliates.block(rich.row().code, message="Please write to us.", cause=TEST)
    words = "Your account is on hold. Please contact support."
    assert rich.ask(f"{NEW}?amount=100.00").html.one("section", id="quote").text == words


def test_the_receipt_says_what_was_quoted(rich: Partner) -> None:
    form = rich.get(f"{NEW}?amount=100.00")
    page = rich.get(rich.send(form, "/payouts").location)
    assert (
        "What happens next, and when, is listed below."
        in page.html.one(role="alert", class_="banner tone--verified").text
    )
    assert "Approved. It goes out with the next run, on 28 Nov 2031, 10:00 UTC." in page.said
    future = [step.text for step in page.html.one("ol", class_="timeline").all("li", class_="future")]
    assert future == [
        "Sent Expected on 28 Nov 2031, 10:00 UTC",
        "On its way to your bank",
        "Arrived About 3–5 business days after it is sent",
    ]


def test_the_receipt_of_what_is_reviewed_names_the_day_by_which_it_should_be_approved(
    rich: Partner,
) -> None:
    page = rich.get(rich.send(rich.get(NEW), "/payouts").location)
    assert page.html.one("ol", class_="timeline").all("li", class_="future")[0].text == (
        "Approved Expected by 2 Dec 2031"
    )
    rich.wait(days=5)
    late = rich.get(f"/payouts/{page.html.one(id='payout').attributes['data-payout-id']}")
    assert "This is taking longer than usual." in late.said
    assert late.html.one("ol", class_="timeline").all("li", class_="future")[0].text == "Approved"


def test_a_wallet_is_paid_by_hand(ada: Partner) -> None:
    path = "/payouts/preferences"
    ada.send(ada.get(path), path, preferred_payout_type="crypto", wallet_address="0x" + "12" * 20)
    ada.earn(5_000)
    told = lines(ada.get(NEW))
    assert told["Goes out"] == "By hand, soon"
    assert "In your bank" not in told
