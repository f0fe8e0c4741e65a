"""`flask affiliates`: what operators do about one of them, in their name, with the pages' own use cases."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from click.testing import Result
from flask.testing import FlaskCliRunner

from tests.cli.company import COMPANY
from tests.databases import on_sqlite
from tests.services.programme import Programme

pytestmark = [on_sqlite, COMPANY]


def code_of(programme: Programme, affiliate_id: UUID) -> str:
    return programme.get(affiliate_id).code


def done(shell: FlaskCliRunner, *words: str) -> dict[str, Any]:
    """What the command says that it did."""
    result = ask(shell, *words, "--json")
    assert result.exit_code == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def ask(shell: FlaskCliRunner, *words: str) -> Result:
    return shell.invoke(args=["affiliates", *words, "--as", "company:boss"])


def test_somebody_is_blocked_with_words_for_them_and_let_go_on(
    shell: FlaskCliRunner, programme: Programme
) -> None:
    affiliate_id = programme.verified()
    code = code_of(programme, affiliate_id)
    blocked = done(shell, "block", code, "--reason", "A stolen card.", "--message", "We look into it.")
    assert (blocked["is_blocked"], blocked["block_reason"]) == (True, "A stolen card.")
    assert programme.get(affiliate_id).block_message == "We look into it."
    assert done(shell, "unblock", code, "--reason", "All well.")["is_blocked"] is False
    assert [row[2] for row in programme.changes(affiliate_id, "affiliate.blocked")] == ["affiliates block"]


def test_stripe_is_asked_now_and_its_answer_is_written_down(
    shell: FlaskCliRunner, programme: Programme
) -> None:
    affiliate_id = programme.verified()
    code = code_of(programme, affiliate_id)
    assert ask(shell, "sync", code).stdout == "No change: verified.\n"
    programme.stripe.fate(programme.account_of(affiliate_id), "restrict", silently=True)
    assert done(shell, "sync", code)["stripe_account_status"] == "restricted"
    assert programme.changes(affiliate_id, "affiliate.status_changed")[-1] == (
        "verified", "restricted", "affiliates sync",
    )  # fmt: skip


def test_stripe_away_or_no_account_is_said_and_changes_nothing(
    shell: FlaskCliRunner, programme: Programme
) -> None:
    affiliate_id, none = programme.verified(), programme.affiliate()
    programme.stripe.goes_away()
    away = ask(shell, "sync", code_of(programme, affiliate_id))
    assert (away.exit_code, away.stdout) == (1, "")
    assert "We could not reach Stripe just now. Nothing was changed." in away.stderr
    without = ask(shell, "sync", code_of(programme, none))
    assert (without.exit_code, without.stderr) == (
        1, f"Error: {code_of(programme, none)} has no Stripe account to ask about yet.\n",
    )  # fmt: skip
    assert ask(shell, "sync", "nobody").exit_code == 1


def test_a_shared_bank_account_is_accepted_with_the_reason(
    shell: FlaskCliRunner, programme: Programme
) -> None:
    ana, ben = programme.verified(), programme.verified()
    alone = ask(shell, "accept-bank", code_of(programme, ana), "--reason", "A couple.")
    assert (alone.exit_code, alone.stderr) == (
        1, "Error: Nobody else is paid to this bank account any more.\n",
    )  # fmt: skip
    for affiliate_id in (ana, ben):
        programme.stripe.fate(programme.account_of(affiliate_id), "change_bank", fingerprint="fp_shared")
        programme.sync(affiliate_id)
    done(shell, "accept-bank", code_of(programme, ana), "--reason", "A couple.")
    for affiliate_id in (ana, ben):
        (row,) = programme.changes(affiliate_id, "affiliate.shared_bank_accepted")
        assert row[2] == "affiliates accept-bank"
    assert programme.services.overview.get().shared_banks == 0


def test_a_note_stands_in_the_trail(shell: FlaskCliRunner, programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    done(shell, "note", code_of(programme, affiliate_id), "--text", "Called us.")
    assert [row[2] for row in programme.changes(affiliate_id, "affiliate.noted")] == ["affiliates note"]
