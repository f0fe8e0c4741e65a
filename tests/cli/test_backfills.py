"""`flask backfill-events`: counts for machines, sentences for people, and a time that says its offset."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from tests.databases import on_sqlite
from tests.services.stand_in import StandIn

pytestmark = on_sqlite


def test_it_answers_with_counts(portal_app: Flask) -> None:
    shell = portal_app.test_cli_runner()
    result = shell.invoke(args=["backfill-events", "--json"])
    document = json.loads(result.stdout)
    assert (result.exit_code, document["seen"], document["stored"], document["errors"]) == (0, 0, 0, 0)
    assert shell.invoke(args=["backfill-events"]).stdout == "0 events listed, 0 of them were new.\n"


@pytest.mark.parametrize(
    ("since", "words"), [("yesterday", "is not a time"), ("2026-01-31T08:00:00", "needs its offset")]
)
def test_a_time_says_its_offset(portal_app: Flask, since: str, words: str) -> None:
    result = portal_app.test_cli_runner().invoke(args=["backfill-events", "--since", since])
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_a_time_is_taken(portal_app: Flask) -> None:
    clock = portal_app.extensions["portal"].clock
    since = clock.real_now().isoformat()
    result = portal_app.test_cli_runner().invoke(args=["backfill-events", "--since", since, "--json"])
    assert json.loads(result.stdout)["since"] == since


def test_a_silent_stripe_is_exit_1(portal_app: Flask, stand_in: Flask) -> None:
    StandIn(stand_in).goes_away()
    result = portal_app.test_cli_runner().invoke(args=["backfill-events"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "nothing is taken twice" in result.stderr
