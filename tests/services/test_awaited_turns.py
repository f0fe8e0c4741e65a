"""A transfer's turn at Stripe is awaited before anything is written down: an intent leaves in the moment it is made."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from portal.domain.attempts import Outcome
from portal.domain.payouts import WaitReason
from portal.gateways.stripe import Lane
from portal.models import StripeLane
from portal.services.stripe_pace import DatabasePace
from portal.wiring import WORKER_PATIENCE_SECONDS, session
from tests.services.programme import Programme

#: Longer than a look at an account is trusted, and shorter than a worker has patience.
A_LONG_WAIT_SECONDS = 60


@pytest.fixture
def held_back(programme: Programme) -> Callable[[float], None]:
    """Stripe has told somebody else that no transfer may be made for so long."""
    limits = {Lane.everything: 80, Lane.transfers: 24}
    pace = DatabasePace(session, clock=programme.clock, per_second=limits, patience=lambda: 1)
    return lambda seconds: pace.hold(Lane.transfers, seconds=seconds)


def test_while_the_turn_is_awaited_nothing_is_under_way(
    programme: Programme, held_back: Callable[[float], None]
) -> None:
    payout_id = programme.approved()
    seen = []

    def look(seconds: float) -> None:
        if seconds > 1:
            seen.append((programme.payout(payout_id).status, programme.attempts(payout_id)))

    programme.clock.in_a_pause(look)
    held_back(20)
    programme.stripe.forget_requests()
    assert programme.run().counts[Outcome.paid] == 1
    assert seen == [("approved", [])]
    assert len(programme.stripe.requests("GET", "/v1/accounts/acct_")) == 1


def test_whoever_waited_for_long_is_looked_at_anew_before_their_money_leaves(
    programme: Programme, held_back: Callable[[float], None]
) -> None:
    payout_id = programme.approved()
    account_id = programme.payout(payout_id).destination
    programme.clock.in_a_pause(
        lambda seconds: programme.stripe.fate(account_id, "restrict", silently=True) if seconds > 30 else None
    )
    held_back(A_LONG_WAIT_SECONDS)
    assert programme.run().counts[Outcome.held] == 1
    assert programme.payout(payout_id).hold_reason == "not_verified"
    assert programme.attempts(payout_id) == []
    assert programme.stripe.requests("POST", "/v1/transfers") == []


def test_where_no_turn_comes_the_payout_waits_and_nothing_is_written(
    programme: Programme, held_back: Callable[[float], None]
) -> None:
    payout_id = programme.approved()
    held_back(2 * WORKER_PATIENCE_SECONDS)
    assert programme.run().counts[Outcome.waiting] == 1
    payout = programme.payout(payout_id)
    assert (payout.status, payout.wait_reason) == ("approved", WaitReason.stripe_away)
    assert programme.attempts(payout_id) == []


def test_an_attempt_of_unknown_outcome_is_not_counted_as_sent_again_before_its_turn_comes(
    programme: Programme, held_back: Callable[[float], None]
) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("timeout_after", path="/v1/transfers", method="POST")
    assert programme.run().counts[Outcome.unknown] == 1
    programme.clock.advance(minutes=10)
    held_back(2 * WORKER_PATIENCE_SECONDS)
    assert programme.retry().counts[Outcome.unknown] == 1
    assert [attempt.tries for attempt in programme.attempts(payout_id)] == [1]
    programme.execute(sa.delete(StripeLane))  # its time has passed
    assert programme.retry().counts[Outcome.paid] == 1
    assert len(programme.stripe.transfers()) == 1
