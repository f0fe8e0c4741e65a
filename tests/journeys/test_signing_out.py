"""Signing out ends the session on the server, whoever has a copy of the cookie."""

from __future__ import annotations

import requests
from playwright.sync_api import Page, expect

from portal.web.session_cookie import COOKIE
from tests.journeys.affiliates import Affiliate
from tests.journeys.conftest import Town


def cookie_in(page: Page) -> str:
    """The value of the browser's session cookie."""
    return next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == COOKIE)


def dashboard_with(town: Town, cookie: str) -> requests.Response:
    """What somebody sees who has only the cookie."""
    return requests.get(
        f"{town.portal.address}/dashboard", cookies={COOKIE: cookie}, allow_redirects=False, timeout=10
    )


def test_a_copied_cookie_is_dead_after_signing_out(ada: Affiliate, town: Town) -> None:
    ada.join()
    copied = cookie_in(ada.page)
    assert dashboard_with(town, copied).status_code == 200
    ada.page.locator("details.account summary").click()
    ada.page.get_by_role("button", name="Sign out").click()
    expect(ada.page).to_have_url(f"{town.portal.address}/login")
    answer = dashboard_with(town, copied)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/dashboard")
    assert all(cookie["name"] != COOKIE for cookie in ada.page.context.cookies())
