"""What one answer of Stripe's proves about a transfer that was asked for, and when a key may be sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from portal.domain.attempts import (
    CLOCK_SHIFT,
    FIRST_PAUSE_SECONDS,
    KEY_LIFETIME,
    LANDS_WITHIN,
    LONGEST_PAUSE_SECONDS,
    POST_WINDOW,
    PROOF_AFTER,
    AnswerClass,
    StripeAnswer,
    classify,
    may_conclude_absence,
    may_post,
    pause_seconds,
)

ASKED = {"amount": 1_000, "currency": "usd", "destination": "acct_1", "transfer_group": "payout-1"}
MADE = {"id": "tr_1", "amount": 1_000, "currency": "usd", "destination": "acct_1"}
STRIPES = "invalid_request_error"
SENT_AT = datetime(2026, 3, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (StripeAnswer(200, made=MADE), AnswerClass.success),
        (StripeAnswer(200, made=MADE | {"amount": 999}), AnswerClass.alarm),
        (StripeAnswer(200, made=MADE | {"currency": "eur"}), AnswerClass.alarm),
        (StripeAnswer(200, made=MADE | {"destination": "acct_2"}), AnswerClass.alarm),
        (StripeAnswer(200, made={}), AnswerClass.ambiguous),
        (StripeAnswer(200, made={"id": 7}), AnswerClass.ambiguous),
        (StripeAnswer(200), AnswerClass.ambiguous),
        (StripeAnswer(201, made=MADE), AnswerClass.ambiguous),
        (StripeAnswer(302), AnswerClass.ambiguous),
        (StripeAnswer(399, error_type=STRIPES), AnswerClass.ambiguous),
        (StripeAnswer(None), AnswerClass.ambiguous),
        (StripeAnswer(500, error_type="api_error"), AnswerClass.ambiguous),
        (StripeAnswer(502), AnswerClass.ambiguous),
        (StripeAnswer(409, error_type=STRIPES, error_code="lock_timeout"), AnswerClass.ambiguous),
        (StripeAnswer(408), AnswerClass.ambiguous),
        (StripeAnswer(400), AnswerClass.ambiguous),
        (StripeAnswer(429, error_type=STRIPES), AnswerClass.not_executed),
        (StripeAnswer(429), AnswerClass.not_executed),
        (StripeAnswer(401, error_type=STRIPES), AnswerClass.key_refused),
        (StripeAnswer(403, error_type=STRIPES), AnswerClass.key_refused),
        (StripeAnswer(400, error_type="idempotency_error"), AnswerClass.our_bug),
        (StripeAnswer(400, error_code="idempotency_error"), AnswerClass.our_bug),  # as v2 says it
        (StripeAnswer(400, error_code="accounts_v2_access_blocked"), AnswerClass.refused),
        (
            StripeAnswer(400, error_type=STRIPES, error_code="balance_insufficient"),
            AnswerClass.waiting_for_funds,
        ),
        (StripeAnswer(400, error_type=STRIPES, error_code="account_invalid"), AnswerClass.refused),
        (StripeAnswer(400, error_type=STRIPES), AnswerClass.refused),
        (StripeAnswer(404, error_type=STRIPES), AnswerClass.refused),
        (StripeAnswer(499, error_type=STRIPES), AnswerClass.refused),
        (StripeAnswer(402, error_type="card_error", error_code="from_the_future"), AnswerClass.refused),
    ],
)
def test_what_an_answer_means(answer: StripeAnswer, meaning: AnswerClass) -> None:
    assert classify(answer, ASKED) is meaning


def test_a_key_is_posted_without_a_look_for_less_than_17_hours() -> None:
    """That night Europe's clocks go forward; UTC does not."""
    assert may_post(SENT_AT, SENT_AT)
    assert may_post(SENT_AT, SENT_AT + timedelta(hours=17, microseconds=-1))
    assert not may_post(SENT_AT, SENT_AT + timedelta(hours=17))


def test_a_clock_that_is_set_six_hours_forward_or_back_does_no_harm() -> None:
    """The key was sent for less than 23 hours, and its last request had two hours to land."""
    assert KEY_LIFETIME == timedelta(hours=23) >= POST_WINDOW + CLOCK_SHIFT
    assert PROOF_AFTER - CLOCK_SHIFT - POST_WINDOW >= LANDS_WITHIN


def test_absence_is_proven_from_25_hours_on() -> None:
    assert not may_conclude_absence(SENT_AT, SENT_AT + timedelta(hours=25, microseconds=-1))
    assert may_conclude_absence(SENT_AT, SENT_AT + timedelta(hours=25))
    assert may_conclude_absence(SENT_AT, SENT_AT + timedelta(days=3))


def test_pauses_double_from_the_first_to_the_longest() -> None:
    pauses = [pause_seconds(tries) for tries in range(1, 100)]
    assert pauses[0] == pause_seconds(0) == FIRST_PAUSE_SECONDS
    assert all(later in {2 * sooner, LONGEST_PAUSE_SECONDS} for sooner, later in pairwise(pauses))
    assert pauses[-1] == LONGEST_PAUSE_SECONDS


def test_what_failed_together_comes_back_apart_within_a_quarter_of_the_pause_and_never_before_stripe_allows() -> (
    None
):
    for tries in (1, 4, 50):
        pauses = {pause_seconds(tries, spread=spread) for spread in range(0, 100_000, 997)}
        assert max(pauses) == pause_seconds(tries)
        assert min(pauses) >= pause_seconds(tries) * 3 // 4
        assert pause_seconds(tries, spread=pause_seconds(tries) // 4) == pause_seconds(tries) * 3 // 4
        assert len(pauses) > min(4, tries)
        assert all(pause_seconds(tries, 3_000, spread=spread) >= 3_000 for spread in range(0, 10_000, 97))


@pytest.mark.parametrize(("asked_for", "pause"), [(None, 20), (0, 20), (90, 90), (10**9, 3_600)])
def test_stripe_is_given_the_time_it_asks_for_up_to_an_hour(asked_for: int | None, pause: int) -> None:
    assert pause_seconds(1, asked_for) == pause
