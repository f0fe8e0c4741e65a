"""What an affiliate reads about their Stripe account, in every state it can be in."""

from __future__ import annotations

import pytest

from portal.services.affiliates import AffiliateData
from portal.wiring import services
from tests.web.pages.conftest import TEST, Partner

PENDING = "⏳ Your Stripe account verification is pending"
VERIFIED = "✓ Verified"
RESTRICTED = "⚠️ Your Stripe account is restricted"
REJECTED = "❌ Your Stripe account was rejected"


def test_before_any_set_up_the_badge_says_so_and_one_button_helps(ada: Partner) -> None:
    page = ada.get("/dashboard")
    assert page.badge.content == "Not set up yet"
    assert page.badge.attributes["data-stripe-account-status"] == "none"
    assert [button.text for button in page.html.one("main").all("button")] == ["Set up Stripe payouts"]


@pytest.mark.parametrize(
    ("fate", "status", "words", "next_step"),
    [
        ("start_over", "pending", PENDING, "Continue on Stripe"),
        ("review", "pending", PENDING, "Nothing is needed from you"),
        ("under_review", "pending", PENDING, "Nothing is needed from you"),
        ("approve", "verified", VERIFIED, "Manage on Stripe"),
        ("due", "verified", VERIFIED, "Update on Stripe"),
        ("restrict", "restricted", RESTRICTED, "Fix on Stripe"),
        ("pause", "restricted", RESTRICTED, "There is nothing to fill in"),
        ("lose_transfers", "pending", PENDING, "Nothing is needed from you"),
        ("remove_bank", "restricted", RESTRICTED, "A bank account to pay into"),
        ("deauthorise", "restricted", RESTRICTED, "Set up Stripe payouts"),
        ("due_later", "verified", VERIFIED, "Update on Stripe"),
        ("change_bank", "verified", VERIFIED, "To protect you, no payout is sent before"),
        ("reject", "rejected", REJECTED, "Contact support"),
    ],
)
def test_each_state_has_its_fixed_words_and_a_next_step(
    ada: Partner, fate: str, status: str, words: str, next_step: str
) -> None:
    ada.set_up()
    ada.meet(fate)
    ada.clock.advance(seconds=16)
    ada.post("/stripe/sync")
    page = ada.get("/dashboard")
    assert page.badge.attributes["data-stripe-account-status"] == status
    assert page.badge.content == words
    assert next_step in page.said


def test_what_stripe_wants_is_listed_in_plain_words_with_what_was_wrong(ada: Partner) -> None:
    ada.set_up("restrict")
    wanted = ada.get("/dashboard").html.one("ul", class_="wanted").text
    assert "A photo of your passport, driving licence or ID card – " in wanted
    assert "individual." not in wanted


def test_a_deadline_is_named_while_payouts_still_work(ada: Partner) -> None:
    ada.set_up()
    ada.meet("due")
    ada.clock.advance(seconds=16)
    ada.post("/stripe/sync")
    said = ada.get("/dashboard").said
    assert "Action needed by" in said
    assert "or payouts will stop" in said


def test_a_review_that_takes_longer_than_a_week_is_not_left_uncommented(ada: Partner) -> None:
    ada.set_up("review")
    ada.wait(days=6)
    assert "We will e-mail you when it changes." in ada.get("/dashboard").said
    ada.wait(days=3)
    said = ada.get("/dashboard").said
    assert "This is taking longer than usual (9 days). We have been told and are looking at it." in said
    assert "We will e-mail you" not in said


def test_whoever_finishes_late_is_not_told_that_the_review_takes_long(ada: Partner) -> None:
    ada.set_up("review")
    ada.meet("start_over")
    ada.wait(seconds=16)
    ada.post("/stripe/sync")
    ada.wait(days=20)
    ada.meet("review")
    ada.post("/stripe/sync")
    assert "Nothing is needed from you" in ada.get("/dashboard").said


def test_nobody_without_an_address_is_promised_a_mail(ada: Partner) -> None:
    ada.set_up("review")
    with ada.app.app_context():
        services().affiliates.put(ada.row().code, AffiliateData(email=""), cause=TEST)
    assert "e-mail" not in ada.get("/dashboard").said


def test_the_note_about_a_changed_bank_goes_when_payouts_go_again(ada: Partner) -> None:
    ada.set_up()
    ada.meet("change_bank")
    ada.wait(seconds=16)
    ada.post("/stripe/sync")
    page = ada.get("/dashboard")
    assert "Stripe has updated your account." in page.html.one(class_="banner tone--info").text
    assert "Your bank account at Stripe was changed on" in page.said
    ada.wait(hours=24)
    assert "was changed on" not in ada.get("/dashboard").said


def test_who_chose_crypto_reads_how_to_come_back_to_stripe(ada: Partner) -> None:
    ada.post("/payouts/preferences", {"preferred_payout_type": "crypto", "wallet_address": "0x" + "ab" * 20})
    page = ada.get("/dashboard")
    assert "You have chosen crypto" in page.said
    assert page.badge.content == "Not set up yet"
    assert not page.html.all("form", action="/stripe/onboarding")


def test_the_status_page_itself_is_a_whole_page(ada: Partner) -> None:
    page = ada.get("/stripe/status")
    assert page.heading == "Your Stripe account"
    assert page.badge.content == "Not set up yet"
