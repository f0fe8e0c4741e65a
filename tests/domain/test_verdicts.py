"""What follows from an answer or a listing, and what is done next about an open attempt."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from portal.domain.attempts import (
    IN_FLIGHT,
    KEY_LIFETIME,
    POST_WINDOW,
    PROOF_AFTER,
    AnswerClass,
    AttemptState,
    Outcome,
)
from portal.domain.payouts import LEASE, HoldReason, PayoutStatus, WaitReason, is_leased
from portal.domain.verdicts import (
    Heard,
    Listing,
    Step,
    Verdict,
    after_answer,
    after_listing,
    next_step,
    reconsidered,
)

SENT_AT = datetime(2026, 3, 28, 12, tzinfo=UTC)
OLD = SENT_AT + PROOF_AFTER
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Attempt:
    """One that was posted once and is of unknown outcome, unless it says otherwise."""

    state: AttemptState = AttemptState.open
    unresolved_tries: int = 1
    transfer_id: str | None = None
    last_answer: str | None = None
    request_id: str | None = None
    first_sent_at: datetime = SENT_AT
    last_sent_at: datetime = SENT_AT
    parameters: dict[str, object] = field(
        default_factory=lambda: {"amount": 1_000, "currency": "usd", "destination": "acct_1"}
    )


@dataclass(frozen=True)
class Transfer:
    id: str = "tr_1"
    amount: int = 1_000
    currency: str = "usd"
    destination: str = "acct_1"


ONCE, TWICE = Attempt(), Attempt(unresolved_tries=2)
PARKED = Attempt(state=AttemptState.parked, last_sent_at=SENT_AT + timedelta(hours=3))
PAID = Attempt(state=AttemptState.succeeded, unresolved_tries=0, transfer_id="tr_1")
FAILED = Attempt(state=AttemptState.failed, unresolved_tries=0)


def heard(meaning: str, *, transfer_id: str | None = None, hold: HoldReason | None = None) -> Heard:
    return Heard(AnswerClass(meaning), transfer_id, hold, is_account_fresh=True)


@pytest.mark.parametrize(
    ("attempt", "answer", "outcome", "state", "status"),
    [
        (ONCE, heard("success", transfer_id="tr_1"), "paid", "succeeded", "paid"),
        (PARKED, heard("success", transfer_id="tr_1"), "paid", "succeeded", "paid"),
        (PAID, heard("success", transfer_id="tr_1"), "paid", None, None),
        (PAID, heard("refused"), "paid", None, None),
        (FAILED, heard("refused"), "unknown", None, None),
        (ONCE, heard("ambiguous"), "unknown", None, None),
        (ONCE, heard("not_executed"), "waiting", None, None),
        (TWICE, heard("not_executed"), "unknown", None, None),
        (ONCE, heard("our_bug"), "unknown", "parked", None),
        (ONCE, heard("refused"), "failed", "failed", "failed"),
        (replace(ONCE, unresolved_tries=0), heard("refused"), "failed", "failed", "failed"),
        (ONCE, heard("refused", hold=HoldReason.blocked), "held", "failed", "held"),
        (TWICE, heard("refused"), "unknown", None, None),
        (ONCE, heard("waiting_for_funds"), "waiting", "failed", "approved"),
        (TWICE, heard("waiting_for_funds"), "unknown", None, None),
        (ONCE, heard("waiting_for_funds", hold=HoldReason.blocked), "held", "failed", "held"),
        (ONCE, heard("key_refused"), "waiting", "failed", "approved"),
        (TWICE, heard("key_refused"), "unknown", None, None),
    ],
)
def test_what_follows_from_an_answer(
    attempt: Attempt, answer: Heard, outcome: str, state: str | None, status: str | None
) -> None:
    verdict = after_answer(attempt, answer)
    assert (verdict.outcome, verdict.state, verdict.status) == (outcome, state, status)
    assert verdict.is_tried_again == (attempt.state is AttemptState.open and state is None)
    assert verdict.alarm is None
    assert verdict.hold_reason == (answer.hold_reason if status == "held" else None)
    is_unfunded = status == "approved" and answer.meaning is AnswerClass.waiting_for_funds
    assert verdict.wait_reason == (WaitReason.funds if is_unfunded else None)


@pytest.mark.parametrize(
    ("attempt", "answer"),
    [
        (ONCE, heard("alarm")),
        (FAILED, heard("success", transfer_id="tr_1")),
        (PAID, heard("success", transfer_id="tr_2")),
    ],
)
def test_what_should_not_be_at_stripe_stops_all_sending(attempt: Attempt, answer: Heard) -> None:
    verdict = after_answer(attempt, answer)
    assert verdict.alarm
    assert (verdict.outcome, verdict.status) == (Outcome.unknown, None)


def test_a_try_that_is_answered_is_not_counted_any_more() -> None:
    counts = [
        after_answer(TWICE, heard(meaning)).unresolved_tries for meaning in ("ambiguous", "not_executed")
    ]
    assert counts == [2, 1]


@pytest.mark.parametrize(
    "answer",
    [
        heard("refused"),
        heard("refused", hold=HoldReason.blocked),
        heard("waiting_for_funds"),
        heard("key_refused"),
    ],
)
def test_a_definite_no_leaves_no_try_of_unknown_outcome(answer: Heard) -> None:
    assert after_answer(ONCE, answer).unresolved_tries == 0


def test_a_payout_fails_only_once_the_account_was_looked_at_again() -> None:
    verdict = after_answer(ONCE, replace(heard("refused"), is_account_fresh=False))
    assert (verdict.status, verdict.wait_reason) == (PayoutStatus.approved, WaitReason.stripe_away)


def test_what_was_never_sent_is_held_if_its_affiliate_lost_their_standing_meanwhile() -> None:
    reason = HoldReason.blocked
    verdict = after_listing(ONCE, Listing([], OLD), paid_by=None, hold_reason=reason)
    assert (verdict.outcome, verdict.status, verdict.hold_reason) == (Outcome.held, PayoutStatus.held, reason)


@pytest.mark.parametrize(
    ("attempt", "asked_at", "is_proven"),
    [
        (ONCE, None, False),
        (ONCE, OLD - INSTANT, False),
        (ONCE, OLD, True),
        (replace(ONCE, last_sent_at=OLD - IN_FLIGHT), OLD, True),
        (replace(ONCE, last_sent_at=OLD - IN_FLIGHT + INSTANT), OLD, False),
        (replace(ONCE, last_sent_at=OLD - INSTANT, request_id="req_1"), OLD, True),
        (replace(ONCE, last_sent_at=OLD + INSTANT, request_id="req_1"), OLD, False),
        (replace(ONCE, first_sent_at=OLD), OLD, False),
        (replace(ONCE, unresolved_tries=0), SENT_AT + POST_WINDOW, True),
        (PARKED, OLD, False),
        (replace(PARKED, unresolved_tries=0), OLD, False),
        (PARKED, OLD + timedelta(hours=3), True),
    ],
)
def test_an_empty_list_proves_something_only_of_an_attempt_that_can_no_longer_land(
    attempt: Attempt, asked_at: datetime | None, is_proven: bool
) -> None:
    verdict = after_listing(attempt, Listing([], asked_at), paid_by=None)
    proof = Verdict(Outcome.waiting, state=AttemptState.failed, status=PayoutStatus.approved)
    assert verdict == (proof if is_proven else Verdict(Outcome.unknown))


def test_one_matching_transfer_settles_whenever_it_is_found() -> None:
    for attempt in (ONCE, TWICE, PARKED):
        verdict = after_listing(attempt, Listing([Transfer()], None), paid_by=None)
        assert (verdict.status, verdict.transfer_id) == (PayoutStatus.paid, "tr_1")
        assert verdict.unresolved_tries == 0


@pytest.mark.parametrize(
    ("attempt", "found", "paid_by", "is_alarming"),
    [
        (ONCE, [Transfer(), Transfer("tr_2")], None, True),
        (ONCE, [Transfer(amount=999)], None, True),
        (ONCE, [Transfer(currency="eur")], None, True),
        (ONCE, [Transfer(destination="acct_2")], None, True),
        (None, [Transfer()], None, True),
        (None, [], None, False),
        (PAID, [Transfer()], "tr_1", False),
        (PAID, [Transfer(), Transfer("tr_2")], "tr_1", True),
        (PAID, [Transfer(), Transfer("tr_2")], "tr_2", True),
    ],
)
def test_what_does_not_fit_stops_all_sending(
    attempt: Attempt | None, found: list[Transfer], paid_by: str | None, is_alarming: bool
) -> None:
    verdict = after_listing(attempt, Listing(found, OLD), paid_by=paid_by)
    assert (verdict.alarm is not None) == is_alarming
    assert verdict.status is None


@pytest.mark.parametrize(
    ("attempt", "now", "step"),
    [
        (None, SENT_AT, Step.leave),
        (PARKED, SENT_AT, Step.leave),
        (PAID, SENT_AT, Step.leave),
        (FAILED, SENT_AT, Step.leave),
        (ONCE, SENT_AT + POST_WINDOW - INSTANT, Step.post),
        (ONCE, SENT_AT + POST_WINDOW, Step.look_first),
        (ONCE, SENT_AT + KEY_LIFETIME - INSTANT, Step.look_first),
        (ONCE, SENT_AT + KEY_LIFETIME, Step.look),
        (
            replace(ONCE, last_sent_at=SENT_AT + POST_WINDOW - IN_FLIGHT),
            SENT_AT + POST_WINDOW,
            Step.look_first,
        ),
        (replace(ONCE, last_sent_at=SENT_AT + POST_WINDOW - INSTANT), SENT_AT + POST_WINDOW, Step.look),
    ],
)
def test_the_next_step_posts_only_under_a_key_that_is_young_enough(
    attempt: Attempt | None, now: datetime, step: Step
) -> None:
    assert next_step(attempt, now, next_try_at=now + timedelta(minutes=1)) is step
    assert step.may_post == (step in {"post", "look_first"})


@pytest.mark.parametrize(
    ("next_try_in", "step"),
    [
        (timedelta(0), Step.post),
        (INSTANT, Step.wait),
        (timedelta(hours=1), Step.wait),
        (timedelta(hours=6), Step.post),
    ],
)
def test_stripe_is_given_the_pause_it_asked_for_unless_a_clock_was_ahead(
    next_try_in: timedelta, step: Step
) -> None:
    told_to_wait = replace(ONCE, last_answer=AnswerClass.not_executed)
    assert next_step(told_to_wait, SENT_AT, next_try_at=SENT_AT + next_try_in) is step


def test_a_held_payout_goes_on_waits_or_ends() -> None:
    assert reconsidered(None) is PayoutStatus.approved
    assert reconsidered(HoldReason.blocked) is PayoutStatus.held
    assert reconsidered(HoldReason.account_changed) is PayoutStatus.canceled


def test_a_lease_counts_until_it_ends_and_never_longer_than_leases_are() -> None:
    assert not is_leased(None, SENT_AT)
    assert not is_leased(SENT_AT, SENT_AT)
    assert not is_leased(SENT_AT - INSTANT, SENT_AT)
    assert is_leased(SENT_AT + LEASE, SENT_AT)
    assert not is_leased(SENT_AT + LEASE + INSTANT, SENT_AT)
