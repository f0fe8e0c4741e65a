"""`flask api-tokens`: a token is shown once, alone, and can be taken back."""

from __future__ import annotations

import json
import re

import pytest
from flask import Flask

from tests.databases import on_sqlite

pytestmark = on_sqlite


def test_create_prints_the_token_alone_on_standard_output(portal_app: Flask) -> None:
    result = portal_app.test_cli_runner().invoke(args=["api-tokens", "create", "shop"])
    assert result.exit_code == 0
    assert re.fullmatch(r"ppt_[A-Za-z0-9_-]{43}\n", result.stdout)
    assert "can't be shown again" in result.stderr


def test_create_opens_the_api_and_revoke_closes_it(portal_app: Flask) -> None:
    shell, client = portal_app.test_cli_runner(), portal_app.test_client()
    token = shell.invoke(args=["api-tokens", "create", "shop"]).stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/payouts", headers=headers).status_code == 200
    assert shell.invoke(args=["api-tokens", "revoke", "shop"]).exit_code == 0
    assert client.get("/api/v1/payouts", headers=headers).status_code == 401


def test_list_shows_what_a_token_reaches_and_never_the_token(portal_app: Flask) -> None:
    shell = portal_app.test_cli_runner()
    arguments = [
        "api-tokens",
        "create",
        "reader",
        "--scope",
        "payouts:read",
        "--scope",
        "affiliates:read",
        "--json",
    ]
    made = json.loads(shell.invoke(args=arguments).stdout)
    assert (made["name"], made["scopes"]) == ("reader", ["affiliates:read", "payouts:read"])
    listed = shell.invoke(args=["api-tokens", "list", "--json"]).stdout
    assert made["token"] not in listed
    (token,) = json.loads(listed)["tokens"]
    assert (token["name"], token["scopes"], token["revoked_at"]) == ("reader", made["scopes"], None)
    assert "reader\tppt_" in shell.invoke(args=["api-tokens", "list"]).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["create", "shop", "--scope", "everything"], "There is no scope everything"),
        (["create", ""], "Give the token a name"),
        (["revoke", "nobody"], "There is no token named nobody"),
    ],
)
def test_a_refusal_is_a_sentence_on_standard_error(
    portal_app: Flask, arguments: list[str], words: str
) -> None:
    result = portal_app.test_cli_runner().invoke(args=["api-tokens", *arguments])
    assert (result.exit_code, result.stdout) == (1, "")
    assert words in result.stderr
