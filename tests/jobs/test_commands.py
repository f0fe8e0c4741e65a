"""What the shell's runs say and how they end."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result

from portal.models import ActorKind, JobSlot, WebhookEvent
from portal.services.journal import Cause
from tests.services.line import Line
from tests.services.programme import Programme


def shell(programme: Programme, *arguments: str) -> Result:
    return programme.app.test_cli_runner().invoke(args=arguments)


def said(result: Result) -> dict[str, Any]:
    """One JSON object on standard output and nothing else."""
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_process_payouts_counts_what_it_did_and_has_sent_before_it_returns(programme: Programme) -> None:
    paid, held = programme.approved(), programme.approved()
    programme.block(programme.payout(held).affiliate_id)
    result = shell(programme, "process-payouts", "--json")
    assert result.exit_code == 0
    answer = said(result)
    assert {name: answer[name] for name in ("paid", "held", "waiting", "failed", "unknown", "skipped", "total")} == {
        "paid": 1, "held": 1, "waiting": 0, "failed": 0, "unknown": 0, "skipped": 0, "total": {"usd": 10_000},
    }  # fmt: skip
    assert programme.payout(paid).status == "paid"


def test_process_payouts_ends_well_whatever_the_counts(programme: Programme) -> None:
    programme.approved()
    programme.stripe.goes_away()
    result = shell(programme, "process-payouts", "--json")
    assert (result.exit_code, said(result)["waiting"]) == (0, 1)


def test_process_payouts_with_a_refused_key_ends_with_1_and_changes_nothing(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("401", path="/v1/", method="*", times=9)
    result = shell(programme, "process-payouts", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "key" in result.stderr
    assert programme.payout(payout_id).status == "approved"


@pytest.mark.parametrize("how", [["--json"], ["--json", "--dry-run"]])
def test_while_sending_is_stopped_process_payouts_says_why_nothing_leaves(
    programme: Programme, how: list[str]
) -> None:
    payout_id = programme.approved()
    programme.services.payout_control.halt(
        cause=Cause(ActorKind.operator, None, "request-1", "The bank called.")
    )
    result = shell(programme, "process-payouts", *how)
    assert result.exit_code == 0
    assert "Sending is stopped: The bank called. Nothing is sent" in result.stderr
    assert said(result)["failed"] == 0
    assert programme.payout(payout_id).status == "approved"


def test_a_dry_run_says_what_would_be_paid(programme: Programme) -> None:
    payout_id = programme.approved()
    answer = said(shell(programme, "process-payouts", "--dry-run", "--json"))
    assert (answer["paid"], answer["total"]) == (1, {"usd": 10_000})
    assert programme.payout(payout_id).status == "approved"


def test_verify_stripe_accounts_says_its_tally(programme: Programme) -> None:
    affiliate_id = programme.verified()
    programme.clock.advance(hours=2)
    programme.stripe.fate(programme.account_of(affiliate_id), "restrict", silently=True)
    result = shell(programme, "verify-stripe-accounts", "--json")
    assert result.exit_code == 0
    assert said(result) == {"checked": 1, "changed": 1, "unchanged": 0, "errors": 0, "webhooks_missed": 1}
    stale = shell(programme, "verify-stripe-accounts", "--stale", "1", "--json")
    assert said(stale)["checked"] == 0


def test_verify_stripe_accounts_names_who_is_stuck_and_why(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    account_id = programme.onboard(affiliate_id, fate=None)
    programme.sync(affiliate_id)
    programme.clock.advance(days=7)
    (stuck,) = said(shell(programme, "verify-stripe-accounts", "--json"))["stuck"]
    assert (stuck["affiliate_code"], stuck["stripe_account_id"]) == (
        programme.get(affiliate_id).code,
        account_id,
    )
    assert (stuck["detail"], "tos_acceptance.date" in stuck["missing"]) == ("setup_incomplete", True)
    assert f"stuck: {stuck['affiliate_code']} since" in shell(programme, "verify-stripe-accounts").stdout


def test_verify_stripe_accounts_with_a_refused_key_ends_with_1(programme: Programme) -> None:
    affiliate_id = programme.verified()
    programme.stripe.fault("401", path="/v1/", method="*", times=9)
    result = shell(programme, "verify-stripe-accounts", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert programme.get(affiliate_id).stripe_account_status == "verified"


@pytest.mark.settings(PORTAL_PAYOUT_RUN="0 0 1 1 *")
def test_worker_once_works_on_events_and_retries_and_sends_nothing_without_a_missed_slot(
    programme: Programme,
) -> None:
    unknown = programme.approved()
    programme.stripe.fault("timeout_before")
    programme.run()
    approved = programme.approved()
    programme.receive({"id": "evt_1", "object": "event", "type": "balance.available", "livemode": False})
    programme.clock.advance(seconds=20)
    assert shell(programme, "worker", "--once").exit_code == 0
    assert programme.payout(unknown).status == "paid"
    assert [row.state for row in programme.rows(sa.select(WebhookEvent.__table__))] == ["ignored"]
    assert programme.payout(approved).status == "approved"


def test_worker_once_sends_where_a_slot_was_missed(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.clock.advance(hours=1)
    assert shell(programme, "worker", "--once").exit_code == 0
    assert programme.payout(payout_id).status == "paid"


def test_worker_once_ends_with_1_if_a_job_raised_and_still_does_the_others(
    programme: Programme, line: Line
) -> None:
    affiliate_id = programme.verified()
    programme.approved()
    programme.stripe.fault("timeout_before")
    programme.run()
    programme.stripe.fate(programme.account_of(affiliate_id), "restrict")
    programme.receive(programme.stripe.events("account.updated")[-1])
    programme.stripe.fault("401", path="/v1/transfers", method="*", times=9)
    programme.clock.advance(seconds=20)
    assert shell(programme, "worker", "--once").exit_code == 1
    assert programme.get(affiliate_id).stripe_account_status == "restricted"


def test_a_job_that_raised_is_tried_again_by_another_worker_later(programme: Programme) -> None:
    programme.verified()
    programme.stripe.fault("401", path="/v1/accounts", method="GET", times=1)
    night = programme.clock.now().replace(hour=2, minute=0, second=0, microsecond=0) + timedelta(days=1)
    programme.clock.set(night)
    assert shell(programme, "worker", "--once").exit_code == 1
    programme.clock.advance(hours=1)
    assert shell(programme, "worker", "--once").exit_code == 0
    query = sa.select(JobSlot.tally).where(
        JobSlot.job == "verify-stripe-accounts", JobSlot.finished_at.is_not(None)
    )
    assert [tally["checked"] for (tally,) in programme.rows(query)] == [1]
