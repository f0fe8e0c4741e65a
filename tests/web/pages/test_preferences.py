"""How an affiliate chooses to be paid."""

from __future__ import annotations

import pytest

from tests.web.pages.conftest import Partner

PATH = "/payouts/preferences"
WALLET = "0x" + "ab" * 20


def test_a_new_affiliate_is_paid_through_stripe_when_they_ask(ada: Partner) -> None:
    form = ada.get(PATH).form(PATH)
    assert form["preferred_payout_type"] == "fiat"
    assert form["automatic"] == "false"
    assert form["country"] == "DE"


def test_saving_leads_back_to_a_page_that_says_so_and_shows_the_next_step(ada: Partner) -> None:
    page = ada.send(ada.get(PATH), PATH)
    assert (page.status, page.location) == (303, f"{PATH}?saved=1")
    after = ada.get(page.location)
    assert after.html.one(role="alert", class_="banner tone--verified").text == "Saved."
    assert after.form("/stripe/onboarding")


def test_what_was_saved_is_shown(ada: Partner) -> None:
    ada.send(
        ada.get(PATH),
        PATH,
        preferred_payout_type="crypto",
        wallet_address=WALLET,
        automatic="true",
        country="FR",
    )
    form = ada.get(PATH).form(PATH)
    assert (form["preferred_payout_type"], form["wallet_address"]) == ("crypto", WALLET)
    assert (form["automatic"], form["country"]) == ("true", "FR")


@pytest.mark.parametrize("wallet", ["", "0x12", "<b>0x</b>"])
def test_crypto_without_a_wallet_is_said_at_the_field_and_what_was_typed_stays(
    ada: Partner, wallet: str
) -> None:
    page = ada.send(ada.get(PATH), PATH, preferred_payout_type="crypto", wallet_address=wallet)
    assert page.status == 422
    assert page.html.one(id="error-summary").one("a").attributes["href"] == "#wallet_address"
    assert page.problems[0] in page.html.one(id="wallet_address-error").text
    form = page.form(PATH)
    assert (form["preferred_payout_type"], form["wallet_address"]) == ("crypto", wallet)
    assert ada.get(PATH).form(PATH)["preferred_payout_type"] == "fiat"


def test_the_country_is_locked_once_there_is_a_stripe_account(ada: Partner) -> None:
    ada.set_up()
    page = ada.get(PATH)
    assert "country" not in page.form(PATH)
    assert "Germany" in page.said
    assert ada.post(PATH, {"country": "FR"}).status == 422


def test_nothing_changes_while_a_payout_is_open(verified: Partner) -> None:
    verified.send(verified.get("/payouts/new"), "/payouts")
    page = verified.send(verified.get(PATH), PATH, preferred_payout_type="crypto", wallet_address=WALLET)
    assert page.status == 409
    assert "is not finished yet" in page.problems[0]
    assert page.form(PATH)["wallet_address"] == WALLET


def test_a_form_without_its_token_writes_nothing(ada: Partner) -> None:
    answer = ada.client.post(PATH, data={"automatic": "true"})
    assert answer.status_code == 400
    assert not ada.row().automatic
