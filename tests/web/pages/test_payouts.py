"""Requesting a payout, and following it until it is sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.services.journal import Cause
from portal.wiring import services
from tests.web.pages.conftest import Partner
from tests.web.pages.visitor import Page

NEW, ALL = "/payouts/new", "/payouts"


def _requested(partner: Partner, amount: str = "") -> Page:
    page = partner.send(partner.get(NEW), ALL, amount=amount)
    assert page.status == 303, page.said
    return partner.get(page.location)


def _open_path(page: Page) -> str:
    return f"/payouts/{page.html.one(data_payout_id=None).attributes['data-payout-id']}"


@pytest.mark.parametrize(
    ("outcome", "words", "button"),
    [
        (None, "Your Stripe account verification is pending.", "Set up Stripe payouts"),
        ("leave", "Your Stripe account verification is pending.", "Continue on Stripe"),
        ("review", "Your Stripe account verification is pending.", None),
        ("restrict", "Your Stripe account is restricted. Please complete verification.", "Fix on Stripe"),
        ("reject", "Your Stripe account was rejected. Please contact support.", None),
    ],
)
def test_who_cannot_be_paid_reads_why_and_what_helps_and_a_request_is_refused_in_the_same_words(
    ada: Partner, outcome: str | None, words: str, button: str | None
) -> None:
    ada.earn(41_250)
    if outcome:
        ada.set_up(outcome)
    page = ada.get(NEW)
    assert page.status == 200
    assert page.heading == "You can't request a payout yet"
    assert words in page.said
    assert [each.text for each in page.html.one("main").all("button")] == ([button] if button else [])
    refused = ada.post(ALL, {"request_key": "a-key", "amount": ""})
    assert refused.status == 409
    assert refused.problems == [words]
    assert refused.said.count(words) == 1
    assert not ada.get(ALL).html.all(data_payout_id=None)


def test_an_affiliate_on_hold_is_told_so_before_anything_else(verified: Partner) -> None:
    with verified.app.app_context():
        services().affiliates.block(
            verified.row().code, message="We are checking something.", cause=Cause.system("a test")
        )
    words = "Your account is on hold. Please contact support."
    assert words in verified.get(NEW).said
    assert verified.post(ALL, {"request_key": "a-key"}).problems == [words]
    dashboard = verified.get("/dashboard")
    assert "We are checking something." in dashboard.said
    assert "Payouts paused by Partner portal" in dashboard.said
    assert not dashboard.html.all("form", action="/stripe/onboarding")


def test_a_request_leads_to_its_own_page_with_reference_amount_and_timeline(verified: Partner) -> None:
    page = _requested(verified)
    row = page.html.one(data_payout_id=None)
    assert row.attributes["data-payout-status"] == "approved"
    assert page.html.one("data", class_="money").attributes["value"] == "41250"
    assert "$412.50" in page.said
    assert (
        "Payout requested. Reference P-" in page.html.one(role="alert", class_="banner tone--verified").text
    )
    steps = [item.one("strong").text for item in page.html.one("ol", class_="timeline").all("li")]
    assert steps == ["Requested", "Approved", "Sent", "On its way to your bank", "Arrived"]
    assert page.html.one("li", aria_current="step").one("strong").text == "Approved"


def test_the_same_form_sent_twice_is_one_request(verified: Partner) -> None:
    form = verified.get(NEW)
    first = verified.send(form, ALL, amount="100.00")
    second = verified.send(form, ALL, amount="200.00")
    assert first.location == second.location
    assert len(verified.get(ALL).html.all(data_payout_id=None)) == 1


@pytest.mark.parametrize("typed", ["12,50", "abc", "-5", "100.005", "1.00", "9999999", "1 000", "1" * 40])
def test_an_amount_that_cannot_be_paid_is_said_at_the_field_and_stays_as_typed(
    verified: Partner, typed: str
) -> None:
    before = verified.get(NEW)
    page = verified.send(before, ALL, amount=typed)
    assert page.status == 422
    assert page.html.one(id="error-summary").one("a").attributes["href"] == "#amount"
    assert page.problems[0] in page.html.one(id="amount-error").text
    field = page.html.one("input", name="amount")
    assert field.attributes["value"] == typed
    assert field.attributes["aria-invalid"] == "true"
    assert page.form(ALL)["request_key"] == before.form(ALL)["request_key"]


def test_a_form_without_its_key_is_refused_and_comes_back_with_a_new_one(verified: Partner) -> None:
    page = verified.post(ALL, {"amount": "50.00"})
    assert page.status == 422
    assert len(page.form(ALL)["request_key"]) >= 24
    assert not page.html.one(id="error-summary").all("a")


@pytest.mark.settings(PORTAL_PAYOUT_REQUEST_RATE="1 per hour")
def test_too_many_requests_say_when_to_ask_again(verified: Partner) -> None:
    verified.post(f"{_open_path(_requested(verified))}/cancel")
    page = verified.post(ALL, {"request_key": "another"})
    assert page.status == 429
    assert page.response.headers["Retry-After"] == "3600"
    assert page.problems[0].startswith("Too many payout requests. You can ask again")
    assert "Nothing was requested" in verified.get(NEW).said


def test_while_one_payout_is_open_the_page_names_it(verified: Partner) -> None:
    reference = _requested(verified).heading.removeprefix("Payout ")
    page = verified.get(NEW)
    assert page.heading == "You can't request a payout yet"
    assert reference in page.said
    assert f"See {reference}" in [link.text for link in page.html.one("main").all("a", href=None)]


def test_below_the_minimum_there_is_no_form_but_how_much_is_missing(ada: Partner) -> None:
    ada.set_up()
    ada.earn(1_200)
    page = ada.get(NEW)
    assert page.heading == "You can't request a payout yet"
    for each in (page, ada.get("/dashboard")):
        assert "$12.00 of $25.00. $13.00 to go." in each.said
        progress = each.html.one("progress")
        assert (progress.attributes["value"], progress.attributes["max"]) == ("1200", "2500")


def test_a_held_payout_says_why_where_to_go_and_once_that_is_gone_that_the_next_run_takes_it(
    verified: Partner,
) -> None:
    receipt = verified.send(verified.get(NEW), ALL).location
    assert "Payout requested." in verified.get(receipt).said
    verified.meet("restrict")
    verified.get("/stripe/return")
    page = verified.get(receipt)
    assert page.html.one(data_payout_id=None).attributes["data-payout-status"] == "held"
    assert "Held because Stripe does not have you as verified at the moment." in page.said
    assert page.html.one("main").one("a", class_="button").attributes["href"] == "/dashboard"
    assert "Payout requested." not in page.said
    poll = page.html.one(id="payout").attributes["hx-get"]
    assert verified.ask(poll).status == 204
    verified.meet("approve")
    verified.get("/stripe/return")
    page = verified.ask(poll)
    assert "Nothing stands in its way any more. It goes out with the next run, on " in page.said
    assert "Held because" not in page.said


def test_the_page_of_a_moving_payout_looks_again_and_is_left_alone_until_something_happened(
    verified: Partner,
) -> None:
    page = _requested(verified)
    part = page.html.one(id="payout")
    assert part.attributes["hx-trigger"] == "every 5s"
    url = part.attributes["hx-get"]
    assert verified.ask(url).status == 204
    verified.pays()
    after = verified.ask(url)
    assert after.status == 200
    assert after.html.one(data_payout_id=None).attributes["data-payout-status"] == "paid"
    assert after.html.one(id="payout").attributes["hx-trigger"] == "every 30s"
    assert after.html.one(id="live").text.endswith(": Sent")
    assert len(after.response.data) < 6_000


def test_a_sent_payout_shows_when_and_by_which_transfer(verified: Partner) -> None:
    path = _open_path(_requested(verified))
    verified.pays()
    page = verified.get(path)
    assert "Sent to your Stripe account on" in page.said
    assert any(code.text.startswith("tr_") for code in page.html.all("code"))
    assert not page.html.all("form", action=f"{path}/cancel")


@pytest.mark.settings(PORTAL_AUTO_APPROVE_LIMIT="usd:100")
def test_a_request_that_waits_for_too_long_says_so_by_itself(verified: Partner) -> None:
    path = _open_path(_requested(verified))
    assert "Reviews usually take up to 2 business days." in verified.get(path).said
    verified.wait(days=5)
    assert "This is taking longer than usual." in verified.get(path).said


def test_canceling_gives_the_money_back_and_can_be_done_twice(verified: Partner) -> None:
    path = _open_path(_requested(verified))
    page = verified.send(verified.get(path), f"{path}/cancel")
    assert (page.status, page.location) == (303, path)
    after = verified.get(path)
    assert after.html.one(data_payout_id=None).attributes["data-payout-status"] == "canceled"
    assert "You canceled this request." in after.said
    assert verified.post(f"{path}/cancel").status == 303
    assert "$412.50" in verified.get("/dashboard").html.one("dd", data_balance="available").text


def test_what_was_sent_meanwhile_cannot_be_canceled_and_the_page_says_why(verified: Partner) -> None:
    path = _open_path(_requested(verified))
    verified.pays()
    page = verified.post(f"{path}/cancel")
    assert page.status == 409
    assert page.problems
    assert page.html.one(data_payout_id=None).attributes["data-payout-status"] == "paid"


def test_somebody_elses_payout_is_not_there(verified: Partner, new_partner: Callable[[str], Partner]) -> None:
    path = _open_path(_requested(verified))
    ben = new_partner("ben")
    assert ben.get(path).status == 404
    assert ben.post(f"{path}/cancel").status == 404
    assert ben.get("/payouts/not-an-id").status == 404


def test_the_list_shows_each_payout_in_words_and_filters_by_status(verified: Partner) -> None:
    _requested(verified)
    row = verified.get(ALL).html.one("tr", data_payout_id=None)
    assert row.one("strong").text == "Approved"
    assert row.attributes["data-payout-status"] == "approved"
    assert len(verified.get(f"{ALL}?status=approved").html.all(data_payout_id=None)) == 1
    none = verified.get(f"{ALL}?status=paid")
    assert not none.html.all(data_payout_id=None)
    assert "No payouts match these filters." in none.said


@pytest.mark.parametrize(
    "query", ["status=stolen", "before=x", "before=-1", "before=" + "9" * 30, "before=1%00"]
)
def test_a_filter_that_is_none_is_refused(ada: Partner, query: str) -> None:
    assert ada.get(f"{ALL}?{query}").status == 422


def test_without_payouts_the_list_says_what_is_missing(ada: Partner) -> None:
    assert "No payouts yet. You have $0.00; the minimum is $25.00." in ada.get(ALL).said


def test_older_payouts_are_a_link_away(ada: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    ada.set_up()
    monkeypatch.setattr("portal.web.payouts.PAGE_ROWS", 2)
    references = []
    for number in range(3):
        ada.earn(5_000, reference=f"order-{number}")
        page = _requested(ada)
        references.append(page.heading.removeprefix("Payout "))
        ada.post(f"{_open_path(page)}/cancel")
    first = ada.get(ALL)
    assert [row.one("a").text for row in first.html.all("tr", data_payout_id=None)] == references[:0:-1]
    older = ada.get(first.html.one("nav", aria_label="Pages").one("a").attributes["href"])
    assert [row.one("a").text for row in older.html.all("tr", data_payout_id=None)] == references[:1]


def test_a_payout_that_stripe_refused_says_where_the_money_is_and_not_what_stripe_told_the_platform(
    verified: Partner,
) -> None:
    payout = verified.send(verified.get("/payouts/new"), "/payouts").location
    refusal = {
        "method": "POST", "path_prefix": "/v1/transfers", "fault": "400_saved", "code": "amount_too_small",
        "message": "Funds can't be sent to accounts located in US.", "times": 1,
    }  # fmt: skip
    assert verified.stand_in.test_client().post("/sandbox/api/faults", json=refusal).status_code == 201
    verified.pays()
    page = verified.get(payout.partition("?")[0])
    assert page.html.one("div", data_payout_id=None).attributes["data-payout-status"] == "failed"
    assert "The money is back in your available balance." in page.said
    assert "quote P-" in page.said
    assert "located in US" not in page.said
