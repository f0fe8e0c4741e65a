"""Two things at once: whoever commits first is right, and the other one sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID

import pytest

from portal.domain.attempts import Outcome
from tests.services.line import Answer, Line
from tests.services.programme import TEST, Programme

LOOK, POST = ("GET", "/v1/accounts/"), ("POST", "/v1/transfers")


def at_the_moment(line: Line, moment: str, act: Callable[[], None]) -> None:
    """Once, when a request is about to leave or its answer has just come, somebody else does something."""
    when, (method, path) = {
        "before the look": ("asked", LOOK), "after the look": ("answered", LOOK),
        "before the post": ("asked", POST), "after the post": ("answered", POST),
    }[moment]  # fmt: skip

    def once(asked_method: str, asked_path: str) -> None:
        if asked_method == method and asked_path.startswith(path):
            line.on_request = lambda _method, _path: None
            line.on_answer = lambda _method, _path, answer: answer
            thread = threading.Thread(target=act)
            thread.start()
            thread.join()

    def answered(asked_method: str, asked_path: str, answer: Answer) -> Answer:
        once(asked_method, asked_path)
        return answer

    if when == "asked":
        line.on_request = once
    else:
        line.on_answer = answered


@pytest.mark.parametrize(
    ("how", "moment", "outcome", "attempts"),
    [
        ("blocked", "before the look", Outcome.held, 0),
        ("blocked", "after the look", Outcome.held, 0),
        ("blocked", "before the post", Outcome.paid, 1),
        ("blocked", "after the post", Outcome.paid, 1),
        ("restricted", "before the look", Outcome.held, 0),
        ("restricted", "after the look", Outcome.held, 0),
        ("restricted", "before the post", Outcome.held, 1),  # Stripe itself refuses it by then
        ("restricted", "after the post", Outcome.paid, 1),
    ],
)
def test_a_block_or_a_restriction_against_the_run_stops_what_is_not_written_down_as_sent(
    programme: Programme, line: Line, how: str, moment: str, outcome: Outcome, attempts: int
) -> None:
    payout_id = programme.approved()
    affiliate_id = programme.payout(payout_id).affiliate_id

    def act() -> None:
        with programme.app.app_context():
            if how == "blocked":
                programme.block(affiliate_id)
            else:
                programme.stripe.fate(programme.account_of(affiliate_id), "restrict", silently=True)
                programme.sync(affiliate_id)

    at_the_moment(line, moment, act)
    assert programme.run().counts[outcome] == 1
    is_paid = outcome is Outcome.paid
    assert programme.payout(payout_id).status == ("paid" if is_paid else "held")
    assert len(programme.stripe.transfers()) == is_paid
    assert len(programme.attempts(payout_id)) == attempts


@pytest.mark.parametrize("moment", ["before the look", "after the look"])
def test_a_cancellation_against_the_run_leaves_nothing_to_send(
    programme: Programme, line: Line, moment: str
) -> None:
    payout_id = programme.approved()

    def cancel() -> None:
        with programme.app.app_context():
            programme.services.payouts.cancel(payout_id, cause=TEST)

    at_the_moment(line, moment, cancel)
    assert programme.run().counts[Outcome.skipped] == 1
    assert programme.payout(payout_id).status == "canceled"
    assert programme.stripe.transfers() == []


def test_earnings_requests_and_refunds_at_once_lose_no_cent(programme: Programme) -> None:
    affiliate_id = programme.verified(earned=100_000)
    earnings = [programme.earning(affiliate_id, 101) for _ in range(24)]
    refused: list[Exception] = []

    def at_work(number: int) -> None:
        with programme.app.app_context():
            try:
                for earning in earnings[number::4]:
                    programme.services.ledger.post_earnings([earning], cause=TEST)
                    programme.services.ledger.post_earnings([earning], cause=TEST)
                if number % 2:
                    payout_id: UUID = programme.request(affiliate_id, "25.00")
                    programme.services.payouts.cancel(payout_id, cause=TEST)
            except Exception as refusal:  # noqa: BLE001 - it is looked at below
                refused.append(refusal)

    threads = [threading.Thread(target=at_work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(refusal).__name__ for refusal in refused] in ([], ["PayoutIsOpen"])
    assert programme.balances(affiliate_id).available.amount == 100_000 + 24 * 101
