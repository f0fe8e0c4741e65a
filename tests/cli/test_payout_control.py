"""`flask payouts halt`, `resume`, `retry` and `mark-paid`: what a shell answers, and in whose name it acts."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from flask.testing import FlaskCliRunner

from portal.wiring import services
from tests.databases import on_sqlite
from tests.services.programme import Programme

pytestmark = [
    on_sqlite,
    pytest.mark.settings(
        PORTAL_OIDC_COMPANY_ISSUER="https://id.example",
        PORTAL_OIDC_COMPANY_CLIENT_ID="portal",
        PORTAL_OIDC_COMPANY_CLIENT_SECRET="hush",
        PORTAL_OPERATORS="company:boss",
    ),
]
BOSS = ["--as", "company:boss", "--json"]


def test_sending_is_stopped_and_let_go_on(shell: FlaskCliRunner) -> None:
    stopped = shell.invoke(args=["payouts", "halt", "--reason", "A look.", *BOSS])
    assert (stopped.exit_code, json.loads(stopped.stdout)) == (0, {"is_halted": True})
    on = shell.invoke(args=["payouts", "resume", "--reason", "All well.", *BOSS])
    assert (on.exit_code, json.loads(on.stdout)) == (0, {"is_halted": False})


def test_nothing_is_done_without_an_operator(shell: FlaskCliRunner) -> None:
    assert shell.invoke(args=["payouts", "halt", "--reason", "A look."]).exit_code == 2
    stranger = shell.invoke(args=["payouts", "halt", "--reason", "A look.", "--as", "company:ana"])
    assert (stranger.exit_code, stranger.stdout) == (1, "")
    assert "There is no operator company:ana." in stranger.stderr


def test_a_payout_is_retried(shell: FlaskCliRunner, programme: Programme) -> None:
    payout_id = programme.approved()
    result = shell.invoke(args=["payouts", "retry", str(payout_id), *BOSS])
    assert (result.exit_code, json.loads(result.stdout)["done"]) == (0, "P-1001 is taken up by the next run.")
    missing = shell.invoke(args=["payouts", "retry", str(UUID(int=1)), *BOSS])
    assert (missing.exit_code, missing.stderr) == (1, "Error: There is no such payout.\n")


def test_a_crypto_payout_is_marked_paid(shell: FlaskCliRunner, programme: Programme) -> None:
    payout_id = programme.request(programme.crypto(earned=10_000))
    marked = ["payouts", "mark-paid", str(payout_id), "--reference", "0xfeed", *BOSS]
    result = shell.invoke(args=marked)
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert (document["status"], document["external_reference"]) == ("paid", "0xfeed")
    assert json.loads(shell.invoke(args=marked).stdout) == document
    rows = services().payouts.history(payout_id)
    assert {row.cause for row in rows if row.to_value == "paid"} == {"payouts mark-paid"}
