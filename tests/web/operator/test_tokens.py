"""Tokens on their page: made and shown once, seen, ended, and by admins alone."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from tests.clocks import MovableClock
from tests.web.access.journey import signed_in_as
from tests.web.operator.conftest import NewOperator
from tests.web.pages.visitor import Page, Visitor

TOKENS = "/operator/tokens"


def made(page: Page) -> str:
    token = page.html.one("pre", data_once=None).text
    assert re.fullmatch(r"ppt_[A-Za-z0-9_-]{43}", token)
    return token


def opens(app: Flask, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    return app.test_client().get("/api/v1/payouts", headers=headers).status_code == 200


def row(page: Page, name: str) -> str:
    (found,) = [each.text for each in page.html.all("tr") if name in each.text]
    return found


def test_a_token_is_shown_in_the_answer_that_made_it_and_nowhere_else(
    olga: Visitor, portal_app: Flask
) -> None:
    page = olga.post(TOKENS, {"name": "shop", "scope": ["payouts:read"], "expires_days": "90"})
    token = made(page)
    assert page.status == 200
    assert page.response.headers["Cache-Control"] == "no-store"
    assert opens(portal_app, token)
    for path in (TOKENS, "/operator/audit", "/operator/audit.csv"):
        assert token[8:] not in olga.get(path).response.text
    line = row(olga.get(TOKENS), "shop")
    assert "payouts:read" in line
    assert "In use until" in line
    assert "Never" not in line
    assert "Operator olga" in row(olga.get("/operator/audit?action=api_token.created"), "payouts:read")
    again = olga.post(TOKENS, {"name": "shop", "expires_days": "90"})
    assert (again.status, again.problems) == (
        409,
        ["There is a token named shop already. Revoke it first, or choose another name."],
    )


@pytest.mark.parametrize(
    ("field", "form"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "x" * 201}),
        ("name", {"name": "a\x00b"}),
        ("scope", {"name": "shop", "scope": "everything"}),
        ("expires_days", {"name": "shop", "expires_days": "0"}),
        ("expires_days", {"name": "shop", "expires_days": "99999"}),
        ("expires_days", {"name": "shop", "expires_days": "-1"}),
    ],
)
def test_a_token_that_cannot_be_made_is_said_at_the_field(
    olga: Visitor, field: str, form: dict[str, str]
) -> None:
    page = olga.post(TOKENS, form)
    assert page.status == 422
    assert page.html.one(id="error-summary").one("a").attributes["href"] == f"#{field}"
    assert "No token was made yet." in olga.get(TOKENS).said


def test_revoking_ends_it_at_once(olga: Visitor, portal_app: Flask) -> None:
    token = made(olga.post(TOKENS, {"name": "a/b <i>", "expires_days": ""}))
    assert olga.send(olga.get(TOKENS), f"{TOKENS}/revoke").status == 303
    assert not opens(portal_app, token)
    assert "Revoked" in row(olga.get(TOKENS), "a/b <i>")
    assert olga.post(f"{TOKENS}/revoke", {"revoked": "a/b <i>"}).status == 404


def test_a_token_ends_by_itself_and_its_name_is_free_again(
    olga: Visitor, portal_app: Flask, clock: MovableClock
) -> None:
    token = made(olga.post(TOKENS, {"name": "shop", "expires_days": "30"}))
    clock.advance(days=30, seconds=-1)
    assert opens(portal_app, token)
    clock.advance(seconds=1)
    assert not opens(portal_app, token)
    olga.client = signed_in_as(portal_app, "olga")
    assert "Ended" in row(olga.get(TOKENS), "shop")
    assert opens(portal_app, made(olga.post(TOKENS, {"name": "shop", "expires_days": "30"})))


def test_only_admins_make_and_revoke(new_operator: NewOperator, olga: Visitor) -> None:
    olga.post(TOKENS, {"name": "shop", "expires_days": ""})
    other = new_operator("sam", role="approver")
    page = other.get(TOKENS)
    assert "Yours is approver." in page.said
    assert [form.attributes["action"] for form in page.html.all("form", method="post")] == ["/logout"]
    assert other.post(TOKENS, {"name": "mine"}).status == 403
    assert other.post(f"{TOKENS}/revoke", {"revoked": "shop"}).status == 403
