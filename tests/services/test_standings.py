"""One writer of what Stripe says about an account: the newest answer counts, and each change is in the trail."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.domain.accounts import AccountFacts
from portal.domain.attempts import Outcome
from portal.domain.errors import StripeIsAway
from portal.domain.notifications import MailKind
from portal.sandbox.app import create_sandbox
from portal.sandbox.config import SandboxConfig
from portal.services.accounts import CHECK_EVERY_SECONDS
from portal.services.journal import Cause
from tests.services.line import Line
from tests.services.mail.reading import outbox
from tests.services.programme import TEST, Programme


def test_an_older_answer_never_overwrites_a_newer_one(programme: Programme) -> None:
    affiliate_id = programme.verified()
    account_id, now = programme.account_of(affiliate_id), programme.clock.real_now()
    record = programme.services.accounts.record
    gone = AccountFacts.gone(account_id)
    late = record(affiliate_id, gone, asked_at=now - timedelta(microseconds=1), cause=TEST)
    assert (late.is_applied, late.is_standing_changed) == (False, False)
    assert programme.get(affiliate_id).stripe_account_status == "verified"
    newer = record(affiliate_id, gone, asked_at=now + timedelta(seconds=1), cause=TEST)
    assert (newer.before, newer.after) == ("verified", "restricted")


def test_an_answer_about_an_earlier_account_changes_nothing(programme: Programme) -> None:
    affiliate_id = programme.verified()
    facts = AccountFacts.gone("acct_earlier")
    at = programme.clock.real_now() + timedelta(days=1)
    assert not programme.services.accounts.record(affiliate_id, facts, asked_at=at, cause=TEST).is_applied
    assert programme.get(affiliate_id).stripe_account_status == "verified"


def test_each_change_of_a_status_has_one_row_that_says_why(programme: Programme) -> None:
    affiliate_id = programme.affiliate()
    programme.services.onboarding.start(affiliate_id, cause=Cause.system("request-1"))
    account_id = programme.account_of(affiliate_id)
    programme.stripe.fate(account_id, "review")
    programme.stripe.fate(account_id, "approve")
    (event,) = programme.stripe.events("account.updated")[-1:]
    for _ in range(3):
        programme.receive(event)
        programme.services.stripe_events.process_due()
    programme.stripe.fate(account_id, "restrict", silently=True)
    run = programme.services.verification.run(trigger="shell")
    assert programme.changes(affiliate_id, "affiliate.status_changed") == [
        (None, "pending", "request-1"),
        ("pending", "verified", event["id"]),
        ("verified", "restricted", f"verify-stripe-accounts {run.id}"),
    ]


def test_a_mail_tells_of_another_status_or_of_an_account_that_is_gone_and_of_no_other_detail(
    programme: Programme,
) -> None:
    affiliate_id = programme.affiliate()
    account_id = programme.onboard(affiliate_id, fate=None)
    told = [MailKind.status_pending]
    for fate, mail in (
        ("review", None),
        ("restrict", MailKind.status_restricted),
        ("delete", MailKind.status_disconnected),
        (None, None),
    ):
        if fate is not None:
            programme.stripe.fate(account_id, fate)
        programme.sync(affiliate_id)
        told += [mail] if mail else []
        assert [row.kind for row in outbox(programme, affiliate_id=affiliate_id)] == told


def test_a_page_notices_every_change_by_the_next_version(programme: Programme) -> None:
    affiliate_id = programme.verified()
    before = programme.get(affiliate_id).version
    assert programme.sync(affiliate_id).version == before
    for steps, fate in enumerate(("due", "change_bank"), start=1):
        programme.stripe.fate(programme.account_of(affiliate_id), fate)
        assert programme.sync(affiliate_id).version == before + steps


def test_losing_the_verification_holds_what_was_approved_and_leaves_what_was_requested(
    programme: Programme,
) -> None:
    approved, requested = programme.verified(earned=10_000), programme.verified(earned=60_000)
    payouts = [programme.request(affiliate_id) for affiliate_id in (approved, requested)]
    for affiliate_id in (approved, requested):
        programme.stripe.fate(programme.account_of(affiliate_id), "stop_payouts")
        programme.sync(affiliate_id)
    states = [
        (programme.payout(payout_id).status, programme.payout(payout_id).hold_reason) for payout_id in payouts
    ]
    assert states == [("held", "not_verified"), ("requested", None)]


def test_the_first_bank_account_is_no_change_and_the_next_one_starts_the_cooldown(
    programme: Programme,
) -> None:
    affiliate_id = programme.verified(earned=20_000)
    assert programme.get(affiliate_id).bank_changed_at is None
    first = programme.request(affiliate_id, "50.00")
    programme.run()
    assert programme.payout(first).status == "paid"
    programme.stripe.fate(programme.account_of(affiliate_id), "change_bank")
    second = programme.request(affiliate_id, "50.00")
    programme.run()
    assert (programme.payout(second).status, programme.payout(second).hold_reason) == ("held", "bank_changed")
    assert programme.changes(affiliate_id, "affiliate.bank_changed") == [(None, None, "process-payouts")]
    programme.clock.advance(hours=24, microseconds=-1)
    programme.run()
    assert programme.payout(second).status == "held"
    programme.clock.advance(microseconds=1)
    programme.run()
    assert programme.payout(second).status == "paid"


@pytest.mark.settings(PORTAL_BANK_CHANGE_COOLDOWN_HOURS="0")
def test_without_a_cooldown_a_changed_bank_holds_nothing(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=10_000)
    programme.stripe.fate(programme.account_of(affiliate_id), "change_bank")
    programme.request(affiliate_id)
    assert programme.run().counts[Outcome.paid] == 1


def test_check_status_asks_stripe_at_most_once_in_fifteen_seconds(programme: Programme) -> None:
    affiliate_id = programme.verified()
    programme.clock.advance(seconds=15)
    programme.stripe.forget_requests()
    asked = []
    for seconds in (0, 0, 14.999, 0.001, 0, 14):
        programme.clock.advance(seconds=seconds)
        asked.append(programme.services.accounts.check(affiliate_id, cause=TEST)[1])
    assert asked == [True, False, False, True, False, False]
    assert len(programme.stripe.requests("GET", "/v1/accounts/")) == 2


@pytest.mark.parametrize("fate", ["delete", "deauthorise"])
def test_an_account_that_is_gone_is_disconnected(programme: Programme, fate: str) -> None:
    affiliate_id = programme.verified()
    programme.stripe.fate(programme.account_of(affiliate_id), fate)
    affiliate = programme.sync(affiliate_id)
    assert (affiliate.stripe_account_status, affiliate.stripe_account_detail) == (
        "restricted",
        "disconnected",
    )


def test_a_page_that_waits_has_stripe_asked_every_fifteen_seconds_and_only_while_it_is_pending(
    programme: Programme,
) -> None:
    ana = programme.affiliate()
    account_id = programme.onboard(ana, fate=None)
    programme.sync(ana)
    programme.clock.advance(seconds=CHECK_EVERY_SECONDS)

    def polled() -> tuple[str | None, int]:
        programme.stripe.forget_requests()
        status = programme.services.accounts.poll(programme.get(ana), cause=TEST).stripe_account_status
        return status, len(programme.stripe.requests("GET", f"/v1/accounts/{account_id}"))

    assert polled() == ("pending", 1)
    programme.stripe.fate(account_id, "approve", silently=True)
    programme.clock.advance(seconds=CHECK_EVERY_SECONDS - 1)
    assert polled() == ("pending", 0)
    programme.clock.advance(seconds=1)
    assert polled() == ("verified", 1)
    assert programme.changes(ana, "affiliate.status_changed")[-1] == (
        "pending", "verified", "a test",
    )  # fmt: skip
    programme.clock.advance(hours=1)
    assert polled() == ("verified", 0)
    assert programme.services.accounts.check(ana, cause=TEST)[1]


def test_a_key_that_is_refused_changes_no_account(programme: Programme) -> None:
    affiliate_id = programme.verified()
    programme.stripe.fault("401", path="/v1/", method="*", times=9)
    with pytest.raises(StripeIsAway):
        programme.sync(affiliate_id)
    assert programme.get(affiliate_id).stripe_account_status == "verified"


def test_a_restricted_key_that_may_not_ask_for_its_own_account_still_reaches_the_others(
    programme: Programme, line: Line
) -> None:
    refusal = '{"error": {"type": "invalid_request_error", "message": "This key may not do that."}}'
    line.on_answer = lambda _method, path, answer: (
        (refusal, 403, answer[2]) if path == "/v1/account" else answer
    )
    ana = programme.affiliate()
    programme.onboard(ana)
    assert programme.get(ana).stripe_account_status == "verified"


def test_the_key_of_another_platform_changes_no_account(programme: Programme, line: Line) -> None:
    """Stripe tells it of our account what it tells of one that is gone: 403, while its own account answers."""
    affiliate_id = programme.verified()
    other = create_sandbox(SandboxConfig(secret_key="sk_test_portal"))
    line.speaks_to(other)
    line.on_answer = lambda _method, path, answer: (
        (answer[0].replace("acct_1SandboxPlatform", "acct_another"), *answer[1:])
        if path == "/v1/account"
        else answer
    )
    with pytest.raises(StripeIsAway):
        programme.sync(affiliate_id)
    assert programme.get(affiliate_id).stripe_account_status == "verified"
