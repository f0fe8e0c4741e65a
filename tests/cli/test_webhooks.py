"""`flask webhooks list`, `replay` and `self-test`: what a shell answers, and in whose name it acts."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskCliRunner

from portal.models import EventState, WebhookEvent
from portal.services.audit_trail import AuditFilter
from tests.cli.company import COMPANY
from tests.databases import on_sqlite
from tests.services.programme import Programme

pytestmark = [
    on_sqlite,
    COMPANY,
    pytest.mark.settings(
        PORTAL_BASE_URL="http://127.0.0.1:9",
    ),
]
BOSS = ["--as", "company:boss", "--json"]


@pytest.fixture
def programme(programme: Programme) -> Programme:
    """With two parked events and one that was ignored."""
    for number in range(3):
        programme.receive({"id": f"evt_{number}", "object": "event", "type": "x.y", "livemode": False})
    programme.services.stripe_events.process_due()
    parked = sa.update(WebhookEvent).where(WebhookEvent.id != "evt_0")
    programme.execute(parked.values(state=EventState.parked, tries=12))
    return programme


def states(shell: FlaskCliRunner, *options: str) -> dict[str, str]:
    result = shell.invoke(args=["webhooks", "list", "--json", *options])
    assert result.exit_code == 0
    return {event["id"]: event["state"] for event in json.loads(result.stdout)["events"]}


def test_events_are_listed_by_state(shell: FlaskCliRunner, programme: Programme) -> None:
    assert states(shell) == {"evt_0": "ignored", "evt_1": "parked", "evt_2": "parked"}
    assert states(shell, "--state", "parked").keys() == {"evt_1", "evt_2"}
    assert len(states(shell, "--limit", "1")) == 1
    assert "evt_0\tx.y\t" in shell.invoke(args=["webhooks", "list"]).stdout


def test_one_event_or_all_that_failed_are_replayed_in_an_operators_name(
    shell: FlaskCliRunner, programme: Programme
) -> None:
    one = shell.invoke(args=["webhooks", "replay", "evt_1", *BOSS])
    assert (one.exit_code, json.loads(one.stdout)) == (0, {"replayed": 1})
    assert states(shell)["evt_1"] == "received"
    rest = shell.invoke(args=["webhooks", "replay", "--failed", *BOSS])
    assert (rest.exit_code, json.loads(rest.stdout)) == (0, {"replayed": 1})
    trail = programme.services.audit_trail.newest(AuditFilter(action="event.replayed"))
    assert [line.row.actor_kind.value for line in trail] == ["shell", "shell"]
    assert {line.row.actor_id for line in trail} != {None}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["evt_1"], 2, "--as"),
        (BOSS, 2, "Name one event"),
        (["evt_1", "--failed", *BOSS], 2, "Name one event"),
        (["evt_9", *BOSS], 1, "There is no such event."),
        (["--failed", "--as", "company:ana"], 1, "There is no operator"),
    ],
)
def test_what_makes_no_sense_replays_nothing(
    shell: FlaskCliRunner, programme: Programme, arguments: list[str], code: int, words: str
) -> None:
    result = shell.invoke(args=["webhooks", "replay", *arguments])
    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr
    assert len(states(shell, "--state", "parked")) == 2


def test_a_self_test_says_what_is_wrong_and_exits_1(shell: FlaskCliRunner, portal_app: Flask) -> None:
    result = shell.invoke(args=["webhooks", "self-test", "--json"])
    document = json.loads(result.stdout)
    assert (result.exit_code, document["is_fine"]) == (1, False)
    assert {finding["verdict"] for finding in document["findings"]} == {"wrong"}
    lines = shell.invoke(args=["webhooks", "self-test"]).stdout
    assert "Nobody answered at http://127.0.0.1:9/webhooks/stripe" in lines
