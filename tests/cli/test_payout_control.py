"""`flask payouts halt`, `resume`, `retry` and `mark-paid`: what a shell answers, and in whose name it acts."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from flask.testing import FlaskCliRunner

from portal.wiring import services
from tests.cli.company import COMPANY
from tests.databases import on_sqlite
from tests.services.programme import Programme

pytestmark = [on_sqlite, COMPANY]
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


def test_several_wallets_are_marked_paid_with_one_reference_or_one_for_each(
    shell: FlaskCliRunner, programme: Programme
) -> None:
    ids = [programme.request(programme.crypto(earned=10_000)) for _ in range(4)]
    texts = [str(each) for each in ids]
    batch = shell.invoke(args=["payouts", "mark-paid", *texts[:2], "--reference", "0xbatch", *BOSS[:2]])
    assert batch.stdout.splitlines() == ["P-1001 is paid (0xbatch).", "P-1002 is paid (0xbatch)."]
    given = ["--reference", "0xc", "--reference", "0xd"]
    each = shell.invoke(args=["payouts", "mark-paid", *texts[2:], *given, *BOSS])
    assert each.exit_code == 0
    assert [programme.payout(one).external_reference for one in ids[2:]] == ["0xc", "0xd"]
    again = shell.invoke(args=["payouts", "mark-paid", *texts[:2], "--reference", "0xnew", *BOSS[:2]])
    assert again.exit_code == 1
    assert "P-1001 is skipped: P-1001 was sent by boss (shell) on " in again.stdout


def test_references_that_do_not_fit_the_ids_are_refused_before_anything_is_done(
    shell: FlaskCliRunner, programme: Programme
) -> None:
    payout_id = programme.request(programme.crypto(earned=10_000))
    two = ["--reference", "0xa", "--reference", "0xb"]
    for ids in ([str(payout_id)], [str(payout_id)] * 2):
        refused = shell.invoke(args=["payouts", "mark-paid", *ids, *two, *BOSS])
        assert refused.exit_code == 2
    assert programme.payout(payout_id).status == "approved"


def test_several_are_retried(shell: FlaskCliRunner, programme: Programme) -> None:
    ids = [str(programme.approved()) for _ in range(2)]
    done = shell.invoke(args=["payouts", "retry", *ids, *BOSS[:2]])
    assert done.stdout.splitlines() == [f"P-{number} is taken up by the next run." for number in (1001, 1002)]


@pytest.mark.parametrize(
    ("role", "command", "exit_code"),
    [
        ("viewer", ["halt", "--reason", "A look."], 1),
        ("operator", ["halt", "--reason", "A look."], 0),
        ("operator", ["resume", "--reason", "All well."], 1),
        ("approver", ["resume", "--reason", "All well."], 0),
    ],
)
def test_the_shell_goes_by_the_roles(
    shell: FlaskCliRunner, role: str, command: list[str], exit_code: int
) -> None:
    shell.invoke(args=["operators", "add", "company:ann", "--role", role])
    done = shell.invoke(args=["payouts", *command, "--as", "company:ann"])
    assert done.exit_code == exit_code
    assert (f"That of company:ann is {role}." in done.stderr) == bool(exit_code)


def test_only_an_admin_makes_operators_and_tokens_in_their_name(shell: FlaskCliRunner) -> None:
    shell.invoke(args=["operators", "add", "company:ann", "--role", "approver"])
    for command in (["operators", "add", "company:bo"], ["api-tokens", "create", "shop"]):
        refused = shell.invoke(args=[*command, "--as", "company:ann"])
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "takes the role admin. That of company:ann is approver." in refused.stderr
        assert shell.invoke(args=[*command, "--as", "company:boss"]).exit_code == 0
