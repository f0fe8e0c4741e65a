"""`flask operators`: who watches over payouts is said in the shell."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from tests.databases import on_sqlite

pytestmark = [
    on_sqlite,
    pytest.mark.settings(
        PORTAL_OIDC_COMPANY_ISSUER="https://id.example",
        PORTAL_OIDC_COMPANY_CLIENT_ID="portal",
        PORTAL_OIDC_COMPANY_CLIENT_SECRET="hush",
    ),
]


def test_an_operator_is_added_listed_and_removed(portal_app: Flask) -> None:
    shell = portal_app.test_cli_runner()
    added = json.loads(shell.invoke(args=["operators", "add", "company:00uabc:1", "--json"]).stdout)
    assert (added["operator"], added["role"]) == ("company:00uabc:1", "admin")
    listed = json.loads(shell.invoke(args=["operators", "list", "--json"]).stdout)
    assert listed == {"operators": [added]}
    assert shell.invoke(args=["operators", "remove", "company:00uabc:1"]).exit_code == 0
    assert json.loads(shell.invoke(args=["operators", "list", "--json"]).stdout) == {"operators": []}


@pytest.mark.settings(PORTAL_OPERATORS="company:boss")
def test_operators_of_the_settings_are_listed_too(portal_app: Flask) -> None:
    assert portal_app.test_cli_runner().invoke(args=["operators", "list"]).stdout == "company:boss\tadmin\n"


@pytest.mark.settings(PORTAL_OPERATORS="company:boss")
def test_whoever_the_settings_name_is_said_to_be_an_admin_whatever_role_they_were_given(
    portal_app: Flask,
) -> None:
    shell = portal_app.test_cli_runner()
    added = shell.invoke(args=["operators", "add", "company:boss", "--role", "viewer"])
    assert added.stdout == "company:boss is an operator (admin).\n"
    assert "PORTAL_OPERATORS names company:boss, which makes them an admin" in added.stderr
    assert shell.invoke(args=["operators", "list"]).stdout == "company:boss\tadmin\n"


def test_a_role_is_changed_by_adding_again(portal_app: Flask) -> None:
    shell = portal_app.test_cli_runner()
    shell.invoke(args=["operators", "add", "company:ana"])
    shell.invoke(args=["operators", "add", "company:ana", "--role", "viewer"])
    assert shell.invoke(args=["operators", "list"]).stdout == "company:ana\tviewer\n"


def test_an_e_mail_of_a_provider_that_is_not_trusted_is_warned_of(portal_app: Flask) -> None:
    result = portal_app.test_cli_runner().invoke(args=["operators", "add", "company:ana@example.com"])
    assert result.exit_code == 0
    assert "PORTAL_OIDC_COMPANY_TRUST_EMAIL" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (["add", "nobody:ana"], 1, "There is no such sign-in provider; known: company."),
        (["remove", "company:ana"], 1, "There is no operator company:ana."),
        (["add", "company"], 2, "is not PROVIDER:EMAIL-OR-SUBJECT"),
        (["add", "company:ana", "--role", "king"], 2, "king"),
    ],
)
def test_a_refusal_is_a_sentence_on_standard_error(
    portal_app: Flask, arguments: list[str], exit_code: int, words: str
) -> None:
    result = portal_app.test_cli_runner().invoke(args=["operators", *arguments])
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert words in result.stderr
