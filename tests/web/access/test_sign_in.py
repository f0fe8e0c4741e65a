"""Signing in and out, with Authlib's client against a real provider."""

from __future__ import annotations

import re

import pytest
from flask import Flask, Response

from portal.web.session_cookie import COOKIE
from portal.web.theme import Theme, keep_theme
from tests.clocks import MovableClock
from tests.fakes.wsgi_requests import WsgiAdapter, answered_by
from tests.web.access.journey import Browser, changed, parameter, path_of


class TestTheWay:
    def test_the_sign_in_page_has_a_plain_link_for_each_provider(self, browser: Browser) -> None:
        page = browser.portal.get("/login")
        assert page.status_code == 200
        assert re.search(
            r'<a[^>]* href="/login/sandbox"[^>]* hx-boost="false"[^>]*>[^<]*Example ID</a>', page.text
        )

    def test_it_is_a_page_also_for_somebody_who_is_signed_in(self, browser: Browser) -> None:
        browser.sign_in()
        assert "/login/sandbox" in browser.portal.get("/login").text

    def test_the_provider_is_asked_with_pkce_state_and_nonce(self, browser: Browser) -> None:
        address = browser.to_provider()
        assert parameter(address, "response_type") == "code"
        assert parameter(address, "code_challenge_method") == "S256"
        assert len(parameter(address, "code_challenge")) == 43
        assert len(parameter(address, "state")) >= 20
        assert len(parameter(address, "nonce")) >= 20

    def test_the_way_back_is_built_on_the_setting_whatever_the_host_header_says(
        self, browser: Browser
    ) -> None:
        response = browser.portal.get("/login/sandbox", headers={"Host": "evil.example"})
        assert parameter(response.location, "redirect_uri") == "http://127.0.0.1:5000/auth/sandbox/callback"

    def test_a_first_sign_in_leads_to_the_page_that_creates_the_affiliate(self, browser: Browser) -> None:
        response = browser.sign_in()
        assert (response.status_code, response.location) == (303, "/affiliate")
        assert "Create my affiliate account" in browser.portal.get("/affiliate").text

    def test_creating_the_affiliate_leads_to_the_preferences_and_again_creates_nothing_new(
        self, app: Flask, browser: Browser
    ) -> None:
        browser.sign_in()
        first, again = browser.post("/affiliate", country="DE"), browser.post("/affiliate", country="FR")
        assert [(each.status_code, each.location) for each in (first, again)] == [
            (303, "/payouts/preferences")
        ] * 2
        assert browser.portal.get("/affiliate").location == "/dashboard"
        assert 'data-stripe-account-status="none"' in browser.portal.get("/dashboard").text

    def test_a_country_that_is_none_is_said_at_the_field(self, browser: Browser) -> None:
        browser.sign_in()
        response = browser.post("/affiliate", country="Germany")
        assert response.status_code == 422
        assert 'id="country-error"' in response.text

    def test_a_later_sign_in_leads_to_where_the_person_was_going(self, browser: Browser) -> None:
        browser.sign_in()
        browser.post("/affiliate")
        browser.post("/logout")
        sent_away = browser.portal.get("/payouts?status=paid")
        assert (sent_away.status_code, path_of(sent_away.location)) == (
            303,
            "/login?next=/payouts?status%3Dpaid",
        )
        link = re.search(r'href="(/login/sandbox[^"]*)"', browser.portal.get(sent_away.location or "").text)
        assert link
        assert browser.sign_in(link[1].replace("&amp;", "&")).location == "/payouts?status=paid"

    @pytest.mark.parametrize(
        "hostile",
        [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/%5C/evil.example",
            "/%2F/evil.example\t",
            "evil",
        ],
    )
    def test_nobody_is_sent_to_another_site_afterwards(self, browser: Browser, hostile: str) -> None:
        browser.sign_in()
        page = browser.portal.get("/login", query_string={"next": hostile})
        assert "evil" not in page.text
        address = browser.portal.get("/login/sandbox", query_string={"next": hostile}).location or ""
        assert browser.portal.get(browser.back(address)).location == "/"

    @pytest.mark.settings(PORTAL_SELF_SIGNUP="false")
    def test_where_nobody_may_join_by_themselves_the_page_names_the_e_mail_and_support(
        self, app: Flask, browser: Browser
    ) -> None:
        browser.sign_in()
        page = browser.portal.get("/affiliate").text
        assert "ada@example.com" in page
        assert "This e-mail is not in the programme." in page
        assert "Create my affiliate account" not in page
        assert browser.post("/affiliate").status_code == 403

    def test_an_unknown_provider_is_404(self, browser: Browser) -> None:
        assert browser.portal.get("/login/nobody").status_code == 404
        assert browser.portal.get("/auth/nobody/callback").status_code == 404

    def test_the_session_cookie_is_closed_to_scripts_and_other_sites_and_holds_no_identity(
        self, browser: Browser
    ) -> None:
        cookie = next(
            each for each in browser.sign_in().headers.getlist("Set-Cookie") if each.startswith(COOKIE)
        )
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert re.match(rf"{COOKIE}=[A-Za-z0-9_-]{{43}}\.[A-Za-z0-9_-]{{43}};", cookie)

    @pytest.mark.settings(PORTAL_BASE_URL="https://portal.example")
    def test_on_https_no_cookie_travels_in_the_clear(self, browser: Browser) -> None:
        response = browser.portal.get("/login")
        assert all("Secure" in cookie for cookie in response.headers.getlist("Set-Cookie"))
        assert response.headers.getlist("Set-Cookie")

    @pytest.mark.settings(PORTAL_BASE_URL="https://portal.example")
    def test_nor_does_the_one_that_keeps_the_theme(self, app: Flask) -> None:
        with app.app_context():
            assert "; Secure;" in keep_theme(Response(), Theme.dark).headers["Set-Cookie"]

    def test_what_a_sign_in_had_to_remember_is_forgotten_after_it(self, browser: Browser) -> None:
        browser.to_provider()
        browser.sign_in()
        with browser.portal.session_transaction() as kept:
            assert [name for name in kept if "state" in name] == []


class TestTheEnd:
    def test_signing_out_kills_every_copy_of_the_cookie(self, app: Flask, browser: Browser) -> None:
        browser.sign_in()
        cookie = browser.portal.get_cookie(COOKIE)
        assert cookie
        thief = app.test_client()
        thief.set_cookie(COOKIE, cookie.value)
        assert thief.get("/affiliate").status_code == 200
        assert browser.post("/logout").status_code == 303
        assert thief.get("/affiliate").location == "/login?next=/affiliate"
        assert browser.portal.get_cookie(COOKIE) is None

    def test_a_new_sign_in_ends_the_session_before_it(self, app: Flask, browser: Browser) -> None:
        browser.sign_in()
        old = browser.portal.get_cookie(COOKIE)
        assert old
        browser.sign_in()
        assert browser.portal.get("/affiliate").status_code == 200
        thief = app.test_client()
        thief.set_cookie(COOKIE, old.value)
        assert thief.get("/affiliate").status_code == 303

    @pytest.mark.parametrize("forged", ["x", "x.y", "", "é", "a" * 43 + "." + "b" * 43])
    def test_a_cookie_that_the_portal_did_not_sign_is_nobody(self, app: Flask, forged: str) -> None:
        client = app.test_client()
        client.set_cookie(COOKIE, forged)
        assert client.get("/affiliate").status_code == 303


class TestRefusals:
    def test_somebody_who_cancels_reads_that_nothing_was_changed(self, browser: Browser) -> None:
        response = browser.sign_in(cancel="1")
        assert response.status_code == 400
        assert "You cancelled the sign-in. Nothing was changed." in response.text
        assert "/login/sandbox" in response.text

    @pytest.mark.parametrize("state", [None, "", "made-up"])
    def test_an_answer_to_no_sign_in_of_this_browser_took_too_long(
        self, browser: Browser, state: str | None
    ) -> None:
        way_back = browser.back(browser.to_provider())
        response = browser.portal.get(changed(way_back, state=state))
        assert response.status_code == 400
        assert "Your sign-in took too long. Try again." in response.text
        assert browser.portal.get("/affiliate").status_code == 303

    def test_ten_minutes_at_the_provider_are_enough_and_eleven_too_many(
        self, browser: Browser, clock: MovableClock
    ) -> None:
        for minutes, status in ((9, 303), (11, 400)):
            way_back = browser.back(browser.to_provider())
            clock.advance(minutes=minutes)
            assert browser.portal.get(way_back).status_code == status

    def test_an_answer_works_once(self, browser: Browser) -> None:
        way_back = browser.back(browser.to_provider())
        assert browser.portal.get(way_back).status_code == 303
        assert browser.portal.get(way_back).status_code == 400

    def test_an_answer_that_another_browser_was_given_is_refused(self, app: Flask, browser: Browser) -> None:
        way_back = browser.back(browser.to_provider())
        assert app.test_client().get(way_back).status_code == 400

    def test_a_browser_with_many_sign_ins_under_way_keeps_the_newest(self, browser: Browser) -> None:
        addresses = [browser.to_provider(f"/login/sandbox?next=/{'x' * 400}") for _ in range(6)]
        cookie = browser.portal.get_cookie("portal_state")
        assert cookie
        assert len(cookie.value) < 4_000
        assert browser.portal.get(browser.back(addresses[0])).status_code == 400
        assert browser.portal.get(browser.back(addresses[-1])).status_code == 303

    def test_a_provider_that_does_not_answer_is_said_so(self, app: Flask) -> None:
        def nobody(environ: object, start_response: object) -> list[bytes]:
            raise ConnectionError("refused")

        with answered_by(nobody, at="http://127.0.0.1:5001/"):
            response = app.test_client().get("/login/sandbox")
        assert response.status_code == 503
        assert "Example ID does not answer right now" in response.text

    def test_the_provider_is_asked_for_its_addresses_and_keys_once_for_many(
        self, browser: Browser, asked: WsgiAdapter
    ) -> None:
        browser.sign_in()
        browser.sign_in()
        assert asked.asked.count("/oidc/.well-known/openid-configuration") == 1
        assert asked.asked.count("/oidc/jwks") == 1
