"""The card that says when money moves next, and how far it is to the minimum."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portal.wiring import services
from tests.web.pages.conftest import TEST, Partner

pytestmark = pytest.mark.usefixtures("on_friday")


def automatic(partner: Partner, path: str = "/payouts/preferences") -> None:
    assert partner.send(partner.get(path), path, automatic="true").status == 303


def card(partner: Partner) -> str:
    return partner.get("/dashboard").html.one("section", id="next_payout").text


def test_without_automatic_payouts_the_affiliate_begins_and_reads_when_the_next_run_is(
    verified: Partner,
) -> None:
    assert card(verified) == (
        "Next payout Payouts run when you request one. What is approved goes out next on 28 Nov 2031, 10:00 UTC."
        " Payout preferences"
    )


@pytest.mark.settings(PORTAL_PAYOUT_SCHEDULE="weekly:wed")
def test_an_automatic_payout_has_its_day_and_its_amount(verified: Partner) -> None:
    automatic(verified)
    assert "3 Dec 2031, 00:00 UTC, automatically. If nothing changes until then, it will be $412.50." in card(
        verified
    )
    assert "We review it first" not in card(verified)
    verified.earn(60_000, reference="order-2")
    assert "it will be $1,012.50. We review it first; reviews usually take up to 2" in card(verified)


def test_an_automatic_payout_that_would_not_be_made_says_why(ada: Partner) -> None:
    ada.earn(1_200)
    automatic(ada)
    assert "Nothing is paid out before this is so: “Finish your Stripe set-up”." in card(ada)
    ada.set_up()
    assert (
        "1 Dec 2031, 00:00 UTC, automatically. If nothing changes until then, there will be $12.00. That is less than"
        " the minimum of $25.00, so nothing is paid out yet." in card(ada)
    )
    threshold = ada.get("/dashboard").html.one(id="minimum").text
    assert "You are paid automatically once you reach it, next on 1 Dec 2031." in threshold
    ada.earn(5_000, reference="order-2")
    reference = ada.get(
        ada.send(ada.get("/payouts/new"), "/payouts", amount="30.00").location
    ).heading.split()[-1]
    assert f"Only if {reference} is finished by then." in card(ada)
    assert f"{reference} goes out on 28 Nov 2031, 10:00 UTC." in card(ada)


def test_after_a_change_of_bank_the_form_and_the_payout_name_the_first_run_after_the_wait(
    verified: Partner,
) -> None:
    payout = verified.send(verified.get("/payouts/new"), "/payouts", amount="100.00").location
    verified.meet("change_bank")
    verified.clock.advance(seconds=16)
    verified.post("/stripe/sync")
    verified.pays()
    page = verified.get(payout)
    assert "Held because your bank account at Stripe changed a short while ago." in page.said
    assert "It goes out by itself on 29 Nov 2031, 10:00 UTC." in page.said
    assert "Expected on 29 Nov 2031, 10:00 UTC" in page.html.one("ol", class_="timeline").text
    assert "is on hold; its page says why." in card(verified)
    verified.post(f"{payout.partition('?')[0]}/cancel")
    assert "29 Nov 2031, 10:00 UTC" in verified.get("/payouts/new?amount=50.00").html.one(id="quote").text


@pytest.mark.settings(PORTAL_AUTO_APPROVE_LIMIT="usd:1000")
def test_what_waits_for_approval_is_promised_no_time(verified: Partner) -> None:
    verified.send(verified.get("/payouts/new"), "/payouts")
    assert "waits for approval. Once it has it, it goes out with the next run." in card(verified)
    assert "10:00 UTC" not in card(verified)


@pytest.mark.settings(PORTAL_PAYOUT_SCHEDULE="manual")
def test_who_chose_automatic_payouts_of_a_programme_without_days_reads_that(verified: Partner) -> None:
    automatic(verified)
    assert "No day is set for automatic payouts at the moment." in card(verified)


def test_while_sending_is_stopped_no_time_is_promised_anywhere(verified: Partner) -> None:
    payout = verified.send(verified.get("/payouts/new"), "/payouts").location
    assert "on 28 Nov 2031, 10:00 UTC" in verified.get(payout).said
    with verified.app.app_context():
        services().payout_control.halt(cause=replace(TEST, reason="looking at something"))
    assert "No time is set for sending at the moment." in card(verified)
    page = verified.get(payout)
    assert "Approved. It goes out with the next run." in page.said
    assert "10:00 UTC" not in page.said
    assert "looking at something" not in page.said + card(verified)


def test_a_wallet_is_paid_by_hand(ada: Partner) -> None:
    path = "/payouts/preferences"
    ada.send(ada.get(path), path, preferred_payout_type="crypto", wallet_address="0x" + "12" * 20)
    assert "What is approved is sent to your wallet by hand." in card(ada)


def test_the_card_changes_with_the_status(ada: Partner) -> None:
    automatic(ada)
    ada.earn(41_250)
    waiting = ada.get(ada.set_up("review").location)
    ada.meet("approve")
    with ada.app.app_context():
        services().accounts.sync(ada.id, cause=TEST)
    fragment = ada.ask(waiting.html.one("section", id="stripe_card").attributes["hx-get"])
    part = fragment.html.one("section", id="next_payout")
    assert part.attributes["hx-swap-oob"] == "true"
    assert "it will be $412.50" in part.text


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(
            "The minimum in USD is set by Partner portal.",
            marks=pytest.mark.settings(PORTAL_MINIMUM_PAYOUT="usd:10000"),
        ),
        pytest.param(
            "Partner portal has set no minimum for USD; this one is for all such currencies.",
            marks=pytest.mark.settings(PORTAL_MINIMUM_PAYOUT="eur:10000"),
        ),
    ],
)  # fmt: skip
def test_the_minimum_says_whose_rule_it_is(ada: Partner, words: str) -> None:
    ada.set_up()
    ada.earn(1_200)
    for path in ("/dashboard", "/payouts/new"):
        assert words in ada.get(path).html.one(id="minimum").text
