"""What every answer forbids the browser."""

from __future__ import annotations

import pytest
from flask import Flask

PRODUCTION = {
    "PORTAL_ENV": "production",
    "PORTAL_BASE_URL": "https://portal.example",
    "PORTAL_OIDC_SANDBOX_ISSUER": "https://id.example",
    "STRIPE_SECRET_KEY": "sk_test_0123456789",
    "STRIPE_WEBHOOK_SECRETS": "whsec_0123456789",
    "PORTAL_MAIL_URL": "smtp://mail.example",
    "PORTAL_LOG_LEVEL": "ERROR",
    "STRIPE_API_BASE": "",
}

EVERY_ANSWER = ["/login", "/nothing", "/healthz", "/api/v1/payouts", "/affiliate", "/static/css/portal.css"]


def directives(policy: str) -> dict[str, str]:
    return dict(part.strip().split(" ", 1) for part in policy.split(";"))


@pytest.mark.parametrize("path", EVERY_ANSWER)
def test_nothing_inline_nothing_foreign_no_frames_no_objects(app: Flask, path: str) -> None:
    response = app.test_client().get(path, buffered=True)
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe-" not in policy
    assert directives(policy)["default-src"] == "'self'"
    assert directives(policy)["frame-ancestors"] == directives(policy)["object-src"] == "'none'"
    assert directives(policy)["base-uri"] == "'none'"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.settings(STRIPE_API_BASE="")
def test_forms_may_end_at_stripe_and_nowhere_else(app: Flask) -> None:
    policy = app.test_client().get("/login").headers["Content-Security-Policy"]
    assert directives(policy)["form-action"] == "'self' https://connect.stripe.com https://*.stripe.com"


@pytest.mark.settings(STRIPE_API_BASE="http://127.0.0.1:5001/x")
def test_with_a_stand_in_forms_may_end_there_too(app: Flask) -> None:
    policy = app.test_client().get("/login").headers["Content-Security-Policy"]
    assert directives(policy)["form-action"].endswith(" http://127.0.0.1:5001")


@pytest.mark.parametrize("path", [path for path in EVERY_ANSWER if not path.startswith("/static")])
def test_no_page_is_kept_by_anybody(app: Flask, path: str) -> None:
    response = app.test_client().get(path, buffered=True)
    assert response.headers["Cache-Control"] == "no-store"
    assert "HX-Request" in response.headers["Vary"]


def test_static_files_are_kept_as_long_as_their_address_lasts(app: Flask) -> None:
    client = app.test_client()
    assert "immutable" in client.get("/static/css/portal.css?v=1", buffered=True).headers["Cache-Control"]
    assert "max-age=3600" in client.get("/static/css/portal.css", buffered=True).headers["Cache-Control"]
    assert client.get("/static/nothing.css?v=1", buffered=True).headers["Cache-Control"] == "no-store"


def test_without_https_no_promise_of_it_is_made(app: Flask) -> None:
    assert "Strict-Transport-Security" not in app.test_client().get("/login").headers


@pytest.mark.settings(**PRODUCTION)
def test_in_production_browsers_are_told_to_stay_on_https(app: Flask) -> None:
    assert "max-age=31536000" in app.test_client().get("/login").headers["Strict-Transport-Security"]


def test_every_answer_carries_the_name_of_its_request(app: Flask) -> None:
    client = app.test_client()
    first, second = (client.get("/login").headers["X-Request-ID"] for _ in range(2))
    assert first != second


def test_health_needs_nobody_and_says_what_is_reachable(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/healthz").get_json() == {"status": "ok"}
    ready = client.get("/readyz").get_json()
    assert ready.pop("webhooks") == {
        "last_event_at": {"platform": None, "accounts": None},
        "waiting": 0,
        "parked": 0,
        "refused_last_day": 0,
    }
    assert ready == {"status": "ok", "database": True, "broker": True}


@pytest.mark.settings(DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/nothing")
def test_a_portal_whose_database_is_away_is_alive_and_not_ready(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/healthz").status_code == 200
    response = client.get("/readyz")
    assert (response.status_code, response.get_json()["database"]) == (503, False)
