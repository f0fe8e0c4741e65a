"""“Why can't I be paid?”, answered as a list wherever it is asked."""

from __future__ import annotations

from portal.wiring import services
from tests.web.pages.conftest import TEST, Partner
from tests.web.pages.visitor import Page


def states(page: Page) -> dict[str, str]:
    return {
        each.attributes["data-condition"]: each.attributes["data-state"]
        for each in page.html.all("li", data_condition=None)
    }


def next_step(page: Page) -> str:
    return page.html.one("li", aria_current="step").attributes["data-condition"]


def test_a_new_partner_sees_what_comes_first_and_what_after_it(ada: Partner) -> None:
    page = ada.get("/dashboard")
    assert states(page) == {
        "payout_way": "done", "stripe_set_up": "you", "stripe_verified": "later", "good_standing": "done",
        "minimum": "time", "no_open_payout": "done", "rate": "done",
    }  # fmt: skip
    assert next_step(page) == "stripe_set_up"
    assert "$0.00 of $25.00, the minimum" in page.said


def test_the_form_that_is_not_there_says_why_in_the_same_words(ada: Partner) -> None:
    ada.set_up("review")
    assert next_step(ada.get("/payouts/new")) == next_step(ada.get("/dashboard")) == "stripe_verified"
    assert states(ada.get("/payouts/new"))["stripe_verified"] == "stripe"


def test_nothing_in_the_way_is_one_sentence(verified: Partner) -> None:
    page = verified.get("/dashboard")
    assert "Nothing is stopping your payouts" in page.said
    assert states(page) == {}


def test_an_open_payout_is_named(verified: Partner) -> None:
    verified.send(verified.get("/payouts/new"), "/payouts", amount="30.00")
    page = verified.get("/dashboard")
    assert next_step(page) == "no_open_payout"
    assert page.html.one("li", aria_current="step").one("a").text.startswith("P-")


def test_with_everything_in_an_open_payout_that_comes_before_earning_more(verified: Partner) -> None:
    verified.send(verified.get("/payouts/new"), "/payouts")
    page = verified.get("/dashboard")
    assert states(page)["minimum"] == "time"
    assert next_step(page) == "no_open_payout"


def test_too_many_requests_name_the_moment_of_the_next(verified: Partner) -> None:
    for _ in range(5):
        payout = verified.send(verified.get("/payouts/new"), "/payouts", amount="30.00").location.split("?")[
            0
        ]
        verified.post(f"{payout}/cancel")
    assert next_step(verified.get("/dashboard")) == "rate"
    assert "You can ask again on" in verified.get("/payouts/new").said


def test_whom_an_operator_blocked_is_told_whose_move_it_is(verified: Partner) -> None:
    with verified.app.app_context():
        services().affiliates.block(verified.row().code, message="Please write to us.", cause=TEST)
    page = verified.get("/dashboard")
    assert (next_step(page), states(page)["good_standing"]) == ("good_standing", "us")


def test_the_list_changes_with_the_card_when_stripe_has_decided(ada: Partner) -> None:
    waiting = ada.get(ada.set_up("review").location)
    ada.meet("approve")
    with ada.app.app_context():
        services().accounts.sync(ada.id, cause=TEST)
    fragment = ada.ask(waiting.html.one("section", id="stripe_card").attributes["hx-get"])
    assert fragment.html.one("section", id="conditions").attributes["hx-swap-oob"] == "true"
    assert states(fragment)["stripe_verified"] == "done"
