"""Signing out ends the session here, whatever else happens, and goes on to the provider where that has a way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from portal import create_app
from portal.config import Settings
from portal.models import SignInSession
from portal.web.discovery import checked
from portal.web.providers import SignInProvider
from portal.web.session_cookie import COOKIE
from portal.wiring import session
from tests.fakes.real_providers import OF_COGNITO, OF_GOOGLE, POOL_DOMAIN, SHARED_SUBJECT
from tests.fakes.wsgi_requests import WsgiAdapter, answered_by
from tests.web.access.journey import ISSUER, Browser, Visitor, path_of, signed_in_as
from tests.web.access.test_security_headers import directives

SIGNED_OUT = "http://127.0.0.1:5000/login"


def forms_may_end_at(client: FlaskClient, page: str = "/affiliate") -> list[str]:
    return directives(client.get(page).headers["Content-Security-Policy"])["form-action"].split()


@contextmanager
def same_person_at(settings: Settings, browser: Browser) -> Iterator[Browser]:
    """Another process of the same portal, which a browser visits with the same cookie."""
    cookie = browser.portal.get_cookie(COOKIE)
    assert cookie
    app = create_app(settings)
    elsewhere = Browser(app.test_client(), browser.provider)
    elsewhere.portal.set_cookie(COOKIE, cookie.value)
    yield elsewhere
    with app.app_context():
        for engine in app.extensions["sqlalchemy"].engines.values():
            engine.dispose()


class TestByTheStandard:
    def test_the_browser_is_sent_to_the_provider_and_comes_back_to_the_sign_in_page(
        self, browser: Browser
    ) -> None:
        browser.sign_in()
        response = browser.post("/logout")
        assert response.status_code == 303
        address = urlsplit(response.location)
        assert address._replace(query="").geturl() == f"{ISSUER}/end_session"
        assert parse_qs(address.query) == {"client_id": ["portal"], "post_logout_redirect_uri": [SIGNED_OUT]}
        back = browser.provider.get(path_of(response.location))
        assert (back.status_code, back.location) == (303, SIGNED_OUT)
        page = browser.portal.get(path_of(back.location)).text
        assert "You are signed out here." in page
        assert "maybe not" not in page

    def test_the_session_is_dead_before_the_provider_is_reached(self, app: Flask, browser: Browser) -> None:
        browser.sign_in()
        cookie = browser.portal.get_cookie(COOKIE)
        assert cookie
        browser.post("/logout")
        thief = app.test_client()
        thief.set_cookie(COOKIE, cookie.value)
        assert thief.get("/affiliate").location == "/login?next=/affiliate"

    def test_the_provider_is_asked_nothing(self, browser: Browser, asked: WsgiAdapter) -> None:
        browser.sign_in()
        before = list(asked.asked)
        assert browser.post("/logout").status_code == 303
        assert asked.asked == before

    def test_another_process_that_cannot_reach_the_provider_knows_the_way(
        self, settings: Settings, browser: Browser
    ) -> None:
        browser.sign_in()

        def nobody(environ: object, start_response: object) -> list[bytes]:
            raise ConnectionError("refused")

        with answered_by(nobody, at="http://127.0.0.1:5001/"), same_person_at(settings, browser) as elsewhere:
            assert "http://127.0.0.1:5001" in forms_may_end_at(elsewhere.portal)
            assert (elsewhere.post("/logout").location or "").startswith(f"{ISSUER}/end_session?")

    def test_no_token_of_the_provider_is_kept(self, app: Flask, browser: Browser) -> None:
        browser.sign_in()
        assert "id_token_hint" not in (browser.post("/logout").location or "")
        with app.app_context():
            kept = session.scalars(sa.select(SignInSession)).one()
            assert "eyJ" not in str(
                {column.name: getattr(kept, column.name) for column in kept.__table__.columns}
            )

    def test_htmx_is_told_to_go_there_as_a_whole(self, browser: Browser) -> None:
        browser.sign_in()
        response = browser.portal.post(
            "/logout", data={"csrf_token": browser.csrf_token()}, headers={"HX-Request": "true"}
        )
        assert (response.headers["HX-Redirect"]).startswith(f"{ISSUER}/end_session?")

    def test_the_way_back_is_built_on_the_setting_whatever_the_host_header_says(
        self, browser: Browser
    ) -> None:
        browser.sign_in()
        token = browser.csrf_token()
        response = browser.portal.post(
            "/logout", data={"csrf_token": token}, headers={"Host": "evil.example"}
        )
        assert "evil" not in (response.location or "")


class TestWhereTheProviderCannotBeReachedThatWay:
    def test_a_session_without_a_way_out_ends_here_and_says_so(self, app: Flask) -> None:
        browser = Browser(signed_in_as(app, "person-ada"), app.test_client())
        response = browser.post("/logout")
        assert (response.status_code, response.location) == (303, "/login")
        assert (
            "You are signed out here, but maybe not at Example ID. On a shared computer, sign out there too."
            in browser.portal.get("/login").text
        )

    @pytest.mark.parametrize("issuer", [None, "https://another.example"], ids=["gone", "another"])
    def test_a_provider_that_the_settings_have_no_more_is_not_gone_to(
        self, settings: Settings, browser: Browser, issuer: str | None
    ) -> None:
        browser.sign_in()
        left = {"sandbox": replace(settings.providers["sandbox"], issuer=issuer)} if issuer else {}
        with same_person_at(replace(settings, providers=left), browser) as elsewhere:
            assert elsewhere.post("/logout").location == "/login"
            assert "maybe not at the provider you signed in with" in elsewhere.portal.get("/login").text


@pytest.mark.settings(**OF_COGNITO, **OF_GOOGLE)
class TestAtCognitoAndGoogle:
    def test_the_pool_is_told_the_way_back_by_the_name_that_it_knows(self, visitor: Visitor) -> None:
        visitor.cognito.sign_in("/login/cognito", person=SHARED_SUBJECT)
        address = urlsplit(visitor.cognito.post("/logout").location)
        assert address._replace(query="").geturl() == f"{POOL_DOMAIN}/end_session"
        assert parse_qs(address.query) == {"client_id": ["cognito-app-client"], "logout_uri": [SIGNED_OUT]}
        back = visitor.cognito.provider.get(path_of(address.geturl()))
        assert (back.status_code, back.location) == (303, SIGNED_OUT)

    def test_google_has_no_way_out_and_the_page_says_so(self, visitor: Visitor) -> None:
        visitor.google.sign_in("/login/google", person=SHARED_SUBJECT)
        assert visitor.google.post("/logout").location == "/login"
        page = visitor.google.portal.get("/login").text
        assert "You are signed out here, but maybe not at Google." in page

    def test_forms_may_end_where_this_person_signs_out_and_nowhere_else(self, visitor: Visitor) -> None:
        assert POOL_DOMAIN not in forms_may_end_at(visitor.cognito.portal, "/login")
        visitor.cognito.sign_in("/login/cognito", person=SHARED_SUBJECT)
        assert POOL_DOMAIN in forms_may_end_at(visitor.cognito.portal)
        visitor.google.sign_in("/login/google", person=SHARED_SUBJECT)
        assert POOL_DOMAIN not in forms_may_end_at(visitor.google.portal)

    def test_whoever_is_signed_out_may_sign_in_at_the_other(self, visitor: Visitor) -> None:
        visitor.cognito.sign_in("/login/cognito", person=SHARED_SUBJECT)
        visitor.cognito.post("/logout")
        assert visitor.google.sign_in("/login/google", person=SHARED_SUBJECT).status_code == 303


@pytest.mark.parametrize(
    ("issuer", "is_cognito"),
    [
        ("https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Example", True),
        ("https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_Example", True),
        ("https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_Example", True),
        ("https://cognito-idp.us-east-1.amazonaws.com.evil.example/pool", False),
        ("https://login.example.com/cognito-idp.us-east-1.amazonaws.com", False),
    ],
)
def test_a_pool_is_known_by_the_host_of_its_issuer(settings: Settings, issuer: str, is_cognito: bool) -> None:
    provider = replace(settings.providers["sandbox"], issuer=issuer)
    address = SignInProvider(provider, portal="https://portal.example").sign_out_address(
        "https://out.example"
    )
    assert ("logout_uri" in parse_qs(urlsplit(address).query)) is is_cognito


def test_what_the_address_asks_for_already_is_kept(settings: Settings) -> None:
    provider = SignInProvider(settings.providers["sandbox"], portal="https://portal.example")
    address = provider.sign_out_address("https://out.example/end?policy=b2c")
    assert parse_qs(urlsplit(address).query)["policy"] == ["b2c"]
    assert parse_qs(urlsplit(address).query)["client_id"] == ["portal"]


@pytest.mark.parametrize(
    ("issuer", "address"),
    [
        pytest.param("https://id.example", "http://id.example/out", id="in the clear"),
        pytest.param("https://id.example", "javascript:alert(1)", id="a script"),
        pytest.param("https://id.example", "https://id.example; script-src *", id="a directive of its own"),
        pytest.param("https://id.example", "https://id.example,https://evil.example/", id="a second policy"),
        pytest.param("https://id.example", "https://*/out", id="every host"),
        pytest.param("https://id.example", "https://user:pw@id.example/out", id="somebody's password"),
        pytest.param("https://id.example", "https://id.example/out\r\nX: y", id="another header"),
        pytest.param("https://id.example", "https://id.example/out#there", id="a place in a page"),
        pytest.param("https://id.example", f"https://id.example/{'x' * 500}", id="too long to keep"),
        pytest.param("https://id.example", "https:///out", id="no host"),
        pytest.param("https://id.example", ["https://id.example/out"], id="a list"),
        pytest.param("https://id.example", None, id="none"),
    ],
)
def test_an_address_that_no_header_may_carry_is_no_way_out(issuer: str, address: object) -> None:
    assert "end_session_endpoint" not in checked(document(issuer, address), issuer)


@pytest.mark.parametrize(
    ("issuer", "address"),
    [
        ("https://id.example", "https://elsewhere.example:8443/out?policy=b2c"),
        ("https://id.example", "https://id.example"),
        ("http://127.0.0.1:5001/oidc", "http://127.0.0.1:5001/oidc/out"),
    ],
)
def test_a_plain_address_is(issuer: str, address: str) -> None:
    assert checked(document(issuer, address), issuer)["end_session_endpoint"] == address


def document(issuer: str, way_out: object) -> dict[str, object]:
    """A discovery document."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks",
        "end_session_endpoint": way_out,
    }
