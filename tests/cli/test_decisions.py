"""`flask payouts approve`, `reject` and `cancel` with several payouts at once."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from flask.testing import FlaskCliRunner

from tests.cli.company import COMPANY
from tests.databases import on_sqlite
from tests.services.programme import Programme

pytestmark = [
    on_sqlite,
    COMPANY,
    pytest.mark.settings(
        PORTAL_AUTO_APPROVE_LIMIT="usd:1000",
        PORTAL_SECOND_APPROVAL_LIMIT="usd:100000",
    ),
]
BOSS = ["--as", "company:boss"]


@pytest.fixture
def ids(programme: Programme) -> list[str]:
    """P-1001 and P-1002 of $600, and P-1003 of more than one operator may approve."""
    amounts = (60_000, 60_000, 100_001)
    return [str(programme.request(programme.verified(earned=amount))) for amount in amounts]


def test_several_are_approved_and_the_skipped_is_named(
    shell: FlaskCliRunner, programme: Programme, ids: list[str]
) -> None:
    programme.block(programme.payout(UUID(ids[1])).affiliate_id)
    code = programme.get(programme.payout(UUID(ids[1])).affiliate_id).code
    done = shell.invoke(args=["payouts", "approve", *ids, ids[0], *BOSS])
    assert done.stdout.splitlines() == [
        "P-1001 is approved.",
        f"P-1002 is skipped: {code} can't be paid at the moment: Your account is on hold. Please contact support.",
        "P-1003 has the first of two approvals.",
    ]
    assert done.exit_code == 1


def test_one_alone_answers_as_ever(shell: FlaskCliRunner, ids: list[str]) -> None:
    done = shell.invoke(args=["payouts", "approve", ids[0], *BOSS, "--json"])
    assert (done.exit_code, json.loads(done.stdout)["status"]) == (0, "approved")
    again = shell.invoke(args=["payouts", "approve", ids[0], *BOSS])
    assert (again.exit_code, again.stdout) == (1, "")
    assert "P-1001 was approved by boss (shell) on " in again.stderr
    assert shell.invoke(args=["payouts", "approve", *BOSS]).exit_code == 2


@pytest.mark.parametrize(("move", "status"), [("reject", "rejected"), ("cancel", "canceled")])
def test_several_are_called_off_with_one_reason(
    shell: FlaskCliRunner, programme: Programme, ids: list[str], move: str, status: str
) -> None:
    args = ["payouts", move, *ids[:2], "--reason", "The orders were refunded.", *BOSS]
    done = shell.invoke(args=[*args, "--json"])
    assert done.exit_code == 0
    described = json.loads(done.stdout)["payouts"]
    assert [(each["id"], each["status"], each["outcome"]) for each in described] == [
        (each, status, "done") for each in ids[:2]
    ]
    assert programme.payout(UUID(ids[0])).reason == "The orders were refunded."
    assert shell.invoke(args=args).stdout.count("is skipped: P-100") == 2


def test_a_list_with_a_stranger_in_it_does_nothing(
    shell: FlaskCliRunner, programme: Programme, ids: list[str]
) -> None:
    done = shell.invoke(args=["payouts", "approve", ids[0], str(UUID(int=1)), *BOSS])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "One of these payouts does not exist." in done.stderr
    assert programme.payout(UUID(ids[0])).status == "requested"
