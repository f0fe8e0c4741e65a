"""When Stripe says no: funds, limits, accounts; and when it says something that must stop all sending."""

from __future__ import annotations

import json
from functools import partial
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.domain.attempts import Outcome
from portal.gateways.stripe import StripeKeyRefusedError
from portal.models import Installation
from tests.services.line import Answer, Line
from tests.services.programme import Programme


def status(programme: Programme, payout_id: UUID) -> str:
    return programme.payout(payout_id).status.value


def with_headers(headers: dict[str, str], _method: str, _path: str, answer: Answer) -> Answer:
    return (answer[0], answer[1], {**answer[2], **headers})


def halt_reason(programme: Programme) -> str | None:
    reason: str | None = programme.rows(sa.select(Installation.halt_reason))[0][0]
    return reason


def test_short_funds_pay_the_oldest_first_and_the_rest_once_after_the_top_up(programme: Programme) -> None:
    first, second, third = (programme.approved() for _ in range(3))
    programme.stripe.set_balance(usd=25_000)
    tally = programme.run()
    assert (tally.counts[Outcome.paid], tally.counts[Outcome.waiting]) == (2, 1)
    assert tally.total == {"usd": 20_000}
    assert (status(programme, first), status(programme, second)) == ("paid", "paid")
    assert (status(programme, third), programme.payout(third).wait_reason) == ("approved", "funds")
    programme.stripe.forget_requests()
    assert programme.run().counts[Outcome.waiting] == 1
    assert programme.stripe.requests("POST", "/v1/transfers") == []
    programme.stripe.set_balance(usd=10_000)
    assert programme.run().counts[Outcome.paid] == 1
    assert [attempt.state for attempt in programme.attempts(third)] == ["failed", "succeeded"]
    assert len(programme.stripe.transfers()) == 3


def test_nobody_younger_is_served_before_the_oldest_of_their_currency(programme: Programme) -> None:
    large, small = programme.approved(20_000), programme.approved(3_000)
    programme.stripe.set_balance(usd=10_000)
    for _ in range(2):
        assert programme.run().counts[Outcome.waiting] == 2
    assert programme.attempts(small) == []
    programme.stripe.set_balance(usd=30_000)
    assert programme.run().counts[Outcome.paid] == 2
    assert status(programme, large) == "paid"


def test_an_unknown_outcome_that_turns_out_unfunded_keeps_its_turn(programme: Programme) -> None:
    large, small = programme.approved(20_000), programme.approved(3_000)
    programme.stripe.set_balance(usd=10_000)
    programme.stripe.fault("429")
    programme.run()
    programme.clock.advance(minutes=1)
    programme.run()
    assert programme.payout(large).wait_reason == "funds"
    assert status(programme, small) == "paid"  # it was sent while nothing was known of the funds
    younger = programme.approved(3_000)
    programme.run()
    assert programme.payout(younger).wait_reason == "funds"


def test_who_is_blocked_while_their_payout_is_under_way_is_held_when_it_comes_back_unfunded(
    programme: Programme, line: Line
) -> None:
    payout_id = programme.approved()
    programme.stripe.set_balance(usd=0)

    def blocked_meanwhile(method: str, _path: str, answer: Answer) -> Answer:
        if method == "POST":
            programme.block(programme.payout(payout_id).affiliate_id)
        return answer

    line.on_answer = blocked_meanwhile
    assert programme.run().counts[Outcome.held] == 1
    assert (status(programme, payout_id), programme.payout(payout_id).hold_reason) == ("held", "blocked")
    assert programme.services.selfcheck.run() == []  # else all sending would stop


def test_who_is_blocked_while_their_payout_is_under_way_is_held_when_it_is_proven_lost(
    programme: Programme,
) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("timeout_before")
    programme.run()
    programme.block(programme.payout(payout_id).affiliate_id)
    programme.stripe.prune_keys()
    programme.clock.advance(hours=25)
    assert programme.run().counts[Outcome.held] == 1
    assert programme.services.selfcheck.run() == []
    programme.unblock(programme.payout(payout_id).affiliate_id)
    assert programme.run().counts[Outcome.paid] == 1


def test_another_currency_does_not_wait(programme: Programme) -> None:
    programme.approved(20_000)
    eur = programme.request(programme.verified(earned=20_000, currency="eur", country="DE"))
    programme.stripe.set_balance(usd=0)
    assert programme.run().counts[Outcome.paid] == 1
    assert status(programme, eur) == "paid"


def test_too_many_requests_wait_as_long_as_stripe_asks(programme: Programme, line: Line) -> None:
    payout_id = programme.approved()

    line.on_answer = partial(with_headers, {"Retry-After": "90"})
    programme.stripe.fault("429")
    assert programme.run().counts[Outcome.waiting] == 1
    programme.clock.advance(seconds=89)
    assert programme.run().counts[Outcome.waiting] == 1
    assert len(programme.stripe.requests("POST", "/v1/transfers")) == 1
    programme.clock.advance(seconds=1)
    assert programme.run().counts[Outcome.paid] == 1
    assert len(programme.attempts(payout_id)) == 1


def test_no_answer_makes_a_payout_wait_for_longer_than_an_hour(programme: Programme, line: Line) -> None:
    for retry_after in ("9" * 5_000, "-1", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"):
        payout_id = programme.approved()
        line.on_answer = partial(with_headers, {"Retry-After": retry_after})
        programme.stripe.fault("429")
        assert programme.run().counts[Outcome.waiting] == 1
        programme.clock.advance(hours=1)
        assert programme.run().counts[Outcome.paid] == 1
        assert status(programme, payout_id) == "paid"


def test_a_refusal_of_the_account_looks_again_and_holds(programme: Programme, line: Line) -> None:
    """Restricted in the moment between our look and our request."""
    payout_id = programme.approved()
    account_id = programme.payout(payout_id).destination

    def restrict(method: str, path: str) -> None:
        if (method, path) == ("POST", "/v1/transfers"):
            line.on_request = lambda _method, _path: None
            programme.stripe.fate(account_id, "restrict", silently=True)

    line.on_request = restrict
    assert programme.run().counts[Outcome.held] == 1
    assert programme.payout(payout_id).hold_reason == "not_verified"
    programme.stripe.fate(account_id, "approve")
    assert programme.run().counts[Outcome.paid] == 1


def test_a_refusal_for_good_fails_the_payout_and_gives_the_money_back(programme: Programme) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("400_saved", code="amount_too_small", message="Amount must be at least 50 cents.")
    assert programme.run().counts[Outcome.failed] == 1
    payout = programme.payout(payout_id)
    assert (payout.status, payout.reason) == ("failed", "Amount must be at least 50 cents.")
    assert programme.balances(payout.affiliate_id).available.amount == 10_000
    assert programme.run().counts.total() == 0
    programme.request(payout.affiliate_id)
    assert programme.run().counts[Outcome.paid] == 1


def test_a_refusal_is_not_for_good_before_the_account_was_looked_at_again(
    programme: Programme, line: Line
) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("400_saved", code="account_invalid", message="No such destination.")

    def go_away_after_it(method: str, path: str, answer: Answer) -> Answer:
        if (method, path) == ("POST", "/v1/transfers"):
            programme.stripe.goes_away()
        return answer

    line.on_answer = go_away_after_it
    assert programme.run().counts[Outcome.waiting] == 1
    assert (status(programme, payout_id), programme.payout(payout_id).wait_reason) == (
        "approved",
        "stripe_away",
    )
    assert [attempt.error_code for attempt in programme.attempts(payout_id)] == ["account_invalid"]
    line.on_answer = lambda _method, _path, answer: answer
    programme.stripe.comes_back()
    assert programme.run().counts[Outcome.paid] == 1


def test_while_stripe_is_away_nothing_is_begun(programme: Programme) -> None:
    payouts = [programme.approved() for _ in range(2)]
    programme.stripe.goes_away()
    for _ in range(3):
        assert programme.run().counts[Outcome.waiting] == 2
        programme.clock.advance(hours=2)
    assert {status(programme, payout_id) for payout_id in payouts} == {"approved"}
    assert [programme.attempts(payout_id) for payout_id in payouts] == [[], []]
    programme.stripe.comes_back()
    assert programme.run().counts[Outcome.paid] == 2


@pytest.mark.parametrize("change", [{"amount": 9_999}, {"destination": "acct_other"}, {"currency": "eur"}])
def test_another_transfer_than_was_asked_for_stops_all_sending(
    programme: Programme, line: Line, change: dict[str, object]
) -> None:
    payout_id, other = programme.approved(), programme.approved()

    def lie(method: str, path: str, answer: Answer) -> Answer:
        if (method, path) != ("POST", "/v1/transfers"):
            return answer
        line.on_answer = lambda _method, _path, answer: answer
        return (json.dumps(json.loads(answer[0]) | change), *answer[1:])

    line.on_answer = lie
    programme.run()
    assert (status(programme, payout_id), status(programme, other)) == ("processing", "approved")
    assert programme.payout(payout_id).reference in (halt_reason(programme) or "")
    assert programme.run().counts.total() == 0


def test_two_transfers_in_a_group_stop_all_sending(programme: Programme) -> None:
    payout_id, other = programme.approved(), programme.approved()
    programme.stripe.fault("timeout_after")
    programme.stripe.fault("401")
    with pytest.raises(StripeKeyRefusedError):
        programme.run()
    programme.stripe.transfer_by_hand(
        programme.payout(payout_id).destination, 10_000, group=f"payout-{payout_id}"
    )
    programme.clock.advance(hours=23)
    programme.run()
    assert (status(programme, payout_id), status(programme, other)) == ("processing", "approved")
    assert halt_reason(programme) is not None


def test_a_second_transfer_told_by_webhook_stops_all_sending_though_the_payout_is_paid(
    programme: Programme,
) -> None:
    payout_id = programme.approved()
    programme.run()
    programme.stripe.transfer_by_hand(
        programme.payout(payout_id).destination, 10_000, group=f"payout-{payout_id}"
    )
    first, _ = programme.stripe.events("transfer.created")
    programme.receive(first)
    programme.services.stripe_events.process_due()
    assert status(programme, payout_id) == "paid"
    assert halt_reason(programme) is not None


def test_a_transfer_for_a_payout_that_was_given_back_stops_all_sending(programme: Programme) -> None:
    payout_id, other = programme.approved(), programme.approved()
    programme.stripe.set_balance(usd=0)
    programme.run()
    programme.stripe.set_balance(usd=100_000)
    programme.stripe.transfer_by_hand(
        programme.payout(payout_id).destination, 10_000, group=f"payout-{payout_id}"
    )
    programme.run()
    assert halt_reason(programme) is not None
    assert (status(programme, payout_id), status(programme, other)) == ("approved", "approved")


def test_of_a_long_refusal_as_much_is_kept_as_there_is_room_for(programme: Programme, line: Line) -> None:
    payout_id = programme.approved()
    programme.stripe.fault("400_saved")
    refusal = {"error": {"type": "invalid_request_error", "message": "x" * 501}}
    line.answers("POST", "/v1/transfers", (json.dumps(refusal), 400))
    assert programme.run().counts[Outcome.failed] == 1
    (attempt,) = programme.attempts(payout_id)
    assert programme.payout(payout_id).reason == attempt.error_message == "x" * 500
