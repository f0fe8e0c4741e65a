"""Who may use the API, what a body is, and affiliates by their code."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.services.journal import Cause
from portal.wiring import services
from tests.web.access.journey import signed_in_as
from tests.web.access.machine import EMPTY, Send, faults


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """What a machine sends reaches both databases."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


class TestTokens:
    @pytest.mark.parametrize(
        "shown",
        [None, "", "Bearer", "Bearer x", "Basic dXNlcjpwYXNz", f"Bearer ppt_{'x' * 43}"],
        ids=["none", "empty", "no token", "a wrong one", "another kind", "a made-up one"],
    )
    def test_without_a_token_that_is_in_use_it_is_401(self, client: FlaskClient, shown: str | None) -> None:
        response = client.get(
            "/api/v1/payouts", headers={"Authorization": shown} if shown is not None else {}
        )
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert response.content_type == "application/problem+json"

    def test_a_session_is_no_token(self, app: Flask) -> None:
        assert signed_in_as(app, "ana").get("/api/v1/payouts").status_code == 401

    def test_a_token_reaches_only_its_scopes(self, app: Flask, client: FlaskClient) -> None:
        with app.app_context():
            token = services().access.create_token("reader", ["payouts:read"], cause=Cause.system("a test"))
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/api/v1/payouts", headers=headers).status_code == 200
        response = client.post("/api/v1/earnings", json={}, headers=headers)
        assert (response.status_code, response.get_json()["code"]) == (403, "insufficient_scope")

    def test_a_revoked_token_is_401(self, app: Flask, send: Send) -> None:
        assert send("GET", "/payouts").status_code == 200
        with app.app_context():
            services().access.revoke_token("shop", cause=Cause.system("a test"))
        assert send("GET", "/payouts").status_code == 401


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"\xff",
            b"[]",
            b"null",
            b'"text"',
            b'{"name": NaN}',
            b'{"name": "a", "name": "b"}',
            b'{"name": ' + b"[" * 100_000,
            b'{"name": ' + b"9" * 10_000 + b"}",
        ],
        ids=[
            "empty",
            "cut",
            "no UTF-8",
            "a list",
            "null",
            "a text",
            "NaN",
            "a name twice",
            "deep",
            "a huge number",
        ],
    )
    def test_what_is_no_json_object_is_400(self, send: Send, body: bytes) -> None:
        response = send("PUT", "/affiliates/ana", data=body, content_type="application/json")
        assert (response.status_code, response.get_json()["code"]) == (400, "bad_json")

    def test_what_does_not_say_that_it_is_json_is_415(self, send: Send) -> None:
        assert send("PUT", "/affiliates/ana", data="name=Ana").status_code == 415
        assert send("PUT", "/affiliates/ana", data={"name": "Ana"}).status_code == 415

    def test_what_is_larger_than_the_largest_request_is_413(self, send: Send) -> None:
        response = send(
            "POST", "/earnings", data=b" " * (8 * 1024 * 1024 + 1), content_type="application/json"
        )
        assert response.status_code == 413
        assert response.content_type == "application/problem+json"


class TestAffiliates:
    def test_put_creates_and_then_updates(self, send: Send, ana: TestResponse) -> None:
        assert ana.status_code == 201
        again = send("PUT", "/affiliates/ana", json={"name": "Ana María"})
        assert again.status_code == 200
        assert again.get_json() == {**ana.get_json(), "name": "Ana María"}

    def test_get_answers_every_member_that_is_promised(self, send: Send, ana: TestResponse) -> None:
        answer = send("GET", "/affiliates/ana").get_json()
        assert answer.pop("created_at").endswith("Z")
        assert answer == {
            "code": "ana",
            "email": "ana@example.com",
            "name": "Ana",
            "country": "US",
            "stripe_account_id": None,
            "stripe_account_status": None,
            "stripe_onboarding_complete": False,
            "preferred_payout_type": "fiat",
            "is_blocked": False,
            "currency": "usd",
            "total_earned": 0,
            "balance": EMPTY,
        }

    def test_the_currency_is_for_life(self, send: Send, ana: TestResponse) -> None:
        assert faults(send("PUT", "/affiliates/ana", json={"currency": "eur"})) == ["currency"]
        assert send("PUT", "/affiliates/ana", json={"currency": "usd"}).status_code == 200

    @pytest.mark.parametrize("code", ["a" * 65, "a.b", "a b", "ä", "%00", "a%0a"])
    def test_a_code_that_can_be_none_is_422_to_put_and_404_to_get(self, send: Send, code: str) -> None:
        assert faults(send("PUT", f"/affiliates/{code}", json={})) == ["code"]
        assert send("GET", f"/affiliates/{code}").status_code == 404

    @pytest.mark.parametrize(
        ("member", "value"),
        [
            ("email", "no address"),
            ("email", "a@" + "x" * 320),
            ("email", "a\n@example.com"),
            ("name", "x" * 201),
            ("name", "a\x00b"),
            ("name", "a\x85b"),
            ("name", "\ud800"),
            ("name", None),
            ("name", 5),
            ("name", ["Ana"]),
            ("country", "de"),
            ("country", "DEU"),
            ("currency", "USD"),
            ("currency", "xyz"),
            ("code", "other"),
            ("balance", {}),
        ],
    )
    def test_a_value_that_can_not_be_taken_is_named(self, send: Send, member: str, value: object) -> None:
        assert faults(send("PUT", "/affiliates/bo", json={member: value})) == [member]
        assert send("GET", "/affiliates/bo").status_code == 404
