"""Everything is closed that does not say otherwise."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask

from portal import create_app
from portal.config import Settings
from portal.services.journal import Cause
from portal.web.access import access, rule_of
from portal.web.session_cookie import COOKIE
from portal.wiring import services
from tests.web.access.journey import signed_in_as


def add(app: Flask, path: str, kind: str | None) -> None:
    """One more view, as a developer would write it."""

    def view() -> str:
        return "inside"

    marked = view if kind is None else access(kind)(view)  # type: ignore[arg-type]  # a text made by the test
    app.add_url_rule(path, endpoint=f"test_{path}", view_func=marked, methods=["GET", "POST"])


def test_every_view_says_who_may_open_it(app: Flask) -> None:
    unmarked = [
        str(rule) for rule in app.url_map.iter_rules() if rule_of(app.view_functions[rule.endpoint]) is None
    ]
    assert unmarked == []


def test_only_these_views_are_open_to_everybody(app: Flask) -> None:
    rules = {str(each): rule_of(app.view_functions[each.endpoint]) for each in app.url_map.iter_rules()}
    assert {path for path, rule in rules.items() if rule is not None and rule.kind == "public"} == {
        "/",
        "/static/<path:filename>",
        "/login",
        "/login/<provider>",
        "/auth/<provider>/callback",
        "/healthz",
        "/readyz",
        "/metrics",
    }


def test_a_view_without_a_marker_is_403_for_everybody(app: Flask) -> None:
    add(app, "/forgotten", None)
    assert app.test_client().get("/forgotten").status_code == 403
    assert signed_in_as(app, "ana").get("/forgotten").status_code == 403


@pytest.mark.parametrize("kind", ["person", "affiliate", "operator"])
def test_somebody_who_is_not_signed_in_is_sent_to_sign_in_and_back(app: Flask, kind: str) -> None:
    add(app, "/inside", kind)
    client = app.test_client()
    response = client.get("/inside?a=1")
    assert (response.status_code, response.location) == (303, "/login?next=/inside?a%3D1")
    assert client.post("/inside").location == "/login"


def test_a_fragment_sends_the_whole_page_to_sign_in(app: Flask) -> None:
    add(app, "/part", "person")
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/payouts?status=paid"}
    response = app.test_client().get("/part", headers=headers)
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/login?next=/payouts?status%3Dpaid"
    assert "Location" not in response.headers


def test_a_program_is_told_with_a_status_instead(app: Flask) -> None:
    add(app, "/inside", "person")
    response = app.test_client().get("/inside", headers={"Accept": "application/json"})
    assert (response.status_code, response.content_type) == (401, "application/problem+json")


def test_a_person_without_an_affiliate_record_is_led_to_create_one(app: Flask) -> None:
    add(app, "/inside", "affiliate")
    response = signed_in_as(app, "ana").get("/inside")
    assert (response.status_code, response.location) == (303, "/affiliate")


def test_operators_pages_do_not_exist_for_others(app: Flask) -> None:
    add(app, "/operator/things", "operator")
    response = signed_in_as(app, "ana").get("/operator/things")
    assert response.status_code == 404
    assert "Page not found" in response.text


@pytest.mark.parametrize("role", ["admin", "viewer"])
def test_a_change_that_names_no_act_is_refused_to_every_operator(app: Flask, role: str) -> None:
    add(app, "/operator/things", "operator")
    with app.app_context():
        services().access.add_operator("sandbox", "olga", role=role, cause=Cause.system("a test"))
    client = signed_in_as(app, "olga")
    assert client.get("/operator/things").text == "inside"
    assert client.post("/operator/things").status_code == 403


@pytest.mark.parametrize("kind", ["public", "person"])
def test_a_form_without_its_token_is_400(app: Flask, kind: str) -> None:
    add(app, "/form", kind)
    client = signed_in_as(app, "ana")
    for form in ({}, {"csrf_token": "made-up"}):
        response = client.post("/form", data=form)
        assert response.status_code == 400
        assert "This form was open for too long" in response.text


@pytest.mark.settings(PORTAL_BASE_URL="https://portal.example")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://portal.example"}, 303),
        ({"Referer": "https://portal.example/affiliate"}, 303),
        ({"Origin": "https://evil.example"}, 400),
        ({"Referer": "https://portal.example.evil.example/"}, 400),
        ({"Origin": "http://portal.example"}, 400),
        ({"Origin": "null"}, 400),
        ({}, 400),
    ],
)
def test_on_https_a_form_must_come_from_this_site_whatever_the_proxy_calls_it(
    app: Flask, headers: dict[str, str], status: int
) -> None:
    inside = "https://10.0.0.7:8000"
    client = signed_in_as(app, "ana", site="10.0.0.7")
    found = re.search(r'"X-CSRFToken": "([^"]+)"', client.get("/affiliate", base_url=inside).text)
    assert found
    response = client.post("/affiliate", base_url=inside, data={"csrf_token": found[1]}, headers=headers)
    assert response.status_code == status


def test_machines_and_stripe_need_no_form_token(app: Flask, token: str) -> None:
    add(app, "/api/thing", "api")
    add(app, "/from-stripe", "stripe")
    client = app.test_client()
    assert client.post("/api/thing", headers={"Authorization": f"Bearer {token}"}).text == "inside"
    assert client.post("/from-stripe").text == "inside"


def test_a_cookie_signed_with_an_older_key_counts_until_that_key_is_forgotten(
    app: Flask, settings: Settings
) -> None:
    cookie = signed_in_as(app, "ana").get_cookie(COOKIE)
    assert cookie
    for fallbacks, status in (((settings.secret_key,), 200), ((), 303)):
        newer = replace(
            settings, secret_key="a-newer-key-for-tests-of-many-characters", secret_key_fallbacks=fallbacks
        )
        client = create_app(newer).test_client()
        client.set_cookie(COOKIE, cookie.value)
        assert client.get("/affiliate").status_code == status
