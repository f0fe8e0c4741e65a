"""When it is not known whether Stripe made the transfer: the same key and bytes, then a look, never a second one."""

from __future__ import annotations

from uuid import UUID

import pytest

from portal.domain.attempts import Outcome, pause_seconds
from tests.services.line import Killed, Line
from tests.services.programme import Programme

UNKNOWN = [
    "timeout_before", "timeout_after", "reset_after", "500_before", "500_after", "html_502_before", "html_502_after",
    "truncated_after", "409",
]  # fmt: skip

#: Stripe keeps a 500 under its key and answers it for ever.
SAVED_500 = ["500_before_saved", "500_after_saved"]


def status(programme: Programme, payout_id: UUID) -> str:
    return programme.payout(payout_id).status.value


def test_the_same_request_is_repeated_until_its_outcome_is_known(
    programme: Programme, subtests: pytest.Subtests
) -> None:
    for number, fault in enumerate(UNKNOWN, start=1):
        with subtests.test(fault):
            payout_id = programme.approved()
            programme.stripe.forget_requests()
            programme.stripe.fault(fault, times=2)
            for _ in range(2):
                assert programme.run().counts[Outcome.unknown] == 1
                assert status(programme, payout_id) == "processing"
            assert programme.run().counts[Outcome.paid] == 1
            posts = programme.stripe.requests("POST", "/v1/transfers")
            assert [post["idempotency_key"] for post in posts] == [f"payout-{payout_id}-g1"] * 3
            assert len(programme.stripe.transfers()) == number


def test_the_worker_retries_after_a_pause_that_grows(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("timeout_before", times=3)
    programme.run()
    for tries in (1, 2, 3):
        pause = pause_seconds(tries, spread=payout_id.int)
        programme.clock.advance(seconds=pause - 1)
        assert programme.retry().counts.total() == 0
        programme.clock.advance(seconds=1)
        assert programme.retry().counts.total() == 1
    assert len(programme.stripe.transfers()) == 1


def test_a_try_that_died_is_followed_by_the_next_one_after_the_same_pause(
    programme: Programme, line: Line
) -> None:
    payout_id = programme.approved()
    for tries, send in ((1, programme.run), (2, programme.retry)):
        line.dies_before("POST", "/v1/transfers")
        with pytest.raises(Killed):
            send()
        pause = pause_seconds(tries, spread=payout_id.int)
        programme.clock.advance(seconds=pause - 1)
        assert programme.retry().counts.total() == 0
        programme.clock.advance(seconds=1)
    assert programme.retry().counts[Outcome.paid] == 1


@pytest.mark.parametrize(("fault", "is_made"), [("500_before_saved", False), ("500_after_saved", True)])
def test_a_saved_failure_is_settled_by_the_list_once_the_key_is_too_old(
    programme: Programme, fault: str, is_made: bool
) -> None:
    payout_id = programme.approved()
    programme.stripe.fault(fault)
    assert programme.run().counts[Outcome.unknown] == 1
    for hours in (10, 6.99):
        programme.clock.advance(hours=hours)
        assert programme.retry().counts[Outcome.unknown] == 1
    programme.stripe.prune_keys()
    programme.stripe.forget_requests()
    programme.clock.advance(hours=0.01)
    assert programme.run().counts[Outcome.paid if is_made else Outcome.unknown] == 1
    programme.clock.advance(hours=8)
    runs = [programme.run() for _ in range(2)]
    assert status(programme, payout_id) == "paid"
    assert sum(run.counts[Outcome.paid] for run in runs) == (0 if is_made else 1)
    assert len(programme.stripe.transfers()) == 1
    assert [attempt.state for attempt in programme.attempts(payout_id)] == (
        ["succeeded"] if is_made else ["failed", "succeeded"]
    )


def test_a_key_is_never_posted_after_23_hours_and_nothing_is_proven_before_25(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("timeout_before")
    programme.run()
    programme.stripe.prune_keys()
    programme.clock.advance(hours=23)
    programme.stripe.forget_requests()
    programme.run()
    programme.clock.advance(hours=2, microseconds=-1)
    programme.run()
    assert programme.stripe.requests("POST", "/v1/transfers") == []
    assert status(programme, payout_id) == "processing"
    programme.clock.advance(microseconds=1)
    programme.run()
    assert status(programme, payout_id) == "approved"
    programme.run()
    assert status(programme, payout_id) == "paid"
    assert [attempt.generation for attempt in programme.attempts(payout_id)] == [1, 2]


@pytest.mark.parametrize("is_made", [True, False])
def test_an_old_key_is_posted_once_more_only_if_stripe_has_nothing(
    programme: Programme, is_made: bool
) -> None:
    """The worker was away; by now the key may be pruned, if our clock is wrong."""
    payout_id = programme.approved()
    programme.stripe.fault("timeout_after" if is_made else "timeout_before")
    programme.run()
    programme.clock.advance(hours=22)
    programme.stripe.prune_keys()
    programme.stripe.forget_requests()
    assert programme.retry().counts[Outcome.paid] == 1
    assert len(programme.stripe.requests("POST", "/v1/transfers")) == (0 if is_made else 1)
    assert len(programme.stripe.transfers()) == len(programme.attempts(payout_id)) == 1


@pytest.mark.parametrize(("fault", "hours"), [("timeout_before", 30), ("500_before_saved", 25)])
def test_after_a_late_post_absence_is_proven_once_nothing_can_be_on_its_way(
    programme: Programme, fault: str, hours: int
) -> None:
    """An answer says that the request has landed; without one it is waited for."""
    payout_id = programme.approved()
    programme.stripe.fault(fault, times=2)
    programme.run()
    programme.clock.advance(hours=22)
    programme.run()
    assert [attempt.tries for attempt in programme.attempts(payout_id)] == [2]
    programme.clock.advance(hours=hours - 22, microseconds=-1)
    programme.run()
    assert status(programme, payout_id) == "processing"
    programme.clock.advance(microseconds=1)
    programme.run()
    assert status(programme, payout_id) == "approved"


def test_a_request_that_lands_thirty_minutes_late_pays_once(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("late")
    programme.run()
    programme.clock.advance(minutes=30)
    programme.stripe.land()
    assert programme.run().counts[Outcome.paid] == 1
    assert status(programme, payout_id) == "paid"


def test_a_request_that_lands_after_the_last_post_is_found(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("late")
    programme.run()
    programme.clock.advance(hours=24)
    programme.stripe.land()
    assert programme.run().counts[Outcome.paid] == 1
    assert len(programme.attempts(payout_id)) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_killed_around_the_post_is_followed_by_one_that_pays_once(
    programme: Programme, line: Line, moment: str
) -> None:
    payout_id = programme.approved()
    (line.dies_before if moment == "before" else line.dies_after)("POST", "/v1/transfers")
    with pytest.raises(Killed):
        programme.run()
    assert status(programme, payout_id) == "processing"
    programme.clock.advance(days=3)
    for _ in range(3):
        programme.run()
    assert status(programme, payout_id) == "paid"
    assert len(programme.stripe.transfers()) == 1


def test_a_refusal_after_an_unknown_try_proves_nothing(programme: Programme) -> None:
    """The first request is still on its way while the second is refused."""
    payout_id = programme.approved()
    programme.stripe.fault("late")
    programme.run()
    programme.stripe.fault("400_saved", code="account_invalid", message="No.")
    programme.run()
    assert status(programme, payout_id) == "processing"
    programme.stripe.prune_keys()
    programme.stripe.land()
    programme.clock.advance(hours=25)
    programme.run()
    assert status(programme, payout_id) == "paid"


def test_a_proxys_refusal_is_none_of_stripes(programme: Programme, line: Line) -> None:
    payout_id = programme.approved()
    line.answers("POST", "/v1/transfers", ("<h1>Request Timeout</h1>", 408))
    assert programme.run().counts[Outcome.unknown] == 1
    line.answers("POST", "/v1/transfers", ("[]", 200))
    assert programme.run().counts[Outcome.unknown] == 1
    line.answers("POST", "/v1/transfers", ("{}", 200))
    assert programme.run().counts[Outcome.unknown] == 1
    assert programme.run().counts[Outcome.paid] == 1
    assert len(programme.attempts(payout_id)) == 1


def test_a_blocked_affiliates_unknown_outcome_is_only_looked_up(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("timeout_before")
    programme.run()
    programme.block(programme.payout(payout_id).affiliate_id)
    programme.stripe.forget_requests()
    programme.run()
    assert programme.stripe.requests("POST", "/v1/transfers") == []
    assert status(programme, payout_id) == "processing"
    programme.clock.advance(hours=25)
    for _ in range(2):
        programme.run()
    assert programme.payout(payout_id).hold_reason == "blocked"


def test_a_transfer_told_by_webhook_before_our_commit_settles_once(programme: Programme, line: Line) -> None:
    payout_id = programme.approved()
    line.dies_after("POST", "/v1/transfers")
    with pytest.raises(Killed):
        programme.run()
    (event,) = programme.stripe.events("transfer.created")
    for _ in range(3):
        programme.receive(event)
        programme.services.stripe_events.process_due()
    assert status(programme, payout_id) == "paid"
    assert programme.changes(payout_id, "payout.status_changed")[-1][2] == event["id"]
    assert programme.run().counts.total() == 0


def test_a_parked_attempt_waits_for_a_person_and_a_webhook_still_settles_it(
    programme: Programme, line: Line
) -> None:
    payout_id = programme.approved()
    line.answers(
        "POST",
        "/v1/transfers",
        ('{"error": {"type": "idempotency_error", "message": "Other parameters"}}', 400),
    )
    programme.run()
    (attempt,) = programme.attempts(payout_id)
    assert attempt.state == "parked"
    programme.stripe.forget_requests()
    programme.clock.advance(minutes=50)
    programme.run()
    assert programme.stripe.requests("POST", "/v1/transfers") == []
    assert status(programme, payout_id) == "processing"
    (event,) = programme.stripe.events("transfer.created")
    programme.receive(event)
    programme.services.stripe_events.process_due()
    assert status(programme, payout_id) == "paid"
