"""The round trip to Stripe and back, with and without JavaScript, and when Stripe does not answer."""

from __future__ import annotations

import dataclasses
from urllib.parse import urlsplit

import pytest

from portal.wiring import services
from tests.fakes.wsgi_stripe import BASE_URL
from tests.web.pages.conftest import Partner

NOT_OPENED = "We could not open Stripe. Nothing was changed. Try again."
NOT_REACHED = "Could not reach Stripe. Your set-up may still have gone through. Try again in a minute."


def test_the_button_leads_to_stripe(ada: Partner) -> None:
    page = ada.send(ada.get("/dashboard"), "/stripe/onboarding")
    assert page.status == 303
    assert page.location.startswith(BASE_URL)


def test_a_program_gets_the_address_as_json(ada: Partner) -> None:
    page = ada.post("/stripe/onboarding", headers={"Accept": "application/json"})
    assert page.status == 200
    assert page.response.json is not None
    assert page.response.json["url"].startswith(BASE_URL)


@pytest.mark.parametrize("boosted", ["true", "false"])
def test_htmx_is_told_to_leave_in_a_header_and_not_by_a_redirect_it_could_not_follow(
    ada: Partner, boosted: str
) -> None:
    page = ada.post("/stripe/onboarding", headers={"HX-Request": "true", "HX-Boosted": boosted})
    assert page.status == 200
    assert page.response.headers["HX-Redirect"].startswith(BASE_URL)


@pytest.mark.settings(STRIPE_API_BASE="http://127.0.0.1:5999")
def test_nobody_is_sent_to_an_address_that_is_not_stripes(ada: Partner) -> None:
    # the stand-in names its own address in its links, and that is not the configured one here
    page = ada.post("/stripe/onboarding")
    assert page.status == 500
    assert "Location" not in page.response.headers
    assert "127.0.0.1" not in page.said


def test_a_refusal_is_a_page_that_says_why_and_a_problem_for_programs(ada: Partner) -> None:
    ada.set_up("reject")
    words = "Your Stripe account was rejected. Please contact support."
    page = ada.post("/stripe/onboarding")
    assert page.status == 409
    assert words in page.said
    problem = ada.post("/stripe/onboarding", headers={"Accept": "application/json"})
    assert problem.status == 409
    assert problem.response.mimetype == "application/problem+json"
    assert problem.response.json is not None
    assert problem.response.json["detail"] == words


def test_where_stripe_makes_no_accounts_the_page_says_that_it_is_nobodys_fault_here(ada: Partner) -> None:
    ada.stand_in.test_client().post("/sandbox/api/platform", json={"accounts_v1": False})
    page = ada.post("/stripe/onboarding")
    assert page.status == 409
    assert "This is not your fault, and nothing was changed." in page.said
    assert "STRIPE_ACCOUNTS_API" not in page.said
    assert "Accounts v1" not in page.said


def test_a_country_that_stripe_refuses_is_named_and_another_way_offered(ada: Partner) -> None:
    ada.stand_in.test_client().post("/sandbox/api/platform", json={"closed_countries": ["DE"]})
    page = ada.post("/stripe/onboarding")
    assert page.status == 409
    assert "Stripe cannot pay partners in Germany yet. Choose another way to be paid." in page.said


def test_when_stripe_is_away_the_affiliate_is_back_with_a_banner_and_a_program_gets_503(ada: Partner) -> None:
    ada.is_away()
    page = ada.post("/stripe/onboarding")
    assert (page.status, page.location) == (303, "/dashboard")
    assert ada.get(page.location).html.one(class_="banner tone--pending").text == NOT_OPENED
    problem = ada.post("/stripe/onboarding", headers={"Accept": "application/json"})
    assert problem.status == 503
    assert problem.response.mimetype == "application/problem+json"


def test_coming_back_asks_stripe_and_the_page_asks_for_news_by_itself(ada: Partner) -> None:
    back = ada.set_up("review")
    assert back.status == 303
    page = ada.get(back.location)
    card = page.html.one(id="stripe_card")
    assert page.badge.attributes["data-stripe-account-status"] == "pending"
    assert "Checking with Stripe" in card.text
    assert card.attributes["hx-trigger"] == "every 3s"
    assert card.attributes["hx-get"].startswith("/stripe/status?seen=")


def test_coming_back_already_verified_needs_no_polling(ada: Partner) -> None:
    page = ada.get(ada.set_up("approve").location)
    assert "You're all set" in page.said
    assert "hx-trigger" not in page.html.one(id="stripe_card").attributes


def test_coming_back_without_finishing_is_not_taken_for_success(ada: Partner) -> None:
    page = ada.get(ada.set_up("leave").location)
    assert "Complete setup" in page.said
    assert page.badge.attributes["data-stripe-account-status"] == "pending"
    assert page.html.one(id="go-to-stripe").text == "Continue on Stripe"


def test_coming_back_while_stripe_is_away_says_so_and_goes_on_asking(ada: Partner) -> None:
    ada.set_up("review")
    ada.is_away("/v1/accounts", method="GET")
    page = ada.get(ada.get("/stripe/return").location)
    assert page.html.one(class_="banner tone--pending").text == NOT_REACHED
    assert page.html.one(id="stripe_card").attributes["hx-trigger"] == "every 3s"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/dashboard?stripe=return", "/stripe/return"),
        ("/dashboard?stripe=refresh", "/stripe/refresh"),
        ("/affiliates?setup=success", "/stripe/return"),
        ("/affiliates", "/dashboard"),
        ("/", "/dashboard"),
    ],
)
def test_addresses_of_the_programmes_documents_lead_on(ada: Partner, path: str, target: str) -> None:
    page = ada.get(path)
    assert (page.status, page.location) == (303, target)


def _poll_url(ada: Partner, outcome: str = "review") -> str:
    page = ada.get(ada.set_up(outcome).location)
    return page.html.one(id="stripe_card").attributes["hx-get"]


def test_a_poll_without_news_leaves_the_page_alone(ada: Partner) -> None:
    page = ada.ask(_poll_url(ada))
    assert page.status == 204
    assert not page.response.data


def test_a_poll_with_news_brings_the_card_the_next_step_and_one_sentence(ada: Partner) -> None:
    url = _poll_url(ada)
    ada.meet("approve")
    ada.clock.advance(seconds=16)
    page = ada.ask(url)
    assert page.status == 200
    assert not page.html.all("html")
    assert page.badge.content == "✓ Verified"
    assert "hx-trigger" not in page.html.one(id="stripe_card").attributes
    assert page.html.one(id="next_step").attributes["hx-swap-oob"] == "true"
    assert page.html.one(id="live").text == "Your Stripe account is now verified."
    assert len(page.response.data) < 6_000


def test_a_poll_with_news_that_is_not_the_end_goes_on(ada: Partner) -> None:
    url = _poll_url(ada, "leave")
    ada.meet("review")
    ada.clock.advance(seconds=16)
    card = ada.ask(url).html.one(id="stripe_card")
    assert card.attributes["hx-get"] != url
    assert card.attributes["hx-trigger"] == "every 3s"


def test_polling_ends_after_90_seconds_with_an_honest_sentence(ada: Partner) -> None:
    url = _poll_url(ada)
    ada.clock.advance(seconds=89)
    assert ada.ask(url).status == 204
    ada.clock.advance(seconds=1)
    page = ada.ask(url)
    words = "Stripe is still checking. You can close this page; the status here updates by itself."
    assert "hx-trigger" not in page.html.one(id="stripe_card").attributes
    assert words in page.said
    assert page.html.one(id="live").text == words


@pytest.mark.parametrize("mark", ["", "made-up", "W10.x", "." * 500])
def test_a_mark_that_is_not_ours_starts_no_polling(ada: Partner, mark: str) -> None:
    ada.set_up("review")
    page = ada.get("/dashboard", query_string={"since": mark})
    assert "hx-trigger" not in page.html.one(id="stripe_card").attributes


def test_the_second_refresh_within_a_minute_shows_a_page_instead_of_looping(ada: Partner) -> None:
    ada.set_up("leave")
    first = ada.get("/stripe/refresh")
    assert first.status == 303
    assert urlsplit(first.location).path.startswith("/connect/")
    second = ada.get("/stripe/refresh")
    assert second.status == 200
    assert second.heading == "Your Stripe link has expired"
    assert second.form("/stripe/onboarding")
    ada.clock.advance(seconds=61)
    assert ada.get("/stripe/refresh").status == 303


def test_check_status_says_that_nothing_changed(ada: Partner) -> None:
    ada.set_up("review")
    ada.clock.advance(seconds=16)
    page = ada.send(ada.get("/dashboard"), "/stripe/sync")
    assert page.status == 303
    words = "No change yet. Stripe has not updated your account since last time."
    assert ada.get(page.location).html.one(class_="banner tone--info").text == words
    fragment = ada.post("/stripe/sync", headers={"HX-Request": "true"})
    assert words in fragment.html.one(id="stripe_card").text
    assert fragment.html.one(id="live").text == words


def test_check_status_says_what_changed(ada: Partner) -> None:
    ada.set_up("review")
    ada.meet("approve")
    ada.clock.advance(seconds=16)
    fragment = ada.post("/stripe/sync", headers={"HX-Request": "true"})
    assert fragment.badge.content == "✓ Verified"
    assert fragment.html.one(id="live").text == "Your Stripe account is now verified."


def test_check_status_while_stripe_is_away_keeps_the_last_known_state(ada: Partner) -> None:
    ada.set_up("approve")
    ada.clock.advance(seconds=16)
    ada.is_away("/v1/accounts", method="GET")
    page = ada.get(ada.post("/stripe/sync").location)
    assert page.html.one(class_="banner tone--pending").text == NOT_REACHED
    assert page.badge.content == "✓ Verified"


def test_the_stripe_dashboard_opens_with_a_fresh_link(ada: Partner) -> None:
    ada.set_up("approve")
    first, second = ada.post("/stripe/dashboard"), ada.post("/stripe/dashboard")
    assert first.status == second.status == 303
    assert first.location.startswith(BASE_URL)
    assert first.location != second.location


@pytest.mark.parametrize("way", ["v1", "v2"])
@pytest.mark.settings(STRIPE_COUNTRIES="US:full")
def test_a_country_that_is_not_served_is_said_before_any_account_is_made(
    ada: Partner, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ada.app.app_context():
        making = vars(services().onboarding)["_making"]
        monkeypatch.setattr(
            making, "_settings", dataclasses.replace(services().settings, stripe_accounts_api=way)
        )
    card = ada.get("/dashboard")
    assert "Stripe cannot pay partners in Germany yet. Choose another way to be paid." in card.said
    assert not card.html.all("form", action="/stripe/onboarding")
    assert ada.post("/stripe/onboarding").status == 409
    refused = ada.post("/stripe/onboarding", headers={"Accept": "application/json"})
    assert refused.response.json is not None
    assert (refused.status, refused.response.json["code"]) == (409, "country_not_served")
    assert "Stripe cannot pay partners in DE yet." in refused.response.json["detail"]
    state = ada.stand_in.test_client().get("/sandbox/api/state").get_json()
    assert state["accounts"] == []


def test_connecting_anew_is_held_to_the_countries_of_today(
    ada: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada.set_up()
    with ada.app.app_context():
        served = dataclasses.replace(services().settings, stripe_countries={"US": "full"})
        for service in (services(), services().onboarding):
            monkeypatch.setattr(service, "settings" if service is services() else "_settings", served)
    assert ada.post("/stripe/onboarding").status == 303  # whoever has an account keeps it
    ada.meet("deauthorise")
    ada.clock.advance(seconds=16)
    ada.post("/stripe/sync")
    page = ada.get("/dashboard")
    assert "Stripe cannot pay partners in Germany yet." in page.said
    assert not page.html.all("form", action="/stripe/onboarding")
    assert ada.post("/stripe/onboarding").status == 409


def test_whoever_was_disconnected_connects_anew_and_reads_that_payouts_wait(ada: Partner) -> None:
    ada.set_up()
    old = ada.row().stripe_account_id
    ada.meet("delete")
    ada.clock.advance(seconds=16)
    ada.post("/stripe/sync")
    assert "no longer connected" in ada.get("/dashboard").said
    ada.set_up()
    assert ada.row().stripe_account_id not in {old, None}
    page = ada.get("/dashboard")
    assert page.badge.content == "✓ Verified"
    assert "To protect you, no payout is sent before" in page.said
