"""What is sensitive asks for a sign-in of the last 30 minutes: whoever signed in before does it again at the provider,
finds the form as they had typed it, and sends it themselves.
"""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from portal.sandbox.app import create_sandbox
from portal.sandbox.config import SandboxConfig
from portal.sandbox.manners import Manners
from tests.clocks import MovableClock
from tests.fakes.real_providers import OF_COGNITO, OF_GOOGLE
from tests.fakes.wsgi_requests import answered_by
from tests.web.access.journey import Browser, Visitor, parameter

FORM = {"preferred_payout_type": "crypto", "wallet_address": "0x" + "ab" * 20}


@pytest.fixture
def ada(browser: Browser, clock: MovableClock) -> Browser:
    """An affiliate who signed in 31 minutes ago, when the provider's clock was ahead."""
    now = clock.real_now()
    clock.set(now - timedelta(minutes=31))
    browser.sign_in()
    assert browser.post("/affiliate", country="DE").status_code == 303
    clock.set(now)
    return browser


@pytest.fixture(scope="module")
def made_forgetful() -> Flask:
    """A provider that lets in whom it knows, asked to or not, and says truly how long ago it knew them."""
    long_ago = {"auth_time": 1_000_000_000}
    return create_sandbox(SandboxConfig(manners=Manners(in_id_token=lambda claims: claims | long_ago)))


def again_page(browser: Browser, refused: TestResponse) -> str:
    """Where the person is sent, and what they read there."""
    assert refused.status_code == 303
    assert refused.location.startswith("/login?again=1&next=/payouts/preferences?kept%3D")
    return browser.portal.get(refused.location).text


def way_on(page: str) -> str:
    found = re.search(r'href="(/login/[a-z]+\?again=1[^"]*)"', page)
    assert found
    return unescape(found[1])


def saved(browser: Browser) -> str:
    """How the person is paid now."""
    page = browser.portal.get("/payouts/preferences").text
    found = re.search(r'value="(fiat|crypto)" checked', page)
    assert found
    return found[1]


def test_the_form_is_found_again_as_it_was_typed_and_is_not_sent_by_itself(ada: Browser) -> None:
    page = again_page(ada, ada.post("/payouts/preferences", **FORM))
    assert "Sign in again to do this: your last sign-in was 31 minutes ago." in page
    back = ada.sign_in(way_on(page))
    assert back.location.startswith("/payouts/preferences?kept=")
    form = ada.portal.get(back.location).text
    assert "You have signed in again. Nothing was done yet." in form
    assert 'value="crypto" checked' in form
    assert FORM["wallet_address"] in form
    assert saved(ada) == "fiat"
    assert ada.post("/payouts/preferences", **FORM).location == "/payouts/preferences?saved=1"
    assert saved(ada) == "crypto"


def test_the_provider_is_told_to_ask_also_whom_it_knows(ada: Browser) -> None:
    address = ada.to_provider(way_on(again_page(ada, ada.post("/payouts/preferences", **FORM))))
    assert (parameter(address, "prompt"), parameter(address, "max_age")) == ("login", "0")


def test_any_sign_in_asks_for_its_time_and_nobody_for_their_password_because_of_it(ada: Browser) -> None:
    """Some providers say only then when somebody signed in; without that, the moment of coming back would count."""
    ordinary = ada.to_provider()
    assert "prompt=" not in ordinary
    assert int(parameter(ordinary, "max_age")) > timedelta(days=3_650).total_seconds() - 1


def test_somebody_else_who_comes_back_gets_nothing_of_it(ada: Browser) -> None:
    page = again_page(ada, ada.post("/payouts/preferences", **FORM))
    kept = parameter(parameter(way_on(page), "next"), "kept")
    back = ada.sign_in(way_on(page), person="person-ben")
    assert back.location == "/"
    assert ada.post("/affiliate", country="DE").status_code == 303
    form = ada.portal.get(f"/payouts/preferences?kept={kept}").text
    assert FORM["wallet_address"] not in form
    assert 'value="fiat" checked' in form


def test_a_provider_that_did_not_ask_is_said_so_and_nothing_is_done(
    ada: Browser, made_forgetful: Flask
) -> None:
    page = again_page(ada, ada.post("/payouts/preferences", **FORM))
    forgetful = Browser(ada.portal, made_forgetful.test_client())
    with answered_by(made_forgetful, at="http://127.0.0.1:5001/"):
        back = forgetful.sign_in(way_on(page))
    assert "Example ID let you in without asking." in ada.portal.get(back.location).text
    again_page(ada, ada.post("/payouts/preferences", **FORM))
    assert saved(ada) == "fiat"


def test_an_old_sign_in_at_the_provider_is_no_recent_one_here(
    browser: Browser, made_forgetful: Flask
) -> None:
    forgetful = Browser(browser.portal, made_forgetful.test_client())
    with answered_by(made_forgetful, at="http://127.0.0.1:5001/"):
        forgetful.sign_in()
    browser.post("/affiliate", country="DE")
    again_page(browser, browser.post("/payouts/preferences", **FORM))


def test_htmx_is_told_to_go_there_as_a_whole_page(ada: Browser) -> None:
    headers = {"HX-Request": "true", "X-CSRFToken": ada.csrf_token()}
    answer = ada.portal.post("/payouts/preferences", data=FORM, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/login?again=1&next=/payouts/preferences?kept%3D")


def test_a_form_of_another_site_is_refused_before_anything_is_kept(ada: Browser) -> None:
    assert ada.portal.post("/payouts/preferences", data=FORM).status_code == 400


def test_whoever_signed_in_lately_goes_straight_on(ada: Browser) -> None:
    ada.sign_in()
    answer = ada.portal.get("/login?again=1&next=/payouts")
    assert (answer.status_code, answer.location) == (303, "/payouts")


@pytest.mark.parametrize("kept", ["", "x", "00000000-0000-7000-8000-000000000000"])
def test_a_name_of_no_form_is_an_empty_form(ada: Browser, kept: str) -> None:
    assert ada.portal.get(f"/payouts/preferences?kept={kept}").status_code == 200


@pytest.mark.settings(**OF_COGNITO, **OF_GOOGLE)
def test_google_is_asked_in_its_own_word(visitor: Visitor) -> None:
    visitor.google.sign_in("/login/google", person="9a1b2c3d-0000-4444-8888-abcdefabcdef")
    assert parameter(visitor.google.to_provider("/login/google?again=1"), "prompt") == "select_account"
    assert parameter(visitor.cognito.to_provider("/login/cognito?again=1"), "prompt") == "login"
