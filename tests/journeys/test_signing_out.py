"""Signing out ends the session on the server, whoever has a copy of the cookie, and the one at the provider."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import flask
import pytest
import requests
from playwright.sync_api import Page, expect
from werkzeug.wrappers import Response

from portal import create_app
from portal.config import settings_from
from portal.sandbox.app import create_sandbox
from portal.sandbox.config import SandboxConfig
from portal.sandbox.manners import Manners
from portal.sandbox.provider import COOKIE as PROVIDERS_COOKIE
from portal.web.session_cookie import COOKIE
from tests.conftest import TEST_SETTINGS
from tests.databases import free_port
from tests.journeys.affiliates import Affiliate
from tests.journeys.conftest import Town
from tests.serving import served


def cookie_in(page: Page) -> str:
    """The value of the browser's session cookie."""
    return next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == COOKIE)


def dashboard_with(town: Town, cookie: str) -> requests.Response:
    """What somebody sees who has only the cookie."""
    return requests.get(
        f"{town.portal.address}/dashboard", cookies={COOKIE: cookie}, allow_redirects=False, timeout=10
    )


def sign_out(page: Page) -> None:
    page.locator("details.account summary").click()
    page.get_by_role("button", name="Sign out").click()


@dataclass(frozen=True)
class Pair:
    """A portal and its provider, on real addresses of two sites."""

    portal: str
    provider: str
    sandbox: flask.Flask


@pytest.fixture
def pair(sqlite_url: str) -> Iterator[Pair]:
    """With a provider that asks before it signs anybody out."""
    # another host name is another site to the browser, as real providers are
    portal, provider = f"http://127.0.0.1:{free_port()}", f"http://localhost:{free_port()}"
    sandbox = create_sandbox(
        SandboxConfig(base_url=provider, portal_url=portal, manners=Manners(asks_before_signing_out=True))
    )
    settings = settings_from(
        {
            **TEST_SETTINGS,
            "DATABASE_URL": sqlite_url,
            "PORTAL_BASE_URL": portal,
            "PORTAL_OIDC_SANDBOX_ISSUER": f"{provider}/oidc",
            "PORTAL_OIDC_SANDBOX_CLIENT_ID": "portal",
            "PORTAL_OIDC_SANDBOX_CLIENT_SECRET": "sandbox-client-secret",
        }
    )
    app = create_app(settings)
    with ExitStack() as stack:
        for each, address in ((sandbox, provider), (app, portal)):
            stack.enter_context(served(each, port=int(address.rpartition(":")[2])))
        yield Pair(portal, provider, sandbox)
    with app.app_context():
        for engine in app.extensions["sqlalchemy"].engines.values():
            engine.dispose()


def test_a_copied_cookie_is_dead_after_signing_out(ada: Affiliate, town: Town) -> None:
    ada.join()
    copied = cookie_in(ada.page)
    assert dashboard_with(town, copied).status_code == 200
    sign_out(ada.page)
    expect(ada.page).to_have_url(f"{town.portal.address}/login")
    answer = dashboard_with(town, copied)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/dashboard")
    assert all(cookie["name"] != COOKIE for cookie in ada.page.context.cookies())


def test_the_provider_signs_the_person_out_too(ada: Affiliate, town: Town) -> None:
    ada.join()
    assert any(cookie["name"] == PROVIDERS_COOKIE for cookie in ada.page.context.cookies())
    sign_out(ada.page)
    expect(ada.page).to_have_url(f"{town.portal.address}/login")
    expect(ada.page.get_by_text("You are signed out here.")).to_be_visible()
    assert all(cookie["name"] != PROVIDERS_COOKIE for cookie in ada.page.context.cookies())


def sign_in(page: Page, pair: Pair) -> None:
    """As somebody who joins."""
    page.goto(f"{pair.portal}/login")
    page.get_by_role("link", name="Sign in with Sandbox").click()
    page.get_by_role("button", name="Ada Affiliate").click()
    page.get_by_role("button", name="Create my affiliate account").click()
    expect(page).to_have_url(f"{pair.portal}/payouts/preferences")


def is_signed_out(page: Page) -> None:
    expect(page.get_by_role("heading", name="Sign in to your partner account")).to_be_visible()
    expect(page.get_by_text("You are signed out here.")).to_be_visible()


@pytest.mark.parametrize("browser", ["page", "page_without_scripts"])
def test_a_provider_that_asks_first_is_reached_when_the_session_here_is_dead_already(
    request: pytest.FixtureRequest, pair: Pair, browser: str
) -> None:
    """Without scripts the button is a form, and the content security policy has a say in where its answer leads."""
    page: Page = request.getfixturevalue(browser)
    sign_in(page, pair)
    sign_out(page)
    expect(page.get_by_role("heading", name="Sign out here too?")).to_be_visible()
    assert page.url.startswith(f"{pair.provider}/oidc/end_session?client_id=portal&")
    assert all(cookie["name"] != COOKIE for cookie in page.context.cookies())
    page.get_by_role("button", name="Sign out here too").click()
    is_signed_out(page)


def test_who_walks_away_from_the_providers_question_is_signed_out_here(page: Page, pair: Pair) -> None:
    sign_in(page, pair)
    sign_out(page)
    expect(page.get_by_role("heading", name="Sign out here too?")).to_be_visible()
    page.goto(f"{pair.portal}/dashboard")
    is_signed_out(page)


def test_a_provider_may_lead_through_a_site_that_nobody_knew_of(page: Page, pair: Pair) -> None:
    """As a user pool does that signs people out of a company's directory behind it."""
    elsewhere = pair.provider.replace("localhost", "127.0.0.1")

    def lead_on() -> Response | None:
        if flask.request.path == "/oidc/end_session" and flask.request.host.startswith("localhost"):
            return flask.redirect(elsewhere + flask.request.full_path)
        return None

    pair.sandbox.before_request(lead_on)
    passed: list[str] = []
    page.on("request", lambda asked: passed.append(asked.url))
    sign_in(page, pair)
    sign_out(page)
    is_signed_out(page)
    assert any(address.startswith(f"{elsewhere}/oidc/end_session?") for address in passed)
