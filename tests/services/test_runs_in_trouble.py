"""Runs in trouble: a payout that our own code fails at, and a Stripe that says nothing."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from stripe import InvalidRequestError

from portal.domain.attempts import Outcome, StripeAnswer
from portal.gateways.stripe import MOST_UNHEARD, StripeRefusedError, StripeUnavailableError
from portal.models import SendingFault
from portal.services.sending import Run
from portal.services.sending_faults import MOST_TRIES
from tests.services.line import Answer, Line
from tests.services.programme import TEST, Programme


def test_a_payout_that_goes_on_raising_is_left_alone_until_a_person_has_it_retried(
    programme: Programme, line: Line
) -> None:
    broken = programme.approved()

    def raise_always(method: str, asked: str) -> None:
        if asked.startswith("/v1/accounts/"):
            raise ZeroDivisionError

    line.on_request = raise_always
    for _ in range(MOST_TRIES):
        assert programme.run().counts[Outcome.unknown] == 1
    assert programme.run().counts.total() == 0
    assert programme.changes(broken, "payout.parked") == [(None, "ZeroDivisionError", "process-payouts")]
    assert programme.services.overview.get().parked_payouts == 1
    line.on_request = lambda _method, _path: None
    assert programme.run().counts.total() == 0
    programme.services.payout_control.retry(broken, cause=TEST)
    assert programme.services.overview.get().parked_payouts == 0
    assert programme.run().counts[Outcome.paid] == 1


def test_a_parked_payout_is_still_settled_by_what_stripe_says(programme: Programme, line: Line) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("timeout_after")
    programme.run()
    programme.execute(
        sa.insert(SendingFault).values(
            payout_id=payout_id, tries=MOST_TRIES, error="E", last_at=programme.clock.now(),
            parked_at=programme.clock.now(),
        )
    )  # fmt: skip
    programme.services.reconciliation.run(cause=TEST)
    assert programme.payout(payout_id).status == "paid"


def test_a_run_that_hears_nothing_of_stripe_leaves_the_rest_to_the_next_one(programme: Programme) -> None:
    payouts = [programme.approved() for _ in range(MOST_UNHEARD + 3)]
    programme.stripe.fault("timeout_before", path="/v1/transfers", times=MOST_UNHEARD)
    tally = programme.run()
    assert (tally.counts[Outcome.unknown], tally.counts[Outcome.waiting]) == (MOST_UNHEARD, 3)
    assert len(programme.stripe.requests("POST", "/v1/transfers")) == MOST_UNHEARD
    assert {programme.payout(each).wait_reason for each in payouts[MOST_UNHEARD:]} == {"stripe_away"}
    assert programme.run().counts[Outcome.paid] == len(payouts)


@pytest.mark.parametrize(
    ("firsts", "agains", "unheard"),
    [
        ([None], [], 1),
        ([500], [], 1),
        ([503, None], [], 2),
        ([500, 429], [], 0),
        ([None, 200], [], 0),
        ([], [500], 0),  # may be the first answer, saved: it says nothing of today
        ([None], [500], 1),
        ([None], [None], 2),
        ([None], [499], 0),
    ],
)
def test_a_run_counts_how_often_in_a_row_nothing_is_heard(
    firsts: list[int | None], agains: list[int | None], unheard: int
) -> None:
    run = Run(TEST)
    for status in firsts:
        run.heard(StripeAnswer(status), is_again=False)
    for status in agains:
        run.heard(StripeAnswer(status), is_again=True)
    assert run.unheard == unheard


def test_questions_that_come_to_nothing_count_like_requests_and_a_no_ends_the_row() -> None:
    run = Run(TEST)
    for number in range(1, MOST_UNHEARD + 1):
        assert not run.is_stripe_away
        run.stumbled(StripeUnavailableError())
        assert run.unheard == number
    assert run.is_stripe_away
    no = InvalidRequestError("no", None)  # type: ignore[no-untyped-call]  # the SDK gives it no types
    run.stumbled(StripeRefusedError(no))
    assert run.unheard == 0


@pytest.mark.parametrize("is_held", [True, False])
def test_a_run_that_hears_nothing_of_accounts_leaves_the_rest_to_the_next_one(
    programme: Programme, is_held: bool
) -> None:
    payouts = [programme.approved() for _ in range(MOST_UNHEARD)]
    affiliates = [programme.payout(each).affiliate_id for each in payouts]
    if is_held:
        for affiliate_id in affiliates:
            programme.block(affiliate_id)
        assert programme.run().counts[Outcome.held] == MOST_UNHEARD
        for affiliate_id in affiliates:
            programme.unblock(affiliate_id)
    payouts.append(programme.approved())
    rest = programme.account_of(programme.payout(payouts[-1]).affiliate_id)
    programme.stripe.forget_requests()
    programme.stripe.fault("timeout_before", path="/v1/accounts/", method="GET", times=1_000)
    counts = programme.run().counts
    assert (counts[Outcome.held], counts[Outcome.waiting]) == (
        (MOST_UNHEARD, 1) if is_held else (0, MOST_UNHEARD + 1)
    )
    assert programme.stripe.requests("GET", f"/v1/accounts/{rest}") == []
    programme.stripe.comes_back()
    assert programme.run().counts[Outcome.paid] == len(payouts)


def test_a_run_goes_on_while_stripe_answers_now_and_then(programme: Programme) -> None:
    for _ in range(5):
        programme.approved()
    programme.stripe.fault("timeout_before", path="/v1/transfers", times=MOST_UNHEARD - 1)
    tally = programme.run()
    assert (tally.counts[Outcome.unknown], tally.counts[Outcome.paid]) == (2, 3)


def test_a_500_that_stripe_has_saved_under_old_keys_keeps_nobody_else_waiting(programme: Programme) -> None:
    for _ in range(MOST_UNHEARD):
        programme.approved()
    programme.stripe.fault("500_before_saved", times=MOST_UNHEARD)
    assert programme.run().counts[Outcome.unknown] == MOST_UNHEARD
    younger = programme.approved()
    tally = programme.run()
    assert (tally.counts[Outcome.unknown], tally.counts[Outcome.paid]) == (MOST_UNHEARD, 1)
    assert programme.payout(younger).status == "paid"


def test_accounts_that_stripe_says_no_to_keep_nobody_else_waiting(programme: Programme) -> None:
    for _ in range(MOST_UNHEARD):
        programme.approved()
    younger = programme.approved()
    programme.stripe.fault("400_saved", path="/v1/accounts/", method="GET", times=MOST_UNHEARD)
    tally = programme.run()
    assert (tally.counts[Outcome.waiting], tally.counts[Outcome.paid]) == (MOST_UNHEARD, 1)
    assert programme.payout(younger).status == "paid"


def test_what_waits_for_funds_is_not_posted_while_the_balance_cannot_be_asked(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.stripe.set_balance(usd=0)
    assert programme.run().counts[Outcome.waiting] == 1
    programme.stripe.set_balance(usd=1_000_000)
    programme.stripe.forget_requests()
    programme.stripe.fault("timeout_before", path="/v1/balance", method="GET", times=9)
    assert programme.run().counts[Outcome.waiting] == 1
    assert programme.stripe.requests("POST", "/v1/transfers") == []
    assert programme.payout(payout_id).wait_reason == "funds"
    programme.stripe.comes_back()
    assert programme.run().counts[Outcome.paid] == 1


def test_a_run_that_hears_nothing_of_old_attempts_leaves_the_rest_to_the_next_one(
    programme: Programme,
) -> None:
    for _ in range(MOST_UNHEARD):
        programme.approved()
    programme.stripe.fault("timeout_before", times=MOST_UNHEARD)
    assert programme.run().counts[Outcome.unknown] == MOST_UNHEARD
    programme.clock.advance(hours=24)  # their keys are too old: their groups are listed
    younger = programme.approved()
    programme.services.reconciliation.run(cause=TEST)
    programme.stripe.fault("timeout_before", path="/v1/transfers", method="GET", times=1_000)
    counts = programme.run().counts
    assert (counts[Outcome.unknown], counts[Outcome.waiting], counts[Outcome.paid]) == (MOST_UNHEARD, 1, 0)
    assert programme.payout(younger).wait_reason == "stripe_away"
    programme.stripe.comes_back()
    assert programme.run().counts[Outcome.paid] == 1


def test_a_look_that_comes_to_nothing_after_a_refusal_is_the_first_silence_of_a_row(
    programme: Programme, line: Line
) -> None:
    payouts = [programme.approved() for _ in range(MOST_UNHEARD + 1)]
    rest = programme.payout(payouts[-1]).destination
    programme.stripe.fault("400_saved", code="account_invalid")
    programme.stripe.forget_requests()

    def go_away_after_it(method: str, _path: str, answer: Answer) -> Answer:
        if method == "POST":
            programme.stripe.goes_away()
        return answer

    line.on_answer = go_away_after_it
    assert programme.run().counts[Outcome.waiting] == len(payouts)
    assert programme.stripe.requests("GET", f"/v1/accounts/{rest}") == []
    line.is_quiet_again()
    programme.stripe.comes_back()
    assert programme.run().counts[Outcome.paid] == len(payouts)
