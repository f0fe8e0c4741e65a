"""Too many requests are refused with the time to wait, and only where that guards something."""

from __future__ import annotations

import time

import pytest
from flask import Flask

from portal.web import limits
from tests.clocks import MovableClock
from tests.web.access.journey import Browser

# in the test environment one address is everybody, so nothing is limited there
pytestmark = pytest.mark.settings(PORTAL_ENV="development")


def test_one_address_that_begins_sign_in_after_sign_in_has_to_wait(
    browser: Browser, clock: MovableClock
) -> None:
    answers = [browser.portal.get("/login/sandbox").status_code for _ in range(300)]
    assert set(answers) == {303}
    refused = browser.portal.get("/login/sandbox")
    # the limiter's minute is a real one, and the portal's clock stands still here
    behind = time.time() - clock.real_now().timestamp()
    assert 1 <= int(refused.headers["Retry-After"]) <= 61 + behind
    assert "Too many requests" in refused.text


@pytest.mark.settings(PORTAL_ENV="test")
def test_tests_are_never_refused_for_their_number(browser: Browser) -> None:
    assert {browser.portal.get("/login/sandbox").status_code for _ in range(310)} == {303}


def test_the_sign_in_page_itself_is_never_refused(browser: Browser) -> None:
    assert {browser.portal.get("/login").status_code for _ in range(100)} == {200}


def test_a_machine_is_told_in_a_problem_document(app: Flask, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    client = app.test_client()
    answers = [client.get("/api/v1/payouts/x", headers=headers) for _ in range(1_201)]
    assert {answer.status_code for answer in answers[:-1]} == {404}
    assert answers[-1].status_code == 429
    assert answers[-1].get_json()["code"] == "too_many_requests"
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_stripes_events_are_never_refused_for_their_number(app: Flask) -> None:
    client = app.test_client()
    assert 429 not in {client.post("/webhooks/stripe", data=b"{}").status_code for _ in range(100)}


def test_every_view_that_asks_stripe_for_a_person_is_limited(app: Flask) -> None:
    missing = [
        name for name in (*limits.SIGN_IN_VIEWS, *limits.STRIPE_VIEWS) if name not in app.view_functions
    ]
    assert missing == []
